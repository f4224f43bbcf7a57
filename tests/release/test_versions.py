"""A release is refused, made, listed, compared and built again, with real git and DVC."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo import cli
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import load_params
from polite_flamingo.core.tables import read_json, write_json
from polite_flamingo.release import manifest, reproduce, workspace
from polite_flamingo.release.diff import difference, row_changes
from polite_flamingo.stages.versions import check_releasable, release


def git(root: Path, *arguments: str) -> str:
    return workspace.git(root, *arguments).strip()


def repro(root: Path) -> None:
    subprocess.run([sys.executable, "-m", "dvc", "repro", "-q"], cwd=root, check=True)


def make_release(root: Path, tag: str, uri: str) -> manifest.Manifest:
    return release(load_params(root / "params.yaml"), Layout(root), tag, uri)


def test_a_release_is_committed_tagged_pushed_listed_compared_and_reproduced(
    root: Path, tmp_path: Path, store: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    uri, _ = store
    remote = tmp_path / "remote"
    workspace.dvc(root, "remote", "add", "-q", "--default", "team", str(remote))
    git(root, "commit", "-qam", "a remote")
    commit = git(root, "rev-parse", "HEAD")
    first = make_release(root, "v1", uri)
    assert (first.commit, first.profile, first.rows) == (commit, "micro", {"samples": 3})
    assert first.metrics == {"headline": {"kept_share": 0.3}}
    assert set(first.outs) == {"ingest", "report"}
    assert list(first.runs) == ["report"]
    assert manifest.read(root, "v1") == first
    # What is tagged is what is committed, and it holds the manifest and nothing else.
    assert git(root, "rev-parse", "v1^{commit}") == git(root, "rev-parse", "HEAD")
    assert git(root, "diff", "--name-only", commit, "v1") == "releases/v1.json"
    assert git(root, "status", "--porcelain") == ""
    assert any(path.is_file() for path in remote.rglob("*.dir"))
    with pytest.raises(UserError, match="v1 is released already"):
        make_release(root, "v1", uri)

    # The next version: a row added, one removed, one changed, another parameter, other code.
    (root / "data/raw/words.txt").write_text("red green yellow black\n")
    text = (root / "params.yaml").read_text().replace("\nseed: 0\n", "\nseed: 7\n")
    (root / "params.yaml").write_text(text)
    (root / "dvc.yaml").write_text("# Another one.\n" + (root / "dvc.yaml").read_text())
    workspace.dvc(root, "add", "-q", "data/raw/words.txt")
    repro(root)
    git(root, "commit", "-qam", "second")
    make_release(root, "v2", uri)
    capsys.readouterr()
    assert cli.main(["--root", str(root), "releases"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["tag", "v1", "v2"]
    assert cli.main(["--root", str(root), "diff", "v1", "v2"]) == 0
    found = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["data/samples", "a", "3", "1", "0", "2", "4"] in found
    assert ["seed", "0", "7"] in found
    assert ["headline.kept_share", "0.3", "0.4", "+0.1"] in found
    assert any(line[:2] == ["dvc.yaml", "|"] for line in found)

    # An older version is built again although the workspace has gone on.
    assert cli.main(["--root", str(root), "reproduce", "v1", "--environment", "here"]) == 0
    assert "4 of 4 outs are equal" in capsys.readouterr().out
    # A version that says other hashes is told, out by out.
    path = manifest.path_of(root, "v1")
    wrong = read_json(path)
    wrong["outs"]["ingest"]["data/samples"] = "0" * 32
    wrong["machine"]["cpu"] = "Another CPU"
    write_json(path, wrong)
    assert cli.main(["--root", str(root), "reproduce", "v1", "--environment", "here"]) == 2
    said = capsys.readouterr()
    rows = {line.split()[1]: line.split()[-1] for line in said.out.splitlines() if "data/" in line}
    assert rows["data/samples"] == "NO" and rows["data/quality"] == "yes"
    assert "another cpu than at release: Another CPU" in said.out
    assert "v1 is not reproduced: 1 outs differ" in said.err


def test_what_is_no_release_is_refused_with_one_line(root: Path) -> None:
    paths = Layout(root)

    def refused() -> str:
        with pytest.raises(UserError) as caught:
            check_releasable(paths)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    check_releasable(paths)
    (root / "notes.txt").write_text("x")
    assert refused() == "the tree is dirty: commit or remove notes.txt"
    (root / "notes.txt").unlink()
    (root / ".git/info/exclude").write_text("data/raw/loose\n")
    (root / "data/raw/loose").mkdir()
    (root / "data/raw/loose/x").write_text("x")
    assert "`dvc add data/raw/loose`" in refused()
    (root / "data/raw/loose/x").unlink()
    (root / "data/raw/loose").rmdir()
    text = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(text.replace("\nseed: 0\n", "\nseed: 8\n"))
    git(root, "commit", "-qam", "another seed")
    assert "the pipeline is stale: run `dvc repro` and commit (ingest: " in refused()
    assert "seed" in refused()
    git(root, "reset", "-q", "--hard", "HEAD~1")
    gate = paths.gate
    gate.unlink()
    write_json(gate, {"success": False, "rows": {}})
    workspace.dvc(root, "commit", "-q", "-f")
    git(root, "commit", "-qam", "a gate that failed")
    assert "the data gate has not passed" in refused()
    assert not (root / "releases").exists()


@pytest.mark.parametrize("tag", ["a b", "", "-x", "a/b", "v1..2", "x.lock"])
def test_a_bad_tag_is_refused(root: Path, tag: str) -> None:
    with pytest.raises(UserError, match="is no tag"):
        manifest.check_tag(root, tag)


def test_an_unknown_release_and_a_broken_manifest_are_one_line(root: Path) -> None:
    with pytest.raises(UserError, match="no release 'v9'; there are: none yet"):
        difference(root, "v9", "v8")
    path = manifest.path_of(root, "v0")
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(UserError, match=r"v0\.json is no JSON"):
        manifest.read(root, "v0")
    path.write_text("{}")
    with pytest.raises(UserError, match="is no release manifest: tag"):
        manifest.read(root, "v0")


ROWS = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.dictionaries(st.binary(min_size=1, max_size=1), st.binary(max_size=1), max_size=6),
)


@given(ROWS, ROWS)
def test_row_changes_account_for_every_row(old: dict, new: dict) -> None:
    for change in row_changes("t", old, new):
        before, after = old.get(change.source, {}), new.get(change.source, {})
        assert change.after == len(after)
        assert change.removed == len(set(before) - set(after))
        same = sum(before[key] == after[key] for key in set(before) & set(after))
        assert same + change.changed + change.removed == len(before)


def test_the_report_of_a_reproduction_names_what_was_not_made() -> None:
    here = manifest.this_machine()
    found = manifest.compare({"s": {"x": "1", "y": "2"}}, {"s": {"x": "1"}})
    text = reproduce.report(found, here, here)
    assert "1 of 2 outs are equal" in text and "another" not in text
    assert [c.equal for c in found] == [True, False]
