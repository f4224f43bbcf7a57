"""Terse annotations of scenes, as hurried annotators write them: the raw style of the world.

Nothing here is polite, and no sentence template is shared with the polite language or the oracle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polite_flamingo.shapes.questions import Phrase, Question
from polite_flamingo.shapes.scene import (
    COLORS,
    REGIONS,
    RELATIONS,
    SHAPES,
    TEXTURES,
    Change,
    Scene,
    Thing,
    pick,
    region,
    relation_holds,
    unlike,
)

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
_BARE_NOUNS = ("shape", "object", "thing")

# {x}, {y}: singular without article; {a}: with a/an; {xs}, {ys}: plural; {rel}: relation.
QUESTION_FORMS: Mapping[str, tuple[str, ...]] = {
    "color": (
        "what color is the {x}?",
        "what is the color of the {x}?",
        "what colour is the {x}?",
        "color of the {x}?",
        "which color does the {x} have?",
        "the {x} is what color?",
        "what color does the {x} have?",
    ),
    "shape": (
        "what is the {x}?",
        "what shape is the {x}?",
        "what is the shape of the {x}?",
        "which shape is the {x}?",
        "what kind of shape is the {x}?",
        "shape of the {x}?",
        "what shape does the {x} have?",
    ),
    "size": (
        "what size is the {x}?",
        "how big is the {x}?",
        "is the {x} small or large?",
        "what is the size of the {x}?",
        "size of the {x}?",
        "is the {x} large or small?",
    ),
    "texture": (
        "what texture does the {x} have?",
        "what is the texture of the {x}?",
        "is the {x} plain, striped or dotted?",
        "what pattern is on the {x}?",
        "texture of the {x}?",
        "what pattern does the {x} have?",
    ),
    "exist": (
        "is there {a}?",
        "is there {a} in the image?",
        "does the image contain {a}?",
        "is {a} present?",
        "is {a} in the image?",
        "does the picture show {a}?",
        "are there any {xs}?",
        "any {xs} in the image?",
    ),
    "count": (
        "how many {xs} are there?",
        "how many {xs} are in the image?",
        "how many {xs} can be seen?",
        "how many {xs}?",
        "number of {xs}?",
        "how many {xs} does the image contain?",
    ),
    "relation": (
        "is the {x} {rel} the {y}?",
        "is the {x} placed {rel} the {y}?",
        "is the {x} located {rel} the {y}?",
        "does the {x} lie {rel} the {y}?",
        "can the {x} be found {rel} the {y}?",
        "{x} {rel} the {y}?",
    ),
    "position": (
        "where is the {x}?",
        "where in the image is the {x}?",
        "in which part of the image is the {x}?",
        "which part of the image holds the {x}?",
        "where is the {x} located?",
        "position of the {x}?",
    ),
    "compare": (
        "are there more {xs} than {ys}?",
        "are there more {xs} than {ys} in the image?",
        "is the number of {xs} greater than the number of {ys}?",
        "more {xs} than {ys}?",
        "do the {xs} outnumber the {ys}?",
        "does the image have more {xs} than {ys}?",
    ),
}
# "the only thing": questions that need no description, as easy-VQA asks them.
_BARE_SHAPE_FORMS = (
    "what shape is present?",
    "what shape is in the image?",
    "what shape does the image contain?",
    "what is the shape?",
    "which shape is shown?",
    "what shape is the object?",
)
# Only ever asked in the test pool: unseen wordings.
TEST_QUESTION_FORMS: Mapping[str, tuple[str, ...]] = {
    "color": ("name the color of the {x}.", "the {x} has which color?"),
    "shape": ("name the shape of the {x}.", "the {x} has what shape?"),
    "size": ("how large is the {x}?", "which size does the {x} have?"),
    "texture": ("which pattern fills the {x}?", "is the {x} dotted, striped or plain?"),
    "exist": ("can {a} be seen?", "does {a} appear here?"),
    "count": ("what is the number of {xs}?", "how many {xs} does the image show?"),
    "relation": ("does the {x} sit {rel} the {y}?", "is it true that the {x} is {rel} the {y}?"),
    "position": ("whereabouts is the {x}?", "in what region of the image is the {x}?"),
    "compare": (
        "are the {xs} more numerous than the {ys}?",
        "does the image show more {xs} than {ys}?",
    ),
}
# CLEVR's generated English: capitals, full words.
CLEVR_FORMS: Mapping[str, tuple[str, ...]] = {
    "color": (
        "What color is the {x}?",
        "What is the color of the {x}?",
        "There is a {x}; what color is it?",
        "The {x} has what color?",
        "What color is the {x} in the picture?",
        "There is a {x}; what is its color?",
    ),
    "shape": (
        "What is the shape of the {x}?",
        "What shape is the {x}?",
        "There is a {x}; what shape is it?",
        "The {x} has what shape?",
        "What shape is the {x} in the picture?",
        "There is a {x}; what is its shape?",
    ),
    "size": (
        "What size is the {x}?",
        "What is the size of the {x}?",
        "There is a {x}; what size is it?",
        "How big is the {x}?",
        "The {x} has what size?",
        "There is a {x}; how big is it?",
    ),
    "texture": (
        "What texture does the {x} have?",
        "What is the texture of the {x}?",
        "There is a {x}; what is its texture?",
        "The {x} has what texture?",
        "What is the {x} covered with?",
        "There is a {x}; what texture does it have?",
    ),
    "exist": (
        "Are there any {xs}?",
        "Is there a {x}?",
        "Are any {xs} visible?",
        "Is a {x} visible?",
        "Are there any {xs} in the picture?",
        "Is there a {x} in the picture?",
    ),
    "count": (
        "How many {xs} are there?",
        "What number of {xs} are there?",
        "How many {xs} are visible?",
        "What number of {xs} are visible?",
        "How many {xs} are in the picture?",
        "What number of {xs} are in the picture?",
    ),
    "relation": (
        "Is the {x} {rel} the {y}?",
        "There is a {x}; is it {rel} the {y}?",
        "Is the {x} that is visible {rel} the {y}?",
        "Is there a {x} {rel} the {y}?",
        "There is a {y}; is the {x} {rel} it?",
        "Is a {x} {rel} the {y}?",
    ),
    "compare": (
        "Are there more {xs} than {ys}?",
        "Is the number of {xs} greater than the number of {ys}?",
        "Are there more {xs} than {ys} in the picture?",
        "Is the count of {xs} greater than the count of {ys}?",
        "Is the number of {xs} higher than that of {ys}?",
        "Are more {xs} visible than {ys}?",
    ),
}
TEST_CLEVR_FORMS: Mapping[str, tuple[str, ...]] = {
    "color": ("What is the {x}'s color?",),
    "shape": ("What is the {x}'s shape?",),
    "size": ("What is the {x}'s size?",),
    "texture": ("What is the {x}'s texture?",),
    "exist": ("Does the picture have any {xs}?",),
    "count": ("The picture has how many {xs}?",),
    "relation": ("Is the position of the {x} {rel} the {y}?",),
    "compare": ("Does the picture have more {xs} than {ys}?",),
}

_RATIONALE_FORMS: Mapping[str, tuple[str, ...]] = {
    "color": (
        "it was painted {answer}.",
        "all of it looks {answer}",
        "{answer} is what fills the {x}",
        "only one {x} and its {answer}",
        "{answer} paint on it.",
    ),
    "shape": (
        "outline of a {answer}.",
        "it looks like a {answer}",
        "corners and edges match a {answer}",
        "drawn like a {answer}.",
        "has the form of a {answer}",
    ),
    "count": (
        "counted {answer} of them.",
        "{answer} in total",
        "counting the {xs} gives {answer}",
        "only {answer} match.",
        "{answer} seen, no others",
    ),
    "position": (
        "it was put {place}.",
        "drawn {place}",
        "{place}, away from the rest",
        "spot is {place}.",
        "you find it {place}",
    ),
    "texture": (
        "surface is {answer}.",
        "its fill looks {answer}",
        "{answer} inside",
        "the {x} was drawn {answer}.",
        "close up it is {answer}",
    ),
}

_CHANGE_FORMS: Mapping[str, tuple[str, ...]] = {
    "color": (
        "the {x} is now {color}",
        "{x} turned {color}",
        "{x} changed to {color}",
        "the {x} became {color}",
        "{x} has {color} color now",
    ),
    "removed": (
        "the {x} is gone",
        "{x} is missing",
        "{x} not there anymore",
        "no more {x}",
        "the {x} {place} has disappeared",
    ),
    "added": (
        "there is a new {y}",
        "{a} appeared {there}",
        "{y} was added",
        "new {y} {there}",
        "now {a} {there}",
    ),
    "moved": (
        "the {x} moved to another spot",
        "{x} is now {there}",
        "{x} shifted, was {place}",
        "the {x} moved, it is {there} now",
        "{x} has a different position",
    ),
    "none": (
        "there are no differences",
        "no difference",
        "both images are the same",
        "nothing changed",
    ),
}


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
        if not any(_looks(seen) == _looks(thing) for thing in scene.things):
            things = (*scene.things[:spot], seen, *scene.things[spot + 1 :])
            return Mistake(replace(scene, things=things), seen, true)


def captions(
    scene: Scene, rng: np.random.Generator, number: int = 5, focus: Thing | None = None
) -> list[str]:
    """Write ``number`` different terse captions; each names colour and shape of ``focus``."""
    found: list[str] = []
    forms = list(_CAPTION_FORMS)
    rng.shuffle(forms)
    turn = 0
    while len(found) < number:
        text = _roughen(forms[turn % len(forms)](scene, rng, focus), rng)
        turn += 1
        if text.strip().lower() not in {other.strip().lower() for other in found}:
            found.append(text)
    return found


def question_text(question: Question, rng: np.random.Generator, pool: str) -> str:
    """Word a question casually, in lower case; half of the test pool's forms occur only there."""
    forms = QUESTION_FORMS[question.kind]
    if question.kind == "shape" and question.subject == Phrase():
        forms = _BARE_SHAPE_FORMS
    if pool == "test" and rng.random() < 0.5:
        forms = TEST_QUESTION_FORMS[question.kind]
    return _fill(pick(forms, rng), question, rng, synonyms=0.15)


