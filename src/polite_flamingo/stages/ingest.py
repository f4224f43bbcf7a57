"""Stage ingest: official files of every source to samples and image shards."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import atomic_dir, content_key, progress, work_dir
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import IngestParams, Params
from polite_flamingo.core.shards import ORIGINS, ShardWriter
from polite_flamingo.core.tables import write_json

if TYPE_CHECKING:
    from polite_flamingo.sources.catalogue import Entry


def ingest(params: Params, paths: Layout) -> None:
    """Write ``data/samples`` and ``data/images`` from ``params.ingest.sources``.

    Every record of a source ends as a sample, a reject with a reason, or capped by its limit. A
    killed run goes on where it was.
    """
    ingest_into(params.ingest, params.seed, paths.root, paths.runs, paths.samples, paths.images)


def ingest_into(
    given: IngestParams, seed: int, root: Path, runs: Path, samples: Path, images: Path
) -> dict[str, Any]:
    """Ingest into the folders ``samples`` and ``images``; return the statistics by source.

    With mode annotations-only ``images`` gets an index without rows.
    """
    from polite_flamingo.sources.ingestion import (
        Plan,
        collect_origins,
        collect_rejects,
        collect_samples,
        committed_parts,
        ingest_source,
        source_stats,
    )
    from polite_flamingo.sources.own import find_source

    entries = [find_source(name, given.own) for name in given.sources]
    if len(set(given.sources)) != len(entries) or not entries:
        raise UserError("ingest.sources: name at least one source, and each only once")
    for name in given.limits:
        find_source(name, given.own)
    plan = Plan(
        data_root=root / given.data_root,
        seed=seed,
        limits={
            name: {"train": limit.train, "test": limit.test} for name, limit in given.limits.items()
        },
        with_images=given.mode == "images",
        max_side=given.max_side,
        max_missing=given.max_missing_images,
        workers=given.workers,
    )
    settings = {name: value for name, value in asdict(given).items() if name != "workers"}
    work = work_dir(runs, "ingest", content_key(settings, seed, _files(entries, plan.data_root)))
    parts = committed_parts(work)
    try:
        with ShardWriter(work / "shards", given.shard_size, _rows(plan, work, parts)) as writer:
            for entry in progress(entries, desc="sources", unit="source"):
                ingest_source(entry, plan, work, parts, writer if plan.with_images else None)
    except UserError:
        # What is missing will be there next time.
        shutil.rmtree(work, ignore_errors=True)
        raise
    stats = {entry.name: source_stats(work, parts, entry) for entry in entries}
    with ExitStack() as folders:
        new_samples = folders.enter_context(atomic_dir(samples))
        new_images = folders.enter_context(atomic_dir(images))
        for entry in entries:
            collect_samples(work, parts, entry.name, new_samples / f"{entry.name}.parquet")
        collect_rejects(work, parts, new_samples / "rejects.parquet")
        write_json(new_samples / "stats.json", stats)
        for path in sorted((work / "shards").iterdir()):
            shutil.move(path, new_images / path.name)
        collect_origins(work, parts, new_images / ORIGINS)
    shutil.rmtree(work, ignore_errors=True)
    return stats


def _rows(plan: Any, work: Path, parts: list[dict[str, Any]]) -> Any:
    from polite_flamingo.sources.ingestion import index_rows

    return index_rows(work, parts) if plan.with_images else ()


def _files(entries: list[Entry], data_root: Path) -> dict[str, list[int]]:
    """Size and time of every annotation file: a work folder is never gone on with for others."""
    from polite_flamingo.sources.catalogue import dataset_root, present_path

    found: dict[str, list[int]] = {}
    for entry in entries:
        root = dataset_root(entry, data_root)
        for split, roles in entry.files.items():
            for role in roles:
                path = present_path(root, entry.paths(split, role))
                if path is not None and path.is_file():
                    told = path.stat()
                    found[f"{entry.name}/{split}/{role}"] = [told.st_size, told.st_mtime_ns]
    return found
