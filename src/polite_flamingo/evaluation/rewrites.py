"""Checks of rewrites against their drafts and the truth, and the filter funnel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Sample
from polite_flamingo.core.seeds import derive
from polite_flamingo.evaluation.metrics import mean_of
from polite_flamingo.evaluation.truth import ANSWERABLE, Answer, Truth
from polite_flamingo.evaluation.win_rates import win

CHECK_SCHEMA = pa.schema(
    [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("candidate", pa.int32(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("decision", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("draft_factual", pa.bool_()),  # is the annotation itself true? by its record
        pa.field("factual", pa.bool_()),  # is the rewrite true, before paragraphs are removed?
        pa.field("output_factual", pa.bool_()),  # is the kept output true? null if dropped
        pa.field("faithful", pa.bool_()),  # does it give the draft's answer? null without one
        pa.field("draft_reward", pa.float64()),
        pa.field("reward", pa.float64()),
        pa.field("output_reward", pa.float64()),  # null if dropped
    ]
)


def output_key(sample_id: str, candidate: int) -> str:
    """The id under which ratings.parquet holds the reward of a kept output."""
    return f"{sample_id}#{candidate}"


def rated_texts(
    candidates: pa.Table, decisions: pa.Table, style: Iterable[Sample], test: Iterable[Sample]
) -> list[dict[str, str]]:
    """The texts, other than models' responses, whose rewards the figures need.

    Rows of model, control (""), sample_id, instruction, text. Models: "output" (kept outputs that
    are not the whole rewrite, under `output_key` ids; the others have the rewrite's reward),
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

    outputs = {
        (row["sample_id"], row["candidate"]): row["output"]
        for row in decisions.to_pylist()
        if row["decision"] == "kept"
    }
    for row in candidates.to_pylist():
        key = (row["sample_id"], row["candidate"])
        if key in outputs and outputs[key] != row["rewrite"].strip():
            add("output", output_key(*key), row["instruction"], outputs[key])
    for model, samples in (("style", style), ("annotation", test)):
        for sample in samples:
            first = sample.turns[0]
            add(model, sample.sample_id, first.instruction, first.response)
    return rows


def check_rewrites(
    candidates: pa.Table,
    scores: pa.Table,
    decisions: pa.Table,
    samples: Mapping[str, Sample],
    rewards: Mapping[str, Mapping[str, float]],
    truth: Truth,
    answer: Answer,
    wrong: Container[str] | None = None,
) -> pa.Table:
    """Check every candidate; a table of CHECK_SCHEMA in the order of `candidates`.

    `samples` maps sample ids to raw samples; of `rewards` (`rewards_by_model(ratings)`) the model
    "output" is used, for kept outputs that are not the whole rewrite. `wrong` holds the ids of raw
    samples whose annotation is known to be wrong (`truth.wrong_annotations`); without it drafts
    are judged by `truth`. `truth` and `answer` see only the sample and one text. Raises UserError
    if a candidate has no score, decision or sample.
    """
    output_rewards = rewards.get("output", {})
    scored = {(row["sample_id"], row["candidate"]): row for row in scores.to_pylist()}
    decided = {(row["sample_id"], row["candidate"]): row for row in decisions.to_pylist()}
    rows: list[dict[str, Any]] = []
    for row in candidates.to_pylist():
        sample_id, candidate = row["sample_id"], row["candidate"]
        key = (sample_id, candidate)
        if key not in scored or key not in decided or sample_id not in samples:
            raise UserError(
                f"rewrite {sample_id} ({candidate}) has no score, decision or sample: "
                "run `dvc repro filter`"
            )
        sample, decision = samples[sample_id], decided[key]
        kept = decision["decision"] == "kept"
        rewrite, output = row["rewrite"], decision["output"]
        whole = output == rewrite.strip()
        factual, rewarded = truth(sample, rewrite), scored[key]["reward"]
        faithful = None
        if row["task"] in ANSWERABLE:
            meant = answer(sample, row["draft"])
            if meant is not None:
                faithful = answer(sample, output if kept else rewrite) == meant
        rows.append(
            {
                "sample_id": sample_id,
                "candidate": candidate,
                "source": row["source"],
                "task": row["task"],
                "decision": decision["decision"],
                "reason": decision["reason"],
                "draft_factual": truth(sample, row["draft"])
                if wrong is None
                else sample_id not in wrong,
                "factual": factual,
                "output_factual": (factual if whole else truth(sample, output)) if kept else None,
                "faithful": faithful,
                "draft_reward": scored[key]["draft_reward"],
                "reward": rewarded,
                "output_reward": (rewarded if whole else output_rewards.get(output_key(*key)))
                if kept
                else None,
            }
        )
    return pa.Table.from_pylist(rows, schema=CHECK_SCHEMA)


def share_true(rows: Iterable[Mapping[str, Any]], key: str) -> float | None:
    """Share of true among the rows where `key` is not null; None if it is null in all."""
    return mean_of(row[key] for row in rows)


def rewrite_wins(checks: Sequence[Mapping[str, Any]]) -> list[float]:
    """1, 0 or a half for each kept output with rewards: does it beat its own draft?"""
    return [
        win(row["output_reward"], row["draft_reward"])
        for row in checks
        if row["output_reward"] is not None and row["draft_reward"] is not None
    ]


def rewrite_figures(checks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures over checked candidates (rows of CHECK_SCHEMA), of one source or of all.

    Shares are 0..1 over the candidates that can be checked, null where none can. A rewriter
    cannot mend an annotation that is wrong, so drafts known to be wrong are also counted apart
    (`wrong_drafts`, of which `wrong_drafts_kept` were kept and `wrong_drafts_kept_factual`
    came out true); `kept_factual_right_drafts` is over the other drafts.
    """
    kept = [row for row in checks if row["decision"] == "kept"]
    wrong = [row for row in checks if row["draft_factual"] is False]
    wrong_kept = [row for row in wrong if row["decision"] == "kept"]
    right_kept = [row for row in kept if row["draft_factual"]]
    gains = rewrite_wins(kept)
    return {
        "samples": len({row["sample_id"] for row in checks}),
        "candidates": len(checks),
        "kept": len(kept),
        "kept_share": len(kept) / len(checks) if checks else None,
        "all_faithful": share_true(checks, "faithful"),
        "kept_faithful": share_true(kept, "faithful"),
        "draft_factual": share_true(checks, "draft_factual"),
        "all_factual": share_true(checks, "factual"),
        "kept_factual": share_true(kept, "output_factual"),
        "kept_factual_right_drafts": share_true(right_kept, "output_factual"),
        "kept_checked": sum(row["output_factual"] is not None for row in kept),
        "wrong_drafts": len(wrong),
        "wrong_drafts_kept": len(wrong_kept),
        "wrong_drafts_kept_factual": share_true(wrong_kept, "output_factual"),
        "reward_draft": mean_of(row["draft_reward"] for row in checks),
        "reward_rewrite": mean_of(row["reward"] for row in checks),
        "reward_kept_draft": mean_of(row["draft_reward"] for row in kept),
        "reward_kept": mean_of(row["output_reward"] for row in kept),
        "win_rate": mean_of(gains),
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
