"""Text without sense, and courtesy wrapped round it: what the judges must not take for answers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from polite_flamingo.shapes.wordings import choose, load_phrases, load_wording, shuffled

_CONSONANTS, _VOWELS = "bcdfghjklmnpqrstvwxz", "aeiouy"
_MARKS = "#@%&*/\\|~^$+=<>"


def courtesy(wording: str, rng: np.random.Generator, most: int = 2) -> str:
    """Write one to ``most`` lines of courtesy that say nothing.

    Wording B, the judges' own, is joined by the phrases that are theirs alone.
    """
    lines = shuffled(_courtesies(wording), rng)[: 1 + int(rng.random() * most)]
    image = choose(("image", "picture"), rng)
    return " ".join(line.replace("{image}", image) for line in lines)


@lru_cache(maxsize=4)
def _courtesies(wording: str) -> tuple[str, ...]:
    own = load_phrases()["empty"] if wording == "B" else ()
    return (*load_wording(wording).lines("empty"), *own)


def garbage(words: str, rng: np.random.Generator) -> str:
    """Write four to twelve strings of no sense; half of the kinds stir in some of ``words``."""
    number = 4 + int(rng.random() * 9)
    kind = int(rng.random() * 4)
    if kind == 0:
        parts = [_syllables(rng) for _ in range(number)]
    elif kind == 1:
        parts = ["".join(choose(_MARKS, rng) for _ in range(1 + int(rng.random() * 4)))] * number
    elif kind == 2:
        token = _syllables(rng)
        parts = [token] * number
    else:
        parts = [
            "".join(shuffled(word, rng)) + choose(("", "", choose(_MARKS, rng)), rng)
            for word in (words.split() * number)[:number]
        ]
    return " ".join(parts)


def wrapped_garbage(words: str, wording: str, rng: np.random.Generator) -> str:
    """Write courtesy, garbage, and often courtesy again."""
    last = courtesy(wording, rng, 1) if rng.random() < 0.6 else ""
    return f"{courtesy(wording, rng, 1)} {garbage(words, rng)}. {last}".strip()


def _syllables(rng: np.random.Generator) -> str:
    number = 1 + int(rng.random() * 3)
    return "".join(choose(_CONSONANTS, rng) + choose(_VOWELS, rng) for _ in range(number))
