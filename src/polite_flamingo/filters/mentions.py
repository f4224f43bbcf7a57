"""What the word list finds in a text: words, noun phrases, denials; no model, no grammar."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from polite_flamingo.core.boxes import strip_boxes

_TOKEN = re.compile(r"[a-z]+|\d+|[.,;:!?&\n]")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
# Where something stands relative to another is no place in the image.
_RELATION = re.compile(
    r"\b(?:(?:to|on) the )?(?:left|right)(?: side)? of\b|\bon top of\b|\b(?:center|middle) of\b"
)
_PART_OF_IMAGE = re.compile(
    r"\b(top|upper|bottom|lower|left|right|center|middle)"
    r"((?: (?:left|right|side|part|corner|region|area|half))*)"
    r" of (?:the|this) (?:first |second |other |earlier |later )?"
    r"(?:image|picture|photo|scene|frame)\b"
)
DENIAL = re.compile(r"\b(?:no|not|none|nobody|nothing|never|without)\b|n't\b")
# Words that are others with two letters swapped.
_NO_TYPOS = frozenset({"there"})
# "the gray object is a star": a gray star.
_IS_A = re.compile(r"\b(?:object|shape|thing|figure) is an? (?=\w)")
# "how big is it?" does not say that it is big.
_HOW = re.compile(r"\bhow (?:big|large|small|tiny)\b")
_NO_LONGER = re.compile(r"\bno longer\b|\bany ?more\b|\bno more\b|\bnot (?:there|visible)\b")
_ANYTHING = "anything"
_ATTRIBUTES = ("color", "size", "texture", "number")


@dataclass(frozen=True)
class Mention:
    """A noun phrase: kind of word -> canonical value; ``thing`` is "" for "object", "shape" ..."""

    values: Mapping[str, str]

    def get(self, kind: str) -> str:
        """Value of a kind ("" where the phrase has none)."""
        return self.values.get(kind, "")


@dataclass(frozen=True)
class Reading:
    """What the word list finds in one line or sentence."""

    words: frozenset[tuple[str, str]]
    mentions: tuple[Mention, ...]
    denies: bool


@lru_cache(maxsize=1)
def _lexicon() -> dict[str, tuple[str, str]]:
    text = (Path(__file__).parent / "words.yaml").read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    found = {word: ("thing", "") for word in table.pop(_ANYTHING)}
    for kind, values in table.items():
        for value, others in values.items():
            for word in (value, *others):
                found[str(word)] = (kind, str(value))
                if kind == "thing":
                    found[f"{word}{'es' if word.endswith(('s', 'x')) else 's'}"] = (kind, value)
    return found


def meaning(word: str) -> tuple[str, str] | None:
    """Kind and value of a word; a long word with two letters swapped is still known."""
    lexicon = _lexicon()
    if word in lexicon or len(word) < 5 or word in _NO_TYPOS:
        return lexicon.get(word)
    for at in range(1, len(word) - 2):
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if swapped in lexicon:
            return lexicon[swapped]
    return None


@lru_cache(maxsize=1 << 15)
def read(text: str) -> Reading:
    """Find the known words and noun phrases of one line or sentence."""
    plain = _PART_OF_IMAGE.sub(r"\1\2", text.casefold())
    plain = _IS_A.sub("", plain)
    plain = _HOW.sub("how", _RELATION.sub(" , ", plain))
    words: set[tuple[str, str]] = set()
    mentions: list[Mention] = []
    held: dict[str, str] = {}
    if _NO_LONGER.search(plain):
        words.add(("event", "removed"))
    for token in _TOKEN.findall(plain):
        known = meaning(token)
        if known is None:
            # "background", "side": what came before describes them, no thing.
            held = {}
            continue
        kind, value = known
        if kind == "thing":
            mentions.append(Mention({**held, "thing": value}))
            held = {}
        elif kind in _ATTRIBUTES:
            held[kind] = value
        if value:
            words.add((kind, value))
    return Reading(frozenset(words), tuple(mentions), bool(DENIAL.search(plain)))


def lines_of(draft: str) -> list[Reading]:
    """Read each line of an annotation, boxes left out."""
    return [read(line) for line in strip_boxes(draft).split("\n") if line.strip()]


def sentences_of(text: str) -> Iterator[Reading]:
    """Read each sentence of a text."""
    for part in SENTENCE_END.split(text):
        if part.strip():
            yield read(part)


def values(words: Iterable[tuple[str, str]], kind: str) -> set[str]:
    """The values of one kind among words."""
    return {value for name, value in words if name == kind}
