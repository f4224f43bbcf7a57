"""Lists of records in JSON and JSON Lines files, read as far as they are whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_SHOWN = 40


class Broken(NamedTuple):
    """A place of a file that can't be read as a record."""

    reason: str
    detail: str


class Item(NamedTuple):
    """A record or :class:`Broken`; position ``file:line`` or ``file#index``, number from 0."""

    position: str
    number: int
    value: Any


def read_list(path: Path) -> Iterator[Item]:
    """Yield the records of a JSON array or of JSON Lines, told apart by the first bytes.

    A broken line is one Broken item, and the lines after it are read. An array that breaks off
    yields its whole records, then one Broken item. Records are decoded one by one, so a large
    array costs its text and not a tree of objects.
    """
    with path.open("rb") as file:
        head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"["):
        for item, _ in _array(text := _read_text(path), _skip(text, 0), path.name):
            if item is not None:
                yield item
    else:
        yield from _lines(path)


def read_members(path: Path, names: Sequence[str]) -> Iterator[tuple[str, Item]]:
    """Yield ``(name, record)`` for each record of the named arrays of one JSON object.

    A member that is missing or no array is a Broken item, as is the place where a file breaks off.
    """
    text = _read_text(path)
    missing = dict.fromkeys(names)
    place = _skip(text, 0)
    try:
        place = _expect(text, place, "{")
        while not text.startswith("}", place):
            name, place = _decode(text, place)
            place = _expect(text, place, ":")
            if name in missing and text.startswith("[", place):
                del missing[name]
                for item, end in _array(text, place, f"{path.name}#{name}"):
                    if item is not None:
                        yield name, item
                        if isinstance(item.value, Broken):
                            return
                    place = end
            else:
                _, place = _decode(text, place)
            if text.startswith(",", place):
                place = _skip(text, place + 1)
            elif not text.startswith("}", place):
                raise ValueError("expected a comma or the end of the object")
    except (ValueError, RecursionError) as error:
        yield names[0], Item(path.name, 0, _broken(text, place, "}", error))
        return
    for name in missing:
        yield name, Item(path.name, 0, Broken("bad_structure", f"the file has no list {name!r}"))


def _array(text: str, place: int, where: str) -> Iterator[tuple[Item | None, int]]:
    """Yield each record with the place behind it; after the bracket that closes, (None, place)."""
    index = 0
    place = _skip(text, place + 1)
    while not text.startswith("]", place):
        try:
            value, end = _decode(text, place)
            if text.startswith(",", end):
                end = _skip(text, end + 1)
            elif not text.startswith("]", end):
                raise ValueError("expected a comma or the end of the list")
        except (ValueError, RecursionError) as error:
            yield Item(f"{where}#{index}", index, _broken(text, place, "]", error)), len(text)
            return
        yield Item(f"{where}#{index}", index, value), end
        place = end
        index += 1
    yield None, _skip(text, place + 1)


def _lines(path: Path) -> Iterator[Item]:
    with path.open("rb") as file:
        for number, data in enumerate(file, start=1):
            line = data.decode("utf-8-sig", errors="replace").strip()
            if not line:
                continue
            try:
                value, end = _decode(line, 0)
                if end != len(line):
                    raise ValueError("more than one value on the line")
            except (ValueError, RecursionError) as error:
                if number == 1 and (whole := _whole(path)) is not None:
                    yield whole
                    return
                value = _broken(line, 0, "}", error)
            yield Item(f"{path.name}:{number}", number - 1, value)


def _whole(path: Path) -> Item | None:
    """Read a file that holds one object over several lines."""
    try:
        return Item(f"{path.name}#0", 0, json.loads(_read_text(path)))
    except (ValueError, RecursionError):
        return None


def _broken(text: str, place: int, closing: str, error: Exception) -> Broken:
    """Tell a text that breaks off from one that is wrong in the middle."""
    reason = "bad_json" if text.rstrip().endswith(closing) else "truncated"
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    left = len(text) - place
    return Broken(
        reason, f"{left} characters not read from {text[place : place + _SHOWN]!r}: {why}"
    )


def _read_text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig", errors="replace")


def _decode(text: str, place: int) -> tuple[Any, int]:
    value, end = _DECODER.raw_decode(text, place)
    return value, _skip(text, end)


def _expect(text: str, place: int, sign: str) -> int:
    if not text.startswith(sign, place):
        raise ValueError(f"expected {sign!r}")
    return _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place
