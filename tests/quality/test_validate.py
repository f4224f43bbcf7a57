"""The stage on a small workspace: what it writes, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from polite_flamingo.core.shards import ORIGIN_SCHEMA, ORIGINS, ShardWriter
from polite_flamingo.core.tables import read_json, read_table, write_json, write_table
from polite_flamingo.shapes.scene import ObjectLimits, Scene, make_scene, to_json
from polite_flamingo.shapes.writers import ImageRow
from polite_flamingo.stages.generate import scenes_table
from polite_flamingo.stages.validate import data_quality, validate

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


def held_out_scene() -> Scene:
    """A scene with a held-out pair, which a quarter of the test scenes must have."""
    made = (make_scene(1, "test", index, ObjectLimits()) for index in range(50))
    return next(scene for scene in made if scene.held_out_pair)


def write_scenes(paths: Layout, images: list[str]) -> None:
    shown = [(SOURCE, make_scene(1, "raw", n, ObjectLimits())) for n in range(4)]
    shown.append((SOURCE, held_out_scene()))
    shown += [(STYLE, make_scene(1, "style", n, ObjectLimits())) for n in range(2)]
    rows = [
        ImageRow(scene, source, f"{image}.png", image)
        for image, (source, scene) in zip(images, shown, strict=True)
    ]
    write_table(paths.scenes, scenes_table(rows))


@pytest.fixture
def workspace(tmp_path: Path, params: Params) -> Layout:
    """Four raw train samples of which three are rewritten and two kept, one test, two of style."""
    from polite_flamingo.rewriting.run import choose

    paths = Layout(tmp_path)
    images = make_images(paths.images, 7)
    write_scenes(paths, images)
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
        "sample_scenes",
        "samples",
        "scenes",
        "tuning_scenes",
    ]
    assert found["rows"] == {
        "scenes": 7,
        "sample_scenes": 7,
        "tuning_scenes": 6,
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


def leak(paths: Layout, place: int, **values: object) -> None:
    """Change one row of data/scenes."""
    table = read_table(paths.scenes)
    rows = table.to_pylist()
    rows[place] |= values
    write_table(paths.scenes, pa.Table.from_pylist(rows, schema=table.schema))


def gate_lines(paths: Layout, params: Params) -> list[str]:
    with pytest.raises(UserError) as error:
        validate(params, paths)
    return str(error.value).splitlines()[:-1]


def test_a_scene_leaked_from_test_into_the_raw_train_images_turns_the_gate_red(
    workspace: Layout, params: Params
) -> None:
    shown = read_table(workspace.scenes).to_pylist()[4]
    leak(workspace, 0, graph=shown["graph"], held_out_pair=True)
    lines = gate_lines(workspace, params)
    [leaked] = [line for line in lines if line.startswith("scenes.leaks")]
    assert leaked.startswith(
        "scenes.leaks: 2 of 7 rows show a scene that another pool shows too (expected none), "
        "such as 'raw and test share "
    )
    assert lines[1:] == [
        "scenes.astray: 1 of 7 rows show a scene whose hash belongs to another pool "
        "(expected none)",
        "scenes.held_out_leaks: 1 of 7 rows show a held-out colour and shape outside the test "
        "pool (expected none)",
        *[line for line in lines if line.startswith("tuning_scenes.leaks")],
    ]
    assert "tuned on and show a scene of a pool that is not for tuning" in lines[-1]
    assert "'tuning and test share " in lines[-1]


def test_a_sample_that_shows_a_scene_of_another_pool_turns_the_gate_red(
    workspace: Layout, params: Params
) -> None:
    path = workspace.samples / f"{STYLE}.parquet"
    rows = read_table(path).to_pylist()
    tested = read_table(workspace.scenes).to_pylist()[4]["image_sha256"]
    rows[0]["images"] = [tested]
    write_table(path, pa.Table.from_pylist(rows, schema=read_table(path).schema))
    lines = gate_lines(workspace, params)
    assert lines[0] == (
        "sample_scenes.stray: 1 of 7 rows show a scene of a pool that is not their source's "
        "(expected none), such as 'shapes_llava/train shows test'"
    )
    assert lines[1].startswith("tuning_scenes.leaks: 1 of 6 rows")


def test_an_image_in_two_pools_and_one_without_a_scene_are_told(
    workspace: Layout, params: Params
) -> None:
    rows = read_table(workspace.scenes).to_pylist()
    leak(workspace, 5, image_sha256=rows[4]["image_sha256"])
    lines = gate_lines(workspace, params)
    assert lines[0].startswith(
        "scenes.image_leaks: 2 of 7 rows are an image that another pool has too (expected none), "
        "such as 'style and test share "
    )
    assert (
        "sample_scenes.unknown: 1 of 7 rows are an image of a Shapes sample without a scene in "
        "data/scenes (expected none)"
    ) in lines


def draw_on_a_sample(paths: Layout, origin: int | None) -> None:
    """Give the second raw sample, which is tuned on, an image made from another one's file."""
    files = [row["image_sha256"] for row in read_table(paths.scenes).to_pylist()]
    red = check_image(png_bytes(Image.new("RGB", (8, 8), (255, 0, 0))))
    blank = np.full((8, 8, 3), 0, dtype=np.uint8)
    stored = [check_image(png_bytes(Image.fromarray(blank + n))) for n in range(len(files))]
    with ShardWriter(paths.images, 100) as writer:
        for image in (*stored, red):
            writer.add(image.image_id, image.data, image.ext, image.width, image.height)
    if origin is not None:
        made = [{"image_id": red.image_id, "origin": files[origin]}]
        write_table(paths.images / ORIGINS, pa.Table.from_pylist(made, schema=ORIGIN_SCHEMA))

    def show(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if row["images"] == [files[1]]:
                row["images"] = [red.image_id]

    rewrite_rows(paths.samples / f"{SOURCE}.parquet", show)
    rewrite_rows(paths.filtered / "kept.parquet", show)


def test_a_drawn_image_shows_the_scene_it_was_drawn_on(workspace: Layout, params: Params) -> None:
    draw_on_a_sample(workspace, origin=1)
    validate(params, workspace)
    # The image of the tuning set is still looked at: it leads to its scene.
    assert read_json(workspace.gate)["rows"]["tuning_scenes"] == 6


def test_a_test_scene_is_found_under_the_drawing(workspace: Layout, params: Params) -> None:
    draw_on_a_sample(workspace, origin=4)
    lines = gate_lines(workspace, params)
    assert lines[0] == (
        "sample_scenes.stray: 1 of 7 rows show a scene of a pool that is not their source's "
        "(expected none), such as 'shapes_coco/train shows test'"
    )
    assert lines[1].startswith("tuning_scenes.leaks: 1 of 6 rows are tuned on and show a scene")
    assert "tuning and test share" in lines[1] and len(lines) == 2


def test_a_drawn_image_of_unknown_origin_is_told(workspace: Layout, params: Params) -> None:
    draw_on_a_sample(workspace, origin=None)
    assert gate_lines(workspace, params) == [
        "sample_scenes.unknown: 1 of 7 rows are an image of a Shapes sample without a scene in "
        "data/scenes (expected none)"
    ]


def test_a_wrong_flag_and_too_few_held_out_pairs_are_told(
    workspace: Layout, params: Params
) -> None:
    made = (make_scene(1, "test", index, ObjectLimits()) for index in range(50))
    other = next(scene for scene in made if not scene.held_out_pair)
    leak(workspace, 4, graph=to_json(other))
    assert gate_lines(workspace, params) == [
        "scenes.misflagged: 1 of 7 rows have a held_out_pair flag that the scene contradicts "
        "(expected none)",
        "scenes.test_held_out: share of test scenes with a held-out pair: 0 "
        "(expected at least 0.25)",
    ]


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


def summary_of(paths: Layout) -> str:
    return (paths.runs / "data_quality.md").read_text(encoding="utf-8")


def test_data_quality_of_sound_data_is_a_green_summary_and_changes_no_out(
    workspace: Layout, params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    data_quality(params, workspace)
    text = summary_of(workspace)
    assert text.startswith("## ✅ Data quality: passed\n")
    assert "| release | 2 | " in text and "| kept share | 0.6667 | at least 0.5 | ✅ |" in text
    assert "❌" not in text and len(text) < 65_536
    assert not workspace.gate.exists()
    assert (workspace.runs / "data_docs/index.html").is_file()
    assert "the data gate passed" in capsys.readouterr().out


def rewrite_rows(path: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    table = read_table(path)
    rows = table.to_pylist()
    change(rows)
    write_table(path, pa.Table.from_pylist(rows, schema=table.schema))


def drop_column(paths: Layout) -> None:
    path = paths.samples / f"{SOURCE}.parquet"
    write_table(path, read_table(path).drop_columns(["images"]))


def retype_column(paths: Layout) -> None:
    path = paths.samples / f"{SOURCE}.parquet"
    table = read_table(path)
    place = table.schema.get_field_index("sample_id")
    write_table(path, table.set_column(place, "sample_id", pa.array(range(table.num_rows))))


def drop_source(paths: Layout) -> None:
    (paths.samples / f"{STYLE}.parquet").unlink()


def empty_source(paths: Layout) -> None:
    rewrite_rows(paths.samples / f"{STYLE}.parquet", lambda rows: rows.clear())


def leak_held_out(paths: Layout) -> None:
    rewrite_rows(paths.filtered / "kept.parquet", lambda rows: rows[0].update(source="shapes_vsr"))


def leak_test_sample(paths: Layout) -> None:
    rewrite_rows(
        paths.filtered / "kept.parquet", lambda rows: rows[0].update(parent_id=f"{SOURCE}/test/4")
    )


def lower_rewards(paths: Layout) -> None:
    rewrite_rows(
        paths.filtered / "scores.parquet", lambda rows: [r.update(reward=-1.0) for r in rows]
    )


def lose_image(paths: Layout) -> None:
    rewrite_rows(
        paths.samples / f"{SOURCE}.parquet", lambda rows: rows[0].update(images=["f" * 64])
    )


def repeat_id(paths: Layout) -> None:
    rewrite_rows(
        paths.samples / f"{SOURCE}.parquet",
        lambda rows: rows[1].update(sample_id=rows[0]["sample_id"]),
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (drop_column, "data/samples/shapes_coco.parquet: wrong schema, missing columns: images"),
        (retype_column, "wrong schema, sample_id is int64, not string"),
        (drop_source, "data/samples/shapes_llava.parquet: the table is missing"),
        (empty_source, "samples.source: sources without a single row: shapes_llava"),
        (leak_held_out, "release.source: 1 of 2 rows come from a held-out source"),
        (leak_test_sample, "release.parent_in_test: 1 of 2 rows have a parent in a test split"),
        (
            lower_rewards,
            "release.reward_gain: mean reward above the drafts': -1 (expected at least",
        ),
        (lose_image, "samples.unknown_images: 1 of 7 rows name an image that is in no shard"),
        (repeat_id, "samples.sample_id: 2 of 7 rows repeat a sample_id"),
    ],
)
def test_a_planted_fault_turns_data_quality_red_with_its_message(
    workspace: Layout, params: Params, fault: Callable[[Layout], None], said: str
) -> None:
    fault(workspace)
    with pytest.raises(UserError) as error:
        data_quality(params, workspace)
    assert any(said in line for line in str(error.value).splitlines()), str(error.value)
    text = summary_of(workspace)
    assert text.startswith("## ❌ Data quality: failed") and said in text
