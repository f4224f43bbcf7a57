"""The suites of the data gate, as data: one rule a line, bounds from the parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from polite_flamingo.core.params import Params
from polite_flamingo.core.sample import SAMPLE_SCHEMA, TASKS

# Text that belongs to prompts and tokenizers, never to data.
SPECIAL_TOKENS = (
    r"<\|[^|>]*\|>|<image>|<img_path>|</?s>|<(?:pad|unk|bos|eos|mask)>|###\s*(?:Human|Assistant)\b"
)
# Four numbers in 0..1 in brackets, as the box lines of drafts have them (METHOD section 3).
BOX = r"\[\s*[01]?\.\d+(?:\s*,\s*[01]?\.\d+){3}\s*\]"

PAIR_COLUMNS = (
    "pair_id", "parent_id", "source", "task", "images", "instruction", "draft", "response",
    "strategy", "split",
)  # fmt: skip
CANDIDATE_COLUMNS = (
    "sample_id", "candidate", "source", "task", "images", "instruction", "draft", "rewrite",
    "new_tokens", "stopped",
)  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One expectation of Great Expectations and the words that explain its failure.

    ``says`` completes "3 of 4,120 rows ..." for rules on rows, and "...: 0.31 (expected at least
    0.5)" for rules on a whole column or table.
    """

    expect: str
    says: str
    column: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """The rules of one table; the table has the suite's name."""

    name: str
    rules: tuple[Rule, ...]


def all_suites(params: Params, faults: Sequence[str] = ()) -> tuple[Suite, ...]:
    """Every suite of the gate with the bounds of ``params``; ``faults`` are those planted."""
    floors = params.validate
    strategies = tuple(name for name, share in params.distort.shares.items() if share > 0)
    held_out = tuple(params.evaluate.held_out)
    return (
        samples_suite(params.ingest.sources, floors.min_rows),
        pairs_suite(strategies, held_out, floors.min_rows, floors.min_strategy_share),
        rewrites_suite(params.rewrite.sources, floors.min_rows, floors.max_reject_share),
        decisions_suite(floors.min_kept_share),
        release_suite(held_out, floors.min_rows, floors.min_reward_gain),
        filters_suite(faults, floors.min_fault_recall, floors.max_good_lost),
    )


def samples_suite(sources: Sequence[str], min_rows: int) -> Suite:
    """Ingested samples: schema, ids, splits, images, responses."""
    return Suite(
        "samples",
        (
            columns(SAMPLE_SCHEMA.names),
            row_count(min_rows),
            unique("sample_id"),
            among("split", ("train", "test"), "have an unknown split"),
            among("task", TASKS, "have an unknown task"),
            among("source", sources, "come from a source that params.yaml does not name"),
            covers("source", sources, "sources without a single row"),
            none_of("unknown_images", "name an image that is in no shard"),
            none_of("imageless", "have a visual task but no image"),
            none_of("empty_responses", "have an empty response"),
            absent("responses", SPECIAL_TOKENS, "hold special tokens in a response"),
            none_of("in_both_splits", "have a sample_id in train and in test"),
        ),
    )


def pairs_suite(
    strategies: Sequence[str], held_out: Sequence[str], min_rows: int, min_share: float
) -> Suite:
    """Pairs (draft, response) that the rewriter is trained on."""
    return Suite(
        "pairs",
        (
            columns(PAIR_COLUMNS),
            row_count(min_rows),
            unique("pair_id"),
            among("split", ("train", "val"), "have an unknown split"),
            excludes("source", held_out, "come from a held-out source"),
            filled("draft", "have an empty draft"),
            filled("response", "have an empty response"),
            absent("draft", SPECIAL_TOKENS, "hold special tokens in the draft"),
            absent("response", SPECIAL_TOKENS, "hold special tokens in the response"),
            none_of("undistorted", "have a draft that equals the response"),
            none_of("orphaned", "have a parent that is no sample"),
            none_of("parent_in_test", "are made from a test sample"),
            among("strategy", strategies, "have a strategy that params.yaml does not name"),
            *(
                mean(f"is_{name}", f"share of strategy {name}", minimum=min_share)
                for name in strategies
            ),
        ),
    )


