"""Parquet, JSON and JSON Lines: deterministic bytes, never half-written."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Sample, table_to_samples

ROW_GROUP = 512


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling of ``path`` that takes its place when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table as Parquet with row groups of :data:`ROW_GROUP` rows.

    Equal tables give equal bytes: no creation time, no pandas metadata.
    """
    with atomic_file(path) as temporary:
        pq.write_table(
            table.replace_schema_metadata(None),
            temporary,
            row_group_size=ROW_GROUP,
            compression="zstd",
            store_schema=False,
        )


def write_tables(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Write tables behind each other as one file: the bytes of :func:`write_table`, little memory."""
    with (
        atomic_file(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", store_schema=False) as writer,
    ):
        left = schema.empty_table()
        for table in tables:
            left = pa.concat_tables([left, table.replace_schema_metadata(None)])
            whole = left.num_rows - left.num_rows % ROW_GROUP
            if whole:
                writer.write_table(left.slice(0, whole).combine_chunks(), row_group_size=ROW_GROUP)
                left = left.slice(whole).combine_chunks()
        if left.num_rows:
            writer.write_table(left.combine_chunks(), row_group_size=ROW_GROUP)


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file (``columns`` only, where given); a missing file is a UserError."""
    if not path.is_file():
        raise UserError(f"{path} is missing: run the stage that writes it (dvc repro)")
    return pq.read_table(path, columns=list(columns) if columns is not None else None)


def read_schema(path: Path) -> dict[str, pa.DataType]:
    """Columns of a Parquet file with their types; a file that is none is a UserError."""
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise UserError(f"{path} is no Parquet file: {' '.join(str(error).split())}") from error
    return {field.name: field.type for field in schema}


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, floats rounded to six digits and a final newline."""
    with atomic_file(path) as temporary:
        text = json.dumps(rounded(value), indent=2, sort_keys=True, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file; a missing file is a UserError."""
    if not path.is_file():
        raise UserError(f"{path} is missing: run the stage that writes it (dvc repro)")
    return json.loads(path.read_text(encoding="utf-8"))


def write_jsonl(path: Path, rows: Iterable[Any]) -> None:
    """Write one JSON value a line, keys sorted."""
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n")


def read_jsonl(path: Path) -> list[Any]:
    """Read a JSON Lines file that this project wrote; a missing file is a UserError."""
    if not path.is_file():
        raise UserError(f"{path} is missing: run the stage that writes it (dvc repro)")
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def rounded(value: Any, digits: int = 6) -> Any:
    """Round every float in a JSON-like value; NaN and infinity become None: they are no JSON."""
    if isinstance(value, dict):
        return {str(key): rounded(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item, digits) for item in value]
    if isinstance(value, float) or (hasattr(value, "dtype") and value.dtype.kind == "f"):
        number = float(value)
        return round(number, digits) if math.isfinite(number) else None
    if hasattr(value, "item"):
        return value.item()
    return value


def read_samples(
    folder: Path, sources: Sequence[str] | None = None, split: str | None = None
) -> list[Sample]:
    """Read samples of ``folder/<source>.parquet``, sources in the order given (else by name)."""
    if sources is None:
        sources = sorted(path.stem for path in folder.glob("*.parquet") if path.stem != "rejects")
    samples: list[Sample] = []
    for source in sources:
        table = read_table(folder / f"{source}.parquet")
        samples += [s for s in table_to_samples(table) if split is None or s.split == split]
    return samples
