"""Stage ingest: official files of every source to samples and image shards."""

from __future__ import annotations

from typing import Any

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import account, atomic_dir, progress
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.sample import Reject, rejects_to_table
from polite_flamingo.core.shards import ShardWriter
from polite_flamingo.core.tables import write_json, write_table


def ingest(params: Params, paths: Layout) -> None:
    """Write ``data/samples`` and ``data/images`` from ``params.ingest.sources``.

    Every record of a source ends as a sample, a reject with a reason, or capped by its limit.
    """
    from polite_flamingo.sources.catalogue import find_entry
    from polite_flamingo.sources.ingestion import ingest_source

    given = params.ingest
    entries = [find_entry(name) for name in given.sources]
    if len(set(given.sources)) != len(entries) or not entries:
        raise UserError("ingest.sources: name at least one source, and each only once")
    for name in given.limits:
        find_entry(name)

    rejects: list[Reject] = []
    stats: dict[str, Any] = {}
    with atomic_dir(paths.samples) as samples, atomic_dir(paths.images) as shards:
        with ShardWriter(shards, given.shard_size) as writer:
            for entry in progress(entries, desc="sources", unit="source"):
                limit = given.limits.get(entry.name)
                done = ingest_source(
                    entry,
                    paths.root / given.data_root,
                    None if limit is None else {"train": limit.train, "test": limit.test},
                    params.seed,
                    lambda image: writer.add(
                        image.image_id, image.data, image.ext, image.width, image.height
                    ),
                )
                account(
                    f"ingest {entry.name}",
                    done.ids_in,
                    done.table.column("sample_id").to_pylist(),
                    done.reject_keys,
                    done.capped,
                )
                write_table(samples / f"{entry.name}.parquet", done.table)
                rejects += done.rejects
                stats[entry.name] = done.stats
        write_table(samples / "rejects.parquet", rejects_to_table(rejects))
        write_json(samples / "stats.json", stats)
