"""Choose the filters' thresholds on labelled rewrites and measure them on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.tables import read_jsonl, write_json
from polite_flamingo.filters.decide import Scores, Thresholds, decide

if TYPE_CHECKING:
    from PIL.Image import Image

# Shares of good rewrites that thresholds may cost, for the curve of all filters together.
_BUDGETS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2)


def calibrate(params: Params, paths: Layout) -> None:
    """Choose thresholds on rewrites_calibration, report on rewrites_test -> thresholds.json.

    ``curves`` are each filter's, ``tradeoff`` that of all together, both on the test rewrites;
    ``weak_faults`` names the planted faults whose recall on the test rewrites is below
    ``calibrate.min_fault_recall``.
    """
    import numpy as np

    from polite_flamingo.filters.calibrate import choose_thresholds, columns
    from polite_flamingo.stages.filter import score_rewrites

    rows = {name: _labelled(paths, name) for name in ("calibration", "test")}
    both = score_rewrites([*rows["calibration"], *rows["test"]], params, paths, _opener(paths))
    known = len(rows["calibration"])
    scores = {"calibration": both[:known], "test": both[known:]}

    good = np.array([row["label"] == "good" for row in rows["calibration"]])
    values = columns([row["task"] for row in rows["calibration"]], scores["calibration"])
    faults = [row["fault"] for row in rows["calibration"]]
    chosen = choose_thresholds(values, good, params.calibrate.max_good_lost, faults)

    def measured(part: str, found: Mapping[str, float]) -> dict[str, Any]:
        thresholds = Thresholds(
            min_words=params.filter.min_words, max_words=params.filter.max_words, **found
        )
        return _report(rows[part], scores[part], thresholds)

    reports = {name: measured(name, chosen) for name in rows}
    recall: dict[str, float] = reports["test"]["recall"]
    floor = params.calibrate.min_fault_recall
    write_json(
        paths.thresholds,
        {
            "thresholds": chosen,
            "curves": _curves(rows["test"], scores["test"]),
            "tradeoff": [
                {"budget": budget, **_summary(measured("test", found))}
                for budget in _BUDGETS
                for found in (choose_thresholds(values, good, budget, faults),)
            ],
            **reports,
            "weak_faults": sorted(fault for fault, share in recall.items() if share < floor),
        },
    )


def _curves(rows: Sequence[dict[str, Any]], scores: Sequence[Scores]) -> dict[str, Any]:
    import numpy as np

    from polite_flamingo.filters.calibrate import columns, curve

    good = np.array([row["label"] == "good" for row in rows])
    faults = [row["fault"] for row in rows]
    values = columns([row["task"] for row in rows], scores)
    return {
        name: curve(name, column, good, faults)
        for name, column in values.items()
        if not np.isnan(column).all()
    }


def _summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """One point of the trade-off: good lost, bad caught, and the fault that is caught least."""
    worst = min(found["recall"], key=lambda fault: (found["recall"][fault], fault), default="")
    return {
        "good_lost": found["good_lost"],
        "bad_caught": found["bad_caught"],
        "worst_fault": worst,
        "worst_recall": found["recall"].get(worst, 0.0),
    }


def _labelled(paths: Layout, name: str) -> list[dict[str, Any]]:
    rows = read_jsonl(paths.shapes / "judges" / f"rewrites_{name}.jsonl")
    # They were written, not generated: each is finished.
    return [{**row, "images": [row["image"]], "stopped": row.get("stopped", True)} for row in rows]


def _opener(paths: Layout) -> Any:
    from PIL import Image as pillow

    def open_image(relative: str) -> Image:
        with pillow.open(paths.shapes / relative) as image:
            return image.convert("RGB")

    return open_image


def _report(
    rows: Sequence[dict[str, Any]], scores: Sequence[Scores], thresholds: Thresholds
) -> dict[str, Any]:
    from polite_flamingo.filters.calibrate import report

    decisions = [
        decide(row["task"], row["rewrite"], score, thresholds)
        for row, score in zip(rows, scores, strict=True)
    ]
    faults = ["" if row["label"] == "good" else row["fault"] for row in rows]
    return report([row["rewrite"] for row in rows], decisions, faults)
