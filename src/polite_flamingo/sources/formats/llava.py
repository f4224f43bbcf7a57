"""LLaVA-instruct: polite conversations, descriptions and reasoning about one image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from polite_flamingo.core.sample import Reject, Turn
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.formats.sharegpt import read_turns
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

_IMAGE_TOKEN = "<image>"


def read_llava(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read every list the entry names besides ``images``; the role becomes ``extra["kind"]``.

    The image token of the first human message is taken out of the text. Option ``image_name``
    maps a path to the file here, with ``{path}``, ``{name}`` and ``{stem}`` of the record's path.
    Records without ``image`` are text only. Native ids are ``<role>-<id>``: the official files
    share ids between kinds.
    """
    image_name = str(entry.options.get("image_name", "{path}"))
    for role in entry.files[split]:
        if role == "images":
            continue

        def build(item: Item, native_id: str, role: str = role) -> Record:
            record = mapping(item.value)
            turns, notes = read_turns(record)
            images: tuple[str, ...] = ()
            if record.get("image") is not None:
                path = PurePosixPath(line_of(record, "image"))
                images = (image_name.format(path=path, name=path.name, stem=path.stem),)
                first = turns[0].instruction.replace(_IMAGE_TOKEN, "", 1).strip()
                if not first:
                    raise BadRecord("empty_instruction", "the first message is only an image")
                turns = (Turn(first, turns[0].response), *turns[1:])
            return Record(
                native_id=native_id,
                position=item.position,
                images=images,
                turns=turns,
                extra={"kind": role},
                notes=notes,
            )

        def identify(item: Item, role: str = role) -> str:
            return f"{role}-{as_id(mapping(item.value).get('id'))}"

        path = locate(entry, root, split, role)
        yield from convert(entry, split, read_list(path), identify, build)
