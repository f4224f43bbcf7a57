"""Adapters, one a file format: from official files to records.

An adapter takes the data set's folder, its catalogue entry and a split, and yields a record or a
reject for everything it meets. It raises UserError for a missing file and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.formats.alpaca import read_alpaca
from polite_flamingo.sources.formats.aokvqa import read_aokvqa
from polite_flamingo.sources.formats.clevr import read_clevr
from polite_flamingo.sources.formats.coco import read_coco
from polite_flamingo.sources.formats.digits import read_digits
from polite_flamingo.sources.formats.easy_vqa import read_easy_vqa
from polite_flamingo.sources.formats.grid3d import read_grid3d
from polite_flamingo.sources.formats.llava import read_llava
from polite_flamingo.sources.formats.sharegpt import read_sharegpt
from polite_flamingo.sources.formats.spotdiff import read_spotdiff
from polite_flamingo.sources.formats.vsr import read_vsr
from polite_flamingo.sources.record import Record

Adapter = Callable[[Path, Entry, str], Iterator[Record | Reject]]

ADAPTERS: dict[str, Adapter] = {
    "alpaca": read_alpaca,
    "aokvqa": read_aokvqa,
    "clevr": read_clevr,
    "coco": read_coco,
    "digits": read_digits,
    "easy_vqa": read_easy_vqa,
    "grid3d": read_grid3d,
    "llava": read_llava,
    "sharegpt": read_sharegpt,
    "spotdiff": read_spotdiff,
    "vsr": read_vsr,
}
