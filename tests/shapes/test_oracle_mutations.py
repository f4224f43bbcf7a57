"""True responses of wording set C, and the same with one attribute, count, relation or polarity off.

The language is used to make texts only; the oracle does not know it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from polite_flamingo.core.seeds import generator
from polite_flamingo.shapes import language
from polite_flamingo.shapes.oracle import faithful, judge
from polite_flamingo.shapes.questions import KINDS, Question, make_questions
from polite_flamingo.shapes.scene import ObjectLimits, Scene, make_scene

Case = tuple[Scene, Question, str, str, str]


def _is_wrong(question: Question, other: str) -> bool:
    """An answer that the scene makes false: "top" is not wrong of what is at the top left."""
    return question.kind != "position" or not set(other.split()) <= set(question.answer.split())


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    found: list[Case] = []
    for index in range(300):
        scene = make_scene(11, "test", index, ObjectLimits(1, 8))
        questions = make_questions(scene, generator(12, "questions", str(index)), KINDS, 9)
        for place, question in enumerate(questions):
            asked = language.ask(question, generator(12, "ask", str(index), place))
            rng = generator(12, "other", str(index), place)
            wrong = replace(question, answer=language.other_answer(question, rng))
            if not _is_wrong(question, wrong.answer):
                continue
            true, false = (
                language.respond(scene, said, "C", generator(12, "respond", str(index), place))
                for said in (question, wrong)
            )
            found.append((scene, question, asked, true, false))
    return found


def test_mutated_responses_are_caught_and_true_ones_are_not(cases: list[Case]) -> None:
    assert len(cases) >= 2000
    outcomes: Counter[tuple[str, bool | None]] = Counter()
    alarms, missed = [], []
    for scene, _, asked, true, false in cases:
        for name, text in (("true", true), ("false", false)):
            truths = [entry.truth for entry in judge(scene, text, asked).claims]
            outcome = False if False in truths else True if True in truths else None
            outcomes[name, outcome] += 1
            if name == "true" and outcome is not True:
                alarms.append((asked, text, outcome))
            if name == "false" and outcome is not False:
                missed.append((asked, text, outcome))
    assert outcomes["true", False] <= 0.01 * len(cases), alarms[:10]
    # What is not understood would not count as factual either.
    assert outcomes["true", True] >= 0.98 * len(cases), alarms[:10]
    assert outcomes["false", False] >= 0.99 * len(cases), missed[:10]


def test_a_mutated_response_is_never_faithful_to_the_true_answer(cases: list[Case]) -> None:
    said = [faithful(asked, question.answer, false) for _, question, asked, _, false in cases]
    assert said.count(True) <= 0.002 * len(cases)


def test_descriptions_are_not_false() -> None:
    alarms = []
    number = 300
    for index in range(number):
        scene = make_scene(13, "test", index, ObjectLimits(1, 8))
        text = language.describe(scene, "C", generator(13, "describe", str(index)))
        verdict = judge(scene, text)
        if not verdict.factual:
            alarms.append((text, verdict))
    assert len(alarms) <= 0.01 * number, alarms[:5]
