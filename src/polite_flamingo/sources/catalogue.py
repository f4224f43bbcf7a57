"""The catalogue of source data sets: what catalogue.yaml and instructions.yaml say, checked."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from polite_flamingo.core.errors import UserError

Split = Annotated[str, Field(pattern="^(train|test)$")]
Task = Literal[
    "captioning",
    "classification",
    "change_captioning",
    "vqa",
    "vqa_rationale",
    "conversation",
    "text",
]
_PACKAGE = "package:"
# The safe loader, in C where PyYAML has it: the catalogue is long.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Name of the pip distribution of a package, where it is not the package's own.
_DISTRIBUTIONS = {"easy_vqa": "easy-vqa", "sklearn": "scikit-learn"}
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Entry:
    """One data set: where it is from, where its official files lie, and how they are read.

    ``root`` is a folder under the data root, or ``package:NAME``. ``files`` maps a split to the
    roles its adapter knows (annotations, images ...) and these to a path below ``root``, or to
    several of which the first that is there counts; ``optional`` roles may be missing.
    Conversations need no ``pool``: they bring their instructions.
    """

    name: str
    category: str
    task: Task
    licence: str
    home: str
    citation: str
    root: str
    files: dict[Split, dict[str, str | tuple[str, ...]]] = Field(min_length=1)
    adapter: str
    optional: tuple[str, ...] = ()
    # Folders below the image folder in which an image may lie, in the order of search.
    image_folders: tuple[str, ...] = ("",)
    options: dict[str, str | bool | int | float | dict[str, str]] = Field(default_factory=dict)
    pool: str = ""
    # The set that METHOD section 4 counts it in, where that is not the set itself.
    group: str = ""
    # Samples of train that PF-1M has (METHOD section 4): taken unless ingest.limits says otherwise.
    cap: int | None = Field(default=None, ge=1)
    # At most this many training samples of each class (ELEVATER-IC takes 32).
    class_cap: int | None = Field(default=None, ge=1)
    # A second record of an id is an error, or ("number") another example as in Spot-the-Diff.
    repeated_ids: Literal["reject", "number"] = "reject"
    held_out: bool = False

    def paths(self, split: str, role: str) -> tuple[str, ...]:
        """Paths below the root that may hold a role of a split, the usual one first."""
        paths = self.files[split].get(role, ())
        return (paths,) if isinstance(paths, str) else paths


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Phrasing:
    """One instruction of a pool; ``weight`` is its share against the others."""

    text: str
    weight: int = Field(default=1, ge=1)


def load_catalogue(path: Path | None = None) -> dict[str, Entry]:
    """Load every entry by name, from the shipped catalogue or a file of the same form."""
    name, tree = _load(path, "catalogue.yaml")
    named = {key: {"name": key, **_mapping(name, key, value)} for key, value in tree.items()}
    catalogue: dict[str, Entry] = _validated(name, dict[str, Entry], named)
    return catalogue


def load_pools(path: Path | None = None) -> dict[str, tuple[Phrasing, ...]]:
    """Load the instruction pools by name; a phrasing is a text, or a text with a weight."""
    name, tree = _load(path, "instructions.yaml")
    for key, phrasings in tree.items():
        if not isinstance(phrasings, list) or not phrasings:
            raise UserError(f"{name}: {key}: expected a list of instructions")
    spelled = {
        key: [{"text": item} if isinstance(item, str) else item for item in phrasings]
        for key, phrasings in tree.items()
    }
    pools: dict[str, tuple[Phrasing, ...]]
    pools = _validated(name, dict[str, tuple[Phrasing, ...]], spelled)
    return pools


@cache
def shipped_catalogue() -> Mapping[str, Entry]:
    """Return the shipped catalogue, loaded once."""
    return load_catalogue()


@cache
def shipped_pools() -> Mapping[str, tuple[Phrasing, ...]]:
    """Return the shipped instruction pools, loaded once."""
    return load_pools()


def find_entry(name: str) -> Entry:
    """Return the entry of a source; an unknown name is a UserError that suggests a known one."""
    catalogue = shipped_catalogue()
    if name in catalogue:
        return catalogue[name]
    close = difflib.get_close_matches(name, catalogue, n=1)
    known = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(catalogue))}"
    raise UserError(f"no source named {name!r} in the catalogue; {known}")


def dataset_root(entry: Entry, data_root: Path) -> Path:
    """Return the folder of an entry's files: below the data root, or inside a Python package.

    A package is found, not imported. Raises UserError where the folder or package is missing.
    """
    if entry.root.startswith(_PACKAGE):
        package = entry.root.removeprefix(_PACKAGE)
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise UserError(
                f"{entry.name}: the Python package {_DISTRIBUTIONS.get(package, package)} is not "
                "installed; install polite-flamingo[data]"
            )
        return Path(next(iter(spec.submodule_search_locations)))
    root = data_root / entry.root
    if root.is_dir():
        return root
    # The files may lie right in the folder that was named.
    wanted = [
        path
        for split in entry.files
        for role in entry.files[split]
        for path in entry.paths(split, role)
        if role != "images" and path not in ("", ".")
    ]
    if any((data_root / path).exists() for path in wanted):
        return data_root
    raise UserError(
        f"{entry.name}: missing {next(iter(wanted), '')} under {root}; put the official files there "
        f"({entry.home}) or drop the source from ingest.sources"
    )


def present_path(root: Path, names: Sequence[str]) -> Path | None:
    """Return the first of several paths below ``root`` that is there, gzipped or not."""
    for name in names:
        for path in (root / name, root / f"{name}.gz"):
            if path.exists():
                return path
    return None


def _load(path: Path | None, shipped: str) -> tuple[str, dict[str, Any]]:
    if path is None:
        name, text = shipped, (files(__package__) / shipped).read_text(encoding="utf-8")
    elif path.is_file():
        name, text = str(path), path.read_text(encoding="utf-8")
    else:
        raise UserError(f"{path} is missing")
    try:
        tree = yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise UserError(f"{name}: not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(tree, dict):
        raise UserError(f"{name}: expected a mapping of names")
    return name, tree


def _mapping(name: str, key: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{name}: {key}: expected a mapping")
    return value


def _validated(name: str, kind: Any, tree: object) -> Any:
    try:
        return TypeAdapter(kind).validate_python(tree)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{name}: {place}: {first['msg']}") from error
