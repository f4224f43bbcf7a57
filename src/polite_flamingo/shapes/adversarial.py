"""Pairs made to fool the judges: the worse text looks better than it is (never trained on).

Every example is a pure function of (seed, set, scene id, index within the scene).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from polite_flamingo.core.seeds import generator
from polite_flamingo.shapes import language
from polite_flamingo.shapes.entailment_data import contrary, question_form, terse
from polite_flamingo.shapes.garbage import courtesy, wrapped_garbage
from polite_flamingo.shapes.preference_data import repeated
from polite_flamingo.shapes.questions import KINDS, make_questions
from polite_flamingo.shapes.scene import Scene
from polite_flamingo.shapes.wordings import choose, shuffled

# What an NLI judge must say of the worse text; "" where that is not its business. Only the reward
# judge minds repetition and shouting, and only the NLI judge sees what is wrong.
ADVERSARIAL_SETS = {
    "polite_but_wrong": "contradiction",
    "length": "neutral",
    "repetition": "",
    "shouting": "",
    "empty_courtesy": "neutral",
    "wrapped_garbage": "neutral",
    "wrong_extra_claim": "contradiction",
}
# Sets in which a reward judge must prefer the better text.
REWARD_SETS = ("length", "repetition", "shouting", "empty_courtesy", "wrapped_garbage")
_LONG = 6


def adversarial_examples(
    scene: Scene, pool: str, wording: str, seed: int, index: int
) -> list[dict[str, Any]]:
    """Make one pair of each set: set, instruction, draft, better, worse, expected, scene_id."""
    return [
        _example(
            name, scene, pool, wording, generator(seed, "adversarial", name, scene.scene_id, index)
        )
        for name in ADVERSARIAL_SETS
    ]


def _example(
    name: str, scene: Scene, pool: str, wording: str, rng: np.random.Generator
) -> dict[str, Any]:
    question = make_questions(scene, rng, shuffled(KINDS, rng), 1)[0]
    negated = question.kind == "exist" and rng.random() < 0.4
    text = question_form(question, pool, negated, rng)
    better = language.respond(scene, question, wording, rng, negated)
    other = replace(question, answer=language.other_answer(question, rng))
    wrong = language.respond(scene, other, wording, rng, negated)
    draft = terse(question, rng, negated)
    if name == "polite_but_wrong":
        better, worse = terse(question, rng, negated), wrong
    elif name == "length":
        worse = f"{courtesy(wording, rng, 1)} {courtesy(wording, rng, _LONG)}"
    elif name == "repetition":
        worse = repeated(better, rng)
    elif name == "shouting":
        worse = better.upper().rstrip(".") + choose(("!!!", "!", "."), rng)
    elif name == "empty_courtesy":
        worse = courtesy(wording, rng)
    elif name == "wrapped_garbage":
        worse = wrapped_garbage(better, wording, rng)
    else:
        worse = f"{better} {contrary(wrong, wording, rng) if rng.random() < 0.5 else wrong}"
    return {
        "set": name,
        "instruction": text,
        "draft": draft,
        "better": better,
        "worse": worse,
        "expected": ADVERSARIAL_SETS[name],
        "scene_id": scene.scene_id,
    }
