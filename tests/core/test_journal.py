"""Accounting of ids, folders that appear whole, keys of content, work directories."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.core.journal import (
    AccountingError,
    account,
    atomic_dir,
    content_key,
    progress,
    work_dir,
)

IDS = st.lists(st.sampled_from("abcd"), max_size=6)


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- accounting ---


def test_every_id_out_once_is_fine() -> None:
    account("rewrite", ["a", "b", "c"], ["c"], [], ["b", "a"])
    account("rewrite", [], [], [])


@pytest.mark.parametrize(
    ("ids_in", "outcomes", "said"),
    [
        (["a", "b"], [["a"], []], r"1 ids lost \['b'\]"),
        (["a", "b"], [["a", "b"], ["b"]], r"1 repeated or unknown \['b'\]"),
        (["a"], [["a", "x"]], r"1 repeated or unknown \['x'\]"),
        (["a", "a"], [["a"]], r"1 ids lost \['a'\]"),
        (["a"], [], r"1 ids lost \['a'\]"),
    ],
)
def test_lost_repeated_and_unknown_ids_are_named(
    ids_in: list[str], outcomes: list[list[str]], said: str
) -> None:
    with pytest.raises(AccountingError, match=said) as caught:
        account("rewrite", ids_in, *outcomes)
    assert str(caught.value).startswith("rewrite: ")


@given(IDS, st.lists(IDS, max_size=3))
def test_the_books_balance_exactly_when_ids_do(
    ids_in: list[str], outcomes: list[list[str]]
) -> None:
    balanced = Counter(ids_in) == Counter(identity for out in outcomes for identity in out)
    try:
        account("stage", iter(ids_in), *map(iter, outcomes))
    except AccountingError:
        assert not balanced
    else:
        assert balanced


# --- folders ---


def test_a_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "data/out"
    for name in ("old", "new"):
        with atomic_dir(out) as folder:
            (folder / name).write_text(name)
            assert not (out / name).exists()
    assert tree(out) == {"new": "new"}
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_an_exception_leaves_nothing_half_written(tmp_path: Path) -> None:
    fresh, old = tmp_path / "fresh", tmp_path / "old"
    with atomic_dir(old) as folder:
        (folder / "a").write_text("whole")
    for out in (fresh, old):
        with pytest.raises(ZeroDivisionError), atomic_dir(out) as folder:
            (folder / "sub").mkdir()
            (folder / "sub/a").write_text("half")
            _ = 1 / 0
    assert not fresh.exists()
    assert tree(old) == {"a": "whole"}
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


KILLED = """
import os, sys
from pathlib import Path
from polite_flamingo.core.journal import atomic_dir
with atomic_dir(Path(sys.argv[1])) as folder:
    (folder / "a").write_text("half")
    os._exit(9)
"""


def test_a_kill_leaves_the_old_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with atomic_dir(out) as folder:
        (folder / "a").write_text("whole")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(out)], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 9
    assert tree(out) == {"a": "whole"}
    with atomic_dir(out) as folder:
        (folder / "b").write_text("next")
    assert tree(out) == {"b": "next"}


# --- keys ---


def files(folder: Path, contents: dict[str, str]) -> Path:
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_key_depends_on_content_and_not_on_path(tmp_path: Path) -> None:
    contents = {"x.txt": "one", "sub/y.txt": "two"}
    here, there = files(tmp_path / "here", contents), files(tmp_path / "there/deep", contents)
    assert content_key(here, 1) == content_key(there, 1)
    assert content_key(here / "x.txt") == content_key(there / "x.txt")
    os.utime(here / "x.txt", (0, 0))
    assert content_key(here, 1) == content_key(there, 1)


@pytest.mark.parametrize(
    "contents",
    [
        {"x.txt": "One", "sub/y.txt": "two"},
        {"z.txt": "one", "sub/y.txt": "two"},
        {"x.txt": "one", "y.txt": "two"},
        {"x.txt": "one"},
        {"x.txt": "one", "sub/y.txt": "two", "empty": ""},
        {"x.txt": "two", "sub/y.txt": "one"},
        {"x.txt": "onet", "sub/y.txt": "wo"},
    ],
)
def test_any_change_of_a_folder_changes_the_key(tmp_path: Path, contents: dict[str, str]) -> None:
    old = files(tmp_path / "old", {"x.txt": "one", "sub/y.txt": "two"})
    assert content_key(old) != content_key(files(tmp_path / "new", contents))


def test_values_count_and_the_order_of_a_mapping_does_not() -> None:
    key = content_key("a", 1, None, {"x": 1, "y": {"z": [1, 2]}})
    assert content_key("a", 1, None, {"y": {"z": [1, 2]}, "x": 1}) == key
    others = {
        content_key("a", 1, None, {"x": 1, "y": {"z": [2, 1]}}),
        content_key("a", 2, None, {"x": 1, "y": {"z": [1, 2]}}),
        content_key("a", "1", None, {"x": 1, "y": {"z": [1, 2]}}),
        content_key("a", True, None, {"x": 1, "y": {"z": [1, 2]}}),
        content_key("a", 1, {"x": 1, "y": {"z": [1, 2]}}),
        content_key("a1", None, {"x": 1, "y": {"z": [1, 2]}}),
    }
    assert len(others) == 6 and key not in others


@given(st.lists(st.text(max_size=4), max_size=3), st.lists(st.text(max_size=4), max_size=3))
def test_lists_of_texts_do_not_collide(first: list[str], second: list[str]) -> None:
    assert (content_key(*first) == content_key(*second)) == (first == second)


# --- work directories and progress ---


def test_work_is_kept_for_its_key_only(tmp_path: Path) -> None:
    folder = work_dir(tmp_path, "rewrite", "aaa")
    (folder / "shard").write_text("done")
    other_stage = work_dir(tmp_path, "evaluate", "aaa")
    assert tree(work_dir(tmp_path, "rewrite", "aaa")) == {"shard": "done"}
    assert list(work_dir(tmp_path, "rewrite", "bbb").iterdir()) == []
    assert not folder.exists()
    assert other_stage.is_dir()


def test_progress_passes_everything_on_and_is_quiet_when_quick(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert list(progress(iter("abc"), total=3, desc="letters")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")
