"""Draw scenes as small RGB images, deterministic to the byte."""

from __future__ import annotations

import io
import math

from PIL import Image, ImageDraw

from polite_flamingo.shapes.scene import Scene, Thing

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


def render(scene: Scene, size: int = 64) -> Image.Image:
    """Draw a scene as an RGB image of ``size`` by ``size`` pixels."""
    side = size * _SCALE
    image = Image.new("RGB", (side, side), BACKGROUND_VALUES[scene.background])
    pen = ImageDraw.Draw(image)
    for thing in scene.things:
        if thing.texture == "plain":
            _draw_outline(pen, thing, side, COLOR_VALUES[thing.color])
        else:
            image.paste(*_textured(thing, side))
    return image.reduce(_SCALE)


def png_bytes(image: Image.Image) -> bytes:
    """Encode an image as PNG without any metadata."""
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=6)
    return stream.getvalue()


def _corners(thing: Thing, side: int) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (value * side for value in thing.box)
    # Pillow's far edge belongs to the shape.
    return x1, y1, x2 - 1, y2 - 1


def _draw_outline(
    pen: ImageDraw.ImageDraw, thing: Thing, side: int, ink: int | tuple[int, int, int]
) -> None:
    x1, y1, x2, y2 = _corners(thing, side)
    width, height = x2 - x1, y2 - y1
    if thing.shape == "circle":
        pen.ellipse((x1, y1, x2, y2), fill=ink)
    elif thing.shape in ("square", "rectangle"):
        pen.rectangle((x1, y1, x2, y2), fill=ink)
    elif thing.shape == "triangle":
        pen.polygon(((x1, y2), (x2, y2), (x1 + width / 2, y1)), fill=ink)
    elif thing.shape == "cross":
        arm = 0.32
        pen.rectangle((x1 + arm * width, y1, x2 - arm * width, y2), fill=ink)
        pen.rectangle((x1, y1 + arm * height, x2, y2 - arm * height), fill=ink)
    else:
        pen.polygon(_star(x1, y1, width, height), fill=ink)


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
    _draw_outline(ImageDraw.Draw(mask), thing, side, 255)
    return patch, (left, top), mask.crop((left, top, left + width, top + height))


def _mark_color(color: tuple[int, int, int]) -> tuple[int, int, int]:
    """Pale marks on dark colours, dark marks on light ones (green and yellow are light)."""
    red, green, blue = color
    if 0.3 * red + 0.59 * green + 0.11 * blue > 145:
        return round(red * 0.45), round(green * 0.45), round(blue * 0.45)
    return tuple(round(value + 0.6 * (255 - value)) for value in color)  # type: ignore[return-value]
