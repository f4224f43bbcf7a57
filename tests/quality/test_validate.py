"""The stage on a small workspace: what it writes, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from PIL import Image

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.images import check_image, png_bytes
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params, SplitLimits, check_params
from polite_flamingo.core.profiles import profile_text
from polite_flamingo.core.sample import Sample, Turn, rejects_to_table, samples_to_table
from polite_flamingo.core.shards import ShardWriter
from polite_flamingo.core.tables import read_json, write_json, write_table
from polite_flamingo.stages.validate import validate

SOURCE, STYLE = "shapes_coco", "shapes_llava"
PROFILES = Path(__file__).parents[2] / "profiles"


@pytest.fixture
def params() -> Params:
    tree = check_params(yaml.safe_load(profile_text(PROFILES, "nano")), "nano")
    return replace(
        tree,
        ingest=replace(
            tree.ingest, sources=[SOURCE, STYLE], limits={SOURCE: SplitLimits(train=0, test=0)}
        ),
        rewrite=replace(tree.rewrite, sources=[SOURCE], limits={SOURCE: 3}),
        distort=replace(tree.distort, shares={"noise": 1.0}),
        validate=replace(tree.validate, min_rows=2, min_kept_share=0.5),
    )


def make_images(folder: Path, count: int) -> list[str]:
    ids = []
    with ShardWriter(folder, 100) as writer:
        for number in range(count):
            pixels = np.full((8, 8, 3), number, dtype=np.uint8)
            image = check_image(png_bytes(Image.fromarray(pixels)))
            writer.add(image.image_id, image.data, image.ext, image.width, image.height)
            ids.append(image.image_id)
    return ids


def make(source: str, split: str, number: int, images: list[str]) -> Sample:
    return Sample(
        sample_id=f"{source}/{split}/{number}",
        source=source,
        split=split,
        task="captioning" if source == SOURCE else "conversation",
        images=(images[number],),
        turns=(Turn("Describe the image.", "a red circle"),),
    )


@pytest.fixture
def workspace(tmp_path: Path, params: Params) -> Layout:
    """Four raw train samples of which three are rewritten and two kept, one test, two of style."""
    from polite_flamingo.rewriting.run import choose

    paths = Layout(tmp_path)
    images = make_images(paths.images, 7)
    train = [make(SOURCE, "train", n, images) for n in range(4)]
    style = [make(STYLE, "train", n, images) for n in (5, 6)]
    write_table(
        paths.samples / f"{SOURCE}.parquet",
        samples_to_table([*train, make(SOURCE, "test", 4, images)]),
    )
    write_table(paths.samples / f"{STYLE}.parquet", samples_to_table(style))
    pairs = [
        {
            "pair_id": f"{sample.sample_id}#t0.0",
            "parent_id": sample.sample_id,
            "source": STYLE,
            "task": sample.task,
            "images": list(sample.images),
            "instruction": "Describe the image.",
            "draft": "circle",
            "response": "It is a red circle.",
            "strategy": "noise",
            "split": "train",
        }
        for sample in style
    ]
    write_table(paths.pairs / "pairs.parquet", pa.Table.from_pylist(pairs))
    chosen = choose(train, params.rewrite.limits, params.seed)
    keys = [{"sample_id": sample.sample_id, "candidate": 0} for sample in chosen]
    facts = {"source": SOURCE, "task": "captioning", "instruction": "Describe the image."}
    facts |= {"draft": "a red circle", "rewrite": "It is a red circle."}
    rows = [{**key, **facts, "images": ["i"], "new_tokens": 5, "stopped": True} for key in keys]
    write_table(paths.rewrites / "candidates.parquet", pa.Table.from_pylist(rows))
    write_table(paths.rewrites / "rejects.parquet", rejects_to_table([]))
    scores = [{**key, "reward": 1.0, "draft_reward": 0.0} for key in keys]
    write_table(paths.filtered / "scores.parquet", pa.Table.from_pylist(scores))
    decisions = [{**key, "decision": "kept", "reason": ""} for key in keys]
    decisions[0] |= {"decision": "dropped", "reason": "nli"}
    write_table(paths.filtered / "decisions.parquet", pa.Table.from_pylist(decisions))
    kept = [
        replace(
            sample,
            sample_id=f"{sample.sample_id}#0",
            parent_id=sample.sample_id,
            turns=(Turn("Describe the image.", "It is a red circle."),),
        )
        for sample in chosen[1:]
    ]
    write_table(paths.filtered / "kept.parquet", samples_to_table(kept))
    recall = {"changed_answer": 0.97, "lost_fact": 1.0}
    write_json(paths.thresholds, {"test": {"recall": recall, "good_lost": 0.02}})
    return paths


def test_a_sound_workspace_gets_its_gate_file(workspace: Layout, params: Params) -> None:
    validate(params, workspace)
    found = read_json(workspace.gate)
    assert found["success"] and sorted(found["suites"]) == [
        "decisions",
        "filters",
        "pairs",
        "release",
        "rewrites",
        "samples",
    ]
    assert found["rows"] == {
        "samples": 7,
        "pairs": 2,
        "rewrites": 3,
        "decisions": 3,
        "release": 2,
        "filters": 1,
    }
    kept = [rule for rule in found["suites"]["decisions"] if rule["column"] == "kept"]
    assert [(rule["observed"], rule["success"]) for rule in kept] == [(0.6667, True)]
    assert (workspace.runs / "data_docs/index.html").is_file()
    before = workspace.gate.read_bytes()
    validate(params, workspace)
    assert workspace.gate.read_bytes() == before


def test_failures_are_one_line_each_and_leave_no_gate_file(
    workspace: Layout, params: Params
) -> None:
    strict = replace(params.validate, min_kept_share=0.9, min_reward_gain=2.0)
    with pytest.raises(UserError) as error:
        validate(replace(params, validate=strict), workspace)
    lines = str(error.value).splitlines()
    assert lines[:-1] == [
        "decisions.kept: kept share: 0.6667 (expected at least 0.9)",
        "release.reward_gain: mean reward above the drafts': 1 (expected at least 2.0)",
    ]
    assert lines[-1].startswith("the data gate: 2 of ")
    assert not workspace.gate.exists()
    assert read_json(workspace.runs / "gate.json")["success"] is False


def test_a_planted_fault_that_is_missed_is_named(workspace: Layout, params: Params) -> None:
    recall = {"changed_answer": 0.9, "lost_fact": 1.0}
    write_json(workspace.thresholds, {"test": {"recall": recall, "good_lost": 0.05}})
    with pytest.raises(UserError) as error:
        validate(params, workspace)
    assert str(error.value).splitlines()[:-1] == [
        "filters.recall_changed_answer: recall of the planted fault changed_answer: 0.9 "
        "(expected at least 0.95)",
        "filters.good_lost: good rewrites that the filters drop: 0.05 (expected at most 0.03)",
    ]
