"""What the rewriter is measured against: blind and misled versions of itself, and cheap rivals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from polite_flamingo.core.sample import Sample
from polite_flamingo.core.seeds import derive
from polite_flamingo.core.tables import read_table, write_table
from polite_flamingo.evaluation import metrics
from polite_flamingo.evaluation.intervals import SampleBootstrap, as_json, pair_means, side_of
from polite_flamingo.evaluation.rewrites import pair_key
from polite_flamingo.evaluation.truth import Faithful, Truth

Row = Mapping[str, Any]

# The rewriter itself, with a blank image, with another sample's; the draft given back; a template.
REWRITER = "rewriter"
SYSTEMS = (REWRITER, "blank", "shuffled", "draft", "template")

TEXT_SCHEMA = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("system", "sample_id", "text")]
)
CONTROL_SCHEMA = pa.schema(
    [
        *TEXT_SCHEMA,
        pa.field("source", pa.string(), nullable=False),
        pa.field("pair", pa.string(), nullable=False),
        pa.field("faithful", pa.bool_()),  # does it say what the draft says?
        pa.field("factual", pa.bool_()),  # is it true? null where the draft is not
        pa.field("reward", pa.float64()),  # by the reporting judge, which sees no image
        pa.field("filter_reward", pa.float64()),
    ]
)
# Figures compared between the rewriter and a control, on the same pairs.
FIGURES = ("faithful", "factual", "reward")
DIVERSITY = ("distinct_1", "distinct_2", "self_bleu")


def choose_drafts(candidates: pa.Table, number: int, seed: int) -> list[str]:
    """Ids of at most `number` rewritten samples of each source, by a seeded hash of the ids."""
    by_source: dict[str, list[str]] = {}
    rows = candidates.select(["source", "sample_id", "candidate"]).to_pylist()
    for row in rows:
        if row["candidate"] == 0:
            by_source.setdefault(row["source"], []).append(row["sample_id"])
    chosen: list[str] = []
    for _, ids in sorted(by_source.items()):
        ids.sort(key=lambda sample_id: derive(seed, "rewriter_controls", sample_id))
        chosen += sorted(ids[:number])
    return chosen


def texts_of(system: str, ids: Sequence[str], texts: Sequence[str]) -> pa.Table:
    """A system's texts (:data:`TEXT_SCHEMA`)."""
    rows = [
        {"system": system, "sample_id": sample_id, "text": text}
        for sample_id, text in zip(ids, texts, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=TEXT_SCHEMA)


def kept_or_made(path: Path, make: Callable[[], pa.Table]) -> pa.Table:
    """The table at `path`, made and written first if it is not there."""
    if not path.is_file():
        write_table(path, make())
    return read_table(path).cast(TEXT_SCHEMA)


def check_controls(
    texts: pa.Table,
    samples: Mapping[str, Sample],
    rewards: Mapping[str, Mapping[str, float]],
    filter_rewards: Mapping[str, Mapping[str, float]],
    truth: Truth,
    faithful: Faithful,
    wrong: Mapping[str, str],
) -> pa.Table:
    """Check every system's texts (:data:`CONTROL_SCHEMA`); rewards are keyed by `rated_as`."""
    rows = []
    for row in texts.to_pylist():
        sample = samples[row["sample_id"]]
        turn, name = sample.turns[0], rated_as(row["system"])
        rows.append(
            {
                **row,
                "source": sample.source,
                "pair": pair_key(sample),
                "faithful": faithful(sample, turn.response, row["text"]),
                # A control that copies a wrong draft is no worse than it had to be.
                "factual": None if sample.sample_id in wrong else truth(sample, row["text"]),
                "reward": rewards.get(name, {}).get(sample.sample_id),
                "filter_reward": filter_rewards.get(name, {}).get(sample.sample_id),
            }
        )
    return pa.Table.from_pylist(rows, schema=CONTROL_SCHEMA)


def rated_as(system: str) -> str:
    """The name under which ratings.parquet holds the rewards of a system's texts."""
    return f"rewriter/{system}"


def control_figures(checked: pa.Table, boot: SampleBootstrap, seed: int) -> dict[str, Any]:
    """Every system on the same drafts, the rewriter's distances, and whether it beats a template.

    Keys: systems {system: figures}, by_source {source: {system: figures}}, minus {system: {figure:
    mean, low, high, n, above}} (the rewriter's minus the system's, over pairs),
    `beats_template_reward` (the whole interval of the difference lies above 0) and
    `beats_template_diversity` (more distinct 1-grams and 2-grams, lower self-BLEU, each a mean
    over sources, within a source over equally many words), null where not measured.
    """
    rows: list[Row] = checked.to_pylist()
    by_system = {name: [row for row in rows if row["system"] == name] for name in SYSTEMS}
    by_system = {name: own for name, own in by_system.items() if own}
    systems: dict[str, dict[str, Any]] = {}
    for name, own in by_system.items():
        systems[name] = _figures(own) | {
            "intervals": {
                figure: as_json(boot.over_pairs(f"controls/{name}/{figure}", own, figure))
                for figure in FIGURES
            },
        }
    minus = {
        name: {
            figure: {**bounds, "above": side_of(gap) == 1}
            for figure in FIGURES
            if (gap := _gap(f"controls/{name}", by_system[REWRITER], own, figure, boot))
            and (bounds := as_json(gap))
        }
        for name, own in by_system.items()
        if name != REWRITER and REWRITER in by_system
    }
    by_source = {
        source: _of_source(
            {
                name: [row for row in own if row["source"] == source]
                for name, own in by_system.items()
            },
            seed,
        )
        for source in sorted({row["source"] for row in rows})
    }
    for name, figures in systems.items():
        for figure in DIVERSITY:
            figures[figure] = metrics.mean_of(own[name][figure] for own in by_source.values())
    return {
        "systems": systems,
        "by_source": by_source,
        "minus": minus,
        "beats_template_reward": minus.get("template", {}).get("reward", {}).get("above"),
        "beats_template_diversity": _more_diverse(systems),
    }


def _of_source(by_system: Mapping[str, Sequence[Row]], seed: int) -> dict[str, dict[str, Any]]:
    words = [
        sum(len(metrics.words(row["text"])) for row in own) for own in by_system.values() if own
    ]
    return {
        name: _figures(own) | diversity(own, min(words, default=0), seed)
        for name, own in by_system.items()
    }


def diversity(rows: Sequence[Row], budget: int, seed: int) -> dict[str, float | None]:
    """distinct-1, distinct-2 and self-BLEU of as many texts as have `budget` words.

    Distinct-n falls with the length of a corpus: systems are compared over equally many words,
    texts taken in an order drawn by their sample ids, the same for all.
    """
    taken, words = [], 0
    for row in sorted(rows, key=lambda row: derive(seed, "diversity", row["sample_id"])):
        if words >= budget:
            break
        taken.append(row["text"])
        words += len(metrics.words(row["text"]))
    return {
        "distinct_1": metrics.distinct_n(taken, 1),
        "distinct_2": metrics.distinct_n(taken, 2),
        "self_bleu": metrics.self_bleu(taken, seed),
    }


def _more_diverse(systems: Mapping[str, Row]) -> bool | None:
    if REWRITER not in systems or "template" not in systems:
        return None
    own, other = systems[REWRITER], systems["template"]
    if own["self_bleu"] is None or other["self_bleu"] is None:
        return None
    more = all(own[key] > other[key] for key in ("distinct_1", "distinct_2"))
    return bool(more and own["self_bleu"] < other["self_bleu"])


def _figures(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "drafts": len(rows),
        "pairs": len({row["pair"] for row in rows}),
        "words": metrics.mean_of(len(metrics.words(row["text"])) for row in rows),
        **{
            figure: metrics.mean_of(pair_means(rows, figure).values())
            for figure in (*FIGURES, "filter_reward")
        },
    }


def _gap(
    name: str, own: Sequence[Row], other: Sequence[Row], figure: str, boot: SampleBootstrap
) -> metrics.Interval | None:
    theirs = {row["sample_id"]: row[figure] for row in other}
    rows = [
        {"pair": row["pair"], "gap": float(row[figure]) - float(theirs[row["sample_id"]])}
        for row in own
        if row[figure] is not None and theirs.get(row["sample_id"]) is not None
    ]
    return boot.over_pairs(f"{name}/{figure}", rows, "gap")
