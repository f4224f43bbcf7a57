"""The figures of the report: data/evaluation/metrics.json from the tables of evaluation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Sample
from polite_flamingo.evaluation import (
    controls,
    filtering,
    findings,
    metrics,
    rewriter_controls,
    rewrites,
    win_rates,
)
from polite_flamingo.evaluation.intervals import SampleBootstrap
from polite_flamingo.evaluation.metrics import Interval
from polite_flamingo.evaluation.truth import ANSWERABLE
from polite_flamingo.evaluation.unseen import unseen_figures

Row = Mapping[str, Any]

STAGES = (1, 2, 3)
VARIANTS = ("pf", "raw")
FINAL = "pf-stage3"
# The model before any tuning: stage 0 of both variants.
BASE = "base"
# Rows of ratings.parquet that are no model's response; "annotation" takes part in win rates.
TEXTS = (
    "draft",
    "rewrite",
    "output",
    "style",
    *map(rewriter_controls.rated_as, rewriter_controls.SYSTEMS),
)
HEADLINE = (
    "easyvqa_accuracy",
    "easyvqa_blind_accuracy",
    "rewrite_win_rate",
    "kept_share",
    "kept_faithful",
    "kept_factual",
    "kept_factual_right_drafts",
    "all_factual",
    "beats_template_reward",
    "beats_template_diversity",
    "tax_win_rate",
    "tax_accuracy_gap",
    "tax_win_rate_stage3",
    "tax_accuracy_gap_stage3",
    "nli_accuracy",
    "reward_accuracy",
    *(f"stage{stage}_{figure}" for stage in STAGES for figure in ("accuracy", "reward")),
)
# Null where no evaluated source has short answers (or, for the first two, where easy-VQA is none).
NOT_ALWAYS = (
    "easyvqa_accuracy",
    "easyvqa_blind_accuracy",
    "kept_faithful",
    "kept_factual",
    "kept_factual_right_drafts",
    "all_factual",
    "beats_template_reward",
    "beats_template_diversity",
    "tax_accuracy_gap",
    "tax_accuracy_gap_stage3",
    *(f"stage{stage}_accuracy" for stage in STAGES),
)
_BINS = 40
# Judges whose accuracy is a headline figure; those that report are there where they are trained.
_MEASURED = ("nli", "reward", "report_nli", "report_reward")


def build_metrics(
    *,
    samples: Mapping[str, Sample],
    candidates: pa.Table,
    decisions: pa.Table,
    checks: pa.Table,
    rejected: Mapping[str, int],
    style: Sequence[Sample],
    responses: pa.Table,
    ratings: pa.Table,
    judges: Mapping[str, Mapping[str, Any]],
    held_out: Sequence[str],
    rewriter: pa.Table | None = None,
    unseen: Mapping[str, set[str]] | None = None,
    filters: Sequence[str] = (),
    thresholds: Mapping[str, float] | None = None,
    planted: Mapping[str, Any] | None = None,
    seed: int = 0,
    resamples: int = 2000,
) -> dict[str, Any]:
    """Compute everything that the report prints, as one JSON value.

    samples: raw samples by id, train and test, of every source that was rewritten or evaluated
        (train answers make the question-only control).
    candidates, decisions: as in data/rewrites/ and data/filtered/.
    checks: from `rewrites.check_rewrites`.
    rejected: how many samples of each source were not rewritten.
    style: the polite samples whose rewards are in `ratings` as model "style".
    responses, ratings: as in data/evaluation/; `ratings` holds the rewards of
        `rewrites.rated_texts` besides those of the models' responses.
    judges: models/judges/<judge>/metrics.json of each judge; "nli" and "reward" need `accuracy`
        and one of `n`, `pairs`, `images` (optionally `control` with `control_name`).
    held_out: sources that no model was tuned on.
    rewriter: from `rewriter_controls.check_controls`.
    unseen: from `unseen.unseen_samples`.
    filters: drop reasons in the order of the filters.
    thresholds: of each filter that has one, by its name.
    planted: models/judges/thresholds.json: how the filters did on planted faults.
    seed, resamples: of the bootstrap.

    Keys: headline, intervals, findings, sources, funnel, filters, faults, rewards, texts, stages,
    models, controls, rewriter, unseen, win_rates, judges. Where the judge that filtered has rated
    too, its figures end in `_filter_judge`. A figure without data is null. Raises UserError on a response whose sample
    is unknown.
    """
    check_rows: list[Row] = checks.to_pylist()
    judged = {name: _judge(figures) for name, figures in judges.items()}
    answered = _scored(responses.to_pylist(), samples)
    rewards = {
        control: win_rates.rewards_by_model(ratings.to_pylist(), control)
        for control in ("", *controls.CONTROLS)
    }
    boot = SampleBootstrap(samples, seed, resamples)
    plain = rewards[""]
    overall = rewrites.rewrite_figures(check_rows, boot, "all/")
    stages = _stages(answered, plain, held_out, boot)
    tax, tax_intervals = _tax(answered, plain, held_out, boot)
    filtering_judge = win_rates.rewards_by_model(ratings.to_pylist(), judge="filter_reward")
    tax |= {
        f"{name}_filter_judge": value
        for name, value in _tax(answered, filtering_judge, held_out, boot)[0].items()
        if "win_rate" in name
    }
    against = rewriter_controls.control_figures(
        rewriter or rewriter_controls.CONTROL_SCHEMA.empty_table(), boot, seed
    )
    final: dict[str, list[Row]] = {
        control: [row for row in answered if row["model"] == FINAL and row["control"] == control]
        for control in ("", *controls.CONTROLS)
    }
    macro = ("kept_faithful", "kept_factual", "kept_factual_right_drafts", "all_factual")
    headline: dict[str, float | bool | None] = {
        "rewrite_win_rate": overall["win_rate"],
        "rewrite_win_rate_filter_judge": overall["win_rate_filter_judge"],
        "kept_share": overall["kept_share"],
        **{name: overall[name] for name in macro},
        **{name: against[name] for name in ("beats_template_reward", "beats_template_diversity")},
        **{
            f"{judge}_accuracy": judged.get(judge, {}).get("accuracy")
            for judge in _MEASURED
            if judge in judged or not judge.startswith("report_")
        },
        **tax,
    }
    intervals: dict[str, Interval | None] = {
        "rewrite_win_rate": boot.by_pair("rewrite_win_rate", _win_pairs(check_rows)),
        "kept_share": boot.by_pair(
            "kept_share", [(row["pair"], row["decision"] == "kept") for row in check_rows]
        ),
        **{name: _over_pairs(boot, check_rows, name) for name in macro},
        **tax_intervals,
    }
    for judge in _MEASURED:
        own = judged.get(judge, {})
        size = own.get("n")
        if own.get("accuracy") is not None and size:
            hits = round(own["accuracy"] * size)
            intervals[f"{judge}_accuracy"] = boot.mean(
                f"{judge}_accuracy", [(str(place), place < hits) for place in range(size)]
            )
    for source, name in (("easy_vqa", "easyvqa"), ("digits", "digits")):
        for control, suffix in (("", "accuracy"), ("blank", "blind_accuracy")):
            rows = [row for row in final[control] if row["source"] == source]
            if rows or source == "easy_vqa":
                headline[f"{name}_{suffix}"] = metrics.accuracy_of(rows)
                intervals[f"{name}_{suffix}"] = boot.mean(
                    f"{name}_{suffix}", _present(rows, "correct")
                )
    for stage in STAGES:
        own = stages[f"pf-stage{stage}"]
        for figure in ("accuracy", "reward"):
            headline[f"stage{stage}_{figure}"] = own[figure]
            intervals[f"stage{stage}_{figure}"] = own["intervals"][figure]
    return {
        "headline": headline,
        "intervals": _plain(intervals),
        "findings": {
            "u_shape": findings.u_shape(
                [plain.get(f"pf-stage{stage}", {}) for stage in STAGES], boot
            ),
            "tax_stage2": findings.tax(tax_intervals["tax_win_rate"]),
            "tax_stage3": findings.tax(tax_intervals["tax_win_rate_stage3"]),
        },
        "sources": {
            source: rewrites.rewrite_figures(rows, boot, f"{source}/")
            for source, rows in rewrites.by_source(check_rows).items()
        },
        "all_sources": overall,
        "funnel": rewrites.funnel(check_rows, rejected, filters),
        "filters": filtering.filter_figures(
            candidates, decisions, filters, thresholds or {}, planted or {}
        ),
        "faults": filtering.fault_figures(planted or {}),
        "rewards": _reward_sets(check_rows, plain),
        "texts": _texts(candidates, decisions, style, seed),
        "stages": {
            model: {**own, "intervals": _plain(own["intervals"])} for model, own in stages.items()
        },
        "models": _per_model(answered, ratings),
        "controls": controls.controls(final, ratings, samples, held_out, boot),
        "rewriter": against,
        "unseen": unseen_figures(answered, unseen or {}, (BASE, "raw-stage3", FINAL), boot),
        "win_rates": win_rates.win_matrix(plain, _compared(plain)),
        "judges": judged,
    }


def _judge(figures: Mapping[str, Any]) -> dict[str, Any]:
    """A judge's figures as one level of names, with `n` for the number of its examples."""
    flat: dict[str, Any] = {}
    for key, value in figures.items():
        if key == "adversarial":
            # A table of its own on the page.
            flat[key] = value
        elif isinstance(value, Mapping):
            flat |= {f"{key}_{name}": inner for name, inner in value.items()}
        else:
            flat[key] = value
    sizes = [flat.pop(name) for name in ("n", "pairs", "images") if name in flat]
    return flat | ({"n": sizes[0]} if sizes else {})


