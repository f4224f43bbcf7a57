"""Your own data as sources: what params.ingest.own says, as catalogue entries."""

from __future__ import annotations

from collections.abc import Mapping

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import OwnData
from polite_flamingo.sources.catalogue import Entry, find_entry, shipped_catalogue, shipped_pools


def find_source(name: str, own: Mapping[str, OwnData]) -> Entry:
    """Return the entry of your own source, or of the catalogue's; else a UserError."""
    return own_entry(name, own[name]) if name in own else find_entry(name)


def own_entry(name: str, data: OwnData) -> Entry:
    """Make the entry of your own data; a name of the catalogue or an unknown pool is a UserError."""
    if name in shipped_catalogue():
        raise UserError(f"ingest.own.{name}: the catalogue has a source of that name; take another")
    columns = data.columns
    captions = columns.caption is not None
    pool = data.pool or ("captioning" if captions else "vqa")
    if pool not in shipped_pools():
        raise UserError(
            f"ingest.own.{name}.pool: no pool {pool!r}; known: {', '.join(shipped_pools())}"
        )
    if data.held_out and data.train is not None:
        raise UserError(f"ingest.own.{name}: a source that is held out has no train")
    given = {"train": data.train, "test": data.test}
    named = {
        role: column
        for role in ("image", "question", "answer", "caption", "id")
        if (column := getattr(columns, role)) is not None
    }
    return Entry(
        name=name,
        category="own data",
        task="captioning" if captions else "vqa",
        licence="yours",
        home="your own data (docs/your-data.md)",
        citation="yours",
        root=data.root,
        files={
            split: {"records": path, "images": data.images}
            for split, path in given.items()
            if path is not None
        },
        adapter="table",
        options={"columns": named},
        pool=pool,
        held_out=data.held_out,
    )
