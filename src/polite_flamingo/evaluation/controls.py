"""What a model gets from the image: its responses against those to blank and others' images."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from polite_flamingo.core.sample import Sample
from polite_flamingo.evaluation import metrics
from polite_flamingo.evaluation.intervals import SampleBootstrap, as_json, side_of
from polite_flamingo.evaluation.run import Control

Row = Mapping[str, Any]

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
    the most common training answer to the same question. `minus` is the image minus each control,
    {control: {figure: mean, low, high, n, above}}: differences on the same samples, and whether
    their whole interval lies above 0.
    """
    keyed = by_key(ratings)
    prior = _question_prior(samples.values())
    found: dict[str, dict[str, Any]] = {}
    for source in sorted({row["source"] for row in final[""]}):
        own = {
            control: [row for row in rows if row["source"] == source]
            for control, rows in final.items()
        }
        guesses: list[float] = []
        for row in own[""]:
            sample = samples[row["sample_id"]]
            guess = prior(sample)
            if sample.answer is not None and guess is not None:
                guesses.append(float(guess == sample.answer))
        found[source] = {
            "task": own[""][0]["task"],
            "held_out": source in held_out,
            "image": quality(own[""], keyed),
            **{control: quality(own[control], keyed) for control in CONTROLS if own[control]},
            "question_only": metrics.mean_of(guesses),
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


def _question_prior(samples: Iterable[Sample]) -> Any:
    """Guess from the question alone: its most common training answer, else the source's."""
    asked: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    anywhere: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in samples:
        if sample.split == "train" and sample.answer is not None:
            asked[sample.source, _question(sample)][sample.answer] += 1
            anywhere[sample.source][sample.answer] += 1

    def guess(sample: Sample) -> str | None:
        counts = asked.get((sample.source, _question(sample))) or anywhere.get(sample.source)
        # Ties go to the first by name, so that the guess does not hang on the order of samples.
        return min(counts, key=lambda answer: (-counts[answer], answer)) if counts else None

    return guess


def _question(sample: Sample) -> str:
    return " ".join(metrics.words(sample.turns[0].instruction))
