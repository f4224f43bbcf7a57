"""What a model gets from the image: its responses against those to blank and others' images."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import pyarrow as pa

from polite_flamingo.core.sample import Sample
from polite_flamingo.evaluation import metrics
from polite_flamingo.evaluation.intervals import SampleBootstrap, as_json, side_of
from polite_flamingo.evaluation.run import Control
from polite_flamingo.evaluation.truth import question_of
from polite_flamingo.shapes.scene import COLORS, SHAPES, SIZES, TEXTURES

Row = Mapping[str, Any]
Guess = Callable[[Sample], str | None]

CONTROLS: tuple[Control, ...] = ("blank", "shuffled")
# What a response is measured by: the first where the sample has a short answer, else the others.
FIGURES = ("accuracy", "rouge_l", "sts")


def quality(rows: Sequence[Row], ratings: Mapping[tuple[str, str, str], Row]) -> dict[str, Any]:
    """Accuracy and mean ratings of some responses."""
    rated = [ratings.get((row["model"], row["control"], row["sample_id"]), {}) for row in rows]
    return {
        "samples": len(rows),
        "accuracy": metrics.accuracy_of(rows),
        **{
            figure: metrics.mean_of(rating.get(figure) for rating in rated)
            for figure in ("rouge_l", "sts", "reward")
        },
    }


def by_key(ratings: pa.Table) -> dict[tuple[str, str, str], Row]:
    return {(row["model"], row["control"], row["sample_id"]): row for row in ratings.to_pylist()}


def controls(
    final: Mapping[str, Sequence[Row]],
    ratings: pa.Table,
    samples: Mapping[str, Sample],
    held_out: Sequence[str],
    boot: SampleBootstrap,
) -> dict[str, dict[str, Any]]:
    """One model on every source with its image, with a blank and with another's image.

    `final` holds its responses by control ("" with the image). `question_only` is the accuracy of
    the most common training answer to the same question, `majority` that of the most common one
    to questions of the same form (of a source without training samples: the most common answer
    of its test). `minus` is the image minus each control,
    {control: {figure: mean, low, high, n, above}}: differences on the same samples, and whether
    their whole interval lies above 0.
    """
    keyed = by_key(ratings)
    prior = _most_common(samples.values(), _words)
    majority = _most_common(samples.values(), question_form, test_too=True)
    found: dict[str, dict[str, Any]] = {}
    for source in sorted({row["source"] for row in final[""]}):
        own = {
            control: [row for row in rows if row["source"] == source]
            for control, rows in final.items()
        }
        asked = [samples[row["sample_id"]] for row in own[""]]
        asked = [sample for sample in asked if sample.answer is not None]
        found[source] = {
            "task": own[""][0]["task"],
            "held_out": source in held_out,
            "image": quality(own[""], keyed),
            **{control: quality(own[control], keyed) for control in CONTROLS if own[control]},
            "question_only": _hits(asked, prior),
            "majority": _hits(asked, majority),
            "minus": {
                control: _minus(f"{source}/{control}", own[""], own[control], keyed, boot)
                for control in CONTROLS
                if own[control]
            },
        }
    return found


def _minus(
    name: str,
    seen: Sequence[Row],
    unseen: Sequence[Row],
    ratings: Mapping[tuple[str, str, str], Row],
    boot: SampleBootstrap,
) -> dict[str, dict[str, Any]]:
    """Paired differences of every figure that both lists of responses have."""
    found: dict[str, dict[str, Any]] = {}
    for figure in FIGURES:
        own, other = (_values(rows, figure, ratings) for rows in (seen, unseen))
        gap = boot.gap(f"{name}/{figure}", own, other)
        bounds = as_json(gap)
        if bounds is not None:
            found[figure] = {**bounds, "above": side_of(gap) == 1}
    return found


def _values(
    rows: Iterable[Row], figure: str, ratings: Mapping[tuple[str, str, str], Row]
) -> dict[str, float]:
    """A figure by sample id, where the response has it."""
    if figure == "accuracy":
        return {
            row["sample_id"]: float(row["correct"]) for row in rows if row["correct"] is not None
        }
    values = {
        row["sample_id"]: ratings.get((row["model"], row["control"], row["sample_id"]), {}).get(
            figure
        )
        for row in rows
    }
    return {key: float(value) for key, value in values.items() if value is not None}


def _hits(asked: Sequence[Sample], guess: Guess) -> float | None:
    """Share of the samples whose answer is guessed, of those that can be guessed."""
    guesses = [(guess(sample), sample.answer) for sample in asked]
    return metrics.mean_of(given == answer for given, answer in guesses if given is not None)


def _most_common(
    samples: Iterable[Sample], form: Callable[[str], str], test_too: bool = False
) -> Guess:
    """Guess from the question alone: the most common training answer of its form, else its source.

    With `test_too` a source that has no training answers is guessed by its test answers.
    """
    asked: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    anywhere: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for sample in samples:
        if sample.answer is None:
            continue
        anywhere[sample.split][sample.source][sample.answer] += 1
        if sample.split == "train":
            asked[sample.source, form(question_of(sample))][sample.answer] += 1
    splits = ("train", "test") if test_too else ("train",)

    def guess(sample: Sample) -> str | None:
        counts = asked.get((sample.source, form(question_of(sample))))
        for split in splits:
            counts = counts or anywhere[split].get(sample.source)
        # Ties go to the first by name, so that the guess does not hang on the order of samples.
        return min(counts, key=lambda answer: (-counts[answer], answer)) if counts else None

    return guess


def question_form(question: str) -> str:
    """A question without the things it names: "what color is the small star" -> "... the _"."""
    masked = ["_" if word in _NAMES else word for word in metrics.words(question)]
    return " ".join(word for word, _ in groupby(masked))


def _words(question: str) -> str:
    return " ".join(metrics.words(question))


def _forms(words: Iterable[str]) -> frozenset[str]:
    named = {part for word in words for part in word.split()}
    return frozenset(named | {f"{word}s" for word in named} | {f"{word}es" for word in named})


_NAMES = _forms((*COLORS, *SHAPES, *SIZES, *TEXTURES, "shape", "object", "thing", "one"))
