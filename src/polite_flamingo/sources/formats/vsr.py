"""VSR, visual spatial reasoning: is a caption true of its picture?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Item, read_list
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    as_id,
    convert,
    line_of,
    locate,
    mapping,
)

_ANSWERS = {0: "no", 1: "yes"}


def read_vsr(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``splits/*/*.jsonl``; records have no id, so it is ``<image stem>-<line>``."""

    def build(item: Item, native_id: str) -> Record:
        record = mapping(item.value)
        label = record.get("label")
        # A number, or its digit as text.
        label = int(label) if isinstance(label, str) and label.strip() in ("0", "1") else label
        if not isinstance(label, int) or label not in _ANSWERS:
            raise BadRecord("bad_label", f"label is {str(label)[:40]!r}, expected 0 or 1")
        answer = _ANSWERS[label]
        relation = record.get("relation")
        return Record(
            native_id=native_id,
            position=item.position,
            images=(line_of(record, "image"),),
            response=answer,
            fields={"caption": line_of(record, "caption")},
            references=(answer,),
            answer=answer,
            extra={"relation": relation} if isinstance(relation, str) else {},
        )

    def identify(item: Item) -> str:
        stem = PurePosixPath(line_of(mapping(item.value), "image")).stem
        return as_id(f"{stem}-{item.number + 1}")

    path = locate(entry, root, split, "annotations")
    yield from convert(entry, split, read_list(path), identify, build)
