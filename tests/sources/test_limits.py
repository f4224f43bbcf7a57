"""Limits of the splits, from params.yaml to the samples: absent is all of it, 0 is none."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from source_layouts import write, write_image

from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import check_params
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import read_json, read_samples
from polite_flamingo.stages.ingest import ingest

NANO = Path(__file__).parents[2] / "profiles/nano.yaml"
RECORDS = 4


@pytest.fixture
def paths(tmp_path: Path) -> Layout:
    """Four pairs of pictures in either split."""
    root = tmp_path / "data/raw/shapes/shapes_spotdiff"
    numbers = {"train": range(RECORDS), "test": range(RECORDS, 2 * RECORDS)}
    for split, own in numbers.items():
        records = [{"img_id": str(n), "sentences": [f"change {n}"]} for n in own]
        write(root / f"annotations/{split}.json", records)
        for number in own:
            write_image(root / f"resized_images/{number}.png", (number, 0, 0))
            write_image(root / f"resized_images/{number}_2.png", (number, 0, 1))
    return Layout(tmp_path)


@pytest.mark.parametrize(
    ("limits", "train", "test"),
    [
        ({}, RECORDS, RECORDS),
        ({"shapes_spotdiff": {}}, RECORDS, RECORDS),
        ({"shapes_spotdiff": {"train": 1}}, 1, RECORDS),
        ({"shapes_spotdiff": {"test": 0}}, RECORDS, 0),
        ({"shapes_spotdiff": {"train": 0, "test": 3}}, 0, 3),
        ({"shapes_spotdiff": {"train": None, "test": 1}}, RECORDS, 1),
        ({"shapes_spotdiff": {"train": 99}}, RECORDS, RECORDS),
        ({"shapes_spotdiff": {"train": 0, "test": 0}}, 0, 0),
    ],
)
def test_an_absent_limit_means_all_and_0_none(
    paths: Layout, limits: dict[str, Any], train: int, test: int
) -> None:
    tree = yaml.safe_load(NANO.read_text(encoding="utf-8"))
    tree["ingest"] |= {"sources": ["shapes_spotdiff"], "limits": limits}
    ingest(check_params(tree, "nano"), paths)
    samples = read_samples(paths.samples)
    assert Counter(sample.split for sample in samples) == Counter(train=train, test=test)
    stats = read_json(paths.samples / "stats.json")["shapes_spotdiff"]
    assert stats["samples"] == {"train": train, "test": test}
    images = {image for sample in samples for image in sample.images}
    assert set(ImageStore(paths.images).ids()) == images
    assert len(images) == 2 * (train + test)


def test_a_split_that_is_not_wanted_need_not_be_there(paths: Layout) -> None:
    (paths.shapes / "shapes_spotdiff/annotations/test.json").unlink()
    params = check_params(yaml.safe_load(NANO.read_text(encoding="utf-8")), "nano")
    tree = dataclasses.asdict(params)
    tree["ingest"] |= {
        "sources": ["shapes_spotdiff"],
        "limits": {"shapes_spotdiff": {"test": 0}},
    }
    ingest(check_params(tree, "nano"), paths)
    assert {sample.split for sample in read_samples(paths.samples)} == {"train"}
