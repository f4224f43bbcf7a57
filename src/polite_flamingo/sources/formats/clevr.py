"""CLEVR: compositional questions with one-word answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Item, read_members
from polite_flamingo.sources.record import (
    Record,
    answer_of,
    as_id,
    convert,
    line_of,
    locate,
    mapping,
    question_record,
)


def read_clevr(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``questions/CLEVR_*_questions.json``; raw output of the generator is read as well.

    The last function of the program is kept as ``extra["question_type"]``. The official test file
    has no answers and can't be used.
    """

    def build(item: Item, native_id: str) -> Record:
        record = mapping(item.value)
        answer = answer_of(record)
        kind = _question_type(record)
        return question_record(
            item,
            native_id,
            line_of(record, "image_filename"),
            line_of(record, "question"),
            answer,
            extra={"question_type": kind} if kind else {},
        )

    def identify(item: Item) -> str:
        return as_id(mapping(item.value).get("question_index"), "question_index")

    path = locate(entry, root, split, "questions")
    items = (item for _, item in read_members(path, ("questions",)))
    yield from convert(entry, split, items, identify, build)


def _question_type(record: Mapping[str, Any]) -> str:
    program = record.get("program")
    last = program[-1] if isinstance(program, list) and program else None
    # Released files say "function", the generator's own output says "type".
    kind = (last.get("function") or last.get("type")) if isinstance(last, Mapping) else None
    return kind if isinstance(kind, str) else ""