def clevr_text(question: Question, rng: np.random.Generator, pool: str) -> str:
    """Word a question as CLEVR's generator does; half of the test pool's forms occur only there."""
    tested = pool == "test" and rng.random() < 0.5
    forms = (TEST_CLEVR_FORMS if tested else CLEVR_FORMS)[question.kind]
    text = _fill(pick(forms, rng), question, rng, synonyms=0.0)
    for vowel in "aeiou":
        text = text.replace(f" a {vowel}", f" an {vowel}")
    return text


def clevr_program(question: Question) -> list[dict[str, Any]]:
    """Write a question as CLEVR's functional program: nodes in order, inputs by index."""
    nodes: list[dict[str, Any]] = []

    def add(function: str, inputs: Sequence[int], *values: str) -> int:
        nodes.append({"function": function, "inputs": list(inputs), "value_inputs": list(values)})
        return len(nodes) - 1

    def select(phrase: Phrase, start: int) -> int:
        for name in ("size", "color", "texture", "shape"):
            value = getattr(phrase, name)
            if value is not None:
                start = add(f"filter_{name}", [start], value)
        return start

    if question.kind == "relation" and question.other is not None:
        anchor = add("unique", [select(question.other, add("scene", []))])
        side = add("relate", [anchor], str(question.relation).removesuffix(" of"))
        add("exist", [select(question.subject, side)])
        return nodes
    chosen = select(question.subject, add("scene", []))
    if question.kind in ("exist", "count"):
        add(question.kind, [chosen])
    elif question.kind == "compare" and question.other is not None:
        left = add("count", [chosen])
        right = add("count", [select(question.other, add("scene", []))])
        add("greater_than", [left, right])
    else:
        add(f"query_{question.kind}", [add("unique", [chosen])])
    return nodes


