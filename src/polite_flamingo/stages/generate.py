"""Stage generate: make the Shapes world and write it in the official formats of its sources."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import atomic_dir, progress
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import GenerateParams, Params, SplitCounts
from polite_flamingo.core.tables import write_table
from polite_flamingo.core.workers import worker_pool
from polite_flamingo.shapes import judge_data, region_writers, writers
from polite_flamingo.shapes.scene import ObjectLimits, Scene, make_scene, scene_hash, to_json
from polite_flamingo.shapes.writers import ImageRow, Settings

SCENES_SCHEMA = pa.schema(
    [
        pa.field(name, pa.string(), nullable=False)
        for name in (
            "scene_id",
            "pool",
            "source",
            "image_sha256",
            "path",
            "graph",
            "wrong",
            "marked",
        )
    ]
    + [pa.field("held_out_pair", pa.bool_(), nullable=False)]
)

# Room for each source's scene indices within a pool, so that no two sources share a scene id.
_STRIDE = 1_000_000
# Scenes of the calibration pool: one for so many judge examples.
_EXAMPLES_A_SCENE = 12
# Calibration and test examples of the judges, against judge_examples to train on.
_HELD_OUT_DIVISOR = 5


@dataclass(frozen=True)
class World:
    """A source of the Shapes world: the pools of its splits ("" for none) and its writer."""

    train: str
    test: str
    write: Callable[[Path, str, writers.Scenes, Settings], list[ImageRow]]
    raw: bool = False
    # Fewest things a scene needs, and how many places stay free for a change that adds one.
    least: int = 1
    spare: int = 0


WORLDS: Mapping[str, World] = {
    "shapes_base": World("base", "test", writers.write_coco),
    "shapes_judges": World("judges", "test", writers.write_coco),
    "shapes_llava": World("style", "", writers.write_llava),
    "shapes_coco": World("raw", "test", writers.write_coco, raw=True),
    "shapes_aokvqa": World("raw", "test", writers.write_aokvqa, raw=True),
    "shapes_clevr": World("raw", "test", writers.write_clevr, raw=True),
    "shapes_spotdiff": World("raw", "test", writers.write_spotdiff, raw=True, spare=1),
    "shapes_vsr": World("", "test", writers.write_vsr, least=2),
    "shapes_grid3d": World("", "test", writers.write_grid3d),
    "shapes_alpaca": World("style", "", writers.write_alpaca),
    "shapes_sharegpt": World("style", "", writers.write_sharegpt),
    "shapes_base_clevr": World("base", "", writers.write_clevr),
    "shapes_refcocog": World("raw", "test", region_writers.write_refcocog),
    "shapes_pointqa": World("raw", "test", region_writers.write_pointqa),
    "shapes_nlvr2": World("", "test", region_writers.write_nlvr2),
}
# Where the scenes of the calibration pool lie among those of the sources, for good: scenes are
# numbered by place, and none may move when a source is added.
_CALIBRATION_PLACE = 12


def generate(params: Params, paths: Layout) -> None:
    """Write data/raw/shapes, and the truth about it as data/scenes/scenes.parquet."""
    plan = params.generate
    check_counts(plan.counts)
    check_plain_scenes(plan.plain_scenes)
    rows: list[ImageRow] = []
    with atomic_dir(paths.shapes) as folder, worker_pool(params.threads) as pool:
        write = partial(_write_source, folder, plan)
        sources = pool.map(write, plan.counts)
        for source_rows in progress(sources, len(plan.counts), "sources", "source"):
            rows += source_rows
        rows += _write_judge_data(folder, rows, plan, pool)
    write_table(paths.scenes, scenes_table(rows))


def check_counts(counts: Mapping[str, SplitCounts]) -> None:
    """Raise UserError where a source is unknown or has no such split."""
    for source, splits in counts.items():
        if source not in WORLDS:
            known = ", ".join(WORLDS)
            raise UserError(f"generate.counts.{source}: no such source; choose from {known}")
        for split in ("train", "test"):
            if getattr(splits, split) and not getattr(WORLDS[source], split):
                raise UserError(
                    f"generate.counts.{source}.{split}: {source} has no {split} split; set it to 0"
                )
    if "shapes_judges" not in counts or not counts["shapes_judges"].train:
        raise UserError("generate.counts.shapes_judges.train: the judges need at least one scene")


def check_plain_scenes(shares: Mapping[str, float]) -> None:
    """Raise UserError where a source is unknown."""
    for source in shares:
        if source not in WORLDS:
            known = ", ".join(WORLDS)
            raise UserError(f"generate.plain_scenes.{source}: no such source; choose from {known}")


def scene_pools() -> dict[tuple[str, str], str]:
    """The pool that the scenes of each (source, split) of samples lie in."""
    pools: dict[tuple[str, str], str] = {}
    # COCO annotations of the same images stand beside LLaVA's.
    sources = {**WORLDS, "shapes_llava_coco": WORLDS["shapes_llava"]}
    for source, world in sources.items():
        pools |= {(source, "train"): world.train, (source, "test"): world.test}
    return {key: pool for key, pool in pools.items() if pool}


def scenes_table(rows: Sequence[ImageRow]) -> pa.Table:
    """Tabulate images in the order written; ``graph``, ``wrong`` and ``marked`` are JSON."""
    records = [
        {
            "scene_id": row.scene.scene_id,
            "pool": row.scene.pool,
            "source": row.source,
            "image_sha256": row.image_sha256,
            "path": row.path,
            "graph": to_json(row.scene),
            "wrong": json.dumps([dict(error) for error in row.wrong], sort_keys=True),
            "marked": json.dumps(dict(row.marked), sort_keys=True),
            "held_out_pair": row.scene.held_out_pair,
        }
        for row in rows
    ]
    return pa.Table.from_pylist(records, schema=SCENES_SCHEMA)


def _write_source(folder: Path, plan: GenerateParams, source: str) -> list[ImageRow]:
    world, counts = WORLDS[source], plan.counts[source]
    scenes: dict[str, Iterator[Scene]] = {}
    if world.train:
        scenes["train"] = _scenes(world.train, source, counts.train, plan)
    if world.test:
        scenes["test"] = _scenes(world.test, source, counts.test, plan)
    rows = world.write(
        folder / source,
        source,
        scenes,
        _settings(plan, world.raw, world.train not in ("base", "judges")),
    )
    return [replace(row, path=f"{source}/{row.path}") for row in rows]


def _write_judge_data(
    folder: Path, rows: Sequence[ImageRow], plan: GenerateParams, pool: Executor
) -> list[ImageRow]:
    """Write the judges' labelled texts; calibration scenes get images of their own."""
    fewer = max(1, plan.judge_examples // _HELD_OUT_DIVISOR)
    number = max(1, plan.judge_examples // _EXAMPLES_A_SCENE)
    made = _scenes("calibration", "", number, plan)
    settings = _settings(plan, raw=False)
    new = writers.write_images(folder, "judges/images", "judges", made, settings)
    judged = [row for row in rows if row.source == "shapes_judges"]
    # The reporting judges learn from scenes that no other judge sees; texts need no images.
    seen = {scene_hash(row.scene) for row in judged}
    others = _scenes("judges", "", plan.counts["shapes_judges"].train, plan)
    unseen = [scene for scene in others if scene_hash(scene) not in seen]
    count, images = plan.judge_examples, dict[str, str]()
    written = [
        pool.submit(
            judge_data.write, folder / "judges", unseen, "reporting", count, plan.seed, images
        )
    ]
    for part, examples in (
        ("judges", plan.judge_examples),
        ("calibration", fewer),
        ("test", fewer),
    ):
        chosen = [row for row in (*judged, *new) if row.scene.pool == part]
        if chosen:
            scenes = [row.scene for row in chosen]
            pictures = {row.scene.scene_id: row.path for row in chosen}
            written.append(
                pool.submit(
                    judge_data.write, folder / "judges", scenes, part, examples, plan.seed, pictures
                )
            )
    for done in progress(written, desc="judges", unit="file"):
        done.result()
    return new


def _scenes(pool: str, source: str, number: int, plan: GenerateParams) -> Iterator[Scene]:
    place = list(WORLDS).index(source) if source else _CALIBRATION_PLACE
    if source and place >= _CALIBRATION_PLACE:
        place += 1
    world = WORLDS.get(source)
    most = max(1, plan.max_objects - (world.spare if world else 0))
    rich = 1 - plan.plain_scenes.get(source, 0.0)
    limits = ObjectLimits(min(world.least if world else 1, most), most, rich)
    indices = range(place * _STRIDE, place * _STRIDE + number)
    for index in indices:
        yield make_scene(plan.seed, pool, index, limits)


def _settings(plan: GenerateParams, raw: bool, human: bool = False) -> Settings:
    return Settings(
        plan.seed,
        plan.image_size,
        wrong_share=plan.wrong_share if raw else 0.0,
        human=human,
        attachment_share=plan.attachment_share,
    )
