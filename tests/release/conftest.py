"""A small git and DVC repository that has what a release needs, built once and copied."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from polite_flamingo.core.profiles import profile_text

ROOT = Path(__file__).parents[2]
PROFILES = ROOT / "profiles"
CODE = """
import json, sys
from pathlib import Path
import yaml
import pyarrow as pa
from polite_flamingo.core.tables import write_json, write_table

seed = yaml.safe_load(Path("params.yaml").read_text())["seed"]
lines = Path("data/raw/words.txt").read_text().split()
rows = [{"sample_id": f"a/train/{n}", "source": "a", "text": f"{word} {seed if n == 0 else ''}"}
        for n, word in enumerate(lines)]
if sys.argv[1] == "samples":
    write_table(Path("data/samples/a.parquet"), pa.Table.from_pylist(rows))
    write_json(Path("data/quality/gate.json"), {"success": True, "rows": {"samples": len(rows)}})
else:
    share = len(rows) / 10
    write_json(Path("reports/metrics.json"), {"headline": {"kept_share": share}})
    plots = Path("reports/plots")
    names = ("raw", "rewritten", "kept", "style")
    write_json(plots / "rewards.json", [{"reward": n, **dict.fromkeys(names, share)} for n in (0, 1)])
    names = ("pf_accuracy", "raw_accuracy", "pf_reward", "raw_reward")
    write_json(plots / "stages.json", [{"stage": n, **dict.fromkeys(names, share)} for n in (0, 1)])
    write_json(plots / "funnel.json", [{"part": "a: kept", "outcome": "kept", "rewrites": len(rows)}])
"""
STAGES = {
    "stages": {
        "ingest": {
            "cmd": "python make.py samples",
            "deps": ["data/raw/words.txt", "make.py"],
            "params": ["seed"],
            "outs": ["data/samples", "data/quality"],
        },
        "report": {
            "cmd": "python make.py report",
            "deps": ["data/samples"],
            "outs": ["reports/plots"],
            "metrics": [{"reports/metrics.json": {"cache": False}}],
        },
    },
    # The plots that are shipped.
    "plots": yaml.safe_load((ROOT / "dvc.yaml").read_text())["plots"],
}


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def dvc(root: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def released_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a finished, committed pipeline."""
    root = tmp_path_factory.mktemp("versions") / "workspace"
    (root / "data/raw").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.name", "Ada")
    git(root, "config", "user.email", "ada@example.org")
    dvc(root, "init", "-q")
    (root / ".gitignore").write_text("runs/\n__pycache__/\n")
    (root / "make.py").write_text(CODE)
    (root / "params.yaml").write_text(profile_text(PROFILES, "micro"))
    (root / "dvc.yaml").write_text(yaml.safe_dump(STAGES))
    (root / "requirements.lock").write_text("")
    (root / "data/raw/words.txt").write_text("red green blue\n")
    dvc(root, "add", "-q", "data/raw/words.txt")
    dvc(root, "repro", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


@pytest.fixture
def root(released_once: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    target = tmp_path / "workspace"
    shutil.copytree(released_once, target, symlinks=True)
    return target
