"""A record of a source between its official file and a sample, and checked access to JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Box, Reject, Turn
from polite_flamingo.sources.catalogue import Entry, present_path
from polite_flamingo.sources.drawing import Drawn
from polite_flamingo.sources.json_lists import Broken, Item, first_sign, read_list
from polite_flamingo.sources.text import one_line, tidy
from polite_flamingo.sources.text_files import read_lines

STAGE = "ingest"
_ID_LENGTH = 200
_to_json = json.JSONEncoder(ensure_ascii=False).encode
# An image of a record: a path below the image folder, encoded bytes, or a path and a drawing on it.
ImageRef = str | bytes | Drawn


@dataclass(kw_only=True, slots=True)
class Record:
    """One annotated example as its adapter read it, before images and instruction.

    ``images`` are paths below the data set's folder, encoded image bytes or a :class:`Drawn`. Either ``turns`` are
    given (conversations), or a ``response`` whose instruction is drawn from the entry's pool with
    ``fields`` in its ``{placeholders}``. ``notes`` count what was repaired or left out.
    """

    native_id: str
    position: str
    images: tuple[ImageRef, ...] = ()
    response: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    turns: tuple[Turn, ...] = ()
    references: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    answer: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)


class BadRecord(Exception):
    """A record that can't be used; ``reason`` is the slug of its reject."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def captions_record(
    item: Item,
    native_id: str,
    images: tuple[ImageRef, ...],
    texts: Iterable[object],
    *,
    extra: Mapping[str, str] | None = None,
    left_out: str = "captions_left_out",
) -> Record:
    """Make the record of what people said of an image or a pair: each text that differs, one a line.

    ``left_out`` is the note that counts the others; BadRecord ``empty_response`` where none is left.
    """
    lines, others = lines_in(texts)
    if not lines:
        raise BadRecord("empty_response", "no sentence that is not blank")
    return Record(
        native_id=native_id,
        position=item.position,
        images=images,
        response="\n".join(lines),
        references=tuple(lines),
        extra=extra or {},
        notes=noted(**{left_out: others}),
    )


def question_record(
    item: Item,
    native_id: str,
    image: str,
    question: str,
    answer: str,
    *,
    rationale: str = "",
    references: Sequence[str] = (),
    extra: Mapping[str, str] | None = None,
    notes: Mapping[str, int] | None = None,
) -> Record:
    """Make the record of a question about an image.

    The draft is the answer, with its rationale behind it where there is one; the reference is the
    rationale or the answer unless ``references`` are given.
    """
    return Record(
        native_id=native_id,
        position=item.position,
        images=(image,),
        response=join_rationale(answer, rationale) if rationale else answer,
        fields={"question": question},
        references=tuple(references) or (rationale or answer,),
        answer=answer,
        extra=extra or {},
        notes=notes or {},
    )


def sample_id(entry: Entry, split: str, native_id: str) -> str:
    """Make the id that is unique over all sources."""
    return f"{entry.name}/{split}/{native_id}"


def reject(
    entry: Entry, split: str, position: str, reason: str, detail: str, native_id: str = ""
) -> Reject:
    """Make the reject of a record of a source (``native_id`` empty where it is not known)."""
    identity = sample_id(entry, split, native_id) if native_id else ""
    return Reject(STAGE, entry.name, identity, position, reason, detail[:300])


def convert(
    entry: Entry,
    split: str,
    items: Iterable[Item],
    identify: Callable[[Item], str],
    build: Callable[[Item, str], Record],
) -> Iterator[Record | Reject]:
    """Turn the items of a file into records; a broken item or a BadRecord becomes a reject."""
    for item in items:
        native_id = ""
        try:
            if isinstance(item.value, Broken):
                raise BadRecord(item.value.reason, item.value.detail)
            native_id = identify(item)
            yield build(item, native_id)
        except BadRecord as error:
            yield reject(entry, split, item.position, error.reason, str(error), native_id)


def locate(entry: Entry, root: Path, split: str, role: str) -> Path:
    """Return the file or folder an entry names for a split; a missing one is a UserError."""
    path = locate_optional(entry, root, split, role)
    if path is None:
        name = entry.paths(split, role)[0]
        raise UserError(
            f"{entry.name}: missing {name} under {root}; "
            f"put the official file there ({entry.home}) or drop the source from ingest.sources"
        )
    return path


def locate_optional(entry: Entry, root: Path, split: str, role: str) -> Path | None:
    """Return the first path of a role that is there (also gzipped), or None."""
    return present_path(root, entry.paths(split, role))


def option(entry: Entry, split: str, name: str, default: str = "") -> str:
    """Return an option of an entry as text; an option may differ between splits."""
    value = entry.options.get(name, default)
    return str(value.get(split, default) if isinstance(value, dict) else value)


def file_items(path: Path) -> Iterator[Item]:
    """Yield the lines of a text file as items."""
    for number, line in read_lines(path):
        yield Item(f"{path.name}:{number}", number - 1, line)


