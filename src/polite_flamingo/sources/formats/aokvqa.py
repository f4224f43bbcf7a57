"""A-OKVQA: multiple choice with rationales."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Item, read_list
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    as_id,
    as_number_id,
    choice_list,
    convert,
    join_rationale,
    line_of,
    lines_in,
    locate,
    mapping,
    noted,
    sequence,
)


def read_aokvqa(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``aokvqa_v1p0_*.json``; option ``image_name`` formats the number of an image.

    The options are listed in the question; the draft is the right choice and the first rationale.
    The official test file has no answers and can't be used.
    """
    image_name = str(entry.options.get("image_name", "{:012d}.jpg"))

    def build(item: Item, native_id: str) -> Record:
        record = mapping(item.value)
        choices, _ = lines_in(sequence(record, "choices"))
        if len(choices) != len(record["choices"]):
            raise BadRecord("bad_choices", "a choice is blank, repeated or no text")
        place = record.get("correct_choice_idx")
        if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(choices):
            raise BadRecord("no_answer", f"correct_choice_idx is {place!r}"[:80])
        answer = choices[place]
        rationales = record.get("rationales", [])
        lines, left_out = lines_in(rationales if isinstance(rationales, list) else [])
        direct = record.get("direct_answers", [])
        answers, _ = lines_in(direct if isinstance(direct, list) else [])
        question = line_of(record, "question")
        return Record(
            native_id=native_id,
            position=item.position,
            images=(image_name.format(as_number_id(record.get("image_id"), "image_id")),),
            response=join_rationale(answer, lines[0]) if lines else answer,
            fields={
                "question": question,
                "choices": choice_list(choices),
            },
            references=tuple(lines),
            answer=answer,
            extra={
                "question": question,
                "choices": json.dumps(choices, ensure_ascii=False),
                "direct_answers": json.dumps(answers, ensure_ascii=False),
            },
            notes=noted(rationales_left_out=left_out, without_rationale=int(not lines)),
        )

    def identify(item: Item) -> str:
        return as_id(mapping(item.value).get("question_id"), "question_id")

    path = locate(entry, root, split, "annotations")
    yield from convert(entry, split, read_list(path), identify, build)
