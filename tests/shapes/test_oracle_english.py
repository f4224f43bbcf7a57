"""How people put things: statements and answers about one scene, written for the oracle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polite_flamingo.shapes.oracle import judge
from polite_flamingo.shapes.scene import Scene, Thing

# Six things: two red circles (small plain top left, large striped bottom right), a large blue
# dotted square in the centre, a small green plain star at the top, a small yellow dotted triangle
# at the bottom left, and a large blue plain rectangle on the right.
SCENE = Scene(
    "test-1",
    "test",
    "cream",
    (
        Thing("circle", "red", "small", "plain", (0.05, 0.05, 0.25, 0.25)),
        Thing("circle", "red", "large", "striped", (0.62, 0.64, 0.98, 0.99)),
        Thing("square", "blue", "large", "dotted", (0.32, 0.36, 0.68, 0.70)),
        Thing("star", "green", "small", "plain", (0.40, 0.02, 0.60, 0.22)),
        Thing("triangle", "yellow", "small", "dotted", (0.02, 0.76, 0.22, 0.96)),
        Thing("rectangle", "blue", "large", "plain", (0.70, 0.33, 0.99, 0.55)),
    ),
)

CASES = [
    json.loads(line)
    for line in Path(__file__).with_name("oracle_cases_own.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"][:60])
def test_statements_and_answers(case: dict[str, str | None]) -> None:
    verdict = judge(SCENE, str(case["text"]), case["question"])
    truths = [entry.truth for entry in verdict.claims]
    said = "false" if False in truths else "true" if True in truths else "unknown"
    assert said == case["label"], verdict
