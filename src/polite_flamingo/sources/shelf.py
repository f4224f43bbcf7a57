"""Values by key, in memory while they are few, on disk when they are many."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

# Values a shelf holds in memory; a caption or a question is some hundred bytes as an object.
_IN_MEMORY = 200_000
_BUFFER = 20_000


class Shelf:
    """A multimap of JSON values that does not grow in memory.

    Beyond ``limit`` values they go to a private SQLite database on disk, which ends with the shelf.
    """

    def __init__(self, limit: int = _IN_MEMORY) -> None:
        self._limit = limit
        self._held: dict[str, list[Any]] = {}
        self._count = 0
        self._used: set[str] = set()
        self._disk: sqlite3.Connection | None = None

    def add(self, key: str, value: Any) -> None:
        """Put a value behind those that the key has."""
        self._held.setdefault(key, []).append(value)
        self._count += 1
        if self._count >= (self._limit if self._disk is None else _BUFFER):
            self._move()

    def get(self, key: str) -> list[Any]:
        """Return the values of a key in the order they came, none for an unknown key."""
        self._used.add(key)
        return [*self._stored(key), *self._held.get(key, [])]

    def take(self, key: str) -> list[Any]:
        """Return the values of a key and forget them."""
        values = [*self._stored(key), *self._held.get(key, [])]
        if values:
            self._count -= len(self._held.pop(key, []))
            if self._disk is not None:
                self._disk.execute("DELETE FROM shelf WHERE key = ?", (key,))
        return values

    def items(self) -> Iterator[tuple[str, list[Any]]]:
        """Yield keys with their values, in the order in which the keys first came."""
        if self._disk is None:
            yield from list(self._held.items())
            return
        self._move()
        keys = "SELECT key FROM shelf GROUP BY key ORDER BY MIN(place)"
        for (key,) in self._disk.execute(keys):
            yield key, self._stored(key)

    def unused(self) -> Iterator[tuple[str, list[Any]]]:
        """Yield what nobody asked for with :meth:`get`."""
        yield from ((key, values) for key, values in self.items() if key not in self._used)

    def _stored(self, key: str) -> list[Any]:
        if self._disk is None:
            return []
        rows = self._disk.execute("SELECT value FROM shelf WHERE key = ? ORDER BY place", (key,))
        return [json.loads(value) for (value,) in rows]

    def _move(self) -> None:
        if self._disk is None:
            # An empty name is a temporary database that SQLite keeps on disk and removes.
            self._disk = sqlite3.connect("", isolation_level=None)
            self._disk.executescript(
                "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;"
                "CREATE TABLE shelf (place INTEGER PRIMARY KEY, key TEXT, value TEXT);"
                "CREATE INDEX by_key ON shelf (key)"
            )
        self._disk.executemany(
            "INSERT INTO shelf (key, value) VALUES (?, ?)",
            ((key, json.dumps(value)) for key, values in self._held.items() for value in values),
        )
        self._held, self._count = {}, 0
