"""Boxes as text: the paragraph that follows captions in raw annotations and in distorted drafts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from polite_flamingo.core.sample import Box

# The one fixed sentence that announces boxes (METHOD section 3): sources and distortion share it,
# so that the rewriter meets in raw annotations exactly what it was trained to read.
BOX_ANNOUNCEMENT = "Objects in the picture and their bounding boxes:"

_ANNOUNCED = re.compile(re.escape(BOX_ANNOUNCEMENT), re.IGNORECASE)
_DECIMAL = r"-?(?<![\d.])[01]?\.\d+"
_NUMBER = r"-?(?:\d+(?:\.\d*)?|\.\d+)"
# Never over a line end: boxes are taken out line by line.
_GAP = r"[^\S\n]*"
_COMMA = rf"{_GAP},{_GAP}"
# Four numbers in brackets, or three and more bare decimals of 0..1 in a row: generated text that
# breaks off in the middle of a box still counts as one.
_COORDINATES = re.compile(
    rf"\[{_GAP}{_NUMBER}(?:{_COMMA}{_NUMBER}){{3}}{_GAP}\]"
    rf"|[\[(]?[ ]?{_DECIMAL}(?:{_COMMA}{_DECIMAL}){{2,}}(?:{_GAP},)?(?:{_GAP}[\])])?"
)
# What is left of a box line "name: [..]" without its coordinates: nothing of worth.
_NAME_ONLY = re.compile(r"^[^:]{0,60}:?[\s.,;*-]*$")


def from_corners(
    name: str, corners: Sequence[float], width: float = 1.0, height: float = 1.0
) -> Box | None:
    """Make a box of 0..1 corners from ``x1, y1, x2, y2`` in units of ``width`` and ``height``.

    Clipped to the image; None where a number is not finite or nothing is left inside the image.
    """
    if len(corners) != 4 or not all(_finite(value) for value in (*corners, width, height)):
        return None
    if width <= 0 or height <= 0:
        return None
    x1, y1, x2, y2 = (
        min(max(value / side, 0.0), 1.0)
        for value, side in zip(corners, (width, height, width, height), strict=True)
    )
    return Box(name, x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def from_xywh(
    name: str, xywh: Sequence[float], width: float = 1.0, height: float = 1.0
) -> Box | None:
    """Make a box from COCO's ``x, y, width, height``; None as in :func:`from_corners`."""
    if len(xywh) != 4 or not all(_finite(value) for value in xywh):
        return None
    x, y, w, h = xywh
    return from_corners(name, (x, y, x + w, y + h), width, height)


def _finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def format_boxes(boxes: Sequence[Box]) -> str:
    """Write one line a box, ``name: [x1, y1, x2, y2]``, three decimals; no announcement."""
    return "\n".join(
        f"{box.name}: [{box.x1:.3f}, {box.y1:.3f}, {box.x2:.3f}, {box.y2:.3f}]" for box in boxes
    )


def append_boxes(text: str, boxes: Sequence[Box]) -> str:
    """Add the announcement and the box lines as a paragraph; no boxes leave the text as it is."""
    if not boxes:
        return text
    return f"{text}\n\n{BOX_ANNOUNCEMENT}\n{format_boxes(boxes)}"


def has_boxes(text: str) -> bool:
    """Tell whether a text holds box coordinates or the sentence that announces them."""
    return bool(_ANNOUNCED.search(text) or _COORDINATES.search(text))


def strip_boxes(text: str) -> str:
    """Remove announcement, box lines and coordinates inside a sentence; the rest stays."""
    # Taking one out can put the pieces of another together: look again until none is left.
    while has_boxes(text):
        text = _strip_once(text)
    return text.strip()


def _strip_once(text: str) -> str:
    text = _ANNOUNCED.sub("\n", text)
    lines: list[str] = []
    for line in text.split("\n"):
        bare = _COORDINATES.sub(" ", line)
        if bare == line:
            lines.append(line)
        elif bare.strip() and not (":" in bare and _NAME_ONLY.match(bare)):
            lines.append(re.sub(r" +([.,;!?])", r"\1", re.sub(r" {2,}", " ", bare)).strip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
