"""Thresholds from labelled good and bad rewrites: catch the faults, keep the good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from polite_flamingo.core.errors import UserError
from polite_flamingo.filters.decide import (
    Decision,
    Scores,
    applies,
    contradiction_margin,
    unsupported_margin,
)

# +1: drop at or above the threshold; -1: drop below it.
DIRECTIONS = {
    "change": 1,
    "repetition": 1,
    "echo": 1,
    "lost": 1,
    "foreign": 1,
    "sts": -1,
    "clipscore": -1,
    "nli": 1,
    "nli_lines": 1,
}
# The planted faults that each filter is there for.
MEANT_FOR = {
    "too_short": ("too_short",),
    "too_long": ("too_long",),
    "repetition": ("repetition",),
    "boxes": ("boxes_left",),
    "unchanged": ("unchanged",),
    "unfinished": ("truncated",),
    "echo": ("question_echoed",),
    "lost": ("lost_fact", "changed_answer", "courtesy_only"),
    "foreign": ("changed_fact", "hallucinated_paragraph", "wrong_change", "wrong_extra_claim"),
    "sts": ("courtesy_only", "question_echoed"),
    "clipscore": ("hallucinated_paragraph",),
    "nli": ("changed_answer", "wrong_extra_claim", "courtesy_only", "question_echoed"),
    "nli_lines": ("changed_fact", "wrong_change"),
}
# The filter that a score belongs to, where it is called otherwise.
FILTER_OF = {"change": "unchanged"}
_CURVE_POINTS = 33


def columns(tasks: Sequence[str], scores: Sequence[Scores]) -> dict[str, np.ndarray]:
    """One array [n] a filter, NaN where it does not apply; the worst paragraph counts."""
    rows = [
        {
            "change": row.change,
            "repetition": row.repetition,
            "sts": row.sts,
            "clipscore": min(row.clipscore) if row.clipscore else None,
            "echo": row.echo,
            "lost": row.lost,
            "foreign": row.foreign,
            "nli": unsupported_margin(row.nli) if row.nli and applies("nli", task) else None,
            "nli_lines": contradiction_margin(row.nli)
            if row.nli and applies("nli_lines", task)
            else None,
        }
        for task, row in zip(tasks, scores, strict=True)
    ]
    return {
        name: np.array([np.nan if row[name] is None else row[name] for row in rows], dtype=float)
        for name in DIRECTIONS
    }


def choose_thresholds(
    values: Mapping[str, np.ndarray],
    good: np.ndarray,
    max_good_lost: float,
    faults: Sequence[str] | None = None,
) -> dict[str, float]:
    """Choose a threshold a filter; ``values`` as of :func:`columns`, ``good`` [n] bool.

    Greedy: again and again take the step of one threshold that catches most bad rewrites per good
    one lost, as long as all filters together lose at most ``max_good_lost`` of the good and a step
    catches at least half as many bad as it loses good. With ``faults`` [n] a filter looks only at those it is there
    for (:data:`MEANT_FOR`): chance catches of others would push its threshold against the good ones.
    CLIPScore, which alone looks at the image, then catches what it is there for even where another
    filter does so already, for up to half of that loss. A threshold lies midway between the last
    score it drops and the next good one; a filter with nothing to catch gets one just beyond every
    score. Raises UserError where a filter has no score at all.
    """
    budget = max_good_lost * int(good.sum())
    caught = np.zeros(len(good), dtype=bool)  # dropped so far, good or bad
    chosen: dict[str, float] = {}
    badness = {name: DIRECTIONS[name] * column for name, column in values.items()}
    others = {name: np.zeros(len(good), dtype=bool) for name in badness}
    for name, column in badness.items():
        scored = column[~np.isnan(column)]
        if not len(scored):
            raise UserError(
                f"no labelled rewrite has a {name} score: label rewrites of its tasks first"
            )
        chosen[name] = float(scored.max()) + _margin(scored)
        if faults is not None:
            meant = np.isin(np.array(faults), MEANT_FOR[FILTER_OF.get(name, name)])
            others[name] = ~good & ~meant
    if faults is not None:
        step = _best_step(badness["clipscore"], good, others["clipscore"], budget / 2, widest=True)
        if step is not None:
            chosen["clipscore"] = step[2]
            with np.errstate(invalid="ignore"):
                # What it catches is still for the others to catch; what it loses is lost.
                caught |= good & (badness["clipscore"] >= step[2])
    while True:
        best: tuple[float, int, str, float] | None = None
        for name, column in badness.items():
            step = _best_step(column, good, caught | others[name], budget)
            if step is not None and (best is None or step[:2] > best[:2]):
                best = (step[0], step[1], name, step[2])
        if best is None:
            break
        _, _, name, threshold = best
        chosen[name] = threshold
        with np.errstate(invalid="ignore"):
            caught |= badness[name] >= threshold
    return {name: DIRECTIONS[name] * threshold for name, threshold in chosen.items()}


def _margin(scored: np.ndarray) -> float:
    spread = float(scored.max() - scored.min())
    return 0.05 * spread if spread else 1e-3


def _best_step(
    badness: np.ndarray,
    good: np.ndarray,
    caught: np.ndarray,
    budget: float,
    widest: bool = False,
) -> tuple[float, int, float] | None:
    """Return (bad per good lost, bad caught, threshold) of one filter's best step, or None.

    ``widest``: the step that catches most, whatever its rate.
    """
    order = np.argsort(-badness, kind="stable")[: int((~np.isnan(badness)).sum())]
    ordered = badness[order]
    fresh = ~caught[order]
    bad_caught = np.cumsum(fresh & ~good[order])
    good_lost = np.cumsum(fresh & good[order])
    # Equal scores fall together: only the last of a run is a possible threshold.
    last = np.append(ordered[:-1] > ordered[1:], True)
    affordable = good_lost + int((caught & good).sum()) <= budget
    useful = last & affordable & (2 * bad_caught > good_lost)
    if not useful.any():
        return None
    rate = np.where(useful, bad_caught / np.maximum(good_lost, 0.5), -1.0)
    # Among equal rates the one that catches most; among those, the mildest threshold.
    top = np.flatnonzero(useful if widest else rate == rate.max())
    place = int(top[np.argmax(bad_caught[top])])
    beyond = ordered[place + 1 :][good[order][place + 1 :]]
    following = beyond[0] if len(beyond) else ordered[place] - _margin(ordered)
    return float(rate[place]), int(bad_caught[place]), float((ordered[place] + following) / 2)


def curve(
    name: str, values: np.ndarray, good: np.ndarray, faults: Sequence[str]
) -> list[dict[str, float]]:
    """Points of one filter's trade-off over its thresholds, on the rewrites it scores.

    good_lost: share of the good; bad_caught: of all bad; meant_caught: of those with a fault that
    the filter is there for.
    """
    scored = ~np.isnan(values)
    own = np.isin(np.array(faults), MEANT_FOR[FILTER_OF.get(name, name)])
    points = []
    for threshold in np.unique(np.quantile(values[scored], np.linspace(0, 1, _CURVE_POINTS))):
        dropped = values >= threshold if DIRECTIONS[name] > 0 else values < threshold
        points.append(
            {
                "threshold": float(threshold),
                "good_lost": _share(dropped, scored & good),
                "bad_caught": _share(dropped, scored & ~good),
                "meant_caught": _share(dropped, scored & own),
            }
        )
    return points


def _share(dropped: np.ndarray, among: np.ndarray) -> float:
    return float(dropped[among].mean()) if among.any() else 0.0


def report(
    rewrites: Sequence[str], decisions: Sequence[Decision], faults: Sequence[str]
) -> dict[str, Any]:
    """Recall per planted fault, precision per filter and share of good lost.

    ``faults`` is "" for a good rewrite. A fault counts as caught, and a good rewrite as lost, when it is dropped or loses a paragraph.
    """
    totals = Counter(faults)
    hits: Counter[str] = Counter()
    by_filter: dict[str, Counter[str]] = {fault: Counter() for fault in totals}
    for rewrite, decision, fault in zip(rewrites, decisions, faults, strict=True):
        removed = decision.output != rewrite.strip()
        hits[fault] += decision.decision == "dropped" or removed
        names = set(decision.filters)
        if removed and "clipscore" not in names:
            names.add("clipscore_paragraph")
        by_filter[fault].update(names)
    by_all: Counter[str] = Counter()
    for found in by_filter.values():
        by_all.update(found)
    right = {name: 1 - by_filter.get("", Counter())[name] / by_all[name] for name in sorted(by_all)}
    bad = {fault: hits[fault] / totals[fault] for fault in sorted(totals) if fault}
    bad_total = sum(count for fault, count in totals.items() if fault)
    return {
        "good": totals[""],
        "bad": bad_total,
        "good_lost": hits[""] / max(1, totals[""]),
        "bad_caught": (sum(hits.values()) - hits[""]) / max(1, bad_total),
        "planted": {fault: totals[fault] for fault in sorted(totals) if fault},
        "recall": bad,
        "precision": right,
        "filters": {
            fault or "good": dict(sorted(by_filter[fault].items())) for fault in sorted(totals)
        },
    }
