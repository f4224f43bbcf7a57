"""Progress, accounting of ids, atomic folders and resumable work directories."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")

# Progress is shown only once a loop has run this long (seconds).
QUIET_SECONDS = 5.0


class AccountingError(Exception):
    """Ids in and ids out of a stage do not match: a defect of ours, never of the data."""


def progress(
    items: Iterable[Item], total: int | None = None, desc: str = "", unit: str = "it"
) -> Iterator[Item]:
    """Iterate with a bar that shows rate and ETA once the loop takes over five seconds."""
    yield from tqdm(
        items, total=total, desc=desc, unit=unit, delay=QUIET_SECONDS, mininterval=1.0, ascii=True
    )


def account(stage: str, ids_in: Iterable[str], *outcomes: Iterable[str]) -> None:
    """Check that every id in came out exactly once over all outcomes.

    Raises :class:`AccountingError` naming some of the ids that are lost, repeated or unknown.
    """
    entered = Counter(ids_in)
    left = Counter(identity for outcome in outcomes for identity in outcome)
    if entered == left:
        return
    lost = sorted((entered - left).elements())
    extra = sorted((left - entered).elements())
    raise AccountingError(
        f"{stage}: {len(lost)} ids lost {lost[:3]}, {len(extra)} repeated or unknown {extra[:3]}"
    )


@contextmanager
def atomic_dir(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling folder that replaces ``path`` when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    # A killed run may have left some.
    for old in path.parent.glob(f".{path.name}.*.tmp"):
        shutil.rmtree(old, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def content_key(*parts: Path | str | int | float | bool | Mapping[str, object] | None) -> str:
    """Hash files, folders (names and bytes) and JSON values into a 16-digit hex key.

    A resume directory keyed so is never continued with other inputs, parameters or code geometry.
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        if isinstance(part, Path):
            files = sorted(p for p in part.rglob("*") if p.is_file()) if part.is_dir() else [part]
            for file in files:
                name = file.relative_to(part).as_posix() if part.is_dir() else ""
                digest.update(f"file:{name}:{file.stat().st_size};".encode())
                with file.open("rb") as stream:
                    while block := stream.read(1 << 20):
                        digest.update(block)
        else:
            digest.update(json.dumps(part, sort_keys=True, default=str).encode() + b";")
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _code_key() -> str:
    package = Path(__file__).parent.parent
    files = [p for p in package.rglob("*") if p.suffix in (".py", ".yaml")]
    return content_key({str(p.relative_to(package)): content_key(p) for p in files})


def clear_work(runs: Path, stage: str) -> None:
    """Remove the progress of a stage whose outs are whole."""
    shutil.rmtree(runs / "work" / stage, ignore_errors=True)


def work_dir(runs: Path, stage: str, key: str) -> Path:
    """Make and return the stage's work folder for a key and the code; its others are cleared away.

    DVC deletes a stage's outs before it runs, so progress that must survive a kill lives here. What
    other code has begun is never gone on with.
    """
    key = f"{key}-{_code_key()}"
    parent = runs / "work" / stage
    parent.mkdir(parents=True, exist_ok=True)
    for other in parent.iterdir():
        if other.name != key:
            shutil.rmtree(other, ignore_errors=True)
    folder = parent / key
    folder.mkdir(exist_ok=True)
    return folder
