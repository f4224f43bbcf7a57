"""Ingest that is killed, lacks images, is capped by the catalogue or reads no image."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from source_layouts import write, write_image

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import IngestParams, SplitLimits
from polite_flamingo.core.shards import ImageStore, read_origins
from polite_flamingo.core.tables import read_json, read_samples
from polite_flamingo.sources import ingestion
from polite_flamingo.sources.catalogue import find_entry
from polite_flamingo.sources.selection import choose
from polite_flamingo.stages.ingest import ingest_into

RECORDS = 40


class Killed(Exception):
    """Stands for a kill: nothing is tidied up by what raises it."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Spot-the-Diff with forty pairs; several records share a pair."""
    data = tmp_path / "raw/spot_the_diff"
    records = [{"img_id": str(n % 30), "sentences": [f"change {n}"]} for n in range(RECORDS)]
    records[7] = {"img_id": "7"}
    write(data / "data/annotations/train.json", records)
    write(data / "data/annotations/test.json", records[:5])
    for number in range(30):
        write_image(data / f"resized_images/{number}.png", (number, 0, 0))
        write_image(data / f"resized_images/{number}_2.png", (number, 0, 1))
    # Images that are not kept as they are.
    for number in (3, 29):
        Image.new("RGBA", (8, 8), (number, 0, 0, 99)).save(data / f"resized_images/{number}.png")
    return tmp_path


def run(root: Path, out: str, **given: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {"sources": ["spot_the_diff"], "limits": {}, "shard_size": 7}
    params = IngestParams(**(settings | {"data_root": "raw", "workers": 1} | given))
    folder = root / out
    return ingest_into(params, 0, root, root / "runs", folder / "samples", folder / "images")


def outs(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("kill_at", range(1, 8))
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(
    root: Path, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    monkeypatch.setattr(ingestion, "PART", 8)
    whole = run(root, "whole")
    calls = 0
    real = ingestion._commit

    def killed(*arguments: Any, **named: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == kill_at:
            raise Killed
        real(*arguments, **named)

    monkeypatch.setattr(ingestion, "_commit", killed)
    if kill_at <= 6:
        with pytest.raises(Killed):
            run(root, "resumed")
        done = calls - 1
        journal = next((root / "runs/work/ingest").glob("*/journal.jsonl"), None)
        lines = journal.read_text().splitlines() if journal else []
        assert len(lines) == done
        if journal:
            # A line that the kill broke off, and a part of a shard that no line tells of.
            journal.write_text("\n".join(lines) + '\n{"number": 9')
            with max((root / "runs/work/ingest").glob("*/shards/*.tar")).open("ab") as shard:
                shard.write(b"half an image")
    monkeypatch.setattr(ingestion, "_commit", real)
    assert run(root, "resumed") == whole
    assert outs(root / "resumed") == outs(root / "whole")
    assert len(read_origins(root / "resumed/images")) == 2
    assert not list((root / "runs/work/ingest").iterdir())


def test_the_number_of_workers_changes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from polite_flamingo.sources import packing

    monkeypatch.setattr(packing, "_WORTH_A_POOL", 1)
    monkeypatch.setattr(packing, "_BATCH", 4)
    run(root, "two", workers=2)
    run(root, "one", workers=1)
    assert outs(root / "two") == outs(root / "one")


def test_too_many_missing_images_stop_the_run(root: Path) -> None:
    for number in range(3):
        (root / f"raw/spot_the_diff/resized_images/{number}.png").unlink()
    with pytest.raises(UserError, match=r"spot_the_diff: 6 of 39 train samples lack an image; put"):
        run(root, "out")
    assert not (root / "out").exists()
    stats = run(root, "out", max_missing_images=0.9)
    assert stats["spot_the_diff"]["rejects"]["missing_image"] == 6 + 3
    assert stats["spot_the_diff"]["rejects"]["bad_sentences"] == 1


def test_annotations_only_keeps_paths_and_needs_no_image(root: Path) -> None:
    import shutil

    shutil.rmtree(root / "raw/spot_the_diff/resized_images")
    stats = run(root, "plan", mode="annotations-only")
    sample = read_samples(root / "plan/samples")[0]
    assert sample.images == (
        "spot_the_diff/resized_images/0.png",
        "spot_the_diff/resized_images/0_2.png",
    )
    assert stats["spot_the_diff"]["samples"] == {"train": 39, "test": 5}
    assert ImageStore(root / "plan/images").ids() == []
    assert read_origins(root / "plan/images") == {}
    assert read_json(root / "plan/samples/stats.json") == stats


def test_images_are_shrunk_where_that_is_asked_for(root: Path) -> None:
    big = root / "raw/spot_the_diff/resized_images/0.png"
    Image.new("RGB", (80, 20), (1, 2, 3)).save(big)
    run(root, "small", max_side=40)
    store = ImageStore(root / "small/images")
    first = read_samples(root / "small/samples")[0].images
    assert store.open(first[0]).size == (40, 10)
    origins = read_origins(root / "small/images")
    assert origins[first[0]] == {hashlib.sha256(big.read_bytes()).hexdigest()}
    # What is kept as it is has no other origin.
    assert first[1] not in origins


def test_the_catalogue_caps_train_unless_a_limit_says_otherwise(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    from polite_flamingo.sources import own

    capped = dataclasses.replace(find_entry("spot_the_diff"), cap=5)
    monkeypatch.setattr(own, "find_entry", lambda name: capped)
    assert run(root, "a")["spot_the_diff"]["samples"] == {"train": 5, "test": 5}
    free = {"spot_the_diff": SplitLimits()}
    assert run(root, "b", limits=free)["spot_the_diff"]["samples"] == {"train": 39, "test": 5}


def test_a_class_cap_counts_every_class(tmp_path: Path) -> None:
    lines = [f"pie/{n}" for n in range(9)] + ["soup/1", "soup/2"]
    write(tmp_path / "food-101/meta/train.txt", "\n".join(lines))
    chosen = choose(find_entry("food101"), tmp_path, "train", 3, True, 0, None)
    assert chosen is not None
    assert sorted(name.split("/")[2] for name in chosen) == ["pie"] * 3 + ["soup"] * 2


def test_more_candidates_are_read_where_many_images_are_bad(tmp_path: Path) -> None:
    from polite_flamingo.sources.packing import ImagePool
    from polite_flamingo.sources.read import image_folder

    source = find_entry("food101")
    write(tmp_path / "food-101/meta/train.txt", "\n".join(f"pie/{n}" for n in range(300)))
    for number in range(0, 300, 30):
        write_image(tmp_path / f"food-101/images/pie/{number}.jpg")
    with ImagePool(image_folder(source, tmp_path, "train"), 1) as images:
        chosen = choose(source, tmp_path, "train", 5, False, 0, images)
    assert chosen is not None
    good = {f"food101/train/pie/{number}" for number in range(0, 300, 30)}
    assert len(chosen & good) == 5


def test_a_record_is_accounted_for_once(root: Path) -> None:
    stats = run(root, "out")["spot_the_diff"]
    assert stats["ids_in"] == RECORDS + 5
    assert (
        sum(stats["samples"].values()) + stats["capped"] + sum(stats["rejects"].values())
        == RECORDS + 5
    )
    json.dumps(stats)
