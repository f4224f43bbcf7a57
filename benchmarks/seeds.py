"""Run the pipeline for several seeds and collect their figures.

    python benchmarks/seeds.py --seeds 0 1 2

Each seed runs in a workspace of its own, runs/seeds/N, through `dvc repro`; seeds share nothing
but the raw real sources. A seed whose report is up to date is not run again, and a run that was
killed goes on. Seed 0 is the repository's own run, if it is there. The figures come together in
benchmarks/results/seeds/summary.json; then `docs/evidence.md` is written (benchmarks/evidence.py).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from evidence import write_evidence

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.tables import read_json, write_json
from polite_flamingo.reports.evidence import summarise

ROOT = Path(__file__).resolve().parents[1]
# Between the seeds of two runs: further apart than the seeds within one (0 to a few dozen).
STRIDE = 1000


def with_seeds(tree: Any, run: int) -> Any:
    """Parameters with every `seed` key moved by `run` strides; run 0 changes nothing."""
    if isinstance(tree, Mapping):
        return {
            key: value + STRIDE * run if key == "seed" else with_seeds(value, run)
            for key, value in tree.items()
        }
    return [with_seeds(item, run) for item in tree] if isinstance(tree, list) else tree


def make_workspace(root: Path, target: Path, run: int) -> None:
    """Copy the code and the parameters of `root` into a workspace with the seeds of one run.

    What was built there stays; the code is brought up to date, so that `dvc repro` goes on.
    """
    target.mkdir(parents=True, exist_ok=True)
    if not (target / ".git").is_dir():
        subprocess.run(["git", "init", "--quiet", str(target)], check=True)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        # The lock and the figures are another run's; the summary would tell of the other seeds.
        own = name in ("dvc.lock", "params.yaml") or name.startswith(("reports/", "benchmarks/"))
        if not own and (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            _update(root / name, target / name)
    tree = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    text = yaml.safe_dump(with_seeds(tree, run), sort_keys=False, width=100)
    (target / "params.yaml").write_text(text, encoding="utf-8")
    write_json(Layout(target).seeds_summary, summarise({}))
    _share_raw_sources(root, target)


def _update(source: Path, target: Path) -> None:
    if not target.is_file() or target.read_bytes() != source.read_bytes():
        shutil.copy2(source, target)


def _share_raw_sources(root: Path, target: Path) -> None:
    """Link what the user put into data/raw; the Shapes world is drawn anew for every seed."""
    (target / "data/raw").mkdir(parents=True, exist_ok=True)
    for path in sorted((root / "data/raw").glob("*")):
        link = target / "data/raw" / path.name
        if path.name not in ("shapes", ".gitignore") and not link.exists():
            link.symlink_to(path)


def run_seed(root: Path, run: int) -> Path:
    """Bring a seed's report up to date; return reports/metrics.json of its workspace."""
    own = Layout(root).reports / "metrics.json"
    if run == 0 and (Layout(root).evaluation / "metrics.json").is_file() and own.is_file():
        return own
    target = Layout(root).runs / "seeds" / str(run)
    make_workspace(root, target, run)
    environment = {**os.environ, "PYTHONPATH": str(target / "src")}
    done = subprocess.run(["dvc", "repro"], cwd=target, env=environment, check=False)
    if done.returncode:
        raise UserError(f"seed {run} failed: look above, then run the same command again")
    return Layout(target).reports / "metrics.json"


def collect(root: Path, found: Mapping[int, Path]) -> None:
    """Write the summary of the seeds, and docs/evidence.md from it."""
    summary = summarise({run: read_json(path) for run, path in found.items()})
    write_json(Layout(root).seeds_summary, summary)
    write_evidence(root)


def main(arguments: Sequence[str]) -> None:
    """Run the seeds of the command line one after another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    found: dict[int, Path] = {}
    for run in sorted(set(parser.parse_args(arguments).seeds)):
        found[run] = run_seed(ROOT, run)
        # After each: what is done is not lost with the next.
        collect(ROOT, found)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(f"seeds: {error}")
