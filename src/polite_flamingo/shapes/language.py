"""The polite style: full, right and friendly sentences about a scene (METHOD: style sources)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from polite_flamingo.shapes.chats import chat as chat
from polite_flamingo.shapes.chats import instruct as instruct
from polite_flamingo.shapes.descriptions import describe as describe
from polite_flamingo.shapes.descriptions import describe_request as describe_request
from polite_flamingo.shapes.questions import Phrase, Question, make_questions, refer
from polite_flamingo.shapes.scene import (
    COLORS,
    REGIONS,
    RELATIONS,
    SHAPES,
    SIZES,
    TEXTURES,
    Change,
    Scene,
    region,
    relation_holds,
)
from polite_flamingo.shapes.slots import (
    POLAR_KINDS,
    answer_slots,
    counted,
    full_name,
    noun_phrase,
    phrase_of,
    phrase_slots,
    place_words,
    thing_noun,
)
from polite_flamingo.shapes.slots import polar_word as polar_word
from polite_flamingo.shapes.wordings import (
    NUMBERS,
    article,
    choose,
    fill,
    fill_plain,
    is_plain,
    listing,
    load_questions,
    load_wording,
    sentence_frames,
    sentences,
    shuffled,
)

ATTRIBUTE_KINDS = ("color", "size", "texture")


REASON_KINDS = ("color", "shape", "exist", "count", "relation", "position", "compare")


DOMAINS = ("digit", "letter", "object")
_FARTHER = {
    "left of": "farther to the left",
    "right of": "farther to the right",
    "above": "higher",
    "below": "lower",
}
_VALUES = {
    "color": COLORS,
    "shape": SHAPES,
    "size": SIZES,
    "texture": TEXTURES,
    "position": REGIONS,
    "count": tuple(str(number) for number in range(9)),
}
_TAIL_SHARE = 0.1
_NEGATED_SHARE = 0.5
_OPTIONS_SHARE = 0.1


def respond(
    scene: Scene,
    question: Question,
    wording: str,
    rng: np.random.Generator,
    negated: bool = False,
) -> str:
    """Answer a question politely in one or two sentences that name ``question.answer``.

    ``negated`` (exist only): the question asks for absence, so "Yes" means "there is none"; a
    wording with frames for ``absence`` says what is so instead.
    """
    text = fill(
        _answer_frame(scene, question, wording, rng, negated),
        _slots(scene, question, rng, negated),
        rng,
    )
    if rng.random() < _TAIL_SHARE:
        text += " " + choose(load_wording(wording).lines("tails"), rng)
    return text


def ask(
    question: Question,
    rng: np.random.Generator,
    negated: bool = False,
    options: Sequence[str] = (),
) -> str:
    """Ask a question in chat style; about a third stays in plain lower case as in easy-VQA.

    ``options`` are listed after the question (multiple choice).
    """
    kind = "negated" if negated else question.kind
    if kind == "shape" and question.subject == Phrase() and rng.random() < 0.7:
        kind = "any_shape"
    frame = choose(load_questions().lines("questions", kind), rng)
    text = fill_plain(frame, phrase_slots(question, rng), rng)
    if rng.random() < 0.65:
        text = sentences(text)
    if options:
        text += f" Options: {', '.join(options)}."
    return text


def exchange(
    scene: Scene, question: Question, wording: str, rng: np.random.Generator
) -> tuple[str, str]:
    """Make an instruction and its polite answer, some asking for absence, some with options."""
    negated = question.kind == "exist" and rng.random() < _NEGATED_SHARE
    options: Sequence[str] = ()
    if question.kind in _VALUES and rng.random() < _OPTIONS_SHARE:
        options = draw_options(question, rng)
    instruction = ask(question, rng, negated, options)
    return instruction, respond(scene, question, wording, rng, negated)


def draw_options(question: Question, rng: np.random.Generator, number: int = 4) -> list[str]:
    """Draw answer options in random order, the true one among them."""
    others = [value for value in _VALUES[question.kind] if value != question.answer]
    chosen = [*shuffled(others, rng)[: number - 1], question.answer]
    return shuffled(chosen, rng)


def other_answer(question: Question, rng: np.random.Generator) -> str:
    """Draw a wrong answer of the same kind."""
    if question.kind in POLAR_KINDS:
        return "no" if question.answer == "yes" else "yes"
    values = _VALUES[question.kind]
    if question.kind == "count":
        values = tuple(v for v in values if abs(int(v) - int(question.answer)) <= 3)
    return choose([value for value in values if value != question.answer], rng)


def reason(scene: Scene, wording: str, rng: np.random.Generator) -> tuple[str, str]:
    """Make a question that needs a reason and the polite answer that gives it."""
    question = make_questions(scene, rng, REASON_KINDS, 1)[0]
    why = choose(load_questions().lines("why"), rng)
    instruction = sentences(why.replace("~", ask(question, rng)))
    return instruction, explain(scene, question, wording, rng)


def explain(scene: Scene, question: Question, wording: str, rng: np.random.Generator) -> str:
    """Answer a question truly and give the reason that the scene holds."""
    frame = choose(load_wording(wording).lines("because"), rng)
    slots = _slots(scene, question, rng)
    if frame.startswith("~"):
        clause = _answer_frame(scene, question, wording, rng)
    else:
        # Where the reason comes first, yes or no stands before it.
        clause = _bare_clause(scene, question, wording, rng)
        if question.kind in POLAR_KINDS:
            frame = "{yes}, " + frame
    slots["why"] = _evidence(scene, question, slots, rng)
    return fill(frame.replace("~", clause), slots, rng)


def change(
    scene_before: Scene,
    scene_after: Scene,
    change: Change,
    wording: str,
    rng: np.random.Generator,
    in_full: bool = False,
) -> tuple[str, str]:
    """Make an instruction on two pictures and the polite answer that names the change.

    ``in_full``: the thing is called by all its looks, not by what tells it apart.
    """
    instruction = fill(choose(load_questions().lines("change"), rng), {}, rng)
    before, after = change.before, change.after
    slots: dict[str, str] = {}
    if before is not None:
        barred = ("color",) if change.kind == "color" else ()
        whole = replace(phrase_of(before), color=None) if barred else phrase_of(before)
        phrase = whole if in_full else refer(scene_before, before, rng, without=barred)
        thing = noun_phrase(phrase or replace(phrase_of(before), color=None), thing_noun(rng))
        slots |= {"the": f"the {thing}", "thing": thing, "region": region(before)}
        slots |= {"at": place_words(region(before), rng), "old": before.color}
    if after is not None:
        slots |= {
            "region2": region(after),
            "at2": place_words(region(after), rng),
            "new": after.color,
        }
    if before is None and after is not None:
        thing = full_name(after, rng)
        slots |= {"a": article(thing), "thing": thing, "at": place_words(region(after), rng)}
    frames = choose(sentence_frames(wording, "intros", "change", change.kind), rng)
    return instruction, fill(choose(frames, rng), slots, rng)


def verify(
    scene: Scene, question: Question, claim: str, wording: str, rng: np.random.Generator
) -> tuple[str, str]:
    """Ask whether a statement is true and answer politely with what is the case.

    The statement says that ``claim`` is the answer to ``question`` ("yes": there is one, it holds).
    """
    holds = claim == question.answer
    statement = state(replace(question, answer=claim), rng)
    template = choose(load_questions().lines("verify"), rng)
    instruction = sentences(fill_plain(template.replace("~", statement), {}, rng))
    frame = choose(load_wording(wording).lines("truth"), rng)
    slots = _slots(scene, question, rng)
    slots |= {"yes": "Yes" if holds else "No", "true": "true" if holds else "false"}
    clause = _bare_clause(scene, question, wording, rng)
    return instruction, fill(frame.replace("~", clause), slots, rng)


def state(question: Question, rng: np.random.Generator) -> str:
    """State a question's answer as a plain sentence (a caption to be checked)."""
    kind = question.kind
    if kind in POLAR_KINDS and question.answer == "no":
        kind = "negated" if kind == "exist" else f"not_{kind}"
    slots = phrase_slots(question, rng)
    slots |= answer_slots(question, slots["thing"], rng)
    return fill(choose(load_questions().lines("statements", kind), rng), slots, rng)


