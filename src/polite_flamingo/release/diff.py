"""What differs between two releases: rows by source, parameters, metrics, code."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from polite_flamingo.core.errors import UserError
from polite_flamingo.release import manifest, workspace
from polite_flamingo.release.manifest import Manifest

# Tables of a release: out, files in it, and the columns that name a row.
TABLES = (
    ("data/samples", "*.parquet", ("sample_id",)),
    ("data/pairs", "pairs.parquet", ("pair_id",)),
    ("data/rewrites", "candidates.parquet", ("sample_id", "candidate")),
    ("data/filtered", "kept.parquet", ("sample_id",)),
)
# Rejects are told by the stage's report; they have no id of their own.
SKIPPED = frozenset({"rejects.parquet"})
CODE = ("src", "flows", "dvc.yaml", "pyproject.toml", manifest.ENVIRONMENT)
BATCH_ROWS = 4096


@dataclass(frozen=True)
class RowChange:
    """Rows of one source in one table."""

    table: str
    source: str
    before: int
    added: int
    removed: int
    changed: int

    @property
    def after(self) -> int:
        return self.before + self.added - self.removed


def difference(root: Path, first: str, second: str) -> str:
    """The report of `pf diff`; fetches from the DVC remote what is not in the cache.

    Raises UserError for an unknown release, and where the data of one can be had nowhere.
    """
    old, new = manifest.read(root, first), manifest.read(root, second)
    parts = [f"{first} ({old.commit[:9]}, {old.date}) -> {second} ({new.commit[:9]}, {new.date})"]
    data = data_changes(root, old, new)
    parts += ["", "Data (rows)"]
    head = ("table", "source", "before", "added", "removed", "changed", "after")
    rows = [
        (c.table, c.source, c.before, c.added, c.removed, c.changed, c.after)
        for c in data
        if c.added or c.removed or c.changed
    ]
    parts.append(manifest.table(head, rows) if rows else "  no row differs")
    settings = [_parameters(root, each.commit) for each in (old, new)]
    figures = [flat(each.metrics) for each in (old, new)]
    for title, (before, after) in (("Parameters", settings), ("Metrics", figures)):
        parts += ["", title, changed_values(before, after, change=title == "Metrics")]
    others = [
        (c.stage, c.path, c.released[:9] or "-", c.found[:9] or "-")
        for c in manifest.compare(old.outs, new.outs)
        if not c.equal
    ]
    parts += ["", "Outs", _or_none(("stage", "out", first, second), others)]
    stat = workspace.git(root, "diff", "--stat", old.commit, new.commit, "--", *CODE).rstrip()
    parts += ["", "Code", stat or "  no line differs"]
    return "\n".join(parts)


def data_changes(root: Path, old: Manifest, new: Manifest) -> list[RowChange]:
    """Rows added, removed and changed of each table and source (none where hashes are equal)."""
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for out, pattern, key in TABLES:
            hashes = [_hash(each, out) for each in (old, new)]
            if hashes[0] == hashes[1]:
                continue
            sides = []
            for each, present in zip((old, new), hashes, strict=True):
                rows: dict[str, dict[bytes, bytes]] = {}
                if present:
                    folder = Path(scratch) / each.tag / out
                    _get(root, each, out, folder)
                    rows = read_rows(sorted(folder.glob(pattern)), key)
                    shutil.rmtree(folder)
                sides.append(rows)
            found += row_changes(out, *sides)
    return found


def row_changes(
    table: str, old: Mapping[str, Mapping[bytes, bytes]], new: Mapping[str, Mapping[bytes, bytes]]
) -> list[RowChange]:
    """Compare rows by source and key."""
    changes = []
    for source in sorted({*old, *new}):
        before, after = old.get(source, {}), new.get(source, {})
        shared = before.keys() & after.keys()
        changes.append(
            RowChange(
                table=table,
                source=source,
                before=len(before),
                added=len(after) - len(shared),
                removed=len(before) - len(shared),
                changed=sum(before[key] != after[key] for key in shared),
            )
        )
    return changes


def read_rows(files: Sequence[Path], key: Sequence[str]) -> dict[str, dict[bytes, bytes]]:
    """Source -> digest of the row's key -> digest of the row; 32 bytes a row stay in memory."""
    found: dict[str, dict[bytes, bytes]] = {}
    seen: Counter[bytes] = Counter()
    for row in _rows(files):
        name = _digest([row[column] for column in key])
        seen[name] += 1
        # A key that occurs twice is two rows.
        if seen[name] > 1:
            name = _digest([name.hex(), seen[name]])
        found.setdefault(str(row.get("source", "")), {})[name] = _digest(row)
    return found


def _rows(files: Sequence[Path]) -> Iterator[Mapping[str, Any]]:
    import pyarrow.parquet as pq

    for file in files:
        if file.name not in SKIPPED:
            for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS):
                yield from batch.to_pylist()


def _digest(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _hash(release: Manifest, out: str) -> str:
    return next((outs[out] for outs in release.outs.values() if out in outs), "")


def _get(root: Path, release: Manifest, out: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    what = f"{out} of {release.tag} is neither in the cache nor in a remote (`dvc fetch -A`)"
    call = ("get", "--quiet", "--rev", release.commit, "--out", str(target), str(root.resolve()))
    workspace.dvc(root, *call, out, what=what)
    if not target.exists():
        raise UserError(what)


def _parameters(root: Path, commit: str) -> dict[str, Any]:
    return flat(yaml.safe_load(workspace.file_at(root, commit, "params.yaml")) or {})


def flat(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested mappings as one level of dotted names."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        dotted = f"{above}.{name}" if above else str(name)
        found |= flat(value, dotted) if isinstance(value, Mapping) else {dotted: value}
    return found


def changed_values(before: Mapping[str, Any], after: Mapping[str, Any], change: bool) -> str:
    """A table of the names whose values differ; ``change`` adds the difference of numbers."""
    rows = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new or (name in before) != (name in after):
            row: list[object] = [name, old, new]
            if change:
                row.append(_change(old, new))
            rows.append(row)
    return _or_none(("name", "before", "after", *(["change"] if change else [])), rows)


def _change(old: Any, new: Any) -> str:
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (old, new))
    return f"{new - old:+.4g}" if numbers else ""


def _or_none(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return manifest.table(head, rows) if rows else "  nothing differs"
