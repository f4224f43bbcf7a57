"""easy-VQA: questions on one coloured shape, from the files of its Python package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Item, read_list
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    as_number_id,
    convert,
    line_of,
    locate,
    question_record,
)


def read_easy_vqa(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``questions.json``, a list of ``[question, answer, image number]``; ids are indices."""

    def build(item: Item, native_id: str) -> Record:
        if not isinstance(item.value, list) or len(item.value) != 3:
            raise BadRecord("bad_structure", "expected [question, answer, image number]")
        named = dict(zip(("question", "answer", "image"), item.value, strict=True))
        answer = line_of(named, "answer")
        image = f"{as_number_id(named['image'], 'image number')}.png"
        return question_record(item, native_id, image, line_of(named, "question"), answer)

    path = locate(entry, root, split, "questions")
    yield from convert(entry, split, read_list(path), lambda item: str(item.number), build)