def _scored(responses: Iterable[Row], samples: Mapping[str, Sample]) -> list[Row]:
    """Rows of responses; no answer found where the sample has one counts as wrong."""
    rows: list[Row] = []
    for row in responses:
        sample = samples.get(row["sample_id"])
        if sample is None:
            raise UserError(
                f"response to unknown sample {row['sample_id']}: run `dvc repro evaluate`"
            )
        correct = row["correct"]
        if correct is None and row["task"] in ANSWERABLE and sample.answer is not None:
            correct = False
        rows.append({**row, "correct": correct})
    return rows


def _present(rows: Iterable[Row], key: str) -> list[tuple[str, float]]:
    return [(row["sample_id"], float(row[key])) for row in rows if row[key] is not None]


def _win_pairs(checks: Iterable[Row]) -> list[tuple[str, float]]:
    return [(row["pair"], gain) for row in checks for gain in rewrites.rewrite_wins([row])]


def _over_pairs(boot: SampleBootstrap, checks: Sequence[Row], figure: str) -> Interval | None:
    column, group = rewrites.MACRO[figure]
    return boot.over_pairs(f"all/{figure}", rewrites.groups_of(checks)[group], column)


def _plain(intervals: Mapping[str, Interval | None]) -> dict[str, Any]:
    return {
        name: interval.bounds() | {"n": interval.n}
        for name, interval in sorted(intervals.items())
        if interval is not None
    }


