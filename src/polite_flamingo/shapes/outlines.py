"""Outlines of the shapes, and what of a shape is left to see where others lie on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Box = tuple[float, float, float, float]
Ink = int | tuple[int, int, int]
Mask = NDArray[np.bool_]

# Boxes lie on a grid of 64 by 64 cells; masks have this many pixels a cell, as ``render`` at 64.
GRID = 64
PIXELS_A_CELL = 4
# Things that stand apart have this many cells between their boxes.
_GAP = 2
_SIDE = GRID * PIXELS_A_CELL
_ARM = 0.32


def draw_outline(pen: ImageDraw.ImageDraw, shape: str, box: Box, ink: Ink) -> None:
    """Fill a shape within a box of pixels; the far edges belong to it."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    if shape == "circle":
        pen.ellipse((x1, y1, x2, y2), fill=ink)
    elif shape in ("square", "rectangle"):
        pen.rectangle((x1, y1, x2, y2), fill=ink)
    elif shape == "triangle":
        pen.polygon(((x1, y2), (x2, y2), (x1 + width / 2, y1)), fill=ink)
    elif shape == "cross":
        pen.rectangle((x1 + _ARM * width, y1, x2 - _ARM * width, y2), fill=ink)
        pen.rectangle((x1, y1 + _ARM * height, x2, y2 - _ARM * height), fill=ink)
    else:
        pen.polygon(_star(x1, y1, width, height), fill=ink)


def apart(a: Box, b: Box) -> bool:
    """Tell whether two boxes leave a gap between them."""
    gap = _GAP / GRID
    return a[2] + gap <= b[0] or b[2] + gap <= a[0] or a[3] + gap <= b[1] or b[3] + gap <= a[1]


def grid_box(x: int, y: int, width: int, height: int) -> Box:
    """Scale a box from cells to 0..1."""
    return (x / GRID, y / GRID, (x + width) / GRID, (y + height) / GRID)


def pixel_box(box: Box, side: int) -> Box:
    """Scale a box in 0..1 to pixels; Pillow's far edge belongs to the shape."""
    x1, y1, x2, y2 = (value * side for value in box)
    return x1, y1, x2 - 1, y2 - 1


def what_is_seen(shape: str, box: Box, above: Sequence[tuple[str, Box]]) -> tuple[float, bool]:
    """What the shapes ``above`` leave to see: share of the area (0..1), and is its extent shown?

    It is where what is seen reaches all four sides of the box, within a cell. Else a covered square
    could be a rectangle, and a size or a centre would be guesswork.
    """
    left, top, width, height = _cells(box)
    whole = _solid(shape, width, height)
    seen = whole
    for other, other_box in above:
        x, y, w, h = _cells(other_box)
        x1, x2 = max(left, x), min(left + width, x + w)
        y1, y2 = max(top, y), min(top + height, y + h)
        if x1 < x2 and y1 < y2:
            seen = whole.copy() if seen is whole else seen
            part = _solid(other, w, h)[y1 - y : y2 - y, x1 - x : x2 - x]
            seen[y1 - top : y2 - top, x1 - left : x2 - left] &= ~part
    if seen is whole:
        return 1.0, True
    # The outermost cells: a shape reaches all four sides of its box.
    edge = PIXELS_A_CELL
    sides = (seen[:edge], seen[-edge:], seen[:, :edge], seen[:, -edge:])
    share = np.count_nonzero(seen) / np.count_nonzero(whole)
    return share, all(bool(side.any()) for side in sides)


def _cells(box: Box) -> tuple[int, int, int, int]:
    """Left, top, width and height of a box in mask pixels."""
    left, top = round(box[0] * _SIDE), round(box[1] * _SIDE)
    return left, top, round(box[2] * _SIDE) - left, round(box[3] * _SIDE) - top


@lru_cache(maxsize=4096)
def _solid(shape: str, width: int, height: int) -> Mask:
    image = Image.new("L", (width, height), 0)
    draw_outline(ImageDraw.Draw(image), shape, (0, 0, width - 1, height - 1), 1)
    return np.asarray(image, dtype=bool)


def _star(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    """Corners of a five-pointed star that fills its box, fat enough to carry a texture."""
    points = []
    for step in range(10):
        radius = 1.0 if step % 2 == 0 else 0.46
        angle = math.pi * (step / 5 - 0.5)
        points.append((radius * math.cos(angle), radius * math.sin(angle)))
    reach = math.cos(math.pi / 10)
    foot = math.sin(math.pi * 0.3)
    return [(x + width * (a / reach + 1) / 2, y + height * (b + 1) / (foot + 1)) for a, b in points]
