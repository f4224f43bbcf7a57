"""Spot-the-Diff: two frames of a camera and sentences on what changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Item, read_list
from polite_flamingo.sources.record import (
    Record,
    as_id,
    captions_record,
    convert,
    locate,
    mapping,
    sequence,
)


def read_spotdiff(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``annotations/*.json``; images are ``<img_id>.png`` (before) and ``<img_id>_2.png``."""

    def build(item: Item, native_id: str) -> Record:
        return captions_record(
            item,
            native_id,
            (f"{native_id}.png", f"{native_id}_2.png"),
            sequence(mapping(item.value), "sentences"),
            left_out="sentences_left_out",
        )

    def identify(item: Item) -> str:
        return as_id(mapping(item.value).get("img_id"), "img_id")

    path = locate(entry, root, split, "annotations")
    yield from convert(entry, split, read_list(path), identify, build)
