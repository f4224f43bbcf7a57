"""What a promotion compares: a model's judged answers, one row a figure and question."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polite_flamingo.core.layout import Layout
from polite_flamingo.core.tables import read_json, read_table, write_json, write_table

REWRITER, CHAT = "polite-flamingo", "clever-flamingo"
# The model that evaluate calls so is the registered chat model.
CHAT_MODEL = "pf-stage3"
ACCURACY, FACTUAL, REWARD = "accuracy", "factual", "reward"


@dataclass(frozen=True)
class Evidence:
    """``values``: figure -> question -> value; ``texts``: question -> (instruction, answer).

    A question is the hash of what was asked, so that equal ids of other data are never compared.
    """

    values: Mapping[str, Mapping[str, float]]
    texts: Mapping[str, tuple[str, str]]
    gate: bool


def write(model: str, paths: Layout, folder: Path) -> None:
    """Write rows.parquet and about.json of a model into ``folder``, from data/evaluation.

    accuracy: the chat model's answers are right; the rewriter's say what their drafts said.
    factual: the rewrites (those kept, for the chat model that learned from them) are true.
    reward: of the answer or rewrite, with the text, to be judged again by another judge.
    """
    import pyarrow as pa

    rows = list(_rewriter_rows(paths) if model == REWRITER else _chat_rows(paths))
    schema = pa.schema(
        [
            ("figure", pa.string()),
            ("question", pa.string()),
            ("value", pa.float64()),
            ("instruction", pa.string()),
            ("text", pa.string()),
        ]
    )
    folder.mkdir(parents=True)
    write_table(folder / "rows.parquet", pa.Table.from_pylist(rows, schema=schema))
    gate = paths.gate.is_file() and bool(read_json(paths.gate).get("success"))
    write_json(folder / "about.json", {"model": model, "gate": gate})


def read(folder: Path) -> Evidence:
    """Read what :func:`write` wrote."""
    values: dict[str, dict[str, float]] = {}
    texts: dict[str, tuple[str, str]] = {}
    for row in read_table(folder / "rows.parquet").to_pylist():
        values.setdefault(row["figure"], {})[row["question"]] = row["value"]
        if row["figure"] == REWARD:
            texts[row["question"]] = (row["instruction"], row["text"])
    return Evidence(values, texts, bool(read_json(folder / "about.json")["gate"]))


def _chat_rows(paths: Layout) -> Iterator[dict[str, Any]]:
    ratings = {
        row["sample_id"]: row["reward"]
        for row in read_table(paths.evaluation / "ratings.parquet").to_pylist()
        if row["model"] == CHAT_MODEL and row["control"] == ""
    }
    for row in read_table(paths.evaluation / "responses.parquet").to_pylist():
        if row["model"] != CHAT_MODEL or row["control"] != "":
            continue
        question = _question(row["sample_id"], row["instruction"], row["answer"])
        if row["correct"] is not None:
            yield _row(ACCURACY, question, row["correct"])
        if ratings.get(row["sample_id"]) is not None:
            reward = ratings[row["sample_id"]]
            yield _row(REWARD, question, reward, row["instruction"], row["response"])
    for row, asked in _checked(paths):
        if row["output_factual"] is not None:
            yield _row(FACTUAL, asked["question"], row["output_factual"])


def _rewriter_rows(paths: Layout) -> Iterator[dict[str, Any]]:
    for row, asked in _checked(paths):
        question = asked["question"]
        if row["faithful"] is not None:
            yield _row(ACCURACY, question, row["faithful"])
        if row["factual"] is not None:
            yield _row(FACTUAL, question, row["factual"])
        if row["reward"] is not None:
            yield _row(REWARD, question, row["reward"], asked["instruction"], asked["rewrite"])


def _checked(paths: Layout) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Rows of checks.parquet with the candidates they check."""
    candidates = {
        (row["sample_id"], row["candidate"]): row
        for row in read_table(paths.rewrites / "candidates.parquet").to_pylist()
    }
    for row in read_table(paths.evaluation / "checks.parquet").to_pylist():
        asked = candidates[row["sample_id"], row["candidate"]]
        key = f"{row['sample_id']}#{row['candidate']}"
        asked["question"] = _question(key, asked["instruction"], asked["draft"])
        yield row, asked


def _row(
    figure: str, question: str, value: float, instruction: str = "", text: str = ""
) -> dict[str, Any]:
    return {
        "figure": figure,
        "question": question,
        "value": float(value),
        "instruction": instruction,
        "text": text,
    }


def _question(*parts: object) -> str:
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=10).hexdigest()
