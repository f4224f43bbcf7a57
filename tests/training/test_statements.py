"""Questions and answers as statements: grammatical, and true just where the answer is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.evaluation.answers import extract_answer
from polite_flamingo.shapes.scene import COLORS, SHAPES
from polite_flamingo.training.statements import statement


@pytest.mark.parametrize(
    ("question", "answer", "told"),
    [
        ("is there a red shape?", "yes", "there is a red shape"),
        ("is there a red shape in the image?", "no", "there is no red shape in the image"),
        ("Look at the image. is there not a star?", "no", "there is a star"),
        ("is no circle present? Please look at the picture.", "no", "a circle is present"),
        ("is no circle present?", "yes", "no circle is present"),
        ("Are there any red circles?", "yes", "there are red circles"),
        ("Are there no red circles?", "no", "there are red circles"),
        ("Are any circles visible?", "no", "no circles are visible"),
        ("does the image not contain a star?", "yes", "the image does not contain a star"),
        ("does the image contain a star?", "yes", "the image contains a star"),
        ("Are there more stars than circles?", "no", "there are not more stars than circles"),
        ("what color is the shape?", "gray", "the shape is gray"),
        ("what is the color of the star?", "gray", "the color of the star is gray"),
        ("What size does the star have?", "large", "the size of the star is large"),
        ("what shape does the image contain?", "oval", "the image contains an oval"),
        ("what shape is in the image?", "circle", "a circle is in the image"),
        ("What shape is the red thing?", "star", "the red thing is a star"),
        ("what is the blue shape?", "circle", "the blue shape is a circle"),
        ("How many stars are there?", "2", "the number of stars is 2"),
        ("How many stars are in the picture?", "2", "the number of stars in the picture is 2"),
        ("What is this?", "a handwritten digit five.", "this is a handwritten digit five"),
        ("Describe the image.", "red", None),
        ("why?", "because", None),
        ("", "", None),
    ],
)
def test_statements(question: str, answer: str, told: str | None) -> None:
    assert statement(question, answer) == told


FORMS = (
    "is there {a}?",
    "is there {a} in the image?",
    "is {a} present?",
    "does the image contain {a}?",
    "is there not {a}?",
    "is there not {a} in the image?",
    "is no {thing} present?",
    "does the image not contain {a}?",
)
LEADS = ("", "Look at the image. ", "I have a question about this picture. ")


@given(
    st.sampled_from(FORMS),
    st.sampled_from(LEADS),
    st.sampled_from([*SHAPES, *(f"{color} shape" for color in COLORS)]),
    st.sampled_from(["yes", "no"]),
)
def test_a_reader_finds_the_answer_in_the_statement(
    form: str, lead: str, thing: str, answer: str
) -> None:
    article = "an" if thing[0] in "aeiou" else "a"
    question = lead + form.format(a=f"{article} {thing}", thing=thing)
    told = statement(question, answer)
    assert told is not None
    assert extract_answer(f"{told}.", question, ["yes", "no"]) == answer
    # The other answer's statement denies it, whichever way the question was put.
    other = statement(question, "no" if answer == "yes" else "yes")
    assert other != told


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_is_read_without_an_error(question: str, answer: str) -> None:
    told = statement(question, answer)
    assert told is None or told
