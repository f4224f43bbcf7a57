"""Which files of a source are there, and where those that are not belong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from polite_flamingo.core.errors import UserError
from polite_flamingo.sources.catalogue import Entry, dataset_root, present_path

State = Literal["present", "partial", "absent"]
IMAGES = "images"


@dataclass(frozen=True)
class Expected:
    """A file or folder that a source expects; ``found`` is where it is, else None.

    ``places`` are where it may be put, the usual one first.
    """

    split: str
    role: str
    places: tuple[Path, ...]
    found: Path | None
    optional: bool


def expected_files(entry: Entry, data_root: Path) -> list[Expected]:
    """Return every file and folder of a source for a data root, once for all splits that use it."""
    try:
        root = dataset_root(entry, data_root)
    except UserError:
        root = data_root / entry.root
    found: dict[tuple[Path, ...], Expected] = {}
    for split, role, names in _roles(entry):
        places = tuple(Path(os.path.normpath(root / name)) for name in names)
        path = present_path(root, names) if root.is_dir() else None
        item = Expected(split, role, places, path, role in entry.optional)
        found.setdefault(places, item)
    return list(found.values())


def state_of(entry: Entry, data_root: Path) -> State:
    """Tell whether a source can be ingested with its images.

    Absent: none of its own files is there (images may be those of another set).
    """
    expected = [item for item in expected_files(entry, data_root) if not item.optional]
    own = [item for item in expected if item.role != IMAGES] or expected
    if all(item.found is not None for item in expected):
        return "present"
    return "partial" if any(item.found is not None for item in own) else "absent"


def missing_lines(entry: Entry, data_root: Path) -> list[str]:
    """Say of each file whether it is there, and where to put it if not; the required ones first."""
    lines = []
    for item in sorted(expected_files(entry, data_root), key=lambda item: item.optional):
        what = f"{item.split} {item.role}"
        if item.found is not None:
            lines.append(f"  ok       {what:<22} {item.found}")
            continue
        others = f"  (or {', '.join(str(place) for place in item.places[1:])})"
        lines.append(
            f"  {'optional' if item.optional else 'MISSING '} {what:<22} put it at "
            f"{item.places[0]}{others if item.places[1:] else ''}"
        )
    return lines


def count_missing(entry: Entry, data_root: Path) -> int:
    """Count the files and folders that must be there and are not."""
    return sum(
        item.found is None and not item.optional for item in expected_files(entry, data_root)
    )


def _roles(entry: Entry) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for split, roles in entry.files.items():
        for role in roles:
            yield split, role, entry.paths(split, role)