def classify(
    rng: np.random.Generator, wording: str, label: str | None = None, domain: str | None = None
) -> tuple[str, str]:
    """Ask what the image shows and answer politely with a class label.

    ``domain`` is digit (label "seven"), letter ("K") or object ("red circle"); drawn when None.
    """
    domain = domain or choose(DOMAINS, rng)
    label = label or draw_label(domain, rng)
    forms = "any" if rng.random() < 0.4 else domain
    question = fill_plain(choose(load_questions().lines("label", forms), rng), {}, rng)
    name = label_name(label, domain, rng)
    frames = choose(sentence_frames(wording, "intros", "clauses", "label"), rng)
    answer = fill(choose(frames, rng), {"a": article(name)}, rng)
    return (sentences(question) if rng.random() < 0.7 else question), answer


def draw_label(domain: str, rng: np.random.Generator) -> str:
    """Draw a class label of a domain: digit, letter or object."""
    if domain == "digit":
        return choose(NUMBERS[:10], rng)
    if domain == "letter":
        return choose("ABCDEFGHIJKLMNOPQRSTUVWXYZ", rng)
    return f"{choose(COLORS, rng)} {choose(SHAPES, rng)}"


def label_name(label: str, domain: str, rng: np.random.Generator) -> str:
    """Turn a label into a noun phrase such as "handwritten digit seven"."""
    if domain == "object":
        return label
    return choose((f"handwritten {domain} {label}", f"{domain} {label}"), rng)


