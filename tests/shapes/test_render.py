"""What the images show of the scene graphs."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from polite_flamingo.shapes.render import BACKGROUND_VALUES, COLOR_VALUES, png_bytes, render
from polite_flamingo.shapes.scene import (
    BACKGROUNDS,
    COLORS,
    DISTRACTORS,
    MAX_COVERED,
    POOLS,
    SHAPES,
    TEXTURES,
    Distractor,
    ObjectLimits,
    Scene,
    Thing,
    covered_shares,
    make_scene,
)

RICH = ObjectLimits(1, 8, 1.0)
# Large enough to measure areas to a percent.
FINE = 192


def thing(x: float, y: float, side: float = 0.2, **given: str) -> Thing:
    values = {"shape": "circle", "color": "red", "size": "small", "texture": "plain"} | given
    return Thing(box=(x - side / 2, y - side / 2, x + side / 2, y + side / 2), **values)


def scene_of(*things: Thing) -> Scene:
    return Scene("s", "raw", "white", things)


def pixels(scene: Scene, size: int = 64) -> NDArray[np.int16]:
    return np.asarray(render(scene, size)).astype(np.int16)


def inked(one: Thing, size: int) -> NDArray[np.bool_]:
    """Where a thing would be seen if it were alone: drawn black on white."""
    alone = Thing(one.shape, "black", one.size, "plain", one.box)
    return pixels(scene_of(alone), size).max(axis=2) < 128


@given(st.integers(0, 2**40), st.integers(0, 10**8), st.sampled_from(POOLS))
@settings(max_examples=25, deadline=None)
def test_no_more_of_a_thing_is_covered_than_allowed_as_measured_on_the_image(
    seed: int, index: int, pool: str
) -> None:
    scene = make_scene(seed, pool, index, RICH)
    image = pixels(scene, FINE)
    masks = [inked(one, FINE) for one in scene.things]
    for spot, (one, mask) in enumerate(zip(scene.things, masks, strict=True)):
        above = np.any(masks[spot + 1 :], axis=0) if masks[spot + 1 :] else np.zeros_like(mask)
        share = (mask & above).sum() / mask.sum()
        assert share <= MAX_COVERED + 0.02
        assert abs(share - covered_shares(scene)[spot]) < 0.03
        # What is not covered has the thing's own colour; of a texture most of it.
        seen = np.all(image[mask & ~above] == COLOR_VALUES[one.color], axis=1).mean()
        assert seen > (0.8 if one.texture == "plain" else 0.3)
    # What is covered belongs to the later thing: the last one is seen whole.
    last = np.all(image[masks[-1]] == COLOR_VALUES[scene.things[-1].color], axis=1)
    assert last.mean() > (0.8 if scene.things[-1].texture == "plain" else 0.3)


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("kind", DISTRACTORS)
def test_distractors_are_pale_and_below_the_things(kind: str, background: str) -> None:
    box = {"vignette": (0, 0, 1, 1), "line": (0, 0.2, 1, 0.7)}.get(kind, (0.05, 0.05, 0.95, 0.95))
    one = thing(0.5, 0.5, 0.4, shape="star", color="yellow")
    bare = Scene("s", "raw", background, (one,))
    marked = Scene("s", "raw", background, (one,), (Distractor(kind, box),))
    before, after = pixels(bare), pixels(marked)
    changed = np.abs(after - before).max(axis=2)
    core = np.all(before == COLOR_VALUES["yellow"], axis=2)
    assert core.sum() > 100 and not changed[core].any()
    assert (changed > 8).sum() > 12
    assert changed.max() < 60
    # No pixel takes a thing's colour.
    ground = np.array(BACKGROUND_VALUES[background])
    far = [np.abs(ground - np.array(COLOR_VALUES[color])).max() for color in COLORS]
    assert changed.max() < min(far) / 1.5


def test_different_scenes_have_different_images_and_equal_ones_equal_bytes() -> None:
    made = [make_scene(2, pool, index, RICH) for pool in POOLS for index in range(40)]
    data = [png_bytes(render(scene)) for scene in made]
    assert len(set(data)) == len(made)
    again = [make_scene(2, pool, index, RICH) for pool in POOLS for index in range(40)]
    assert [png_bytes(render(scene)) for scene in again] == data


def test_images_are_deterministic_rgb_of_the_size_asked() -> None:
    scene = make_scene(5, "raw", 0, RICH)
    data = png_bytes(render(scene))
    assert data == png_bytes(render(scene))
    image = Image.open(io.BytesIO(data))
    assert (image.size, image.mode, image.info) == ((64, 64), "RGB", {})
    assert render(scene, 48).size == (48, 48)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("color", COLORS)
def test_a_plain_thing_fills_its_middle_with_its_color(shape: str, color: str) -> None:
    image = render(scene_of(thing(0.5, 0.5, 0.4, shape=shape, color=color)))
    assert image.getpixel((32, 33)) == COLOR_VALUES[color]
    assert image.getpixel((2, 2)) == (255, 255, 255)


@pytest.mark.parametrize("side", [12 / 64, 24 / 64])
@pytest.mark.parametrize("color", COLORS)
def test_textures_are_visible_and_leave_the_color_in_the_majority(color: str, side: float) -> None:
    images = [
        render(scene_of(thing(0.5, 0.5, side, shape="square", color=color, texture=texture)))
        for texture in TEXTURES
    ]
    plain, striped, dotted = (list(image.tobytes()) for image in images)
    for textured in (striped, dotted):
        changed = sum(abs(a - b) > 40 for a, b in zip(plain, textured, strict=True))
        assert changed > 0.1 * (side * 64) ** 2
    assert striped != dotted
