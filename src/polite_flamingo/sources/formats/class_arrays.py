"""Classification sets whose images are arrays in few files: CIFAR, MNIST, FER-2013."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from polite_flamingo.core.images import png_bytes
from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.formats.classes import class_record, in_split, read_knowledge
from polite_flamingo.sources.json_lists import Broken, Item
from polite_flamingo.sources.pickles import BadPickle, read_pickle
from polite_flamingo.sources.record import BadRecord, Record, convert, locate, option
from polite_flamingo.sources.text_files import read_rows

_CIFAR_SIDE = 32
_FER_SIDE = 48
_IMAGES, _LABELS = 2051, 2049


def read_cifar(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read CIFAR-10 or CIFAR-100 pickles: every role but ``meta`` is a batch.

    Options ``labels`` and ``names_key`` name the members that hold the labels and their names.
    """
    labels_key = option(entry, split, "labels", "labels")
    names = _cifar_names(locate(entry, root, split, "meta"), option(entry, split, "names_key"))

    def found() -> Iterator[Item]:
        for role in entry.files[split]:
            if role in ("meta", "knowledge", "images"):
                continue
            path = locate(entry, root, split, role)
            try:
                batch = read_pickle(path)
                data = np.asarray(batch["data"], dtype=np.uint8)
                data = data.reshape(-1, 3, _CIFAR_SIDE, _CIFAR_SIDE)
                labels = list(batch[labels_key])
                if len(labels) != len(data):
                    raise ValueError(f"{len(labels)} labels of {len(data)} images")
            except (BadPickle, KeyError, TypeError, ValueError, OverflowError) as error:
                yield Item(path.name, 0, Broken("bad_structure", f"{path.name}: {error}"))
                continue
            for place, (pixels, label) in enumerate(zip(data, labels, strict=True)):
                yield Item(f"{path.name}#{place}", place, (pixels.transpose(1, 2, 0), label))

    yield from _pictures(root, entry, split, found(), names)


def read_idx(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read MNIST's IDX files (roles ``pixels`` and ``labels``), gzipped or not."""

    def found() -> Iterator[Item]:
        paths = [locate(entry, root, split, role) for role in ("pixels", "labels")]
        try:
            pixels, labels = _read_idx(paths[0], _IMAGES), _read_idx(paths[1], _LABELS)
        except BadRecord as error:
            yield Item(paths[0].name, 0, Broken(error.reason, str(error)))
            return
        if len(pixels) != len(labels):
            detail = f"{len(pixels)} images and {len(labels)} labels: the rest is left out"
            yield Item(paths[1].name, 0, Broken("truncated", detail))
        for place, (picture, label) in enumerate(zip(pixels, labels, strict=False)):
            yield Item(f"{paths[0].name}#{place}", place, (picture, label))

    yield from _pictures(root, entry, split, found(), None)


def read_fer(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``fer2013.csv``; columns are found by their names (emotion, pixels, Usage).

    Option ``usage`` names those that are ours, separated by commas.
    """
    path = locate(entry, root, split, "annotations")
    wanted = {name.strip().lower() for name in option(entry, split, "usage").split(",")}

    def found() -> Iterator[Item]:
        columns: dict[str, int] | None = None
        for line, row in read_rows(path, ","):
            if columns is None:
                columns = {name.strip().lower(): place for place, name in enumerate(row)}
                continue
            position = f"{path.name}:{line}"
            try:
                if "usage" in columns:
                    ours = row[columns["usage"]].lower() in wanted
                else:
                    # A copy without the split.
                    ours = in_split(entry, split, str(line))
                if not ours:
                    continue
                label, text = row[columns["emotion"]], row[columns["pixels"]]
                levels = np.array(text.split(), dtype=np.int64)
                if len(levels) != _FER_SIDE**2 or levels.min() < 0 or levels.max() > 255:
                    raise ValueError(f"{len(levels)} pixels, expected {_FER_SIDE**2} of 0..255")
                picture = levels.astype(np.uint8).reshape(_FER_SIDE, _FER_SIDE)
                value: Any = (picture, label)
            except (KeyError, IndexError, ValueError, OverflowError) as error:
                value = Broken("bad_row", f"{type(error).__name__}: {error}")
            yield Item(position, line - 2, value)

    yield from _pictures(root, entry, split, found(), None)


def _pictures(
    root: Path, entry: Entry, split: str, items: Iterator[Item], names: list[str] | None
) -> Iterator[Record | Reject]:
    """Turn ``(pixels, label)`` items into records; the native id is the position."""
    knowledge = read_knowledge(root, entry, split)

    def build(item: Item, native_id: str) -> Record:
        pixels, label = item.value
        try:
            number = int(label)
        except (TypeError, ValueError, OverflowError) as error:
            raise BadRecord("unknown_class", f"class {str(label)[:40]!r}") from error
        if names is not None and not 0 <= number < len(names):
            raise BadRecord("unknown_class", f"class {number} of {len(names)}")
        image = png_bytes(Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB"))
        name = str(number) if names is None else names[number]
        return class_record(entry, split, native_id, item.position, image, [name], knowledge)

    def identify(item: Item) -> str:
        return item.position.replace("#", "-").replace(":", "-")

    yield from convert(entry, split, items, identify, build)


def _cifar_names(path: Path, key: str) -> list[str]:
    try:
        names = read_pickle(path)[key]
        return [str(name) for name in names]
    except (BadPickle, KeyError, TypeError):
        # Every record will be rejected for its class.
        return []


def _read_idx(path: Path, magic: int) -> np.ndarray:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise BadRecord("bad_structure", f"{path.name}: {error}") from error
    if len(data) < 8 or struct.unpack(">I", data[:4])[0] != magic:
        raise BadRecord("bad_structure", f"{path.name} is no IDX file of kind {magic}")
    count = struct.unpack(">I", data[4:8])[0]
    if magic == _LABELS:
        return np.frombuffer(data, np.uint8, offset=8)[:count]
    if len(data) < 16:
        raise BadRecord("bad_structure", f"{path.name} breaks off in its header")
    height, width = struct.unpack(">II", data[8:16])
    if not 0 < height <= 4096 or not 0 < width <= 4096:
        raise BadRecord("bad_structure", f"{path.name}: images of {height} x {width}")
    whole = min((len(data) - 16) // (height * width), count)
    pixels = np.frombuffer(data, np.uint8, count=whole * height * width, offset=16)
    return pixels.reshape(whole, height, width)