def _answer_frame(
    scene: Scene, question: Question, wording: str, rng: np.random.Generator, negated: bool = False
) -> str:
    intros = "polar" if question.kind in POLAR_KINDS else "intros"
    if negated and "absence" in load_wording(wording).frames:
        intros = "absence"
    clauses = sentence_frames(wording, intros, "clauses", _clause_kind(question))
    frame = choose(choose(clauses, rng), rng)
    # Counts may only be named where they bear out the answer.
    while "{n_others}" in frame and not _counts_agree(scene, question):
        frame = choose(choose(clauses, rng), rng)
    return frame


def _bare_clause(scene: Scene, question: Question, wording: str, rng: np.random.Generator) -> str:
    """Draw a clause that can follow any words: one main clause in its plain order."""
    clauses = [
        clause
        for clause in load_wording(wording).lines("clauses", _clause_kind(question))
        if is_plain(clause) and ("{n_others}" not in clause or _counts_agree(scene, question))
    ]
    return choose(clauses, rng)


def _clause_kind(question: Question) -> str:
    if question.kind in ATTRIBUTE_KINDS:
        return "attribute"
    if question.kind in POLAR_KINDS:
        return f"{question.kind}_{question.answer}"
    return question.kind


def _slots(
    scene: Scene, question: Question, rng: np.random.Generator, negated: bool = False
) -> dict[str, str]:
    slots = phrase_slots(question, rng)
    slots |= answer_slots(question, slots["thing"], rng, negated)
    if question.kind == "compare" and question.other is not None:
        for name, phrase in (("n_things", question.subject), ("n_others", question.other)):
            number = sum(phrase.matches(thing) for thing in scene.things)
            slots[name] = counted(number, noun_phrase(phrase, slots["noun"]), "zero")
            if name == "n_things":
                slots["are"] = "is" if number == 1 else "are"
    return slots


def _counts_agree(scene: Scene, question: Question) -> bool:
    if question.other is None:
        return False
    subjects = sum(question.subject.matches(thing) for thing in scene.things)
    others = sum(question.other.matches(thing) for thing in scene.things)
    return (subjects > others) == (question.answer == "yes")


def _evidence(
    scene: Scene, question: Question, slots: dict[str, str], rng: np.random.Generator
) -> str:
    """Give the facts that bear out an answer as a clause without a full stop."""
    found = [thing for thing in scene.things if question.subject.matches(thing)]
    if question.kind == "compare":
        return f"there {slots['are']} {slots['n_things']} and {slots['n_others']}"
    if not found:
        seen = dict.fromkeys(article(f"{t.color} {t.shape}") for t in scene.things)
        noun = "object is" if len(scene.things) == 1 else "objects are"
        return f"the only {noun} {listing(list(seen))}"
    if question.kind == "relation" and question.other is not None:
        return _relation_evidence(scene, question, slots, rng)
    if question.kind == "count":
        places = listing([f"one is {place_words(region(thing), rng)}" for thing in found])
        return places if len(found) > 1 else f"the only one is {place_words(region(found[0]), rng)}"
    if question.kind == "position":
        return f"the center of {slots['the']} is in that part"
    return f"{article(full_name(found[0], rng))} is {place_words(region(found[0]), rng)}"


def _relation_evidence(
    scene: Scene, question: Question, slots: dict[str, str], rng: np.random.Generator
) -> str:
    assert question.other is not None and question.relation is not None
    first = next(thing for thing in scene.things if question.subject.matches(thing))
    second = next(thing for thing in scene.things if question.other.matches(thing))
    if region(first) != region(second):
        places = place_words(region(first), rng), place_words(region(second), rng)
        return f"{slots['the']} is {places[0]} and {slots['other']} is {places[1]}"
    held = next(name for name in RELATIONS if relation_holds(first, name, second))
    return f"the center of {slots['the']} is {_FARTHER[held]} than that of {slots['other']}"
