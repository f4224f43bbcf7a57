"""Your own tables: CSV, JSON Lines, Parquet, or a Hugging Face data set's folder on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Broken, Item, read_list
from polite_flamingo.sources.record import (
    BadRecord,
    ImageRef,
    Record,
    answer_extra,
    answer_of,
    as_id,
    convert,
    line_of,
    lines_in,
    locate,
    majority,
    noted,
)
from polite_flamingo.sources.text_files import read_rows

# Rows held at a time: those of a data set with images inside are large.
_ROWS = 64
_TABLES = (".csv", ".tsv", ".jsonl", ".json", ".parquet", ".arrow")
# What the files of a split are called in a folder that holds all of them.
_SPLIT_NAMES = {"train": ("train",), "test": ("test", "validation", "valid", "val", "dev")}


def read_table_rows(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read rows of image and question and answer, or image and caption (option ``columns``).

    Role ``records`` is a file, or a folder: as ``save_to_disk`` writes it (Arrow), as a hub
    repository holds it (Parquet), or images with ``metadata.csv`` or ``metadata.jsonl``. An image is
    a path, bytes, or a record of both. A column that no row has is a UserError.
    """
    columns = entry.options["columns"]
    assert isinstance(columns, dict)
    path = locate(entry, root, split, "records")
    files = table_files(path, split)
    if not files:
        raise UserError(f"{entry.name}: no table ({', '.join(_TABLES)}) in {path}")

    def found() -> Iterator[Item]:
        for file in files:
            known: set[str] = set()
            first = True
            for item in _rows(file):
                if isinstance(item.value, Mapping):
                    known.update(item.value)
                    if first and file.suffix in (".csv", ".tsv", ".parquet", ".arrow"):
                        _check_columns(entry, columns, known, file)
                    first = False
                yield item._replace(value=(file.stem, item.value))

    def build(item: Item, native_id: str) -> Record:
        _, row = item.value
        images: tuple[ImageRef, ...] = ()
        if "image" in columns:
            value = _cell(row, columns["image"])
            images = tuple(_image(part) for part in (value if isinstance(value, list) else [value]))
        if "caption" in columns:
            value = _cell(row, columns["caption"])
            lines, left_out = lines_in(value if isinstance(value, list) else [value])
            if not lines:
                raise BadRecord("empty_caption", "the caption is blank")
            return Record(
                native_id=native_id,
                position=item.position,
                images=images,
                response="\n".join(lines),
                references=tuple(lines),
                notes=noted(captions_left_out=left_out),
            )
        question = line_of({"question": _cell(row, columns["question"])}, "question")
        told = _cell(row, columns["answer"])
        extra = {"question": question}
        if isinstance(told, list):
            answer, share, counts = majority(told)
            extra |= answer_extra(share, counts)
        else:
            told = f"{told:g}" if isinstance(told, float) else told
            answer = answer_of({"answer": told})
        return Record(
            native_id=native_id,
            position=item.position,
            images=images,
            response=answer,
            fields={"question": question},
            references=(answer,),
            answer=answer,
            extra=extra,
        )

    def identify(item: Item) -> str:
        stem, row = item.value
        if isinstance(row, Broken):
            raise BadRecord(row.reason, row.detail)
        if not isinstance(row, Mapping):
            raise BadRecord("not_an_object", f"expected a record, got {type(row).__name__}")
        if "id" in columns:
            return as_id(_cell(row, columns["id"]), columns["id"])
        return str(item.number) if len(files) == 1 else f"{stem}-{item.number}"

    yield from convert(entry, split, found(), identify, build)


def table_files(path: Path, split: str) -> list[Path]:
    """Return the tables of a split: the file itself, or those in a folder, in order of name."""
    if path.is_file():
        return [path]
    for own in (path / name for name in _SPLIT_NAMES[split]):
        if own.is_dir():
            path = own
            break
    for pattern in ("*.arrow", "*.parquet", "metadata.*", "*"):
        found = sorted(
            file
            for file in path.rglob(pattern)
            if _kind(file) in _TABLES and file.is_file() and not _is_description(file)
        )
        # `cache-...arrow` are what `datasets` computed, not the data.
        found = [file for file in found if not file.name.startswith("cache-")]
        if found:
            named = {
                each: [file for file in found if file.name.startswith(_SPLIT_NAMES[each])]
                for each in _SPLIT_NAMES
            }
            return named[split] if any(named.values()) else found
    return []


def _is_description(file: Path) -> bool:
    names = ("dataset_info.json", "dataset_infos.json", "state.json", "dataset_dict.json")
    return file.name in names


def _kind(file: Path) -> str:
    return Path(file.stem).suffix.lower() if file.suffix == ".gz" else file.suffix.lower()


def _rows(file: Path) -> Iterator[Item]:
    kind = _kind(file)
    if kind in (".csv", ".tsv"):
        yield from _delimited(file, "\t" if kind == ".tsv" else ",")
    elif kind in (".parquet", ".arrow"):
        number = 0
        try:
            for batch in _batches(file, kind):
                for row in batch.to_pylist():
                    yield Item(f"{file.name}#{number}", number, row)
                    number += 1
        except (pa.ArrowException, OSError, ValueError) as error:
            detail = str(error).splitlines()[0] if str(error) else type(error).__name__
            yield Item(f"{file.name}#{number}", number, Broken("truncated", detail))
    else:
        yield from read_list(file)


def _batches(file: Path, kind: str) -> Iterator[pa.RecordBatch]:
    if kind == ".parquet":
        with pq.ParquetFile(file) as table:
            yield from table.iter_batches(batch_size=_ROWS)
        return
    with pa.memory_map(str(file)) as source:
        try:
            reader: Any = pa.ipc.open_stream(source)
            yield from (
                batch.slice(start, _ROWS)
                for batch in reader
                for start in range(0, batch.num_rows, _ROWS)
            )
        except pa.ArrowInvalid:
            # The file form of Arrow's format, which `datasets` no longer writes.
            source.seek(0)
            reader = pa.ipc.open_file(source)
            yield from (reader.get_batch(number) for number in range(reader.num_record_batches))


def _delimited(file: Path, delimiter: str) -> Iterator[Item]:
    header: list[str] | None = None
    number = 0
    for line, row in read_rows(file, delimiter):
        if header is None:
            header = row
            continue
        value: Any = dict(zip(header, row, strict=False))
        if len(row) != len(header):
            value = Broken("bad_row", f"{len(row)} fields, the header has {len(header)}")
        yield Item(f"{file.name}:{line}", number, value)
        number += 1


def _check_columns(entry: Entry, columns: Mapping[str, str], known: set[str], file: Path) -> None:
    for role, name in columns.items():
        if name.split(".")[0] not in known:
            raise UserError(
                f"ingest.own.{entry.name}.columns.{role}: {file.name} has no column {name!r}; "
                f"it has {', '.join(sorted(known))}"
            )


def _cell(row: Mapping[str, Any], name: str) -> Any:
    if name in row:
        return row[name]
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _image(value: Any) -> ImageRef:
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes) and value:
        return value
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise BadRecord("missing_image", "the row names no image")
