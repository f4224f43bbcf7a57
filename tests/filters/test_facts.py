from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.core.boxes import append_boxes
from polite_flamingo.core.sample import Box
from polite_flamingo.filters.answers import answered
from polite_flamingo.filters.facts import changed, described

CAPTIONS = """a small red circle and a blue star
red circle, big spotted blue star on white
two objects: a red circle, a blue star
Red cricle left of blue star.
there is no cross"""
BOXES = [Box("circle", 0.1, 0.1, 0.3, 0.3), Box("star", 0.5, 0.5, 0.9, 0.9)]
RIGHT = (
    "The picture shows two objects. A small red circle is on the left, and a large dotted blue "
    "star is at the bottom right.\n\nThe star is farther to the right than the circle."
)


@pytest.mark.parametrize("draft", [CAPTIONS, append_boxes(CAPTIONS, BOXES)])
@pytest.mark.parametrize(
    "rewrite",
    [
        RIGHT,
        "There is a blue star and, on its left, a tiny red disc. I hope this helps!",
        "You can see a circle and a star. The circle is red. The star is blue.",
        "It has two things: one red circle and one blue star. There is no cross.",
    ],
)
def test_right_descriptions_lose_and_add_nothing(draft: str, rewrite: str) -> None:
    lost, foreign = described(draft, rewrite)
    assert lost < 0.25 and foreign < 0.5


@pytest.mark.parametrize(
    ("rewrite", "lost"),
    [
        ("The picture shows a small red circle.", 0.8),
        ("The picture shows a green circle and a blue star.", 0.8),
        ("What a nice picture! I am happy to help.", 0.8),
        ("A red star and a blue circle are there.", 0.8),
    ],
)
def test_a_fact_of_most_captions_is_missed(rewrite: str, lost: float) -> None:
    assert described(CAPTIONS, rewrite)[0] == pytest.approx(lost)


@pytest.mark.parametrize(
    "rewrite",
    [
        RIGHT + " A teal cross is at the top.",
        RIGHT.replace("two", "three"),
        RIGHT + "\n\nA green star is seen as well.",
        RIGHT.replace("large dotted", "large striped"),
        "The picture shows one thing, which is two objects: three objects.",
    ],
)
def test_a_fact_of_no_caption_is_foreign(rewrite: str) -> None:
    assert described(append_boxes(CAPTIONS, BOXES), rewrite)[1] >= 0.6


def test_one_caption_leaves_room_for_what_the_image_shows() -> None:
    assert described("a red circle", "A red circle and a blue circle are there.")[1] < 0.7
    assert described(CAPTIONS, "A red circle and a green circle, a blue star.")[1] == 1.0


@pytest.mark.parametrize(
    ("question", "draft", "rewrite", "wrong"),
    [
        ("what color is the circle?", "blue", "The circle is blue.", False),
        ("what color is the circle?", "blue", "The circle is red.", True),
        ("what color is the circle?", "blue", "It is blue. Or rather, it is red.", True),
        ("what color is the thing?", "grey", "The thing is gray, I believe.", False),
        ("how many stars?", "2", "There are two stars.", False),
        ("how many stars?", "0", "There are no stars.", False),
        ("how many stars?", "2", "I can see three stars.", True),
        ("is there a star?", "yes", "Yes, there is a star.", False),
        ("is there a star?", "yes", "No, there is no star.", True),
        ("is there a star?", "no", "There is no star in the image.", False),
        ("is there a star?", "no", "Happy to assist with anything.", True),
        ("how big is the star?", "small", "The star is tiny.", False),
        ("how big is the star?", "small", "It is small. Even so, the star is large.", True),
        ("where is it?", "top left", "In the top left corner of the image.", False),
        ("where is it?", "top left", "It is at the top right.", True),
        ("is it red or blue?", "red", "It is blue.", True),
        ("is it red or blue?", "red. it was painted red", "It is red.", False),
        ("is the star left of the red circle?", "no there is not", "No, it is not.", False),
    ],
)
def test_answers(question: str, draft: str, rewrite: str, wrong: bool) -> None:
    assert (max(answered(question, draft, rewrite)) > 0.4) == wrong