def wrong_answer(question: Question, rng: np.random.Generator) -> str:
    """Draw an answer of the right type that is not the true one."""
    return unlike(_answers(question), question.answer, rng)


def answer_choices(question: Question, given: str, rng: np.random.Generator) -> list[str]:
    """Make four different choices in random order, the given and the true answer among them."""
    choices = list(dict.fromkeys((given, question.answer)))
    spare = [answer for answer in _answers(question) if answer not in choices]
    if len(choices) + len(spare) < 4:
        spare += [c for c in ("wavy", "checkered", "blurry") if c not in choices]
    order = rng.permutation(len(spare))
    choices += [spare[int(place)] for place in order[: 4 - len(choices)]]
    return [choices[int(place)] for place in rng.permutation(4)]


def direct_answers(answer: str, rng: np.random.Generator, number: int = 10) -> list[str]:
    """Write an answer as ``number`` annotators type it: mostly alike, some sloppy."""
    return [terse_answer(answer, rng) for _ in range(number)]


def terse_answer(answer: str, rng: np.random.Generator) -> str:
    """Type a short answer: a digit may become a word, sometimes a capital or a full stop."""
    text = answer
    if text.isdigit() and rng.random() < 0.35:
        text = NUMBER_WORDS[int(text)] if int(text) < len(NUMBER_WORDS) else text
    chance = rng.random()
    if chance < 0.06:
        return text.capitalize()
    return text + "." if chance < 0.1 else text


def rationales(question: Question, answer: str, rng: np.random.Generator) -> list[str]:
    """Write three different terse rationales for a given answer (true or not)."""
    forms = _RATIONALE_FORMS[question.kind]
    order = rng.permutation(len(forms))[:3]
    place = _place_words(answer, rng) if question.kind == "position" else ""
    asked = replace(question, answer=answer)
    return [
        _fill(forms[int(spot)], asked, rng, synonyms=0.0, answer=answer, place=place)
        for spot in order
    ]


