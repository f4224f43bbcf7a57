"""RefCOCOg, PointQA and NLVR2 of the Shapes world: read back, true, and in nobody's way."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pytest

from polite_flamingo.core.params import GenerateParams, IngestParams, SplitCounts
from polite_flamingo.core.sample import Sample
from polite_flamingo.core.shards import read_origins
from polite_flamingo.core.tables import read_samples
from polite_flamingo.evaluation import truth
from polite_flamingo.evaluation.unseen import unseen_samples
from polite_flamingo.shapes import region_writers
from polite_flamingo.sources.catalogue import find_entry
from polite_flamingo.sources.read import read_source
from polite_flamingo.stages import generate as stage
from polite_flamingo.stages.ingest import ingest_into

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


REGIONS = ("shapes_refcocog", "shapes_pointqa")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pa.Table, list[Sample]]:
    """Crowded scenes of the three sources, as generate and ingest leave them."""
    folder = tmp_path_factory.mktemp("world")
    rows = []
    for source in (*REGIONS, "shapes_nlvr2"):
        plan = PLAN.__class__(**{**vars_of(PLAN), "counts": {source: COUNTS}, "max_objects": 8})
        rows += stage._write_source(folder / "raw/shapes", plan, source)
    sources = [*REGIONS, "shapes_nlvr2"]
    given = IngestParams(sources=sources, limits={}, shard_size=50, data_root="raw", workers=1)
    ingest_into(given, 0, folder, folder / "runs", folder / "samples", folder / "images")
    return folder, stage.scenes_table(rows), read_samples(folder / "samples")


def test_drawn_images_lead_to_the_files_they_were_drawn_on(
    world: tuple[Path, pa.Table, list[Sample]],
) -> None:
    folder, table, samples = world
    origins = read_origins(folder / "images")
    homes = {row["image_sha256"]: (row["source"], row["pool"]) for row in table.to_pylist()}
    pools = stage.scene_pools()
    for sample in samples:
        for image in sample.images:
            files = origins.get(image, {image})
            assert (image in origins) == (sample.source in REGIONS)
            found = [homes[file] for file in files]
            assert found == [(sample.source, pools[sample.source, sample.split])]
    groups = unseen_samples(samples, table, origins)
    tested = {sample.sample_id for sample in samples if sample.split == "test"}
    assert set().union(*groups.values()) == tested and groups["held_out_pair"]


def test_annotations_of_regions_are_true_of_what_is_marked(
    world: tuple[Path, pa.Table, list[Sample]],
) -> None:
    folder, table, samples = world
    regions = [sample for sample in samples if sample.source in REGIONS]
    scenes = truth.scenes_by_image(table, read_origins(folder / "images"))
    answer = truth.answer_reader(regions)
    marked = truth.marked_things(table)
    tell = truth.truth_teller(scenes, {}, answer, marked)
    faithful = truth.faithfulness(scenes, answer, marked)
    for sample in regions:
        draft = sample.turns[0].response
        assert tell(sample, draft) and faithful(sample, draft, draft), sample
        thing = scenes[sample.images[0]].things[marked[sample.sample_id]]
        other = "white" if sample.answer == thing.color else "diamond"
        assert not tell(sample, f"It is {other}."), sample
        if sample.source == "shapes_refcocog":
            # Both names in one sentence.
            said = set(draft.split())
            words = [word for word in (thing.size, thing.texture, thing.color) if word in said]
            noun = thing.shape if thing.shape in said else "thing"
            text = f"It is the {' '.join([*words, noun])}."
            assert tell(sample, text) and faithful(sample, draft, text), (draft, text)


def test_nothing_lies_on_a_point() -> None:
    plan = PLAN.__class__(**{**vars_of(PLAN), "max_objects": 8})
    covered = 0
    for scene in stage._scenes("raw", "shapes_pointqa", 60, plan):
        places = region_writers._open_things(scene)
        assert len(scene.things) - 1 in places
        covered += len(scene.things) - len(places)
        for place in places:
            x, y = scene.things[place].center
            boxes = [thing.box for thing in scene.things[place + 1 :]]
            assert not any(b[0] <= x <= b[2] and b[1] <= y <= b[3] for b in boxes)
    assert covered


def test_yes_and_no_to_a_pair_are_read(world: tuple[Path, pa.Table, list[Sample]]) -> None:
    pairs = [sample for sample in world[2] if sample.source == "shapes_nlvr2"]
    answer = truth.answer_reader(pairs)
    for sample in pairs:
        sentence = sample.turns[0].instruction.split('"')[1]
        told = sentence[0].lower() + sentence[1:]
        assert not re.search(r"\ba [aeiou]", sentence)
        assert answer(sample, f"Yes, {told}") == "yes"
        assert answer(sample, f"No, it is not true that {told}") == "no"
