"""Draw scenes as small RGB images, deterministic to the byte."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageDraw

from polite_flamingo.shapes.outlines import draw_outline, pixel_box
from polite_flamingo.shapes.scene import Distractor, Scene, Thing

# The first eight are easy-VQA's own colours, so that what a vision tower learns carries over.
COLOR_VALUES = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "black": (0, 0, 0),
    "gray": (128, 128, 128),
    "teal": (0, 128, 128),
    "brown": (165, 42, 42),
    "purple": (150, 50, 220),
    "orange": (255, 140, 0),
}
BACKGROUND_VALUES = {
    "white": (255, 255, 255),
    "light blue": (226, 238, 255),
    "pink": (255, 228, 236),
    "cream": (255, 249, 228),
    "light green": (230, 250, 232),
    "lavender": (238, 230, 252),
}

# Drawn four times larger, then averaged down: smooth edges at low cost.
_SCALE = 4
# Texture pitch and stroke in pixels of a 64-pixel image; a small thing is 12 to 15 pixels wide.
_PITCH = 4.0
_STRIPE = 1.6
_DOT = 2.2
# Distractors: how far from the background towards grey, and pixels of a 64-pixel image.
_PALE = 0.3
_DARKER = 0.22
_LINE = 0.75
_GRID_PITCH = 7.0
_SPECK = 1.0
_SPECKLES = 26


def render(scene: Scene, size: int = 64) -> Image.Image:
    """Draw a scene as an RGB image of ``size`` by ``size`` pixels."""
    side = size * _SCALE
    image = Image.new("RGB", (side, side), BACKGROUND_VALUES[scene.background])
    pen = ImageDraw.Draw(image)
    for distractor in scene.distractors:
        _draw_distractor(image, distractor, BACKGROUND_VALUES[scene.background])
    for thing in scene.things:
        if thing.texture == "plain":
            draw_outline(pen, thing.shape, pixel_box(thing.box, side), COLOR_VALUES[thing.color])
        else:
            image.paste(*_textured(thing, side))
    return image.reduce(_SCALE)


def png_bytes(image: Image.Image) -> bytes:
    """Encode an image as PNG without any metadata."""
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=6)
    return stream.getvalue()


def _draw_distractor(
    image: Image.Image, distractor: Distractor, background: tuple[int, int, int]
) -> None:
    """Draw a mark that is paler than any thing, onto the background."""
    side = image.width
    unit = side / 64
    x1, y1, x2, y2 = (value * side for value in distractor.box)
    ink = _mixed(background, (110, 110, 110), _PALE)
    stroke = max(1, round(_LINE * unit))
    pen = ImageDraw.Draw(image)
    if distractor.kind == "vignette":
        image.paste(_mixed(background, (60, 60, 60), _DARKER), (0, 0), _vignette(side))
    elif distractor.kind == "frame":
        pen.rectangle((x1, y1, x2 - 1, y2 - 1), outline=ink, width=stroke)
    elif distractor.kind == "line":
        pen.line((x1, y1, x2, y2), fill=ink, width=stroke)
    elif distractor.kind == "grid":
        pitch = _GRID_PITCH * unit
        for number in range(int((x2 - x1) / pitch) + 1):
            pen.line((x1 + number * pitch, y1, x1 + number * pitch, y2), fill=ink, width=stroke)
        for number in range(int((y2 - y1) / pitch) + 1):
            pen.line((x1, y1 + number * pitch, x2, y1 + number * pitch), fill=ink, width=stroke)
    else:
        radius = _SPECK * unit / 2
        for number in range(_SPECKLES):
            # Steps of the plastic number fill a plane evenly without a pattern (Roberts 2018).
            x = x1 + (x2 - x1) * ((0.5 + number * 0.7548776662466927) % 1)
            y = y1 + (y2 - y1) * ((0.5 + number * 0.5698402909980532) % 1)
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)


@lru_cache(maxsize=4)
def _vignette(side: int) -> Image.Image:
    """Mask of a vignette: nothing in the middle, everything in the corners."""
    steep = [max(0, round(255 * (value / 255 - 0.55) / 0.45)) for value in range(256)]
    return Image.radial_gradient("L").point(steep).resize((side, side))


def _mixed(
    color: tuple[int, int, int], other: tuple[int, int, int], share: float
) -> tuple[int, int, int]:
    mixed = (round(a + share * (b - a)) for a, b in zip(color, other, strict=True))
    return tuple(mixed)  # type: ignore[return-value]


def _textured(thing: Thing, side: int) -> tuple[Image.Image, tuple[int, int], Image.Image]:
    """Draw one striped or dotted thing: patch, place and mask for ``paste``."""
    left, top = round(thing.box[0] * side), round(thing.box[1] * side)
    width = round(thing.box[2] * side) - left
    height = round(thing.box[3] * side) - top
    color = COLOR_VALUES[thing.color]
    mark = _mark_color(color)
    patch = Image.new("RGB", (width, height), color)
    pen = ImageDraw.Draw(patch)
    unit = side / 64
    pitch = _PITCH * unit
    if thing.texture == "striped":
        stroke = _STRIPE * unit
        for number in range(int(height / pitch) + 1):
            y = (number + 0.5) * pitch
            pen.rectangle((0, y - stroke / 2, width, y + stroke / 2), fill=mark)
    else:
        radius = _DOT * unit / 2
        for row in range(int(height / pitch) + 1):
            for column in range(-1, int(width / pitch) + 1):
                # Rows are offset by half a pitch, which no stripe ever looks like.
                x = (column + 0.5 + row % 2 / 2) * pitch
                y = (row + 0.5) * pitch
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=mark)
    mask = Image.new("L", (side, side), 0)
    draw_outline(ImageDraw.Draw(mask), thing.shape, pixel_box(thing.box, side), 255)
    return patch, (left, top), mask.crop((left, top, left + width, top + height))


def _mark_color(color: tuple[int, int, int]) -> tuple[int, int, int]:
    """Pale marks on dark colours, dark marks on light ones (green and yellow are light)."""
    red, green, blue = color
    if 0.3 * red + 0.59 * green + 0.11 * blue > 145:
        return round(red * 0.45), round(green * 0.45), round(blue * 0.45)
    return tuple(round(value + 0.6 * (255 - value)) for value in color)  # type: ignore[return-value]
