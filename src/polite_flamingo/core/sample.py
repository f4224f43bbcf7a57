"""The records that flow through the house, and their Arrow schemas."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

TASKS = (
    "captioning",
    "classification",
    "change_captioning",
    "vqa",
    "vqa_rationale",
    "conversation",
    "text",
)


@dataclass(frozen=True)
class Turn:
    """One instruction and its response (a polite answer, or an annotation as a draft)."""

    instruction: str
    response: str


@dataclass(frozen=True)
class Box:
    """A named box; corners in 0..1 of the image's width and height."""

    name: str
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Sample:
    """One annotated example, whatever data set it comes from (METHOD section 4).

    ``sample_id`` is ``{source}/{split}/{native id}`` and unique over all sources; ``images`` are
    image ids (SHA-256 of the stored bytes) in the order the instruction speaks of them.
    """

    sample_id: str
    source: str
    split: str
    task: str
    images: tuple[str, ...]
    turns: tuple[Turn, ...]
    references: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    answer: str | None = None
    parent_id: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reject:
    """A record that was not taken, and why.

    ``position`` is ``file:line`` or ``file#index``; ``reason`` is a slug for counting and
    ``detail`` the words for a person.
    """

    stage: str
    source: str
    sample_id: str
    position: str
    reason: str
    detail: str


_TURN = pa.struct([("instruction", pa.string()), ("response", pa.string())])
_BOX = pa.struct(
    [("name", pa.string())] + [(corner, pa.float64()) for corner in ("x1", "y1", "x2", "y2")]
)

SAMPLE_SCHEMA = pa.schema(
    [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("images", pa.list_(pa.string()), nullable=False),
        pa.field("turns", pa.list_(_TURN), nullable=False),
        pa.field("references", pa.list_(pa.string()), nullable=False),
        pa.field("boxes", pa.list_(_BOX), nullable=False),
        pa.field("answer", pa.string()),
        pa.field("parent_id", pa.string()),
        pa.field("extra", pa.string(), nullable=False),
    ]
)

REJECT_SCHEMA = pa.schema(
    [
        pa.field(name, pa.string(), nullable=False)
        for name in ("stage", "source", "sample_id", "position", "reason", "detail")
    ]
)


def samples_to_table(samples: Iterable[Sample]) -> pa.Table:
    """Turn samples into a table of :data:`SAMPLE_SCHEMA`, order kept."""
    rows: list[dict[str, Any]] = []
    for sample in samples:
        rows.append(
            {
                "sample_id": sample.sample_id,
                "source": sample.source,
                "split": sample.split,
                "task": sample.task,
                "images": list(sample.images),
                "turns": [vars(turn) for turn in sample.turns],
                "references": list(sample.references),
                "boxes": [vars(box) for box in sample.boxes],
                "answer": sample.answer,
                "parent_id": sample.parent_id,
                "extra": json.dumps(dict(sample.extra), sort_keys=True, ensure_ascii=False),
            }
        )
    return pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA)


def table_to_samples(table: pa.Table) -> list[Sample]:
    """Read samples back from a table of :data:`SAMPLE_SCHEMA`, order kept."""
    return [
        Sample(
            sample_id=row["sample_id"],
            source=row["source"],
            split=row["split"],
            task=row["task"],
            images=tuple(row["images"]),
            turns=tuple(Turn(**turn) for turn in row["turns"]),
            references=tuple(row["references"]),
            boxes=tuple(Box(**box) for box in row["boxes"]),
            answer=row["answer"],
            parent_id=row["parent_id"],
            extra=json.loads(row["extra"]),
        )
        for row in table.to_pylist()
    ]


def rejects_to_table(rejects: Iterable[Reject]) -> pa.Table:
    """Turn rejects into a table of :data:`REJECT_SCHEMA`, order kept."""
    return pa.Table.from_pylist([vars(reject) for reject in rejects], schema=REJECT_SCHEMA)
