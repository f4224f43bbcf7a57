"""Stage distort: polite style samples -> (draft, response) pairs for the rewriter."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import account, atomic_dir, content_key, progress, work_dir
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import DistortParams, Params
from polite_flamingo.core.sample import Sample, rejects_to_table
from polite_flamingo.core.tables import read_samples, read_table, write_json, write_table
from polite_flamingo.distortion import mixture as mixing
from polite_flamingo.distortion.annotations import index_annotations
from polite_flamingo.distortion.llm_instructed import style_commands
from polite_flamingo.models.llm import load_llm

# Samples a step of the resumable work.
_SHARD = 256


def distort(params: Params, paths: Layout) -> None:
    """Distort every turn of the style samples; write data/pairs.

    Reads data/samples only. A killed run goes on from its last finished shard.
    """
    wanted = params.distort
    if not wanted.sources:
        raise UserError("distort.sources is empty: name the polite style sources")
    samples = read_samples(paths.samples, wanted.sources, split="train")
    captioned = read_samples(paths.samples, wanted.caption_sources, split="train")
    mixture = _mixture(wanted, captioned)
    files = [
        paths.samples / f"{name}.parquet" for name in (*wanted.sources, *wanted.caption_sources)
    ]
    work = work_dir(paths.runs, mixing.STAGE, content_key(*files, asdict(wanted)))
    shards = [samples[start : start + _SHARD] for start in range(0, len(samples), _SHARD)]
    done = [
        _shard(work / f"{number:06d}", shard, mixture)
        for number, shard in enumerate(progress(shards, len(shards), mixing.STAGE, "shard"))
    ]
    if not done:
        raise UserError("distort.sources hold no train sample: ingest them first")
    pairs = pa.concat_tables([read_table(folder / "pairs.parquet") for folder in done])
    rejects = pa.concat_tables([read_table(folder / "rejects.parquet") for folder in done])
    expected = [name for sample in samples for name in mixing.pair_ids(sample, wanted.variants)]
    account(mixing.STAGE, expected, pairs["pair_id"].to_pylist(), rejects["position"].to_pylist())
    with atomic_dir(paths.pairs) as out:
        write_table(out / "pairs.parquet", pairs)
        write_table(out / "rejects.parquet", rejects)
        write_json(out / "stats.json", mixing.summarise(pairs, rejects))


def _mixture(wanted: DistortParams, captioned: list[Sample]) -> mixing.Mixture:
    return mixing.Mixture(
        seed=wanted.seed,
        shares=wanted.shares,
        llm=load_llm(wanted.llm),
        variants=wanted.variants,
        val_share=wanted.val_share,
        commands=style_commands(),
        command_probability=wanted.style_command_probability,
        annotations=index_annotations(captioned),
    )


def _shard(folder: Path, samples: list[Sample], mixture: mixing.Mixture) -> Path:
    """Distort one shard unless an earlier run finished it; return its folder."""
    if folder.is_dir():
        return folder
    with atomic_dir(folder) as out:
        outcomes = [mixing.distort_sample(sample, mixture) for sample in samples]
        pairs = mixing.pairs_to_table(pair for found, _ in outcomes for pair in found)
        rejects = rejects_to_table(reject for _, lost in outcomes for reject in lost)
        write_table(out / "pairs.parquet", pairs)
        write_table(out / "rejects.parquet", rejects)
    return folder
