"""Image bytes: kept where every reader agrees on them, else normalised; or a reason."""

from __future__ import annotations

import hashlib
import io
import re
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from polite_flamingo.core.images import BadImage, CheckedImage, blank, check_image, png_bytes

ORIENTATION = 0x0112


def pattern(width: int = 12, height: int = 8) -> Image.Image:
    """Every pixel its own colour."""
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x * 20, y * 30, x + y], axis=-1).astype(np.uint8))


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def pixels(checked: CheckedImage) -> np.ndarray:
    with Image.open(io.BytesIO(checked.data)) as image:
        return np.asarray(image.convert("RGB"))


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


@pytest.mark.parametrize(
    ("data", "ext"),
    [
        (encode(pattern()), "png"),
        (encode(pattern().convert("L")), "png"),
        (encode(pattern(), "JPEG"), "jpg"),
        (encode(pattern().convert("L"), "JPEG"), "jpg"),
        (encode(pattern(), "JPEG", exif=turned(1)), "jpg"),
    ],
)
def test_plain_png_and_jpeg_keep_their_bytes(data: bytes, ext: str) -> None:
    checked = check_image(data)
    assert (checked.data, checked.ext) == (data, ext)
    assert checked.image_id == hashlib.sha256(data).hexdigest()
    assert (checked.width, checked.height) == (12, 8)


def test_alpha_lies_on_white() -> None:
    image = pattern().convert("RGBA")
    image.putpixel((0, 0), (255, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 128))
    checked = check_image(encode(image))
    found = pixels(checked)
    assert found[0, 0].tolist() == [255, 255, 255]
    assert abs(int(found[0, 1, 0]) - 127) <= 1
    assert np.array_equal(found[1:], np.asarray(pattern())[1:])


def test_a_transparent_colour_of_a_palette_lies_on_white() -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    found = pixels(check_image(encode(image, transparency=1)))
    assert found[0].tolist() == [[255, 0, 0], [255, 255, 255], [0, 0, 255]]


def test_a_palette_becomes_its_colours() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 0])
    image.putdata([1, 0])
    checked = check_image(encode(image))
    assert checked.ext == "png"
    assert pixels(checked)[0].tolist() == [[200, 100, 0], [10, 20, 30]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(kind: str) -> None:
    grey = np.array([[0, 16384, 32768, 65535]], dtype=np.uint16)
    found = pixels(check_image(encode(Image.fromarray(grey), kind)))
    assert np.abs(found[0, :, 0].astype(int) - [0, 64, 128, 255]).max() <= 1
    assert (found[..., 0] == found[..., 1]).all() and (found[..., 1] == found[..., 2]).all()


def test_cmyk_becomes_rgb() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    checked = check_image(encode(image, "JPEG", quality=95))
    assert checked.ext == "png"
    red, green, blue = pixels(checked)[4, 4].tolist()
    assert red > 240 and green < 15 and blue < 15


@pytest.mark.parametrize("orientation", range(2, 9))
def test_exif_rotation_is_applied(orientation: int) -> None:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    checked = check_image(encode(pattern(), exif=turned(orientation)))
    shown = pattern().transpose(turns[orientation])
    assert np.array_equal(pixels(checked), np.asarray(shown))
    assert (checked.width, checked.height) == shown.size
    with Image.open(io.BytesIO(checked.data)) as image:
        assert image.getexif().get(ORIENTATION, 1) == 1, "no reader turns it again"


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert pixels(check_image(data))[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PPM", "TGA"])
def test_other_formats_of_equal_pixels_are_one_image(kind: str) -> None:
    checked = check_image(encode(pattern(), kind))
    assert checked.ext == "png"
    assert checked.data == png_bytes(pattern())


def test_what_was_normalised_stays_as_it_is() -> None:
    once = check_image(encode(pattern().convert("RGBA")))
    assert check_image(once.data) == once


def reason(data: bytes) -> str:
    """Why the bytes are no image, which is one line that is the same every time."""
    said = []
    for _ in range(2):
        with pytest.raises(BadImage) as caught:
            check_image(data)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert said[0].strip() and "\n" not in said[0]
    assert not re.search("0x[0-9a-f]{6}|object at", said[0])
    return said[0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no image",
        encode(pattern())[:50],
        encode(pattern())[:-40],
        encode(pattern(), "JPEG")[:300],
        encode(pattern(), "GIF")[:40],
        # A DDS file of a pixel format that Pillow does not know.
        encode(pattern(), "DDS").replace((0x40).to_bytes(4, "little"), bytes(4), 1),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        # A TIFF whose strip offset (tag 273) is said to be text.
        encode(pattern(), "TIFF").replace(struct.pack("<HH", 273, 4), struct.pack("<HH", 273, 2)),
    ],
)
def test_bytes_that_do_not_decode_have_a_reason_without_an_address(data: bytes) -> None:
    reason(data)


def test_a_decompression_bomb_is_a_bad_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert reason(encode(pattern())) == "too many pixels"


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
@given(
    st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF"]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
    st.integers(1, 400),
)
def test_damaged_bytes_are_an_image_or_a_reason(
    kind: str, flips: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(encode(pattern(), kind))
    for place, value in flips:
        data[place % len(data)] = value
    with pytest.MonkeyPatch.context() as patch:
        # A changed size must not take the test's time.
        patch.setattr(Image, "MAX_IMAGE_PIXELS", 5000)
        try:
            checked = check_image(bytes(data[:length]))
        except BadImage as error:
            assert "object at" not in str(error)
            return
        assert pixels(checked).shape == (checked.height, checked.width, 3)


def test_equal_pixels_give_equal_png_bytes() -> None:
    noted = pattern()
    noted.info["comment"] = "metadata"
    assert png_bytes(noted) == png_bytes(pattern())
    assert png_bytes(noted) != png_bytes(pattern().transpose(Image.Transpose.ROTATE_180))


def test_the_blank_image_is_one_grey() -> None:
    assert blank(5).size == (5, 5)
    assert blank(5).getcolors() == [(25, (127, 127, 127))]
