"""Ingest sources part by part: capped, accounted samples and the images they use.

A part is some thousand records of a split. When it is done its samples, rejects and index rows are
files in the work folder and a line in its journal; a killed run goes on behind the last line.
"""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.images import CheckedImage
from polite_flamingo.core.journal import account, progress
from polite_flamingo.core.sample import (
    REJECT_SCHEMA,
    SAMPLE_SCHEMA,
    Reject,
    Sample,
    rejects_to_table,
    samples_to_table,
)
from polite_flamingo.core.shards import ORIGIN_SCHEMA, ShardWriter
from polite_flamingo.core.tables import ROW_GROUP, read_table, write_table, write_tables
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.image_files import planned_path
from polite_flamingo.sources.packing import ImagePool, Verdict
from polite_flamingo.sources.read import (
    as_sample,
    image_folder,
    planned_folder,
    read_records,
)
from polite_flamingo.sources.record import BadRecord, Record, reject, sample_id
from polite_flamingo.sources.selection import choose

PART = 8 * ROW_GROUP
_LENGTH_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_MISSING = "missing_image"
# From so many samples on, a source that lacks half of its images is not read to the end.
_HOPELESS_AFTER, _HOPELESS_SHARE = PART, 0.5
# Objects between two looks of the garbage collector for cycles: a record is some fifty, and has none.
_RARELY = 200_000
# Counts of a part's journal line that add up over the parts of a source.
_COUNTS = ("ids_in", "capped", "with_images", "with_boxes")
_COUNTERS = ("rejects", "notes", "response_words")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How sources are read; ``limits`` are by source and split (none: the catalogue's cap)."""

    data_root: Path
    seed: int
    limits: Mapping[str, Mapping[str, int | None]] = field(default_factory=dict)
    with_images: bool = True
    max_side: int = 0
    max_missing: float = 0.05
    workers: int = 1


def committed_parts(work: Path) -> list[dict[str, Any]]:
    """Return the journal of a work folder: a line for each part that is done, in order."""
    path = work / "journal.jsonl"
    if not path.is_file():
        return []
    parts = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            parts.append(json.loads(line))
        except ValueError:
            # The line a kill broke off.
            break
    # It must not stand in front of the next one.
    path.write_text("".join(json.dumps(part) + "\n" for part in parts), encoding="utf-8")
    return parts


def index_rows(work: Path, parts: list[dict[str, Any]]) -> Iterator[pa.Table]:
    """Yield the index rows of the images that the parts stored."""
    for part in parts:
        yield read_table(work / f"images-{part['number']:06d}.parquet")


def ingest_source(
    entry: Entry, plan: Plan, work: Path, parts: list[dict[str, Any]], writer: ShardWriter | None
) -> None:
    """Read all splits of a source; new parts are written to ``work`` and added to ``parts``.

    Which samples a limit keeps depends on the seed and their ids, not on file order; kept samples
    stay in file order. Images go to ``writer`` (None: only their paths are kept). Raises UserError
    for missing files, and where more than ``plan.max_missing`` of the samples lack an image.
    """
    with _rare_collections():
        _ingest_splits(entry, plan, work, parts, writer)


@contextmanager
def _rare_collections() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(_RARELY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _ingest_splits(
    entry: Entry, plan: Plan, work: Path, parts: list[dict[str, Any]], writer: ShardWriter | None
) -> None:
    for split in entry.files:
        limit, each_class = _limit(entry, plan, split)
        if limit == 0:
            continue
        own = [part for part in parts if (part["source"], part["split"]) == (entry.name, split)]
        records = read_records(entry, plan.data_root, split)
        # What is done is read again, for the ids that were seen, and no more.
        skipped = sum(part["ids_in"] for part in own)
        for _ in islice(records, skipped):
            pass
        if own and own[-1]["last"]:
            continue
        if writer is None:
            chosen = _chosen(entry, plan, split, limit, each_class, None)
            _read_split(entry, plan, split, records, chosen, work, parts, None, None)
            continue
        folder = image_folder(entry, plan.data_root, split, plan.max_side)
        with ImagePool(folder, plan.workers) as images:
            chosen = _chosen(entry, plan, split, limit, each_class, images)
            _read_split(entry, plan, split, records, chosen, work, parts, images, writer)


def _limit(entry: Entry, plan: Plan, split: str) -> tuple[int | None, bool]:
    """Return at most how many samples a split gives, and whether that is for each class."""
    if entry.name in plan.limits:
        return plan.limits[entry.name].get(split), False
    if split != "train":
        return None, False
    return (entry.class_cap, True) if entry.class_cap is not None else (entry.cap, False)


def _chosen(
    entry: Entry,
    plan: Plan,
    split: str,
    limit: int | None,
    each_class: bool,
    images: ImagePool | None,
) -> set[str] | None:
    if limit is None:
        return None
    return choose(entry, plan.data_root, split, limit, each_class, plan.seed, images)


def _read_split(
    entry: Entry,
    plan: Plan,
    split: str,
    records: Iterator[Record | Reject],
    chosen: set[str] | None,
    work: Path,
    parts: list[dict[str, Any]],
    images: ImagePool | None,
    writer: ShardWriter | None,
) -> None:
    shown = progress(records, desc=f"{entry.name} {split}", unit="record")
    part = list(islice(shown, PART))
    while True:
        following = list(islice(shown, PART))
        done = _Part(entry, plan, split)
        done.take(part, chosen, images, writer)
        _commit(done, work, parts, writer, last=not following)
        _check_missing(entry, plan, split, parts, last=not following)
        if not following:
            return
        part = following


class _Part:
    """What becomes of some records of a split."""

    def __init__(self, entry: Entry, plan: Plan, split: str) -> None:
        self.entry, self.plan, self.split = entry, plan, split
        self.samples: list[Sample] = []
        self.rejects: list[Reject] = []
        self.ids_in: list[str] = []
        self.reject_keys: list[str] = []
        self.capped: list[str] = []
        self.with_images = 0
        self.missing = 0
        self.origins: dict[tuple[str, str], None] = {}
        self.notes: Counter[str] = Counter()

    def take(
        self,
        records: list[Record | Reject],
        chosen: set[str] | None,
        images: ImagePool | None,
        writer: ShardWriter | None,
    ) -> None:
        """Turn records into samples, rejects and what a limit leaves out, order kept."""
        entry, split = self.entry, self.split
        kept: list[Record] = []
        # Rejects of records stand where their record stood.
        order: list[Reject | None] = []
        for record in records:
            if isinstance(record, Reject):
                self.ids_in.append(record.sample_id or f"{entry.name}/{split}/@{record.position}")
                self.reject_keys.append(self.ids_in[-1])
                order.append(record)
                continue
            identity = sample_id(entry, split, record.native_id)
            self.ids_in.append(identity)
            if chosen is not None and identity not in chosen:
                self.capped.append(identity)
                continue
            kept.append(record)
            order.append(None)
        resolved = self._planned(kept) if images is None else images.resolve(kept)
        for place in order:
            if place is not None:
                self.rejects.append(place)
                continue
            record, verdicts = next(resolved)
            self._finish(record, verdicts, images, writer)

    def _planned(self, records: list[Record]) -> Iterator[tuple[Record, list[Verdict]]]:
        folder = planned_folder(self.entry, self.split)
        for record in records:
            verdicts: list[Verdict] = []
            for image in record.images:
                try:
                    verdicts.append(planned_path(image, folder, record.position))
                except BadRecord as error:
                    verdicts.append((error.reason, str(error)))
            yield record, verdicts

    def _finish(
        self,
        record: Record,
        verdicts: list[Verdict],
        images: ImagePool | None,
        writer: ShardWriter | None,
    ) -> None:
        self.with_images += bool(record.images)
        bad = next((verdict for verdict in verdicts if isinstance(verdict, tuple)), None)
        if bad is not None:
            self.missing += bad[0] == _MISSING
            refused = reject(
                self.entry, self.split, record.position, bad[0], bad[1], record.native_id
            )
            self.rejects.append(refused)
            self.reject_keys.append(refused.sample_id)
            return
        ids: list[str] = []
        for image, verdict in zip(record.images, verdicts, strict=True):
            if isinstance(verdict, CheckedImage):
                assert writer is not None and images is not None
                writer.add(
                    verdict.image_id, verdict.data, verdict.ext, verdict.width, verdict.height
                )
                images.remember(image, verdict.image_id)
                if verdict.origin is not None:
                    self.origins[verdict.image_id, verdict.origin] = None
                ids.append(verdict.image_id)
            elif isinstance(verdict, str):
                ids.append(verdict)
        self.samples.append(as_sample(record, self.entry, self.split, tuple(ids), self.plan.seed))
        self.notes.update(record.notes)


def _commit(
    part: _Part, work: Path, parts: list[dict[str, Any]], writer: ShardWriter | None, last: bool
) -> None:
    number = len(parts)
    account(
        f"ingest {part.entry.name}",
        part.ids_in,
        [sample.sample_id for sample in part.samples],
        part.reject_keys,
        part.capped,
    )
    write_table(work / f"samples-{number:06d}.parquet", samples_to_table(part.samples))
    write_table(work / f"rejects-{number:06d}.parquet", rejects_to_table(part.rejects))
    if writer is not None:
        write_table(work / f"images-{number:06d}.parquet", writer.take_rows())
        pairs = [dict(zip(ORIGIN_SCHEMA.names, pair, strict=True)) for pair in part.origins]
        origins = pa.Table.from_pylist(pairs, schema=ORIGIN_SCHEMA)
        write_table(work / f"origins-{number:06d}.parquet", origins)
    words = Counter(
        length_bucket(turn.response) for sample in part.samples for turn in sample.turns
    )
    line = {
        "number": number,
        "source": part.entry.name,
        "split": part.split,
        "last": last,
        "ids_in": len(part.ids_in),
        "samples": len(part.samples),
        "capped": len(part.capped),
        "with_images": part.with_images,
        "with_boxes": sum(bool(sample.boxes) for sample in part.samples),
        "missing": part.missing,
        "rejects": dict(Counter(reject.reason for reject in part.rejects)),
        "notes": dict(part.notes),
        "response_words": dict(words),
    }
    with (work / "journal.jsonl").open("a", encoding="utf-8") as journal:
        journal.write(json.dumps(line) + "\n")
    parts.append(line)


def _check_missing(
    entry: Entry, plan: Plan, split: str, parts: list[dict[str, Any]], last: bool
) -> None:
    own = [part for part in parts if (part["source"], part["split"]) == (entry.name, split)]
    missing = sum(part["missing"] for part in own)
    seen = sum(part["with_images"] for part in own)
    hopeless = seen >= _HOPELESS_AFTER and missing > _HOPELESS_SHARE * seen
    if missing > plan.max_missing * seen and (last or hopeless):
        raise UserError(
            f"{entry.name}: {missing} of {seen} {split} samples lack an image; put the images under "
            f"{plan.data_root / planned_folder(entry, split)} ({entry.home}), or allow it with "
            "ingest.max_missing_images"
        )


def collect_samples(work: Path, parts: list[dict[str, Any]], source: str, path: Path) -> None:
    """Write the samples of a source's parts as one file."""
    own = [part["number"] for part in parts if part["source"] == source]
    tables = (read_table(work / f"samples-{number:06d}.parquet") for number in own)
    write_tables(path, SAMPLE_SCHEMA, tables)


def collect_rejects(work: Path, parts: list[dict[str, Any]], path: Path) -> None:
    """Write the rejects of all parts as one file."""
    tables = (read_table(work / f"rejects-{part['number']:06d}.parquet") for part in parts)
    write_tables(path, REJECT_SCHEMA, tables)


def collect_origins(work: Path, parts: list[dict[str, Any]], path: Path) -> None:
    """Write what the images of all parts were made from, each pair once and in order."""
    found = [work / f"origins-{part['number']:06d}.parquet" for part in parts]
    tables = [ORIGIN_SCHEMA.empty_table(), *(read_table(each) for each in found if each.is_file())]
    names = ORIGIN_SCHEMA.names
    pairs = pa.concat_tables(tables).group_by(names).aggregate([]).select(names)
    pairs = pairs.sort_by([(name, "ascending") for name in names])
    write_table(path, pairs.cast(ORIGIN_SCHEMA).combine_chunks())


def source_stats(work: Path, parts: list[dict[str, Any]], entry: Entry) -> dict[str, Any]:
    """Add up what became of a source; ``response_words`` are buckets of lengths in words."""
    own = [part for part in parts if part["source"] == entry.name]
    stats: dict[str, Any] = {name: sum(part[name] for part in own) for name in _COUNTS}
    stats["samples"] = {
        split: sum(part["samples"] for part in own if part["split"] == split)
        for split in entry.files
    }
    for name in _COUNTERS:
        total: Counter[str] = Counter()
        for part in own:
            total.update(part[name])
        stats[name] = dict(total)
    used = [
        read_table(work / f"samples-{part['number']:06d}.parquet", ["images"])
        .column("images")
        .combine_chunks()
        for part in own
    ]
    flat = [pc.list_flatten(column) for column in used]
    stats["images"] = pc.count_distinct(pa.chunked_array(flat)).as_py() if flat else 0
    return stats


def length_bucket(text: str) -> str:
    """Name the bucket of a text's length in words: ``0``, ``1``, ``2``, ``3-4`` ... ``513+``."""
    words = len(text.split())
    low = 0
    for bound in _LENGTH_BOUNDS:
        if words <= bound:
            return str(words) if bound <= 2 else f"{low + 1}-{bound}"
        low = bound
    return f"{low + 1}+"
