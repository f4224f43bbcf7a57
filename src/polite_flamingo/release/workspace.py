"""Git and DVC as commands on a workspace (the library imports neither)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from polite_flamingo.core.errors import UserError

DVC = (sys.executable, "-m", "dvc")


def command(
    call: Sequence[str], root: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command at ``root`` and take its words; it never asks for a password."""
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", **(environment or {})}
    return subprocess.run(
        list(call), cwd=root, env=env, capture_output=True, text=True, check=False
    )


def said(call: Sequence[str], root: Path, what: str) -> str:
    """Standard output of a command that must succeed; else a UserError with its last line."""
    done = command(call, root)
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["no reason given"]
        # DVC ends with where to ask for help; its reason is the line before.
        reason = next((line for line in lines if line.startswith("ERROR: ")), lines[-1])
        raise UserError(f"{what}: {reason.removeprefix('ERROR: ').strip()}")
    return done.stdout


def git(root: Path, *arguments: str, what: str = "") -> str:
    """Standard output of a git command that must succeed."""
    return said(["git", *arguments], root, what or f"`git {arguments[0]}` failed in {root}")


def dvc(root: Path, *arguments: str, what: str = "") -> str:
    """Standard output of a DVC command that must succeed."""
    return said([*DVC, *arguments], root, what or f"`dvc {arguments[0]}` failed in {root}")


def dirt(root: Path) -> list[str]:
    """Paths that git finds changed, staged or untracked (none of them ignored)."""
    lines = git(root, "status", "--porcelain", "--untracked-files=all").splitlines()
    return [line[3:] for line in lines]


def stale(root: Path, *stages: str) -> dict[str, str]:
    """Stages (and imports) that DVC would run again, each with what has changed; default: all."""
    found = {}
    for name, changes in json.loads(dvc(root, "status", "--json", *stages) or "{}").items():
        reasons = []
        for change in changes:
            if isinstance(change, str):
                reasons.append(change)
                continue
            for kind, paths in change.items():
                reasons += [f"{kind}: {path} {state}" for path, state in _flat(paths).items()]
        found[name] = "; ".join(reasons)
    return found


def _flat(paths: Any, above: str = "") -> dict[str, str]:
    """Leaves of DVC's nested states (parameters stand by file and name)."""
    if not isinstance(paths, Mapping):
        return {above: str(paths)}
    found: dict[str, str] = {}
    for name, state in paths.items():
        found |= _flat(state, str(name))
    return found


def has_revision(root: Path, revision: str) -> bool:
    """Whether git knows the revision as a commit."""
    call = ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    return command(call, root).returncode == 0


def file_at(root: Path, revision: str, path: str) -> str:
    """Text of a file at a revision; "" where there was none."""
    done = command(["git", "show", f"{revision}:{path}"], root)
    return done.stdout if done.returncode == 0 else ""


def remotes(root: Path) -> list[str]:
    """Names of the DVC remotes."""
    lines = dvc(root, "remote", "list").splitlines()
    return [line.split()[0] for line in lines if line.strip()]


def who(root: Path) -> str:
    """The person at work: git's name and address, else the login."""
    import getpass

    name, mail = (
        command(["git", "config", f"user.{key}"], root).stdout.strip() for key in ("name", "email")
    )
    if name:
        return f"{name} <{mail}>" if mail else name
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
