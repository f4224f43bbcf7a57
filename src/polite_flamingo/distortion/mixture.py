"""The mixture of distortion strategies: who gets which, and pairs or rejects for every turn."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Reject, Sample
from polite_flamingo.core.seeds import unit
from polite_flamingo.distortion import Undistorted
from polite_flamingo.distortion.annotations import (
    Annotation,
    annotation_of,
    asks_description,
    draft_from,
)
from polite_flamingo.distortion.llm_instructed import StyleCommand, draw_command, instruct
from polite_flamingo.models.llm import LLM

STAGE = "distort"
STRATEGIES = ("llm_instructed", "noise", "annotations")
# Draws of one pair before its draft counts as unchanged or as a repeat of another variant.
ATTEMPTS = 4

PAIR_SCHEMA = pa.schema(
    [
        pa.field("pair_id", pa.string(), nullable=False),
        pa.field("parent_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("images", pa.list_(pa.string()), nullable=False),
        pa.field("instruction", pa.string(), nullable=False),
        pa.field("draft", pa.string(), nullable=False),
        pa.field("response", pa.string(), nullable=False),
        pa.field("strategy", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Pair:
    """A draft and the polite response it came from; one row of pairs.parquet."""

    pair_id: str
    parent_id: str
    source: str
    task: str
    images: tuple[str, ...]
    instruction: str
    draft: str
    response: str
    strategy: str
    split: str


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Everything that decides how a turn is distorted.

    ``shares`` gives each strategy's share (any scale); ``annotations`` the captions and boxes by
    image id, for samples that carry none themselves.
    """

    seed: int
    shares: Mapping[str, float]
    llm: LLM
    variants: int = 1
    val_share: float = 0.0
    commands: Sequence[StyleCommand] = ()
    command_probability: float = 0.5
    annotations: Mapping[str, Annotation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.shares) - set(STRATEGIES))
        if unknown:
            known = ", ".join(STRATEGIES)
            raise UserError(f"distort.shares: unknown strategy {unknown[0]!r}: choose of {known}")
        if min(self.shares.values(), default=0.0) < 0 or sum(self.shares.values()) <= 0:
            raise UserError("distort.shares: give every strategy a share of 0 or more, one above 0")


def choose_strategy(
    shares: Mapping[str, float], eligible: Sequence[str], draw: float
) -> str | None:
    """Pick among the eligible strategies by their shares; ``draw`` is uniform in [0, 1).

    None where every eligible strategy has share zero.
    """
    weights = [(name, shares.get(name, 0.0)) for name in STRATEGIES if name in eligible]
    weights = [(name, weight) for name, weight in weights if weight > 0]
    place = draw * sum(weight for _, weight in weights)
    for name, weight in weights:
        place -= weight
        if place < 0:
            return name
    return weights[-1][0] if weights else None


def pair_ids(sample: Sample, variants: int) -> list[str]:
    """List the id of every pair a sample should give: ``{sample_id}#t{turn}.{variant}``."""
    return [
        f"{sample.sample_id}#t{turn}.{variant}"
        for turn in range(len(sample.turns))
        for variant in range(variants)
    ]


def distort_sample(sample: Sample, mixture: Mixture) -> tuple[list[Pair], list[Reject]]:
    """Distort every turn of a polite sample, ``mixture.variants`` times.

    Every pair id comes back once, as a pair or as a reject whose ``position`` it is. A pure
    function of sample and mixture (as far as the LLM is). Train and val are drawn by sample, so
    that no response is in both.
    """
    split = "val" if unit(mixture.seed, "split", sample.sample_id) < mixture.val_share else "train"
    identities = iter(pair_ids(sample, mixture.variants))
    pairs: list[Pair] = []
    rejects: list[Reject] = []
    for place, turn in enumerate(sample.turns):
        taken: set[str] = set()
        for _ in range(mixture.variants):
            identity = next(identities)
            try:
                strategy, draft = _distort_turn(sample, place, identity, mixture, taken)
            except Undistorted as error:
                rejects.append(
                    Reject(
                        STAGE,
                        sample.source,
                        sample.sample_id,
                        identity,
                        error.reason,
                        error.detail[:300],
                    )
                )
                continue
            taken.add(draft)
            pairs.append(
                Pair(
                    pair_id=identity,
                    parent_id=sample.sample_id,
                    source=sample.source,
                    task=sample.task,
                    images=sample.images,
                    instruction=turn.instruction,
                    draft=draft,
                    response=turn.response,
                    strategy=strategy,
                    split=split,
                )
            )
    return pairs, rejects


