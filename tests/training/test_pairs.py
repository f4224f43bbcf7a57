"""Texts of an image for the base models: captions, or questions with their answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.core.balance import answer_weights
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.training.order import weighted_indices
from polite_flamingo.training.pairs import (
    MOST_QUESTIONS,
    ImageTexts,
    caption_text,
    group_by_image,
    image_weights,
    pair_text,
    plain_questions,
)

OPEN = (("what color is it?", "red"), ("which shape is it?", "circle"))
YES_NO = (("is it red?", "yes"), ("is it a star?", "no"))
WORD = st.text("abc", min_size=1, max_size=3)
TOLD = st.lists(st.tuples(WORD.map("{}?".format), WORD | st.sampled_from(["yes", "no"])))


def sample(
    source: str,
    images: tuple[str, ...],
    task: str = "vqa",
    turns: tuple[tuple[str, str], ...] = (("q", "a"),),
    references: tuple[str, ...] = (),
) -> Sample:
    said = tuple(Turn(*turn) for turn in turns)
    return Sample(f"{source}/{images}/{turns}", source, "train", task, images, said, references)


def group(
    source: str = "s",
    captions: tuple[str, ...] = (),
    answers: tuple[tuple[str, str], ...] = (),
    image: str = "i",
    requests: tuple[str, ...] = (),
) -> ImageTexts:
    return ImageTexts(image, source, captions, answers, requests)


# --- grouping ---


def test_all_that_is_said_of_an_image_is_gathered() -> None:
    groups = group_by_image(
        [
            sample("vqa", ("b",), turns=(("q1", "a1"),)),
            sample("vqa", ("a",), turns=(("q2", "a2"),)),
            sample("vqa", ("b",), turns=(("q3", "a3"), ("q4", "a4"))),
            sample("coco", ("b",), "captioning", references=("one", "two")),
        ]
    )
    assert groups == [
        group("vqa", answers=(("q1", "a1"), ("q3", "a3"), ("q4", "a4")), image="b"),
        group("vqa", answers=(("q2", "a2"),), image="a"),
        group("coco", captions=("one", "two"), image="b", requests=("q",)),
    ]


def test_a_caption_without_references_is_the_response() -> None:
    (found,) = group_by_image([sample("c", ("a",), "captioning", (("Describe.", "a star"),))])
    assert found == group("c", captions=("a star",), image="a", requests=("Describe.",))


def test_a_class_is_a_caption_and_an_answer() -> None:
    turns = (("Which digit?", "3"),)
    (found,) = group_by_image([sample("d", ("a",), "classification", turns, ("the digit 3",))])
    assert found == group("d", captions=("the digit 3",), answers=turns, image="a")


def test_only_an_image_that_stands_alone_counts() -> None:
    assert group_by_image([sample("t", ()), sample("spot", ("a", "b"), "change_captioning")]) == []


# --- weights ---


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    st.fixed_dictionaries({name: st.sampled_from([0.0, 0.5, 1.0, 3.0]) for name in "abc"}),
)
def test_sources_get_their_share_whatever_their_size(
    sources: list[str], weights: dict[str, float]
) -> None:
    weights = {source: weight for source, weight in weights.items() if source in sources}
    groups = [group(source) for source in sources]
    total: dict[str, float] = defaultdict(float)
    for one, weight in zip(groups, image_weights(groups, weights), strict=True):
        total[one.source] += weight
    assert dict(total) == pytest.approx(weights)


def test_draws_by_these_weights_show_sources_in_proportion() -> None:
    groups = [group("large")] * 90 + [group("small")] * 10
    weights = image_weights(groups, {"large": 1.0, "small": 3.0})
    rows = np.concatenate([weighted_indices(weights, 100, 0, step) for step in range(40)])
    assert 0.72 < (rows >= 90).mean() < 0.78


def test_sources_without_images_are_one_line_that_names_them() -> None:
    with pytest.raises(UserError) as caught:
        image_weights([group("a")], {"a": 1.0, "gone": 2.0, "empty": 1.0})
    said = str(caught.value)
    assert said.startswith("base.pair_sources: no train images of empty, gone: ")
    assert "\n" not in said


def test_a_source_of_no_weight_needs_no_images() -> None:
    assert image_weights([group("a"), group("a")], {"a": 1.0, "gone": 0.0}) == [0.5, 0.5]


# --- texts ---


def test_a_caption_comes_before_questions() -> None:
    one = group(captions=("a red circle", "a circle"), answers=OPEN)
    texts = {caption_text(one, 0, step) for step in range(30)}
    assert texts == {"a red circle", "a circle"}


def test_open_questions_come_with_their_answers_and_before_yes_and_no() -> None:
    one = group(answers=(*YES_NO, *OPEN))
    texts = {caption_text(one, 0, step) for step in range(30)}
    color, shape = "what color is it? red", "which shape is it? circle"
    assert texts == {f"{color} {shape}", f"{shape} {color}"}


def test_yes_and_no_speak_where_nothing_else_is_known() -> None:
    texts = {caption_text(group(answers=YES_NO), 0, step) for step in range(30)}
    assert texts == {
        "is it red? yes is it a star? no",
        "is it a star? no is it red? yes",
    }


@given(TOLD.filter(bool), st.integers(0, 9), st.integers(1, 4))
def test_a_text_of_questions_holds_distinct_ones_up_to_a_limit(
    answers: list[tuple[str, str]], step: int, most: int
) -> None:
    text = caption_text(group(answers=tuple(answers)), 0, step, most=most)
    words = text.split(" ")
    said = list(zip(words[::2], words[1::2], strict=True))
    telling = [pair for pair in answers if pair[1] not in ("yes", "no")] or answers
    assert len(said) == min(most, len(telling))
    for pair in said:
        telling.remove(pair)


def test_a_text_has_three_questions_at_most() -> None:
    many = tuple((f"q{number}?", f"a{number}") for number in range(9))
    assert len(caption_text(group(answers=many), 0, 1).split()) == 2 * MOST_QUESTIONS == 6


def test_plain_questions_are_questions_without_a_negation() -> None:
    plain = ("is there a knot?", "no")
    negated = ("is there not a star?", "Is no circle present?", "isn't there a star?")
    asked = (plain, *((question, "yes") for question in negated))
    groups = [
        group(answers=asked, image="a"),
        group(answers=asked[1:], image="b"),
        group(captions=("no star",), answers=asked[1:], image="c"),
    ]
    left = plain_questions(groups)
    assert left == [group(answers=(plain,), image="a")]


ANSWERS = tuple((f"q{number}?", f"a{number}") for number in range(9))
EVEN = dict.fromkeys((*ANSWERS, *OPEN, *YES_NO), 1.0)


def test_texts_depend_on_seed_and_names_only() -> None:
    one = group(answers=ANSWERS)
    for function in (caption_text, partial(_text, weights=EVEN)):
        first = [function(one, 1, step, "x") for step in range(20)]
        assert [function(one, 1, step, "x") for step in reversed(range(20))] == first[::-1]
        assert [function(one, 2, step, "x") for step in range(20)] != first
        assert len({str(text) for text in first}) > 5


def _text(
    one: ImageTexts, seed: int, *names: str | int, weights: dict[tuple[str, str], float]
) -> tuple[str, str]:
    return pair_text(one, weights, 0.3, seed, *names)


def test_a_pair_is_a_caption_without_a_question_or_an_answer() -> None:
    assert pair_text(group(captions=("a star",)), EVEN, 0.0, 0, 1) == ("", "a star")
    captions = group(captions=tuple("abcd"))
    assert {pair_text(captions, EVEN, 0.0, 0, step) for step in range(60)} == {
        ("", c) for c in "abcd"
    }
    asked = group(answers=(*OPEN, *YES_NO))
    assert {pair_text(asked, EVEN, 0.0, 0, step) for step in range(60)} == {*OPEN, *YES_NO}


def test_some_questions_begin_without_a_capital_where_sentences_are_told() -> None:
    one = group(answers=(("What is it?", "a knot"),))
    even = dict.fromkeys(one.answers, 1.0)
    drawn = Counter(pair_text(one, even, 0.5, 0, step)[0] for step in range(300))
    assert set(drawn) == {"What is it?", "what is it?"}
    assert 60 < drawn["what is it?"] < 140
    assert {pair_text(one, even, 0.0, 0, step)[0] for step in range(60)} == {"What is it?"}


def test_half_of_the_captions_answer_their_request() -> None:
    one = group(captions=("a star", "star"), requests=("Describe it.",))
    drawn = Counter(pair_text(one, EVEN, 0.6, 0, step) for step in range(400))
    assert {caption for _, caption in drawn} == {"a star", "star"}
    assert 150 < sum(drawn["Describe it.", caption] for caption in one.captions) < 250
    assert {request for request, _ in drawn} == {"Describe it.", ""}


def test_pairs_of_an_image_with_both_are_now_one_now_the_other() -> None:
    both = group(captions=("a star",), answers=OPEN)
    drawn = Counter(pair_text(both, EVEN, 0.0, 0, step) for step in range(400))
    assert set(drawn) == {("", "a star"), *OPEN}
    assert 150 < drawn["", "a star"] < 250


def test_rare_answers_are_drawn_as_often_as_common_ones() -> None:
    # Seven images in eight have no red thing; each has another question too.
    answers = ["yes"] + ["no"] * 7
    groups = [
        group(answers=(("is it red?", answer), ("what?", "a")), image=f"i{number}")
        for number, answer in enumerate(answers * 5)
    ]
    weights = answer_weights(pair for one in groups for pair in one.answers)
    chances = image_weights(groups, {"s": 1.0}, weights)
    assert sum(chances) == pytest.approx(1.0)
    rows = weighted_indices(chances, 4000, 0, 0)
    drawn = Counter(pair_text(groups[row], weights, 0.0, 0, n) for n, row in enumerate(rows))
    assert drawn["is it red?", "yes"] / drawn["is it red?", "no"] == pytest.approx(1.0, abs=0.15)
    assert drawn["what?", "a"] == pytest.approx(2000, abs=150)


def test_a_share_of_answers_and_all_to_negated_questions_are_told_in_a_sentence() -> None:
    asked = group(answers=(("is there a star?", "no"), ("is there not a star?", "yes")))
    even = dict.fromkeys(asked.answers, 1.0)
    drawn = Counter(pair_text(asked, even, 0.5, 0, step) for step in range(400))
    terse = drawn["is there a star?", "no"]
    assert 60 < terse < 140
    assert {(question, text.lower()) for question, text in drawn} == {
        ("is there a star?", "no"),
        ("is there a star?", "there is no star."),
        ("is there a star?", "no, there is no star."),
        ("is there not a star?", "there is no star."),
    }
    assert set(pair_text(asked, even, 0.0, 0, step) for step in range(60)) == set(asked.answers)
