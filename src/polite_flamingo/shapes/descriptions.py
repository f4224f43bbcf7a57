"""Polite descriptions of whole scenes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from polite_flamingo.shapes.questions import Phrase, Question
from polite_flamingo.shapes.scene import RELATIONS, Scene, Thing, region, relation_holds
from polite_flamingo.shapes.slots import (
    answer_slots,
    counted,
    full_name,
    noun_phrase,
    phrase_slots,
    place_words,
    relation_words,
    short_phrase,
    thing_noun,
)
from polite_flamingo.shapes.wordings import (
    NUMBERS,
    article,
    choose,
    fill,
    listing,
    load_questions,
    load_wording,
    plural,
    sentence_frames,
    shuffled,
    without_place,
)

_SECOND_PARAGRAPH_SHARE = 0.35


_MOST_DESCRIBED = 4


def describe(scene: Scene, wording: str, rng: np.random.Generator) -> str:
    """Describe a scene in 2-5 sentences; about a third has a second paragraph.

    Names up to four things with colour, size, texture and region, the others with colour and shape
    only, and a relation or the colours.
    """
    lines = load_wording(wording).frames["describe"]
    things = shuffled(scene.things, rng)
    number = len(things)
    slots = {
        "objects": f"{NUMBERS[number]} {'object' if number == 1 else 'objects'}",
        "ground": article(f"{scene.background} background"),
        "are": "is" if number == 1 else "are",
        "was": "was" if number == 1 else "were",
        "s": "s" if number == 1 else "",
    }
    overview = fill(choose(lines["overview"], rng), slots, rng)
    details = []
    shown = things[:_MOST_DESCRIBED]
    # One thing or two a sentence, so that four things take two sentences.
    pairs = len(shown) > 2 or rng.random() < 0.5
    step = 2 if pairs else 1
    for start in range(0, len(shown), step):
        details.append(_things_sentence(shown[start : start + step], lines, rng))
    if things[_MOST_DESCRIBED:]:
        details.append(_rest_sentence(things[_MOST_DESCRIBED:], lines, rng))
    closing = _closing(scene, wording, rng) if len(details) < 2 or rng.random() < 0.8 else ""
    if rng.random() >= _SECOND_PARAGRAPH_SHARE:
        return " ".join(part for part in (overview, *details, closing) if part)
    if closing and (len(details) == 1 or rng.random() < 0.5):
        return " ".join((overview, *details)) + "\n\n" + closing
    return f"{overview} {details[0]}\n\n" + " ".join(
        part for part in (*details[1:], closing) if part
    )


def describe_request(rng: np.random.Generator) -> str:
    """Ask for a description of the image."""
    return fill(choose(load_questions().lines("describe"), rng), {}, rng)


def _things_sentence(
    things: Sequence[Thing], lines: Mapping[str, Sequence[str]], rng: np.random.Generator
) -> str:
    slots = {}
    for thing, mark in zip(things, ("", "2"), strict=False):
        slots["full" + mark] = article(full_name(thing, rng))
        slots["at" + mark] = place_words(region(thing), rng)
    return fill(choose(lines["one" if len(things) == 1 else "two"], rng), slots, rng)


def _rest_sentence(
    things: Sequence[Thing], lines: Mapping[str, Sequence[str]], rng: np.random.Generator
) -> str:
    groups = Counter(f"{thing.color} {thing.shape}" for thing in things)
    names = [
        article(name) if number == 1 else f"{NUMBERS[number]} {plural(name)}"
        for name, number in groups.items()
    ]
    slots = {
        "rest": listing(names),
        # The verb goes with what is named first, as in "there is a star and two squares".
        "is_rest": "is" if names[0][0] == "a" else "are",
        "s_rest": "s" if len(things) == 1 else "",
    }
    return fill(choose(lines["rest"], rng), slots, rng)


def _closing(scene: Scene, wording: str, rng: np.random.Generator) -> str:
    lines = load_wording(wording).frames["describe"]
    if len(scene.things) == 1:
        kind = choose(("size", "texture"), rng)
        thing = scene.things[0]
        question = Question(kind, getattr(thing, kind), Phrase(shape=thing.shape))
        frames = choose(sentence_frames(wording, "intros", "clauses", "attribute"), rng)
        slots = phrase_slots(question, rng)
        slots |= answer_slots(question, slots["thing"], rng)
        return fill(without_place(frames[0]), slots, rng)
    related = _related_pair(scene, rng) if rng.random() < 0.6 else None
    if related is not None:
        return fill(choose(lines["relation"], rng), related, rng)
    colors = list(dict.fromkeys(thing.color for thing in scene.things))
    number = len(colors)
    slots = {
        "colors": listing(colors),
        "n_colors": counted(number, "color", "no"),
        "is_colors": "is" if number == 1 else "are",
    }
    # "The colors are red" is wrong of one colour.
    usable = [line for line in lines["colors"] if number > 1 or "objects are" in line.lower()]
    return fill(choose(usable or lines["colors"][1:2], rng), slots, rng)


def _related_pair(scene: Scene, rng: np.random.Generator) -> dict[str, str] | None:
    first, second = shuffled(scene.things, rng)[:2]
    for relation in shuffled(RELATIONS, rng):
        if relation_holds(first, relation, second):
            phrases = short_phrase(scene, first), short_phrase(scene, second)
            if phrases[0] is None or phrases[1] is None:
                return None
            noun = thing_noun(rng)
            return {
                "the": f"the {noun_phrase(phrases[0], noun)}",
                "other": f"the {noun_phrase(phrases[1], noun)}",
                "rel": relation_words(relation),
            }
    return None
