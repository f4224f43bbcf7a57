"""Image-text pairs of the base models: captions as they are, questions with their answers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from polite_flamingo.core.balance import weighted_choice
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Sample
from polite_flamingo.core.seeds import generator
from polite_flamingo.training.statements import statement

_NEGATION = re.compile(r"\b(?:not|no)\b|n't\b", re.IGNORECASE)
_YES_NO = ("yes", "no")
# Questions that make one text of an image.
MOST_QUESTIONS = 3


@dataclass(frozen=True)
class ImageTexts:
    """An image with what is said of it: captions, and (question, answer) pairs.

    ``requests``: instructions that the captions answer.
    """

    image: str
    source: str
    captions: tuple[str, ...]
    answers: tuple[tuple[str, str], ...]
    requests: tuple[str, ...] = ()


def group_by_image(samples: Sequence[Sample]) -> list[ImageTexts]:
    """Gather the texts of every image that stands alone in a sample, in order of appearance."""
    captions: dict[tuple[str, str], list[str]] = defaultdict(list)
    answers: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    requests: dict[tuple[str, str], list[str]] = defaultdict(list)
    keys: dict[tuple[str, str], None] = {}
    for sample in samples:
        if len(sample.images) != 1:
            continue
        key = (sample.source, sample.images[0])
        keys[key] = None
        if sample.task == "captioning":
            captions[key] += sample.references or (sample.turns[0].response,)
            requests[key].append(sample.turns[0].instruction)
        elif sample.task == "classification":
            captions[key] += sample.references or (sample.turns[0].response,)
            answers[key] += [(turn.instruction, turn.response) for turn in sample.turns]
        else:
            answers[key] += [(turn.instruction, turn.response) for turn in sample.turns]
    return [
        ImageTexts(key[1], key[0], tuple(captions[key]), tuple(answers[key]), tuple(requests[key]))
        for key in keys
    ]


def plain_questions(groups: Sequence[ImageTexts]) -> list[ImageTexts]:
    """The groups with nothing but their questions without a negation; a group left empty goes."""

    def plain_answers(group: ImageTexts) -> tuple[tuple[str, str], ...]:
        return tuple(pair for pair in group.answers if not is_negated(pair[0]))

    plain = [
        replace(group, captions=(), answers=plain_answers(group), requests=()) for group in groups
    ]
    return [group for group in plain if group.answers]


def image_weights(
    groups: Sequence[ImageTexts],
    weights: Mapping[str, float],
    by_answer: Mapping[tuple[str, str], float] | None = None,
) -> list[float]:
    """Sampling weight of each image, so that sources appear in proportion to ``weights``.

    With ``by_answer`` an image weighs as much as its questions do together: to draw an image, and
    then one of its questions by weight, is to draw a question by weight.
    """
    own = [1.0] * len(groups)
    if by_answer is not None:
        own = [sum(by_answer[pair] for pair in group.answers) or 1.0 for group in groups]
    total: dict[str, float] = defaultdict(float)
    for group, weight in zip(groups, own, strict=True):
        total[group.source] += weight
    if missing := sorted(
        source for source, weight in weights.items() if weight and not total[source]
    ):
        raise UserError(
            f"base.pair_sources: no train images of {', '.join(missing)}: "
            "look at ingest.limits and generate.counts"
        )
    return [
        weights[group.source] * weight / total[group.source]
        for group, weight in zip(groups, own, strict=True)
    ]


def caption_text(
    group: ImageTexts, seed: int, *names: str | int, most: int = MOST_QUESTIONS
) -> str:
    """One text of an image for CLIP: a caption, or up to ``most`` questions with their answers.

    Open questions come first ("what color is the circle? red" tells two things of the image);
    yes and no speak only where nothing else is known.
    """
    rng = generator(seed, "caption", *names)
    if group.captions:
        return group.captions[int(rng.integers(len(group.captions)))]
    telling = [pair for pair in group.answers if pair[1] not in _YES_NO] or group.answers
    chosen = rng.permutation(len(telling))[:most]
    return " ".join(f"{telling[i][0]} {telling[i][1]}" for i in chosen)


def pair_text(
    group: ImageTexts,
    by_answer: Mapping[tuple[str, str], float],
    statements: float,
    seed: int,
    *names: str | int,
) -> tuple[str, str]:
    """(given text, text to learn) of an image: a caption, or a question and its answer.

    Half of the captions that answer a request are given it, the others nothing. One text only:
    what is said beside it would tell the answer without a look at the image. Answers are drawn by
    weight (`core.balance.answer_weights`); a share of ``statements`` of them is told in a
    sentence, and then all to questions with a negation are: what is so is learned from both kinds
    of question together, while their yes and no contradict each other. Half of the sentences that
    answer a plain yes/no question begin with the yes or no. Where sentences are told at all, some
    questions begin without a capital.
    """
    rng = generator(seed, "pair", *names)
    kinds = len(group.captions) > 0, len(group.answers) > 0
    if kinds == (True, False) or (all(kinds) and rng.random() < 0.5):
        caption = group.captions[int(rng.integers(len(group.captions)))]
        if group.requests and rng.random() < 0.5:
            return group.requests[int(rng.integers(len(group.requests)))], caption
        return "", caption
    weights = [by_answer[pair] for pair in group.answers]
    (chosen,) = weighted_choice([rng.random() for _ in weights], weights, 1)
    question, answer = group.answers[chosen]
    asked = _typed(question, seed, *names) if statements else question
    if rng.random() < statements or (statements and is_negated(question)):
        told = stated(question, answer, rng)
        if answer in _YES_NO and not is_negated(question) and told != answer and rng.random() < 0.5:
            told = f"{answer.capitalize()}, {told[0].lower()}{told[1:]}"
        return asked, told
    return asked, answer


def _typed(question: str, seed: int, *names: str | int) -> str:
    """The question, a third of the time without a capital at its start, as people type."""
    if generator(seed, "typed", *names).random() < 1 / 3:
        return question[:1].lower() + question[1:]
    return question


def is_negated(question: str) -> bool:
    """Tell whether a question holds a negation: "is there not a circle?"."""
    return _NEGATION.search(question) is not None


def stated(question: str, answer: str, rng: np.random.Generator) -> str:
    """An answer told in a sentence, mostly with a capital; as it is where no rule makes one of it."""
    sentence = statement(question, answer)
    if sentence is None:
        return answer
    if rng.random() < 0.7:
        sentence = sentence[0].upper() + sentence[1:]
    return sentence + "."
