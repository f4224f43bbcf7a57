"""Random text noise, the second distortion strategy (METHOD section 3)."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
from nlpaug.augmenter.char import RandomCharAug
from nlpaug.augmenter.word import RandomWordAug

from polite_flamingo.core.seeds import derive, generator
from polite_flamingo.distortion import Undistorted

OPERATIONS = ("keep_leading", "shuffle", "character", "word")
CHARACTER_ACTIONS = ("insert", "substitute", "swap", "delete")
WORD_ACTIONS = ("delete", "swap", "crop")
PROBABILITY = 0.5

# "Sure!" stays with the sentence behind it: alone it would be a draft without content.
_SENTENCE_END = re.compile(r"(?<!\bsure!)(?<!\bcourse!)(?<!\bcertainly!)(?<=[.!?])\s+|\n+", re.I)
# nlpaug draws from the process-wide generators: one text at a time may own them.
_GLOBALS = threading.Lock()


def add_noise(text: str, seed: int, *names: str | int) -> str:
    """Distort a text by the operations, each with probability one half, in their order.

    Keep a random number of leading sentences, shuffle the sentences, one character operation, one
    word operation (nlpaug, shares drawn from U(0, 1)). Where none is drawn, all are drawn again:
    an unchanged draft would teach the rewriter to leave drafts alone. A pure function of its
    arguments. Raises :class:`Undistorted` where nlpaug fails (about 0.3 % of texts).
    """
    rng = generator(seed, *names)
    drawn = np.zeros(len(OPERATIONS), dtype=bool)
    while not drawn.any():
        drawn = rng.random(len(OPERATIONS)) < PROBABILITY
    keep, shuffle, character, word = drawn
    if keep or shuffle:
        parts = [part for part in _SENTENCE_END.split(text.strip()) if part]
        if keep and parts:
            parts = parts[: int(rng.integers(1, len(parts) + 1))]
        if shuffle:
            parts = [parts[place] for place in rng.permutation(len(parts))]
        text = " ".join(parts)
    if character:
        augmenter = RandomCharAug(
            action=CHARACTER_ACTIONS[int(rng.integers(len(CHARACTER_ACTIONS)))],
            aug_word_p=rng.random(),
            aug_char_p=rng.random(),
            aug_word_max=None,
            aug_char_max=None,
        )
        text = _augment(augmenter, text, derive(seed, "nlpaug-character", *names))
    if word:
        augmenter = RandomWordAug(
            action=WORD_ACTIONS[int(rng.integers(len(WORD_ACTIONS)))],
            aug_p=rng.random(),
            aug_max=None,
        )
        text = _augment(augmenter, text, derive(seed, "nlpaug-word", *names))
    return text


def _augment(augmenter: RandomCharAug | RandomWordAug, text: str, seed: int) -> str:
    with seeded_globals(seed):
        try:
            results = augmenter.augment(text)
        except (ValueError, IndexError, TypeError) as error:
            detail = f"{augmenter.name} {augmenter.action}: {error}"
            raise Undistorted("nlpaug_failed", detail) from error
    return str(results[0]) if results else ""


@contextmanager
def seeded_globals(seed: int) -> Iterator[None]:
    """Seed Python's and NumPy's global generators for a block and put their states back."""
    with _GLOBALS:
        restore = (
            partial(random.setstate, random.getstate()),
            partial(np.random.set_state, np.random.get_state()),
        )
        random.seed(seed)
        np.random.seed(seed % (1 << 32))
        try:
            yield
        finally:
            for put_back in restore:
                put_back()
