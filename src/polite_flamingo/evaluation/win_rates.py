"""Pairwise win rates by reward, ties counted half (METHOD section 7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Rewards = Mapping[str, float]  # sample id -> reward


def win(own: float, other: float) -> float:
    """1 if `own` is the higher reward, 0 if the lower, a half on a tie."""
    if own == other:
        return 0.5
    return 1.0 if own > other else 0.0


def wins(own: Rewards, other: Rewards) -> dict[str, float]:
    """`win` on every sample id that both hold, in sorted order."""
    return {key: win(own[key], other[key]) for key in sorted(own.keys() & other.keys())}


def win_rate(own: Rewards, other: Rewards) -> float | None:
    """Share of the shared sample ids that `own` wins; None if they share none."""
    scores = wins(own, other)
    return sum(scores.values()) / len(scores) if scores else None


def rewards_by_model(
    ratings: Iterable[Mapping[str, Any]], control: str = "", judge: str = "reward"
) -> dict[str, dict[str, float]]:
    """Rewards of each model under one control, from rows of ratings.parquet; nulls left out.

    `judge` is the column: "reward" of the reporting judge, "filter_reward" of the filtering one.
    """
    found: dict[str, dict[str, float]] = {}
    for row in ratings:
        if row["control"] == control and row.get(judge) is not None:
            found.setdefault(row["model"], {})[row["sample_id"]] = float(row[judge])
    return found


def win_matrix(rewards: Mapping[str, Rewards], models: Sequence[str]) -> dict[str, Any]:
    """Win rate of each model (row) over each other (column), all on the same sample ids.

    Returns {"models", "rates" (rows of floats, null on the diagonal), "samples"}; the ids are
    those that every model has, so that the cells compare like with like.
    """
    shared = sorted(set.intersection(*(set(rewards[model]) for model in models))) if models else []
    common = {model: {key: rewards[model][key] for key in shared} for model in models}
    rates = [
        [None if row == column else win_rate(common[row], common[column]) for column in models]
        for row in models
    ]
    return {"models": list(models), "rates": rates, "samples": len(shared)}