def change_sentences(change: Change, rng: np.random.Generator, number: int) -> list[str]:
    """Write ``number`` different sentences about the one change of a Spot-the-Diff pair."""
    forms = _CHANGE_FORMS[change.kind]
    words = {"x": "", "y": "", "a": "", "color": "", "place": "", "there": ""}
    if change.before is not None:
        words |= {
            "x": _item(change.before, rng),
            "place": _place_words(region(change.before), rng),
        }
    if change.after is not None:
        name = _item(change.after, rng)
        words |= {
            "y": name,
            "a": _with_article(name),
            "color": change.after.color,
            "there": _place_words(region(change.after), rng),
        }
    order = rng.permutation(len(forms))[:number]
    return [_roughen(forms[int(spot)].format(**words), rng) for spot in order]


def mistaken_change(change: Change, scenes: Sequence[Scene], rng: np.random.Generator) -> Change:
    """Missee the colour in a change, as no thing of that shape has in either scene."""
    thing = change.after or change.before
    if thing is None:
        return change
    used = {t.color for scene in scenes for t in scene.things if t.shape == thing.shape}
    color = pick([color for color in COLORS if color not in used] or COLORS, rng)
    after = None if change.after is None else replace(change.after, color=color)
    before = change.before
    # A recoloured thing is named rightly and given a wrong new colour; others are misseen whole.
    if change.kind != "color" and before is not None:
        before = replace(before, color=color)
    return Change(change.kind, before, after)


def vsr_caption(question: Question, rng: np.random.Generator) -> str:
    """State a relation question as a caption: "The red circle is left of the blue square."."""
    text = _fill("the {x} is {relation} the {y}.", question, rng, synonyms=0.0)
    return text[0].upper() + text[1:]


def grid3d_tokens(question: Question, rng: np.random.Generator) -> list[str]:
    """Word an existence or counting question as GRiD-3D's token list, "?" last."""
    forms = {
        "exist": (
            "is there {a} in the image ?",
            "does {a} exist ?",
            "is {a} visible ?",
            "do you see {a} ?",
            "can you find {a} ?",
            "is {a} part of the image ?",
        ),
        "count": (
            "how many {xs} are there ?",
            "how many {xs} are visible ?",
            "how many {xs} do you see ?",
            "what is the count of {xs} ?",
            "how many {xs} exist ?",
            "what number of {xs} can you find ?",
        ),
    }[question.kind]
    return _fill(pick(forms, rng), question, rng, synonyms=0.0).split()


def _answers(question: Question) -> tuple[str, ...]:
    if question.kind == "count":
        true = int(question.answer)
        return tuple(str(number) for number in range(max(0, true - 3), true + 4))
    by_kind = {
        "color": COLORS,
        "shape": SHAPES,
        "size": ("small", "large"),
        "texture": TEXTURES,
        "position": REGIONS,
    }
    return by_kind.get(question.kind, ("yes", "no"))


def _looks(thing: Thing) -> tuple[str, str]:
    return thing.shape, thing.color


def _word(word: str, rng: np.random.Generator, synonyms: float) -> str:
    others = SYNONYMS.get(word)
    return pick(others, rng) if others and rng.random() < synonyms else word


