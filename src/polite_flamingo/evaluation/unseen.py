"""Test samples that hold what training never showed: colour-shape pairs, and forms of question."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from polite_flamingo.core.sample import Sample
from polite_flamingo.evaluation.intervals import SampleBootstrap, as_json
from polite_flamingo.evaluation.truth import question_of
from polite_flamingo.shapes.annotations import is_test_only_form

Row = Mapping[str, Any]

GROUPS = ("held_out_pair", "test_only_form")


def unseen_samples(
    samples: Iterable[Sample],
    scenes: pa.Table,
    origins: Mapping[str, Collection[str]] | None = None,
) -> dict[str, set[str]]:
    """Ids of the Shapes test samples of each of :data:`GROUPS`; "seen" holds the other ones.

    `scenes` is data/scenes/scenes.parquet, whose `held_out_pair` says that a scene shows a colour
    and a shape that no training scene shows together. `origins` (core/shards.py): what changed
    images were made from.
    """
    rows = scenes.to_pylist()
    drawn = {row["image_sha256"] for row in rows}
    held_out = {row["image_sha256"] for row in rows if row.get("held_out_pair")}
    for image, files in (origins or {}).items():
        if drawn.issuperset(files):
            drawn.add(image)
        if held_out.intersection(files):
            held_out.add(image)
    found: dict[str, set[str]] = {group: set() for group in (*GROUPS, "seen")}
    for sample in samples:
        if sample.split != "test" or not drawn.issuperset(sample.images):
            continue
        own = []
        if held_out.intersection(sample.images):
            own.append("held_out_pair")
        if is_test_only_form(question_of(sample)):
            own.append("test_only_form")
        for group in own or ["seen"]:
            found[group].add(sample.sample_id)
    return found


def unseen_figures(
    answered: Sequence[Row],
    groups: Mapping[str, set[str]],
    models: Sequence[str],
    boot: SampleBootstrap,
) -> dict[str, dict[str, Any]]:
    """Accuracy of each model on each group of samples: {group: {model: mean, low, high, n}}."""
    return {
        group: {
            model: as_json(
                boot.mean(
                    f"unseen/{group}/{model}",
                    [
                        (row["sample_id"], float(row["correct"]))
                        for row in answered
                        if row["model"] == model
                        and row["control"] == ""
                        and row["sample_id"] in ids
                        and row["correct"] is not None
                    ],
                )
            )
            for model in models
        }
        for group, ids in groups.items()
    }
