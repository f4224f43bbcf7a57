"""Runs of several seeds: their parameters, their workspaces, and what is made of their figures."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import seeds
import yaml
from evidence import write_evidence

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import check_params
from polite_flamingo.core.tables import read_json, write_json

ROOT = Path(__file__).parents[2]
NANO = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def _seeds(tree: Any, place: str = "") -> dict[str, int]:
    if not isinstance(tree, dict):
        return {}
    found = {place: tree["seed"]} if "seed" in tree else {}
    for key, value in tree.items():
        found |= _seeds(value, f"{place}.{key}")
    return found


def test_every_seed_moves_and_nothing_else() -> None:
    moved = seeds.with_seeds(NANO, 2)
    check_params(moved, "seed 2")
    before, after = _seeds(NANO), _seeds(moved)
    assert len(before) >= 8 and {"", ".generate", ".judges.nli", ".tune"} <= set(before)
    assert after == {place: seed + 2 * seeds.STRIDE for place, seed in before.items()}
    assert seeds.with_seeds(moved, -2) == NANO
    assert seeds.with_seeds(NANO, 0) == NANO


def test_no_two_runs_share_a_seed() -> None:
    drawn = [set(_seeds(seeds.with_seeds(NANO, run)).values()) for run in (0, 1, 2)]
    assert not drawn[0] & drawn[1] and not drawn[1] & drawn[2] and not drawn[0] & drawn[2]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small repository whose pipeline writes a report that tells its seed."""
    root = tmp_path / "repository"
    root.mkdir()
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    subprocess.run(["dvc", "init", "--quiet"], cwd=root, check=True)
    (root / "params.yaml").write_text("seed: 0\nprofile: nano\n")
    (root / "work.py").write_text(
        "import json, pathlib\n"
        "seed = int(pathlib.Path('params.yaml').read_text().split('seed:')[1].split()[0])\n"
        "pathlib.Path('reports').mkdir(exist_ok=True)\n"
        "with open('runs.log', 'a') as log: log.write('ran')\n"
        "report = {'headline': {'kept_share': 0.9 + seed / 1e5, 'beats_template_reward': True},\n"
        "          'intervals': {'kept_share': {'low': 0.85, 'high': 0.95, 'n': 9}},\n"
        "          'sources': {'digits': {'kept_share': 0.5}}}\n"
        "pathlib.Path('reports/metrics.json').write_text(json.dumps(report))\n"
    )
    stage = {"cmd": "python work.py", "deps": ["work.py"], "params": ["seed"]}
    stage["outs"] = [{"reports/metrics.json": {"cache": False}}]
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"report": stage}}))
    (root / ".gitignore").write_text("runs/\n/data\n")
    (root / "data/raw/coco").mkdir(parents=True)
    (root / "data/raw/coco/a.json").write_text("{}")
    return root


def test_a_seed_runs_in_a_workspace_of_its_own_and_only_once(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeds, "ROOT", repository)
    seeds.main(["--seeds", "1"])
    workspace = repository / "runs/seeds/1"
    assert (workspace / "data/raw/coco/a.json").is_file(), "raw sources are shared"
    assert not (repository / "reports").exists(), "the repository's own run is left alone"
    seeds.main(["--seeds", "1"])
    assert (workspace / "runs.log").read_text() == "ran", "what is up to date is not run again"
    summary = read_json(repository / "benchmarks/results/seeds/summary.json")
    assert summary["seeds"] == [1]
    assert summary["figures"]["kept_share"]["by_seed"] == {"1": 0.91}
    assert "seed 1" in (repository / "docs/evidence.md").read_text()


def test_seed_0_is_the_repositorys_own_run_where_there_is_one(repository: Path) -> None:
    write_json(repository / "data/evaluation/metrics.json", {})
    write_json(repository / "reports/metrics.json", {"headline": {}, "intervals": {}})
    assert seeds.run_seed(repository, 0) == repository / "reports/metrics.json"
    assert not (repository / "runs").exists()


def test_a_seed_that_fails_says_what_to_do(repository: Path) -> None:
    (repository / "work.py").write_text("raise SystemExit(3)")
    with pytest.raises(UserError, match="seed 2 failed"):
        seeds.run_seed(repository, 2)


def test_evidence_md_is_what_the_summary_says() -> None:
    """The committed page is that of the committed figures."""
    text = (ROOT / "docs/evidence.md").read_text(encoding="utf-8")
    from polite_flamingo.reports.evidence import markdown

    assert text == markdown(read_json(ROOT / "benchmarks/results/seeds/summary.json"))


def test_without_a_summary_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"summary\.json is missing"):
        write_evidence(tmp_path)
