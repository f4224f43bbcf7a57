"""docs/your-data.md, done step by step; and own tables in every form."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from source_layouts import write, write_image

from polite_flamingo.cli import main
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import OwnData, check_params
from polite_flamingo.core.sample import Reject, Sample
from polite_flamingo.core.tables import read_samples, read_table
from polite_flamingo.sources.own import own_entry
from polite_flamingo.sources.read import read_source

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    saved = dict(os.environ)
    (tmp_path / "params.yaml").write_text((ROOT / "profiles/nano.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    os.environ.clear()
    os.environ.update(saved)


def merged(tree: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    for key, value in more.items():
        known = tree.get(key)
        tree[key] = merged(known, value) if isinstance(known, dict) else value
    return tree


def test_the_tutorial_runs(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    ran = []
    for kind, text in BLOCK.findall((ROOT / "docs/your-data.md").read_text(encoding="utf-8")):
        if kind == "python":
            exec(text, names)
        elif kind == "yaml":
            params = workspace / "params.yaml"
            tree = merged(yaml.safe_load(params.read_text()), yaml.safe_load(text))
            params.write_text(yaml.safe_dump(tree))
        else:
            for line in text.splitlines():
                command, *arguments = shlex.split(line)
                assert command == "pf"
                assert main(arguments) == 0, capsys.readouterr().err
                ran.append(arguments[0])
    assert ran == ["sources", "ingest", "ingest", "stats", "ingest"]
    samples = read_samples(workspace / "runs/kitchen/samples", ["kitchen"])
    assert [(s.sample_id, s.answer) for s in samples] == [
        ("kitchen/train/0", "white"),
        ("kitchen/train/1", "no"),
    ]
    (reject,) = read_table(workspace / "runs/kitchen/samples/rejects.parquet").to_pylist()
    assert (reject["position"], reject["reason"]) == ("train.csv:4", "missing_image")
    planned = read_samples(workspace / "runs/plan/samples", ["kitchen"])
    assert planned[2].images == ("kitchen/photos/spoon.png",)
    squares = read_samples(workspace / "runs/squares/samples", ["squares"])
    assert [s.references for s in squares] == [("a red square", "all red"), ("a blue square",)]
    # What the tutorial says of a run that is not told to allow it.
    assert main(["ingest", "kitchen", "--out", "runs/strict"]) == 2
    assert "kitchen: 1 of 3 train samples lack an image" in capsys.readouterr().err


ROWS = [
    {"photo": "a.png", "q": "Is it?", "a": "yes"},
    {"photo": "a.png", "q": " ", "a": "yes"},
    {"photo": "", "q": "What?", "a": "a cat"},
    {"photo": "../x.png", "q": "What?", "a": "a cat"},
]


def rows_as(kind: str, folder: Path) -> str:
    """Write the rows as a table of a kind; return what `train` is then."""
    table = pa.Table.from_pylist(ROWS)
    if kind == "csv":
        lines = ["photo,q,a", *(",".join(f'"{v}"' for v in row.values()) for row in ROWS)]
        write(folder / "t.csv", "\ufeff" + "\r\n".join(lines))
        return "t.csv"
    if kind == "jsonl":
        write(folder / "t.jsonl", "\n".join(map(json.dumps, ROWS)))
        return "t.jsonl"
    if kind == "parquet":
        folder.mkdir(parents=True)
        pq.write_table(table, folder / "t.parquet")
        return "t.parquet"
    if kind == "hub":
        (folder / "data").mkdir(parents=True)
        pq.write_table(table, folder / "data/train-00000-of-00001.parquet")
        pq.write_table(table.slice(0, 0), folder / "data/test-00000-of-00001.parquet")
        return "data"
    if kind == "imagefolder":
        lines = ["photo\tq\ta", *("\t".join(row.values()) for row in ROWS)]
        write(folder / "train/metadata.tsv", "\n".join(lines))
        return "."
    # As datasets.save_to_disk writes it.
    (folder / "train").mkdir(parents=True)
    write(folder / "dataset_dict.json", {"splits": ["train"]})
    write(folder / "train/state.json", {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]})
    with pa.OSFile(str(folder / "train/data-00000-of-00001.arrow"), "wb") as file:
        kinds = {"saved": pa.ipc.new_stream, "saved_file": pa.ipc.new_file}
        with kinds[kind](file, table.schema) as writer:
            writer.write_table(table)
    return "."


@pytest.mark.parametrize(
    "kind", ["csv", "jsonl", "parquet", "hub", "imagefolder", "saved", "saved_file"]
)
def test_own_tables_of_every_kind(tmp_path: Path, kind: str) -> None:
    train = rows_as(kind, tmp_path / "mine")
    write_image(tmp_path / "mine/pics/a.png")
    columns = {"image": "photo", "question": "q", "answer": "a"}
    data = OwnData(root="mine", train=train, images="pics", columns=columns)  # type: ignore[arg-type]
    found = list(read_source(own_entry("mine_own", data), tmp_path, "train"))
    assert [s.answer for s in found if isinstance(s, Sample)] == ["yes"]
    assert [r.reason for r in found if isinstance(r, Reject)] == [
        "empty_question",
        "missing_image",
        "path_escape",
    ]


def test_a_vote_and_a_wrong_column(tmp_path: Path) -> None:
    write(tmp_path / "mine/t.jsonl", json.dumps({"q": "What?", "a": ["x", "y", "y"], "n": 7}))
    given: dict[str, Any] = {"question": "q", "answer": "a", "id": "n"}
    data = OwnData(root="mine", train="t.jsonl", columns=given)  # type: ignore[arg-type]
    (sample,) = read_source(own_entry("own", data), tmp_path, "train")
    assert isinstance(sample, Sample)
    assert (sample.sample_id, sample.answer) == ("own/train/7", "y")
    assert sample.extra["answer_share"] == "0.667"
    write(tmp_path / "mine/t.csv", "q,b\nx,y\n")
    data = OwnData(root="mine", train="t.csv", columns=given)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"columns\.answer: t\.csv has no column 'a'; it has b, q"):
        list(read_source(own_entry("own", data), tmp_path, "train"))


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"columns": {"caption": "c", "answer": "a"}, "train": "t"}, "either answer"),
        ({"columns": {"answer": "a"}, "train": "t"}, "needs the question"),
        ({"columns": {"caption": "c"}}, "train, test or both"),
        ({"columns": {"capton": "c"}, "train": "t"}, "did you mean caption"),
    ],
)
def test_wrong_mappings_are_one_line(own: dict[str, Any], message: str) -> None:
    tree = yaml.safe_load((ROOT / "profiles/nano.yaml").read_text())
    tree["ingest"]["own"] = {"mine": {"root": "mine", **own}}
    with pytest.raises(UserError, match=message) as caught:
        check_params(tree, "params.yaml")
    assert "\n" not in str(caught.value)


def test_a_name_of_the_catalogue_is_taken(tmp_path: Path) -> None:
    data = OwnData(root="x", train="t.csv", columns={"caption": "c"})  # type: ignore[arg-type]
    with pytest.raises(UserError, match="take another"):
        own_entry("vsr", data)
