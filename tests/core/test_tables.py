"""Parquet, JSON and JSON Lines: what is written is read back, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import TASKS, Box, Sample, Turn, samples_to_table
from polite_flamingo.core.tables import (
    ROW_GROUP,
    atomic_file,
    read_json,
    read_jsonl,
    read_samples,
    read_table,
    rounded,
    write_json,
    write_jsonl,
    write_table,
)

TEXT = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
UNIT = st.floats(0, 1)
SAMPLES = st.builds(
    Sample,
    sample_id=TEXT,
    source=TEXT,
    split=st.sampled_from(["train", "test"]),
    task=st.sampled_from(TASKS),
    images=st.lists(TEXT, max_size=2).map(tuple),
    turns=st.lists(st.builds(Turn, TEXT, TEXT), max_size=2).map(tuple),
    references=st.lists(TEXT, max_size=2).map(tuple),
    boxes=st.lists(st.builds(Box, TEXT, UNIT, UNIT, UNIT, UNIT), max_size=2).map(tuple),
    answer=st.none() | TEXT,
    parent_id=st.none() | TEXT,
    extra=st.dictionaries(TEXT, TEXT, max_size=2),
)


def sample(identity: str, source: str, split: str = "train") -> Sample:
    return Sample(identity, source, split, "vqa", (), (Turn("q", "a"),))


def test_a_table_comes_back_in_small_row_groups(tmp_path: Path) -> None:
    table = pa.table({"id": list(range(1200)), "text": [str(n) for n in range(1200)]})
    write_table(tmp_path / "new/folder/t.parquet", table)
    assert read_table(tmp_path / "new/folder/t.parquet").equals(table)
    only = read_table(tmp_path / "new/folder/t.parquet", ["text"])
    assert only.column_names == ["text"]
    groups = pq.ParquetFile(tmp_path / "new/folder/t.parquet").metadata
    assert groups.num_row_groups == -(-1200 // ROW_GROUP)


def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    table = pa.table({"id": [1, 2], "text": ["a", None]})
    write_table(tmp_path / "a.parquet", table)
    # As pandas and others mark their tables.
    write_table(tmp_path / "b.parquet", table.replace_schema_metadata({"pandas": "{}"}))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


@given(st.lists(SAMPLES, max_size=3))
def test_samples_come_back(tmp_path_factory: pytest.TempPathFactory, given: list[Sample]) -> None:
    folder = tmp_path_factory.mktemp("samples")
    write_table(folder / "some.parquet", samples_to_table(given))
    assert read_samples(folder) == given


def test_samples_are_read_by_source_and_split(tmp_path: Path) -> None:
    for source in ("b", "a"):
        rows = [sample(f"{source}/1", source), sample(f"{source}/2", source, "test")]
        write_table(tmp_path / f"{source}.parquet", samples_to_table(rows))
    write_table(tmp_path / "rejects.parquet", pa.table({"reason": ["x"]}))

    def ids(*arguments: Any) -> list[str]:
        return [found.sample_id for found in read_samples(tmp_path, *arguments)]

    assert ids() == ["a/1", "a/2", "b/1", "b/2"]
    assert ids(["b", "a"]) == ["b/1", "b/2", "a/1", "a/2"]
    assert ids(["b"], "test") == ["b/2"]
    assert ids([]) == []
    with pytest.raises(UserError, match=r"c\.parquet is missing"):
        ids(["a", "c"])


@given(JSON)
def test_json_comes_back(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.mktemp("json") / "value.json"
    write_json(path, value)
    assert read_json(path) == value
    assert path.read_text(encoding="utf-8").endswith("\n")


@given(st.lists(JSON, max_size=5))
def test_json_lines_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "rows.jsonl"
    write_jsonl(path, rows)
    assert read_jsonl(path) == rows
    assert path.read_bytes().count(b"\n") == len(rows)


def test_json_has_no_order_and_no_digits_of_chance(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 0.1 + 0.2, "a": [np.float32(0.1), np.int64(3)]})
    write_json(tmp_path / "b.json", {"a": (0.1, 3), "b": 0.3})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.23456789, 1.234568),
        (float("nan"), None),
        (float("inf"), None),
        (float("-inf"), None),
        (np.float32("nan"), None),
        (np.float64(2.5), 2.5),
        (np.int32(4), 4),
        (np.bool_(True), True),
        (True, True),
        (7, 7),
        ("1.23456789", "1.23456789"),
        (None, None),
        ({1: (0.12345678, [float("nan")])}, {"1": [0.123457, [None]]}),
    ],
)
def test_numbers_become_plain_json(value: Any, expected: Any) -> None:
    found = rounded(value)
    assert found == expected
    assert type(found) is type(expected)
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("read", [read_table, read_json, read_jsonl])
def test_a_missing_file_is_a_one_line_user_error(
    tmp_path: Path, read: Callable[[Path], Any]
) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path / "gone.file")
    assert "gone.file is missing" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, "old")
    with pytest.raises(TypeError):
        write_json(path, object())
    with pytest.raises(TypeError):
        write_jsonl(path, [1, object()])
    with pytest.raises(ZeroDivisionError), atomic_file(path) as temporary:
        temporary.write_text("half")
        _ = 1 / 0
    assert read_json(path) == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["value.json"]


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with atomic_file(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        temporary.write_text("whole")
    assert path.read_text() == "whole"
