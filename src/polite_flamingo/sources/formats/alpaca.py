"""Alpaca, Alpaca-GPT4, GPTeacher, InstructionWild: an instruction, an optional input, an output."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from polite_flamingo.core.sample import Reject, Turn
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Item, read_list
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    convert,
    locate,
    locate_optional,
    mapping,
    text_of,
)


def read_alpaca(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read a list of ``{instruction, input, output}``; the native id is the index.

    Other roles than ``records`` are further files, whose ids start with the role.
    """

    def build(item: Item, native_id: str) -> Record:
        record = mapping(item.value)
        instruction = text_of(record, "instruction")
        given = text_of(record, "input") if record.get("input") is not None else ""
        # GPTeacher calls it response.
        output = text_of(record, "output" if "output" in record else "response")
        if not instruction:
            raise BadRecord("empty_instruction", "instruction is blank")
        if not output:
            raise BadRecord("empty_response", "output is blank")
        asked = f"{instruction}\n\n{given}" if given else instruction
        return Record(native_id=native_id, position=item.position, turns=(Turn(asked, output),))

    for role in entry.files[split]:
        if role in entry.optional and locate_optional(entry, root, split, role) is None:
            continue

        def identify(item: Item, role: str = role) -> str:
            return str(item.number) if role == "records" else f"{role}-{item.number}"

        path = locate(entry, root, split, role)
        yield from convert(entry, split, read_list(path), identify, build)
