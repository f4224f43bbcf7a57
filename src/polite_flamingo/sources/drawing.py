"""Regions drawn onto images: what RefCOCOg and PointQA ask about (METHOD section 4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw

from polite_flamingo.core.seeds import derive

# Names a person would use for these colours.
COLORS = {
    "red": (230, 25, 25),
    "yellow": (255, 225, 25),
    "green": (40, 200, 60),
    "blue": (20, 90, 240),
    "orange": (255, 140, 0),
    "purple": (160, 30, 200),
    "cyan": (40, 220, 235),
    "pink": (255, 105, 180),
}
_SEED = 0
# Shares of the image's shorter side.
_LINE, _ARROW, _HEAD = 1 / 110, 1 / 6, 1 / 20


class OutsideImage(Exception):
    """A region that is not on its image."""


@dataclass(frozen=True)
class Drawn:
    """An image file and what is drawn on it.

    ``place`` is in pixels: ``x1, y1, x2, y2`` of a box or circle, ``x, y`` of an arrow's tip.
    """

    path: str
    shape: Literal["box", "circle", "arrow"]
    color: str
    place: tuple[float, ...]


def region(path: str, box: tuple[float, float, float, float], identity: str) -> Drawn:
    """A box or circle around a region; shape and colour follow from the sample's id."""
    shape: Literal["box", "circle"] = "circle" if derive(_SEED, "shape", identity) % 2 else "box"
    return Drawn(path, shape, _color(identity), box)


def arrow(path: str, point: tuple[float, float], identity: str) -> Drawn:
    """An arrow to a point; its colour follows from the sample's id."""
    return Drawn(path, "arrow", _color(identity), point)


def draw(image: Image.Image, what: Drawn) -> Image.Image:
    """Return an RGB copy with the region drawn on it; OutsideImage where nothing would be seen."""
    width, height = image.size
    side = min(width, height)
    line = max(2, round(side * _LINE))
    picture = image.convert("RGB").copy()
    pen, color = ImageDraw.Draw(picture), COLORS[what.color]
    if what.shape == "arrow":
        x, y = what.place
        if not (0 <= x <= width and 0 <= y <= height):
            raise OutsideImage(f"the point {x:g}, {y:g} is outside {width} x {height}")
        _draw_arrow(pen, (x, y), (width, height), line, color)
        return picture
    x1, y1, x2, y2 = what.place
    x1, x2 = max(0.0, x1), min(width - 1.0, x2)
    y1, y2 = max(0.0, y1), min(height - 1.0, y2)
    if x1 >= x2 or y1 >= y2:
        raise OutsideImage(f"the region {what.place} is outside {width} x {height}")
    if what.shape == "box":
        pen.rectangle((x1, y1, x2, y2), outline=color, width=line)
    else:
        pen.ellipse((x1, y1, x2, y2), outline=color, width=line)
    return picture


def _draw_arrow(
    pen: ImageDraw.ImageDraw,
    tip: tuple[float, float],
    size: tuple[int, int],
    line: int,
    color: tuple[int, int, int],
) -> None:
    side = min(size)
    # From the side of the middle, so that the whole arrow is on the image.
    dx, dy = size[0] / 2 - tip[0], size[1] / 2 - tip[1]
    far = math.hypot(dx, dy)
    dx, dy = (dx / far, dy / far) if far > 1 else (math.sqrt(0.5), math.sqrt(0.5))
    length, head = max(8.0, side * _ARROW), max(4.0, side * _HEAD)
    pen.line(
        (tip[0] + dx * length, tip[1] + dy * length, tip[0] + dx * head, tip[1] + dy * head),
        fill=color,
        width=line + 1,
    )
    base = (tip[0] + dx * head * 1.5, tip[1] + dy * head * 1.5)
    pen.polygon(
        [
            tip,
            (base[0] - dy * head, base[1] + dx * head),
            (base[0] + dy * head, base[1] - dx * head),
        ],
        fill=color,
    )


def _color(identity: str) -> str:
    return list(COLORS)[derive(_SEED, "color", identity) % len(COLORS)]
