from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.evaluation.answers import extract_answer

EASY = "circle green red gray yes teal black rectangle yellow triangle brown blue no".split()
SHAPES = [
    *"red green blue yellow black gray teal brown purple orange circle rectangle triangle square "
    "star cross small large plain striped dotted yes no 0 1 2 3 4 5 6 left right center top bottom".split(),
    "top left",
    "top right",
    "bottom left",
    "bottom right",
]

EASY_CASES = [
    # terse
    ("what color is the circle?", "blue", "blue"),
    ("what color is the circle?", "BLUE.", "blue"),
    ("is there a circle?", "no", "no"),
    ("what shape is present?", "triangle", "triangle"),
    # polite, with an echo of the question
    ("what color is the circle?", "The circle is blue.", "blue"),
    ("what color is the circle?", "The color of the circle is blue. Anything else?", "blue"),
    ("what color is the circle?", "Sure! I can see a blue circle in the image.", "blue"),
    ("what is the color of the shape?", "It looks like the shape is a lovely teal color.", "teal"),
    ("what color is the rectangle?", "The rectangle in the picture appears to be grey.", "gray"),
    ("what is the red shape?", "The red shape in this image is a rectangle.", "rectangle"),
    ("what is the red shape?", "That would be a red triangle!", "triangle"),
    ("what shape does the image contain?", "The image contains a yellow circle.", "circle"),
    ("what shape is in the image?", "I believe it's a triangle, painted brown.", "triangle"),
    ("what is the teal shape?", "The teal thing you see is triangular.", "triangle"),
    # corrections and denials
    ("what color is the circle?", "The circle is not red, it is blue.", "blue"),
    ("what color is the circle?", "It's blue rather than red.", "blue"),
    ("what shape is present?", "It isn't a circle but a triangle.", "triangle"),
    # hedged, yet one answer
    ("what color is the circle?", "I think the circle might be green.", "green"),
    ("what color is the circle?", "Perhaps blue?", "blue"),
    # two answers, or none
    ("what color is the circle?", "The circle is red or blue.", None),
    ("what color is the circle?", "The circle is red. The circle is blue.", None),
    ("what color is the circle?", "The circle is very pretty.", None),
    ("what color is the circle?", "I'm sorry, I can't tell the color.", None),
    ("what color is the circle?", "It is pink.", None),
    ("what color is the circle?", "", None),
    ("what is the red shape?", "It is a red shape.", None),
    # yes and no
    ("is there a circle?", "Yes, there is a circle in the image.", "yes"),
    ("is there a circle?", "No, there isn't a circle.", "no"),
    ("is there a circle?", "The image does not contain a circle.", "no"),
    ("is there a circle?", "I don't see any circles here.", "no"),
    ("is there a circle?", "Indeed, a circle is present.", "yes"),
    ("is there a circle?", "There is a small red circle.", "yes"),
    ("is there a circle?", "No, the image contains a blue triangle.", "no"),
    ("is there a circle?", "A circle is absent from this picture.", "no"),
    ("is a red shape present?", "Yes! The circle in the picture is red.", "yes"),
    ("is a red shape present?", "There is a red triangle.", "yes"),
    ("is a red shape present?", "There are no red shapes.", "no"),
    ("is a red shape present?", "The shape is not red.", "no"),
    ("does the image contain a circle?", "It does contain a circle.", "yes"),
    ("does the image contain a circle?", "Nope.", "no"),
    ("does the image contain a circle?", "That is correct.", "yes"),
    ("does the image contain a circle?", "That's not true.", "no"),
    ("is there a circle?", "Yes, there is no circle.", None),
    ("is there a circle?", "I'm not sure whether there is a circle.", None),
    ("is there a circle?", "Yes and no.", None),
    ("is there a circle?", "What a nice picture.", None),
    # negated questions: yes means that there is none
    ("does the image not contain a circle?", "Yes.", "yes"),
    ("does the image not contain a circle?", "Yes, the image does not contain a circle.", "yes"),
    ("does the image not contain a circle?", "The image doesn't contain a circle.", "yes"),
    ("does the image not contain a circle?", "No, the image contains a circle.", "no"),
    ("does the image not contain a circle?", "There is a circle in the image.", "no"),
    ("is no red shape present?", "Yes, no red shape is present.", "yes"),
    ("is no red shape present?", "A red shape is present.", "no"),
    ("is there not a triangle?", "Correct, there is no triangle.", "yes"),
    ("is there not a triangle?", "No, there is a triangle.", "no"),
    ("is there not a triangle?", "No, there is no triangle.", None),
]

