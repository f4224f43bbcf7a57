"""The release manifest, releases/TAG.json: what a version consists of, to the hash."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.tables import read_json, write_json
from polite_flamingo.release import workspace

FOLDER = "releases"
LOCK, ENVIRONMENT = "dvc.lock", "requirements.lock"
_STRICT = ConfigDict(extra="forbid")


@checked(frozen=True, config=_STRICT)
class Machine:
    """What the bits of a float may depend on."""

    cpu: str
    architecture: str
    system: str
    python: str


@checked(frozen=True, config=_STRICT)
class Manifest:
    """One release.

    ``commit`` is the tree that was released (the manifest is committed on top of it and tagged);
    ``outs`` maps a stage to its outs' paths and DVC hashes; ``runs`` stages to MLflow run ids and
    ``models`` registered models to versions, in the registry the release was published to.
    """

    tag: str
    commit: str
    date: str
    profile: str
    lock_sha256: str
    environment_sha256: str
    outs: dict[str, dict[str, str]]
    machine: Machine
    runs: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """One out at release and now; ``found`` is "" where it was not made."""

    stage: str
    path: str
    released: str
    found: str

    @property
    def equal(self) -> bool:
        return self.released == self.found


def this_machine() -> Machine:
    """The CPU as Linux names it, and what else bits depend on."""
    return Machine(
        cpu=_cpu(),
        architecture=platform.machine(),
        system=platform.system(),
        python=platform.python_version(),
    )


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def sha256(path: Path) -> str:
    """Hash of a file; raises UserError where it is missing."""
    if not path.is_file():
        raise UserError(f"{path} is missing: a release needs it")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lock_outs(path: Path) -> dict[str, dict[str, str]]:
    """Outs of a dvc.lock: stage -> path -> hash; raises UserError where there is no lock."""
    if not path.is_file():
        raise UserError(f"{path} is missing: run `dvc repro`")
    tree = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {
        name: {out["path"]: str(out.get("md5", "")) for out in entry.get("outs", ())}
        for name, entry in (tree.get("stages") or {}).items()
    }


def compare(
    released: Mapping[str, Mapping[str, str]], found: Mapping[str, Mapping[str, str]]
) -> list[Comparison]:
    """Every out of either side, in the order of the release."""
    return [
        Comparison(
            stage, path, released.get(stage, {}).get(path, ""), found.get(stage, {}).get(path, "")
        )
        for stage in dict.fromkeys((*released, *found))
        for path in dict.fromkeys((*released.get(stage, {}), *found.get(stage, {})))
    ]


def path_of(root: Path, tag: str) -> Path:
    """Where the manifest of a release lies."""
    return root / FOLDER / f"{tag}.json"


def check_tag(root: Path, tag: str) -> None:
    """Raise UserError unless ``tag`` is a name that git takes, without folders, not yet used."""
    done = workspace.command(["git", "check-ref-format", f"refs/tags/{tag}"], root)
    if done.returncode or "/" in tag or tag.startswith("-"):
        raise UserError(f"{tag!r} is no tag: give a name like v1.2 (no blanks, no /)")
    if path_of(root, tag).exists() or workspace.has_revision(root, f"refs/tags/{tag}"):
        raise UserError(f"{tag} is released already (`pf releases`): choose another tag")


def write(root: Path, manifest: Manifest) -> Path:
    """Write releases/TAG.json."""
    path = path_of(root, manifest.tag)
    write_json(path, asdict(manifest))
    return path


def read(root: Path, tag: str) -> Manifest:
    """The manifest of a tag; raises UserError naming the releases there are."""
    path = path_of(root, tag)
    if not path.is_file():
        known = ", ".join(each.tag for each in releases(root)) or "none yet (`pf release TAG`)"
        raise UserError(f"no release {tag!r}; there are: {known}")
    return _checked(path)


def releases(root: Path) -> list[Manifest]:
    """All releases, the oldest first."""
    found = [_checked(path) for path in sorted((root / FOLDER).glob("*.json"))]
    return sorted(found, key=lambda each: (each.date, each.tag))


def _checked(path: Path) -> Manifest:
    try:
        return TypeAdapter(Manifest).validate_python(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path} is no release manifest: {place}: {first['msg']}") from error
    except ValueError as error:
        raise UserError(f"{path} is no JSON: {error}") from error


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Columns of equal width, numbers to the right."""
    lines = [[_text(cell) for cell in line] for line in (head, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    numbers = [
        len(lines) > 1 and all(_number(line[place]) for line in lines[1:])
        for place in range(len(widths))
    ]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, numbers, strict=True)
        ).rstrip()
        for line in lines
    )


def _text(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:.4g}"
    return "" if cell is None else str(cell)


def _number(text: str) -> bool:
    return not text or text.lstrip("+-").replace(".", "", 1).replace(",", "").isdigit()
