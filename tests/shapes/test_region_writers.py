"""RefCOCOg, PointQA and NLVR2 of the Shapes world: read back, true, and in nobody's way."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from polite_flamingo.core.params import GenerateParams, SplitCounts
from polite_flamingo.core.sample import Sample
from polite_flamingo.sources.catalogue import find_entry
from polite_flamingo.sources.read import read_source
from polite_flamingo.stages import generate as stage

COUNTS = SplitCounts(train=12, test=8)
PLAN = GenerateParams(
    seed=3, image_size=64, max_objects=4, wrong_share=0.0, counts={}, judge_examples=8
)


def write(folder: Path, source: str) -> list[Sample]:
    plan = PLAN.__class__(**{**vars_of(PLAN), "counts": {source: COUNTS}})
    stage._write_source(folder / "shapes", plan, source)
    entry = find_entry(source)
    found = [sample for split in entry.files for sample in read_source(entry, folder, split)]
    assert all(isinstance(sample, Sample) for sample in found)
    return [sample for sample in found if isinstance(sample, Sample)]


def vars_of(plan: GenerateParams) -> dict[str, object]:
    return {name: getattr(plan, name) for name in plan.__dataclass_fields__}


def test_regions_are_named_and_drawn(tmp_path: Path) -> None:
    samples = write(tmp_path, "shapes_refcocog")
    assert len(samples) == 20
    assert all(re.search("box|circle", s.turns[0].instruction) for s in samples)
    assert all(1 <= len(s.references) <= 2 for s in samples)


def test_points_are_answered(tmp_path: Path) -> None:
    samples = write(tmp_path, "shapes_pointqa")
    assert len(samples) >= 20
    assert all("arrow points" in s.turns[0].instruction for s in samples)
    # Every point has an arrow of its own.
    assert len({s.images for s in samples}) == len(samples)


def test_sentences_on_two_images_are_true_half_of_the_time(tmp_path: Path) -> None:
    samples = write(tmp_path, "shapes_nlvr2")
    assert len(samples) == 8
    assert all(len(s.images) == 2 for s in samples)
    lines = (tmp_path / "shapes/shapes_nlvr2/data/test1.json").read_text().splitlines()
    labels = [json.loads(line)["label"] for line in lines]
    assert labels.count("True") == 4
    assert [s.answer for s in samples] == ["yes" if label == "True" else "no" for label in labels]


@pytest.mark.parametrize(
    ("source", "place"),
    [("shapes_base", 0), ("shapes_base_clevr", 11), ("", 12), ("shapes_refcocog", 13)],
)
def test_places_of_scenes_never_move(
    source: str, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def note(seed: int, pool: str, index: int, limits: object) -> None:
        seen.append(index)

    monkeypatch.setattr(stage, "make_scene", note)
    list(stage._scenes("test", source, 1, PLAN))
    assert seen == [place * 1_000_000]
