"""Structured questions about a scene and their true answers; no wording lives here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations

import numpy as np

from polite_flamingo.shapes.scene import (
    ATTRIBUTES,
    COLORS,
    RELATIONS,
    SHAPES,
    SIZES,
    TEXTURES,
    Scene,
    Thing,
    is_held_out,
    pick,
    region,
    relation_holds,
    unlike,
)

KINDS = (
    "color",
    "shape",
    "size",
    "texture",
    "exist",
    "count",
    "relation",
    "position",
    "compare",
)
YES_NO_KINDS = ("exist", "relation", "compare")

_VALUES = {"color": COLORS, "shape": SHAPES, "size": SIZES, "texture": TEXTURES}
# Draws until a question of the wanted kind and answer is given up for this scene.
_TRIES = 24


@dataclass(frozen=True)
class Phrase:
    """A description of things, such as "small striped red circle"; None leaves a word out.

    Without a shape it reads "thing", "shape" or "object".
    """

    shape: str | None = None
    color: str | None = None
    size: str | None = None
    texture: str | None = None

    def matches(self, thing: Thing) -> bool:
        """Tell whether every attribute that is given fits the thing."""
        return all(
            value is None or value == getattr(thing, name)
            for name, value in ((name, getattr(self, name)) for name in ATTRIBUTES)
        )


@dataclass(frozen=True)
class Question:
    """A question and its answer: a colour, shape, size, texture, yes/no, digit or region.

    ``relation`` asks: is SUBJECT RELATION OTHER? ``compare``: are there more SUBJECT than OTHER?
    """

    kind: str
    answer: str
    subject: Phrase
    other: Phrase | None = None
    relation: str | None = None


def make_questions(
    scene: Scene, rng: np.random.Generator, kinds: Sequence[str], number: int
) -> list[Question]:
    """Make up to ``number`` different questions, kinds in turn, each with a clear answer.

    Referents are unique; yes/no questions ask for either answer equally often, and counts favour
    no number. Fewer come back where the scene cannot support more.
    """
    usable = list(kinds)
    rng.shuffle(usable)
    found: list[Question] = []
    misses = 0
    while usable and len(found) < number and misses < 3 * len(usable):
        kind = usable[(len(found) + misses) % len(usable)]
        question = _MAKERS[kind](scene, kind, rng)
        if question is None or any(_same(question, other) for other in found):
            misses += 1
        else:
            found.append(question)
    return found


def answer_question(scene: Scene, question: Question) -> str | None:
    """Answer from the scene graph; None if a referent is missing, ambiguous or too close to call.

    Squares are not rectangles in this world.
    """
    subjects = [thing for thing in scene.things if question.subject.matches(thing)]
    if question.kind == "exist":
        return "yes" if subjects else "no"
    if question.kind == "count":
        return str(len(subjects))
    if question.kind == "compare":
        if question.other is None:
            return None
        others = sum(question.other.matches(thing) for thing in scene.things)
        return "yes" if len(subjects) > others else "no"
    if len(subjects) != 1:
        return None
    if question.kind == "position":
        return region(subjects[0])
    if question.kind == "relation":
        return _relation_answer(scene, question, subjects[0])
    return str(getattr(subjects[0], question.kind))


def referring_phrases(scene: Scene, thing: Thing, without: Sequence[str] = ()) -> list[Phrase]:
    """List the phrases that pick out one thing, fewest words first; ``without`` bars attributes."""
    names = [name for name in ATTRIBUTES if name not in without]
    phrases = []
    for length in range(len(names) + 1):
        for chosen in combinations(names, length):
            phrase = Phrase(**{name: getattr(thing, name) for name in chosen})
            if sum(phrase.matches(other) for other in scene.things) == 1:
                phrases.append(phrase)
    return phrases


def refer(
    scene: Scene, thing: Thing, rng: np.random.Generator, without: Sequence[str] = ()
) -> Phrase | None:
    """Draw a phrase that picks out one thing, mostly short, mostly by its shape; None if none."""
    phrases = referring_phrases(scene, thing, without)
    if not phrases:
        return None
    named = [phrase for phrase in phrases if phrase.shape is not None]
    if named and rng.random() < 0.75:
        phrases = named
    shortest = _words(phrases[0])
    if rng.random() < 0.7:
        phrases = [phrase for phrase in phrases if _words(phrase) <= max(1, shortest)]
    return pick(phrases, rng)


def _relation_answer(scene: Scene, question: Question, subject: Thing) -> str | None:
    if question.other is None or question.relation is None:
        return None
    others = [thing for thing in scene.things if question.other.matches(thing)]
    if len(others) != 1 or others[0] == subject:
        return None
    holds = relation_holds(subject, question.relation, others[0])
    return None if holds is None else ("yes" if holds else "no")


def _words(phrase: Phrase) -> int:
    return sum(getattr(phrase, name) is not None for name in ATTRIBUTES)


def _same(a: Question, b: Question) -> bool:
    return replace(a, answer="") == replace(b, answer="")


def _finish(scene: Scene, question: Question) -> Question | None:
    answer = answer_question(scene, question)
    return None if answer is None else replace(question, answer=answer)


def _about_thing(scene: Scene, kind: str, rng: np.random.Generator) -> Question | None:
    thing = pick(scene.things, rng)
    phrase = refer(scene, thing, rng, without=() if kind == "position" else (kind,))
    return None if phrase is None else _finish(scene, Question(kind, "", phrase))


def _draw_phrase(scene: Scene, rng: np.random.Generator) -> Phrase:
    """Draw a phrase of one or two attributes, near what the scene shows, true of it or not."""
    thing = pick(scene.things, rng)
    chance = rng.random()
    names = ("shape",) if chance < 0.3 else ("color",) if chance < 0.5 else ("color", "shape")
    if chance > 0.9:
        names = (pick(("size", "texture"), rng), "shape")
    values = {name: getattr(thing, name) for name in names}
    if rng.random() < 0.6:
        name = pick(names, rng)
        values[name] = unlike(_VALUES[name], values[name], rng)
    phrase = Phrase(**values)
    # Asked about in training, a pair that is never there would teach to deny it.
    if scene.pool != "test" and is_held_out(phrase.color, phrase.shape):
        return _draw_phrase(scene, rng)
    return phrase


def _yes_no(rng: np.random.Generator) -> str:
    return "yes" if rng.random() < 0.5 else "no"


def _wanted(
    scene: Scene, rng: np.random.Generator, wanted: str, draw: Callable[[], Question | None]
) -> Question | None:
    """Draw until the answer is the wanted one, so that answers stay balanced."""
    for _ in range(_TRIES):
        question = draw()
        finished = None if question is None else _finish(scene, question)
        if finished is not None and finished.answer == wanted:
            return finished
    return None


def _exist(scene: Scene, kind: str, rng: np.random.Generator) -> Question | None:
    return _wanted(scene, rng, _yes_no(rng), lambda: Question(kind, "", _draw_phrase(scene, rng)))


def _count(scene: Scene, kind: str, rng: np.random.Generator) -> Question | None:
    def draw() -> Question:
        whole = rng.random() < 0.15
        return Question(kind, "", Phrase() if whole else _draw_phrase(scene, rng))

    wanted = str(int(rng.integers(0, len(scene.things) + 1)))
    return _wanted(scene, rng, wanted, draw)


def _relation(scene: Scene, kind: str, rng: np.random.Generator) -> Question | None:
    pairs = list(permutations(scene.things, 2))
    if not pairs:
        return None

    def draw() -> Question | None:
        a, b = pick(pairs, rng)
        subject, other = refer(scene, a, rng), refer(scene, b, rng)
        if subject is None or other is None:
            return None
        return Question(kind, "", subject, other, pick(RELATIONS, rng))

    return _wanted(scene, rng, _yes_no(rng), draw)


def _compare(scene: Scene, kind: str, rng: np.random.Generator) -> Question | None:
    def draw() -> Question | None:
        name = "shape" if rng.random() < 0.6 else "color"
        thing = pick(scene.things, rng)
        values = [getattr(thing, name), unlike(_VALUES[name], getattr(thing, name), rng)]
        if rng.random() < 0.5:
            values.reverse()
        return Question(kind, "", Phrase(**{name: values[0]}), Phrase(**{name: values[1]}))

    return _wanted(scene, rng, _yes_no(rng), draw)


_MAKERS: dict[str, Callable[[Scene, str, np.random.Generator], Question | None]] = {
    "color": _about_thing,
    "shape": _about_thing,
    "size": _about_thing,
    "texture": _about_thing,
    "position": _about_thing,
    "exist": _exist,
    "count": _count,
    "relation": _relation,
    "compare": _compare,
}
