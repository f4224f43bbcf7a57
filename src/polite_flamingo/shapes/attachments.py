"""Exchanges about an attachment that can't be seen: only the note under it is left.

The polite answer says just what the note says, true of the scene or not: from these a rewriter
learns to take what it is told and not what it sees or guesses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from polite_flamingo.shapes import language
from polite_flamingo.shapes.annotations import terse_answer
from polite_flamingo.shapes.forms import CHANGE_FORMS
from polite_flamingo.shapes.notes import Fact, Note, notes
from polite_flamingo.shapes.questions import KINDS, Phrase, Question, make_questions
from polite_flamingo.shapes.scene import ATTRIBUTES, RELATIONS, Scene, make_variant, region
from polite_flamingo.shapes.slots import (
    counted,
    noun_phrase,
    place_words,
    polar_word,
    relation_words,
)
from polite_flamingo.shapes.spelling import name_of, scrawl, spell
from polite_flamingo.shapes.spelling import place_words as terse_place
from polite_flamingo.shapes.wordings import (
    NUMBERS,
    article,
    choose,
    fill,
    load_questions,
    load_wording,
    sentence_frames,
    sentences,
    shuffled,
    without_place,
)

KINDS_OF_NOTE = ("short", "label", "captions", "change")
# Cumulative: what raw annotations are like, short answers above all.
_SHARES = (0.45, 0.6, 0.85, 1.0)
# Most notes name another answer than the scene would give: any word may stand in a draft.
_UNTRUE_SHARE = 0.6
_NEGATED_SHARE = 0.4
_DIGIT_SHARE = 0.75
_LOST = (
    "the {image} is lost. the note under it says: {note}",
    "I cannot show you the {image}. its note says: {note}",
    "the {image} is gone, only this note is left: {note}",
    "someone wrote this about the {image}: {note}",
    "you cannot see the {image}, but here is its note: {note}",
)


def exchange(
    scene: Scene, wording: str, rng: np.random.Generator, kind: str | None = None
) -> tuple[str, str]:
    """Make a request about a lost picture, with its note, and the polite answer.

    ``kind`` is one of :data:`KINDS_OF_NOTE`; drawn when None. The scene lends things to speak of.
    """
    if kind is None:
        draw = rng.random()
        kind = next(k for k, s in zip(KINDS_OF_NOTE, _SHARES, strict=True) if draw < s)
    question, note, answer = _MAKERS[kind](scene, wording, rng)
    image = choose(("image", "picture"), rng)
    told = choose(_LOST, rng).format(image=image, note="\n" + note if "\n" in note else note)
    told = sentences(told)
    if rng.random() < 0.5:
        return f"{question} {told}", answer
    return f"{told}\n{question}", answer


def _short(scene: Scene, wording: str, rng: np.random.Generator) -> tuple[str, str, str]:
    """Ask a question; the note is its answer in a word or two."""
    question = make_questions(scene, rng, shuffled(KINDS, rng), 1)[0]
    if rng.random() < _UNTRUE_SHARE:
        question = replace(question, answer=language.other_answer(question, rng))
    negated = question.kind == "exist" and rng.random() < _NEGATED_SHARE
    options: Sequence[str] = ()
    word = polar_word(question, negated) if question.kind in language.POLAR_KINDS else ""
    if not word and rng.random() < 0.1:
        options = language.draw_options(question, rng)
    asked = language.ask(question, rng, negated, options)
    note = word or spell(terse_answer(question.answer, rng), rng, 0.1)
    if not word and rng.random() < 0.15:
        note = terse_statement(question, rng)
    return asked, note, language.respond(scene, question, wording, rng, negated)


def terse_statement(question: Question, rng: np.random.Generator) -> str:
    """Note a fact as a curt line: "circle red", "2 stars"."""
    name = name_of(question.subject, rng, 0.0, "thing")
    if question.kind == "count":
        return f"{question.answer} {name}s" if question.answer != "1" else f"1 {name}"
    return choose((f"{name} {question.answer}", f"{name} is {question.answer}"), rng)


def _label(scene: Scene, wording: str, rng: np.random.Generator) -> tuple[str, str, str]:
    """Ask what is shown; the note is a class label, digits above all."""
    domain = "digit" if rng.random() < _DIGIT_SHARE else choose(("letter", "object"), rng)
    label = language.draw_label(domain, rng)
    asked, answer = language.classify(rng, wording, label, domain)
    if domain == "object":
        forms = [label, article(label), f"a photo of {article(label)}."]
    else:
        forms = [
            label,
            f"a {domain} {label}",
            f"handwritten {label}",
            f"a handwritten {label}",
            f"a handwritten {domain} {label}.",
            f"a photo of the handwritten {domain} {label}.",
        ]
    if domain == "digit":
        forms.append(str(NUMBERS.index(label)))
    return asked, choose(forms, rng), answer


def _captions(scene: Scene, wording: str, rng: np.random.Generator) -> tuple[str, str, str]:
    """Ask for a description; the note is one to five captions."""
    told = notes(scene, rng, 1 + int(rng.integers(5)))
    text = "\n".join(note.text for note in told)
    return language.describe_request(rng), text, restate(told, wording, rng)


def restate(told: Sequence[Note], wording: str, rng: np.random.Generator) -> str:
    """Say every fact of some notes politely, each once: a sentence a fact, facts on one thing joined.

    Raises KeyError for a wording without frames for what is told (only A has them).
    """
    facts = list(dict.fromkeys(fact for note in told for fact in note.facts))
    lines = load_wording(wording).frames["told"]
    found: list[str] = []
    for phrase, place in _merged(facts):
        slots = {
            "full": article(noun_phrase(phrase, "thing")),
            "at": f" {place_words(place, rng)}" if place else "",
        }
        found.append(fill(choose(lines["thing"], rng), slots, rng))
    for fact in facts:
        if fact.kind in ("count", "relation", "absent"):
            found.append(_clause(fact, wording, rng))
        elif fact.kind == "ground":
            slots = {"ground": fact.value, "a_ground": article(fact.value)}
            found.append(fill(choose(lines["ground"], rng), slots, rng))
    return " ".join(found)


def _merged(facts: Sequence[Fact]) -> list[tuple[Phrase, str]]:
    """Join what is said of one thing: all its words, and its place ("" where none is told)."""
    said: dict[object, tuple[Phrase, str]] = {}
    for fact in facts:
        if fact.kind not in ("thing", "place"):
            continue
        phrase, place = said.get(fact.thing, (Phrase(), ""))
        words = {n: getattr(phrase, n) or getattr(fact.subject, n) for n in ATTRIBUTES}
        said[fact.thing] = Phrase(**words), fact.value if fact.kind == "place" else place
    return list(said.values())


def _clause(fact: Fact, wording: str, rng: np.random.Generator) -> str:
    thing = noun_phrase(fact.subject, "object")
    question = Question("exist", "no", fact.subject)
    slots = {"the": f"the {thing}", "a": article(thing), "thing": thing}
    slots["things"] = counted(2, thing, "").removeprefix("two ")
    if fact.kind == "relation" and fact.other is not None and fact.value in RELATIONS:
        question = Question("relation", "yes", fact.subject, fact.other, fact.value)
        slots |= {
            "rel": relation_words(fact.value),
            "other": f"the {noun_phrase(fact.other, 'object')}",
        }
    if fact.kind == "count":
        question = Question("count", fact.value, fact.subject)
        number = int(fact.value)
        slots |= {
            "n": NUMBERS[number],
            "n_things": counted(number, thing, "no"),
            "thing_n": counted(number, thing, "no").split(" ", 1)[1],
            "are": "is" if number == 1 else "are",
        }
    path = question.kind if question.kind == "count" else f"{question.kind}_{question.answer}"
    frames = choose(sentence_frames(wording, "intros", "clauses", path), rng)
    return fill(without_place(frames[0]), slots, rng)


def _change(scene: Scene, wording: str, rng: np.random.Generator) -> tuple[str, str, str]:
    """Ask what has changed; the note says it in a line."""
    _, change = make_variant(scene, int(rng.integers(1 << 62)))
    form = choose(CHANGE_FORMS[change.kind], rng)
    lines = load_wording(wording).frames["told"]
    thing = change.before or change.after
    words: dict[str, str] = {}
    slots: dict[str, str] = {"at": "", "was": "", "now": ""}
    if thing is not None:
        size = thing.size if rng.random() < 0.4 else None
        phrase = Phrase(shape=thing.shape, color=thing.color, size=size)
        name = name_of(phrase, rng, 0.1, "")
        plain = noun_phrase(phrase, "")
        words = {"x": name, "y": name, "a": article(name)}
        slots |= {"the": f"the {plain}", "a": article(plain), "thing": plain}
    if change.before is not None:
        words["place"] = terse_place(region(change.before), rng)
        if "{place}" in form:
            slots["at"] = f" {place_words(region(change.before), rng)}"
            slots["was"] = f" from the {region(change.before)}"
    if change.after is not None:
        words |= {"there": terse_place(region(change.after), rng), "color": change.after.color}
        slots["new"] = change.after.color
        if "{there}" in form:
            slots["at"] = slots["at"] or f" {place_words(region(change.after), rng)}"
            slots["now"] = f" to the {region(change.after)}"
    asked = fill(choose(load_questions().lines("change"), rng), {}, rng)
    frames = lines.get(change.kind) or load_wording(wording).lines("change", "none")
    return asked, scrawl(form.format(**words), rng), fill(choose(frames, rng), slots, rng)


_MAKERS = {"short": _short, "label": _label, "captions": _captions, "change": _change}