def read_ids(path: Path) -> list[str]:
    """Read a list of ids: a JSON list, or a text file with one id a line (its first word)."""
    if first_sign(path) == "[":
        ids = [item.value for item in read_list(path)]
        return [str(value).strip() for value in ids if isinstance(value, (int, str))]
    return [line.split()[0] for _, line in read_lines(path)]


def mapping(value: object) -> Mapping[str, Any]:
    """Return a JSON object, or raise BadRecord."""
    # dict, not Mapping: what JSON gives, and asked of every record.
    if not isinstance(value, dict):
        raise BadRecord("not_an_object", f"expected an object, got {type(value).__name__}")
    return value


def sequence(record: Mapping[str, Any], key: str) -> list[Any]:
    """Return a field that is a list, or raise BadRecord."""
    value = record.get(key)
    if not isinstance(value, list):
        raise BadRecord(f"bad_{key}", f"expected a list, got {type(value).__name__}")
    return value


def as_id(value: object, key: str = "id") -> str:
    """Return an id, int or str, as one-line text; anything else raises BadRecord."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise BadRecord("bad_id", f"{key} is {type(value).__name__}, expected a number or text")
    text = one_line(value) if isinstance(value, str) else str(value)
    if not text or len(text) > _ID_LENGTH:
        raise BadRecord("bad_id", f"{key} is blank or longer than {_ID_LENGTH} characters")
    return text


def as_number_id(value: object, key: str) -> int:
    """Return an id that names files by number, int or digits; anything else raises BadRecord."""
    text = as_id(value, key)
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadRecord("bad_id", f"{key} is {text!r}, expected a number")
    return int(text)


def line_of(record: Mapping[str, Any], key: str) -> str:
    """Return a text field as one non-blank line, or raise BadRecord ``empty_<key>``."""
    value = record.get(key)
    if not isinstance(value, str):
        raise BadRecord(f"bad_{key}", f"{key} is {type(value).__name__}, expected text")
    text = one_line(value)
    if not text:
        raise BadRecord(f"empty_{key}", f"{key} is blank")
    return text


def lines_of(record: Mapping[str, Any], *keys: str) -> dict[str, str]:
    """Return those of the fields that are text, each as one line."""
    values = {key: record.get(key) for key in keys}
    return {key: one_line(value) for key, value in values.items() if isinstance(value, str)}


def text_of(record: Mapping[str, Any], key: str) -> str:
    """Return a text field of several lines, blank allowed, or raise BadRecord."""
    value = record.get(key)
    if not isinstance(value, str):
        raise BadRecord(f"bad_{key}", f"{key} is {type(value).__name__}, expected text")
    return tidy(value)


def answer_of(record: Mapping[str, Any], key: str = "answer") -> str:
    """Return a short answer: text, a number, or a truth value as yes/no; else raise BadRecord."""
    value = record.get(key)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    return line_of(record, key)


def lines_in(values: Iterable[object]) -> tuple[list[str], int]:
    """Return the non-blank texts as lines without exact repeats, and how many were left out."""
    kept: dict[str, None] = {}
    total = 0
    for value in values:
        total += 1
        line = one_line(value) if isinstance(value, str) else ""
        if line:
            kept[line] = None
    return list(kept), total - len(kept)


def noted(**counts: int) -> dict[str, int]:
    """Keep the counts that are not zero."""
    return {name: count for name, count in counts.items() if count}


def choice_list(choices: list[str]) -> str:
    """Name the choices of a question: ``a, b or c``."""
    return ", ".join(choices[:-1]) + " or " + choices[-1] if len(choices) > 1 else choices[0]


def join_rationale(answer: str, rationale: str) -> str:
    """Join an answer and its rationale as two sentences of one draft."""
    return f"{answer}{'' if answer[-1] in '.!?' else '.'} {rationale}"


def majority(answers: list[Any], preferred: object = None) -> tuple[str, float, dict[str, int]]:
    """Return the answer most people gave, its share of all answers, and every answer's count.

    Answers are texts or ``{"answer": text}``. Of equally frequent ones the preferred, else the
    first. BadRecord ``empty_answer`` where no answer is left.
    """
    # Most of ten people say the same: each wording is tidied once.
    raw: dict[str, int] = {}
    for value in answers:
        text = value.get("answer") if isinstance(value, dict) else value
        if isinstance(text, (str, int, float)):
            wording = str(text)
            raw[wording] = raw.get(wording, 0) + 1
    counts: dict[str, int] = {}
    for wording, count in raw.items():
        line = one_line(wording)
        if line:
            counts[line] = counts.get(line, 0) + count
    if not counts:
        raise BadRecord("empty_answer", "no answer that is not blank")
    most = max(counts.values())
    best = [answer for answer, count in counts.items() if count == most]
    wanted = one_line(preferred) if isinstance(preferred, str) else ""
    chosen = wanted if wanted in best else best[0]
    return chosen, most / len(answers), counts


def answer_extra(share: float, counts: Mapping[str, int]) -> dict[str, str]:
    """What a sample keeps of several people's answers."""
    ordered = dict(sorted(counts.items(), key=lambda item: -item[1]))
    return {"answer_share": f"{share:.3f}", "direct_answers": _to_json(ordered)}