SHAPES_CASES = [
    ("How many stars are there?", "3", "3"),
    ("How many stars are there?", "three", "3"),
    ("How many stars are there?", "There are three stars in the picture.", "3"),
    ("How many stars are there?", "I count 2 of them.", "2"),
    ("How many stars are there?", "There are no stars.", "0"),
    ("How many stars are there?", "None at all.", "0"),
    ("How many stars are there?", "There is a single star.", "1"),
    ("How many stars are there?", "Two stars and three circles.", "2"),
    ("How many stars are there?", "Either two or three stars.", None),
    ("How many shapes are there?", "There are three shapes: a circle and two stars.", "3"),
    ("What size is the star?", "It's a big one.", "large"),
    ("What is the texture of the red square?", "The red square has stripes.", "striped"),
    ("What pattern does the circle have?", "The circle has a dotted pattern.", "dotted"),
    ("Where is the star?", "The star is in the upper left corner.", "top left"),
    ("Where is the star?", "You can find it right in the middle.", "center"),
    ("Where is the star?", "At the bottom of the image.", "bottom"),
    ("Is the star above the circle?", "No, the star is below the circle.", "no"),
    ("Is the star above the circle?", "The star is above the circle.", "yes"),
    ("Is the star above the circle?", "The circle is above the star.", "no"),
    ("Is the star left of the circle?", "Yes, it's to the left of it.", "yes"),
    ("Are there more stars than circles?", "Yes, stars outnumber circles.", "yes"),
    ("Are there more stars than circles?", "There are fewer stars than circles.", "no"),
    ("Is the star red?", "No, it's a yellow star.", "no"),
    ("Is the star red?", "The star is yellow.", "no"),
    (
        "What color is the small circle?",
        "The large circle is red; the small circle is blue.",
        "blue",
    ),
    (
        "What color is the thing left of the red star?",
        "The thing left of the red star is teal.",
        "teal",
    ),
    ("The star is above the circle. Is this true?", "No, the statement is false.", "no"),
    ("The star is above the circle. Is this true?", "The star is above the circle.", "yes"),
    ("Is the star above the circle?", "It is not true that the star is above it.", "no"),
    ("Is the circle plain, striped or dotted?", "I'd say the circle is dotted.", "dotted"),
    ("Is it a star or a cross?", "It is a cross.", "cross"),
    ("What shape is the large thing?", "The large thing is a cross.", "cross"),
]


@pytest.mark.parametrize(("question", "response", "answer"), EASY_CASES)
def test_answer_in_the_words_of_easy_vqa(question: str, response: str, answer: str | None) -> None:
    assert extract_answer(response, question, EASY) == answer


@pytest.mark.parametrize(("question", "response", "answer"), SHAPES_CASES)
def test_answer_in_the_words_of_shapes(question: str, response: str, answer: str | None) -> None:
    assert extract_answer(response, question, SHAPES) == answer


def test_numbers_come_back_as_the_vocabulary_spells_them() -> None:
    assert extract_answer("There are 3 stars.", "How many stars?", ["two", "three"]) == "three"
    assert extract_answer("three", "How many stars?", ["2", "3"]) == "3"


@pytest.mark.parametrize(
    ("question", "response", "answer"),
    [
        ("What digit is this?", "This looks like a handwritten seven.", "seven"),
        ("What digit is this?", "It is a seven, not a nine.", "seven"),
        ("What digit is this?", "A seven or a nine.", None),
        ("What animal is it, a zebra or a horse?", "It is a zebra.", "zebra"),
        ("Is the zebra eating?", "The zebra is eating a nine.", "nine"),
    ],
)
def test_other_vocabularies_go_by_the_only_mention(
    question: str, response: str, answer: str | None
) -> None:
    assert extract_answer(response, question, ["seven", "nine", "zebra", "horse"]) == answer


@given(st.text(max_size=60), st.sampled_from([case[0] for case in EASY_CASES]))
def test_an_answer_is_always_of_the_vocabulary(response: str, question: str) -> None:
    assert extract_answer(response, question, EASY) in {None, *EASY}
