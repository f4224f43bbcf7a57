"""A workspace with the micro profile, and its stages run in this process."""

from __future__ import annotations

import hashlib
from pathlib import Path

from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params, load_params
from polite_flamingo.core.profiles import profile_text
from polite_flamingo.stages import STAGES, resolve

REPOSITORY = Path(__file__).parents[2]
TUNE = [("tune", variant, str(stage)) for variant in ("pf", "raw") for stage in (1, 2, 3)]
ORDER = [call for name in STAGES for call in (TUNE if name == "tune" else [(name,)])]


def run_stage(call: tuple[str, ...], params: Params, paths: Layout) -> None:
    resolve(call[0], call[1:])(params, paths)


def hashes(root: Path) -> dict[str, str]:
    """SHA-256 of every file that DVC would hash."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("data", "models", "reports")
        for path in sorted((root / folder).rglob("*"))
        if path.is_file()
    }


def new_workspace(root: Path) -> tuple[Params, Layout]:
    root.mkdir(parents=True, exist_ok=True)
    text = profile_text(REPOSITORY / "profiles", "micro")
    (root / "params.yaml").write_text(text, encoding="utf-8")
    return load_params(root / "params.yaml"), Layout(root)
