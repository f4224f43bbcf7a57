"""Read a source: its adapter's records, cleaned and checked, as samples."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Box, Reject, Sample, Turn
from polite_flamingo.core.seeds import derive
from polite_flamingo.sources.catalogue import Entry, Phrasing, dataset_root, shipped_pools
from polite_flamingo.sources.formats import ADAPTERS
from polite_flamingo.sources.image_files import ImageFiles
from polite_flamingo.sources.record import BadRecord, Record, reject, sample_id
from polite_flamingo.sources.text import neutralise, tidy

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


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
    seen: dict[str, set[bytes]] = {}
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


def image_files(entry: Entry, data_root: Path, split: str) -> ImageFiles:
    """Return the image folder of a split (the data set's folder where it names none)."""
    _check_split(entry, split)
    folder = dataset_root(entry, data_root) / entry.files[split].get("images", "")
    if not folder.is_dir():
        raise UserError(
            f"{entry.name}: missing folder {entry.files[split]['images']} under "
            f"{data_root / entry.root}; put the images there ({entry.home})"
        )
    return ImageFiles(folder)


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
    identity = sample_id(entry, split, record.native_id)
    turns = record.turns or (Turn(_instruction(record, entry, identity, seed), record.response),)
    return Sample(
        sample_id=identity,
        source=entry.name,
        split=split,
        task=entry.task,
        images=ids,
        turns=turns,
        references=record.references,
        boxes=record.boxes,
        answer=record.answer,
        extra=record.extra,
    )


def choose_phrasing(phrasings: Sequence[Phrasing], seed: int, identity: str) -> str:
    """Choose an instruction for a sample by weight: always the same one for a seed and an id."""
    place = derive(seed, "instruction", identity) % sum(item.weight for item in phrasings)
    for phrasing in phrasings:
        place -= phrasing.weight
        if place < 0:
            return phrasing.text
    raise AssertionError("weights are positive")


def fill(template: str, fields: Mapping[str, str]) -> str:
    """Put fields into ``{placeholders}``, once: braces inside a field stay text."""
    return _PLACEHOLDER.sub(lambda match: fields[match[1]], template)


def _instruction(record: Record, entry: Entry, identity: str, seed: int) -> str:
    pools = shipped_pools()
    if entry.pool not in pools:
        raise UserError(f"{entry.name}: no instruction pool {entry.pool!r} in instructions.yaml")
    template = choose_phrasing(pools[entry.pool], seed, identity)
    try:
        return fill(template, record.fields)
    except KeyError as error:
        raise UserError(
            f"{entry.name}: pool {entry.pool!r} asks for {{{error.args[0]}}}, "
            f"which the adapter {entry.adapter!r} does not give"
        ) from error


def _clean(record: Record) -> Record:
    """Tidy every text of a record and break special tokens in it, whatever the adapter did."""
    tokens = 0

    def safe(text: str) -> str:
        nonlocal tokens
        text, found = neutralise(tidy(text))
        tokens += found
        return text

    response = safe(record.response)
    turns = tuple(Turn(safe(turn.instruction), safe(turn.response)) for turn in record.turns)
    fields = {name: safe(value) for name, value in record.fields.items()}
    notes = {**record.notes, **({"special_tokens": tokens} if tokens else {})}
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


def _unique(
    record: Record, entry: Entry, split: str, seen: dict[str, set[bytes]]
) -> Record | Reject:
    """Reject a repeated id, or give the record a number of its own where the entry says so."""
    content = repr((record.images, record.response, record.fields, record.turns)).encode()
    digest = hashlib.blake2b(content, digest_size=8).digest()
    earlier = seen.setdefault(record.native_id, set())
    if not earlier:
        earlier.add(digest)
        return record
    if entry.repeated_ids == "reject" or digest in earlier:
        detail = "same content" if digest in earlier else "other content"
        return reject(
            entry,
            split,
            record.position,
            "duplicate_id",
            f"id seen before, {detail}",
            record.native_id,
        )
    earlier.add(digest)
    native_id = f"{record.native_id}#{len(earlier)}"
    while native_id in seen:
        native_id += "#"
    seen[native_id] = {digest}
    return replace(record, native_id=native_id)
