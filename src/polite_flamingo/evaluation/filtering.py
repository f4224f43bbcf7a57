"""What each filter does: to this run's rewrites, and to the planted faults of the calibration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from polite_flamingo.filters.calibrate import FILTER_OF, MEANT_FOR

# How the calibration counts a rewrite that CLIPScore shortened and no filter dropped.
_PARAGRAPH = "clipscore_paragraph"


def filter_figures(
    candidates: pa.Table,
    decisions: pa.Table,
    filters: Sequence[str],
    thresholds: Mapping[str, float],
    planted: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """One row a filter, in the order of `filters`.

    failed: candidates that fail it; alone: those that fail no other; shortened: rewrites that were
    kept with fewer paragraphs (CLIPScore only); threshold: null where it has none; fault: the
    planted faults it is there for (null: none), caught of planted on the calibration's test split
    by this filter itself, recall their ratio (null: none planted); precision: share of bad ones
    among the planted rewrites it drops, whatever their fault; good_lost: share of the good rewrites
    that it drops. `planted` is models/judges/thresholds.json, empty if there is none.
    """
    rewrites = {
        (row["sample_id"], row["candidate"]): row["rewrite"].strip()
        for row in candidates.select(["sample_id", "candidate", "rewrite"]).to_pylist()
    }
    failed: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    shortened = 0
    for row in decisions.to_pylist():
        names = row["filters"]
        failed.update(names)
        alone.update(names if len(names) == 1 else ())
        whole = rewrites[row["sample_id"], row["candidate"]]
        shortened += row["decision"] == "kept" and row["output"] != whole
    test = planted.get("test", {})
    return [
        {
            "filter": name,
            "failed": failed[name],
            "alone": alone[name],
            "shortened": shortened if name == "clipscore" else 0,
            "threshold": thresholds.get(name),
            **_on_planted(name, test),
        }
        for name in filters
    ]


def _on_planted(name: str, test: Mapping[str, Any]) -> dict[str, Any]:
    counts = test.get("planted", {})
    faults = [fault for fault in MEANT_FOR.get(name, ()) if counts.get(fault)]
    hits, total = test.get("filters", {}), sum(counts[fault] for fault in faults) or None
    own = (name, _PARAGRAPH) if name == "clipscore" else (name,)
    caught = (
        sum(hits.get(fault, {}).get(one, 0) for fault in faults for one in own) if total else None
    )
    good = test.get("good")
    return {
        "fault": ", ".join(faults) or None,
        "precision": test.get("precision", {}).get(name),
        "planted": total,
        "caught": caught,
        "recall": caught / total if caught is not None and total else None,
        "good_lost": sum(hits.get("good", {}).get(one, 0) for one in own) / good if good else None,
    }


def fault_figures(planted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a planted fault of the calibration's test split: what all filters together catch.

    Keys: fault, planted, recall, weak (below the calibration's floor), filters {name: count}.
    """
    test = planted.get("test", {})
    return [
        {
            "fault": fault,
            "planted": test.get("planted", {}).get(fault),
            "recall": recall,
            "weak": fault in planted.get("weak_faults", ()),
            "filters": dict(test.get("filters", {}).get(fault, {})),
        }
        for fault, recall in sorted(test.get("recall", {}).items())
    ]


def trade_off(planted: Mapping[str, Any]) -> dict[str, Any]:
    """What the curves of the report are drawn from, on the calibration's test split.

    all: points {good_lost, bad_caught, worst_fault, worst_recall} over ever larger losses allowed;
    filters {filter: points {threshold, good_lost, recall}}: of the faults each is there for, where
    any of them is planted; chosen {good_lost, bad_caught}: where the thresholds of this run lie.
    """
    test = planted.get("test", {})
    counts = test.get("planted", {})
    names = {name: FILTER_OF.get(name, name) for name in planted.get("curves", {})}
    return {
        "all": sorted(planted.get("tradeoff", ()), key=lambda point: point["good_lost"]),
        "filters": {
            names[name]: [
                {
                    "threshold": point["threshold"],
                    "good_lost": point["good_lost"],
                    "recall": point["meant_caught"],
                }
                for point in points
            ]
            for name, points in planted.get("curves", {}).items()
            if any(counts.get(fault) for fault in MEANT_FOR[names[name]])
        },
        "chosen": {key: test.get(key) for key in ("good_lost", "bad_caught")},
    }
