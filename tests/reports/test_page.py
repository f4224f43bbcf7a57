from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from polite_flamingo.reports import page, sentences


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("kept_share", 0.8333, "83.3 %"),
        ("tax_accuracy_gap", -0.0123, sentences.MINUS + "1.2 pts"),
        ("stage1_reward", -0.5, sentences.MINUS + "0.50"),
        ("kept_share", None, sentences.DASH),
    ],
)
def test_headline_figures_carry_their_unit(key: str, value: float | None, text: str) -> None:
    assert page.headline_text(key, value) == text


def test_entailment_is_named_with_its_probability() -> None:
    assert page.entailment_text([0.0, 0.0, 10.0]) == "neutral 100%"
    assert page.entailment_text([800.0, -800.0, 0.0]) == "contradiction 100%"
    assert page.entailment_text(None) == sentences.DASH


def test_removed_paragraphs_are_marked() -> None:
    marks = page.removed_marks("One.\n\nTwo.\n\nOne.", "One.\n\nTwo.")
    assert marks == [("One.", False), ("Two.", False), ("One.", True)]


def _png(size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, "PNG")
    return buffer.getvalue()


def test_small_images_are_kept_and_large_ones_scaled_down() -> None:
    small = _png((64, 64))
    assert base64.b64decode(page.image_uri(small).split(",")[1]) == small
    uri = page.image_uri(_png((1024, 512)))
    with Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))) as image:
        assert image.size == (page.THUMBNAIL, page.THUMBNAIL // 2)
