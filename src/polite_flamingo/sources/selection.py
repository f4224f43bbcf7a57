"""Which samples of a source a limit keeps: by the hash of their ids, whatever the order of files."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path

from polite_flamingo.core.seeds import derive
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.packing import ImagePool
from polite_flamingo.sources.read import read_records
from polite_flamingo.sources.record import ImageRef, Record, sample_id

# Candidates held beyond a limit, for those whose image turns out to be bad.
_SPARE = 64
_SPARE_SHARE = 8
# Candidates whose images are looked at together.
_BATCH = 256
Candidate = tuple[int, str, tuple[ImageRef, ...]]


def choose(
    entry: Entry,
    data_root: Path,
    split: str,
    limit: int,
    each_class: bool,
    seed: int,
    images: ImagePool | None,
) -> set[str] | None:
    """Choose ids by their hash until ``limit`` of them (of each class) have good images.

    None means all. Ids found to have a bad image on the way are in the set too: they become rejects,
    not capped. Memory grows with the limit, not with the source. ``images`` None: none is looked at.
    """
    held = limit + limit // _SPARE_SHARE + _SPARE
    while True:
        groups, totals = _lowest(entry, data_root, split, held, each_class, seed)
        if all(total <= limit for total in totals.values()):
            return None
        chosen: set[str] = set()
        short = False
        for name, candidates in groups.items():
            taken, good = _good(candidates, limit, images)
            chosen |= taken
            short = short or (good < limit and totals[name] > held)
        if not short:
            return chosen
        held *= 4


def _lowest(
    entry: Entry, data_root: Path, split: str, held: int, each_class: bool, seed: int
) -> tuple[dict[str, list[Candidate]], dict[str, int]]:
    """Return the candidates of lowest hash, in that order, and the count of all, by class."""
    heaps: dict[str, list[tuple[int, str, tuple[ImageRef, ...]]]] = {}
    totals: dict[str, int] = {}
    for record in read_records(entry, data_root, split):
        if not isinstance(record, Record):
            continue
        name = (record.answer or "") if each_class else ""
        identity = sample_id(entry, split, record.native_id)
        # A heap gives its least first: the hash is turned round, and ids are never equal.
        candidate = (-derive(seed, "limit", identity), identity, record.images)
        heap = heaps.setdefault(name, [])
        totals[name] = totals.get(name, 0) + 1
        if len(heap) < held:
            heapq.heappush(heap, candidate)
        else:
            heapq.heappushpop(heap, candidate)
    return {
        name: [(-turned, identity, images) for turned, identity, images in sorted(heap)[::-1]]
        for name, heap in heaps.items()
    }, totals


def _good(
    candidates: Sequence[Candidate], limit: int, images: ImagePool | None
) -> tuple[set[str], int]:
    taken: set[str] = set()
    good = 0
    for candidate, fine in _judged(candidates, limit, images):
        if good == limit:
            break
        taken.add(candidate[1])
        good += fine
    return taken, good


def _judged(
    candidates: Sequence[Candidate], limit: int, images: ImagePool | None
) -> Iterator[tuple[Candidate, bool]]:
    if images is None:
        yield from ((candidate, True) for candidate in candidates)
        return
    size = min(_BATCH, limit)
    for start in range(0, len(candidates), size):
        batch = candidates[start : start + size]
        yield from zip(batch, images.judge([refs for _, _, refs in batch]), strict=True)
