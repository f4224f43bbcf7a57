"""Score every candidate, decide, and write the kept ones as the PF data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from polite_flamingo.core.boxes import has_boxes, strip_boxes
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import account, atomic_dir, progress
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.sample import Sample, Turn, samples_to_table
from polite_flamingo.core.tables import read_json, read_samples, read_table, write_json, write_table
from polite_flamingo.filters import answers, facts, rules
from polite_flamingo.filters.decide import (
    Decision,
    Scores,
    Thresholds,
    applies,
    contradiction_margin,
    decide,
)

if TYPE_CHECKING:
    from PIL.Image import Image

Row = Mapping[str, Any]

# Rows scored together: long enough to sort by length and to share repeated texts.
_CHUNK = 4096


def filter_rewrites(params: Params, paths: Layout) -> None:
    """Filter data/rewrites -> data/filtered (METHOD section 5)."""
    import pyarrow as pa

    from polite_flamingo.core.shards import ImageStore
    from polite_flamingo.judges import reward

    rows = read_table(paths.rewrites / "candidates.parquet").to_pylist()
    raw = _raw_samples(paths, rows)
    thresholds = Thresholds(
        min_words=params.filter.min_words,
        max_words=params.filter.max_words,
        **read_json(paths.thresholds)["thresholds"],
    )
    scores = score_rewrites(rows, params, paths, ImageStore(paths.images).open)
    decisions = [
        decide(row["task"], row["rewrite"], score, thresholds)
        for row, score in zip(rows, scores, strict=True)
    ]
    judge = reward.load(paths.judges / "reward", params.judges.reward.max_length)
    instructions = [row["instruction"] for row in rows]
    rewards, draft_rewards = (
        reward.reward(judge, instructions, [row[name] for row in rows], params.filter.batch_size)
        for name in ("rewrite", "draft")
    )
    keys = [{"sample_id": row["sample_id"], "candidate": row["candidate"]} for row in rows]
    score_rows = [
        {**key, **asdict(score), "reward": float(rewarded), "draft_reward": float(drafted)}
        for key, score, rewarded, drafted in zip(keys, scores, rewards, draft_rewards, strict=True)
    ]
    kept = [
        _kept_sample(row, decision, raw)
        for row, decision in zip(rows, decisions, strict=True)
        if decision.decision == "kept"
    ]
    account(
        "filter",
        [_kept_id(row) for row in rows],
        [sample.sample_id for sample in kept],
        [_kept_id(r) for r, d in zip(rows, decisions, strict=True) if d.decision == "dropped"],
    )
    decision_rows = [{**key, **asdict(item)} for key, item in zip(keys, decisions, strict=True)]
    with atomic_dir(paths.filtered) as folder:
        write_table(folder / "scores.parquet", pa.Table.from_pylist(score_rows, _score_schema()))
        write_table(
            folder / "decisions.parquet", pa.Table.from_pylist(decision_rows, _decision_schema())
        )
        write_table(folder / "kept.parquet", samples_to_table(kept))
        write_json(folder / "stats.json", _stats(rows, score_rows, decisions))


def score_rewrites(
    rows: Sequence[Row], params: Params, paths: Layout, open_image: Callable[[str], Image]
) -> list[Scores]:
    """Score rewrites with the rules and with the judges that speak on their tasks.

    A row has task, instruction, draft, rewrite, images (keys of ``open_image``) and stopped.
    """
    from polite_flamingo.judges import clipscore, entailment, similarity

    size = params.filter.batch_size
    sts_model = similarity.load(params.judges.similarity)
    nli_model = entailment.load(paths.judges / "nli", params.judges.nli.max_length)
    clip_model = clipscore.load(_clip_source(paths))
    scores = [
        Scores(
            length=rules.word_count(row["rewrite"]),
            change=rules.unchanged_share(row["draft"], row["rewrite"]),
            repetition=rules.repetition(row["rewrite"]),
            boxes=has_boxes(row["rewrite"]),
            stopped=row["stopped"],
            ended=rules.is_ended(row["rewrite"]),
            echo=rules.echo(row["instruction"], row["rewrite"]),
            lost=lost,
            foreign=foreign,
        )
        for row in progress(rows, desc="rules", unit="rewrite")
        for lost, foreign in (_facts(row),)
    ]
    for start in progress(range(0, len(rows), _CHUNK), desc="judges", unit="chunk"):
        chunk = range(start, min(start + _CHUNK, len(rows)))
        on_sts, on_clip, on_nli, on_lines = (
            [i for i in chunk if applies(judge, rows[i]["task"])]
            for judge in ("sts", "clipscore", "nli", "nli_lines")
        )
        # What the boxes say is not for a sentence encoder.
        originals = [strip_boxes(rows[i]["draft"]) for i in on_sts]
        cosines = similarity.similarity(
            sts_model, originals, [rows[i]["rewrite"] for i in on_sts], size
        )
        for i, cosine in zip(on_sts, cosines.tolist(), strict=True):
            scores[i] = replace(scores[i], sts=cosine)
        seen = {
            key: open_image(key) for key in dict.fromkeys(rows[i]["images"][0] for i in on_clip)
        }
        found = clipscore.paragraph_scores(
            clip_model,
            [seen[rows[i]["images"][0]] for i in on_clip],
            [rules.paragraphs(rows[i]["rewrite"]) for i in on_clip],
            size,
        )
        for i, values in zip(on_clip, found, strict=True):
            scores[i] = replace(scores[i], clipscore=tuple(values))
        # Many captions of one image differ in typing only, and answers repeat themselves.
        pairs = {i: _nli_pairs(rows[i]) for i in (*on_nli, *on_lines)}
        distinct = list(dict.fromkeys(pair for some in pairs.values() for pair in some))
        logits = entailment.entailment_logits(nli_model, distinct, size)
        of_pair = dict(zip(distinct, map(tuple, logits.tolist()), strict=True))
        for i, some in pairs.items():
            found_logits = [of_pair[pair] for pair in some]
            if found_logits:
                scores[i] = replace(scores[i], nli=max(found_logits, key=contradiction_margin))
    return scores


def _facts(row: Row) -> tuple[float, float]:
    """Scores of the word lists: what the rewrite loses of the annotation, and what it adds."""
    draft, rewrite = row["draft"], row["rewrite"]
    if row["task"] == "captioning":
        return facts.described(draft, rewrite)
    if row["task"] == "change_captioning":
        return facts.changed(draft, rewrite)
    is_class = row["task"] == "classification"
    return answers.answered(row["instruction"], draft, rewrite, is_class)


def _nli_pairs(row: Row) -> list[tuple[str, str]]:
    """Rewrite and annotation as premise and hypothesis; captions and changes line by line."""
    from polite_flamingo.judges.entailment import vqa_hypothesis, vqa_premise

    question = row["instruction"]
    lines = [row["draft"]]
    if applies("nli_lines", row["task"]):
        lines = [line for line in strip_boxes(row["draft"]).split("\n") if line.strip()]
    # A line without a word to read (all of it boxes) leaves the rewrite unchecked, hence not kept.
    premise = vqa_premise(row["rewrite"], question)
    return [(premise, vqa_hypothesis(line, question)) for line in dict.fromkeys(lines)]


def _clip_source(paths: Layout) -> Any:
    named = paths.judges / "clipscore" / "source.json"
    return read_json(named)["source"] if named.is_file() else paths.judges / "clipscore"


def _raw_samples(paths: Layout, rows: Sequence[Row]) -> dict[str, Sample]:
    samples = read_samples(paths.samples, sorted({row["source"] for row in rows}))
    raw = {sample.sample_id: sample for sample in samples}
    for row in rows:
        if row["sample_id"] not in raw:
            raise UserError(f"{row['sample_id']} has no raw sample: run ingest and rewrite again")
    return raw


def _kept_id(row: Row) -> str:
    return f"{row['sample_id']}#{row['candidate']}"


def _kept_sample(row: Row, decision: Decision, raw: Mapping[str, Sample]) -> Sample:
    sample = raw[row["sample_id"]]
    return replace(
        sample,
        sample_id=_kept_id(row),
        parent_id=sample.sample_id,
        turns=(Turn(row["instruction"], decision.output),),
        extra={**sample.extra, "draft": row["draft"]},
    )


def _score_schema() -> Any:
    import pyarrow as pa

    return pa.schema(
        [
            ("sample_id", pa.string()),
            ("candidate", pa.int32()),
            ("length", pa.int32()),
            ("change", pa.float64()),
            ("repetition", pa.float64()),
            ("boxes", pa.bool_()),
            ("stopped", pa.bool_()),
            ("ended", pa.bool_()),
            ("echo", pa.float64()),
            ("lost", pa.float64()),
            ("foreign", pa.float64()),
            ("sts", pa.float64()),
            ("clipscore", pa.list_(pa.float64())),
            ("nli", pa.list_(pa.float64())),
            ("reward", pa.float64()),
            ("draft_reward", pa.float64()),
        ]
    )


def _decision_schema() -> Any:
    import pyarrow as pa

    return pa.schema(
        [
            ("sample_id", pa.string()),
            ("candidate", pa.int32()),
            ("decision", pa.string()),
            ("reason", pa.string()),
            ("filters", pa.list_(pa.string())),
            ("output", pa.string()),
        ]
    )


def _stats(
    rows: Sequence[Row], scores: Sequence[Row], decisions: Sequence[Decision]
) -> dict[str, Any]:
    """Counts and mean rewards, over all sources and for each."""
    groups: dict[str, list[int]] = {"all": list(range(len(rows)))}
    for place, row in enumerate(rows):
        groups.setdefault(row["source"], []).append(place)
    return {name: _group_stats(places, rows, scores, decisions) for name, places in groups.items()}


def _group_stats(
    places: Sequence[int], rows: Sequence[Row], scores: Sequence[Row], decisions: Sequence[Decision]
) -> dict[str, Any]:
    kept = [i for i in places if decisions[i].decision == "kept"]
    shortened = [i for i in kept if decisions[i].output != rows[i]["rewrite"].strip()]
    return {
        "candidates": len(places),
        "kept": len(kept),
        "kept_share": len(kept) / max(1, len(places)),
        "paragraphs_removed": len(shortened),
        "dropped_by_first": Counter(decisions[i].reason for i in places if decisions[i].reason),
        "dropped_by_any": Counter(name for i in places for name in decisions[i].filters),
        "mean_reward_rewrites": _mean([scores[i]["reward"] for i in places]),
        "mean_reward_kept": _mean([scores[i]["reward"] for i in kept]),
        "mean_reward_drafts": _mean([scores[i]["draft_reward"] for i in places]),
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