def _marks(answered: Iterable[Row], model: str, held_out: Sequence[str]) -> dict[str, float]:
    """Correctness by sample id of a model's answers to in-domain samples with short answers."""
    return {
        row["sample_id"]: float(row["correct"])
        for row in answered
        if row["model"] == model
        and row["control"] == ""
        and row["task"] in ANSWERABLE
        and row["source"] not in held_out
        and row["correct"] is not None
    }


def _stages(
    answered: Sequence[Row],
    rewards: Mapping[str, Mapping[str, float]],
    held_out: Sequence[str],
    boot: SampleBootstrap,
) -> dict[str, dict[str, Any]]:
    """The U shape: accuracy in and out of domain and reward of every tuned model and of base."""
    found: dict[str, dict[str, Any]] = {}
    names = [BASE, *(f"{variant}-stage{stage}" for variant in VARIANTS for stage in STAGES)]
    for model in names:
        inside = list(_marks(answered, model, held_out).items())
        outside = [
            row
            for row in answered
            if row["model"] == model and row["control"] == "" and row["source"] in held_out
        ]
        rated = sorted(rewards.get(model, {}).items())
        found[model] = {
            "accuracy": metrics.mean_of(mark for _, mark in inside),
            "held_out_accuracy": metrics.accuracy_of(outside),
            "reward": metrics.mean_of(reward for _, reward in rated),
            "answered": len(inside),
            "rated": len(rated),
            "intervals": {
                "accuracy": boot.mean(f"{model}/accuracy", inside),
                "held_out_accuracy": boot.mean(
                    f"{model}/held_out_accuracy", _present(outside, "correct")
                ),
                "reward": boot.mean(f"{model}/reward", rated),
            },
        }
    return found


