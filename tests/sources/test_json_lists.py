from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polite_flamingo.sources.json_lists import Broken, Item, read_list, read_members

RECORDS = [{"a": 1}, {"b": "]}"}, {"c": [1, {"d": None}]}]


def values(items: list[Item]) -> list[object]:
    return [item.value for item in items if not isinstance(item.value, Broken)]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        "\ufeff \n" + json.dumps(RECORDS, indent=1).replace("\n", "\r\n"),
        "\n".join(map(json.dumps, RECORDS)),
        "\ufeff" + "\r\n\r\n".join(map(json.dumps, RECORDS)) + "\r\n",
    ],
)
@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_arrays_and_lines_are_told_apart_by_content(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / name).write_bytes(text.encode())
    assert values(list(read_list(tmp_path / name))) == RECORDS


def test_a_broken_line_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n{"b": "tr\n{"c": nope}\n{"d": 4}\n')
    items = list(read_list(path))
    assert values(items) == [{"a": 1}, {"d": 4}]
    broken = [(i.position, i.value.reason) for i in items if isinstance(i.value, Broken)]
    assert broken == [("x.jsonl:2", "truncated"), ("x.jsonl:3", "bad_json")]


@pytest.mark.parametrize("cut", range(1, len(json.dumps(RECORDS))))
def test_an_array_cut_anywhere_gives_its_whole_records(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(RECORDS)[:cut])
    items = list(read_list(path))
    kept = values(items)
    assert kept == RECORDS[: len(kept)]
    assert sum(isinstance(item.value, Broken) for item in items) == 1


def test_deep_nesting_is_a_broken_record(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[" * 200_000)
    (item,) = read_list(path)
    assert isinstance(item.value, Broken)


def test_members_in_any_order_and_missing_ones(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"info": {"images": []}, "b": [2], "other": [9], "a": [1], "c": 5}))
    items = list(read_members(path, ("a", "b", "c")))
    assert [(name, item.value) for name, item in items[:2]] == [("a", 1), ("b", 2)]
    assert [(name, item.value.reason) for name, item in items[2:]] == [("c", "bad_structure")]
    assert items[1][1].position == "x.json#b#0"


@pytest.mark.parametrize(
    "text", ["\ufeff\r\n" + "\r\n".join(map(json.dumps, RECORDS)), json.dumps(RECORDS, indent=1)]
)
def test_one_member_may_be_the_whole_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text.encode())
    found = list(read_members(path, ("images",)))
    assert [item.value for _, item in found] == RECORDS
    assert {name for name, _ in found} == {"images"}


@pytest.mark.parametrize("text", ['{"info": {}}', '{"info": {}}\n{"images": [1]}', "{\n}\n", "{"])
def test_an_object_without_its_member_is_no_list_of_records(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    values_ = [item.value for _, item in read_members(path, ("images",))]
    assert [type(value) for value in values_] == [Broken]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40) | st.text('[]{}",:1a\n \\', max_size=40).map(str.encode))
def test_any_bytes_are_read_without_raising(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    list(read_list(path))
    list(read_members(path, ("a", "b")))
    list(read_members(path, ("a",)))
