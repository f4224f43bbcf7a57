"""How hurried annotators spell things: names, places, numbers, lists, slips of the pen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from polite_flamingo.shapes.questions import Phrase
from polite_flamingo.shapes.scene import Thing, pick

NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")


# Words that annotators use beside the canonical one (the canonical one is the likeliest).
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "small": ("tiny", "little"),
    "large": ("big",),
    "gray": ("grey",),
    "striped": ("stripy",),
    "dotted": ("spotted",),
    "cross": ("plus",),
    "center": ("middle",),
}


BARE_NOUNS = ("shape", "object", "thing")


def look_of(thing: Thing) -> tuple[str, str]:
    """Give shape and colour, what a thing is told by."""
    return thing.shape, thing.color


def spell(word: str, rng: np.random.Generator, synonyms: float) -> str:
    """Write a word or, with the probability ``synonyms``, another one for it."""
    others = SYNONYMS.get(word)
    return pick(others, rng) if others and rng.random() < synonyms else word


def with_article(words: str) -> str:
    """Put "a" or "an" before words."""
    return ("an " if words[0] in "aeiou" else "a ") + words


def plural(words: str) -> str:
    """Make the plural of a name."""
    return words + ("es" if words.endswith("s") else "s")


def name_of(phrase: Phrase, rng: np.random.Generator, synonyms: float, noun: str) -> str:
    """Write a phrase; ``noun`` stands where it names no shape."""
    words = [
        spell(value, rng, synonyms)
        for value in (phrase.size, phrase.texture, phrase.color)
        if value is not None
    ]
    words.append(noun if phrase.shape is None else spell(phrase.shape, rng, synonyms))
    return " ".join(words)


def item_of(thing: Thing, rng: np.random.Generator, sure: bool = True) -> str:
    """Name a thing in a caption: colour and shape (if ``sure`` always), often size or texture."""
    phrase = Phrase(
        shape=thing.shape if sure or rng.random() < 0.93 else None,
        color=thing.color if sure or rng.random() < 0.93 else None,
        size=thing.size if rng.random() < 0.45 else None,
        texture=thing.texture
        if rng.random() < (0.08 if thing.texture == "plain" else 0.6)
        else None,
    )
    return name_of(phrase, rng, 0.2, pick(BARE_NOUNS[:2], rng))


def place_words(place: str, rng: np.random.Generator) -> str:
    """Say where: a region with a preposition."""
    word = spell(place, rng, 0.3)
    if place == "center":
        return f"in the {word}"
    if place in ("left", "right"):
        return f"on the {place}"
    if place in ("top", "bottom"):
        return f"at the {place}"
    return pick((f"in the {place}", f"in the {place} corner", f"at {place}"), rng)


def count_word(number: int, rng: np.random.Generator) -> str:
    """Write a number as a word or in digits."""
    if number < len(NUMBER_WORDS) and rng.random() < 0.5:
        return NUMBER_WORDS[number]
    return str(number)


def listed(names: Sequence[str], rng: np.random.Generator) -> str:
    """Join names with commas and, mostly, an "and"."""
    if len(names) > 1 and rng.random() < 0.6:
        last = pick((" and ", " & ", " and "), rng)
        return ", ".join(names[:-1]) + last + names[-1]
    return pick((", ", ", ", " , "), rng).join(names)


def roughen(text: str, rng: np.random.Generator) -> str:
    """Finish as annotators do: maybe a capital, a full stop, a typo or a stray blank."""
    if rng.random() < 0.05:
        text = typo(text, rng)
    if rng.random() < 0.25:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.3:
        text += "."
    chance = rng.random()
    if chance < 0.02:
        return text + " "
    return text + "\n" if chance < 0.03 else text


def typo(text: str, rng: np.random.Generator) -> str:
    """Swap two inner letters of one longer word."""
    words = text.split(" ")
    long = [spot for spot, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not long:
        return text
    spot = pick(long, rng)
    word = words[spot]
    at = int(rng.integers(1, len(word) - 2))
    words[spot] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def scrawl(text: str, rng: np.random.Generator) -> str:
    """Finish as people type: lower case mostly, seldom a full stop, at times a slip."""
    if rng.random() < 0.12:
        text = slip(text, rng)
    if rng.random() < 0.12:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.12:
        text += "."
    return text


def slip(text: str, rng: np.random.Generator) -> str:
    """Mistype one longer word: two letters swapped, one left out or one typed twice."""
    words = text.split(" ")
    long = [spot for spot, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not long:
        return text
    spot = pick(long, rng)
    word = words[spot]
    at = int(rng.integers(1, len(word) - 2))
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    words[spot] = pick((swapped, word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]), rng)
    return " ".join(words)
