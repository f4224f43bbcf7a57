from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pytest

from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.evaluation import truth
from polite_flamingo.shapes.scene import Scene, Thing, to_json

SCENE = Scene(
    "raw-1",
    "raw",
    "cream",
    (
        Thing("circle", "red", "large", "plain", (0.05, 0.05, 0.4, 0.4)),
        Thing("star", "blue", "small", "plain", (0.7, 0.7, 0.9, 0.9)),
    ),
)
AFTER = replace(SCENE, things=SCENE.things[:1])
TABLE = pa.Table.from_pylist(
    [
        {
            "source": "shapes_spotdiff",
            "image_sha256": "scene2",
            "graph": to_json(AFTER),
            "wrong": "[]",
        },
        {
            "source": "shapes_clevr",
            "image_sha256": "scene1",
            "graph": to_json(SCENE),
            "wrong": json.dumps([{"record": "7", "given": "green", "true": "red"}]),
        },
    ]
)


def _sample(native: str = "1", **changes: object) -> Sample:
    fields: dict[str, object] = {
        "sample_id": f"shapes_clevr/train/{native}",
        "source": "shapes_clevr",
        "split": "train",
        "task": "vqa",
        "images": ("scene1",),
        "turns": (Turn("What color is the circle?", "red"),),
        "answer": "red",
    }
    return Sample(**(fields | changes))  # type: ignore[arg-type]


def _digit(answer: str) -> Sample:
    return _sample(
        source="digits",
        task="classification",
        images=("digit",),
        turns=(Turn("What is this?", f"a handwritten digit {answer}."),),
        answer=answer,
    )


SAMPLES = [
    _sample(),
    _sample("2", answer="green"),
    _digit("three"),
    _digit("eight"),
]
ANSWER = truth.answer_reader(SAMPLES)
SCENES = truth.scenes_by_image(TABLE)
FAITHFUL = truth.faithfulness(SCENES, ANSWER)
TELL = truth.truth_teller(SCENES, truth.wrong_annotations(TABLE), ANSWER)


def test_tables_of_scenes_are_read() -> None:
    assert truth.scenes_by_image(TABLE) == {"scene1": SCENE, "scene2": AFTER}
    assert truth.wrong_annotations(TABLE) == {"shapes_clevr/train/7": "red"}


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("The circle in the picture is red.", True),
        ("The circle in the picture is green.", False),
        ("The circle is red, and the star is yellow.", False),
        ("I am happy to help you!", False),
    ],
)
def test_an_answer_is_true_if_the_scene_says_so(text: str, true: bool) -> None:
    assert TELL(_sample(), text) is true


def test_a_wrong_annotation_is_judged_by_the_truth_recorded_beside_it() -> None:
    wrong = _sample("7", answer="green", turns=(Turn("What color is the circle?", "green"),))
    assert TELL(wrong, "The circle is green.") is False
    assert TELL(wrong, "The circle is red.") is True


MARKED = (
    TABLE.slice(1)
    .set_column(1, "image_sha256", pa.array(["file"]))
    .append_column("marked", pa.array([json.dumps({"8": 0, "9": 1})]))
)
ORIGINS = {"drawn8": frozenset({"file"}), "drawn9": frozenset({"file"}), "other": frozenset({"x"})}


def _pointed(thing: int, question: str = "What color is this?", **changes: object) -> Sample:
    answer = SCENE.things[thing].color if "color" in question else SCENE.things[thing].shape
    fields = {
        "images": (f"drawn{8 + thing}",),
        "turns": (Turn(f"Look at the red arrow. {question}", answer),),
        "answer": answer,
        "extra": {"question": question},
    }
    return _sample(str(8 + thing), **(fields | changes))


def _region(thing: int, draft: str) -> Sample:
    turn = Turn("What is inside the yellow circle?", draft)
    place = {"region": "1,2,3,4"}
    return _pointed(thing, task="captioning", turns=(turn,), answer=None, extra=place)


def test_an_image_made_from_a_scenes_file_shows_that_scene() -> None:
    assert truth.scenes_by_image(MARKED, ORIGINS) == {
        "file": SCENE,
        "drawn8": SCENE,
        "drawn9": SCENE,
    }
    assert truth.marked_things(MARKED)["shapes_clevr/test/9"] == 1
    assert truth.marked_things(TABLE) == {}


