from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from polite_flamingo.evaluation.filtering import fault_figures, filter_figures

PLANTED: dict[str, Any] = {
    "test": {
        "good": 10,
        "planted": {"changed_answer": 4, "hallucinated_paragraph": 2},
        "recall": {"changed_answer": 0.75, "hallucinated_paragraph": 1.0},
        "filters": {
            "changed_answer": {"nli": 3, "sts": 1},
            "hallucinated_paragraph": {"clipscore": 1, "clipscore_paragraph": 1},
            "good": {"nli": 2},
        },
    },
    "weak_faults": ["changed_answer"],
}


def _rows(filters: tuple[str, ...]) -> list[dict[str, Any]]:
    failing: list[list[str]] = [["nli"], ["sts", "nli"], [], []]
    keys = [{"sample_id": str(index), "candidate": 0} for index in range(4)]
    candidates = pa.Table.from_pylist([{**key, "rewrite": "One.\n\nTwo."} for key in keys])
    decisions = pa.Table.from_pylist(
        [
            {**key, "decision": "dropped" if names else "kept", "filters": names,
             "output": "One." if place == 3 else "One.\n\nTwo."}
            for place, (key, names) in enumerate(zip(keys, failing, strict=True))
        ],
        schema=pa.schema(
            [("sample_id", pa.string()), ("candidate", pa.int32()), ("decision", pa.string()),
             ("filters", pa.list_(pa.string())), ("output", pa.string())]
        ),
    )  # fmt: skip
    return filter_figures(candidates, decisions, filters, {"nli": 0.5}, PLANTED)


def test_a_filter_counts_what_it_alone_rejects() -> None:
    nli, sts, clip = _rows(("nli", "sts", "clipscore"))
    assert (nli["failed"], nli["alone"], nli["threshold"]) == (2, 1, 0.5)
    assert (sts["failed"], sts["alone"], sts["threshold"]) == (1, 0, None)
    assert (clip["failed"], clip["alone"], clip["shortened"]) == (0, 0, 1)


def test_recall_is_that_of_the_fault_a_filter_is_there_for() -> None:
    nli, sts, clip = _rows(("nli", "sts", "clipscore"))
    assert nli["recall"] == pytest.approx(3 / 4) and nli["good_lost"] == pytest.approx(0.2)
    assert nli["fault"] == "changed_answer" and sts["fault"] is None and sts["recall"] is None
    assert clip["recall"] == 1.0


def test_weak_faults_are_marked() -> None:
    rows = {row["fault"]: row for row in fault_figures(PLANTED)}
    assert [name for name, row in rows.items() if row["weak"]] == ["changed_answer"]
    assert rows["changed_answer"]["filters"] == {"nli": 3, "sts": 1}
    assert fault_figures({}) == []
