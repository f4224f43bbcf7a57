"""Question files that are one object by id: GQA, OCR-VQA and ScienceQA."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Broken, Item, first_sign, read_list, read_mapping
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    answer_of,
    as_id,
    choice_list,
    convert,
    join_rationale,
    line_of,
    lines_in,
    lines_of,
    locate,
    locate_optional,
    mapping,
    noted,
    option,
    question_record,
    sequence,
    text_of,
)
from polite_flamingo.sources.text import one_line

_OCR_SPLITS = {"1": "train", "2": "train", "3": "test"}


def read_gqa(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``*_questions.json``, an object by question id; or a folder of such files (train_all).

    The list that LAVIS redistributes (``image``, ``question_id``) is read as well. ``fullAnswer`` is
    a reference besides the answer.
    """

    def found() -> Iterator[Item]:
        path = locate(entry, root, split, "questions")
        for file in sorted(path.glob("*.json*")) if path.is_dir() else [path]:
            if first_sign(file) == "{":
                for key, item in read_mapping(file):
                    value = item.value
                    yield item if isinstance(value, Broken) else item._replace(value=(key, value))
            else:
                for item in read_list(file):
                    value = item.value
                    known = value.get("question_id") if isinstance(value, Mapping) else None
                    yield item if isinstance(value, Broken) else item._replace(value=(known, value))

    def build(item: Item, native_id: str) -> Record:
        record = mapping(item.value[1])
        answer = answer_of(record)
        image = record.get("imageId", record.get("image"))
        name = as_id(image, "imageId")
        full = record.get("fullAnswer")
        references, _ = lines_in([answer, full])
        types = record.get("types")
        kind = types.get("structural") if isinstance(types, Mapping) else None
        return question_record(
            item,
            native_id,
            name if PurePosixPath(name).suffix else f"{name}.jpg",
            line_of(record, "question"),
            answer,
            references=references,
            extra={"question_type": kind} if isinstance(kind, str) else {},
        )

    yield from convert(
        entry, split, found(), lambda item: as_id(item.value[0], "question_id"), build
    )


def read_ocrvqa(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``dataset.json``: a book cover's parallel questions and answers; ids ``<key>-<index>``.

    The official split 2 (val) is ours to train. Images are ``<key>`` with the suffix of
    ``imageURL``.
    """

    def found() -> Iterator[Item]:
        for key, item in read_mapping(locate(entry, root, split, "annotations")):
            value = item.value
            if isinstance(value, Broken) or not isinstance(value, Mapping):
                wrong = value if isinstance(value, Broken) else Broken("not_an_object", str(key))
                if split == "train":
                    yield item._replace(value=wrong)
                continue
            ours = _OCR_SPLITS.get(str(value.get("split")))
            if ours is None and split == "train":
                yield item._replace(value=Broken("bad_split", f"split is {value.get('split')!r}"))
            if ours != split:
                continue
            asked, told = value.get("questions"), value.get("answers")
            if not (isinstance(asked, list) and isinstance(told, list) and len(asked) == len(told)):
                detail = "questions and answers are no lists of one length"
                yield item._replace(value=Broken("bad_questions", detail))
                continue
            for number, (question, answer) in enumerate(zip(asked, told, strict=True)):
                yield Item(
                    f"{item.position}/{number}", number, (key, number, question, answer, value)
                )

    def build(item: Item, native_id: str) -> Record:
        key, _, question, answer, record = item.value
        named = {"question": question, "answer": answer}
        told = answer_of(named)
        return question_record(
            item,
            native_id,
            f"{as_id(key, 'key')}{_suffix(record.get('imageURL'))}",
            line_of(named, "question"),
            told,
            extra=lines_of(record, "title", "genre"),
        )

    yield from convert(
        entry, split, found(), lambda item: f"{as_id(item.value[0], 'key')}-{item.value[1]}", build
    )


def _suffix(url: object) -> str:
    try:
        suffix = PurePosixPath(urlsplit(url).path).suffix if isinstance(url, str) else ""
    except ValueError:
        suffix = ""
    return suffix if suffix else ".jpg"


def read_scienceqa(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``problems.json``: choices in the question, answer and solution as the draft.

    Role ``ids`` is ``pid_splits.json``; without it the problem's own ``split`` counts. Option
    ``official`` names the official splits that are ours. Problems without an image are not read:
    PF-1M has only those with one.
    """
    official = {name.strip() for name in option(entry, split, "official", split).split(",")}
    listed = locate_optional(entry, root, split, "ids")
    wanted: set[str] | None = None
    if listed is not None:
        wanted = set()
        for name, item in read_mapping(listed):
            if name in official and isinstance(item.value, list):
                wanted.update(str(pid) for pid in item.value)

    def found() -> Iterator[Item]:
        for key, item in read_mapping(locate(entry, root, split, "annotations")):
            value = item.value
            if isinstance(value, Broken) or not isinstance(value, Mapping):
                wrong = value if isinstance(value, Broken) else Broken("not_an_object", str(key))
                if split == "train":
                    yield item._replace(value=wrong)
                continue
            ours = key in wanted if wanted is not None else value.get("split") in official
            if ours and value.get("image") is not None:
                yield item._replace(value=(key, value))

    def build(item: Item, native_id: str) -> Record:
        record = item.value[1]
        choices, _ = lines_in(sequence(record, "choices"))
        if len(choices) != len(record["choices"]) or not choices:
            raise BadRecord("bad_choices", "a choice is blank, repeated or no text")
        place = record.get("answer")
        if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(choices):
            raise BadRecord("no_answer", f"answer is {place!r}"[:80])
        answer = choices[place]
        solution = one_line(text_of(record, "solution")) if record.get("solution") else ""
        hint = one_line(record["hint"]) if isinstance(record.get("hint"), str) else ""
        question = line_of(record, "question")
        part = record.get("split")
        folder = f"{one_line(part)}/{native_id}" if isinstance(part, str) else native_id
        return Record(
            native_id=native_id,
            position=item.position,
            images=(f"{folder}/{line_of(record, 'image')}",),
            response=join_rationale(answer, solution) if solution else answer,
            fields={
                "question": f"{hint} {question}" if hint else question,
                "choices": choice_list(choices),
            },
            references=(solution or answer,),
            answer=answer,
            extra={
                "question": question,
                "choices": json.dumps(choices, ensure_ascii=False),
                **lines_of(record, "subject", "grade"),
            },
            notes=noted(without_rationale=int(not solution)),
        )

    yield from convert(entry, split, found(), lambda item: as_id(item.value[0], "pid"), build)
