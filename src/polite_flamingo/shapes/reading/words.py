"""Words of a text: contractions written out, then the longest phrases that the lexicon knows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from polite_flamingo.shapes.reading.frames import mark_frames
from polite_flamingo.shapes.reading.lexicon import build_lexicon
from polite_flamingo.shapes.reading.wordings import plain_wording


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase with its category and value; punctuation has itself as category."""

    category: str
    value: str
    text: str


END = Word("end", "", "")

_LEXICON = build_lexicon()
_WORDS = {phrase: Word(*entry, phrase) for phrase, entry in _LEXICON.items()}
# The lengths, longest first, of the known phrases that begin with a word.
_LENGTHS: dict[str, list[int]] = {}
for _phrase in _LEXICON:
    _first, _length = _phrase.split()[0], _phrase.count(" ") + 1
    if _length not in _LENGTHS.setdefault(_first, []):
        _LENGTHS[_first].append(_length)
for _lengths in _LENGTHS.values():
    _lengths.sort(reverse=True)

_NEGATED = re.compile(r"\b(ca|wo|sha|ai|[a-z]+)n't\b")
_IRREGULAR = {"ca": "can not", "wo": "will not", "sha": "shall not", "ai": "is not"}
_IS = re.compile(
    r"\b(there|it|that|here|what|where|he|she|which|how|who|everything|nothing|one)'s\b"
)
_SHORT = {"'re": " are", "'ve": " have", "'ll": " will", "'d": " would", "'m": " am"}
_SHORTENED = re.compile(r"'(?:re|ve|ll|d|m)\b")
_UNAPOSTROPHED = re.compile(
    r"\b(is|are|does|do|did|was|were|has|have|had|could|would|should)nt\b|\b(can)t\b|\b(wo)nt\b"
)
_TOKEN = re.compile(r"'s\b|s'(?=\s)|\d+(?:\.\d+)?|[a-z]+|[,:.;!?\n]")
_EQUALLY = re.compile(r"\b(?:just|exactly|equally|about|almost|nearly|every bit) as (?=\w+ as\b)")
# "plus a star" adds; "a plus" is a cross.
_PLUS = re.compile(r",? plus (?=(?:an?|the|one|two|three|four|five|six|seven|\d)\b)()")
_BULLET = re.compile(r"(?m)^\s*(?:\d+[.)]|[-*\u2022])[ \t]+(?=\S)")
_SENTENCE_END = {".", ";", "!", "?", "\n"}
_DASH = re.compile(r"\s+-+\s+|[\u2013\u2014\u2026]|--+|\.{3}")


def normalise(text: str) -> str:
    """Lower the case, write contractions out and drop quotes, brackets and hyphens."""
    text = text.lower()
    if "\u2019" in text or "\u2018" in text:
        text = text.replace("\u2019", "'").replace("\u2018", "'")
    if "\n" in text or text.startswith("1"):
        text = _BULLET.sub("", text)
    text = _DASH.sub(" , ", text)
    if "'" in text:
        text = _NEGATED.sub(lambda m: _IRREGULAR.get(m[1], f"{m[1]} not"), text)
        text = _IS.sub(r"\1 is", text)
        text = _SHORTENED.sub(lambda m: _SHORT[m[0]], text)
    else:
        text = _UNAPOSTROPHED.sub(
            lambda m: f"{m[1] or ''}{m[2] or ''}{(m[3] and 'will') or ''} not", text
        )
    if " as " in text:
        text = _EQUALLY.sub("as ", text)
    if "plus" in text:
        text = _PLUS.sub(r", and \1", text)
    if "cannot" in text:
        text = text.replace("cannot", "can not")
    return (
        mark_frames(plain_wording(text))
        .replace("-", " ")
        .replace("_", " ")
        .replace("/", " ")
        .replace("(", " , ")
        .replace(")", " , ")
    )


def sentences(text: str) -> list[tuple[list[Word], str]]:
    """Split a text into sentences of words, each with the mark that ends it."""
    found: list[tuple[list[Word], str]] = []
    current: list[Word] = []
    tokens = _TOKEN.findall(normalise(text))
    place, count = 0, len(tokens)
    while place < count:
        token = tokens[place]
        if token in _SENTENCE_END:
            if current:
                found.append((current, token))
                current = []
            elif token == "?" and found:
                found[-1] = (found[-1][0], "?")
            place += 1
            continue
        word, length = look_up(tokens, place)
        current.append(word)
        place += length
    if current:
        found.append((current, ""))
    return found


def look_up(tokens: list[str], place: int) -> tuple[Word, int]:
    """Return the longest known phrase at a place, and its length in tokens."""
    token = tokens[place]
    for length in _LENGTHS.get(token, ()):
        word = _WORDS.get(" ".join(tokens[place : place + length]) if length > 1 else token)
        if word is not None:
            return word, length
    if token in ",:":
        return Word(token, "", token), 1
    return Word("o", "", token), 1