def _with_article(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def _plural(words: str) -> str:
    return words + ("es" if words.endswith("s") else "s")


def _name(phrase: Phrase, rng: np.random.Generator, synonyms: float, noun: str) -> str:
    words = [
        _word(value, rng, synonyms)
        for value in (phrase.size, phrase.texture, phrase.color)
        if value is not None
    ]
    words.append(noun if phrase.shape is None else _word(phrase.shape, rng, synonyms))
    return " ".join(words)


def _fill(
    form: str, question: Question, rng: np.random.Generator, synonyms: float, **more: str
) -> str:
    """Fill the slots of a question form; nouns of bare phrases never repeat the form's own."""
    nouns = [noun for noun in _BARE_NOUNS if noun not in form.lower()]
    subject = _name(question.subject, rng, synonyms, pick(nouns, rng))
    other = "" if question.other is None else _name(question.other, rng, synonyms, "thing")
    relation = question.relation or ""
    if relation.endswith(" of") and rng.random() < 0.5:
        loose = f"to the {relation}"
    elif relation == "below" and rng.random() < 0.3:
        loose = "under"
    else:
        loose = relation
    return form.format(
        x=subject,
        a=_with_article(subject),
        xs=_plural(subject),
        y=other,
        ys=_plural(other),
        rel=loose,
        relation=relation,
        **more,
    )


def _item(thing: Thing, rng: np.random.Generator, sure: bool = True) -> str:
    """Name a thing in a caption: colour and shape (if ``sure`` always), often size or texture."""
    phrase = Phrase(
        shape=thing.shape if sure or rng.random() < 0.93 else None,
        color=thing.color if sure or rng.random() < 0.93 else None,
        size=thing.size if rng.random() < 0.45 else None,
        texture=thing.texture
        if rng.random() < (0.08 if thing.texture == "plain" else 0.6)
        else None,
    )
    return _name(phrase, rng, 0.2, pick(_BARE_NOUNS[:2], rng))


def _place_words(place: str, rng: np.random.Generator) -> str:
    word = _word(place, rng, 0.3)
    if place == "center":
        return f"in the {word}"
    if place in ("left", "right"):
        return f"on the {place}"
    if place in ("top", "bottom"):
        return f"at the {place}"
    return pick((f"in the {place}", f"in the {place} corner", f"at {place}"), rng)


def _count_word(number: int, rng: np.random.Generator) -> str:
    if number < len(NUMBER_WORDS) and rng.random() < 0.5:
        return NUMBER_WORDS[number]
    return str(number)


def _listed(names: Sequence[str], rng: np.random.Generator) -> str:
    if len(names) > 1 and rng.random() < 0.6:
        last = pick((" and ", " & ", " and "), rng)
        return ", ".join(names[:-1]) + last + names[-1]
    return pick((", ", ", ", " , "), rng).join(names)


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
    names = [_item(thing, rng, sure=thing == focus) for thing in things]
    return [_with_article(name) for name in names] if articles else names


def _list_caption(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> str:
    return _listed(_items(_in_order(scene, rng, focus), rng, focus), rng)


def _background_caption(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> str:
    ground = pick(("{} background", "a {} background", "{}"), rng).format(scene.background)
    return f"{_list_caption(scene, rng, focus)} on {ground}"


def _count_caption(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> str:
    total = len(scene.things)
    noun = pick(_BARE_NOUNS[:2], rng)
    noun = noun if total == 1 else _plural(noun)
    names = _items(_in_order(scene, rng, focus, total), rng, focus)
    return f"{_count_word(total, rng)} {noun}{pick((': ', ', ', ' - '), rng)}{_listed(names, rng)}"


def _group_caption(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> str:
    groups = Counter(_looks(thing) for thing in _in_order(scene, rng, focus, len(scene.things)))
    names = []
    for (shape, color), number in groups.items():
        name = f"{_word(color, rng, 0.2)} {_word(shape, rng, 0.2)}"
        many = number > 1
        names.append(f"{_count_word(number, rng)} {_plural(name)}" if many else name)
    return _listed(names, rng)


def _place_caption(scene: Scene, rng: np.random.Generator, focus: Thing | None) -> str:
    things = _in_order(scene, rng, focus, 1 + int(rng.integers(2)))
    names = _items(things, rng, focus)
    placed = [
        f"{name} {_place_words(region(thing), rng)}"
        for name, thing in zip(names, things, strict=True)
    ]
    return _listed(placed, rng)


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
        looks = {_looks(thing) for thing in scene.things}
        shape, color = pick(SHAPES, rng), pick(COLORS, rng)
        missing = shape not in {name for name, _ in looks}
        name = shape if missing else f"{color} {shape}"
        if (shape, color) not in looks:
            form = pick(("there is no {}", "no {} here", "the image has no {}"), rng)
            return form.format(name)
    thing = _in_order(scene, rng, focus, 1)[0]
    shape, color = _word(thing.shape, rng, 0.2), _word(thing.color, rng, 0.2)
    alone = sum(other.shape == thing.shape for other in scene.things) == 1
    only = sum(other.color == thing.color for other in scene.things) == 1
    forms = [f"{'the' if alone else 'a'} {shape} is {color}"]
    forms.append(f"the {color} {pick(_BARE_NOUNS, rng)} is {_with_article(shape)}" if only else "")
    place = _place_words(region(thing), rng)
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


def _roughen(text: str, rng: np.random.Generator) -> str:
    """Finish as annotators do: maybe a capital, a full stop, a typo or a stray blank."""
    if rng.random() < 0.05:
        text = _typo(text, rng)
    if rng.random() < 0.25:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.3:
        text += "."
    chance = rng.random()
    if chance < 0.02:
        return text + " "
    return text + "\n" if chance < 0.03 else text


def _typo(text: str, rng: np.random.Generator) -> str:
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
