"""GRiD-3D: questions on directions in rendered scenes, as token lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Broken, Item, read_list
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    answer_of,
    as_number_id,
    convert,
    line_of,
    locate,
    locate_optional,
    mapping,
    question_record,
    sequence,
)
from polite_flamingo.sources.shelf import Shelf
from polite_flamingo.sources.text import one_line

_BEFORE_SIGN = re.compile(r" +([?.,;:!])")
_TRUTH = {"true": "yes", "false": "no"}


def read_grid3d(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read the questions whose index the split's ``*_idxs.json`` lists, in its order.

    Answers ``True`` and ``False`` become yes and no. Images are ``<img_idx>.png`` at any depth
    below the image folder.
    """
    questions = Shelf()
    count = 0
    for item in read_list(locate(entry, root, split, "questions")):
        broken = list(item.value) if isinstance(item.value, Broken) else None
        questions.add(str(count), [item.position, broken, None if broken else item.value])
        count += 1
    folder = locate_optional(entry, root, split, "images")
    images: dict[int, str] = {}
    if folder is not None:
        for path in sorted(folder.rglob("*.png"), reverse=True):
            if path.stem.isascii() and path.stem.isdigit():
                images[int(path.stem)] = path.relative_to(folder).as_posix()

    def build(item: Item, native_id: str) -> Record:
        position, broken, value = questions.get(native_id)[0]
        if broken is not None:
            raise BadRecord(*broken)
        record = mapping(value)
        number = as_number_id(record.get("img_idx"), "img_idx")
        answer = answer_of(record)
        answer = _TRUTH.get(answer.lower(), answer.lower())
        task = record.get("task")
        return question_record(
            item._replace(position=position),
            native_id,
            images.get(number, f"{number}.png"),
            _question(record),
            answer,
            extra={"question_type": task} if isinstance(task, str) else {},
        )

    def identify(item: Item) -> str:
        index = as_number_id(item.value, "index")
        if index >= count:
            raise BadRecord("bad_index", f"question {index} of {count}")
        return str(index)

    path = locate(entry, root, split, "indices")
    yield from convert(entry, split, read_list(path), identify, build)


def _question(record: Mapping[str, Any]) -> str:
    if isinstance(record.get("question"), str):
        return line_of(record, "question")
    tokens = [token for token in sequence(record, "question") if isinstance(token, str)]
    question = _BEFORE_SIGN.sub(r"\1", one_line(" ".join(tokens)))
    if not question:
        raise BadRecord("empty_question", "no token of the question is text")
    return question
