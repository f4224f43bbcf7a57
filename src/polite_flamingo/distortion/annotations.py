"""Captions and boxes in place of a detailed description: distortion strategy three.

METHOD section 3: the image's reference captions, a paragraph that announces boxes, one line a box.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from polite_flamingo.core.boxes import append_boxes
from polite_flamingo.core.sample import Box, Sample, Turn
from polite_flamingo.distortion import Undistorted

MAX_CAPTIONS = 5

_DESCRIBE = re.compile(
    r"\b(?:descri(?:be|ption|bing)|caption|depict(?:s|ed)?|portray(?:s|ed)?|"
    r"(?:tell|say)\b.{0,30}\b(?:image|picture|photo|scene)|"
    r"what (?:do|can|could) you (?:see|make out)|what(?:'s| is) (?:shown|happening|going on|here)|"
    r"what (?:does|is in) (?:the|this) (?:image|picture|photo|scene)|"
    r"(?:explain|summari[sz]e|elaborate on|walk me through|analy[sz]e|go over|account of)\b.{0,40}"
    r"\b(?:image|picture|photo|scene))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Annotation:
    """What annotators wrote about one image; boxes in 0..1 of its sides."""

    captions: tuple[str, ...]
    boxes: tuple[Box, ...]


def index_annotations(samples: Iterable[Sample]) -> dict[str, Annotation]:
    """Collect captions and boxes by image id from captioning samples of one image.

    Several samples of an image add up; repeated captions and boxes count once.
    """
    captions: dict[str, dict[str, None]] = {}
    boxes: dict[str, dict[Box, None]] = {}
    for sample in samples:
        if sample.task != "captioning" or len(sample.images) != 1:
            continue
        image = sample.images[0]
        captions.setdefault(image, {}).update(dict.fromkeys(sample.references))
        boxes.setdefault(image, {}).update(dict.fromkeys(sample.boxes))
    return {
        image: Annotation(tuple(found), tuple(boxes[image])) for image, found in captions.items()
    }


def annotation_of(sample: Sample, index: Mapping[str, Annotation]) -> Annotation | None:
    """Find the annotation of a sample's only image: its own, else by image id; None if none."""
    if len(sample.images) != 1:
        return None
    if sample.references:
        return Annotation(sample.references, sample.boxes)
    found = index.get(sample.images[0])
    return found if found and found.captions else None


def asks_description(turn: Turn) -> bool:
    """Tell whether a turn asks for a description of the image and not about one thing in it."""
    return _DESCRIBE.search(turn.instruction) is not None


def draft_from(annotation: Annotation) -> str:
    """Write the draft: up to five captions, one a line, then announced boxes.

    Raises :class:`Undistorted` where there is no caption.
    """
    captions = [caption.strip() for caption in annotation.captions if caption.strip()]
    if not captions:
        raise Undistorted("no_captions", "the image has no reference caption")
    return append_boxes(join_captions(captions[:MAX_CAPTIONS]), annotation.boxes)


def join_captions(captions: Sequence[str]) -> str:
    """Join captions to one paragraph as raw annotations do."""
    return "\n".join(captions)