@pytest.mark.parametrize(
    ("sample", "text", "true", "faithful"),
    [
        (_pointed(0), "It is red.", True, True),
        (_pointed(0), "The color of this thing is red.", True, True),
        # The other thing of the scene is blue.
        (_pointed(0), "It is blue.", False, False),
        (_pointed(1), "It is blue.", True, True),
        (_pointed(1), "It is red.", False, False),
        (_pointed(1, "What shape is this?"), "This is a star.", True, True),
        (_pointed(1, "What shape is this?"), "This is a circle.", False, False),
        (_region(0, "the red circle\nlarge circle"), "It is a large red circle.", True, True),
        (_region(0, "the red circle\nred circle"), "There is a red circle.", True, True),
        # True of the scene, not of what is marked.
        (_region(0, "the red circle\nred circle"), "It is a small blue star.", False, False),
        (_region(0, "the red circle"), "There is a blue star.", False, False),
        (_region(0, "the red circle"), "It is a red circle, and there is a star.", False, False),
        # Unknown is never right: no word is read as a claim.
        (_region(0, "the red circle"), "I can see it well.", False, False),
    ],
)
def test_what_is_said_of_a_marked_thing_is_judged_by_that_thing(
    sample: Sample, text: str, true: bool, faithful: bool
) -> None:
    scenes = truth.scenes_by_image(MARKED, ORIGINS)
    samples = [_pointed(thing, q) for thing in (0, 1) for q in ("color", "shape")]
    answer = truth.answer_reader(samples)
    tell = truth.truth_teller(scenes, {}, answer, truth.marked_things(MARKED))
    draft = sample.turns[0].response
    assert tell(sample, text) is true
    tells = truth.faithfulness(scenes, answer, truth.marked_things(MARKED))
    assert tells(sample, draft, text) is faithful


def test_digits_are_judged_by_their_label() -> None:
    assert TELL(_digit("three"), "This is a handwritten digit three.") is True
    assert TELL(_digit("three"), "This is a handwritten digit eight.") is False


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("There is a large red circle and a small blue star.", True),
        ("There is a large red circle and a green star.", False),
        ("What a lovely day!", False),
    ],
)
def test_captions_are_judged_by_their_claims_and_unknown_is_not_right(
    text: str, true: bool
) -> None:
    caption = _sample(task="captioning", answer=None, turns=(Turn("Describe it.", "red circle"),))
    assert TELL(caption, text) is true


CHANGE = _sample(
    task="change_captioning",
    answer=None,
    images=("scene1", "scene2"),
    turns=(Turn("What changed?", "the blue star is gone"),),
)


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("The blue star has been removed.", True),
        ("The red circle has been removed.", False),
        ("I am happy to help!", False),
    ],
)
def test_texts_on_two_pictures_are_judged_by_what_changed(text: str, true: bool) -> None:
    assert TELL(CHANGE, text) is true


def test_without_a_scene_or_a_label_nobody_knows() -> None:
    photo = _sample(task="captioning", answer=None, images=("photo",))
    assert TELL(photo, "A dog.") is None and FAITHFUL(photo, "a dog", "A dog.") is None


@pytest.mark.parametrize(
    ("draft", "text", "kept"),
    [
        ("red", "The circle in the picture is red.", True),
        # Faithful to a wrong draft; that it is false is another question.
        ("green", "The circle is green.", True),
        ("red", "The circle is green.", False),
        ("red", "The circle is red or green.", False),
        # What cannot be read is unfaithful, never missing.
        ("red", "What a lovely day!", False),
    ],
)
def test_a_rewrite_is_held_against_its_draft(draft: str, text: str, kept: bool) -> None:
    assert FAITHFUL(_sample(), draft, text) is kept


def test_digits_are_held_against_their_drafts_answer() -> None:
    draft = "a handwritten digit three."
    assert FAITHFUL(_digit("three"), draft, "Sure! This is a handwritten digit three.") is True
    assert FAITHFUL(_digit("three"), draft, "Sure! This is a handwritten digit eight.") is False
    assert FAITHFUL(_digit("three"), draft, "Sure! This is a digit.") is False
    assert FAITHFUL(_digit("three"), "scribble", "This is a handwritten digit three.") is False


def test_no_answer_is_wrong_and_no_short_answer_is_not_scored() -> None:
    assert truth.is_correct(_sample(), "It is red.", ANSWER) is True
    assert truth.is_correct(_sample(), "I cannot say.", ANSWER) is False
    assert truth.is_correct(_sample(answer=None), "It is red.", ANSWER) is None


def test_numbers_and_words_are_the_same_answer() -> None:
    count = _sample(turns=(Turn("How many circles are there?", "three"),), answer="three")
    assert truth.same_answer(count, "3", "three")
    assert not truth.same_answer(count, "2", "three")
    assert not truth.same_answer(count, None, "three")


@pytest.mark.parametrize(
    "instruction",
    [
        "is there a circle?",
        "I have a question about this picture. is there a circle?",
        "is there a circle? Please look at the picture.",
        "Look at the image. is there a circle?",
    ],
)
def test_a_question_is_the_same_whatever_stands_around_it(instruction: str) -> None:
    asked = _sample(turns=(Turn(instruction, "yes"),))
    assert truth.question_of(asked) == "is there a circle?"
    chosen = _sample(turns=(Turn(instruction, "yes"),), extra={"question": "which?"})
    assert truth.question_of(chosen) == "which?"
