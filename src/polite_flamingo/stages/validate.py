"""Stage `validate`: the data gate over samples, pairs, rewrites, decisions and the release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.sample import SAMPLE_SCHEMA
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import read_json, read_samples, read_table, write_json

if TYPE_CHECKING:
    import pandas as pd


def validate(params: Params, paths: Layout) -> None:
    """Check the tables -> data/quality/gate.json, and Data Docs in runs/data_docs.

    Raises UserError with one line a failed expectation; gate.json is not written then, so that no
    later stage runs, and the findings are in runs/gate.json.
    """
    from polite_flamingo.quality import gate, suites

    planted = sorted(read_json(paths.thresholds)["test"]["recall"])
    result = gate.run(
        gate_tables(params, paths), suites.all_suites(params, planted), paths.runs / "data_docs"
    )
    write_json(paths.runs / "gate.json", result.to_json())
    if not result.success:
        # The summary comes last: orchestrators show the last line as the reason.
        summary = (
            f"the data gate: {len(result.failures)} of {len(result.findings)} expectations failed, "
            f"see {result.docs}"
        )
        raise UserError("\n".join([*result.failures, summary]))
    write_json(paths.gate, result.to_json())


def gate_tables(params: Params, paths: Layout) -> dict[str, pd.DataFrame]:
    """The tables by the names of their suites."""
    from polite_flamingo.quality import frames

    samples = _samples(params, paths)
    pairs = read_table(paths.pairs / "pairs.parquet").to_pandas()
    candidates = read_table(paths.rewrites / "candidates.parquet").to_pandas()
    rejects = read_table(paths.rewrites / "rejects.parquet").to_pandas()
    scores = read_table(paths.filtered / "scores.parquet").to_pandas()
    decisions = read_table(paths.filtered / "decisions.parquet").to_pandas()
    kept = read_table(paths.filtered / "kept.parquet").to_pandas()
    raw_ids = _raw_ids(params, paths)
    return {
        "samples": frames.samples_frame(samples, ImageStore(paths.images).ids()),
        "pairs": frames.pairs_frame(pairs, samples, params.distort.shares),
        "rewrites": frames.rewrites_frame(candidates, rejects, samples, raw_ids),
        "decisions": frames.decisions_frame(decisions, candidates),
        "release": frames.release_frame(kept, samples, decisions, scores),
        "filters": frames.filters_frame(read_json(paths.thresholds)["test"]),
    }


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
