from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.core.seeds import generator
from polite_flamingo.judges import augment
from polite_flamingo.shapes.scene import COLORS, SHAPES
from polite_flamingo.shapes.wordings import NUMBERS

words = st.sampled_from(
    [*COLORS, *SHAPES, *NUMBERS, "2", "7", "not", "circles", "crosses", "above", "Red", "STAR", "a"]
)
texts = st.lists(st.lists(words, max_size=8).map(" ".join), min_size=1, max_size=3)


@given(texts, st.integers(0, 99))
def test_permuting_keeps_which_words_are_equal(given_texts: list[str], seed: int) -> None:
    found = augment.permute(given_texts, generator(seed, "permute"))
    old = [word.lower() for text in given_texts for word in text.split()]
    new = [word.lower() for text in found for word in text.split()]
    assert len(old) == len(new)
    names = ("a", "an")
    for i, first in enumerate(old):
        for j, second in enumerate(old):
            if first not in names and second not in names:
                assert (first == second) == (new[i] == new[j])
    for before, after in zip(old, new, strict=True):
        if before in ("not", "above", "zero", "one"):
            assert before == after
    assert found == augment.permute(given_texts, generator(seed, "permute"))


def test_numbers_keep_their_order_and_their_spelling() -> None:
    for seed in range(20):
        (text,) = augment.permute(["two 2 five 5 nine one"], generator(seed, "n"))
        a, b, c, d, e, one = text.split()
        values = [NUMBERS.index(word) for word in (a, c, e)]
        assert values == sorted(set(values)) and min(values) >= 2
        assert (str(values[0]), str(values[1]), one) == (b, d, "one")


def test_capitals_articles_and_plurals_fit() -> None:
    seen = set()
    for seed in range(60):
        (text,) = augment.permute(["A Red circle, a red cross, RED crosses"], generator(seed, "x"))
        first, second, third = text.split(", ")
        article, color = first.split()[:2]
        assert (article == "An") == (color[0].lower() in "aeio")
        assert color[0].isupper() and third.split()[0] == color.upper()
        assert third.split()[1] in (f"{second.split()[-1]}s", f"{second.split()[-1]}es")
        seen.add(color)
    assert len(seen) > 10


def test_a_class_with_another_name_in_the_text_stays() -> None:
    for seed in range(10):
        (text,) = augment.permute(["the plus is a cross, and red"], generator(seed, "plus"))
        assert "plus is a cross" in text


NEAR: Mapping[str, tuple[str, ...]] = {"holds": ("contains", "has"), "picture": ("photo",)}


def test_rewording_is_alike_in_all_texts() -> None:
    found = augment.reword(["The picture Holds it", "holds"], NEAR, generator(1, "w"), 1.0, 0.0)
    assert found[0].split()[0] == "The" and found[0].split()[1] == "photo"
    assert found[0].split()[2].lower() == found[1] and found[1] in NEAR["holds"]
    assert found[0].split()[2][0].isupper()
    assert augment.reword(["holds it"], NEAR, generator(1, "w"), 0.0, 1.0) == ["it"]
    # A text never vanishes.
    assert augment.reword(["holds"], NEAR, generator(1, "w"), 0.0, 1.0) == ["holds"]


def test_nearest_words_are_near_and_never_values() -> None:
    class Tokenizer:
        def get_vocab(self) -> dict[str, int]:
            return {"holds": 0, "contains": 1, "red": 2, "tree": 3, "not": 4, "##s": 5}

    vectors = np.array([[1, 0.1], [1, 0.2], [1, 0.1], [-1, 1], [1, 0.1], [1, 0.1]], np.float32)
    near = augment.nearest_words(Tokenizer(), vectors, ["It holds red, not a tree"])  # type: ignore[arg-type]
    assert near == {"holds": ["contains"]}


def test_company_keeps_the_label() -> None:
    others = {"neutral": "Hm.", "entailment": "It is red.", "contradiction": "It is blue."}
    for seed in range(20):
        rng = generator(seed, "composed")
        assert augment.composed("neutral", "Well", others, rng) == "Well"
        entailed = augment.composed("entailment", "red", others, rng)
        assert "red" in entailed.lower() and "hm" in entailed.lower() and "blue" not in entailed
        against = augment.composed("contradiction", "blue", others, rng)
        assert "blue" in against.lower() and len(against.split()) > 1


@pytest.mark.parametrize("text", ["It is red.", "red", "I see it", "Is it?"])
def test_dressing_keeps_the_text(text: str) -> None:
    seen = {augment.dressed(text, generator(seed, "dress"), 0.9) for seed in range(40)}
    assert len(seen) > 15
    assert all(text.rstrip(".").lower() in one.lower() for one in seen)


def test_neighbours_share_a_group() -> None:
    assert augment.groups_of([]) == []
    assert [list(g) for g in augment.groups_of(["a", "a", "b", "a"])] == [[0, 1], [0, 1], [2], [3]]
