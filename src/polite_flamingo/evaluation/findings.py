"""What the paper found, tested on this run: the U shape and the alignment tax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polite_flamingo.evaluation.intervals import SampleBootstrap, as_json, side_of
from polite_flamingo.evaluation.metrics import Interval


def u_shape(rewards: Sequence[Mapping[str, float]], boot: SampleBootstrap) -> dict[str, Any]:
    """Whether the reward falls from stage 1 to 2 and rises from 2 to 3, beyond the intervals.

    `rewards` are those after the three stages by sample id. `to_stage2` and `to_stage3` are the
    changes on the same samples (mean, low, high, n); `shows` is null where one is not measured.
    """
    first, second, third = rewards
    falls = boot.gap("u_shape/to_stage2", second, first)
    rises = boot.gap("u_shape/to_stage3", third, second)
    shows = None if falls is None or rises is None else side_of(falls) == -1 and side_of(rises) == 1
    return {"shows": shows, "to_stage2": as_json(falls), "to_stage3": as_json(rises)}


def tax(win_rate: Interval | None) -> dict[str, Any]:
    """Whether PF-tuned beats raw-tuned on more than half of the samples, beyond the interval.

    `side` is 1 if the whole interval lies above a half, -1 if below, 0 if it holds it.
    """
    side = side_of(win_rate, 0.5)
    return {
        "shows": None if side is None else side == 1,
        "side": side,
        "win_rate": as_json(win_rate),
    }
