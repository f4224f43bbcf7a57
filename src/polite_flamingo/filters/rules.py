"""Facts about a rewrite that need no model: length, change, repetition, paragraphs, sentences."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import numpy as np

_WORD = re.compile(r"\w+(?:['\u2019.,-]\w+)*")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_PARAGRAPH_BREAK = re.compile(r"\s*\n\s*")
_ENDED = re.compile(r"[.!?:\u2026][\"'\u2019\u201d)\]]*$")
_ENDLESS = 3
# Edit distances beyond this many characters a side compare the beginnings only.
_MAX_CHARACTERS = 4000


def word_count(text: str) -> int:
    """Length of a text in words; punctuation is no word."""
    return len(_WORD.findall(text))


def canonical(text: str) -> str:
    """Lower-case words of a text, one space apart: what remains when only polish is changed."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def unchanged_share(draft: str, rewrite: str) -> float:
    """Normalised edit similarity of draft and rewrite, 0..1; 1 = nothing but case or punctuation.

    1 - Levenshtein distance / longer length, in characters of :func:`canonical`. METHOD section 5
    ("change": drop what was not rewritten).
    """
    shorter, longer = sorted(
        (canonical(text)[:_MAX_CHARACTERS] for text in (draft, rewrite)), key=len
    )
    if shorter == longer:
        return 1.0
    return 1.0 - _edit_distance(shorter, longer) / len(longer)


def _edit_distance(shorter: str, longer: str) -> int:
    # Row by row; insertions along a row are a running minimum of (cost - column).
    letters = np.frombuffer(longer.encode("utf-32-le"), dtype=np.uint32)
    columns = np.arange(len(letters) + 1)
    row = columns.copy()
    for number, letter in enumerate(shorter, start=1):
        below = np.empty_like(row)
        below[0] = number
        np.minimum(row[:-1] + (letters != ord(letter)), row[1:] + 1, out=below[1:])
        row = np.minimum.accumulate(below - columns) + columns
    return int(row[-1])


def repetition(text: str) -> float:
    """Share of repeated trigrams of words and punctuation, 0..1; endless repetition -> 1."""
    tokens = [token.casefold() for token in _TOKEN.findall(text)]
    grams = len(tokens) - _ENDLESS + 1
    if grams < 1:
        return 0.0
    distinct = {tuple(tokens[at : at + _ENDLESS]) for at in range(grams)}
    return 1.0 - len(distinct) / grams


def is_ended(text: str) -> bool:
    """Tell whether a text closes as a sentence does; one that breaks off does not."""
    return bool(_ENDED.search(text.rstrip()))


def echo(instruction: str, rewrite: str) -> float:
    """Share of the instruction's word trigrams that the rewrite repeats, 0..1; 1 = given back."""
    asked, given = (canonical(text).split() for text in (instruction, rewrite))
    grams = _trigrams(asked)
    return len(grams & _trigrams(given)) / len(grams) if grams else 0.0


def _trigrams(words: list[str]) -> set[tuple[str, ...]]:
    # The first words count too: a question starts otherwise than its answer.
    padded = ["", *words]
    return {tuple(padded[at : at + _ENDLESS]) for at in range(len(padded) - _ENDLESS + 1)}


def paragraphs(text: str) -> list[str]:
    """Non-empty lines of a text, stripped: the units that CLIPScore keeps or removes."""
    return [part for part in _PARAGRAPH_BREAK.split(text.strip()) if part]


def join_paragraphs(parts: Iterable[str]) -> str:
    """Write paragraphs as one text, a blank line apart."""
    return "\n\n".join(parts)