def rewrites_suite(sources: Sequence[str], min_rows: int, max_reject_share: float) -> Suite:
    """Candidates and rejects of the rewriter: every raw sample came out exactly once."""
    return Suite(
        "rewrites",
        (
            columns(CANDIDATE_COLUMNS),
            row_count(min_rows),
            Rule(
                "expect_compound_columns_to_be_unique",
                "repeat a (sample_id, candidate)",
                options={
                    "column_list": ["sample_id", "candidate"],
                    "ignore_row_if": "any_value_is_missing",
                },
            ),
            none_of("orphaned", "have a parent that is no sample"),
            none_of("lost", "are raw samples that neither came out nor were rejected"),
            none_of("contradictory", "are rewritten and rejected"),
            covers("source", sources, "sources without a single rewrite"),
            mean("rejected", "share of rejected samples", maximum=max_reject_share),
        ),
    )


def decisions_suite(min_kept_share: float) -> Suite:
    """The filters' decision on every candidate."""
    return Suite(
        "decisions",
        (
            none_of("undecided", "are candidates without a decision"),
            none_of("unknown", "decide on a candidate that does not exist"),
            none_of("repeated", "decide on a candidate twice"),
            none_of("unexplained", "are dropped without a reason"),
            mean("kept", "kept share", minimum=min_kept_share),
        ),
    )


def release_suite(held_out: Sequence[str], min_rows: int, min_reward_gain: float) -> Suite:
    """The kept rewrites: the PF data set as it is tuned on and released."""
    return Suite(
        "release",
        (
            columns(SAMPLE_SCHEMA.names),
            row_count(min_rows),
            unique("sample_id"),
            none_of("orphaned", "have a parent that is no sample"),
            none_of("parent_in_test", "have a parent in a test split"),
            excludes("source", held_out, "come from a held-out source"),
            excludes("parent_source", held_out, "are made from a held-out sample"),
            none_of("test_images", "show an image of the test split"),
            none_of("undecided", "are not kept by the filters' decisions"),
            none_of("empty_responses", "have an empty response"),
            absent("responses", SPECIAL_TOKENS, "hold special tokens in a response"),
            absent("responses", BOX, "have box coordinates left in the response"),
            mean("reward_gain", "mean reward above the drafts'", minimum=min_reward_gain),
        ),
    )


def filters_suite(faults: Sequence[str], min_recall: float, max_good_lost: float) -> Suite:
    """The filters against planted faults: recall of each, and good rewrites lost."""
    return Suite(
        "filters",
        (
            row_count(1),
            *(
                mean(f"recall_{fault}", f"recall of the planted fault {fault}", minimum=min_recall)
                for fault in faults
            ),
            mean("good_lost", "good rewrites that the filters drop", maximum=max_good_lost),
        ),
    )


def columns(names: Sequence[str]) -> Rule:
    """The table has (at least) these columns."""
    options = {"column_set": list(names), "exact_match": False}
    return Rule("expect_table_columns_to_match_set", "missing columns", options=options)


def row_count(minimum: int) -> Rule:
    """The table has at least ``minimum`` rows."""
    return Rule("expect_table_row_count_to_be_between", "rows", options={"min_value": minimum})


def unique(column: str) -> Rule:
    """No value of the column occurs twice."""
    return Rule("expect_column_values_to_be_unique", f"repeat a {column}", column)


def among(column: str, values: Sequence[str], says: str) -> Rule:
    """Every value is one of ``values``."""
    return Rule("expect_column_values_to_be_in_set", says, column, {"value_set": list(values)})


def excludes(column: str, values: Sequence[str], says: str) -> Rule:
    """No value is one of ``values``."""
    return Rule("expect_column_values_to_not_be_in_set", says, column, {"value_set": list(values)})


def covers(column: str, values: Sequence[str], says: str) -> Rule:
    """Each of ``values`` occurs in the column."""
    options = {"value_set": list(values)}
    return Rule("expect_column_distinct_values_to_contain_set", says, column, options)


def none_of(column: str, says: str) -> Rule:
    """A counting or yes/no column (see ``frames``) is 0 in every row."""
    return Rule("expect_column_values_to_be_in_set", says, column, {"value_set": [0]})


def blank(column: str, says: str) -> Rule:
    """A text column that says what is amiss (see ``scenes``) is empty in every row."""
    return among(column, [""], says)


def filled(column: str, says: str) -> Rule:
    """Every text has a character that is not white space."""
    return Rule("expect_column_values_to_match_regex", says, column, {"regex": r"\S"})


def absent(column: str, pattern: str, says: str) -> Rule:
    """The pattern occurs in no text."""
    return Rule("expect_column_values_to_not_match_regex", says, column, {"regex": pattern})


def mean(
    column: str, says: str, minimum: float | None = None, maximum: float | None = None
) -> Rule:
    """The column's mean is within the bounds."""
    options = {"min_value": minimum, "max_value": maximum}
    return Rule("expect_column_mean_to_be_between", says, column, options)
