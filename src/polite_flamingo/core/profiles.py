"""Profiles: named parameter files, whole or as changes to another one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import check_params


def names(folder: Path) -> list[str]:
    """List the profiles of a folder."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def is_profile(folder: Path, text: str) -> bool:
    """Whether a params.yaml is what one of the profiles stands for, without edits."""
    for name in names(folder):
        # Another profile's mistake is none of this file's.
        with suppress(UserError):
            if profile_text(folder, name) == text:
                return True
    return False


def about(folder: Path, name: str) -> str:
    """The first comment line of a profile: what it is for."""
    first, *_ = [*_read(folder, name).splitlines(), ""]
    return first.removeprefix("#").strip()


def profile_text(folder: Path, name: str) -> str:
    """Text of the params.yaml that a profile stands for, checked.

    A profile with a key ``extends`` holds only what differs from the profile it names; mappings are
    merged key by key, everything else is replaced.
    """
    text = _read(folder, name)
    tree = _parse(text, name)
    if "extends" in tree:
        tree = _resolve(folder, name, ())
        text = (
            f"# {about(folder, name)}\n"
            f"# Written by `pf profile use {name}` from profiles/{name}.yaml.\n"
            + yaml.safe_dump(tree, sort_keys=False, width=100)
        )
    check_params(tree, f"profiles/{name}.yaml")
    return text


def _resolve(folder: Path, name: str, seen: tuple[str, ...]) -> dict[str, Any]:
    if name in seen:
        raise UserError(f"profiles/{name}.yaml: `extends` leads back to itself")
    tree = _parse(_read(folder, name), name)
    if "extends" not in tree:
        return tree
    changes = {key: value for key, value in tree.items() if key != "extends"}
    return _merge(_resolve(folder, tree["extends"], (*seen, name)), changes)


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise UserError(f"profiles/{name}.yaml: not YAML: {said}") from error
    if not isinstance(tree, dict):
        raise UserError(f"profiles/{name}.yaml: expected a mapping of parameters")
    return tree


def _merge(tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(tree)
    for key, value in changes.items():
        old = merged.get(key)
        # An empty mapping empties: `limits: {}` lifts all limits.
        both = isinstance(old, dict) and isinstance(value, dict) and bool(value)
        merged[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _read(folder: Path, name: str) -> str:
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(names(folder))
        if not known:
            raise UserError(f"no profiles in {folder}: cd to your clone of polite-flamingo")
        raise UserError(f"no profile {name!r}; there are: {known}")
    return path.read_text(encoding="utf-8")
