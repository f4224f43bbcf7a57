"""Labelled texts that the judges are trained, calibrated and tested on (METHOD sections 5 and 7).

Every example is a pure function of (seed, scene id, index within the scene).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from polite_flamingo.core.boxes import append_boxes, format_boxes
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Box
from polite_flamingo.core.seeds import generator
from polite_flamingo.core.tables import write_jsonl
from polite_flamingo.shapes import language
from polite_flamingo.shapes.annotations import (
    CLEVR_FORMS,
    captions,
    change_sentences,
    clevr_text,
    question_text,
    rationales,
    terse_answer,
)
from polite_flamingo.shapes.questions import KINDS, Question, make_questions
from polite_flamingo.shapes.scene import ATTRIBUTES, COLORS, SHAPES, Scene, make_variant, unlike
from polite_flamingo.shapes.wordings import NUMBERS, article, choose, fill, load_wording, shuffled

# Training and calibration share wording B; the held-out test speaks wording C.
POOL_WORDINGS = {"judges": "B", "calibration": "B", "test": "C"}
LABELS = ("entailment", "contradiction", "neutral")
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
    "boxes",
    "truncated",
    "caption_list",
)
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

_RATIONALE_KINDS = ("color", "shape", "count", "position", "texture")
# A row of JSON Lines, and the entailing, contradicting and neutral premise of one question.
Row = dict[str, Any]
_Premises = tuple[str, str, str]
# Longer than any filter lets pass, though nothing in it is repeated word for word.
_TOO_LONG_WORDS = 200
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_CHARACTER_NOISE = 0.3


@dataclass(frozen=True)
class Polite:
    """An instruction, its polite response, and the terse annotation of the same fact."""

    instruction: str
    response: str
    terse: str


def write(
    folder: Path,
    scenes: Sequence[Scene],
    pool: str,
    number: int,
    seed: int,
    images: Mapping[str, str],
) -> None:
    """Write ``{nli,preferences,rewrites}_{pool}.jsonl`` with ``number`` examples each.

    ``images`` gives the relative image path of each scene id. Labels come in equal shares: three
    neighbouring NLI rows share a question, two neighbouring rewrites a draft.
    Raises UserError for an unknown pool or without scenes.
    """
    if pool not in POOL_WORDINGS:
        raise UserError(f"unknown judges' pool {pool!r}: choose one of {', '.join(POOL_WORDINGS)}")
    if not scenes:
        raise UserError(f"pool {pool!r} has no scenes: raise its number in generate")
    wording = POOL_WORDINGS[pool]
    makers: dict[str, Callable[[Scene, int], list[Row]]] = {
        "nli": lambda scene, index: nli_examples(scene, pool, wording, seed, index),
        "preferences": lambda scene, index: [preference(scene, pool, wording, seed, index)],
        "rewrites": lambda scene, index: rewrite_examples(
            scene, pool, wording, seed, index, images[scene.scene_id]
        ),
    }
    for name, make in makers.items():
        write_jsonl(folder / f"{name}_{pool}.jsonl", _rounds(scenes, number, make))


def _rounds(
    scenes: Sequence[Scene],
    number: int,
    make: Callable[[Scene, int], list[Row]],
) -> Iterator[Row]:
    """Go round the scenes, index by index, until ``number`` rows are made."""
    made = index = 0
    while made < number:
        for scene in scenes:
            for row in make(scene, index):
                if made < number:
                    yield row
                    made += 1
            if made >= number:
                break
        index += 1


# --- entailment -------------------------------------------------------------------------------


def nli_examples(scene: Scene, pool: str, wording: str, seed: int, index: int) -> list[Row]:
    """Make one entailment, one contradiction and one neutral example of one question."""
    rng = generator(seed, "nli", scene.scene_id, index)
    chance = rng.random()
    if chance < 0.78:
        question, hypothesis, premises = _vqa_premises(scene, pool, wording, rng)
    elif chance < 0.92:
        question, hypothesis, premises = _label_premises(wording, rng)
    else:
        question, hypothesis, premises = _caption_premises(scene, wording, rng)
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
    text = _question_text(said, pool, negated, rng)
    draft = terse(said, rng, negated)
    if rng.random() < 0.08:
        same = terse(said, rng, negated)
    elif said == truth and not negated and rng.random() < 0.15:
        same = language.explain(scene, said, wording, rng)
    else:
        same = language.respond(scene, said, wording, rng, negated)
    against = _contradiction(scene, said, wording, rng, negated)
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


def _question_text(question: Question, pool: str, negated: bool, rng: np.random.Generator) -> str:
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


def _contradiction(
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
        return f"{right} {_contrary(second, wording, rng)}"
    if chance < 0.45 and said.kind in language.POLAR_KINDS:
        # Turning both the answer and the sense of the question keeps the "yes" and turns the fact.
        return language.respond(scene, wrong, wording, rng, not negated)
    return language.respond(scene, wrong, wording, rng, negated)


def _other_terse(said: Question, wrong: Question, rng: np.random.Generator, negated: bool) -> str:
    text = terse(wrong, rng, negated)
    return f"{said.answer}, no, {text}" if rng.random() < 0.2 and not negated else text


def _contrary(text: str, wording: str, rng: np.random.Generator) -> str:
    lowered = text if text.startswith("I ") else text[0].lower() + text[1:]
    frame = choose(load_wording(wording).lines("contrary"), rng)
    return fill(frame, {}, rng).removesuffix(".").replace("~", lowered)


def _unrelated(scene: Scene, question: Question, wording: str, rng: np.random.Generator) -> str:
    """Say something that neither answers the question nor speaks against an answer."""
    if rng.random() < 0.9:
        for other in make_questions(scene, rng, (*language.ATTRIBUTE_KINDS, "position"), 4):
            if _independent(question, other):
                return language.respond(scene, other, wording, rng)
    return _empty(wording, rng)


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


def _empty(wording: str, rng: np.random.Generator) -> str:
    lines = shuffled(load_wording(wording).lines("empty"), rng)
    return " ".join(fill(line, {}, rng) for line in lines[: 1 + (rng.random() < 0.4)])


def _label_premises(wording: str, rng: np.random.Generator) -> tuple[str, str, _Premises]:
    """Make premises for a classification: digits above all, letters and objects too."""
    domain = "digit" if rng.random() < 0.7 else choose(("letter", "object"), rng)
    label = language.draw_label(domain, rng)
    other = label
    while other == label:
        other = language.draw_label(domain, rng)
    question, same = language.classify(rng, wording, label, domain)
    _, against = language.classify(rng, wording, other, domain)
    return question, _terse_label(label, domain, rng), (same, against, _empty(wording, rng))


def _terse_label(label: str, domain: str, rng: np.random.Generator) -> str:
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
        _empty(wording, rng),
    )
    return language.describe_request(rng), caption, premises


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


# --- preferences ------------------------------------------------------------------------------


def preference(scene: Scene, pool: str, wording: str, seed: int, index: int) -> dict[str, str]:
    """Make a pair of responses to one instruction: a polite one and one that falls short."""
    rng = generator(seed, "preferences", scene.scene_id, index)
    kind = choose(PREFERENCE_KINDS, rng)
    while True:
        captioned = kind == "caption_list"
        made = _described(scene, wording, rng) if captioned else _polite(scene, pool, wording, rng)
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
        text = _question_text(question, pool, negated, rng)
        answer = language.respond(scene, question, wording, rng, negated)
        return Polite(text, answer, terse(question, rng, negated))
    if chance < 0.65:
        return _described(scene, wording, rng)
    if chance < 0.73:
        question = make_questions(scene, rng, language.REASON_KINDS, 1)[0]
        text = f"{_question_text(question, pool, False, rng)} Please explain."
        answer = language.explain(scene, question, wording, rng)
        return Polite(text, answer, terse(question, rng))
    if chance < 0.81:
        return _labelled(None, None, wording, rng)
    if chance < 0.89:
        return _changed(scene, wording, rng)
    if chance < 0.95:
        text, answer = choose(language.chat(rng, wording), rng)
        return Polite(text, answer, _last_words(answer))
    instruction, given, output = language.instruct(rng, wording)
    return Polite(f"{instruction}\n{given}", output, _last_words(output))


def _described(scene: Scene, wording: str, rng: np.random.Generator) -> Polite:
    lines = captions(scene, rng, 1 + int(rng.random() * 5))
    answer = language.describe(scene, wording, rng)
    return Polite(language.describe_request(rng), answer, "\n".join(line.strip() for line in lines))


def _labelled(
    label: str | None, domain: str | None, wording: str, rng: np.random.Generator
) -> Polite:
    domain = domain or choose(language.DOMAINS, rng)
    label = label or language.draw_label(domain, rng)
    question, answer = language.classify(rng, wording, label, domain)
    return Polite(question, answer, _terse_label(label, domain, rng))


def _changed(scene: Scene, wording: str, rng: np.random.Generator) -> Polite:
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
        return _repeated(made.response, rng)
    if kind == "cold":
        frame = choose(load_wording(wording).lines("cold"), rng)
        return frame.replace("~", made.terse.rstrip("."))
    if kind == "courtesy_only":
        return _empty(wording, rng)
    if kind == "boxes":
        return append_boxes(made.response, _boxes(scene))
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


def _repeated(text: str, rng: np.random.Generator) -> str:
    """Repeat the whole text or its last words without end."""
    if rng.random() < 0.5:
        return " ".join([text] * (3 + int(rng.random() * 3)))
    words = text.split()
    loop = " ".join(words[-min(len(words), 2 + int(rng.random() * 4)) :]).rstrip(".")
    return " ".join([text.rstrip("."), *([loop] * (5 + int(rng.random() * 8)))])


def _boxes(scene: Scene) -> list[Box]:
    return [Box(thing.shape, *thing.box) for thing in scene.things]


# --- good and bad rewrites --------------------------------------------------------------------


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
        text = _question_text(question, pool, negated, rng)
        answer = language.respond(scene, question, wording, rng, negated)
        made = Polite(text, answer, terse(question, rng, negated))
        truth = language.polar_word(question, negated)
        return made, [truth], _contradiction(scene, question, wording, rng, negated)
    if task == "classification":
        thing = choose(scene.things, rng)
        label = f"{thing.color} {thing.shape}"
        made = _labelled(label, "object", wording, rng)
        wrong = f"{unlike(COLORS, thing.color, rng)} {unlike(SHAPES, thing.shape, rng)}"
        _, against = language.classify(rng, wording, wrong, "object")
        return replace(made, terse=f"a photo of {article(label)}."), [label], against
    if task == "change_captioning":
        made = _changed(scene, wording, rng)
        return made, made.terse.split("\n"), ""
    made = _described(scene, wording, rng)
    references = made.terse.split("\n")
    if rng.random() < 0.6:
        made = replace(made, terse=append_boxes(made.terse, _boxes(scene)))
    return made, references, ""


def _faulty(
    made: Polite, fault: str, wrong: str, scene: Scene, wording: str, rng: np.random.Generator
) -> str:
    if fault == "changed_answer":
        return wrong
    if fault == "repetition":
        return _repeated(made.response, rng)
    if fault == "too_short":
        return " ".join(made.response.split()[: 1 + int(rng.random() * 2)])
    if fault == "too_long":
        return _endless(made.response, scene, wording, rng)
    if fault == "boxes_left":
        boxes = _boxes(scene)
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
