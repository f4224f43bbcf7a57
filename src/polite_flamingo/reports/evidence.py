"""The headline figures with their targets and controls, and the same figures over several seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from polite_flamingo.reports.sentences import DASH, percent, signed

Row = Mapping[str, Any]

REACHED, MISSED, OPEN = "reached", "not reached", "not measured"
# Two-sided 95 % quantiles of Student's t, by degrees of freedom; beyond them the normal one.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
_NORMAL = 1.96


@dataclass(frozen=True)
class Target:
    """A headline figure and what it has to be; `least` None: reported, nothing to reach."""

    key: str
    title: str
    least: float | bool | None


TARGETS = (
    Target("kept_share", "Rewrites kept", 0.90),
    Target("kept_faithful", "Kept rewrites faithful to their draft", 0.995),
    Target("kept_factual_right_drafts", "Kept rewrites factual, draft right", 0.99),
    Target("rewrite_win_rate", "Kept rewrites beat their draft in reward", 0.95),
    Target("beats_template_reward", "Rewriter beats a template in reward", True),
    Target("beats_template_diversity", "Rewriter beats a template in diversity", True),
    Target("tax_win_rate", "PF-tuned beats raw-tuned in reward, stage 2", 0.90),
    Target("tax_win_rate_stage3", "PF-tuned beats raw-tuned in reward, stage 3", 0.90),
    Target("tax_accuracy_gap", "Accuracy of PF-tuned minus raw-tuned, stage 2", None),
    Target("tax_accuracy_gap_stage3", "Accuracy of PF-tuned minus raw-tuned, stage 3", None),
    Target("nli_accuracy", "NLI judge, unseen scenes and wordings", 0.95),
    Target("report_nli_accuracy", "NLI judge that reports, likewise", 0.95),
    Target("reward_accuracy", "Reward judge, unseen scenes and wordings", 0.97),
    Target("report_reward_accuracy", "Reward judge that reports, likewise", 0.97),
)

# Which of the rewriter's figures a headline figure has its controls from.
_CONTROLLED = {
    "kept_faithful": "faithful",
    "kept_factual_right_drafts": "factual",
    "rewrite_win_rate": "reward",
    "beats_template_reward": "reward",
}
SYSTEMS = {
    "rewriter": "rewriter, before filters",
    "blank": "blank image",
    "shuffled": "another's image",
    "draft": "draft unchanged",
    "template": "template",
}


def least(key: str) -> float:
    """What a figure has to be at least."""
    found = next(target.least for target in TARGETS if target.key == key)
    return float(found or 0)


def verdict(value: float | bool | None, least: float | bool | None) -> str:
    """Whether a figure reaches its target; "" where it has none."""
    if least is None:
        return ""
    if value is None:
        return OPEN
    return REACHED if value >= least else MISSED


def figure_text(key: str, value: float | bool | None) -> str:
    """A headline figure in its unit: yes or no, points for gaps, reward as it is, else per cent."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if "gap" in key:
        return signed(value * 100, 1) + " pts"
    return signed(value) if key.endswith("_reward") else percent(value)


def bounds_text(key: str, bounds: Row | None) -> str:
    """An interval in the figure's unit, "" for none."""
    if not bounds:
        return ""
    ends = [figure_text(key, bounds[side]) for side in ("low", "high")]
    return " to ".join(end.removesuffix(" %").removesuffix(" pts") for end in ends)


def target_text(key: str, least: float | bool | None) -> str:
    """A target as the page prints it."""
    if least is None:
        return ""
    return "yes" if least is True else f"≥ {figure_text(key, least)}"


def headline_rows(metrics: Row) -> list[dict[str, Any]]:
    """One row a target: title, value, interval, target, verdict, and its controls (name, text)."""
    headline, intervals = metrics["headline"], metrics["intervals"]
    return [
        {
            "key": target.key,
            "title": target.title,
            "value": figure_text(target.key, headline.get(target.key)),
            "interval": bounds_text(target.key, intervals.get(target.key)),
            "n": (intervals.get(target.key) or {}).get("n"),
            "target": target_text(target.key, target.least),
            "verdict": verdict(headline.get(target.key), target.least),
            "controls": _controls(metrics, target.key),
        }
        for target in TARGETS
        # Reporting judges are trained by some profiles only.
        if target.key in headline or not target.key.startswith("report_")
    ]


def _controls(metrics: Row, key: str) -> list[tuple[str, str]]:
    systems = metrics.get("rewriter", {}).get("systems", {})
    found: list[tuple[str, str]] = []
    if key in _CONTROLLED:
        figure = _CONTROLLED[key]
        found += [
            (
                f"{name}, mean reward" if figure == "reward" else name,
                figure_text("_reward" if figure == "reward" else "", systems[system][figure]),
            )
            for system, name in SYSTEMS.items()
            if system in systems and systems[system][figure] is not None
        ]
    if key == "beats_template_diversity":
        found += [
            (
                SYSTEMS[system],
                f"distinct-1 {systems[system]['distinct_1'] or 0:.3f}, "
                f"distinct-2 {systems[system]['distinct_2'] or 0:.3f}, "
                f"self-BLEU {systems[system]['self_bleu'] or 0:.3f}",
            )
            for system in ("rewriter", "template")
            if system in systems
        ]
    other = metrics["headline"].get(f"{key}_filter_judge")
    if other is not None:
        found.append(("by the filtering judge", figure_text(key, other)))
    if "tax_win_rate" in key:
        found.append(("no tax", figure_text(key, 0.5)))
    judge = key.removesuffix("_accuracy")
    own = metrics.get("judges", {}).get(judge, {})
    if key.endswith("_accuracy") and own.get("control") is not None:
        found.append((own.get("control_name", "control"), percent(own["control"])))
    return found