@pytest.mark.parametrize(
    ("draft", "rewrite", "wrong"),
    [
        ("red star turned blue", "The star turned from red to blue.", False),
        ("red star turned blue", "The star turned from red to green.", True),
        ("red star is gone", "The red star has disappeared.", False),
        ("red star is gone", "A new red star has appeared.", True),
        ("red star not there anymore", "The red star is no longer in the second image.", False),
        # A look left out is a fact lost.
        ("red star not there anymore", "The star is no longer in the second image.", True),
        ("red star turned blue", "The star is no longer red but blue.", False),
        ("red star turned blue", "In the picture, the star is red and blue.", True),
        ("a red star appeared at the top", "An extra red star is at the top.", False),
        ("a red star appeared at the top", "An extra blue circle is at the top.", True),
        ("nothing changed", "Both images are the same.", False),
        ("nothing changed", "The red star has disappeared.", True),
        ("red star is gone", "It is a pleasure to talk with you.", True),
    ],
)
def test_changes(draft: str, rewrite: str, wrong: bool) -> None:
    assert (max(changed(draft, rewrite)) > 0.5) == wrong


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=60))
def test_any_text_gives_shares(draft: str, rewrite: str, question: str) -> None:
    for pair in (
        described(draft, rewrite), changed(draft, rewrite), answered(question, draft, rewrite)
    ):  # fmt: skip
        assert all(0.0 <= value <= 1.0 for value in pair)


@given(
    st.lists(st.sampled_from(["red", "blue", "circle", "star", "two", "a", "on", ","]), max_size=9)
)
def test_a_caption_given_back_loses_nothing(words: list[str]) -> None:
    text = " ".join(words)
    assert described(text, text)[0] == 0.0


RELATED = "Is the yellow rectangle below the brown rectangle?"


@pytest.mark.parametrize(
    ("draft", "rewrite", "lost"),
    [
        ("no", "No, the yellow rectangle is not below the brown rectangle.", 0.0),
        ("yes", "Indeed, the brown rectangle is above the yellow rectangle.", 0.0),
        ("no", "No, it is not below the brown rectangle.", 0.0),
        ("no", "No.", 0.0),
        ("no", "No, the yellow rectangle is not below the yellow rectangle.", 1.0),
        ("no", "No, the yellow rectangle is not above the brown rectangle.", 1.0),
        ("yes", "Yes, the yellow rectangle is above the brown rectangle.", 1.0),
        ("no", "No, the image shows the rectangle.", 1.0),
    ],
)
def test_an_answer_on_a_relation_relates_the_same_things(
    draft: str, rewrite: str, lost: float
) -> None:
    assert answered(RELATED, draft, rewrite)[0] == lost


@pytest.mark.parametrize(
    ("question", "draft", "rewrite", "lost"),
    [
        ("There is a star; what size is it?", "small", "The size of the star is small.", 0.0),
        ("There is a star; what size is it?", "small", "It is small.", 0.0),
        ("There is a star; what size is it?", "small", "You can see a small size.", 1.0),
        ("Are there any red stars?", "no", "No, you cannot find any red stars.", 0.0),
        ("Are there any red stars?", "no", "No, you cannot find no red stars.", 1.0),
    ],
)
def test_an_answer_is_about_what_was_asked_and_denies_once(
    question: str, draft: str, rewrite: str, lost: float
) -> None:
    assert answered(question, draft, rewrite)[0] == lost


@pytest.mark.parametrize(
    ("draft", "rewrite", "foreign"),
    [
        ("square", "The arrow points at a square.", 0.0),
        ("square", "The red arrow points at a square.", 1.0),
        ("square", "You ask about the red object, and it is a square.", 1.0),
        ("red", "It is red.", 0.0),
        ("red", "The large square is red.", 1.0),
    ],
)
def test_the_colour_of_an_arrow_is_not_that_of_what_it_points_at(
    draft: str, rewrite: str, foreign: float
) -> None:
    asked = "Look at where the red arrow points. What shape is this?"
    assert answered(asked, draft, rewrite)[1] == foreign
