"""Stage `validate`: the data gate over scenes, samples, pairs, rewrites, decisions, the release."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.sample import SAMPLE_SCHEMA
from polite_flamingo.core.shards import ImageStore, read_origins
from polite_flamingo.core.tables import (
    read_json,
    read_samples,
    read_schema,
    read_table,
    write_json,
    write_text,
)

if TYPE_CHECKING:
    import pandas as pd

    from polite_flamingo.quality.gate import GateResult


def validate(params: Params, paths: Layout) -> None:
    """Check the tables -> data/quality/gate.json, and Data Docs in runs/data_docs.

    Raises UserError with one line a failed expectation; gate.json is not written then, so that no
    later stage runs, and the findings are in runs/gate.json.
    """
    result = check(params, paths)
    if not result.success:
        # The summary comes last: orchestrators show the last line as the reason.
        raise UserError("\n".join([*result.failures, _verdict(result)]))
    write_json(paths.gate, result.to_json())


def check(params: Params, paths: Layout) -> GateResult:
    """Run every suite on the tables at hand; the findings go to runs/gate.json, pages to Data Docs.

    Raises UserError with one line a table that is missing or lacks columns: no rule could tell.
    """
    from polite_flamingo.quality import gate, scenes, suites

    broken = broken_tables(params, paths)
    if broken:
        raise UserError("\n".join([*broken, f"the data gate: {len(broken)} tables are broken"]))
    planted = sorted(read_json(paths.thresholds)["test"]["recall"])
    every = (
        scenes.scenes_suite(params.validate.min_held_out_share),
        scenes.sample_scenes_suite(),
        scenes.tuning_scenes_suite(),
        *suites.all_suites(params, planted),
    )
    result = gate.run(gate_tables(params, paths), every, paths.runs / "data_docs")
    write_json(paths.runs / "gate.json", result.to_json())
    return result


def data_quality(params: Params, paths: Layout) -> None:
    """The gate on the data at hand -> runs/data_quality.md, fit for a comment on a pull request.

    Changes no out. Raises UserError with the reasons where the data is not sound.
    """
    from polite_flamingo.quality.summary import markdown

    target = paths.runs / "data_quality.md"
    try:
        result = check(params, paths)
    except UserError as error:
        write_text(target, markdown(None, str(error).splitlines()[:-1] or [str(error)]))
        raise
    write_text(target, markdown(result, result.failures))
    if not result.success:
        raise UserError("\n".join([*result.failures, _verdict(result)]))
    print(f"the data gate passed: {len(result.findings)} expectations, {target}")


def broken_tables(params: Params, paths: Layout) -> list[str]:
    """One line for each table that is missing, is no Parquet or lacks columns its readers need."""
    from polite_flamingo.quality.suites import CANDIDATE_COLUMNS, PAIR_COLUMNS

    keys, sample = ("sample_id", "candidate"), SAMPLE_SCHEMA.names
    wanted: dict[Path, Sequence[str]] = {
        **{paths.samples / f"{source}.parquet": sample for source in params.ingest.sources},
        paths.scenes: ("graph",),
        paths.pairs / "pairs.parquet": PAIR_COLUMNS,
        paths.rewrites / "candidates.parquet": CANDIDATE_COLUMNS,
        paths.rewrites / "rejects.parquet": ("sample_id",),
        paths.filtered / "scores.parquet": (*keys, "reward", "draft_reward"),
        paths.filtered / "decisions.parquet": (*keys, "decision", "reason"),
        paths.filtered / "kept.parquet": sample,
    }
    lines = []
    for path, names in wanted.items():
        name = path.relative_to(paths.root).as_posix()
        if not path.is_file():
            lines.append(f"{name}: the table is missing (`dvc pull` or `dvc repro` brings it)")
            continue
        try:
            schema = read_schema(path)
        except UserError as error:
            lines.append(str(error))
            continue
        missing = [column for column in names if column not in schema]
        if missing:
            lines.append(f"{name}: wrong schema, missing columns: {', '.join(missing)}")
        elif names is sample:
            lines += [
                f"{name}: wrong schema, {column} is {schema[column]}, not {SAMPLE_SCHEMA.field(column).type}"
                for column in ("sample_id", "split", "images", "turns")
                if not _alike(schema[column], SAMPLE_SCHEMA.field(column).type)
            ]
    return lines


def _alike(found: Any, wanted: Any) -> bool:
    """Whether two Arrow types hold the same: field names inside lists may differ."""
    import pyarrow as pa

    kinds = (pa.types.is_string, pa.types.is_list, pa.types.is_struct)
    return all(kind(found) == kind(wanted) for kind in kinds)


def _verdict(result: GateResult) -> str:
    return (
        f"the data gate: {len(result.failures)} of {len(result.findings)} expectations failed, "
        f"see {result.docs}"
    )


def gate_tables(params: Params, paths: Layout) -> dict[str, pd.DataFrame]:
    """The tables by the names of their suites."""
    from polite_flamingo.quality import frames
    from polite_flamingo.quality.scenes import sample_scenes_frame, tuning_scenes_frame
    from polite_flamingo.stages.generate import scene_pools

    scenes = _scenes(paths)
    samples = _samples(params, paths)
    origins = read_origins(paths.images)
    pairs = read_table(paths.pairs / "pairs.parquet").to_pandas()
    candidates = read_table(paths.rewrites / "candidates.parquet").to_pandas()
    rejects = read_table(paths.rewrites / "rejects.parquet").to_pandas()
    scores = read_table(paths.filtered / "scores.parquet").to_pandas()
    decisions = read_table(paths.filtered / "decisions.parquet").to_pandas()
    kept = read_table(paths.filtered / "kept.parquet").to_pandas()
    tuning = _tuning_images(params, samples, kept)
    raw_ids = _raw_ids(params, paths)
    return {
        "scenes": scenes,
        "sample_scenes": sample_scenes_frame(samples, scenes, scene_pools(), origins),
        "tuning_scenes": tuning_scenes_frame(tuning, scenes, origins),
        "samples": frames.samples_frame(samples, ImageStore(paths.images).ids()),
        "pairs": frames.pairs_frame(pairs, samples, params.distort.shares),
        "rewrites": frames.rewrites_frame(candidates, rejects, samples, raw_ids),
        "decisions": frames.decisions_frame(decisions, candidates),
        "release": frames.release_frame(kept, samples, decisions, scores),
        "filters": frames.filters_frame(read_json(paths.thresholds)["test"]),
    }


def _scenes(paths: Layout) -> pd.DataFrame:
    """data/scenes with what is amiss, judged by the graphs themselves."""
    from polite_flamingo.quality.scenes import SceneFact, scenes_frame
    from polite_flamingo.shapes.scene import from_json, pool_of, scene_hash

    table = read_table(paths.scenes).to_pandas()
    facts = {}
    for text in table["graph"]:
        scene = from_json(text)
        facts[text] = SceneFact(scene_hash(scene), pool_of(scene), scene.held_out_pair)
    return scenes_frame(table, facts)


def _tuning_images(params: Params, samples: pd.DataFrame, kept: pd.DataFrame) -> set[str]:
    """Images of all that the models are tuned on: rewrites, raw annotations and the style."""
    sources = {*params.rewrite.sources, *params.tune.style_sources}
    trained = samples[samples["source"].isin(sources) & (samples["split"] == "train")]
    return {image for images in (*trained["images"], *kept["images"]) for image in images}


def _samples(params: Params, paths: Layout) -> pd.DataFrame:
    import pandas as pd

    tables = [
        read_table(paths.samples / f"{source}.parquet").to_pandas()
        for source in params.ingest.sources
    ]
    empty = SAMPLE_SCHEMA.empty_table().to_pandas()
    return pd.concat(tables, ignore_index=True) if tables else empty


def _raw_ids(params: Params, paths: Layout) -> list[str]:
    """Ids that the rewrite stage takes: raw train samples within its limits."""
    from polite_flamingo.rewriting.run import choose

    raw = read_samples(paths.samples, params.rewrite.sources, "train")
    return [sample.sample_id for sample in choose(raw, params.rewrite.limits, params.seed)]