def _distort_turn(
    sample: Sample, place: int, identity: str, mixture: Mixture, taken: set[str]
) -> tuple[str, str]:
    turn = sample.turns[place]
    if not turn.response.strip():
        raise Undistorted("empty_response")
    annotation = annotation_of(sample, mixture.annotations)
    eligible = ["llm_instructed", "noise"]
    if annotation is not None and asks_description(turn):
        eligible.append("annotations")
    draw = unit(mixture.seed, "strategy", identity)
    strategy = choose_strategy(mixture.shares, eligible, draw)
    if strategy is None:
        raise Undistorted("no_strategy", "no strategy with a share fits this turn")
    if strategy == "annotations" and annotation is not None:
        draft = draft_from(annotation)
        if draft in taken:
            raise Undistorted("repeated_draft", "captions and boxes give one draft an image")
        return strategy, draft
    problem = Undistorted("unchanged", "the draft equals the response")
    for attempt in range(ATTEMPTS):
        if strategy == "noise":
            draft = _noise(turn.response, mixture.seed, identity, attempt)
        else:
            command = draw_command(
                mixture.commands, mixture.command_probability, mixture.seed, identity, attempt
            )
            draft = instruct(
                mixture.llm,
                sample.turns[: place + 1],
                command,
                mixture.seed,
                identity,
                attempt,
            )
        if not draft.strip():
            problem = Undistorted("empty_draft", "nothing is left of the response")
        elif draft.strip() == turn.response.strip():
            problem = Undistorted("unchanged", "the draft equals the response")
        elif draft in taken:
            problem = Undistorted("repeated_draft", "another variant of the turn has this draft")
        else:
            return strategy, draft
    raise problem


def _noise(text: str, seed: int, identity: str, attempt: int) -> str:
    # nlpaug takes seconds to import: only where noise is wanted.
    from polite_flamingo.distortion.noise import add_noise

    return add_noise(text, seed, "noise", identity, attempt)


def pairs_to_table(pairs: Iterable[Pair]) -> pa.Table:
    """Turn pairs into a table of :data:`PAIR_SCHEMA`, order kept."""
    rows = [{**vars(pair), "images": list(pair.images)} for pair in pairs]
    return pa.Table.from_pylist(rows, schema=PAIR_SCHEMA)


def summarise(pairs: pa.Table, rejects: pa.Table) -> dict[str, Any]:
    """Count pairs and rejects, and give each strategy's mean length ratio (words, draft/response).

    Counts add up over shards, ratios do not: call it on the whole tables.
    """
    ratios: dict[str, list[float]] = defaultdict(list)
    for row in pairs.select(["strategy", "draft", "response"]).to_pylist():
        long = max(1, len(row["response"].split()))
        ratios[row["strategy"]].append(len(row["draft"].split()) / long)
    return {
        "pairs": pairs.num_rows,
        "rejected": rejects.num_rows,
        "by_strategy": {
            name: {
                "pairs": len(ratios[name]),
                "mean_length_ratio": sum(ratios[name]) / len(ratios[name]) if ratios[name] else 0.0,
            }
            for name in STRATEGIES
        },
        "by_source": dict(sorted(Counter(pairs["source"].to_pylist()).items())),
        "by_split": dict(sorted(Counter(pairs["split"].to_pylist()).items())),
        "by_reject_reason": dict(sorted(Counter(rejects["reason"].to_pylist()).items())),
    }