def _tax(
    answered: Sequence[Row],
    rewards: Mapping[str, Mapping[str, float]],
    held_out: Sequence[str],
    boot: SampleBootstrap,
) -> tuple[dict[str, float | None], dict[str, Interval | None]]:
    """PF-tuned against raw-tuned, on the same samples, after stage 2 and after stage 3."""
    figures: dict[str, float | None] = {}
    intervals: dict[str, Interval | None] = {}
    for stage, suffix in ((2, ""), (3, "_stage3")):
        polite, raw = (f"{variant}-stage{stage}" for variant in VARIANTS)
        wins = win_rates.wins(rewards.get(polite, {}), rewards.get(raw, {}))
        own, other = (_marks(answered, model, held_out) for model in (polite, raw))
        gaps = [(key, own[key] - other[key]) for key in sorted(own.keys() & other.keys())]
        for name, pairs in (
            (f"tax_win_rate{suffix}", list(wins.items())),
            (f"tax_accuracy_gap{suffix}", gaps),
        ):
            figures[name] = metrics.mean_of(value for _, value in pairs)
            intervals[name] = boot.mean(name, pairs)
    return figures, intervals


def _reward_sets(
    checks: Sequence[Row], rewards: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    """Reward distributions of data: raw annotations, all rewrites, kept outputs, polite style.

    Returns {"edges": bin edges, "sets": {name: spread + "shares" per bin}}; the bins span all
    sets, so that the histograms are comparable and nothing falls outside.
    """
    drafts = {row["sample_id"]: row["draft_reward"] for row in checks}
    sets: dict[str, list[float]] = {
        "raw": [value for value in drafts.values() if value is not None],
        "rewritten": [row["reward"] for row in checks if row["reward"] is not None],
        "kept": [row["output_reward"] for row in checks if row["output_reward"] is not None],
        "style": list(rewards.get("style", {}).values()),
    }
    values = np.array([value for members in sets.values() for value in members], dtype=np.float64)
    if len(values) == 0:
        return {"edges": [], "sets": {}}
    low, high = float(np.floor(values.min() * 2) / 2), float(np.ceil(values.max() * 2) / 2)
    edges = np.linspace(low, max(high, low + 0.5), _BINS + 1)
    return {
        "edges": [round(float(edge), 6) for edge in edges],
        "sets": {
            name: {
                **metrics.spread(members),
                "shares": [
                    float(count) / max(1, len(members))
                    for count in np.histogram(members, bins=edges)[0]
                ],
            }
            for name, members in sets.items()
        },
    }


def _texts(
    candidates: pa.Table, decisions: pa.Table, style: Sequence[Sample], seed: int
) -> dict[str, Any]:
    """Length and variety of the texts of each set: mean words, distinct-2, self-BLEU."""
    rows = candidates.select(["sample_id", "draft", "rewrite"]).to_pylist()
    sets = {
        "raw": list({row["sample_id"]: row["draft"] for row in rows}.values()),
        "rewritten": [row["rewrite"] for row in rows],
        "kept": [row["output"] for row in decisions.to_pylist() if row["decision"] == "kept"],
        "style": [turn.response for sample in style for turn in sample.turns[:1]],
    }
    return {
        name: {
            "texts": len(texts),
            "words": metrics.mean_of(len(metrics.words(text)) for text in texts),
            "distinct_2": metrics.distinct_n(texts, 2),
            "self_bleu": metrics.self_bleu(texts, seed),
        }
        for name, texts in sets.items()
    }


def _per_model(answered: Sequence[Row], ratings: pa.Table) -> dict[str, dict[str, Any]]:
    """Quality of every model's responses on every source, without controls."""
    keyed = controls.by_key(ratings)
    grouped: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in answered:
        if row["control"] == "":
            grouped[row["model"]][row["source"]].append(row)
    return {
        model: {source: controls.quality(rows, keyed) for source, rows in sorted(sources.items())}
        for model, sources in sorted(grouped.items())
    }


def _compared(rewards: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The systems of the win-rate matrix that were rated, in a fixed order."""
    order = ["annotation", BASE]
    order += [f"{variant}-stage{stage}" for variant in ("raw", "pf") for stage in STAGES]
    order += sorted(rewards.keys() - set(order) - set(TEXTS))
    return [model for model in order if model in rewards]
