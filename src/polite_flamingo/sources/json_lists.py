"""Records of JSON and JSON Lines files, read one by one: memory does not grow with the file.

ijson reads what is well formed. What it refuses (a file that breaks off, NaN, numbers of thirty
digits) is read again with the standard library, which forgives more, from the text as a whole.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import ijson

from polite_flamingo.sources.text_files import open_bytes, read_text

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_SHOWN = 40
# Bytes of a line of JSON Lines; longer ones are a whole file.
_LONGEST_LINE = 1 << 20
# What a file that is no JSON, or no whole gzip file, makes the readers raise.
_DAMAGE = (ijson.JSONError, ValueError, OSError, EOFError, zlib.error, RecursionError)


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
    yields its whole records, then one Broken item. Gzipped files are read as they are.
    """
    if first_sign(path) != "[":
        yield from _lines(path)
        return
    count = 0
    where = path.name
    try:
        with open_bytes(path, shallow=True) as file:
            for value in ijson.items(file, "item", use_float=True):
                yield Item(f"{where}#{count}", count, value)
                count += 1
        return
    except _DAMAGE:
        pass
    text = read_text(path)
    for item, _ in _array(text, _skip(text, 0), path.name):
        # Whole values before the break were yielded already, even where no comma follows.
        if item is not None and (item.number >= count or isinstance(item.value, Broken)):
            yield item


def read_members(path: Path, names: Sequence[str]) -> Iterator[tuple[str, Item]]:
    """Yield ``(name, record)`` for each record of the named arrays of one JSON object.

    In the order of ``names``, whatever the order in the file. A member that is missing or no array
    is a Broken item, as is the place where a file breaks off. Where one name is asked for, the file
    may also be the array itself, or JSON Lines of its records.
    """
    if len(names) == 1 and _is_bare(path, names[0]):
        yield from ((names[0], item) for item in read_list(path))
        return
    done: Counter[str] = Counter()
    for name in names:
        where = f"{path.name}#{name}"
        try:
            with open_bytes(path, shallow=True) as file:
                for value in ijson.items(file, f"{name}.item", use_float=True):
                    number = done[name]
                    yield name, Item(f"{where}#{number}", number, value)
                    done[name] = number + 1
        except _DAMAGE:
            break
        if not done[name]:
            break
    else:
        return
    # Broken, or without one of the lists, or one is empty: the forgiving reader tells which.
    found: dict[str, list[Item]] = {name: [] for name in names}
    for name, item in _forgiving_members(read_text(path), path.name, names):
        if isinstance(item.value, Broken) or item.number >= done[name]:
            found[name].append(item)
    for name in names:
        yield from ((name, item) for item in found[name])


def read_mapping(path: Path, member: str = "") -> Iterator[tuple[str, Item]]:
    """Yield ``(key, record)`` for each member of a JSON object; position ``file#key``.

    Of the object itself, or of its member of that name. Where the file breaks off, the last item is
    Broken and its key empty; a member that is missing or no object yields nothing.
    """
    count = 0
    where = f"{path.name}#{member}" if member else path.name
    try:
        with open_bytes(path, shallow=True) as file:
            for key, value in ijson.kvitems(file, member, use_float=True):
                yield key, Item(f"{where}#{key[:_SHOWN]}", count, value)
                count += 1
        if count:
            return
    except _DAMAGE:
        pass
    text = read_text(path)
    place = _skip(text, 0)
    try:
        place = _expect(text, place, "{")
        while member and not text.startswith("}", place):
            key, place = _key(text, place)
            if key == member:
                if not text.startswith("{", place):
                    return
                place = _expect(text, place, "{")
                break
            _, place = _decode(text, place)
            if text.startswith(",", place):
                place = _skip(text, place + 1)
    except (ValueError, RecursionError) as error:
        yield "", Item(where, 0, _broken(text, place, "}", error))
        return
    yield from _pairs(text, place, where, count)


def _pairs(text: str, place: int, where: str, done: int) -> Iterator[tuple[str, Item]]:
    number = 0
    try:
        while not text.startswith("}", place):
            key, end = _key(text, place)
            value, end = _decode(text, end)
            if text.startswith(",", end):
                end = _skip(text, end + 1)
            elif not text.startswith("}", end):
                raise ValueError("expected a comma or the end of the object")
            if number >= done:
                yield key, Item(f"{where}#{key[:_SHOWN]}", number, value)
            place, number = end, number + 1
    except (ValueError, RecursionError) as error:
        yield "", Item(f"{where}#{number}", number, _broken(text, place, "}", error))


def first_sign(path: Path) -> str:
    """Return the first character of a text file that is no space ("" for an empty file)."""
    try:
        with open_bytes(path) as file:
            return file.read(4096).decode("utf-8", errors="replace").lstrip()[:1]
    except (OSError, EOFError, zlib.error):
        return ""


def _is_bare(path: Path, name: str) -> bool:
    """Tell an array, or several lines with an object each that has no such member."""
    sign = first_sign(path)
    if sign != "{":
        return sign == "["
    lines: list[bytes] = []
    with suppress(OSError, EOFError, zlib.error), open_bytes(path) as file:
        # An official file is one line of gigabytes: what does not end soon is no record.
        while len(lines) < 2 and (line := file.readline(_LONGEST_LINE)):
            lines += [line] if line.strip() else []
    try:
        records = [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
        return False
    return len(records) == 2 and all(isinstance(r, dict) and name not in r for r in records)


def _forgiving_members(text: str, file: str, names: Sequence[str]) -> Iterator[tuple[str, Item]]:
    missing = dict.fromkeys(names)
    place = _skip(text, 0)
    try:
        place = _expect(text, place, "{")
        while not text.startswith("}", place):
            name, place = _key(text, place)
            if name in missing and text.startswith("[", place):
                del missing[name]
                for item, end in _array(text, place, f"{file}#{name}"):
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
        yield names[0], Item(file, 0, _broken(text, place, "}", error))
        return
    for name in missing:
        yield name, Item(file, 0, Broken("bad_structure", f"the file has no list {name!r}"))


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
    number = 0
    try:
        with open_bytes(path) as file:
            for number, data in enumerate(file, start=1):
                line = data.decode("utf-8", errors="replace").strip()
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
    except (OSError, EOFError, zlib.error) as error:
        yield Item(f"{path.name}:{number + 1}", number, Broken("truncated", str(error)))


def _whole(path: Path) -> Item | None:
    """Read a file that holds one object over several lines."""
    try:
        return Item(f"{path.name}#0", 0, json.loads(read_text(path)))
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


def _key(text: str, place: int) -> tuple[str, int]:
    key, place = _decode(text, place)
    if not isinstance(key, str):
        raise ValueError("expected a name")
    return key, _expect(text, place, ":")


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
