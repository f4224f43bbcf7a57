"""The gates of a promotion on made-up answers: what passes, what fails, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polite_flamingo.core.params import PromoteParams
from polite_flamingo.release import gates
from polite_flamingo.release.evidence import Evidence

PARAMS = PromoteParams(
    max_accuracy_drop=0.02,
    min_win_rate=0.48,
    max_factual_drop=0.02,
    max_size_ratio=1.5,
    max_latency_ratio=2.0,
    requests=1,
)


def made(accuracy: float, reward: float, factual: float = 0.9, n: int = 400) -> Evidence:
    """Answers of which these shares are right and true; rewards around ``reward``."""
    noise = np.random.default_rng(1).normal(size=n)
    return Evidence(
        values={
            "accuracy": {f"q{i}": float(i < accuracy * n) for i in range(n)},
            "factual": {f"f{i}": float(i < factual * n) for i in range(n)},
            "reward": {f"q{i}": reward * (i % 3) + float(noise[i]) for i in range(n)},
        },
        texts={},
        gate=True,
    )


CHAMPION = made(0.8, 1.0)


def failed(
    candidate: Evidence | None,
    champion: Evidence | None = CHAMPION,
    sizes: tuple[int | None, int | None] = (100, 100),
    seconds: tuple[float | None, float | None] = (0.1, 0.1),
    first: bool = False,
) -> list[str]:
    return gates.failed(gates.judge(PARAMS, candidate, champion, sizes, seconds, first))


def test_as_good_a_version_passes_and_so_does_a_better_one() -> None:
    assert failed(CHAMPION) == []
    assert failed(made(0.9, 1.5, 0.95)) == []


def test_each_gate_fails_by_itself() -> None:
    assert failed(made(0.7, 1.0)) == ["accuracy"]
    assert failed(made(0.8, 1.0, factual=0.7)) == ["factuality"]
    assert failed(made(0.8, 0.5)) == ["politeness"]
    assert failed(CHAMPION, sizes=(151, 100)) == ["size (MB)"]
    assert failed(CHAMPION, seconds=(0.21, 0.1)) == ["latency (s)"]
    assert failed(replace(CHAMPION, gate=False)) == ["data gate"]


def test_a_drop_within_delta_or_within_the_interval_is_none() -> None:
    # 0.015 below, for sure: within delta.
    assert failed(made(0.785, 1.0)) == []
    # 0.05 below on 20 questions: within the interval.
    few = made(0.8, 1.0, n=20)
    assert failed(made(0.75, 1.0, n=20), few) == []


def test_what_cannot_be_compared_fails_but_for_the_first_version() -> None:
    assert failed(None) == ["data gate", "accuracy", "politeness", "factuality"]
    assert failed(CHAMPION, None) == ["accuracy", "politeness", "factuality"]
    assert failed(CHAMPION, sizes=(None, 100), seconds=(0.1, None)) == ["size (MB)", "latency (s)"]
    assert failed(CHAMPION, None, (1, None), (0.1, None), first=True) == []
    assert failed(None, None, (1, None), (0.1, None), first=True) == ["data gate"]


def test_other_questions_are_no_win_and_their_accuracy_is_compared_unpaired() -> None:
    other = Evidence(
        values={
            figure: {f"other{key}": value for key, value in values.items()}
            for figure, values in CHAMPION.values.items()
        },
        texts={},
        gate=True,
    )
    assert failed(other) == ["politeness"]
    found, how = gates.difference("x", other.values["accuracy"], made(0.6, 1).values["accuracy"])
    assert how.startswith("unpaired") and found is not None
    assert found.mean == pytest.approx(0.2) and 0 < found.low < found.high < 0.3


def test_the_table_has_a_row_a_gate() -> None:
    found = gates.judge(PARAMS, made(0.7, 1.0), CHAMPION, (1, 1), (0.1, 0.1), False)
    lines = gates.decision_table(found).splitlines()
    assert len(lines) == 7
    accuracy = next(line for line in lines if line.startswith("accuracy"))
    assert accuracy.split()[1:3] == ["0.7", "0.8"] and accuracy.endswith("FAIL")
    assert "-0.100" in accuracy and "drop <= 0.02" in accuracy
