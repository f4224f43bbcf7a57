from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from polite_flamingo.core.seeds import generator
from polite_flamingo.shapes.questions import (
    KINDS,
    Phrase,
    Question,
    answer_question,
    make_questions,
    refer,
)
from polite_flamingo.shapes.scene import ObjectLimits, Scene, Thing, is_held_out, make_scene


def thing(shape: str, color: str, x: float, y: float, size: str = "small") -> Thing:
    return Thing(shape, color, size, "plain", (x - 0.1, y - 0.1, x + 0.1, y + 0.1))


SCENE = Scene(
    "s",
    "raw",
    "white",
    (
        thing("circle", "red", 0.2, 0.2),
        thing("circle", "blue", 0.8, 0.2),
        thing("square", "red", 0.2, 0.8, "large"),
    ),
)
SCENES = [make_scene(3, "raw", index, ObjectLimits(1, 4)) for index in range(250)]


def phrase(text: str) -> Phrase:
    color, _, shape = text.partition(" ")
    return Phrase(shape=shape or None, color=None if color == "any" else color)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (Question("color", "", phrase("any square")), "red"),
        (Question("color", "", phrase("any circle")), None),
        (Question("color", "", phrase("any star")), None),
        (Question("shape", "", phrase("blue")), "circle"),
        (Question("shape", "", phrase("red")), None),
        (Question("size", "", phrase("red square")), "large"),
        (Question("texture", "", phrase("red square")), "plain"),
        (Question("exist", "", phrase("red circle")), "yes"),
        (Question("exist", "", phrase("blue square")), "no"),
        (Question("exist", "", phrase("any rectangle")), "no"),
        (Question("count", "", phrase("any circle")), "2"),
        (Question("count", "", Phrase()), "3"),
        (Question("count", "", phrase("green")), "0"),
        (Question("position", "", phrase("any square")), "bottom left"),
        (Question("position", "", phrase("any circle")), None),
        (Question("compare", "", phrase("any circle"), phrase("any square")), "yes"),
        (Question("compare", "", phrase("any square"), phrase("any circle")), "no"),
        (Question("compare", "", phrase("any square"), phrase("blue")), "no"),
        (Question("relation", "", phrase("red circle"), phrase("blue"), "left of"), "yes"),
        (Question("relation", "", phrase("blue"), phrase("red circle"), "left of"), "no"),
        (Question("relation", "", phrase("blue"), phrase("red circle"), "above"), None),
        (Question("relation", "", phrase("blue"), phrase("red"), "above"), None),
        (Question("relation", "", phrase("blue"), phrase("blue circle"), "above"), None),
    ],
)
def test_answers_are_what_the_scene_shows(question: Question, answer: str | None) -> None:
    assert answer_question(SCENE, question) == answer


def test_a_phrase_matches_by_all_its_attributes() -> None:
    star = replace(SCENE.things[0], shape="star")
    assert Phrase().matches(star)
    assert Phrase(shape="star", color="red", size="small", texture="plain").matches(star)
    for wrong in (
        Phrase(shape="circle"),
        Phrase(shape="star", color="blue"),
        Phrase(size="large"),
        Phrase(texture="dotted"),
    ):
        assert not wrong.matches(star)


def test_referring_phrases_pick_out_one_thing() -> None:
    rng = generator(0, "refer")
    for scene in SCENES:
        for one in scene.things:
            found = refer(scene, one, rng, without=("color",))
            if found is not None:
                assert found.color is None
                assert [t for t in scene.things if found.matches(t)] == [one]


def test_identical_things_cannot_be_referred_to() -> None:
    twins = replace(SCENE, things=(SCENE.things[0], replace(SCENE.things[0], box=(0, 0, 0.1, 0.1))))
    assert refer(twins, twins.things[0], generator(0)) is None
    kinds = ("color", "shape", "size", "texture", "position", "relation")
    assert make_questions(twins, generator(0), kinds, 5) == []


def test_questions_are_true_different_and_do_not_give_their_answer_away() -> None:
    for scene in SCENES[:120]:
        questions = make_questions(scene, generator(1, scene.scene_id), KINDS, 9)
        assert len({replace(q, answer="") for q in questions}) == len(questions)
        for question in questions:
            assert answer_question(scene, question) == question.answer
            if question.kind in ("color", "shape", "size", "texture"):
                assert getattr(question.subject, question.kind) is None
        assert questions == make_questions(scene, generator(1, scene.scene_id), KINDS, 9)


@pytest.mark.parametrize("kind", ["exist", "relation", "compare"])
def test_yes_and_no_are_balanced(kind: str) -> None:
    answers = Counter(
        question.answer
        for scene in SCENES
        for question in make_questions(scene, generator(2, scene.scene_id), (kind,), 2)
    )
    assert set(answers) == {"yes", "no"}
    assert 0.4 < answers["yes"] / answers.total() < 0.6


def test_every_kind_is_asked_and_all_attribute_values_are_answers() -> None:
    answers: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for scene in SCENES:
        for question in make_questions(scene, generator(3, scene.scene_id), KINDS, 9):
            answers[question.kind].add(question.answer)
    assert len(answers["color"]) == 10
    assert len(answers["shape"]) == 6
    assert answers["size"] == {"small", "large"}
    assert len(answers["texture"]) == 3
    assert len(answers["position"]) == 9
    assert answers["count"] >= {"0", "1", "2", "3"}


def test_number_is_a_limit() -> None:
    assert len(make_questions(SCENE, generator(4), KINDS, 2)) == 2
    assert make_questions(SCENE, generator(4), KINDS, 0) == []
    assert make_questions(SCENE, generator(4), (), 3) == []


def test_only_test_scenes_are_asked_about_held_out_pairs() -> None:
    """A pair that training never shows but asks about would teach to deny it."""
    named = {
        pool: [
            is_held_out(part.color, part.shape)
            for index in range(120)
            for question in make_questions(
                make_scene(3, pool, index, ObjectLimits(1, 8, 1.0)),
                generator(5, pool, index),
                ("exist", "count", "compare"),
                6,
            )
            for part in (question.subject, question.other)
            if part is not None
        ]
        for pool in ("raw", "test")
    }
    assert not any(named["raw"]) and any(named["test"])


def test_rich_scenes_are_asked_about_as_truly_and_evenly() -> None:
    answers: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for index in range(150):
        scene = make_scene(6, "raw", index, ObjectLimits(1, 8, 1.0))
        for question in make_questions(scene, generator(6, index), KINDS, 9):
            assert answer_question(scene, question) == question.answer
            answers[question.kind][question.answer] += 1
    assert all(sum(found.values()) > 50 for found in answers.values())
    for kind in ("exist", "relation", "compare"):
        assert 0.4 < answers[kind]["yes"] / answers[kind].total() < 0.6
    assert set(answers["count"]) >= {"0", "1", "2", "3", "4", "5"}
