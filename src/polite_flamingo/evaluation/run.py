"""Let a model answer test samples, with its images, without them and with others' images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import pyarrow as pa

from polite_flamingo.core.sample import Sample
from polite_flamingo.core.seeds import derive, generator
from polite_flamingo.core.tables import read_table, write_table
from polite_flamingo.evaluation.truth import ANSWERABLE, Answer, is_correct

Control = Literal["", "blank", "shuffled"]

# Stands for the blank image where an image id is expected.
BLANK = "blank"

RESPONSE_SCHEMA = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("control", pa.string(), nullable=False),
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("instruction", pa.string(), nullable=False),
        pa.field("response", pa.string(), nullable=False),
        pa.field("answer", pa.string()),
        pa.field("correct", pa.bool_()),  # null: the sample has no short answer
    ]
)

# (instructions, images of each) -> responses
Respond = Callable[[Sequence[str], Sequence[Sequence[str]]], Sequence[str]]


def choose_test(samples: Sequence[Sample], counts: Mapping[str, int], seed: int) -> list[Sample]:
    """At most ``counts[source]`` test samples of each source, by a seeded hash of their ids."""
    chosen: list[Sample] = []
    for source, count in counts.items():
        own = [s for s in samples if s.source == source and s.split == "test"]
        own.sort(key=lambda sample: derive(seed, "test", sample.sample_id))
        chosen += sorted(own[:count], key=lambda sample: sample.sample_id)
    return chosen


def control_images(
    samples: Sequence[Sample],
    control: Control,
    seed: int,
    kin: Mapping[str, str] | None = None,
) -> list[tuple[str, ...]]:
    """The images each sample is shown: its own, blank ones, or another sample's of its source.

    Shuffled: a source's sets of images stand in a random circle, and samples on one of them are
    shown the next that shares no picture with it. ``kin`` names what an image shows (the hash of
    its scene); without it an image is like itself only. Where all are alike they are blank.
    """
    blank = [tuple(BLANK for _ in sample.images) for sample in samples]
    if control == "blank":
        return blank
    images = [sample.images for sample in samples]
    if control == "shuffled":
        for source in sorted({sample.source for sample in samples}):
            own = sorted({s.images for s in samples if s.source == source})
            places = generator(seed, "shuffled", source).permutation(len(own))
            shown = _strangers([own[place] for place in places], kin or {})
            for row, sample in enumerate(samples):
                if sample.source == source:
                    images[row] = shown.get(sample.images, blank[row])
    return images


def _strangers(
    circle: Sequence[tuple[str, ...]], kin: Mapping[str, str]
) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The next set of images in the circle that has nothing in common with each; none: left out."""
    shows = [frozenset(kin.get(image, image) for image in images) for images in circle]
    found = {}
    for place, images in enumerate(circle):
        for step in range(1, len(circle)):
            other = (place + step) % len(circle)
            if not shows[place] & shows[other]:
                found[images] = circle[other]
                break
    return found


def run(
    model: str,
    control: Control,
    samples: Sequence[Sample],
    respond: Respond,
    answer: Answer,
    seed: int,
    work: Path,
    kin: Mapping[str, str] | None = None,
) -> pa.Table:
    """Responses of a model to every sample (:data:`RESPONSE_SCHEMA`), kept in ``work``.

    A response without the label's answer, or with two answers, is wrong.
    """
    path = work / f"{model}{'-' if control else ''}{control}.parquet"
    if path.is_file():
        return read_table(path).cast(RESPONSE_SCHEMA)
    instructions = [sample.turns[0].instruction for sample in samples]
    responses = respond(instructions, control_images(samples, control, seed, kin))
    rows = []
    for sample, response in zip(samples, responses, strict=True):
        scored = sample.answer is not None and sample.task in ANSWERABLE
        rows.append(
            {
                "model": model,
                "control": control,
                "sample_id": sample.sample_id,
                "source": sample.source,
                "task": sample.task,
                "instruction": sample.turns[0].instruction,
                "response": response,
                "answer": answer(sample, response) if scored else None,
                "correct": is_correct(sample, response, answer) if scored else None,
            }
        )
    table = pa.Table.from_pylist(rows, schema=RESPONSE_SCHEMA)
    write_table(path, table)
    return table
