"""Check and normalise image bytes."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

_KEPT_FORMATS = {"PNG": "png", "JPEG": "jpg"}
_EXIF_ORIENTATION = 0x0112
# What Pillow raises for bytes that it can't decode; the last two for damaged TIFF and DDS files.
_DAMAGED = (
    UnidentifiedImageError,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    NotImplementedError,
)
_ADDRESS = re.compile(r" <_io\.\w+ object at 0x[0-9a-fA-F]+>")


class BadImage(Exception):
    """An image that can't be used; ``str(error)`` says why."""


@dataclass(frozen=True)
class CheckedImage:
    """Image bytes that decode to RGB; ``image_id`` is their SHA-256, sizes in pixels.

    ``origin``: SHA-256 of the file they were made from, where they are not its own bytes.
    """

    image_id: str
    data: bytes
    ext: str
    width: int
    height: int
    origin: str | None = None


def check_image(data: bytes) -> CheckedImage:
    """Decode an image fully and return bytes every later stage can trust.

    PNG and JPEG in RGB or 8-bit grey keep their bytes; everything else that Pillow reads (alpha on
    white, palette, CMYK, 16 bit, animation's first frame, EXIF rotation, TIFF ...) is re-encoded
    as an RGB PNG. Raises :class:`BadImage` for what doesn't decode.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            kept = (
                image.format in _KEPT_FORMATS
                and image.mode in ("RGB", "L")
                and getattr(image, "n_frames", 1) == 1
                and image.getexif().get(_EXIF_ORIENTATION, 1) == 1
                and "transparency" not in image.info
            )
            if kept:
                ext = _KEPT_FORMATS[str(image.format)]
                width, height = image.size
            else:
                converted = _to_rgb(image)
                data, ext = png_bytes(converted), "png"
                width, height = converted.size
    except _DAMAGED as error:
        # Pillow names the memory address of what it read; a reason must not change with it.
        reason = _ADDRESS.sub("", (str(error).splitlines() or [""])[0])
        raise BadImage(reason or type(error).__name__) from error
    except Image.DecompressionBombError as error:
        raise BadImage("too many pixels") from error
    if width < 1 or height < 1:
        raise BadImage("no pixels")
    return CheckedImage(hashlib.sha256(data).hexdigest(), data, ext, width, height)


def _to_rgb(image: Image.Image) -> Image.Image:
    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I") or turned.mode == "F":
        # 16-bit and float grey: Pillow clips on convert, so scale to 8 bits first.
        _, high = (float(value) for value in turned.getextrema())  # type: ignore[arg-type]
        full = max(high, 65535.0 if turned.mode.startswith("I") and high > 255 else 255.0)
        turned = turned.convert("F").point(lambda value: value * (255.0 / full)).convert("L")
    if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
        rgba = turned.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return turned.convert("RGB")


def png_bytes(image: Image.Image) -> bytes:
    """Encode as PNG with no metadata: equal pixels give equal bytes."""
    buffer = io.BytesIO()
    clean = Image.new(image.mode, image.size)
    clean.paste(image)
    clean.save(buffer, format="PNG", optimize=False, compress_level=6)
    return buffer.getvalue()


def blank(size: int) -> Image.Image:
    """Make the blank control image: mid grey, ``size`` pixels a side."""
    return Image.new("RGB", (size, size), (127, 127, 127))
