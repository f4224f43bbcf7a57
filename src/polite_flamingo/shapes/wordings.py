"""Sentence frames of the polite style: loading, filling and masking them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import yaml

from polite_flamingo.core.errors import UserError
from polite_flamingo.shapes.scene import (
    BACKGROUNDS,
    COLORS,
    REGIONS,
    RELATIONS,
    SHAPES,
    SIZES,
    TEXTURES,
)

WORDINGS = ("A", "B", "C")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
IMAGE_NOUNS = ("image", "picture")
THING_NOUNS = ("shape", "object", "thing")

_FOLDER = Path(__file__).parent / "wordings"
_PLACES = ("in the {image}", "in this {image}")
# Clauses that would read badly behind an intro such as "I can see that".
_SOLO = re.compile(r"(I|you|it is|it was|it makes|someone|nobody|my|what)\b")
# Clauses whose subject does not come first, or of two parts: they stand alone.
_FRONTED = re.compile(
    r"(when|if|as|for|here|compared|among|in|to my|at|of|given|asked|judging|speaking|seen|looking|"
    r"having|by|look|visible|nothing|somewhere|counting|the answer|where|after|before|comparing|"
    r"not only|its color)\b|\{(at|rel|in)\}|.*[.:;] "
)
# An intro that is no part of the sentence: nothing, "sure!", "yes,".
_DETACHED = re.compile(r"(?:.*[.!?:] )?(?:\{yes\}[,.:] )?~")
_PERSONAL = re.compile(r"\b(I|you|my answer is|is clear|can tell)\b")
# After a colon the sentence goes on in lower case.
_SENTENCE_START = re.compile(r"(?:^|[.!?]\s+)[a-z]")
_WORD = re.compile(r"[a-z]+|[0-9]+|[^\sa-z0-9]")

_T = TypeVar("_T")


@dataclass(frozen=True)
class Wording:
    """One set of sentence frames; the sets share no frame."""

    name: str
    frames: Mapping[str, Any]

    def lines(self, *path: str) -> Sequence[str]:
        """Look up the list of frames at a path such as ("clauses", "count")."""
        value: Any = self.frames
        for key in path:
            value = value[key]
        return value  # type: ignore[no-any-return]


@lru_cache(maxsize=8)
def load_wording(name: str) -> Wording:
    """Load wording set "A", "B" or "C"; raises UserError for any other name."""
    if name not in WORDINGS:
        raise UserError(f"unknown wording {name!r}: choose one of {', '.join(WORDINGS)}")
    return Wording(name, _read(name))


@lru_cache(maxsize=1)
def load_questions() -> Wording:
    """Load the question and statement forms that all sets share."""
    return Wording("questions", _read("questions"))


@lru_cache(maxsize=1)
def load_phrases() -> Mapping[str, Sequence[str]]:
    """Load the phrases that judges are trained with and never tested on."""
    return _read("judging")


@lru_cache(maxsize=256)
def sentence_frames(name: str, intros: str, *path: str) -> tuple[tuple[str, ...], ...]:
    """Join each clause at a path with every intro it goes with: one tuple of frames a clause."""
    wording = load_wording(name)
    frames = []
    for clause in wording.lines(*path):
        # The picture is often left unmentioned, as people do.
        variants = dict.fromkeys((clause, without_place(clause)))
        joined = [
            _join(intro, variant)
            for variant in variants
            for intro in wording.lines(intros)
            if _fits(intro, variant)
        ]
        frames.append(tuple(dict.fromkeys(joined)))
    return tuple(frames)


def without_place(frame: str) -> str:
    """Drop the words that say "in the picture"."""
    return frame.replace(" {in}", "").replace(" {of}", "").replace("{in}, ", "")


def fill(frame: str, slots: Mapping[str, str], rng: np.random.Generator) -> str:
    """Fill a frame and set it as sentences: capitals at each start, a full stop at the end."""
    return sentences(fill_plain(frame, slots, rng))


def fill_plain(frame: str, slots: Mapping[str, str], rng: np.random.Generator) -> str:
    """Fill a frame without touching capitals or the end."""
    image = IMAGE_NOUNS[0] if rng.random() < 0.5 else IMAGE_NOUNS[1]
    place = choose(_PLACES, rng).format(image=image)
    return frame.format_map({**slots, "image": image, "in": place, "of": f"of the {image}"})


def sentences(text: str) -> str:
    """Capitalise each sentence start and close the text with a full stop."""
    text = _SENTENCE_START.sub(lambda match: match.group().upper(), text.strip())
    return text if text.endswith((".", "!", "?", '"')) else text + "."


def choose(items: Sequence[_T], rng: np.random.Generator) -> _T:
    """Draw one item of a sequence (faster than ``rng.choice``)."""
    return items[int(rng.random() * len(items))]


def shuffled(items: Sequence[_T], rng: np.random.Generator) -> list[_T]:
    """Copy a short sequence in random order."""
    left = list(items)
    return [left.pop(int(rng.random() * len(left))) for _ in range(len(left))]


def frame_of(text: str) -> str:
    """Mask the content words of a text: what is left is its sentence frame.

    Colours, shapes, sizes, textures, regions, relations, numbers, digits, the nouns for pictures
    and things, and articles become one "_"; neighbouring masks are merged.
    """
    tokens: list[str] = []
    for token in _WORD.findall(text.lower()):
        token = "_" if token in _CONTENT or token.isdigit() else token
        if token != "_" or not tokens or tokens[-1] != "_":
            tokens.append(token)
    return " ".join(tokens)


def core_of(text: str, wording: str) -> str:
    """Mask a response and take off what stands round its core: intros and courteous last sentences.

    What is left is the frame of the clause that answers, however it is introduced.
    """
    frame = frame_of(text)
    for tail in _masked_tails(wording):
        frame = frame.removesuffix(tail).rstrip()
    for before, after in _masked_intros(wording):
        rest = frame.removeprefix(before).removesuffix(after).strip()
        if frame.startswith(before) and frame.endswith(after) and rest:
            frame = rest
            break
    return frame.removeprefix("_ ").removesuffix(" .")


@lru_cache(maxsize=8)
def _masked_tails(wording: str) -> tuple[str, ...]:
    return tuple(frame_of(tail) for tail in load_wording(wording).lines("tails"))


@lru_cache(maxsize=8)
def _masked_intros(wording: str) -> tuple[tuple[str, str], ...]:
    """Give what each intro puts before and behind its clause, masked, the longest first."""
    pairs = set()
    for kind in ("intros", "polar", "intros_text"):
        for intro in load_wording(wording).lines(kind):
            for yes in ("yes", "no"):
                said = intro.format_map(
                    {"in": "in the image", "image": "image", "yes": yes, "yes_lower": yes}
                )
                before, after = (frame_of(part) for part in sentences(said)[:-1].split("~"))
                pairs.add((before, f"{after} ." if after else ""))
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0] + pair[1])))


def plural(noun: str) -> str:
    """Make the plural of a noun of this world."""
    return noun + ("es" if noun.endswith(("s", "x")) else "s")


def article(words: str) -> str:
    """Put "a" or "an" before a phrase."""
    return f"an {words}" if words[0] in "aeio" else f"a {words}"


def listing(items: Sequence[str]) -> str:
    """Join items as "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _read(name: str) -> dict[str, Any]:
    text = (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    value: dict[str, Any] = yaml.safe_load(text)
    return value


def is_plain(clause: str) -> bool:
    """Tell whether a clause is one main clause with its subject first."""
    return not (_FRONTED.match(clause) or _SOLO.match(clause))


def _fits(intro: str, clause: str) -> bool:
    if "{image}" in clause and _mentions_image(intro):
        return False
    if _DETACHED.fullmatch(intro):
        return True
    if _FRONTED.match(clause):
        return False
    return not (_SOLO.match(clause) and _PERSONAL.search(intro))


def _mentions_image(intro: str) -> bool:
    return "{image}" in intro or "{in}" in intro


def _join(intro: str, clause: str) -> str:
    return intro.replace("~", without_place(clause) if _mentions_image(intro) else clause)


def _content_words() -> frozenset[str]:
    phrases = [*COLORS, *SHAPES, *SIZES, *TEXTURES, *BACKGROUNDS, *REGIONS, *RELATIONS, *NUMBERS]
    words = {word for phrase in phrases for word in phrase.split()} - {"of"}
    words |= {*IMAGE_NOUNS, *THING_NOUNS, "corner", "side", "a", "an", "the", "this"}
    return frozenset(words | {plural(word) for word in words})


_CONTENT = _content_words()
