"""Text files as they come: gzipped or not, any line ends, a byte-order mark, wrong bytes."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

_GZIP = b"\x1f\x8b"
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_BLOCK = 1 << 16
# Brackets left open in a block of JSON; official files have some ten.
_DEEP = 2000
# A field of a CSV file; FER's rows are 2304 numbers.
csv.field_size_limit(1 << 24)


class _SafeUtf8(io.RawIOBase):
    """Bytes of a file as valid UTF-8 without a byte-order mark; wrong bytes become U+FFFD."""

    def __init__(self, file: BinaryIO, shallow: bool) -> None:
        head = file.read(_BLOCK)
        self._shallow = shallow
        self._depth = 0.0
        encoding = _UTF16.get(head[:2], "utf-8-sig")
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ascii = encoding != "utf-16"
        self._left = self._next(head) if head else b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left:
            block = self._file.read(_BLOCK)
            self._left = self._next(block)
            if not block:
                break
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size

    def _next(self, block: bytes) -> bytes:
        if self._shallow:
            opened = block.count(b"[") + block.count(b"{")
            # Halved a block, so that brackets in texts don't add up.
            self._depth = self._depth / 2 + opened - block.count(b"]") - block.count(b"}")
            if self._depth > _DEEP:
                raise ValueError("nested too deeply")
        if block and self._ascii and block.isascii() and not self._decoder.getstate()[0]:
            return block
        return self._decoder.decode(block, final=not block).encode("utf-8", "replace")


@contextmanager
def open_bytes(path: Path, shallow: bool = False) -> Iterator[IO[bytes]]:
    """Open a text file, gzipped or not, as clean UTF-8 bytes.

    Reading raises OSError, EOFError or zlib.error where a gzip file is damaged; with ``shallow``
    ValueError where JSON is nested by thousands (ijson takes gigabytes for it).
    """
    with path.open("rb") as raw:
        zipped = raw.read(2) == _GZIP
        raw.seek(0)
        file = gzip.GzipFile(fileobj=raw) if zipped else raw
        with io.BufferedReader(_SafeUtf8(file, shallow), _BLOCK) as reader:  # type: ignore[arg-type]
            yield reader  # type: ignore[misc]


def read_text(path: Path) -> str:
    """Read a whole text file; of a damaged gzip file what can be read."""
    blocks: list[bytes] = []
    try:
        with open_bytes(path) as file:
            while block := file.read(_BLOCK):
                blocks.append(block)
    except (OSError, EOFError, zlib.error):
        pass
    return b"".join(blocks).decode("utf-8", errors="replace")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield ``(number from 1, line)`` of a text file without blank lines; ends stripped.

    A damaged gzip file ends where it breaks.
    """
    try:
        with open_bytes(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline=None)
            for number, line in enumerate(text, start=1):
                if line.strip():
                    yield number, line.rstrip("\n")
    except (OSError, EOFError, zlib.error):
        return


def read_rows(path: Path, delimiter: str, quoted: bool = True) -> Iterator[tuple[int, list[str]]]:
    """Yield ``(line, fields)`` of a delimited file without blank rows; fields stripped."""
    quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    try:
        with open_bytes(path) as file:
            # A NUL byte ends a row for the csv module.
            text = (
                line.replace("\0", "")
                for line in io.TextIOWrapper(file, encoding="utf-8", newline="")
            )
            reader = csv.reader(text, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
            for row in reader:
                fields = [field.strip() for field in row]
                if any(fields):
                    yield reader.line_num, fields
    except (csv.Error, OSError, EOFError, zlib.error):
        return
