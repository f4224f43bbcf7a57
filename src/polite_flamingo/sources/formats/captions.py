"""Captions of other layouts: Flickr30k's token and CSV files, TextCaps, Image2Paragraph, CC3M."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.formats.karpathy import read_karpathy
from polite_flamingo.sources.json_lists import Broken, Item, first_sign, read_list, read_members
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    as_id,
    captions_record,
    convert,
    file_items,
    line_of,
    lines_in,
    locate,
    locate_optional,
    mapping,
    option,
    read_ids,
    reject,
)
from polite_flamingo.sources.shelf import Shelf
from polite_flamingo.sources.text import one_line

_TOKEN_LINE = re.compile(r"(?P<image>[^\t#|]+)#\s*\d+\s*\t(?P<caption>.*)")
_CSV_LINE = re.compile(r"(?P<image>[^|]+)\|\s*\d+\s*\|(?P<caption>.*)")


def read_flickr30k(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read Karpathy's JSON, the official ``results_*.token`` or Kaggle's ``results.csv``.

    The last two have no split: role ``ids`` lists the images of ours (a bare id a line); without
    that list all images are train. One record an image; a line that is neither is a reject.
    """
    path = locate(entry, root, split, "annotations")
    if first_sign(path) == "{":
        yield from read_karpathy(root, entry, split)
        return
    listed = locate_optional(entry, root, split, "ids")
    wanted = None if listed is None else {PurePosixPath(name).stem for name in read_ids(listed)}
    captions = Shelf()
    for item in file_items(path):
        line = item.value
        match = _TOKEN_LINE.fullmatch(line) or _CSV_LINE.fullmatch(line)
        if match is None or not match["caption"].strip():
            header = not item.number and line.lower().startswith("image")
            # It has no image that a list could name: a fault of train.
            if not header and split == "train":
                reason = "bad_line" if match is None else "empty_caption"
                yield reject(entry, split, item.position, reason, line[:80])
            continue
        name = one_line(match["image"])
        stem = PurePosixPath(name).stem
        if (wanted is None and split == "train") or (wanted is not None and stem in wanted):
            captions.add(name, [item.position, match["caption"]])

    def build(item: Item, native_id: str) -> Record:
        name, values = item.value
        return captions_record(item, native_id, (name,), (caption for _, caption in values))

    grouped = (
        Item(values[0][0], number, (name, values))
        for number, (name, values) in enumerate(captions.items())
    )
    yield from convert(
        entry, split, grouped, lambda item: as_id(PurePosixPath(item.value[0]).stem), build
    )


def read_textcaps(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``TextCaps_0.1_*.json``: a record a caption, with all five repeated; we make one an image.

    Images are ``<image_id>.jpg`` in the folders of TextVQA. The official test file has no captions.
    """
    path = locate(entry, root, split, "annotations")
    found = Shelf()
    for _, item in read_members(path, ("data",)):
        try:
            if isinstance(item.value, Broken):
                raise BadRecord(item.value.reason, item.value.detail)
            record = mapping(item.value)
            image_id = as_id(record.get("image_id"), "image_id")
            listed = record.get("reference_strs")
            texts = [*listed] if isinstance(listed, list) else []
            if not texts and "caption_str" in record:
                texts = [record["caption_str"]]
            known = found.take(image_id)
            kept = known[0] if known else [item.position, []]
            lines, _ = lines_in([*kept[1], *texts])
            found.add(image_id, [kept[0], lines])
        except BadRecord as error:
            yield reject(entry, split, item.position, error.reason, str(error))

    def build(item: Item, native_id: str) -> Record:
        return captions_record(item, native_id, (f"{native_id}.jpg",), item.value[1])

    grouped = (
        Item(values[0][0], number, (image_id, values[0][1]))
        for number, (image_id, values) in enumerate(found.items())
    )
    yield from convert(entry, split, grouped, lambda item: str(item.value[0]), build)


def read_paragraphs(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``paragraphs_v1.json`` for the images of ``*_split.json`` (roles ``ids``, ``more_ids``).

    The image is the last two parts of the record's address, below the Visual Genome folder.
    """
    ids = set(read_ids(locate(entry, root, split, "ids")))
    if "more_ids" in entry.files[split]:
        ids |= set(read_ids(locate(entry, root, split, "more_ids")))

    def build(item: Item, native_id: str) -> Record:
        record = mapping(item.value)
        text = line_of(record, "paragraph")
        parts = PurePosixPath(urlsplit(line_of(record, "url")).path).parts[-2:]
        return Record(
            native_id=native_id,
            position=item.position,
            images=("/".join(parts),),
            response=text,
            references=(text,),
        )

    def wanted() -> Iterator[Item]:
        for item in read_list(locate(entry, root, split, "paragraphs")):
            value = item.value
            known = isinstance(value, dict) and isinstance(value.get("image_id"), (int, str))
            # A record that no list can name is a fault of train.
            if str(value["image_id"]).strip() in ids if known else split == "train":
                yield item

    yield from convert(
        entry, split, wanted(), lambda item: as_id(mapping(item.value).get("image_id")), build
    )


def read_cc3m(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``caption<TAB>url`` lines; the native id is the line's number from 0.

    Who downloads chooses the names of the files: option ``image_name`` with ``{row}``, ``{stem}``,
    ``{name}`` (of the address) and ``{hash}`` (16 hex digits of the address), or role ``map``: lines
    ``url<TAB>path``.
    """
    template = option(entry, split, "image_name", "{row:09d}.jpg")
    listed = locate_optional(entry, root, split, "map")
    local = Shelf()
    for item in file_items(listed) if listed is not None else ():
        url, _, name = item.value.partition("\t")
        local.add(url.strip(), name.strip())

    def build(item: Item, native_id: str) -> Record:
        if isinstance(item.value, str) and "\t" not in item.value:
            raise BadRecord("bad_line", "expected a caption, a tab and an address")
        caption, url, *_ = item.value.split("\t")
        text = line_of({"caption": caption}, "caption")
        url = url.strip()
        names = local.get(url) if listed is not None else []
        return Record(
            native_id=native_id,
            position=item.position,
            images=(names[0] if names else _local_name(template, item.number, url),),
            response=text,
            references=(text,),
            extra={"url": url},
        )

    path = locate(entry, root, split, "annotations")
    yield from convert(entry, split, file_items(path), lambda item: str(item.number), build)


def _local_name(template: str, row: int, url: str) -> str:
    try:
        name = PurePosixPath(urlsplit(url).path)
    except ValueError as error:
        raise BadRecord("bad_url", f"{url[:80]!r}: {error}") from error
    digest = blake2b(url.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return template.format(row=row, stem=name.stem, name=name.name, hash=digest)
