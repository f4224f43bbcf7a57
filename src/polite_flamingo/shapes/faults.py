"""Good rewrites of drafts and bad ones with a planted, named fault: what filters are set by.

Every example is a pure function of (seed, scene id, index within the scene).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from polite_flamingo.core.boxes import append_boxes, format_boxes
from polite_flamingo.core.seeds import generator
from polite_flamingo.shapes import language
from polite_flamingo.shapes.annotations import captions, change_sentences
from polite_flamingo.shapes.entailment_data import empty, question_form, terse
from polite_flamingo.shapes.oracle import claims
from polite_flamingo.shapes.preference_data import labelled, repeated, thing_boxes
from polite_flamingo.shapes.questions import KINDS, Question, make_questions
from polite_flamingo.shapes.reading.claims import attributes
from polite_flamingo.shapes.scene import (
    COLORS,
    SHAPES,
    SIZES,
    TEXTURES,
    Change,
    ObjectLimits,
    Scene,
    Thing,
    make_scene,
    make_variant,
    unlike,
)
from polite_flamingo.shapes.wordings import (
    NUMBERS,
    article,
    choose,
    fill,
    listing,
    load_wording,
    sentences,
    shuffled,
)

# Faults of every task (METHOD section 5 and more), then those of some.
_COMMON = (
    "unchanged",
    "repetition",
    "too_short",
    "too_long",
    "courtesy_only",
    "truncated",
    "question_echoed",
)
FAULTS = {
    "vqa": (*_COMMON, "changed_answer", "wrong_extra_claim"),
    "classification": (*_COMMON, "changed_answer", "wrong_extra_claim"),
    "captioning": (
        *_COMMON,
        "boxes_left",
        "hallucinated_paragraph",
        "lost_fact",
        "changed_fact",
    ),
    "change_captioning": (*_COMMON, "wrong_change"),
}
_TASK_SHARES = {"vqa": 6, "classification": 2, "captioning": 5, "change_captioning": 3}
ALL_FAULTS = tuple(dict.fromkeys(fault for faults in FAULTS.values() for fault in faults))

Row = dict[str, Any]
# Longer than any filter lets pass, though nothing in it is repeated word for word.
_TOO_LONG_WORDS = 200
_COURTESY_SHARE = 0.15
# Captions that must state a fact for its loss to be a fault.
_LEAST_MENTIONS = 2
_FIVE_CAPTIONS = 0.8
_BOXES_SHARE = 0.85
# Scenes that hallucinated paragraphs describe, beyond those that are shown.
_OTHER_SCENES = 900_000_000
_OTHERS = 200
_TRIES = 12
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class Drafted:
    """A draft with its right rewrite, and what a fault needs to know of them.

    ``wrong`` is a rewrite that says another plausible answer (or change) than the draft.
    """

    task: str
    instruction: str
    draft: str
    good: str
    references: tuple[str, ...]
    wrong: str = ""


def rewrite_examples(
    scene: Scene, pool: str, wording: str, seed: int, index: int, image: str
) -> list[Row]:
    """Make a good rewrite of a draft and a bad one with a named fault; faults come equally often.

    Rows hold task, instruction, draft, rewrite, references, image, label (good, bad), fault ("").
    """
    rng = generator(seed, "rewrites", scene.scene_id, index)
    fault = choose(ALL_FAULTS, rng)
    tasks = [task for task, faults in FAULTS.items() if fault in faults]
    task = choose([name for name in tasks for _ in range(_TASK_SHARES[name])], rng)
    made = _drafted(scene, task, pool, wording, rng)
    if fault == "lost_fact" and not _losable(made, scene):
        # Nothing in the scene is told apart from the rest: a thing seen otherwise is a fault there.
        fault = "changed_fact"
    bad = _faulty(made, fault, scene, pool, seed, wording, rng)
    shared = {
        "task": task,
        "instruction": made.instruction,
        "draft": made.draft,
        "references": list(made.references),
        "image": image,
    }
    return [
        shared | {"rewrite": made.good, "label": "good", "fault": ""},
        shared | {"rewrite": bad, "label": "bad", "fault": fault},
    ]


# --- drafts with right rewrites ---------------------------------------------------------------


def _drafted(scene: Scene, task: str, pool: str, wording: str, rng: np.random.Generator) -> Drafted:
    if task == "vqa":
        made = _asked(scene, pool, wording, rng)
    elif task == "classification":
        made = _classified(scene, wording, rng)
    elif task == "change_captioning":
        made = _compared(scene, wording, rng)
    else:
        made = _described(scene, wording, rng)
    if rng.random() < _COURTESY_SHARE:
        return replace(made, good=_courteous(made.good, wording, rng))
    return made


def _courteous(text: str, wording: str, rng: np.random.Generator) -> str:
    """Put a friendly sentence that says nothing behind a rewrite."""
    return f"{text} {fill(choose(load_wording(wording).lines('tails'), rng), {}, rng)}"


def _asked(scene: Scene, pool: str, wording: str, rng: np.random.Generator) -> Drafted:
    question = make_questions(scene, rng, shuffled(KINDS, rng), 1)[0]
    negated = question.kind == "exist" and rng.random() < 0.4
    chance = rng.random()
    if not negated and chance < 0.2 and question.kind in language.REASON_KINDS:
        good = language.explain(scene, question, wording, rng)
    elif not negated and chance < 0.3:
        # As short as a right rewrite may be: one plain sentence.
        good = language.state(question, rng)
    else:
        good = language.respond(scene, question, wording, rng, negated)
    return Drafted(
        task="vqa",
        instruction=question_form(question, pool, negated, rng),
        draft=terse(question, rng, negated),
        good=good,
        references=(language.polar_word(question, negated),),
        wrong=_other_answer(scene, question, wording, rng, negated),
    )


def _other_answer(
    scene: Scene, question: Question, wording: str, rng: np.random.Generator, negated: bool
) -> str:
    """Answer with another value of the same kind; some keep the "yes" and turn the fact."""
    wrong = replace(question, answer=language.other_answer(question, rng))
    turned = question.kind == "exist" and rng.random() < 0.2
    return language.respond(scene, wrong, wording, rng, negated != turned)


def _classified(scene: Scene, wording: str, rng: np.random.Generator) -> Drafted:
    if rng.random() < 0.5:
        label, other = shuffled(NUMBERS[:10], rng)[:2]
        made = labelled(label, "digit", wording, rng)
        draft = f"a handwritten digit {label}."
        _, against = language.classify(rng, wording, other, "digit")
        return Drafted("classification", made.instruction, draft, made.response, (label,), against)
    thing = choose(scene.things, rng)
    label = f"{thing.color} {thing.shape}"
    made = labelled(label, "object", wording, rng)
    color = unlike(COLORS, thing.color, rng) if rng.random() < 0.7 else thing.color
    shape = unlike(SHAPES, thing.shape, rng) if color == thing.color else thing.shape
    _, against = language.classify(rng, wording, f"{color} {shape}", "object")
    draft = f"a photo of {article(label)}."
    return Drafted("classification", made.instruction, draft, made.response, (label,), against)


def _compared(scene: Scene, wording: str, rng: np.random.Generator) -> Drafted:
    after, change = make_variant(scene, int(rng.integers(1 << 62)))
    if rng.random() < 0.08:
        after, change = scene, Change("none", None, None)
    # A good rewrite leaves nothing out that the draft may say of the thing.
    instruction, good = language.change(scene, after, change, wording, rng, in_full=True)
    lines = [line.strip() for line in change_sentences(change, rng, 1 + int(rng.random() * 2))]
    wrong = _other_change(scene, after, change, wording, rng)
    return Drafted("change_captioning", instruction, "\n".join(lines), good, tuple(lines), wrong)


def _other_change(
    before: Scene, after: Scene, change: Change, wording: str, rng: np.random.Generator
) -> str:
    """Tell another change than the one that happened: its kind, its object or its colour."""
    if change.kind == "none":
        after, told = make_variant(before, int(rng.integers(1 << 62)))
        return language.change(before, after, told, wording, rng)[1]
    chance = rng.random()
    if chance < 0.15:
        told = Change("none", None, None)
    elif chance < 0.45 and change.kind in ("added", "removed"):
        kind = "removed" if change.kind == "added" else "added"
        told = Change(kind, change.after, change.before)
        before, after = after, before
    elif change.kind == "color" and change.after is not None and change.before is not None:
        barred = (change.after.color, change.before.color)
        color = choose([color for color in COLORS if color not in barred], rng)
        told = replace(change, after=replace(change.after, color=color))
    else:
        # Another object than the one that changed; every scene tells it apart by its looks.
        shown = change.before or change.after
        assert shown is not None
        color, shape = unlike(COLORS, shown.color, rng), unlike(SHAPES, shown.shape, rng)
        told = Change(
            change.kind,
            replace(change.before, color=color, shape=shape) if change.before else None,
            replace(change.after, color=color, shape=shape) if change.after else None,
        )
        before = _swapped(before, change.before, told.before)
        after = _swapped(after, change.after, told.after)
    return language.change(before, after, told, wording, rng)[1]


def _swapped(scene: Scene, old: Thing | None, new: Thing | None) -> Scene:
    if old is None or new is None:
        return scene
    return replace(scene, things=tuple(new if t == old else t for t in scene.things))


def _described(scene: Scene, wording: str, rng: np.random.Generator) -> Drafted:
    number = 5 if rng.random() < _FIVE_CAPTIONS else 1 + int(rng.random() * 4)
    lines = [line.strip() for line in captions(scene, rng, number)]
    draft = "\n".join(lines)
    if rng.random() < _BOXES_SHARE:
        draft = append_boxes(draft, thing_boxes(scene))
    good = _description(scene, wording, rng)
    return Drafted("captioning", language.describe_request(rng), draft, good, tuple(lines))


def _description(scene: Scene, wording: str, rng: np.random.Generator) -> str:
    """Describe a scene in one of many shapes: in full, in another order, or merged in a sentence."""
    chance = rng.random()
    if chance < 0.6:
        return language.describe(scene, wording, rng)
    if chance < 0.8:
        parts = _SENTENCE_END.split(language.describe(scene, wording, rng).replace("\n\n", " "))
        return " ".join(shuffled(parts, rng))
    return _merged(scene, wording, rng)


def _merged(scene: Scene, wording: str, rng: np.random.Generator) -> str:
    """Tell all captions in one sentence: what is there, and perhaps on what."""
    names = []
    for thing in shuffled(scene.things, rng):
        words = [thing.color, thing.shape]
        if rng.random() < 0.5 and thing.texture != "plain":
            words.insert(0, thing.texture)
        if rng.random() < 0.5:
            words.insert(0, thing.size)
        names.append(article(" ".join(words)))
    ground = f" on {article(scene.background + ' background')}" if rng.random() < 0.5 else ""
    intro = choose(load_wording(wording).lines("intros"), rng)
    clause = f"the {{image}} has {listing(names)}{ground}"
    return fill(intro.replace("~", clause), {}, rng)


# --- faults -----------------------------------------------------------------------------------


def _faulty(
    made: Drafted,
    fault: str,
    scene: Scene,
    pool: str,
    seed: int,
    wording: str,
    rng: np.random.Generator,
) -> str:
    text = made.good
    words = text.split()
    if fault in ("changed_answer", "wrong_change"):
        return made.wrong
    if fault == "wrong_extra_claim":
        frame = choose(load_wording(wording).lines("contrary"), rng)
        second = made.wrong if made.wrong.startswith("I ") else _uncapitalised(made.wrong)
        return f"{text} {fill(frame, {}, rng).removesuffix('.').replace('~', second)}"
    if fault == "repetition":
        return repeated(text, rng)
    if fault == "too_short":
        return " ".join(words[: 1 + int(rng.random() * 2)])
    if fault == "too_long":
        return _endless(text, scene, pool, seed, wording, rng)
    if fault == "courtesy_only":
        return empty(wording, rng)
    if fault == "truncated":
        keep = max(3, int(len(words) * (0.3 + 0.5 * rng.random())))
        return " ".join(words[: min(keep, len(words) - 1)]).rstrip(".,;:!?")
    if fault == "question_echoed":
        return _echo(made.instruction, wording, rng)
    if fault == "boxes_left":
        boxes = thing_boxes(scene)
        whole = rng.random() < 0.5
        return append_boxes(text, boxes) if whole else f"{text}\n\n{format_boxes(boxes)}"
    if fault == "hallucinated_paragraph":
        invented = _elsewhere(scene, pool, seed, wording, rng)
        return f"{text.replace(chr(10) * 2, ' ')}\n\n{invented}"
    if fault in ("lost_fact", "changed_fact"):
        return _misdescribed(made, fault, scene, wording, rng)
    # Unchanged, but for a capital and a full stop at times.
    draft = made.draft
    return draft if rng.random() < 0.6 else sentences(draft[0].upper() + draft[1:].rstrip("."))


def _uncapitalised(text: str) -> str:
    return text[0].lower() + text[1:]


def _echo(instruction: str, wording: str, rng: np.random.Generator) -> str:
    """Give the question back: as it is, with a sentence of courtesy, or as what was asked."""
    chance = rng.random()
    if chance < 0.4:
        return sentences(instruction)
    if chance < 0.7:
        return f"{sentences(instruction)} {empty(wording, rng)}"
    return f"You asked: {instruction}"


def _elsewhere(scene: Scene, pool: str, seed: int, wording: str, rng: np.random.Generator) -> str:
    """Describe another scene in one paragraph; most of its things are not in this one."""
    looks = {(thing.color, thing.shape) for thing in scene.things}
    limits = ObjectLimits(1, max(2, len(scene.things)))
    while True:
        other = _other_scene(seed, pool, int(rng.integers(_OTHERS)), limits)
        shared = sum((thing.color, thing.shape) in looks for thing in other.things)
        if 2 * shared < len(other.things):
            break
    text = language.describe(other, wording, rng).replace("\n\n", " ")
    parts = _SENTENCE_END.split(text)
    # A second paragraph need not start anew.
    return " ".join(parts[1:]) if len(parts) > 2 and rng.random() < 0.5 else text


@lru_cache(maxsize=4096)
def _other_scene(seed: int, pool: str, index: int, limits: ObjectLimits) -> Scene:
    return make_scene(seed, pool, _OTHER_SCENES + index, limits)


def _endless(
    text: str, scene: Scene, pool: str, seed: int, wording: str, rng: np.random.Generator
) -> str:
    parts = [text]
    while sum(len(part.split()) for part in parts) < _TOO_LONG_WORDS:
        parts.append(_elsewhere(scene, pool, seed, wording, rng))
    return " ".join(parts)


def _misdescribed(
    made: Drafted, fault: str, scene: Scene, wording: str, rng: np.random.Generator
) -> str:
    """Describe the scene but for one thing that the captions name: left out, or seen otherwise."""
    things = [thing for thing in scene.things if _told(thing, scene, made.references)]
    thing = choose(things or scene.things, rng)
    if fault == "lost_fact":
        left = tuple(other for other in scene.things if other != thing)
        return _description(replace(scene, things=left), wording, rng)
    # Where captions name no thing that can be told apart, all are seen otherwise.
    mistaken = (thing,) if things else scene.things
    seen = tuple(
        _misseen(other, scene, made.references, rng) if other in mistaken else other
        for other in scene.things
    )
    return _description(replace(scene, things=seen), wording, rng)


def _losable(made: Drafted, scene: Scene) -> bool:
    """Tell whether captions name a thing of several that a description can leave out."""
    told = any(_told(thing, scene, made.references) for thing in scene.things)
    return told and len(scene.things) > 1


def _told(thing: Thing, scene: Scene, lines: tuple[str, ...], *names: str) -> bool:
    """Tell whether enough captions name a thing (and its ``names``) that no other looks like."""
    alike = sum((t.color, t.shape) == (thing.color, thing.shape) for t in scene.things)
    told = sum(
        any(
            all(said.get(name) == getattr(thing, name) for name in wanted)
            for said in (attributes((*claim.subject, *claim.scope)) for claim in claims(line))
        )
        for line in lines
        for wanted in [("color", "shape", *names)]
    )
    return alike == 1 and told >= min(_LEAST_MENTIONS, len(lines))


def _misseen(thing: Thing, scene: Scene, lines: tuple[str, ...], rng: np.random.Generator) -> Thing:
    """Give a thing another colour, shape, or (where captions tell it) size or texture."""
    looks = {(other.color, other.shape) for other in scene.things}
    kinds = ["color", "shape"]
    kinds += [name for name in ("size", "texture") if _told(thing, scene, lines, name)]
    for _ in range(_TRIES):
        kind = choose(kinds, rng)
        wrong = _altered(thing, kind, rng)
        if kind in ("size", "texture") or (wrong.color, wrong.shape) not in looks:
            return wrong
    return replace(thing, color=choose([c for c in COLORS if c != thing.color], rng))


def _altered(thing: Thing, kind: str, rng: np.random.Generator) -> Thing:
    if kind == "color":
        return replace(thing, color=unlike(COLORS, thing.color, rng))
    if kind == "shape":
        return replace(thing, shape=unlike(SHAPES, thing.shape, rng))
    if kind == "size":
        return replace(thing, size=unlike(SIZES, thing.size, rng))
    # Never plain: descriptions need not say that, and what is not said is not wrong.
    return replace(thing, texture=unlike(TEXTURES[1:], thing.texture, rng))
