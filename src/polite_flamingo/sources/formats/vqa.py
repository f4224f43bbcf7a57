"""VQA-v2, VQA-v1 and OK-VQA: a file of questions and a file of ten answers each; and VQA-E."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Broken, Item, read_list, read_members
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    answer_extra,
    answer_of,
    as_id,
    as_number_id,
    convert,
    line_of,
    lines_of,
    locate,
    majority,
    mapping,
    noted,
    option,
    question_record,
    sequence,
)
from polite_flamingo.sources.shelf import Shelf
from polite_flamingo.sources.text import one_line

_COCO_2014 = "COCO_train2014_{:012d}.jpg"


class _Pair(NamedTuple):
    """A question with its annotation (None: it has none), or why one of the two is no good."""

    question_id: str
    question: Mapping[str, Any]
    annotation: Mapping[str, Any] | None
    fault: BadRecord | None = None


def read_vqa(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Join ``*_questions.json`` and ``*_annotations.json`` by question id.

    The draft is the answer most of the ten people gave (METHOD section 4); its share and all answers
    are kept in ``extra``. Both files are read side by side, so memory stays flat where they have one
    order, as the official ones do; what waits for its other half beyond that lies on disk.
    """
    image_name = option(entry, split, "image_name", _COCO_2014)
    questions = read_members(locate(entry, root, split, "questions"), ("questions",))
    annotations = read_members(locate(entry, root, split, "annotations"), ("annotations",))

    def build(item: Item, native_id: str) -> Record:
        pair: _Pair = item.value
        told = pair.annotation
        if pair.fault is not None:
            raise pair.fault
        if told is None:
            raise BadRecord("no_answer", "no annotation has this question_id")
        answer, share, counts = _answer(told)
        kind = lines_of(told, "question_type", "answer_type")
        question = line_of(pair.question, "question")
        number = as_number_id(pair.question.get("image_id"), "image_id")
        extra = {"question": question, **answer_extra(share, counts), **kind}
        image = image_name.format(number)
        return question_record(item, native_id, image, question, answer, extra=extra)

    pairs = _join(questions, annotations)
    yield from convert(entry, split, pairs, lambda item: item.value.question_id, build)


def _join(
    questions: Iterator[tuple[str, Item]], annotations: Iterator[tuple[str, Item]]
) -> Iterator[Item]:
    """Yield a pair a question, and what has no other half or no id as faults."""
    asked, told = Shelf(), Shelf()
    waiting_asked = waiting_told = 0
    for asking, telling in zip_longest(map(_identified, questions), map(_identified, annotations)):
        # The official files have one order: both halves come at once.
        if (
            asking is not None
            and telling is not None
            and asking[1] == telling[1] != ""
            and not (waiting_asked or waiting_told)
        ):
            item, native_id = asking
            yield item._replace(value=_Pair(native_id, item.value, telling[0].value))
            continue
        for found in (asking, telling):
            if found is None:
                continue
            item, native_id = found
            if isinstance(item.value, Broken):
                yield item
            elif found is asking:
                other = told.take(native_id) if waiting_told else []
                if other:
                    waiting_told -= len(other)
                    yield item._replace(value=_Pair(native_id, item.value, other[0][1]))
                    yield from _repeated(other[1:], native_id)
                else:
                    asked.add(native_id, [item.position, item.value])
                    waiting_asked += 1
            else:
                waiting = asked.take(native_id) if waiting_asked else []
                if waiting:
                    waiting_asked -= len(waiting)
                    for position, question in waiting:
                        pair = _Pair(native_id, question, item.value)
                        yield Item(position, item.number, pair)
                else:
                    told.add(native_id, [item.position, item.value])
                    waiting_told += 1
    for native_id, values in asked.items():
        for position, question in values:
            yield Item(position, 0, _Pair(native_id, question, None))
    for native_id, values in told.items():
        fault = BadRecord("unknown_question", "an annotation without its question")
        for position, _ in values:
            yield Item(position, 0, _Pair(native_id, {}, None, fault))


def _identified(found: tuple[str, Item]) -> tuple[Item, str]:
    """Return an item with its question id; without one it is Broken."""
    item = found[1]
    if isinstance(item.value, Broken):
        return item, ""
    try:
        return item, as_id(mapping(item.value).get("question_id"), "question_id")
    except BadRecord as error:
        return item._replace(value=Broken(error.reason, str(error))), ""


def _repeated(values: list[Any], native_id: str) -> Iterator[Item]:
    fault = BadRecord("duplicate_id", "a second annotation of the question")
    for position, _ in values:
        yield Item(position, 0, _Pair(native_id, {}, None, fault))


def _answer(record: Mapping[str, Any]) -> tuple[str, float, Any]:
    answers = record.get("answers")
    preferred = record.get("multiple_choice_answer")
    if isinstance(answers, list) and answers:
        return majority(answers, preferred)
    if preferred is None:
        raise BadRecord("no_answer", "the annotation has no answers")
    return majority([answer_of(record, "multiple_choice_answer")])


def read_vqae(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``VQA-E_*_set.json``: answer and explanation; ids are indices, there are no others."""
    image_name = option(entry, split, "image_name", _COCO_2014)

    def build(item: Item, native_id: str) -> Record:
        record = mapping(item.value)
        number = as_number_id(record.get("img_id", record.get("image_id")), "image_id")
        answer, share, counts = _answer(record)
        explained = record.get("explanation")
        text = explained[0] if isinstance(explained, list) and explained else explained
        rationale = one_line(text) if isinstance(text, str) else ""
        question = line_of(record, "question")
        return question_record(
            item,
            native_id,
            image_name.format(number),
            question,
            answer,
            rationale=rationale,
            extra={"question": question, **answer_extra(share, counts)},
            notes=noted(without_rationale=int(not rationale)),
        )

    path = locate(entry, root, split, "annotations")
    yield from convert(entry, split, read_list(path), lambda item: str(item.number), build)


def read_textvqa(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``TextVQA_0.5.1_*.json``; the official test file has no answers and can't be used."""

    def build(item: Item, native_id: str) -> Record:
        record = mapping(item.value)
        if not record.get("answers"):
            raise BadRecord("no_answer", "the question has no answers")
        answer, share, counts = majority(sequence(record, "answers"))
        question = line_of(record, "question")
        image = f"{as_id(record.get('image_id'), 'image_id')}.jpg"
        extra = {"question": question, **answer_extra(share, counts)}
        return question_record(item, native_id, image, question, answer, extra=extra)

    items = (item for _, item in read_members(locate(entry, root, split, "annotations"), ("data",)))
    yield from convert(entry, split, items, _own_question_id, build)


def _own_question_id(item: Item) -> str:
    return as_id(mapping(item.value).get("question_id"), "question_id")
