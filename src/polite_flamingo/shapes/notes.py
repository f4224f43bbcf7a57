"""Captions as people type them, each with the facts it tells: five of an image truly differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from polite_flamingo.shapes.questions import Phrase
from polite_flamingo.shapes.scene import (
    COLORS,
    RELATIONS,
    SHAPES,
    Scene,
    Thing,
    pick,
    region,
    relation_holds,
)
from polite_flamingo.shapes.spelling import (
    BARE_NOUNS,
    count_word,
    listed,
    look_of,
    name_of,
    place_words,
    plural,
    scrawl,
    spell,
    with_article,
)

_SYNONYM_SHARE = 0.2
# Draws of one more caption before texts that differ in wording only are good enough.
_TRIES = 60
# People name a few things and pass over the rest.
_MOST_NAMED = 3


_ANYTHING = Phrase()


@dataclass(frozen=True)
class Fact:
    """One thing a note tells; ``kind``: thing, place, relation, count, ground or absent.

    ``thing`` is the one that ``subject`` names. ``value``: region, relation, number, background.
    """

    kind: str
    subject: Phrase = _ANYTHING
    value: str = ""
    other: Phrase | None = None
    thing: Thing | None = None


@dataclass(frozen=True)
class Note:
    """A terse text and the facts it tells."""

    text: str
    facts: tuple[Fact, ...]


def notes(
    scene: Scene, rng: np.random.Generator, number: int = 5, focus: Thing | None = None
) -> list[Note]:
    """Write ``number`` captions that differ in form and in what they tell.

    With ``focus`` each names its colour and shape. In poor scenes some tell the same.
    """
    forms = list(_FOCUSED if focus is not None else _FORMS)
    rng.shuffle(forms)
    found: list[Note] = []
    turn = 0
    while len(found) < number:
        note = forms[turn % len(forms)](scene, rng, focus)
        turn += 1
        texts = {other.text for other in found}
        told = {frozenset(other.facts) for other in found}
        if note is None or note.text in texts:
            continue
        if frozenset(note.facts) in told and turn < _TRIES:
            continue
        found.append(note)
    return [Note(scrawl(note.text, rng), note.facts) for note in found]


def _named(
    scene: Scene,
    rng: np.random.Generator,
    focus: Thing | None,
    most: int,
    more: float = 0.35,
) -> tuple[list[str], list[Fact]]:
    """Name up to ``most`` things, ``focus`` first: colour and shape, size or texture with chance."""
    things = [scene.things[int(spot)] for spot in rng.permutation(len(scene.things))]
    if focus is not None:
        things = [focus, *(thing for thing in things if thing != focus)]
    names, facts = [], []
    articles = rng.random() < 0.35
    for thing in things[:most]:
        phrase = Phrase(
            shape=thing.shape,
            color=thing.color,
            size=thing.size if rng.random() < more else None,
            texture=thing.texture if thing.texture != "plain" and rng.random() < more else None,
        )
        name = name_of(phrase, rng, _SYNONYM_SHARE, "")
        names.append(with_article(name) if articles else name)
        facts.append(Fact("thing", phrase, thing=thing))
    return names, facts


_Form = Callable[[Scene, np.random.Generator, Thing | None], Note | None]


def _list(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> Note:
    names, facts = _named(scene, rng, focus, 1 + int(rng.integers(_MOST_NAMED)))
    lead = pick(("", "", "i see ", "its ", "just ") if len(names) > 1 else ("", "i see "), rng)
    rest = pick((" and some more", " and other stuff", " etc"), rng)
    hidden = len(scene.things) > len(names) and lead != "just " and rng.random() < 0.5
    lead = "" if lead == "just " and len(scene.things) > len(names) else lead
    return Note(f"{lead}{listed(names, rng)}{rest if hidden else ''}", tuple(facts))


def _close(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> Note:
    names, facts = _named(scene, rng, focus, 1, more=0.9)
    return Note(pick(("{}", "there's {}", "one {}", "{} here"), rng).format(*names), tuple(facts))


def _placed(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> Note:
    (name,), (fact,) = _named(scene, rng, focus, 1, more=0.15)
    assert fact.thing is not None
    place = region(fact.thing)
    where = place_words(place, rng)
    bare = pick((f"{place}: {name}", f"{name} {where}", f"{where} {name}", f"{name}, {where}"), rng)
    return Note(bare, (fact, Fact("place", fact.subject, place, thing=fact.thing)))


def _related(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> Note | None:
    names, facts = _named(scene, rng, focus, 2, more=0.15)
    if len(names) < 2 or facts[0].subject == facts[1].subject:
        return None
    first, second = (fact.thing for fact in facts)
    assert first is not None and second is not None
    true = [relation for relation in RELATIONS if relation_holds(first, relation, second)]
    if not true:
        return None
    relation = pick(true, rng)
    said = {"above": ("above", "over"), "below": ("below", "under")}.get(relation, (relation,))
    facts.append(Fact("relation", facts[0].subject, relation, facts[1].subject))
    return Note(f"{names[0]} {pick(said, rng)} {names[1]}", tuple(facts))


def _grounded(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> Note:
    names, facts = _named(scene, rng, focus, 2, more=0.1)
    form = pick(("{} on {}", "{} on a {} background", "{} , {} background", "{} w/ {} bg"), rng)
    facts.append(Fact("ground", value=scene.background))
    return Note(form.format(listed(names, rng), scene.background), tuple(facts))


def _gist(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> Note:
    total = len(scene.things)
    noun = pick(BARE_NOUNS[:2], rng)
    noun = noun if total == 1 else plural(noun)
    form = pick(("{} {} on {}", "{} {}, {} background", "pic of {} {} on {}"), rng)
    text = form.format(count_word(total, rng), noun, scene.background)
    facts = (Fact("count", value=str(total)), Fact("ground", value=scene.background))
    return Note(text, facts)


def _counted(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> Note:
    """Count the things of one shape or colour."""
    name = pick(("shape", "color"), rng)
    value = getattr(pick(scene.things, rng), name)
    number = sum(getattr(thing, name) == value for thing in scene.things)
    noun = value if name == "shape" else f"{value} {pick(BARE_NOUNS[:2], rng)}"
    said = noun if number == 1 else plural(noun)
    form = pick(("{} {}", "{} {} in here", "i count {} {}"), rng)
    text = form.format(count_word(number, rng), said)
    return Note(text, (Fact("count", Phrase(**{name: value}), str(number)),))


def _grouped(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> Note:
    groups = Counter(look_of(thing) for thing in scene.things)
    names, facts = [], []
    for (shape, color), number in list(groups.items())[:_MOST_NAMED]:
        name = f"{spell(color, rng, _SYNONYM_SHARE)} {spell(shape, rng, _SYNONYM_SHARE)}"
        names.append(name if number == 1 else f"{count_word(number, rng)} {plural(name)}")
        phrase = Phrase(shape=shape, color=color)
        thing = next(t for t in scene.things if look_of(t) == (shape, color))
        facts.append(
            Fact("thing", phrase, thing=thing)
            if number == 1
            else Fact("count", phrase, str(number))
        )
    return Note(pick((" + ", " & ", ", "), rng).join(names), tuple(facts))


def _statement(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> Note | None:
    """State the colour, size or texture of the only thing of its shape."""
    thing = pick(scene.things, rng)
    if sum(other.shape == thing.shape for other in scene.things) > 1:
        return None
    name = pick(("color", "size", "texture"), rng)
    value = getattr(thing, name)
    shape = spell(thing.shape, rng, _SYNONYM_SHARE)
    form = pick(("the {} is {}", "{} is {}", "{1} {0}"), rng)
    phrase = Phrase(**{"shape": thing.shape, name: value})
    text = form.format(shape, spell(value, rng, _SYNONYM_SHARE))
    return Note(text, (Fact("thing", phrase, thing=thing),))


def _absence(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> Note:
    """Say what is not there: a shape, or a colour of a shape."""
    shapes = [shape for shape in SHAPES if all(t.shape != shape for t in scene.things)]
    if shapes and rng.random() < 0.7:
        phrase = Phrase(shape=pick(shapes, rng))
    else:
        shown = {look_of(thing) for thing in scene.things}
        spare = [(s, c) for s in SHAPES for c in COLORS if (s, c) not in shown]
        shape, color = spare[int(rng.integers(len(spare)))]
        phrase = Phrase(shape=shape, color=color)
    name = name_of(phrase, rng, 0.0, "")
    text = pick(("no {} here", "no {}", "there is no {}", "i dont see a {}"), rng).format(name)
    return Note(text.replace(" a orange", " an orange"), (Fact("absent", phrase),))


_FOCUSED: tuple[_Form, ...] = (_list, _close, _placed, _related, _grounded)
_FORMS: tuple[_Form, ...] = (*_FOCUSED, _gist, _counted, _grouped, _statement, _absence)
