"""What DVC is for, on a small repository: remotes, experiments, diffs, imports."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from polite_flamingo.core.layout import Layout
from polite_flamingo.release import workspace
from polite_flamingo.stages.versions import unversioned


def git(root: Path, *arguments: str) -> str:
    return workspace.git(root, *arguments).strip()


def second_version(root: Path) -> None:
    (root / "data/raw/words.txt").write_text("red green yellow black\n")
    workspace.dvc(root, "add", "-q", "data/raw/words.txt")
    workspace.dvc(root, "repro", "-q")
    git(root, "commit", "-qam", "second")


def round_trip(root: Path, clone: Path) -> None:
    """Push, clone, pull: every out is there, nothing is left to run."""
    workspace.dvc(root, "push", "-q")
    git(root, "commit", "-qam", "remote")
    git(root.parent, "clone", "-q", str(root), str(clone))
    assert not (clone / "data/samples").exists()
    local = root / ".dvc/config.local"
    if local.is_file():
        shutil.copy(local, clone / ".dvc/config.local")
    workspace.dvc(clone, "pull", "-q")
    assert workspace.stale(clone) == {}
    said = workspace.dvc(clone, "repro")
    assert "Running stage" not in said and said.count("didn't change, skipping") == 3
    assert git(clone, "status", "--porcelain") == ""
    for file in ("data/samples/a.parquet", "reports/metrics.json", "data/raw/words.txt"):
        assert (clone / file).read_bytes() == (root / file).read_bytes()


def test_a_clone_that_pulls_from_a_remote_has_nothing_to_run(root: Path, tmp_path: Path) -> None:
    workspace.dvc(root, "remote", "add", "-q", "--default", "team", str(tmp_path / "remote"))
    round_trip(root, tmp_path / "clone")


@pytest.mark.skipif(
    not (find_spec("dvc_s3") and find_spec("moto")), reason="needs polite-flamingo[s3]"
)
def test_a_remote_that_speaks_s3_is_no_different(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.ui import free_port

    url = f"http://127.0.0.1:{(port := free_port(0))}"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 120
        while True:
            try:
                request = urllib.request.Request(f"{url}/team", method="PUT")
                urllib.request.urlopen(request, timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < end and server.poll() is None
                time.sleep(0.3)
        workspace.dvc(root, "remote", "add", "-q", "--default", "team", "s3://team/data")
        workspace.dvc(root, "remote", "modify", "--local", "team", "endpointurl", url)
        round_trip(root, tmp_path / "clone")
        with urllib.request.urlopen(f"{url}/team?list-type=2", timeout=30) as answer:
            assert b"data/files/md5/" in answer.read()
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_an_experiment_with_an_override_leaves_its_figures_and_its_parameter(root: Path) -> None:
    assert os.environ["DVC_NO_ANALYTICS"]
    said = workspace.dvc(root, "exp", "run", "--name", "warm", "-S", "seed=5", "-S", "threads=1")
    assert "warm" in said
    shown = json.loads(workspace.dvc(root, "exp", "show", "--json", "--no-pager"))
    found = {
        name: rev["data"]["params"]["params.yaml"]["data"]["seed"]
        for base in shown
        for each in base.get("experiments") or ()
        for rev in each["revs"]
        if (name := each["name"])
    }
    assert found == {"warm": 5}
    tree = yaml.safe_load((root / "params.yaml").read_text())
    assert (tree["seed"], tree["threads"]) == (5, 1)


def test_metrics_and_plots_of_two_versions_are_put_beside_each_other(root: Path) -> None:
    second_version(root)
    text = workspace.dvc(root, "metrics", "diff", "--md", "HEAD~1", "HEAD")
    row = next(line for line in text.splitlines() if "headline.kept_share" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:] == ["headline.kept_share", "0.3", "0.4", "0.1"]
    (root / "runs").mkdir()
    workspace.dvc(root, "plots", "diff", "HEAD~1", "HEAD", "--out", "runs/plots")
    page = (root / "runs/plots/index.html").read_text()
    assert page.count("vega-embed") or "vegaEmbed" in page
    for drawn in ("Reward distributions", "Accuracy over the stages", "HEAD~1", '"rev"'):
        assert drawn in page, drawn


def test_imported_raw_data_has_a_version_and_follows_its_source(root: Path, tmp_path: Path) -> None:
    source = tmp_path / "official.json"
    source.write_text("[1]")
    (root / ".git/info/exclude").write_text("data/raw/mine.json\n")
    (root / "data/raw/mine.json").write_text("[]")
    assert unversioned(Layout(root)) == ["data/raw/mine.json"]
    (root / "data/raw/mine.json").unlink()
    workspace.dvc(root, "import-url", "-q", str(source), "data/raw/official.json")
    assert (root / "data/raw/official.json").read_text() == "[1]"
    assert unversioned(Layout(root)) == [] and workspace.stale(root) == {}
    source.write_text("[1, 2]")
    # An import stays at its version until it is updated.
    assert workspace.stale(root) == {}
    workspace.dvc(root, "update", "-q", "data/raw/official.json.dvc")
    assert (root / "data/raw/official.json").read_text() == "[1, 2]"
