"""`pf reproduce`: build a release again from raw input in a clean worktree, compare every hash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from polite_flamingo.core.errors import UserError
from polite_flamingo.release import manifest, workspace
from polite_flamingo.release.manifest import Comparison, Machine

VENV = ".venv"


def reproduce(root: Path, tag: str, environment: bool = True) -> list[Comparison]:
    """Build release ``tag`` in runs/reproduce/TAG and compare the hash of every out.

    Nothing of the workspace's outs or cache is used but raw data that DVC tracks (``.dvc`` files).
    ``environment``: install the release's lock with uv; else use the environment at hand. Raises
    UserError where the worktree, the environment or a stage fails.
    """
    released = manifest.read(root, tag)
    folder = worktree(root, tag, released.commit)
    variables = _install(root, folder) if environment else _at_hand(folder)
    _raw_data(root, folder)
    print(f"[reproduce] {tag} in {folder}: dvc repro", flush=True)
    # Outs and cache are absent, so every stage runs; --force says so whatever DVC finds.
    python = _python(folder) if environment else sys.executable
    call = [python, "-m", "dvc", "repro", "--force", "--no-run-cache"]
    env = {**os.environ, **variables}
    # The team's MLflow has the release's runs: those of a reproduction stay in its own folder.
    env.pop("MLFLOW_TRACKING_URI", None)
    if subprocess.run(call, cwd=folder, env=env, check=False).returncode:
        raise UserError(f"`dvc repro` failed in {folder}; what it said stands above")
    return manifest.compare(released.outs, manifest.lock_outs(folder / manifest.LOCK))


def report(comparisons: list[Comparison], released: Machine, here: Machine) -> str:
    """A table of all outs, the verdict, and what differs between the machines."""
    rows = [
        (c.stage, c.path, c.released[:12] or "-", c.found[:12] or "-", "yes" if c.equal else "NO")
        for c in comparisons
    ]
    equal = sum(c.equal for c in comparisons)
    lines = [
        manifest.table(("stage", "out", "released", "reproduced", "equal"), rows),
        f"{equal} of {len(comparisons)} outs are equal",
    ]
    for name in ("cpu", "architecture", "system", "python"):
        before, now = getattr(released, name), getattr(here, name)
        if before != now:
            lines.append(f"another {name} than at release: {before} -> {now}")
    if equal < len(comparisons) and released != here:
        lines.append(
            "CPU types differ in the order of sums of floats: trained models and what they write "
            "may then differ in their last bits; raw, ingested and distorted data may not "
            "(docs/operations.md)"
        )
    return "\n".join(lines)


def worktree(root: Path, tag: str, commit: str) -> Path:
    """A fresh checkout of ``commit`` in runs/reproduce/TAG; an older one there is removed."""
    folder = (root / "runs/reproduce" / tag).resolve()
    if not workspace.has_revision(root, commit):
        raise UserError(f"{tag} was made at {commit[:9]}, which git does not know: `git fetch`")
    if folder.exists():
        shutil.rmtree(folder)
    workspace.git(root, "worktree", "prune")
    folder.parent.mkdir(parents=True, exist_ok=True)
    workspace.git(root, "worktree", "add", "--quiet", "--detach", str(folder), commit)
    # A cache of its own, whatever the user's or the project's settings say.
    (folder / ".dvc/config.local").write_text(
        f"[cache]\n    dir = {folder / '.dvc/cache'}\n", encoding="utf-8"
    )
    return folder


def _install(root: Path, folder: Path) -> dict[str, str]:
    """The release's environment from its lock; returns the variables that activate it."""
    uv = shutil.which("uv") or shutil.which(str((root / ".uv/bin/uv").resolve()))
    if uv is None:
        raise UserError("uv is missing: pip install uv (or use --environment here)")
    print(f"[reproduce] environment from {manifest.ENVIRONMENT}", flush=True)
    variables = {"VIRTUAL_ENV": str(folder / VENV), "PYTHONPATH": ""}
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for call in (
        [uv, "venv", "--quiet", "--python", version, VENV],
        [uv, "pip", "sync", "--quiet", manifest.ENVIRONMENT],
        [uv, "pip", "install", "--quiet", "--no-deps", "--editable", "."],
    ):
        done = workspace.command(call, folder, variables)
        if done.returncode:
            line = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise UserError(f"the environment of the release cannot be made: {line}")
    return {**variables, "PATH": _path(folder / VENV / "bin")}


def _at_hand(folder: Path) -> Mapping[str, str]:
    """This environment with the release's code before the one that is installed."""
    return {
        "PYTHONPATH": str(folder / "src"),
        "PATH": _path(Path(sys.executable).parent),
    }


def _python(folder: Path) -> str:
    return str(folder / VENV / "bin/python")


def _path(first: Path) -> str:
    return f"{first}{os.pathsep}{os.environ.get('PATH', '')}"


def _raw_data(root: Path, folder: Path) -> None:
    """Raw data that DVC tracks, out of the workspace's cache (or the release's remote)."""
    tracked = workspace.git(folder, "ls-files", "*.dvc", "**/*.dvc").split("\n")
    files = [name for name in tracked if name.endswith(".dvc") and (folder / name).is_file()]
    if not files:
        return
    cache = workspace.dvc(root, "cache", "dir").strip()
    workspace.dvc(folder, "remote", "add", "--quiet", "--local", "pf-workspace", cache)
    what = "raw data of the release is not in this workspace's cache (`dvc pull`)"
    workspace.dvc(folder, "pull", "--quiet", "--remote", "pf-workspace", *files, what=what)
