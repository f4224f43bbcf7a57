"""Statements written without sight of language or oracle: the open half of the blind cases."""

from __future__ import annotations

import json
from pathlib import Path

from polite_flamingo.shapes.oracle import judge
from polite_flamingo.shapes.scene import from_json

CASES = Path(__file__).with_name("oracle_cases_open.jsonl")


def test_agreement_on_the_open_blind_cases() -> None:
    cases = [json.loads(line) for line in CASES.read_text().splitlines()]
    assert len(cases) >= 200
    wrong = []
    for case in cases:
        scene = from_json(json.dumps(case["scene"]))
        truths = [entry.truth for entry in judge(scene, case["text"], case["question"]).claims]
        said = "false" if False in truths else "true" if True in truths else "unknown"
        if said != case["label"]:
            wrong.append((case["id"], said, case["label"], case["question"], case["text"]))
    assert len(wrong) <= 0.02 * len(cases), wrong
