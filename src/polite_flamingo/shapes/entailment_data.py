"""Labelled premises and hypotheses: what the entailment judges learn and are tested on.

Every example is a pure function of (seed, scene id, index within the scene).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from polite_flamingo.core.seeds import generator
from polite_flamingo.shapes import language
from polite_flamingo.shapes.annotations import (
    CLEVR_FORMS,
    captions,
    clevr_text,
    question_text,
    rationales,
    terse_answer,
)
from polite_flamingo.shapes.garbage import courtesy, wrapped_garbage
from polite_flamingo.shapes.questions import KINDS, Question, make_questions
from polite_flamingo.shapes.scene import ATTRIBUTES, COLORS, SHAPES, Scene, unlike
from polite_flamingo.shapes.wordings import (
    NUMBERS,
    article,
    choose,
    fill,
    load_phrases,
    load_wording,
    shuffled,
)

LABELS = ("entailment", "contradiction", "neutral")

_RATIONALE_KINDS = ("color", "shape", "count", "position", "texture")
# A row of JSON Lines, and the entailing, contradicting and neutral premise of one question.
Row = dict[str, Any]
_Premises = tuple[str, str, str]


def nli_examples(scene: Scene, pool: str, wording: str, seed: int, index: int) -> list[Row]:
    """Make one entailment, one contradiction and one neutral example of one question."""
    rng = generator(seed, "nli", scene.scene_id, index)
    chance = rng.random()
    if chance < 0.78:
        question, hypothesis, premises = _vqa_premises(scene, pool, wording, rng)
    elif chance < 0.9:
        question, hypothesis, premises = _label_premises(wording, rng)
    elif chance < 0.95:
        question, hypothesis, premises = _caption_premises(scene, wording, rng)
    else:
        question, hypothesis, premises = _fact_premises(scene, wording, rng)
    return [
        {
            "premise": _as_answer(premise, question),
            "hypothesis": _as_answer(hypothesis, question),
            "label": label,
            "scene_id": scene.scene_id,
        }
        for label, premise in zip(LABELS, premises, strict=True)
    ]


def _as_answer(text: str, question: str) -> str:
    return f'"{text.strip()}" is the answer to the question: "{question.strip()}"'


def _vqa_premises(
    scene: Scene, pool: str, wording: str, rng: np.random.Generator
) -> tuple[str, str, _Premises]:
    """Make a question, a terse answer, and its entailing, contradicting and neutral rewrites."""
    truth = make_questions(scene, rng, shuffled(KINDS, rng), 1)[0]
    if rng.random() < 0.12:
        return _claim_premises(scene, truth, wording, rng)
    negated = truth.kind == "exist" and rng.random() < 0.4
    # The draft itself may be wrong: the judge compares texts, it doesn't see the image.
    said = truth
    if rng.random() < 0.45:
        said = replace(truth, answer=language.other_answer(truth, rng))
    text = question_form(said, pool, negated, rng)
    draft = terse(said, rng, negated)
    if rng.random() < 0.08:
        same = terse(said, rng, negated)
    elif said == truth and not negated and rng.random() < 0.15:
        same = language.explain(scene, said, wording, rng)
    else:
        same = language.respond(scene, said, wording, rng, negated)
    against = contradiction(scene, said, wording, rng, negated)
    return text, draft, (same, against, _unrelated(scene, truth, wording, rng))


def _claim_premises(
    scene: Scene, truth: Question, wording: str, rng: np.random.Generator
) -> tuple[str, str, _Premises]:
    """Make premises for a question that asks whether a statement is true."""
    other = replace(truth, answer=language.other_answer(truth, rng))
    claim = choose((truth.answer, other.answer), rng)
    question, same = language.verify(scene, truth, claim, wording, rng)
    _, against = language.verify(scene, other, claim, wording, rng)
    word = "yes" if claim == truth.answer else "no"
    return question, _roughened(word, rng), (same, against, _unrelated(scene, truth, wording, rng))


def question_form(question: Question, pool: str, negated: bool, rng: np.random.Generator) -> str:
    """Ask a question in one of the forms of the sources, at times with options."""
    chance = rng.random()
    if negated or chance < 0.4:
        text = language.ask(question, rng, negated)
    elif chance < 0.75 or question.kind not in CLEVR_FORMS:
        text = question_text(question, rng, pool)
    else:
        text = clevr_text(question, rng, pool)
    if question.kind in _RATIONALE_KINDS and rng.random() < 0.25:
        options = language.draw_options(question, rng)
        listed = ", ".join(options[:-1]) + f" or {options[-1]}"
        forms = ("Choose from: {}.", "Is it {}?", "The options are {}.", "Options: {}.")
        return f"{text} {choose(forms, rng).format(listed)}"
    if rng.random() < 0.1:
        return f"{text} Please look at the picture."
    return text


def terse(question: Question, rng: np.random.Generator, negated: bool = False) -> str:
    """Write the answer as a raw annotation: a word, a curt sentence, or a word and a rationale."""
    if question.kind in language.POLAR_KINDS:
        word = language.polar_word(question, negated)
        if rng.random() < 0.15:
            verb = "is" if question.kind != "compare" else "are"
            pronoun = {"exist": "there", "relation": "it", "compare": "there"}[question.kind]
            if not negated:
                return f"{word} {pronoun} {verb}{' not' if word == 'no' else ''}"
        return _roughened(word, rng)
    if question.kind in _RATIONALE_KINDS and rng.random() < 0.25:
        reason = rationales(question, question.answer, rng)[0]
        return f"{terse_answer(question.answer, rng).rstrip('.')}. {reason}"
    chance = rng.random()
    if chance < 0.12:
        return language.state(question, rng).lower()
    if chance < 0.2:
        return (
            f"{question.answer} of them" if question.kind == "count" else f"it is {question.answer}"
        )
    return _roughened(question.answer, rng)


def _roughened(answer: str, rng: np.random.Generator) -> str:
    chance = rng.random()
    if chance < 0.06:
        return answer.upper()
    if chance < 0.14:
        return f"{answer.capitalize()}."
    if answer.isdigit() and chance < 0.4:
        return NUMBERS[int(answer)]
    return terse_answer(answer, rng)


def contradiction(
    scene: Scene, said: Question, wording: str, rng: np.random.Generator, negated: bool
) -> str:
    """Answer otherwise, answer both ways, or say the right "yes" with the wrong fact."""
    wrong = replace(said, answer=language.other_answer(said, rng))
    chance = rng.random()
    if chance < 0.08:
        return _other_terse(said, wrong, rng, negated)
    if chance < 0.28:
        right = language.respond(scene, said, wording, rng, negated)
        second = language.respond(scene, wrong, wording, rng, negated)
        return f"{right} {contrary(second, wording, rng)}"
    if chance < 0.45 and said.kind in language.POLAR_KINDS:
        # Turning both the answer and the sense of the question keeps the "yes" and turns the fact.
        return language.respond(scene, wrong, wording, rng, not negated)
    return language.respond(scene, wrong, wording, rng, negated)


def _other_terse(said: Question, wrong: Question, rng: np.random.Generator, negated: bool) -> str:
    text = terse(wrong, rng, negated)
    return f"{said.answer}, no, {text}" if rng.random() < 0.2 and not negated else text


def contrary(text: str, wording: str, rng: np.random.Generator) -> str:
    """Say a text as a second claim behind a first."""
    lowered = text if text.startswith("I ") else text[0].lower() + text[1:]
    joints = load_phrases()["joints"] if wording == "B" else ()
    frame = choose((*load_wording(wording).lines("contrary"), *joints), rng)
    return fill(frame, {}, rng).removesuffix(".").replace("~", lowered)


def _unrelated(scene: Scene, question: Question, wording: str, rng: np.random.Generator) -> str:
    """Say something that neither answers the question nor speaks against an answer."""
    chance = rng.random()
    if chance < 0.12:
        return wrapped_garbage(language.respond(scene, question, wording, rng), wording, rng)
    if chance < 0.85:
        for other in make_questions(scene, rng, (*language.ATTRIBUTE_KINDS, "position"), 4):
            if _independent(question, other):
                return language.respond(scene, other, wording, rng)
    return empty(wording, rng)


def _independent(question: Question, other: Question) -> bool:
    """Tell whether the answer to ``other`` leaves ``question`` open."""
    if other.kind == question.kind or question.kind == "relation":
        # Positions bear on relations.
        return other.kind != "position" and other.kind != question.kind
    if question.kind in (*ATTRIBUTES, "position"):
        known = {getattr(other.subject, name) for name in ATTRIBUTES} | {other.answer}
        return question.answer not in known
    asked = [phrase for phrase in (question.subject, question.other) if phrase is not None]
    for name in ATTRIBUTES:
        told = other.answer if name == other.kind else getattr(other.subject, name)
        if any(getattr(phrase, name) is not None and told is not None for phrase in asked):
            return False
    return all(any(getattr(phrase, name) for name in ATTRIBUTES) for phrase in asked)


def empty(wording: str, rng: np.random.Generator) -> str:
    """Write courtesy that says nothing, at times at length."""
    return courtesy(wording, rng, 7 if rng.random() < 0.15 else 2)


def _label_premises(wording: str, rng: np.random.Generator) -> tuple[str, str, _Premises]:
    """Make premises for a classification: digits above all, letters and objects too."""
    domain = "digit" if rng.random() < 0.7 else choose(("letter", "object"), rng)
    label = language.draw_label(domain, rng)
    other = label
    while other == label:
        other = language.draw_label(domain, rng)
    question, same = language.classify(rng, wording, label, domain)
    _, against = language.classify(rng, wording, other, domain)
    return question, terse_label(label, domain, rng), (same, against, empty(wording, rng))


def terse_label(label: str, domain: str, rng: np.random.Generator) -> str:
    """Write a class label as a raw annotation."""
    name = language.label_name(label, domain, rng)
    forms = [label, f"{article(name)}.", article(name), name.capitalize(), label.upper()]
    if domain == "digit":
        forms += [str(NUMBERS.index(label)), f"a handwritten digit {label}."]
    return choose(forms, rng)


def _caption_premises(
    scene: Scene, wording: str, rng: np.random.Generator
) -> tuple[str, str, _Premises]:
    """Make premises for a request to describe the image, with a caption as the draft."""
    caption = captions(scene, rng, 1)[0].strip()
    premises = (
        language.describe(scene, wording, rng),
        language.describe(repainted(scene, rng), wording, rng),
        empty(wording, rng),
    )
    return language.describe_request(rng), caption, premises


def _fact_premises(
    scene: Scene, wording: str, rng: np.random.Generator
) -> tuple[str, str, _Premises]:
    """Make premises for one fact of a description: told, told otherwise, not told.

    A fact is the colour of the only thing of its shape; a description without that shape leaves it
    open.
    """
    thing = choose(scene.things, rng)
    fits = [other for other in scene.things if other.shape != thing.shape]
    beside = fits[: int(rng.random() * 3)]
    fact = choose(
        ("the {} is {}", "{0} is {1}", "color of the {0}: {1}", "the color of the {0} is {1}."), rng
    ).format(thing.shape, thing.color)
    wrong = replace(thing, color=unlike(COLORS, thing.color, rng))
    shapes = [shape for shape in SHAPES if all(o.shape != shape for o in (thing, *beside))]
    open_ = replace(thing, shape=choose(shapes, rng), color=choose(COLORS, rng))
    told, against, left = (
        language.describe(replace(scene, things=tuple(shuffled((one, *beside), rng))), wording, rng)
        for one in (thing, wrong, open_)
    )
    return language.describe_request(rng), fact, (told, against, left)


def repainted(scene: Scene, rng: np.random.Generator) -> Scene:
    """Give every thing a colour and a shape that no thing of the scene has."""
    colors = [c for c in COLORS if all(thing.color != c for thing in scene.things)]
    shapes = [s for s in SHAPES if all(thing.shape != s for thing in scene.things)]
    things = tuple(
        replace(
            thing,
            color=choose(colors, rng),
            # Six things may show all six shapes: then another shape in this place must do.
            shape=choose(shapes, rng) if shapes else unlike(SHAPES, thing.shape, rng),
        )
        for thing in scene.things
    )
    return replace(scene, things=things)
