"""A small git and DVC repository that has what a release needs, built once and copied."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params, load_params
from polite_flamingo.core.profiles import profile_text
from polite_flamingo.core.tables import write_json, write_table
from polite_flamingo.stages.publish import publish
from polite_flamingo.tracking import runs

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


MODEL_STAGES = {
    "filter": {"cmd": "true", "outs": ["data/filtered"]},
    "tune": {"cmd": "true", "deps": ["data/filtered"], "outs": ["models/clever/pf/stage3"]},
    "evaluate": {"cmd": "true", "deps": ["models/clever"], "outs": ["data/evaluation"]},
    "report": {
        "cmd": "true",
        "deps": ["data/evaluation"],
        "metrics": [{"reports/metrics.json": {"cache": False}}],
    },
}


def save_model(folder: Path, seed: int) -> None:
    from polite_flamingo.models.checkpoints import save_pretrained
    from polite_flamingo.models.configs import load_config
    from polite_flamingo.models.flamingo import build_flamingo
    from polite_flamingo.models.tokenizer import train_tokenizer

    config = load_config("micro")
    texts = [f"What is the {c} {s}?" for c in ("red", "blue") for s in ("circle", "square")]
    tokenizer = train_tokenizer(texts * 20, config.tokenizer.vocab_size, config.prompt)
    shutil.rmtree(folder, ignore_errors=True)
    save_pretrained(build_flamingo(config, tokenizer, seed=seed), tokenizer, folder)


def write_evaluation(paths: Layout, right: float, reward: float) -> None:
    """Judged answers to 100 questions of which a share is right; two rewrites, both true."""
    asked = [
        {"model": "pf-stage3", "control": "", "sample_id": f"s/test/{n}", "instruction": "What?"}
        for n in range(100)
    ]
    responses = [
        {**row, "response": "red", "answer": "red", "correct": n < right * 100}
        for n, row in enumerate(asked)
    ]
    ratings = [{**row, "reward": reward + n % 7} for n, row in enumerate(asked)]
    keys = [{"sample_id": f"s/train/{n}", "candidate": 0} for n in range(20)]
    facts = {"instruction": "What?", "draft": "red", "rewrite": "It is red."}
    checks = [{**k, "faithful": True, "factual": True, "output_factual": True} for k in keys]
    for path, rows in (
        (paths.evaluation / "responses.parquet", responses),
        (paths.evaluation / "ratings.parquet", ratings),
        (paths.evaluation / "checks.parquet", [{**row, "reward": reward} for row in checks]),
        (paths.rewrites / "candidates.parquet", [{**key, **facts} for key in keys]),
    ):
        write_table(path, pa.Table.from_pylist(rows))
    write_json(paths.reports / "metrics.json", {"headline": {"stage3_accuracy": right}})


def commit(root: Path) -> None:
    subprocess.run([sys.executable, "-m", "dvc", "commit", "-q", "-f"], cwd=root, check=True)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Params, Layout, str]:
    """A workspace whose chat model was published twice: the champion, then a worse candidate."""
    root = tmp_path_factory.mktemp("promotion")
    store = root / "runs"
    store.mkdir()
    uri = runs.default_uri(store)
    runs.init(uri, store / "mlartifacts")
    paths = Layout(root)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=root, check=True)
    (root / "params.yaml").write_text(profile_text(PROFILES, "micro"))
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": MODEL_STAGES}))
    params = load_params(root / "params.yaml")
    write_json(paths.filtered / "stats.json", {"kept": 1})
    write_json(paths.gate, {"success": True, "rows": {}})
    for seed, right, reward in ((1, 0.9, 1.0), (2, 0.5, 2.0)):
        save_model(paths.clever("pf", 3), seed)
        write_evaluation(paths, right, reward)
        # The first one adds .gitignore files to folders that are dependencies.
        commit(root)
        commit(root)
        publish(params, paths, uri)
    return params, paths, uri