def over_seeds(values: Sequence[float]) -> dict[str, Any]:
    """Mean of a figure over seeds with its 95 % interval (Student's t); none for one seed."""
    mean = fmean(values)
    if len(values) < 2:
        return {"mean": mean, "n": len(values)}
    quantile = _T[len(values) - 2] if len(values) - 2 < len(_T) else _NORMAL
    half = quantile * stdev(values) / math.sqrt(len(values))
    return {"mean": mean, "low": mean - half, "high": mean + half, "n": len(values)}


def summarise(reports: Mapping[int, Row]) -> dict[str, Any]:
    """Figures of several seeds (reports/metrics.json by seed) as one summary.

    Keys: seeds, figures {key: by_seed, within (interval of each seed), and mean, low, high over
    seeds; for yes/no figures `all` instead}, sources {source: {figure: ...}}.
    """
    seeds = sorted(reports)
    keys = sorted({key for report in reports.values() for key in report["headline"]})
    figures = {
        key: _figure(
            {seed: reports[seed]["headline"].get(key) for seed in seeds},
            {seed: reports[seed]["intervals"].get(key) for seed in seeds},
        )
        for key in keys
    }
    sources = sorted({name for report in reports.values() for name in report.get("sources", {})})
    shown = ("kept_share", "kept_faithful", "kept_factual_right_drafts", "win_rate")
    return {
        "seeds": seeds,
        "figures": figures,
        "sources": {
            source: {
                key: _figure(
                    {
                        seed: reports[seed].get("sources", {}).get(source, {}).get(key)
                        for seed in seeds
                    },
                    {},
                )
                for key in shown
            }
            for source in sources
        },
    }


def _figure(by_seed: Mapping[int, Any], within: Mapping[int, Any]) -> dict[str, Any]:
    values = [value for value in by_seed.values() if value is not None]
    found: dict[str, Any] = {
        "by_seed": {str(seed): value for seed, value in by_seed.items()},
        "within": {str(seed): bounds for seed, bounds in within.items() if bounds},
    }
    if values and all(isinstance(value, bool) for value in values):
        return found | {"all": all(values), "n": len(values)}
    return found | (over_seeds([float(value) for value in values]) if values else {})


def seed_rows(summary: Row | None) -> list[dict[str, Any]]:
    """One row a target with the figures of every seed; none without a summary of any seed."""
    if not summary or not summary.get("seeds"):
        return []
    rows = []
    for target in TARGETS:
        own = summary["figures"].get(target.key)
        if own is None:
            continue
        value = own.get("all", own.get("mean"))
        # A seed in which it was not measured is no proof.
        whole = all(each is not None for each in own["by_seed"].values())
        rows.append(
            {
                "key": target.key,
                "title": target.title,
                "seeds": [
                    (
                        figure_text(target.key, own["by_seed"].get(str(seed))),
                        bounds_text(target.key, own["within"].get(str(seed))),
                    )
                    for seed in summary["seeds"]
                ],
                "value": figure_text(target.key, value),
                "interval": bounds_text(target.key, own if "low" in own else None),
                "target": target_text(target.key, target.least),
                "verdict": verdict(value if whole else None, target.least),
            }
        )
    return rows


def markdown(summary: Row | None) -> str:
    """docs/evidence.md: the figures of every seed, their intervals, and what was reached."""
    rows = seed_rows(summary)
    lines = [
        "# Evidence",
        "",
        "Written by `python benchmarks/evidence.py` from `benchmarks/results/seeds/summary.json`,",
        "which `python benchmarks/seeds.py --seeds 0 1 2` collects: the nano pipeline once a seed,",
        "each in a workspace of its own. Do not edit.",
        "",
        "`faithful` (says what the draft says and makes nothing up) and `factual` (says what the",
        "scene shows) are",
        "averages over distinct (question, draft) pairs; what cannot be read is not right. Rewards",
        "are the reporting judge's, which had no part in choosing rewrites. In brackets the 95 %",
        "interval within a seed (bootstrap over pairs or images); the last interval is over seeds",
        "(Student's t).",
        "",
    ]
    if summary is None or not rows:
        return "\n".join([*lines, "No seed has been run yet.", ""])
    names = [f"seed {seed}" for seed in summary["seeds"]]
    lines += [
        f"| figure | target | {' | '.join(names)} | mean | 95 % over seeds | |",
        f"|---|---|{'---|' * len(names)}---|---|---|",
    ]
    for row in rows:
        cells = [f"{text} [{bounds}]" if bounds else text for text, bounds in row["seeds"]]
        parts = [row["title"], row["target"], *cells, row["value"], row["interval"], row["verdict"]]
        lines.append(f"| {' | '.join(part or DASH for part in parts)} |")
    lines += ["", "## By source (mean over seeds)", ""]
    shown = ("kept_share", "kept_faithful", "kept_factual_right_drafts", "win_rate")
    lines += ["| source | kept | faithful, kept | factual, kept, draft right | beats draft |"]
    lines += ["|---|---|---|---|---|"]
    for source, own in sorted(summary["sources"].items()):
        cells = [percent(own[key].get("mean")) for key in shown]
        lines.append(f"| {source} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])
