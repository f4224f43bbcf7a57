"""Run a rewriter over raw annotations, shard by shard, so that a killed run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from polite_flamingo.core.balance import answer_weights, weighted_choice
from polite_flamingo.core.journal import progress
from polite_flamingo.core.sample import Sample
from polite_flamingo.core.seeds import unit
from polite_flamingo.core.tables import read_table, write_table

CANDIDATE_SCHEMA = pa.schema(
    [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("candidate", pa.int32(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("images", pa.list_(pa.string()), nullable=False),
        pa.field("instruction", pa.string(), nullable=False),
        pa.field("draft", pa.string(), nullable=False),
        pa.field("rewrite", pa.string(), nullable=False),
        pa.field("new_tokens", pa.int32(), nullable=False),
        pa.field("stopped", pa.bool_(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Rewrite:
    """What a rewriter made of one draft; ``stopped`` is False where it ran into the limit."""

    text: str
    new_tokens: int
    stopped: bool


# A system under one interface: samples in, one rewrite each in the same order.
Rewriter = Callable[[Sequence[Sample]], Sequence[Rewrite]]


def choose(samples: Iterable[Sample], limits: dict[str, int], seed: int) -> list[Sample]:
    """Cap each source named in ``limits`` by a seeded hash of the sample id; order is kept.

    A question's answers are drawn equally often: of easy-VQA's yes/no questions one in seven is
    answered against the odds, and only those show whether the model looks.
    """
    samples = list(samples)
    chosen: set[str] = set()
    for source in sorted({sample.source for sample in samples}):
        # By id, so that equal keys fall alike in any order.
        given = sorted(
            (sample for sample in samples if sample.source == source),
            key=lambda sample: sample.sample_id,
        )
        pairs = [(sample.turns[0].instruction, sample.turns[0].response) for sample in given]
        weights = answer_weights(pairs)
        places = weighted_choice(
            [unit(seed, "choose", sample.sample_id) for sample in given],
            [weights[pair] for pair in pairs],
            limits.get(source, len(given)),
        )
        chosen.update(given[place].sample_id for place in places)
    return [sample for sample in samples if sample.sample_id in chosen]


def run(samples: Sequence[Sample], rewriter: Rewriter, shard_size: int, work: Path) -> pa.Table:
    """Rewrite every sample's draft; return candidates (:data:`CANDIDATE_SCHEMA`) in input order.

    Shards of ``shard_size`` samples are written to ``work`` as they are done and read back after a
    kill; ``work`` must belong to these samples and this rewriter (see ``core.journal``).
    """
    shards = [samples[at : at + shard_size] for at in range(0, len(samples), shard_size)]
    tables = []
    for number, shard in enumerate(progress(shards, desc="rewriting", unit="shard")):
        path = work / f"candidates-{number:05d}.parquet"
        if not path.is_file():
            write_table(path, _rewrite_shard(shard, rewriter))
        tables.append(read_table(path).cast(CANDIDATE_SCHEMA))
    return pa.concat_tables(tables) if tables else CANDIDATE_SCHEMA.empty_table()


def _rewrite_shard(shard: Sequence[Sample], rewriter: Rewriter) -> pa.Table:
    rows = [
        {
            "sample_id": sample.sample_id,
            "candidate": 0,
            "source": sample.source,
            "task": sample.task,
            "images": list(sample.images),
            "instruction": sample.turns[0].instruction,
            "draft": sample.turns[0].response,
            "rewrite": rewrite.text,
            "new_tokens": rewrite.new_tokens,
            "stopped": rewrite.stopped,
        }
        for sample, rewrite in zip(shard, rewriter(shard), strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=CANDIDATE_SCHEMA)
