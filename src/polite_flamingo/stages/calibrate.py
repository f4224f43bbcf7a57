"""Choose the filters' thresholds on labelled rewrites and measure them on others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.tables import read_jsonl, write_json
from polite_flamingo.filters.decide import Scores, Thresholds, decide

if TYPE_CHECKING:
    from PIL.Image import Image


def calibrate(params: Params, paths: Layout) -> None:
    """Choose thresholds on rewrites_calibration, report on rewrites_test -> thresholds.json.

    ``weak_faults`` names the planted faults whose recall on the test rewrites is below
    ``calibrate.min_fault_recall``.
    """
    import numpy as np

    from polite_flamingo.filters.calibrate import choose_thresholds, columns, curve
    from polite_flamingo.stages.filter import score_rewrites

    rows = {name: _labelled(paths, name) for name in ("calibration", "test")}
    both = score_rewrites([*rows["calibration"], *rows["test"]], params, paths, _opener(paths))
    known = len(rows["calibration"])
    scores = {"calibration": both[:known], "test": both[known:]}

    good = np.array([row["label"] == "good" for row in rows["calibration"]])
    values = columns([row["task"] for row in rows["calibration"]], scores["calibration"])
    chosen = choose_thresholds(values, good, params.calibrate.max_good_lost)
    thresholds = Thresholds(
        min_words=params.filter.min_words, max_words=params.filter.max_words, **chosen
    )
    reports = {name: _report(rows[name], scores[name], thresholds) for name in rows}
    recall: dict[str, float] = reports["test"]["recall"]
    floor = params.calibrate.min_fault_recall
    write_json(
        paths.thresholds,
        {
            "thresholds": chosen,
            "curves": {name: curve(name, column, good) for name, column in values.items()},
            **reports,
            "weak_faults": sorted(fault for fault, share in recall.items() if share < floor),
        },
    )


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
