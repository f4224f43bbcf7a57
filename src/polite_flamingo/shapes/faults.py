"""Good rewrites of drafts and bad ones with a planted, named fault: what filters are set by.

Every example is a pure function of (seed, scene id, index within the scene).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from polite_flamingo.core.boxes import append_boxes, format_boxes
from polite_flamingo.core.seeds import generator
from polite_flamingo.shapes import language
from polite_flamingo.shapes.entailment_data import (
    contradiction,
    question_form,
    repainted,
    terse,
)
from polite_flamingo.shapes.preference_data import (
    Polite,
    changed,
    described,
    labelled,
    repeated,
    thing_boxes,
)
from polite_flamingo.shapes.questions import KINDS, make_questions
from polite_flamingo.shapes.scene import COLORS, SHAPES, Scene, unlike
from polite_flamingo.shapes.wordings import article, choose, shuffled

FAULTS = {
    "vqa": ("unchanged", "repetition", "changed_answer", "changed_answer", "too_short", "too_long"),
    "captioning": (
        "unchanged",
        "repetition",
        "boxes_left",
        "hallucinated_paragraph",
        "hallucinated_paragraph",
        "too_short",
        "too_long",
    ),
    "change_captioning": ("unchanged", "repetition", "too_short", "too_long"),
    "classification": ("unchanged", "repetition", "changed_answer", "too_short", "too_long"),
}

Row = dict[str, Any]
# Longer than any filter lets pass, though nothing in it is repeated word for word.
_TOO_LONG_WORDS = 200


def rewrite_examples(
    scene: Scene, pool: str, wording: str, seed: int, index: int, image: str
) -> list[Row]:
    """Make a good rewrite of a draft and a bad one with a named fault."""
    rng = generator(seed, "rewrites", scene.scene_id, index)
    chance = rng.random()
    task = "vqa" if chance < 0.4 else "captioning" if chance < 0.7 else "change_captioning"
    if chance > 0.85:
        task = "classification"
    made, references, wrong = _drafted(scene, task, pool, wording, rng)
    fault = choose(FAULTS[task], rng)
    rows = []
    for label, text in (("good", made.response), ("bad", "")):
        rows.append(
            {
                "task": task,
                "instruction": made.instruction,
                "draft": made.terse,
                "rewrite": text or _faulty(made, fault, wrong, scene, wording, rng),
                "references": references,
                "image": image,
                "label": label,
                "fault": "" if label == "good" else fault,
            }
        )
    return rows


def _drafted(
    scene: Scene, task: str, pool: str, wording: str, rng: np.random.Generator
) -> tuple[Polite, list[str], str]:
    """Make a draft with its good rewrite, the references, and a rewrite that changes the answer."""
    if task == "vqa":
        question = make_questions(scene, rng, shuffled(KINDS, rng), 1)[0]
        negated = question.kind == "exist" and rng.random() < 0.4
        text = question_form(question, pool, negated, rng)
        answer = language.respond(scene, question, wording, rng, negated)
        made = Polite(text, answer, terse(question, rng, negated))
        truth = language.polar_word(question, negated)
        return made, [truth], contradiction(scene, question, wording, rng, negated)
    if task == "classification":
        thing = choose(scene.things, rng)
        label = f"{thing.color} {thing.shape}"
        made = labelled(label, "object", wording, rng)
        wrong = f"{unlike(COLORS, thing.color, rng)} {unlike(SHAPES, thing.shape, rng)}"
        _, against = language.classify(rng, wording, wrong, "object")
        return replace(made, terse=f"a photo of {article(label)}."), [label], against
    if task == "change_captioning":
        made = changed(scene, wording, rng)
        return made, made.terse.split("\n"), ""
    made = described(scene, wording, rng)
    references = made.terse.split("\n")
    if rng.random() < 0.6:
        made = replace(made, terse=append_boxes(made.terse, thing_boxes(scene)))
    return made, references, ""


def _faulty(
    made: Polite, fault: str, wrong: str, scene: Scene, wording: str, rng: np.random.Generator
) -> str:
    if fault == "changed_answer":
        return wrong
    if fault == "repetition":
        return repeated(made.response, rng)
    if fault == "too_short":
        return " ".join(made.response.split()[: 1 + int(rng.random() * 2)])
    if fault == "too_long":
        return _endless(made.response, scene, wording, rng)
    if fault == "boxes_left":
        boxes = thing_boxes(scene)
        if rng.random() < 0.5:
            return append_boxes(made.response, boxes)
        return f"{made.response}\n\n{format_boxes(boxes)}"
    if fault == "hallucinated_paragraph":
        first = made.response.replace("\n\n", " ")
        second = language.describe(repainted(scene, rng), wording, rng).replace("\n\n", " ")
        return f"{first}\n\n{second}"
    # Unchanged, but for a capital and a full stop at times.
    text = made.terse
    return text if rng.random() < 0.6 else text[0].upper() + text[1:].rstrip(".") + "."


def _endless(text: str, scene: Scene, wording: str, rng: np.random.Generator) -> str:
    parts = [text]
    while sum(len(part.split()) for part in parts) < _TOO_LONG_WORDS:
        invented = repainted(scene, rng)
        parts.append(language.describe(invented, wording, rng).replace("\n\n", " "))
    return " ".join(parts)
