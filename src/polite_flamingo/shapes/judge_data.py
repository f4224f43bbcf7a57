"""Labelled texts that the judges are trained, calibrated and tested on (METHOD sections 5 and 7).

Every example is a pure function of (seed, scene id, index within the scene).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.tables import write_jsonl
from polite_flamingo.shapes.adversarial import ADVERSARIAL_SETS, adversarial_examples
from polite_flamingo.shapes.entailment_data import nli_examples
from polite_flamingo.shapes.faults import rewrite_examples
from polite_flamingo.shapes.preference_data import preference
from polite_flamingo.shapes.scene import Scene

# Training and calibration share wording B; the held-out test speaks wording C. "reporting" trains
# the judges that report: scenes of the judges' pool that the other judges do not see.
POOL_WORDINGS = {"judges": "B", "calibration": "B", "reporting": "B", "test": "C"}
# Pairs of each adversarial set, against the test examples.
_ADVERSARIAL_DIVISOR = 10

Row = dict[str, Any]


def write(
    folder: Path,
    scenes: Sequence[Scene],
    pool: str,
    number: int,
    seed: int,
    images: Mapping[str, str],
) -> None:
    """Write ``{nli,preferences,rewrites}_{pool}.jsonl`` with ``number`` examples each.

    The test pool gets ``adversarial.jsonl`` too, the reporting pool no rewrites. ``images`` gives
    the relative image path of each scene id. Labels come in equal shares: three
    neighbouring NLI rows share a question, two neighbouring rewrites a draft.
    Raises UserError for an unknown pool or without scenes.
    """
    if pool not in POOL_WORDINGS:
        raise UserError(f"unknown judges' pool {pool!r}: choose one of {', '.join(POOL_WORDINGS)}")
    if not scenes:
        raise UserError(f"pool {pool!r} has no scenes: raise its number in generate")
    wording = POOL_WORDINGS[pool]
    makers: dict[str, Callable[[Scene, int], list[Row]]] = {
        "nli": lambda scene, index: nli_examples(scene, pool, wording, seed, index),
        "preferences": lambda scene, index: [preference(scene, pool, wording, seed, index)],
        "rewrites": lambda scene, index: rewrite_examples(
            scene, pool, wording, seed, index, images[scene.scene_id]
        ),
    }
    if pool == "reporting":
        del makers["rewrites"]
    for name, make in makers.items():
        write_jsonl(folder / f"{name}_{pool}.jsonl", _rounds(scenes, number, make))
    if pool == "test":
        pairs = max(1, number // _ADVERSARIAL_DIVISOR) * len(ADVERSARIAL_SETS)
        rows = _rounds(
            scenes, pairs, lambda scene, i: adversarial_examples(scene, pool, wording, seed, i)
        )
        write_jsonl(folder / "adversarial.jsonl", rows)


def _rounds(
    scenes: Sequence[Scene],
    number: int,
    make: Callable[[Scene, int], list[Row]],
) -> Iterator[Row]:
    """Go round the scenes, index by index, until ``number`` rows are made."""
    made = index = 0
    while made < number:
        for scene in scenes:
            for row in make(scene, index):
                if made < number:
                    yield row
                    made += 1
            if made >= number:
                break
        index += 1
