from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from polite_flamingo.core.seeds import generator
from polite_flamingo.shapes import language
from polite_flamingo.shapes.annotations import (
    CLEVR_FORMS,
    NUMBER_WORDS,
    QUESTION_FORMS,
    SYNONYMS,
    TEST_CLEVR_FORMS,
    TEST_QUESTION_FORMS,
    answer_choices,
    captions,
    change_sentences,
    clevr_program,
    clevr_text,
    draw_mistake,
    grid3d_tokens,
    is_test_only_form,
    mistaken_change,
    question_text,
    rationales,
    terse_answer,
    vsr_caption,
    wrong_answer,
)
from polite_flamingo.shapes.questions import KINDS, Phrase, Question, make_questions
from polite_flamingo.shapes.scene import (
    COLORS,
    SHAPES,
    TEXTURES,
    ObjectLimits,
    Scene,
    make_scene,
    make_variant,
    relation_holds,
)
from polite_flamingo.shapes.wordings import frame_of

SCENES = [make_scene(4, "raw", index, ObjectLimits(1, 4)) for index in range(60)]


def asked(kind: str, number: int = 60) -> list[tuple[Scene, Question]]:
    pairs = []
    for scene in SCENES:
        for question in make_questions(scene, generator(0, scene.scene_id), (kind,), 2):
            pairs.append((scene, question))
    return pairs[:number]


def test_five_different_terse_captions() -> None:
    for scene in SCENES:
        lines = captions(scene, generator(1, scene.scene_id))
        assert len({line.strip().lower() for line in lines}) == 5
        assert lines == captions(scene, generator(1, scene.scene_id))
        assert all(len(line.split()) <= 36 for line in lines)


def test_captions_look_typed_by_hand() -> None:
    lines = [line for s in SCENES for line in captions(s, generator(2, s.scene_id))]
    lower = sum(line[0].islower() for line in lines) / len(lines)
    pointed = sum(line.rstrip().endswith(".") for line in lines) / len(lines)
    assert lower > 0.4
    assert 0.1 < pointed < 0.5
    known = {*COLORS, *SHAPES, *TEXTURES}
    words = {word.strip(".,:").lower() for line in lines for word in line.split()}
    assert known - {"rectangle"} <= words | {"rectangle"}
    assert any(other in words for others in SYNONYMS.values() for other in others)


def test_true_captions_name_only_what_is_there() -> None:
    for scene in SCENES:
        seen = {t.color for t in scene.things} | {"grey" for t in scene.things if t.color == "gray"}
        ground = set(scene.background.split())
        for line in captions(scene, generator(3, scene.scene_id)):
            words = [word.strip(".,:").lower() for word in line.split()]
            if "no" in words:
                denied = " ".join(words)
                assert not any(f"{t.color} {t.shape}" in denied for t in scene.things)
                continue
            assert set(words) & {*COLORS, "grey"} <= seen | ground


def test_a_mistake_is_wrong_about_the_scene_and_in_every_caption() -> None:
    typos = 0
    for scene in SCENES:
        rng = generator(4, scene.scene_id)
        mistake = draw_mistake(scene, rng)
        seen = Phrase(shape=mistake.thing.shape, color=mistake.thing.color)
        assert not any(seen.matches(thing) for thing in scene.things)
        assert mistake.true in scene.things
        assert mistake.thing in mistake.scene.things
        for line in captions(mistake.scene, rng, focus=mistake.thing):
            words = line.lower()
            colors = (mistake.thing.color, *SYNONYMS.get(mistake.thing.color, ()))
            shapes = (mistake.thing.shape, *SYNONYMS.get(mistake.thing.shape, ()))
            told = any(c in words for c in colors) and any(s in words for s in shapes)
            typos += not told
    # A typo may hide a word, rarely.
    assert typos < 0.05 * 5 * len(SCENES)


