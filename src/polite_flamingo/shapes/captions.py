"""Terse captions of scenes, true ones and deliberate mistakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from polite_flamingo.shapes.notes import notes
from polite_flamingo.shapes.scene import (
    COLORS,
    RELATIONS,
    SHAPES,
    Scene,
    Thing,
    pick,
    region,
    relation_holds,
    unlike,
)
from polite_flamingo.shapes.spelling import (
    BARE_NOUNS,
    count_word,
    item_of,
    listed,
    look_of,
    place_words,
    plural,
    roughen,
    spell,
    with_article,
)


@dataclass(frozen=True)
class Mistake:
    """A deliberate annotation error: the scene as the annotator saw it, and the misseen thing."""

    scene: Scene
    thing: Thing
    true: Thing


def draw_mistake(scene: Scene, rng: np.random.Generator) -> Mistake:
    """Missee the colour or shape of one thing, so that nothing in the scene looks like it."""
    while True:
        spot = int(rng.integers(len(scene.things)))
        true = scene.things[spot]
        if rng.random() < 0.5:
            seen = replace(true, color=unlike(COLORS, true.color, rng))
        else:
            seen = replace(true, shape=unlike(SHAPES, true.shape, rng))
        if not any(look_of(seen) == look_of(thing) for thing in scene.things):
            things = (*scene.things[:spot], seen, *scene.things[spot + 1 :])
            return Mistake(replace(scene, things=things), seen, true)


def captions(
    scene: Scene,
    rng: np.random.Generator,
    number: int = 5,
    focus: Thing | None = None,
    human: bool = False,
) -> list[str]:
    """Write ``number`` different terse captions; each names colour and shape of ``focus``.

    ``human``: as people type, differing in what they tell; else the tidier style of the base
    sources, from which the base model learns to see.
    """
    if human:
        return [note.text for note in notes(scene, rng, number, focus)]
    found: list[str] = []
    forms = list(_CAPTION_FORMS)
    rng.shuffle(forms)
    turn = 0
    while len(found) < number:
        text = roughen(forms[turn % len(forms)](scene, rng, focus), rng)
        turn += 1
        if text.strip().lower() not in {other.strip().lower() for other in found}:
            found.append(text)
    return found


def _in_order(
    scene: Scene, rng: np.random.Generator, focus: Thing | None, number: int | None = None
) -> list[Thing]:
    """Draw things to mention, in random order; ``focus`` is always among them."""
    things = [scene.things[int(spot)] for spot in rng.permutation(len(scene.things))]
    if focus is not None:
        things = [focus] + [thing for thing in things if thing != focus]
    if number is None:
        number = len(things) if rng.random() < 0.75 else max(1, len(things) - 1)
    return things[:number]


def _items(things: Sequence[Thing], rng: np.random.Generator, focus: Thing | None) -> list[str]:
    articles = rng.random() < 0.4
    names = [item_of(thing, rng, sure=thing == focus) for thing in things]
    return [with_article(name) for name in names] if articles else names


def _list_caption(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> str:
    return listed(_items(_in_order(scene, rng, focus), rng, focus), rng)


def _background_caption(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> str:
    ground = pick(("{} background", "a {} background", "{}"), rng).format(scene.background)
    return f"{_list_caption(scene, rng, focus)} on {ground}"


def _count_caption(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> str:
    total = len(scene.things)
    noun = pick(BARE_NOUNS[:2], rng)
    noun = noun if total == 1 else plural(noun)
    names = _items(_in_order(scene, rng, focus, total), rng, focus)
    return f"{count_word(total, rng)} {noun}{pick((': ', ', ', ' - '), rng)}{listed(names, rng)}"


def _group_caption(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> str:
    groups = Counter(look_of(thing) for thing in _in_order(scene, rng, focus, len(scene.things)))
    names = []
    for (shape, color), number in groups.items():
        name = f"{spell(color, rng, 0.2)} {spell(shape, rng, 0.2)}"
        many = number > 1
        names.append(f"{count_word(number, rng)} {plural(name)}" if many else name)
    return listed(names, rng)


def _place_caption(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> str:
    things = _in_order(scene, rng, focus, 1 + int(rng.integers(2)))
    names = _items(things, rng, focus)
    placed = [
        f"{name} {place_words(region(thing), rng)}"
        for name, thing in zip(names, things, strict=True)
    ]
    return listed(placed, rng)


def _relation_caption(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> str:
    things = _in_order(scene, rng, focus, 2)
    if len(things) < 2:
        return _place_caption(scene, rng, focus)
    a, b = things
    true = [relation for relation in RELATIONS if relation_holds(a, relation, b)]
    if not true:
        return _list_caption(scene, rng, focus)
    relation = pick(true, rng)
    if relation.endswith(" of") and rng.random() < 0.4:
        relation = f"to the {relation}"
    first, second = _items(things, rng, focus)
    return f"{first} {relation} {second}"


def _statement_caption(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> str:
    """State one fact: the colour, shape or place of a thing, or (without focus) what is not there."""
    if focus is None and rng.random() < 0.3:
        looks = {look_of(thing) for thing in scene.things}
        shape, color = pick(SHAPES, rng), pick(COLORS, rng)
        missing = shape not in {name for name, _ in looks}
        name = shape if missing else f"{color} {shape}"
        if (shape, color) not in looks:
            form = pick(("there is no {}", "no {} here", "the image has no {}"), rng)
            return form.format(name)
    thing = _in_order(scene, rng, focus, 1)[0]
    shape, color = spell(thing.shape, rng, 0.2), spell(thing.color, rng, 0.2)
    alone = sum(other.shape == thing.shape for other in scene.things) == 1
    only = sum(other.color == thing.color for other in scene.things) == 1
    forms = [f"{'the' if alone else 'a'} {shape} is {color}"]
    forms.append(f"the {color} {pick(BARE_NOUNS, rng)} is {with_article(shape)}" if only else "")
    place = place_words(region(thing), rng)
    forms.append(f"{'the' if alone else 'a'} {color} {shape} is {place}")
    return pick([form for form in forms if form], rng)


_CAPTION_FORMS = (
    _list_caption,
    _background_caption,
    _count_caption,
    _group_caption,
    _place_caption,
    _relation_caption,
    _statement_caption,
)
