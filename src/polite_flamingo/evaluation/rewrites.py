"""Checks of rewrites against their drafts and the truth, and the filter funnel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Sample
from polite_flamingo.core.seeds import derive
from polite_flamingo.evaluation.intervals import SampleBootstrap, as_json, pair_means
from polite_flamingo.evaluation.metrics import mean_of
from polite_flamingo.evaluation.truth import Faithful, Truth, question_of
from polite_flamingo.evaluation.win_rates import win

CHECK_SCHEMA = pa.schema(
    [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("candidate", pa.int32(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("pair", pa.string(), nullable=False),  # the same for equal question and draft
        pa.field("decision", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("draft_factual", pa.bool_()),  # is the annotation itself true? by its record
        pa.field("factual", pa.bool_()),  # is the rewrite true, before paragraphs are removed?
        pa.field("output_factual", pa.bool_()),  # is the kept output true? null if dropped
        pa.field("faithful", pa.bool_()),  # does it (the output, if kept) say what the draft says?
        # By the reporting judge, then by the judge that filtered; of outputs null if dropped.
        pa.field("draft_reward", pa.float64()),
        pa.field("reward", pa.float64()),
        pa.field("output_reward", pa.float64()),
        pa.field("filter_draft_reward", pa.float64()),
        pa.field("filter_output_reward", pa.float64()),
        # Does the judge take the kept output for a contradiction of the draft? null: not asked.
        pa.field("contradicts", pa.bool_()),
        pa.field("filter_contradicts", pa.bool_()),
    ]
)


def pair_key(sample: Sample) -> str:
    """One name for all samples of a source with the same question and draft."""
    draft = sample.turns[0].response
    return f"{derive(0, 'pair', sample.source, question_of(sample), draft):016x}"


def output_key(sample_id: str, candidate: int) -> str:
    """The id under which ratings.parquet holds the reward of a kept output."""
    return f"{sample_id}#{candidate}"


def rated_texts(
    candidates: pa.Table, decisions: pa.Table, style: Iterable[Sample], test: Iterable[Sample]
) -> list[dict[str, str]]:
    """The texts, other than models' responses, whose rewards the figures need.

    Rows of model, control (""), sample_id, instruction, text. Models: "draft", "rewrite" and
    "output" (kept outputs that are not the whole rewrite), all three under `output_key` ids;
    "style" (first turn of the polite samples), "annotation" (as a test sample was annotated).
    """
    rows: list[dict[str, str]] = []

    def add(model: str, sample_id: str, instruction: str, text: str) -> None:
        rows.append(
            {
                "model": model,
                "control": "",
                "sample_id": sample_id,
                "instruction": instruction,
                "text": text,
            }
        )

    outputs = kept_outputs(decisions)
    for row in candidates.to_pylist():
        key = (row["sample_id"], row["candidate"])
        for name in ("draft", "rewrite"):
            add(name, output_key(*key), row["instruction"], row[name])
        if key in outputs and outputs[key] != row["rewrite"].strip():
            add("output", output_key(*key), row["instruction"], outputs[key])
    for model, samples in (("style", style), ("annotation", test)):
        for sample in samples:
            first = sample.turns[0]
            add(model, sample.sample_id, first.instruction, first.response)
    return rows


def kept_outputs(decisions: pa.Table) -> dict[tuple[str, int], str]:
    """The kept outputs by sample id and candidate."""
    return {
        (row["sample_id"], row["candidate"]): row["output"]
        for row in decisions.to_pylist()
        if row["decision"] == "kept"
    }


def check_rewrites(
    candidates: pa.Table,
    scores: pa.Table,
    decisions: pa.Table,
    samples: Mapping[str, Sample],
    rewards: Mapping[str, Mapping[str, float]],
    truth: Truth,
    faithful: Faithful,
    wrong: Container[str] | None = None,
    filter_rewards: Mapping[str, Mapping[str, float]] | None = None,
    contradicts: Mapping[str, Mapping[str, bool]] | None = None,
) -> pa.Table:
    """Check every candidate; a table of CHECK_SCHEMA in the order of `candidates`.

    `samples` maps sample ids to raw samples; `rewards` (`rewards_by_model(ratings)`) are those of
    the reporting judge, of "draft", "rewrite" and "output"; the filtering judge's are in `scores`,
    and in `filter_rewards` for kept outputs that are not the whole rewrite. `contradicts` holds
    the NLI verdicts by `output_key`, of the judges "report" and "filter". `wrong` holds the ids of
    raw samples whose annotation is known to be wrong (`truth.wrong_annotations`); without it
    drafts are judged by `truth`. `truth` and `faithful` see only the sample and texts. Raises
    UserError if a candidate has no score, decision or sample.
    """
    scored = {(row["sample_id"], row["candidate"]): row for row in scores.to_pylist()}
    decided = {(row["sample_id"], row["candidate"]): row for row in decisions.to_pylist()}
    verdicts = contradicts or {}
    rows: list[dict[str, Any]] = []
    for row in candidates.to_pylist():
        sample_id, candidate = row["sample_id"], row["candidate"]
        key, name = (sample_id, candidate), output_key(sample_id, candidate)
        if key not in scored or key not in decided or sample_id not in samples:
            raise UserError(
                f"rewrite {sample_id} ({candidate}) has no score, decision or sample: "
                "run `dvc repro filter`"
            )
        sample, decision, score = samples[sample_id], decided[key], scored[key]
        kept = decision["decision"] == "kept"
        rewrite, output, draft = row["rewrite"], decision["output"], row["draft"]
        whole = output == rewrite.strip()
        factual, rewarded = truth(sample, rewrite), rewards.get("rewrite", {}).get(name)
        of_output = {"report": rewarded, "filter": score["reward"]}
        if not whole:
            of_output = {
                "report": rewards.get("output", {}).get(name),
                "filter": (filter_rewards or {}).get("output", {}).get(name),
            }
        rows.append(
            {
                "sample_id": sample_id,
                "candidate": candidate,
                "source": row["source"],
                "task": row["task"],
                "pair": pair_key(sample),
                "decision": decision["decision"],
                "reason": decision["reason"],
                "draft_factual": truth(sample, draft) if wrong is None else sample_id not in wrong,
                "factual": factual,
                "output_factual": (factual if whole else truth(sample, output)) if kept else None,
                "faithful": faithful(sample, draft, output if kept else rewrite),
                "draft_reward": rewards.get("draft", {}).get(name),
                "reward": rewarded,
                "output_reward": of_output["report"] if kept else None,
                "filter_draft_reward": score["draft_reward"],
                "filter_output_reward": of_output["filter"] if kept else None,
                "contradicts": verdicts.get("report", {}).get(name) if kept else None,
                "filter_contradicts": verdicts.get("filter", {}).get(name) if kept else None,
            }
        )
    return pa.Table.from_pylist(rows, schema=CHECK_SCHEMA)


def rewrite_wins(checks: Sequence[Mapping[str, Any]], judge: str = "") -> list[float]:
    """1, 0 or a half for each kept output with rewards: does it beat its own draft?

    `judge` is "" for the reporting judge, "filter_" for the one that filtered.
    """
    return [
        win(row[f"{judge}output_reward"], row[f"{judge}draft_reward"])
        for row in checks
        if row[f"{judge}output_reward"] is not None and row[f"{judge}draft_reward"] is not None
    ]


# Figure -> the column of CHECK_SCHEMA and the rows that it is a macro-average of.
MACRO = {
    "all_faithful": ("faithful", "all"),
    "kept_faithful": ("faithful", "kept"),
    "all_factual": ("factual", "all"),
    "kept_factual": ("output_factual", "kept"),
    "kept_factual_right_drafts": ("output_factual", "right"),
    "kept_contradicts": ("contradicts", "kept"),
    "kept_contradicts_filter_judge": ("filter_contradicts", "kept"),
}


def groups_of(checks: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Mapping[str, Any]]]:
    """All checked candidates, the kept ones, and of those the ones whose draft is right."""
    kept = [row for row in checks if row["decision"] == "kept"]
    return {"all": checks, "kept": kept, "right": [row for row in kept if row["draft_factual"]]}


def rewrite_figures(
    checks: Sequence[Mapping[str, Any]], boot: SampleBootstrap | None = None, name: str = ""
) -> dict[str, Any]:
    """Figures over checked candidates (rows of CHECK_SCHEMA), of one source or of all.

    The shares in MACRO are averages over distinct (question, draft) pairs, null where nothing can
    be checked; `per_rewrite` holds the plain ones. `intervals` are there with a `boot`, `name`
    tells its draws apart. Of the drafts known to be wrong, `wrong` counts those kept wrong,
    repaired (kept and true) and rejected: a rewriter cannot mend an annotation by reading it.
    """
    groups = groups_of(checks)
    kept = groups["kept"]
    wrong = [row for row in checks if row["draft_factual"] is False]
    wrong_kept = [row for row in wrong if row["decision"] == "kept"]
    repaired = sum(row["output_factual"] is True for row in wrong_kept)
    macro = {
        figure: mean_of(pair_means(groups[group], column).values())
        for figure, (column, group) in MACRO.items()
    }
    return {
        **macro,
        "samples": len({row["sample_id"] for row in checks}),
        "pairs": len({row["pair"] for row in checks}),
        "pairs_kept": len({row["pair"] for row in kept}),
        "candidates": len(checks),
        "kept": len(kept),
        "kept_share": len(kept) / len(checks) if checks else None,
        "draft_factual": mean_of(row["draft_factual"] for row in checks),
        "per_rewrite": {
            figure: mean_of(row[column] for row in groups[group])
            for figure, (column, group) in MACRO.items()
        },
        "intervals": {}
        if boot is None
        else {
            figure: as_json(boot.over_pairs(f"{name}{figure}", groups[group], column))
            for figure, (column, group) in MACRO.items()
        },
        "wrong": {
            "drafts": len(wrong),
            "kept_wrong": len(wrong_kept) - repaired,
            "repaired": repaired,
            "rejected": len(wrong) - len(wrong_kept),
        },
        "reward_draft": mean_of(row["draft_reward"] for row in checks),
        "reward_rewrite": mean_of(row["reward"] for row in checks),
        "reward_kept_draft": mean_of(row["draft_reward"] for row in kept),
        "reward_kept": mean_of(row["output_reward"] for row in kept),
        "win_rate": mean_of(rewrite_wins(kept)),
        "win_rate_filter_judge": mean_of(rewrite_wins(kept, "filter_")),
    }


def by_source(checks: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """The checked candidates of each source, sources in order of name."""
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for row in checks:
        grouped.setdefault(row["source"], []).append(row)
    return {source: grouped[source] for source in sorted(grouped)}


def funnel(
    checks: Sequence[Mapping[str, Any]],
    rejected: Mapping[str, int],
    filters: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """What became of every id, a row a source: ids in = rejected + kept + all dropped.

    `rejected` counts the samples of each source that were not rewritten; `filters` names the
    reasons in the order of the filters (others follow by name). A candidate counts for the
    first filter it fails. Keys: source, ids_in, rejected, dropped {reason: count}, kept.
    """
    reasons = Counter(row["reason"] for row in checks if row["decision"] != "kept")
    order = [reason for reason in filters if reason in reasons]
    order += sorted(reasons.keys() - set(order))
    grouped = by_source(checks)
    rows = []
    for source in sorted(grouped.keys() | rejected.keys()):
        own = grouped.get(source, [])
        failed = Counter(row["reason"] for row in own if row["decision"] != "kept")
        lost = rejected.get(source, 0)
        rows.append(
            {
                "source": source,
                "ids_in": len(own) + lost,
                "rejected": lost,
                "dropped": [{"reason": reason, "count": failed[reason]} for reason in order],
                "kept": sum(row["decision"] == "kept" for row in own),
            }
        )
    return rows


def gallery(rows: Sequence[Mapping[str, Any]], number: int) -> list[Mapping[str, Any]]:
    """Choose `number` candidates by hash, kept and dropped of every source in turn.

    Nobody picks: within a source and decision the order is that of a hash of the id. Rows need
    sample_id, candidate, source and decision; all are returned if there are fewer. The result is
    ordered by source, kept first.
    """
    groups: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["source"], row["decision"] != "kept"), []).append(row)
    for members in groups.values():
        members.sort(key=lambda row: derive(0, "gallery", row["sample_id"], row["candidate"]))
    chosen: dict[tuple[str, bool], list[Mapping[str, Any]]] = {key: [] for key in sorted(groups)}
    left = min(number, len(rows))
    while left:
        for key, members in chosen.items():
            if left and len(members) < len(groups[key]):
                members.append(groups[key][len(members)])
                left -= 1
    return [row for members in chosen.values() for row in members]
