"""Handwritten digits of scikit-learn (UCI optical recognition), as in ELEVATER's classification."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from polite_flamingo.core.images import png_bytes
from polite_flamingo.core.sample import Reject
from polite_flamingo.core.seeds import derive
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Broken, Item
from polite_flamingo.sources.record import Record, convert, locate

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SIDE = 8
_LEVELS = 16
# The package has no official split; a fifth of each class, by hash of the index, is ours for good.
_TEST_SHARE = 5
_SPLIT_SEED = 0


def read_digits(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read the 1,797 digits; the draft is option ``template`` with the class name in ``{name}``.

    A row is 64 grey levels of 0..16 and the class. The 8 x 8 pixels become an RGB PNG of option
    ``image_size`` pixels (bilinear). The file is read in place, as ``load_digits`` does: importing
    scikit-learn for it would take longer than all the rest.
    """
    template = str(entry.options["template"])
    size = int(str(entry.options["image_size"]))

    def build(item: Item, native_id: str) -> Record:
        *levels, label = item.value
        grey = np.rint(np.array(levels, dtype=np.float64) * (255.0 / _LEVELS)).astype(np.uint8)
        picture = Image.fromarray(grey.reshape(_SIDE, _SIDE))
        picture = picture.resize((size, size), Image.Resampling.BILINEAR).convert("RGB")
        name = NAMES[label]
        draft = template.replace("{name}", name)
        return Record(
            native_id=native_id,
            position=item.position,
            images=(png_bytes(picture),),
            response=draft,
            references=(draft,),
            answer=name,
            extra={"class": str(label)},
        )

    items = list(_rows(locate(entry, root, split, "table")))
    test = _test_numbers(items)
    wanted = (item for item in items if (item.number in test) == (split == "test"))
    yield from convert(entry, split, wanted, lambda item: str(item.number), build)


def _rows(path: Path) -> Iterator[Item]:
    try:
        lines = gzip.decompress(path.read_bytes()).decode("ascii").splitlines()
    except (OSError, EOFError, ValueError) as error:
        yield Item(path.name, 0, Broken("bad_structure", f"no gzipped text: {error}"))
        return
    for number, line in enumerate(lines):
        fields = [int(float(text)) for text in line.split(",") if _is_number(text)]
        good = (
            len(fields) == line.count(",") + 1 == _SIDE * _SIDE + 1
            and all(0 <= level <= _LEVELS for level in fields[:-1])
            and 0 <= fields[-1] < len(NAMES)
        )
        value = fields if good else Broken("bad_row", "expected 64 levels of 0..16 and a class")
        yield Item(f"{path.name}:{number + 1}", number, value)


def _is_number(text: str) -> bool:
    return text.strip().replace(".", "", 1).isdecimal()


def _test_numbers(items: list[Item]) -> set[int]:
    members: dict[int, list[int]] = defaultdict(list)
    for item in items:
        if not isinstance(item.value, Broken):
            members[item.value[-1]].append(item.number)
    chosen: set[int] = set()
    for numbers in members.values():
        numbers.sort(key=lambda number: derive(_SPLIT_SEED, "digits", number))
        chosen.update(numbers[: len(numbers) // _TEST_SHARE])
    return chosen
