"""Two images a sample: Image-Editing-Requests and NLVR2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Item, read_list
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    as_id,
    captions_record,
    convert,
    line_of,
    locate,
    mapping,
    sequence,
)

_PAIR = re.compile(r"(?P<pair>(?P<split>[^-]+)-.+)-\d+")
_ANSWERS = {"true": "yes", "false": "no"}


def read_image_edits(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``{img0, img1, sents, uid}``: before, after, and what was asked for (or what changed)."""

    def build(item: Item, native_id: str) -> Record:
        record = mapping(item.value)
        return captions_record(
            item,
            native_id,
            (line_of(record, "img0"), line_of(record, "img1")),
            sequence(record, "sents"),
            left_out="sentences_left_out",
        )

    path = locate(entry, root, split, "annotations")
    yield from convert(
        entry,
        split,
        read_list(path),
        lambda item: as_id(mapping(item.value).get("uid"), "uid"),
        build,
    )


def read_nlvr2(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read NLVR2's JSON Lines: is a sentence true of two pictures?

    The images of ``dev-850-0-0`` are ``dev/dev-850-0-img0.png`` (left) and ``-img1.png``; those of
    train lie in the folder that ``directory`` names.
    """

    def build(item: Item, native_id: str) -> Record:
        record = mapping(item.value)
        match = _PAIR.fullmatch(native_id)
        if match is None:
            raise BadRecord("bad_id", f"identifier {native_id[:40]!r} names no pair of images")
        label = str(record.get("label")).strip().lower()
        if label not in _ANSWERS:
            raise BadRecord("bad_label", f"label is {label[:40]!r}, expected True or False")
        folder, directory = match["split"], record.get("directory")
        if folder == "train" and isinstance(directory, (int, str)):
            folder = f"train/{as_id(directory, 'directory')}"
        answer = _ANSWERS[label]
        return Record(
            native_id=native_id,
            position=item.position,
            images=tuple(f"{folder}/{match['pair']}-img{side}.png" for side in (0, 1)),
            response=answer,
            fields={"caption": line_of(record, "sentence")},
            references=(answer,),
            answer=answer,
        )

    path = locate(entry, root, split, "annotations")
    yield from convert(
        entry,
        split,
        read_list(path),
        lambda item: as_id(mapping(item.value).get("identifier"), "identifier"),
        build,
    )
