"""Ingest one source: a capped, accounted table of samples and the images they use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from polite_flamingo.core.images import CheckedImage
from polite_flamingo.core.journal import progress
from polite_flamingo.core.sample import SAMPLE_SCHEMA, Reject, Sample, samples_to_table
from polite_flamingo.core.seeds import derive
from polite_flamingo.core.tables import ROW_GROUP
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.image_files import ImageFiles
from polite_flamingo.sources.read import image_files, read_records, take
from polite_flamingo.sources.record import BadRecord, Record, sample_id

# Samples held as Python objects before they become Arrow; whole row groups.
_CHUNK = 8 * ROW_GROUP
_LENGTH_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


@dataclass
class Ingested:
    """What became of one source; every id of ``ids_in`` is in one of the three outcomes."""

    table: pa.Table
    ids_in: list[str] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    reject_keys: list[str] = field(default_factory=list)
    capped: list[str] = field(default_factory=list)
    stats: dict[str, Any] = field(default_factory=dict)


def ingest_source(
    entry: Entry,
    data_root: Path,
    limits: dict[str, int | None] | None,
    seed: int,
    keep_image: Callable[[CheckedImage], None],
) -> Ingested:
    """Read all splits of a source, at most ``limits[split]`` samples each.

    Which samples a limit keeps depends on the seed and their ids, not on file order; kept samples
    stay in file order. ``keep_image`` gets each image the first time a kept sample uses it.
    Records that a limit leaves out are not decoded. Raises UserError for missing files.
    """
    done = Ingested(pa.Table.from_pylist([], SAMPLE_SCHEMA))
    tables: list[pa.Table] = []
    chunk: list[Sample] = []
    counts: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    lengths: Counter[str] = Counter()
    written: set[str] = set()
    for split in entry.files:
        limit = None if limits is None else limits.get(split)
        if limit == 0:
            continue
        images = image_files(entry, data_root, split)
        chosen = None if limit is None else _choose(entry, data_root, split, limit, seed, images)
        records = progress(read_records(entry, data_root, split), desc=f"{entry.name} {split}")
        for record in records:
            if isinstance(record, Reject):
                key = record.sample_id or f"{entry.name}/{split}/@{record.position}"
                done.ids_in.append(key)
                done.reject_keys.append(key)
                done.rejects.append(record)
                continue
            identity = sample_id(entry, split, record.native_id)
            done.ids_in.append(identity)
            if chosen is not None and identity not in chosen:
                done.capped.append(identity)
                continue
            sample = take(record, entry, split, images, seed)
            if isinstance(sample, Reject):
                done.reject_keys.append(sample.sample_id)
                done.rejects.append(sample)
                continue
            for image, image_id in zip(record.images, sample.images, strict=True):
                if image_id not in written:
                    keep_image(images.load(image))
                    written.add(image_id)
            counts[split] += 1
            notes.update(record.notes)
            lengths.update(length_bucket(turn.response) for turn in sample.turns)
            chunk.append(sample)
            if len(chunk) == _CHUNK:
                tables.append(samples_to_table(chunk))
                chunk.clear()
    done.table = pa.concat_tables([*tables, samples_to_table(chunk)]).combine_chunks()
    done.stats = {
        "ids_in": len(done.ids_in),
        "samples": {split: counts[split] for split in entry.files},
        "images": len(written),
        "capped": len(done.capped),
        "rejects": dict(Counter(reject.reason for reject in done.rejects)),
        "notes": dict(notes),
        "response_words": dict(lengths),
    }
    return done


def _choose(
    entry: Entry, data_root: Path, split: str, limit: int, seed: int, images: ImageFiles
) -> set[str] | None:
    """Choose ids by their hash until ``limit`` of them have good images; None means all.

    Ids found to have a bad image on the way are in the set too: they become rejects, not capped.
    """
    candidates: list[tuple[int, str, tuple[str | bytes, ...]]] = []
    for record in read_records(entry, data_root, split):
        if isinstance(record, Record):
            identity = sample_id(entry, split, record.native_id)
            candidates.append((derive(seed, "limit", identity), identity, record.images))
    if len(candidates) <= limit:
        return None
    candidates.sort(key=lambda candidate: candidate[:2])
    chosen: set[str] = set()
    good = 0
    for _, identity, names in candidates:
        if good == limit:
            break
        chosen.add(identity)
        try:
            for image in names:
                images.identify(image)
            good += 1
        except BadRecord:
            continue
    return chosen


def length_bucket(text: str) -> str:
    """Name the bucket of a text's length in words: ``0``, ``1``, ``2``, ``3-4`` ... ``513+``."""
    words = len(text.split())
    low = 0
    for bound in _LENGTH_BOUNDS:
        if words <= bound:
            return str(words) if bound <= 2 else f"{low + 1}-{bound}"
        low = bound
    return f"{low + 1}+"
