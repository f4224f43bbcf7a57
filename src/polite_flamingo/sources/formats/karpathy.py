"""Karpathy's JSON: Flickr30k, RSICD, RSITMD, UCM captions; and its pairs of LEVIR-CC."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Broken, Item, read_members
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    as_id,
    captions_record,
    convert,
    line_of,
    locate,
    mapping,
    option,
    sequence,
)
from polite_flamingo.sources.text import one_line

# LEVIR-CC ends its lower-case sentences with a full stop of its own.
_FULL_STOP = re.compile(r"\s+\.$")
_TEST = "test"


def read_karpathy(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``{images: [{filename, sentences: [{raw}], split}]}``, one record an image.

    Our test split is ``test``; train, restval and val are our train. The native id is the file's
    stem: ``imgid`` counts anew in some copies. Option ``use_filepath`` puts ``filepath`` before the
    name, as in COCO's copy.
    """
    with_folder = option(entry, split, "use_filepath", "False") == "True"

    def build(item: Item, native_id: str) -> Record:
        image = mapping(item.value)
        name = line_of(image, "filename")
        if with_folder and isinstance(image.get("filepath"), str):
            name = posixpath.join(one_line(image["filepath"]), name)
        return captions_record(item, native_id, (name,), _sentences(image))

    yield from convert(entry, split, _split_items(root, entry, split), _stem, build)


def read_levircc(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``LevirCCcaptions.json``: images ``<split>/A/<name>`` before and ``<split>/B/`` after.

    ``changeflag`` is kept as ``extra["changed"]``.
    """

    def build(item: Item, native_id: str) -> Record:
        image = mapping(item.value)
        name, part = line_of(image, "filename"), _official_split(image)
        flag = image.get("changeflag")
        return captions_record(
            item,
            native_id,
            (f"{part}/A/{name}", f"{part}/B/{name}"),
            _sentences(image),
            extra={"changed": str(int(flag))} if isinstance(flag, int) else {},
            left_out="sentences_left_out",
        )

    yield from convert(entry, split, _split_items(root, entry, split), _stem, build)


def _sentences(image: Mapping[str, Any]) -> Iterator[object]:
    """Yield the captions of an image; what says nothing is blank."""
    for value in sequence(image, "sentences"):
        sentence = mapping(value)
        text = sentence.get("raw")
        if not isinstance(text, str) and isinstance(sentence.get("tokens"), list):
            text = " ".join(token for token in sentence["tokens"] if isinstance(token, str))
        text = _FULL_STOP.sub(".", one_line(text)) if isinstance(text, str) else text
        yield "" if text == "." else text


def _split_items(root: Path, entry: Entry, split: str) -> Iterator[Item]:
    """Yield the images of a split; what can't be told is a fault of train."""
    path = locate(entry, root, split, "annotations")
    for _, item in read_members(path, ("images",)):
        try:
            ours = "" if isinstance(item.value, Broken) else _official_split(mapping(item.value))
        except BadRecord as error:
            ours, item = "", item._replace(value=Broken(error.reason, str(error)))
        if (ours == _TEST) == (split == _TEST) or (not ours and len(entry.files) == 1):
            yield item


def _official_split(image: Mapping[str, Any]) -> str:
    value = image.get("split", image.get("filepath"))
    part = one_line(value).lower() if isinstance(value, str) else ""
    if part not in ("train", "restval", "val", _TEST):
        raise BadRecord("bad_split", f"split is {str(value)[:40]!r}")
    return part


def _stem(item: Item) -> str:
    return as_id(PurePosixPath(line_of(mapping(item.value), "filename")).stem)
