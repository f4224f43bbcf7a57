"""Stage `report`: the HTML page, the DVC metrics and the DVC plots."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import atomic_file, read_json, read_table, write_json


def report(params: Params, paths: Layout) -> None:
    """Write reports/: index.html, sources.html, metrics.json and plots/*.json.

    Reads data/samples, data/evaluation, data/filtered, data/rewrites, data/images, the filters'
    thresholds and, if it is there, the summary of several seeds. Raises UserError if a headline
    figure is missing that every run has.
    """
    from polite_flamingo.evaluation.filtering import trade_off
    from polite_flamingo.evaluation.rewrites import gallery
    from polite_flamingo.reports.filters import filter_curves
    from polite_flamingo.reports.page import render
    from polite_flamingo.reports.sources_page import render_sources

    metrics = read_json(paths.evaluation / "metrics.json")
    check_headline(metrics)
    rows = gallery(gallery_rows(paths), params.report.gallery)
    summary = paths.seeds_summary
    seeds = read_json(summary) if summary.is_file() else None
    floors = params.validate.max_good_lost, params.validate.min_fault_recall
    planted = trade_off(read_json(paths.thresholds))
    curves = filter_curves(planted, *floors) if planted["all"] else None
    page = render(metrics, rows, ImageStore(paths.images).read, params.profile, seeds, curves)
    with atomic_file(paths.reports / "index.html") as temporary:
        temporary.write_text(page, encoding="utf-8")
    sources = render_sources(read_json(paths.samples / "stats.json"), params.profile)
    with atomic_file(paths.reports / "sources.html") as temporary:
        temporary.write_text(sources, encoding="utf-8")
    write_json(paths.reports / "metrics.json", published(metrics))
    for name, records in plots(metrics).items():
        write_json(paths.reports / "plots" / f"{name}.json", records)


def check_headline(metrics: Mapping[str, Any]) -> None:
    """Raise UserError unless every headline figure is a number (or null, if in NOT_ALWAYS)."""
    from polite_flamingo.evaluation.summary import HEADLINE, NOT_ALWAYS

    headline = metrics.get("headline", {})
    missing = [
        key
        for key in HEADLINE
        if headline.get(key) is None and not (key in headline and key in NOT_ALWAYS)
    ]
    if missing:
        raise UserError(
            f"data/evaluation/metrics.json lacks the headline figures {', '.join(missing)}: "
            "evaluate every source and model they need (params.yaml, evaluate)"
        )


def published(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What reports/metrics.json holds: the figures to compare between runs."""
    return {
        **{
            key: metrics[key]
            for key in ("headline", "intervals", "findings", "stages", "sources", "unseen")
        },
        "controls": {source: own["minus"] for source, own in metrics["controls"].items()},
        "rewriter": metrics["rewriter"],
        "reported_by": metrics.get("reported_by", {}),
    }


def gallery_rows(paths: Layout) -> list[dict[str, Any]]:
    """Candidates with their scores, decisions and checks, in the order of the candidates."""
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    tables = (
        (paths.rewrites / "candidates.parquet", None),
        (paths.filtered / "scores.parquet", ["length", "change", "sts", "clipscore", "nli"]),
        (paths.filtered / "decisions.parquet", ["decision", "reason", "output"]),
        (
            paths.evaluation / "checks.parquet",
            [
                "draft_factual",
                "factual",
                "output_factual",
                "faithful",
                "draft_reward",
                "reward",
                "output_reward",
            ],
        ),
    )
    for path, columns in tables:
        keyed = None if columns is None else ["sample_id", "candidate", *columns]
        seen = 0
        for row in read_table(path, keyed).to_pylist():
            key = (row["sample_id"], row["candidate"])
            if columns is not None and key not in rows:
                raise UserError(f"{path} has a row for the unknown rewrite {key[0]} ({key[1]})")
            rows.setdefault(key, {}).update(row)
            seen += 1
        if seen != len(rows):
            raise UserError(f"{path} has {seen} rows for {len(rows)} rewrites: run `dvc repro`")
    return list(rows.values())


def plots(metrics: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Records of the DVC plots: rewards (share a bin), stages (the U shape), funnel (counts)."""
    from polite_flamingo.reports.page import stage_model

    rewards = metrics["rewards"]
    edges, stages = rewards["edges"], metrics["stages"]
    return {
        "rewards": [
            {"reward": (low + high) / 2}
            | {name: own["shares"][place] for name, own in rewards["sets"].items()}
            for place, (low, high) in enumerate(pairwise(edges))
        ],
        "stages": [
            {"stage": stage}
            | {
                f"{variant}_{figure}": stages[stage_model(variant, stage)][figure]
                for variant in ("pf", "raw")
                for figure in ("accuracy", "reward")
            }
            for stage in (0, 1, 2, 3)
        ],
        "funnel": [
            {"part": f"{row['source']}: {outcome}", "outcome": outcome, "rewrites": count}
            for row in metrics["funnel"]
            for outcome, count in [
                ("kept", row["kept"]),
                ("not_rewritten", row["rejected"]),
                *((part["reason"], part["count"]) for part in row["dropped"]),
            ]
        ],
    }
