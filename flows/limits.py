"""Retries and time-outs of the stages (limits.yaml); the lock that keeps a workspace to one run."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import check_workspace

LIMITS = Path(__file__).with_name("limits.yaml")
LOCK = Path("runs/flows/workspace.lock")


@checked(frozen=True, config=ConfigDict(extra="forbid"))
class Limit:
    """One stage's: tries after the first, seconds between them, seconds until it is killed."""

    retries: int = Field(ge=0)
    retry_seconds: float = Field(ge=0)
    timeout_seconds: float = Field(gt=0)


@dataclass(frozen=True)
class Limits:
    """All stages'."""

    default: Limit
    stages: dict[str, Limit]

    def of(self, stage: str) -> Limit:
        return self.stages.get(stage.split("@")[0], self.default)


def load_limits(path: Path = LIMITS) -> Limits:
    """Read limits.yaml; a wrong key or value is a one-line UserError."""
    tree: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    adapter = TypeAdapter(Limit)
    place = "default"
    try:
        default = adapter.validate_python(tree["default"])
        stages = {}
        for place, changes in (tree.get("stages") or {}).items():
            stages[place] = adapter.validate_python({**asdict(default), **changes})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path}: {place}.{key}: {first['msg']}") from error
    return Limits(default, stages)


@contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Hold the workspace: a second run of a flow that needs it still waits here for the first.

    Raises UserError where ``root`` is no workspace; nothing is written there.
    """
    check_workspace(root)
    path = root / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    # The kernel lets go of it when the process ends, however it ends.
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
