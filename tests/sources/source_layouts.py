"""Minimal data sets in their official layouts, written by the tests."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from polite_flamingo.core.sample import Reject, Sample
from polite_flamingo.sources.catalogue import Entry, find_entry
from polite_flamingo.sources.read import read_source


def write_image(path: Path, color: tuple[int, int, int] = (200, 10, 10)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(buffer, format="PNG")
    path.write_bytes(buffer.getvalue())


def write(path: Path, value: Any) -> Path:
    """Write text as it is, anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = value if isinstance(value, str) else json.dumps(value)
    path.write_text(text, encoding="utf-8")
    return path


def entry(adapter: str, files: dict[str, str], **given: Any) -> Entry:
    """Make an entry named ``tiny`` with one split, train, at the data root's folder ``tiny``."""
    filled: dict[str, Any] = {
        "task": "vqa",
        "pool": "vqa",
        "category": "test",
        "licence": "not stated",
        "home": "nowhere",
        "citation": "none",
    }
    return Entry(
        name="tiny", root="tiny", adapter=adapter, files={"train": files}, **(filled | given)
    )


def read(source: Entry, root: Path) -> tuple[list[Sample], list[Reject]]:
    found = list(read_source(source, root, "train"))
    samples = [item for item in found if isinstance(item, Sample)]
    return samples, [item for item in found if isinstance(item, Reject)]


def reasons(rejects: Sequence[Reject]) -> list[str]:
    return [reject.reason for reject in rejects]


def read_entry(name: str, root: Path, split: str = "train") -> tuple[list[Sample], list[Reject]]:
    """Read a split of a catalogue entry; ``root`` is the data root."""
    found = list(read_source(find_entry(name), root, split))
    samples = [item for item in found if isinstance(item, Sample)]
    return samples, [item for item in found if isinstance(item, Reject)]
