from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.filters.rules import (
    echo,
    is_ended,
    join_paragraphs,
    paragraphs,
    repetition,
    unchanged_share,
    word_count,
)

TEXTS = st.text(max_size=60)
WORDS = st.lists(st.text(string.ascii_lowercase, min_size=1, max_size=6), min_size=1, max_size=12)


def slow_distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        below = [i]
        for j, y in enumerate(b, 1):
            below.append(min(row[j] + 1, below[-1] + 1, row[j - 1] + (x != y)))
        row = below
    return row[-1]


def test_words_are_counted_without_punctuation() -> None:
    assert word_count("It's 3.5 metres - really!") == 4
    assert word_count(" ... \n") == 0


@given(WORDS, WORDS)
def test_change_is_the_edit_distance_over_the_longer_text(a: list[str], b: list[str]) -> None:
    left, right = " ".join(a), " ".join(b)
    expected = 1 - slow_distance(left, right) / max(len(left), len(right))
    assert unchanged_share(left, right) == pytest.approx(expected)


@given(TEXTS, TEXTS)
def test_change_is_symmetric_and_a_share(a: str, b: str) -> None:
    assert 0.0 <= unchanged_share(a, b) <= 1.0
    assert unchanged_share(a, b) == unchanged_share(b, a)
    assert unchanged_share(a, a) == 1.0


def test_capitals_and_a_full_stop_are_no_rewriting() -> None:
    assert unchanged_share("a red circle", "A red circle.") == 1.0
    assert unchanged_share("red", "The circle in the image is red.") < 0.2


@given(TEXTS)
def test_repetition_is_a_share(text: str) -> None:
    assert 0.0 <= repetition(text) < 1.0


@given(WORDS)
def test_repeating_a_text_endlessly_is_seen(words: list[str]) -> None:
    assert repetition(" ".join(words * 20)) > 0.9


def test_ordinary_text_hardly_repeats() -> None:
    assert repetition("The image shows a red circle. Next to it stands a small blue star.") == 0.0
    assert repetition("The answer is yes" + "!" * 40) > 0.8
    assert repetition("") == 0.0


@given(st.lists(st.text(string.ascii_letters + " .", min_size=1).map(str.strip).filter(bool)))
def test_paragraphs_survive_joining(parts: list[str]) -> None:
    assert paragraphs(join_paragraphs(parts)) == parts


def test_blank_lines_make_no_paragraph() -> None:
    assert paragraphs("\n one \n \n\ntwo\nthree\n") == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("It is red.", True),
        ('He said "it is red."', True),
        ("Is it red?  ", True),
        ("The circle is", False),
        ("The circle,", False),
        ("", False),
    ],
)
def test_a_text_that_breaks_off_has_no_end(text: str, ended: bool) -> None:
    assert is_ended(text) == ended


def test_an_echo_gives_the_question_back() -> None:
    question = "What color is the red circle?"
    assert echo(question, question) == 1.0
    assert echo(question, f"You asked: {question.lower()}") > 0.7
    assert echo(question, "The color of the circle is red.") < 0.3
    assert echo("Hm?", "Hm") == 0.0 == echo("", "")
