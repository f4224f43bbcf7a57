"""The ingest stage on a small data root: outs, limits, accounting, equal bytes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import yaml
from source_layouts import write, write_image

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import IngestParams, Params, SplitLimits, load_params
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import read_json, read_samples, read_table
from polite_flamingo.stages.ingest import ingest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def params(tmp_path: Path) -> Params:
    tree = yaml.safe_load((ROOT / "profiles/nano.yaml").read_text())
    write(tmp_path / "params.yaml", yaml.safe_dump(tree))
    given = IngestParams(
        sources=["shapes_vsr", "shapes_spotdiff"],
        limits={"shapes_vsr": SplitLimits(test=6)},
        shard_size=3,
        max_missing_images=1.0,
    )
    return dataclasses.replace(load_params(tmp_path / "params.yaml"), ingest=given)


@pytest.fixture
def paths(tmp_path: Path) -> Layout:
    vsr = tmp_path / "data/raw/shapes/shapes_vsr"
    lines = [
        json.dumps({"image": f"{n % 5}.png", "caption": f"x {n}", "label": n % 2})
        for n in range(20)
    ]
    lines.append(lines[0][:20])
    write(vsr / "splits/random/test.jsonl", "\n".join(lines))
    for number in range(4):
        write_image(vsr / f"images/{number}.png", (number, 0, 0))
    write(vsr / "images/4.png", "no image")
    diff = tmp_path / "data/raw/shapes/shapes_spotdiff"
    records = [{"img_id": str(n), "sentences": [f"change {n}"]} for n in range(3)]
    for split in ("train", "test"):
        write(diff / f"annotations/{split}.json", records)
    for number in range(3):
        write_image(diff / f"resized_images/{number}.png", (number, 0, 0))
        write_image(diff / f"resized_images/{number}_2.png", (number, 0, 1))
    (diff / "resized_images/2_2.png").unlink()
    return Layout(tmp_path)


def outs(paths: Layout) -> dict[str, bytes]:
    folders = (paths.samples, paths.images)
    return {path.name: path.read_bytes() for out in folders for path in sorted(out.iterdir())}


def test_every_record_is_a_sample_a_reject_or_capped(params: Params, paths: Layout) -> None:
    ingest(params, paths)
    stats = read_json(paths.samples / "stats.json")
    vsr = stats["shapes_vsr"]
    assert vsr["samples"] == {"test": 6}
    assert vsr["rejects"].pop("truncated") == 1
    assert vsr["ids_in"] == 21
    assert 6 + vsr["capped"] + 1 + sum(vsr["rejects"].values()) == 21
    assert stats["shapes_spotdiff"]["samples"] == {"train": 2, "test": 2}
    assert stats["shapes_spotdiff"]["rejects"] == {"missing_image": 2}
    rejects = read_table(paths.samples / "rejects.parquet").to_pylist()
    assert ("shapes_vsr", "test.jsonl:21", "truncated") in {
        (row["source"], row["position"], row["reason"]) for row in rejects
    }


def test_images_are_stored_once_for_all_sources(params: Params, paths: Layout) -> None:
    ingest(params, paths)
    store = ImageStore(paths.images)
    used = [image for sample in read_samples(paths.samples) for image in sample.images]
    assert set(used) == set(store.ids())
    assert len(store.ids()) == len(set(store.ids())) < len(used)
    assert store.open(used[0]).size == (8, 8)


def test_a_limit_does_not_depend_on_file_order(params: Params, paths: Layout) -> None:
    annotations = paths.shapes / "shapes_spotdiff/annotations/train.json"
    capped = dataclasses.replace(
        params.ingest,
        limits={"shapes_spotdiff": SplitLimits(train=1, test=0)},
        sources=["shapes_spotdiff"],
    )
    ids = []
    for _ in range(2):
        ingest(dataclasses.replace(params, ingest=capped), paths)
        (sample,) = read_samples(paths.samples, ["shapes_spotdiff"])
        ids.append(sample.sample_id)
        records = json.loads(annotations.read_text())
        write(annotations, records[::-1])
    assert ids[0] == ids[1]


def test_equal_inputs_give_equal_bytes(params: Params, paths: Layout) -> None:
    ingest(params, paths)
    first = outs(paths)
    assert {"rejects.parquet", "stats.json", "index.parquet", "shard-00001.tar"} <= set(first)
    ingest(params, paths)
    assert outs(paths) == first


def test_a_failed_run_leaves_the_outs_as_they_were(params: Params, paths: Layout) -> None:
    ingest(params, paths)
    first = outs(paths)
    (paths.shapes / "shapes_spotdiff/annotations/test.json").unlink()
    with pytest.raises(UserError, match="shapes_spotdiff: missing annotations/test"):
        ingest(params, paths)
    assert outs(paths) == first
    assert not [path for path in (paths.root / "data").iterdir() if path.name.startswith(".")]


def test_a_source_named_twice_is_a_user_error(params: Params, paths: Layout) -> None:
    twice = dataclasses.replace(params.ingest, sources=["shapes_vsr", "shapes_vsr"])
    with pytest.raises(UserError, match="only once"):
        ingest(dataclasses.replace(params, ingest=twice), paths)
