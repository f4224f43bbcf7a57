"""Read a source: its adapter's records, cleaned and checked, as samples."""

from __future__ import annotations

import hashlib
import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import accumulate
from pathlib import Path

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Box, Reject, Sample, Turn
from polite_flamingo.core.seeds import derive
from polite_flamingo.sources.catalogue import (
    Entry,
    Phrasing,
    dataset_root,
    present_path,
    shipped_pools,
)
from polite_flamingo.sources.formats import ADAPTERS
from polite_flamingo.sources.image_files import ImageFiles, ImageFolder
from polite_flamingo.sources.record import BadRecord, Record, reject, sample_id
from polite_flamingo.sources.text import are_clean, neutralise, tidy

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
# Hash of an id -> hash of its content, or of all contents it came with: 64 bits each, since a source
# may have millions.
SeenIds = dict[int, int | frozenset[int]]


def read_source(
    entry: Entry, data_root: Path, split: str, seed: int = 0
) -> Iterator[Sample | Reject]:
    """Yield a sample or a reject for every record of a split, in the order of its files.

    Raises UserError for a missing file or folder and for a split the entry does not have.
    """
    images = image_files(entry, data_root, split)
    for record in read_records(entry, data_root, split):
        yield record if isinstance(record, Reject) else take(record, entry, split, images, seed)


def read_records(entry: Entry, data_root: Path, split: str) -> Iterator[Record | Reject]:
    """Yield the adapter's records with safe text and unique ids; images are not looked at."""
    if entry.adapter not in ADAPTERS:
        raise UserError(f"{entry.name}: no adapter {entry.adapter!r}; known: {', '.join(ADAPTERS)}")
    _check_split(entry, split)
    seen: SeenIds = {}
    for found in ADAPTERS[entry.adapter](dataset_root(entry, data_root), entry, split):
        record = _clean(found) if isinstance(found, Record) else found
        if isinstance(record, Reject):
            yield record
        elif not all(turn.instruction and turn.response for turn in record.turns) or not (
            record.turns or record.response
        ):
            yield reject(
                entry, split, record.position, "empty_response", "no text", record.native_id
            )
        else:
            yield _unique(record, entry, split, seen)


def image_files(entry: Entry, data_root: Path, split: str, max_side: int = 0) -> ImageFiles:
    """Return the image folder of a split (the data set's folder where it names none)."""
    return ImageFiles(image_folder(entry, data_root, split, max_side))


def image_folder(entry: Entry, data_root: Path, split: str, max_side: int = 0) -> ImageFolder:
    """Return where the images of a split are; a missing folder is a UserError."""
    _check_split(entry, split)
    root = dataset_root(entry, data_root)
    if "images" not in entry.files[split]:
        return ImageFolder(root, entry.image_folders, max_side)
    folder = present_path(root, entry.paths(split, "images"))
    if folder is None or not folder.is_dir():
        raise UserError(
            f"{entry.name}: missing folder {entry.paths(split, 'images')[0]} under "
            f"{root}; put the images there ({entry.home})"
        )
    return ImageFolder(folder, entry.image_folders, max_side)


def planned_folder(entry: Entry, split: str) -> str:
    """Return the folder of a split's images below the data root, whether it is there or not."""
    paths = entry.paths(split, "images")
    return posixpath.normpath(posixpath.join(entry.root, paths[0] if paths else ""))


def _check_split(entry: Entry, split: str) -> None:
    if split not in entry.files:
        raise UserError(f"{entry.name} has no split {split!r}; it has {', '.join(entry.files)}")


def take(
    record: Record, entry: Entry, split: str, images: ImageFiles, seed: int
) -> Sample | Reject:
    """Turn a record into a sample; a bad image makes it a reject."""
    try:
        ids = tuple(images.identify(image) for image in record.images)
    except BadRecord as error:
        return reject(entry, split, record.position, error.reason, str(error), record.native_id)
    return as_sample(record, entry, split, ids, seed)


def as_sample(
    record: Record, entry: Entry, split: str, images: tuple[str, ...], seed: int
) -> Sample:
    """Make the sample of a record whose images are known; its instruction follows from its id."""
    identity = sample_id(entry, split, record.native_id)
    turns = record.turns or (Turn(_instruction(record, entry, identity, seed), record.response),)
    return Sample(
        sample_id=identity,
        source=entry.name,
        split=split,
        task=entry.task,
        images=images,
        turns=turns,
        references=record.references,
        boxes=record.boxes,
        answer=record.answer,
        extra=record.extra,
    )


