"""What fills the slots of the polite sentence frames: noun phrases, places, numbers, answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from polite_flamingo.shapes.questions import Phrase, Question
from polite_flamingo.shapes.scene import Scene, Thing
from polite_flamingo.shapes.wordings import NUMBERS, THING_NOUNS, article, choose, plural

POLAR_KINDS = ("exist", "relation", "compare")

_RELATION_WORDS = {"left of": "to the left of", "right of": "to the right of"}


def polar_word(question: Question, negated: bool) -> str:
    """Say "yes" or "no" to a yes/no question, turned round where it asks for absence."""
    if negated:
        return "no" if question.answer == "yes" else "yes"
    return question.answer


def phrase_slots(question: Question, rng: np.random.Generator) -> dict[str, str]:
    """Fill the slots that name what a question is about."""
    noun = thing_noun(rng)
    thing = noun_phrase(question.subject, noun)
    slots = {
        "noun": noun,
        "the": f"the {thing}",
        "a": article(thing),
        "thing": thing,
        "things": plural(thing),
    }
    if question.other is not None:
        other = noun_phrase(question.other, noun)
        slots |= {"other": f"the {other}", "others": plural(other)}
    if question.relation is not None:
        slots["rel"] = relation_words(question.relation)
    return slots


def answer_slots(
    question: Question, thing: str, rng: np.random.Generator, negated: bool = False
) -> dict[str, str]:
    """Fill the slots of an answer; ``thing`` is the noun phrase it is about."""
    answer, kind = question.answer, question.kind
    if kind in POLAR_KINDS:
        word = polar_word(question, negated)
        return {"yes": word.capitalize(), "yes_lower": word}
    if kind == "count":
        number = int(answer)
        return {
            "n": NUMBERS[number],
            "n_things": counted(number, thing, choose(("no", "zero"), rng)),
            "thing_n": thing if number == 1 else plural(thing),
            "are": "is" if number == 1 else "are",
            "s": "s" if number == 1 else "",
        }
    if kind == "position":
        return {"region": answer, "at": place_words(answer, rng)}
    return {"ans": answer, "a_ans": article(answer), "attr": kind}


def thing_noun(rng: np.random.Generator) -> str:
    """Draw the noun for things without a named shape; one text keeps to one noun."""
    return choose(THING_NOUNS[:2] if rng.random() < 0.9 else THING_NOUNS, rng)


def noun_phrase(phrase: Phrase, noun: str) -> str:
    """Spell a phrase; ``noun`` stands where it names no shape."""
    words = (phrase.size, phrase.texture, phrase.color, phrase.shape or noun)
    return " ".join(word for word in words if word)


def phrase_of(thing: Thing) -> Phrase:
    """Describe a thing by all of its attributes."""
    return Phrase(thing.shape, thing.color, thing.size, thing.texture)


def full_name(thing: Thing, rng: np.random.Generator) -> str:
    """Name a thing by all attributes; a plain texture is often left out."""
    plain = thing.texture == "plain" and rng.random() < 0.6
    return noun_phrase(replace(phrase_of(thing), texture=None if plain else thing.texture), "")


def counted(number: int, noun: str, zero: str) -> str:
    """Say how many: "one circle", "two circles"; ``zero`` is the word for none."""
    word = NUMBERS[number] if number else zero
    return f"{word} {noun if number == 1 else plural(noun)}"


def relation_words(relation: str) -> str:
    """Spell a relation: "left of" becomes "to the left of"."""
    return _RELATION_WORDS.get(relation, relation)


def place_words(place: str, rng: np.random.Generator) -> str:
    """Spell a region with its preposition."""
    if place == "center":
        return "in the center"
    if " " in place:
        return choose((f"at the {place}", f"in the {place} corner"), rng)
    if place in ("left", "right"):
        return choose((f"on the {place}", f"on the {place} side"), rng)
    return f"at the {place}"


def short_phrase(scene: Scene, thing: Thing) -> Phrase | None:
    """Find the first phrase that picks out one thing: its shape, then ever more attributes."""
    full = phrase_of(thing)
    for phrase in (Phrase(shape=thing.shape), replace(full, size=None, texture=None), full):
        if sum(phrase.matches(other) for other in scene.things) == 1:
            return phrase
    return None
