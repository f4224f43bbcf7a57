"""Statements written without sight of language or oracle, by halves: open and sealed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polite_flamingo.shapes.oracle import judge
from polite_flamingo.shapes.scene import from_json

HERE = Path(__file__).parent


# The sealed half is for measuring: nobody looks at its cases to work on the oracle, and its floor
# is what was measured, not the 0.98 that is wanted (docs/architecture.md).
@pytest.mark.parametrize(("half", "floor"), [("open", 0.98), ("sealed", 0.92)])
def test_agreement_on_the_blind_cases(half: str, floor: float) -> None:
    lines = (HERE / f"oracle_cases_{half}.jsonl").read_text().splitlines()
    cases = [json.loads(line) for line in lines]
    assert len(cases) >= 200
    wrong = []
    for case in cases:
        scene = from_json(json.dumps(case["scene"]))
        truths = [entry.truth for entry in judge(scene, case["text"], case["question"]).claims]
        said = "false" if False in truths else "true" if True in truths else "unknown"
        if said != case["label"]:
            wrong.append(case["id"])
    assert len(wrong) <= (1 - floor) * len(cases), wrong
