"""The records that flow through the house, and their Arrow schemas."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa

_to_json = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode
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
    # Column by column: half the time of a dict a sample.
    taken = list(samples)
    columns = [
        *(
            pa.array([getattr(sample, name) for sample in taken], pa.string())
            for name in ("sample_id", "source", "split", "task")
        ),
        _lists([sample.images for sample in taken], _strings),
        _lists([sample.turns for sample in taken], lambda turns: _structs(turns, _TURN)),
        _lists([sample.references for sample in taken], _strings),
        _lists([sample.boxes for sample in taken], lambda boxes: _structs(boxes, _BOX)),
        pa.array([sample.answer for sample in taken], pa.string()),
        pa.array([sample.parent_id for sample in taken], pa.string()),
        pa.array([_to_json(dict(sample.extra)) for sample in taken], pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=SAMPLE_SCHEMA)


def _lists(
    values: list[tuple[Any, ...]], as_array: Callable[[list[Any]], pa.Array]
) -> pa.ListArray:
    offsets = list(accumulate(map(len, values), initial=0))
    flat = as_array(list(chain.from_iterable(values)))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), flat)


def _strings(values: list[str]) -> pa.Array:
    return pa.array(values, pa.string())


def _structs(values: list[Any], kind: pa.StructType) -> pa.StructArray:
    columns = [pa.array([getattr(value, f.name) for value in values], f.type) for f in kind]
    return pa.StructArray.from_arrays(columns, fields=list(kind))


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
