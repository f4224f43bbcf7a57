"""Handwritten digits of scikit-learn (UCI optical recognition), as in ELEVATER's classification."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from polite_flamingo.core.images import png_bytes
from polite_flamingo.core.sample import Reject
from polite_flamingo.core.seeds import derive
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.record import Record

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_LEVELS = 16
# The package has no official split; a fifth of each class, by hash of the index, is ours for good.
_TEST_SHARE = 5
_SPLIT_SEED = 0


def read_digits(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read the 1,797 digits; the draft is option ``template`` with the class name in ``{name}``.

    8 x 8 pixels of 17 grey levels become an RGB PNG of option ``image_size`` pixels (bilinear).
    """
    from sklearn.datasets import load_digits

    template = str(entry.options["template"])
    size = int(entry.options["image_size"])
    data = load_digits()
    labels = [int(label) for label in data.target]
    test = _test_indices(labels)
    for index, label in enumerate(labels):
        if (index in test) != (split == "test"):
            continue
        grey = np.rint(data.images[index] * (255.0 / _LEVELS)).astype(np.uint8)
        picture = Image.fromarray(grey).resize((size, size), Image.Resampling.BILINEAR)
        name = NAMES[label]
        draft = template.replace("{name}", name)
        yield Record(
            native_id=str(index),
            position=f"load_digits#{index}",
            images=(png_bytes(picture.convert("RGB")),),
            response=draft,
            references=(draft,),
            answer=name,
            extra={"class": str(label)},
        )


def _test_indices(labels: list[int]) -> set[int]:
    chosen: set[int] = set()
    for label in sorted(set(labels)):
        members = [index for index, other in enumerate(labels) if other == label]
        members.sort(key=lambda index: derive(_SPLIT_SEED, "digits", index))
        chosen.update(members[: len(members) // _TEST_SHARE])
    return chosen