def choose_phrasing(
    phrasings: Sequence[Phrasing], seed: int, identity: str, bounds: Sequence[int] = ()
) -> str:
    """Choose an instruction for a sample by weight: always the same one for a seed and an id.

    ``bounds`` are the sums of the weights up to each phrasing, where they are known.
    """
    bounds = bounds or weight_bounds(phrasings)
    place = derive(seed, "instruction", identity) % bounds[-1]
    return phrasings[bisect_right(bounds, place)].text


def weight_bounds(phrasings: Sequence[Phrasing]) -> list[int]:
    """Sum the weights up to each phrasing and with it."""
    return list(accumulate(item.weight for item in phrasings))


@cache
def _pool_bounds(name: str) -> list[int]:
    return weight_bounds(shipped_pools()[name])


def fill(template: str, fields: Mapping[str, str]) -> str:
    """Put fields into ``{placeholders}``, once: braces inside a field stay text."""
    return _PLACEHOLDER.sub(lambda match: fields[match[1]], template)


def _instruction(record: Record, entry: Entry, identity: str, seed: int) -> str:
    pools = shipped_pools()
    if entry.pool not in pools:
        raise UserError(f"{entry.name}: no instruction pool {entry.pool!r} in instructions.yaml")
    template = choose_phrasing(pools[entry.pool], seed, identity, _pool_bounds(entry.pool))
    try:
        text = fill(template, record.fields)
        # A field may have nothing to say: its space goes with it.
        return text if all(record.fields.values()) else " ".join(text.split())
    except KeyError as error:
        raise UserError(
            f"{entry.name}: pool {entry.pool!r} asks for {{{error.args[0]}}}, "
            f"which the adapter {entry.adapter!r} does not give"
        ) from error


def _texts(record: Record) -> list[str]:
    """List every text of a record that ends in its sample."""
    return [
        record.response,
        record.answer or "",
        *record.fields.values(),
        *record.references,
        *record.extra.values(),
        *(text for turn in record.turns for text in (turn.instruction, turn.response)),
        *(box.name for box in record.boxes),
    ]


def _clean(record: Record) -> Record:
    """Tidy every text of a record and break special tokens in it, whatever the adapter did."""
    if are_clean(_texts(record)):
        return record
    tokens = replaced = 0

    def safe(text: str) -> str:
        nonlocal tokens, replaced
        text, found = neutralise(tidy(text))
        tokens += found
        if not text.isascii():
            replaced += text.count("\ufffd")
        return text

    response = safe(record.response)
    turns = tuple(Turn(safe(turn.instruction), safe(turn.response)) for turn in record.turns)
    fields = {name: safe(value) for name, value in record.fields.items()}
    notes = dict(record.notes)
    if tokens:
        notes["special_tokens"] = tokens
    if replaced:
        notes["replaced_characters"] = replaced
    return replace(
        record,
        response=response,
        turns=turns,
        fields=fields,
        references=tuple(safe(text) for text in record.references),
        boxes=tuple(Box(safe(b.name), b.x1, b.y1, b.x2, b.y2) for b in record.boxes),
        answer=None if record.answer is None else safe(record.answer),
        extra={name: safe(value) for name, value in record.extra.items()},
        notes=notes,
    )


def _unique(record: Record, entry: Entry, split: str, seen: SeenIds) -> Record | Reject:
    """Reject a repeated id, or give the record a number of its own where the entry says so."""
    content = _digest(repr((record.images, record.response, record.fields, record.turns)))
    identity = _digest(record.native_id)
    earlier = seen.get(identity)
    if earlier is None:
        seen[identity] = content
        return record
    known = frozenset((earlier,)) if isinstance(earlier, int) else earlier
    if entry.repeated_ids == "reject" or content in known:
        detail = "same content" if content in known else "other content"
        return reject(
            entry,
            split,
            record.position,
            "duplicate_id",
            f"id seen before, {detail}",
            record.native_id,
        )
    seen[identity] = known = known | {content}
    native_id = f"{record.native_id}#{len(known)}"
    while _digest(native_id) in seen:
        native_id += "#"
    seen[_digest(native_id)] = content
    return replace(record, native_id=native_id)


def _digest(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
