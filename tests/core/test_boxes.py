from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.core.boxes import (
    BOX_ANNOUNCEMENT,
    append_boxes,
    format_boxes,
    from_corners,
    from_xywh,
    has_boxes,
    strip_boxes,
)
from polite_flamingo.core.sample import Box

DOG = Box("dog", 0.1, 0.2, 0.6, 0.6)
unit = st.floats(0, 1)


def test_three_decimals_one_line_a_box() -> None:
    assert format_boxes([DOG, DOG]) == "\n".join(["dog: [0.100, 0.200, 0.600, 0.600]"] * 2)


def test_from_xywh_normalises_and_clips() -> None:
    box = from_xywh("dog", [10, 10, 500, 20], 100, 50)
    assert box is not None
    assert (box.x1, box.y1, box.x2, box.y2) == pytest.approx((0.1, 0.2, 1.0, 0.6))


@pytest.mark.parametrize(
    "xywh", [[0, 0, 0, 5], [200, 0, 5, 5], [0, 0, math.nan, 1], [1, 2, 3], ["a", 0, 1, 1]]
)
def test_useless_boxes_are_none(xywh: list[float]) -> None:
    assert from_xywh("dog", xywh, 100, 50) is None


def test_an_image_without_size_has_no_boxes() -> None:
    assert from_corners("dog", [0, 0, 1, 1], 0, 5) is None
    assert from_corners("dog", [0, 0, 1, 1], None, 5) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        BOX_ANNOUNCEMENT,
        "A dog at [0.1, 0.2, 0.3, 0.4] runs.",
        "dog: [0.100, 0.200, 0.6",
        "dog 0.100, 0.200, 0.600, 0.600",
        "dog: [1, 0, 1, 1]",
    ],
)
def test_has_boxes(text: str) -> None:
    assert has_boxes(text)


@pytest.mark.parametrize(
    "text",
    [
        "It costs 0.5, or 3.2 with tax.",
        "Options: [a, b, c, d]",
        "1, 2, 3, 4",
        "3.25, 14.50, 6.75",
        "",
    ],
)
def test_numbers_are_no_boxes(text: str) -> None:
    assert not has_boxes(text)


def test_coordinates_over_line_ends_do_not_stall() -> None:
    assert strip_boxes("0.5,\n0.5,\n0.5, 0.5") == "0.5,\n0.5,\n0.5, 0.5"


def test_strip_keeps_the_words_of_a_sentence() -> None:
    assert strip_boxes("A dog [0.1, 0.2, 0.3, 0.4] runs.") == "A dog runs."


@given(st.lists(st.tuples(unit, unit, unit, unit), max_size=4), st.sampled_from(["cat", "hot dog"]))
def test_append_then_strip_gives_the_text_back(
    corners: list[tuple[float, float, float, float]], name: str
) -> None:
    boxes = [box for four in corners if (box := from_corners(name, four)) is not None]
    text = "A dog runs.\n\nTwo people, and a cat: all of them wait."
    joined = append_boxes(text, boxes)
    assert has_boxes(joined) == bool(boxes)
    assert strip_boxes(joined) == text


@given(
    st.lists(
        st.sampled_from(["[", "]", "0.5", "1", ", ", "-.25", "dog: ", "\n", " ", BOX_ANNOUNCEMENT])
    ).map("".join)
)
def test_strip_leaves_no_boxes(text: str) -> None:
    assert not has_boxes(strip_boxes(text))
