from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polite_flamingo.distortion import Undistorted
from polite_flamingo.distortion.noise import add_noise, seeded_globals

TEXT = "The image shows a small circle. There is also a square on the right. It is dotted."


def noisy(text: str, number: int) -> list[str | None]:
    found: list[str | None] = []
    for name in range(number):
        try:
            found.append(add_noise(text, 0, name))
        except Undistorted:
            found.append(None)
    return found


def test_noise_is_a_pure_function_of_seed_and_name() -> None:
    first = noisy(TEXT, 30)
    random.seed(99)
    np.random.seed(99)
    assert noisy(TEXT, 30) == first
    assert len(set(first)) > 20


def test_the_process_wide_generators_are_left_alone() -> None:
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)
    noisy(TEXT, 10)
    assert (random.random(), np.random.random()) == expected


def test_seeded_globals_restores_after_an_error() -> None:
    random.seed(1)
    expected = random.random()
    random.seed(1)
    with pytest.raises(RuntimeError), seeded_globals(5):
        random.random()
        raise RuntimeError
    assert random.random() == expected


def test_operations_occur_about_as_often_as_they_should() -> None:
    drafts = [draft for draft in noisy(TEXT, 600) if draft is not None]
    words = set(TEXT.replace(".", "").split())
    spoilt = sum(not set(draft.replace(".", "").split()) <= words for draft in drafts)
    shorter = sum(len(draft) < 0.8 * len(TEXT) for draft in drafts)
    # A character operation in 8 of 15 draws; words are also re-cased by word swaps.
    assert 0.35 < spoilt / len(drafts) < 0.85
    assert shorter / len(drafts) > 0.3
    assert drafts.count(TEXT) / len(drafts) < 0.25


def test_nlpaug_failures_are_reported_and_rare() -> None:
    outcomes = noisy(TEXT, 600)
    assert 0 < outcomes.count(None) < 30
    failing = outcomes.index(None)
    with pytest.raises(Undistorted) as error:
        add_noise(TEXT, 0, failing)
    assert error.value.reason == "nlpaug_failed"
    assert "RandomWord_Aug" in error.value.detail


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80), st.integers(0, 1 << 62))
def test_any_text_is_distorted_or_reported(text: str, seed: int) -> None:
    try:
        assert isinstance(add_noise(text, seed, "x"), str)
    except Undistorted as error:
        assert error.reason == "nlpaug_failed"


def test_a_courtesy_is_never_all_that_is_kept() -> None:
    drafts = noisy("Sure! The circle is red. It is also small.", 200)
    assert "Sure! The circle is red." in drafts
    assert "Sure!" not in drafts
