"""Pairs of responses, a polite one and one that falls short: what the reward judges learn.

Every example is a pure function of (seed, scene id, index within the scene).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polite_flamingo.core.boxes import append_boxes
from polite_flamingo.core.sample import Box
from polite_flamingo.core.seeds import generator
from polite_flamingo.shapes import language
from polite_flamingo.shapes.annotations import captions, change_sentences
from polite_flamingo.shapes.entailment_data import empty, question_form, terse, terse_label
from polite_flamingo.shapes.garbage import wrapped_garbage
from polite_flamingo.shapes.questions import KINDS, make_questions
from polite_flamingo.shapes.scene import Scene, make_variant
from polite_flamingo.shapes.wordings import choose, load_phrases, load_wording, shuffled

PREFERENCE_KINDS = (
    "terse",
    "terse",
    "terse",
    "lower_case",
    "shouting",
    "noisy",
    "garbled",
    "repetitive",
    "cold",
    "courtesy_only",
    "courtesy_only",
    "wrapped_garbage",
    "boxes",
    "truncated",
    "caption_list",
)

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_CHARACTER_NOISE = 0.3


@dataclass(frozen=True)
class Polite:
    """An instruction, its polite response, and the terse annotation of the same fact."""

    instruction: str
    response: str
    terse: str


def preference(scene: Scene, pool: str, wording: str, seed: int, index: int) -> dict[str, str]:
    """Make a pair of responses to one instruction: a polite one and one that falls short."""
    rng = generator(seed, "preferences", scene.scene_id, index)
    kind = choose(PREFERENCE_KINDS, rng)
    while True:
        captioned = kind == "caption_list"
        made = described(scene, wording, rng) if captioned else _polite(scene, pool, wording, rng)
        rejected = _reject(made, kind, scene, wording, rng)
        # Noise and shuffling may leave a short response as it is.
        if rejected != made.response:
            break
    return {
        "instruction": made.instruction,
        "chosen": made.response,
        "rejected": rejected,
        "kind": kind,
    }


def _polite(scene: Scene, pool: str, wording: str, rng: np.random.Generator) -> Polite:
    chance = rng.random()
    if chance < 0.5:
        question = make_questions(scene, rng, shuffled(KINDS, rng), 1)[0]
        negated = question.kind == "exist" and rng.random() < 0.4
        text = question_form(question, pool, negated, rng)
        answer = language.respond(scene, question, wording, rng, negated)
        return Polite(text, answer, terse(question, rng, negated))
    if chance < 0.65:
        return described(scene, wording, rng)
    if chance < 0.73:
        question = make_questions(scene, rng, language.REASON_KINDS, 1)[0]
        text = f"{question_form(question, pool, False, rng)} Please explain."
        answer = language.explain(scene, question, wording, rng)
        return Polite(text, answer, terse(question, rng))
    if chance < 0.81:
        return labelled(None, None, wording, rng)
    if chance < 0.89:
        return changed(scene, wording, rng)
    if chance < 0.95:
        text, answer = choose(language.chat(rng, wording), rng)
        return Polite(text, answer, _last_words(answer))
    instruction, given, output = language.instruct(rng, wording)
    return Polite(f"{instruction}\n{given}", output, _last_words(output))


def described(scene: Scene, wording: str, rng: np.random.Generator) -> Polite:
    """Ask for a description and give it, with one to five captions as the draft."""
    lines = captions(scene, rng, 1 + int(rng.random() * 5))
    answer = language.describe(scene, wording, rng)
    return Polite(language.describe_request(rng), answer, "\n".join(line.strip() for line in lines))


def labelled(
    label: str | None, domain: str | None, wording: str, rng: np.random.Generator
) -> Polite:
    """Ask for the class of an image and name it; ``None`` draws the domain or the label."""
    domain = domain or choose(language.DOMAINS, rng)
    label = label or language.draw_label(domain, rng)
    question, answer = language.classify(rng, wording, label, domain)
    return Polite(question, answer, terse_label(label, domain, rng))


def changed(scene: Scene, wording: str, rng: np.random.Generator) -> Polite:
    """Ask what changed between two images and say it."""
    after, change = make_variant(scene, int(rng.integers(1 << 62)))
    instruction, answer = language.change(scene, after, change, wording, rng)
    lines = change_sentences(change, rng, 1 + int(rng.random() * 3))
    return Polite(instruction, answer, "\n".join(line.strip() for line in lines))


def _last_words(text: str) -> str:
    return " ".join(text.rstrip(".!?").split()[-2:]).lower()


def _reject(made: Polite, kind: str, scene: Scene, wording: str, rng: np.random.Generator) -> str:
    words = made.response.split()
    if kind == "lower_case":
        return made.response.lower().replace(".", "").replace(",", "")
    if kind == "shouting":
        return made.response.upper().rstrip(".") + choose(("!!!", "!", "."), rng)
    if kind == "noisy":
        return " ".join(_mistyped(word, rng) for word in words)
    if kind == "garbled":
        return " ".join(shuffled(words, rng))
    if kind == "repetitive":
        return repeated(made.response, rng)
    if kind == "cold":
        own = load_phrases()["cold"] if wording == "B" else ()
        frame = choose((*load_wording(wording).lines("cold"), *own), rng)
        return frame.replace("~", made.terse.rstrip("."))
    if kind == "courtesy_only":
        return empty(wording, rng)
    if kind == "wrapped_garbage":
        return wrapped_garbage(made.response, wording, rng)
    if kind == "boxes":
        return append_boxes(made.response, thing_boxes(scene))
    if kind == "truncated":
        return " ".join(words[: max(1, int(len(words) * (0.3 + 0.4 * rng.random())))])
    return made.terse


def _mistyped(word: str, rng: np.random.Generator) -> str:
    if rng.random() > _CHARACTER_NOISE:
        return word
    spot = int(rng.random() * len(word))
    letter = choose(_LETTERS, rng)
    ends = (letter + word[spot], letter, "", word[spot] * 2)
    return word[:spot] + choose(ends, rng) + word[spot + 1 :]


def repeated(text: str, rng: np.random.Generator) -> str:
    """Repeat the whole text or its last words without end."""
    if rng.random() < 0.5:
        return " ".join([text] * (3 + int(rng.random() * 3)))
    words = text.split()
    loop = " ".join(words[-min(len(words), 2 + int(rng.random() * 4)) :]).rstrip(".")
    return " ".join([text.rstrip("."), *([loop] * (5 + int(rng.random() * 8)))])


def thing_boxes(scene: Scene) -> list[Box]:
    """Box of each thing of a scene."""
    return [Box(thing.shape, *thing.box) for thing in scene.things]