@pytest.mark.parametrize("kind", KINDS)
def test_six_phrasings_a_kind_and_some_only_for_the_test_pool(kind: str) -> None:
    assert len(set(QUESTION_FORMS[kind])) >= 6
    assert TEST_QUESTION_FORMS[kind]
    assert not set(QUESTION_FORMS[kind]) & set(TEST_QUESTION_FORMS[kind])
    if kind != "position":
        assert len(set(CLEVR_FORMS[kind])) >= 6
        assert not set(CLEVR_FORMS[kind]) & set(TEST_CLEVR_FORMS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_unseen_wordings_occur_in_the_test_pool_only(kind: str) -> None:
    unseen = {"raw": 0, "test": 0}
    for scene, question in asked(kind):
        for pool in unseen:
            text = question_text(question, generator(5, scene.scene_id, kind), pool, human=True)
            assert text == text.lower()
            # A form that starts with its slots would fit nearly every text.
            forms = [form for form in QUESTION_FORMS[kind] if not form.startswith("{")]
            familiar = any(fits(form, text) for form in forms)
            fresh = any(fits(form, text) for form in TEST_QUESTION_FORMS[kind])
            unseen[pool] += fresh and not familiar
    assert unseen["test"] > 0
    assert unseen["raw"] == 0


def fits(form: str, text: str) -> bool:
    """Tell whether a text is a filled form."""
    parts = (re.escape(part) for part in re.split(r"{\w+}", form))
    return re.fullmatch("[^?]+".join(parts), text) is not None


def test_easy_vqa_wordings_are_among_them() -> None:
    rng = generator(6)
    only = Question("shape", "circle", Phrase())
    texts = {question_text(only, rng, "raw") for _ in range(80)}
    assert {"what shape is present?", "what shape does the image contain?"} <= texts
    rectangle = Question("exist", "yes", Phrase(shape="rectangle"))
    assert "does the image contain a rectangle?" in {
        question_text(rectangle, rng, "raw") for _ in range(80)
    }
    color = Question("color", "red", Phrase())
    assert "what color is the shape?" in {question_text(color, rng, "raw") for _ in range(150)}


def test_clevr_programs_compute_the_answer() -> None:
    checked = 0
    for kind in KINDS:
        if kind == "position":
            continue
        for scene, question in asked(kind, 25):
            assert clevr_text(question, generator(7, scene.scene_id), "raw")[0].isupper()
            assert execute(scene, clevr_program(question)) == question.answer
            checked += 1
    assert checked > 150


def execute(scene: Scene, program: Sequence[Mapping[str, Any]]) -> str:
    """Run a functional program as CLEVR defines its functions."""
    values: list[Any] = []
    for node in program:
        function, given = str(node["function"]), list(node["value_inputs"])
        inputs = [values[spot] for spot in node["inputs"]]
        first: Any = inputs[0] if inputs else None
        result: Any
        if function == "scene":
            result = list(scene.things)
        elif function.startswith("filter_"):
            name = function.removeprefix("filter_")
            result = [t for t in first if getattr(t, name) == given[0]]
        elif function == "unique":
            (result,) = first
        elif function == "relate":
            relation = given[0] + (" of" if given[0] in ("left", "right") else "")
            result = [t for t in scene.things if relation_holds(t, relation, first)]
        elif function == "exist":
            result = "yes" if first else "no"
        elif function == "count":
            result = str(len(first))
        elif function == "greater_than":
            result = "yes" if int(str(inputs[0])) > int(str(inputs[1])) else "no"
        else:
            result = getattr(first, function.removeprefix("query_"))
        values.append(result)
    return str(values[-1])


@pytest.mark.parametrize("kind", ["color", "shape", "texture", "count", "position"])
def test_choices_hold_truth_and_given_answer(kind: str) -> None:
    for scene, question in asked(kind):
        rng = generator(8, scene.scene_id)
        given = wrong_answer(question, rng)
        assert given != question.answer
        for answer in (given, question.answer):
            choices = answer_choices(question, answer, rng)
            assert len(set(choices)) == 4
            assert {answer, question.answer} <= set(choices)
        lines = rationales(question, question.answer, rng)
        assert len(set(lines)) == 3


@pytest.mark.parametrize("kind", ["exist", "relation", "compare", "size"])
def test_the_wrong_answer_of_two_is_the_other(kind: str) -> None:
    for _, question in asked(kind, 10):
        assert {question.answer, wrong_answer(question, generator(9))} in (
            {"yes", "no"},
            {"small", "large"},
        )


def test_terse_answers_stay_the_same_answer() -> None:
    rng = generator(10)
    forms = {terse_answer("3", rng) for _ in range(200)}
    assert {"3", "three"} <= forms
    for form in forms:
        word = form.lower().rstrip(".")
        assert word == "3" or NUMBER_WORDS.index(word) == 3
    assert {f.lower().rstrip(".") for f in (terse_answer("red", rng) for _ in range(99))} == {"red"}


def test_change_sentences_name_the_change_and_mistakes_are_wrong() -> None:
    for scene in SCENES:
        rng = generator(11, scene.scene_id)
        variant, change = make_variant(scene, 0)
        sentences = change_sentences(change, rng, 2)
        assert len({s.strip().lower().rstrip(".") for s in sentences}) == 2
        wrong = mistaken_change(change, (scene, variant), rng)
        assert wrong != change
        assert wrong.kind == change.kind
        seen = wrong.after or wrong.before
        assert seen is not None
        looks = Phrase(shape=seen.shape, color=seen.color)
        assert not any(looks.matches(t) for s in (scene, variant) for t in s.things)


def test_vsr_caption_and_grid3d_tokens() -> None:
    left = Question(
        "relation",
        "yes",
        Phrase(shape="circle", color="red"),
        Phrase(shape="square", color="blue"),
        "left of",
    )
    assert vsr_caption(left, generator(12)) == "The red circle is left of the blue square."
    tokens = grid3d_tokens(Question("count", "2", Phrase(shape="cross")), generator(12))
    assert tokens[-1] == "?"
    assert "crosses" in tokens
    orange = Question("exist", "yes", Phrase(shape="star", color="orange"))
    assert "an orange star" in " ".join(grid3d_tokens(orange, generator(13)))


def test_people_write_five_captions_that_truly_differ() -> None:
    from polite_flamingo.shapes.notes import notes

    every: list[str] = []
    forms = meanings = 0
    for scene in SCENES:
        told = notes(scene, generator(21, scene.scene_id))
        every += [note.text for note in told]
        forms += len({frame_of(note.text) for note in told}) >= 4
        meanings += len({frozenset(note.facts) for note in told}) >= 4
        for note in told:
            for fact in note.facts:
                if fact.kind == "thing":
                    assert any(fact.subject.matches(thing) for thing in scene.things)
                elif fact.kind == "absent":
                    assert not any(fact.subject.matches(thing) for thing in scene.things)
                elif fact.kind == "count":
                    number = sum(fact.subject.matches(thing) for thing in scene.things)
                    assert number == int(fact.value)
    assert meanings / len(SCENES) > 0.95
    assert forms / len(SCENES) > 0.8
    assert sum(text[0].islower() or text[0].isdigit() for text in every) / len(every) > 0.75
    assert sum(text.endswith(".") for text in every) / len(every) < 0.25
    assert captions(SCENES[0], generator(1), human=True) == captions(
        SCENES[0], generator(1), human=True
    )


def test_a_human_mistake_is_in_every_caption() -> None:
    for scene in SCENES:
        mistake = draw_mistake(scene, generator(22, scene.scene_id))
        lines = captions(mistake.scene, generator(23), focus=mistake.thing, human=True)
        shapes = {mistake.thing.shape, *SYNONYMS.get(mistake.thing.shape, ())}
        assert sum(any(shape in line.lower() for shape in shapes) for line in lines) >= 3


def test_test_only_forms_are_asked_only_by_test_sources() -> None:
    found = 0
    total = 0
    for kind in KINDS:
        for scene, question in asked(kind, 20):
            for pool, human in (("raw", True), ("test", False), ("base", False)):
                text = question_text(question, generator(24, scene.scene_id), pool, human)
                assert not is_test_only_form(text), text
                if kind in CLEVR_FORMS:
                    text = clevr_text(question, generator(24, scene.scene_id), pool, human)
                    assert not is_test_only_form(text), text
            for turn in range(5):
                text = question_text(question, generator(25, scene.scene_id, turn), "test", True)
                found += is_test_only_form(text)
                total += 1
    assert 0.15 < found / total < 0.25
    for kind in ("exist", "count"):
        for scene, question in asked(kind, 20):
            tokens = grid3d_tokens(question, generator(26, scene.scene_id))
            assert not is_test_only_form(" ".join(tokens))
            assert not is_test_only_form(language.ask(question, generator(27)))
