from __future__ import annotations

import io
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from polite_flamingo.core.errors import UserError
from polite_flamingo.shapes.render import COLOR_VALUES, png_bytes, render
from polite_flamingo.shapes.scene import (
    BACKGROUNDS,
    COLORS,
    INVERSE,
    POOLS,
    RELATIONS,
    SHAPES,
    SIZES,
    TEXTURES,
    ObjectLimits,
    Scene,
    Thing,
    from_json,
    make_scene,
    make_variant,
    pool_of,
    region,
    relation_holds,
    scene_hash,
    to_json,
)

LIMITS = ObjectLimits(1, 4)


def scenes(pool: str, number: int) -> list[Scene]:
    return [make_scene(5, pool, index, LIMITS) for index in range(number)]


def thing(x: float, y: float, side: float = 0.2, **given: str) -> Thing:
    values = {"shape": "circle", "color": "red", "size": "small", "texture": "plain"} | given
    return Thing(box=(x - side / 2, y - side / 2, x + side / 2, y + side / 2), **values)


def scene_of(*things: Thing) -> Scene:
    return Scene("s", "raw", "white", things)


def test_a_scene_depends_only_on_its_arguments() -> None:
    first = [make_scene(5, "raw", index, LIMITS) for index in (3, 1, 2)]
    again = {index: make_scene(5, "raw", index, LIMITS) for index in (1, 2, 3)}
    assert first == [again[3], again[1], again[2]]
    assert make_scene(6, "raw", 1, LIMITS) != again[1]


def test_pools_share_no_scene() -> None:
    hashes = {pool: {scene_hash(scene) for scene in scenes(pool, 80)} for pool in POOLS}
    for one, other in combinations(POOLS, 2):
        assert not hashes[one] & hashes[other]


def test_unknown_pool_is_a_user_error() -> None:
    with pytest.raises(UserError, match="nowhere"):
        make_scene(0, "nowhere", 0, LIMITS)


def test_scenes_keep_their_limits_and_things_stay_apart() -> None:
    counts = set()
    for scene in scenes("raw", 150):
        counts.add(len(scene.things))
        for t in scene.things:
            assert min(t.box) >= 0 and max(t.box) <= 1
            widest = 64 * max(t.box[2] - t.box[0], t.box[3] - t.box[1])
            assert 12 <= widest <= 15 if t.size == "small" else 22 <= widest <= 27
        for a, b in combinations(scene.things, 2):
            assert (
                a.box[2] <= b.box[0]
                or b.box[2] <= a.box[0]
                or (a.box[3] <= b.box[1] or b.box[3] <= a.box[1])
            )
            # Two things that do not overlap always have one clear relation.
            assert any(relation_holds(a, relation, b) for relation in RELATIONS)
    assert counts == {1, 2, 3, 4}


def test_least_and_most_objects_are_honoured() -> None:
    for index in range(30):
        assert len(make_scene(1, "test", index, ObjectLimits(2, 2)).things) == 2
        assert len(make_scene(1, "test", index, ObjectLimits(1, 1)).things) == 1
        assert 1 <= len(make_scene(1, "test", index, ObjectLimits(1, 12)).things) <= 12


def test_the_world_uses_all_its_words_and_has_look_alikes() -> None:
    made = scenes("base", 200)
    things = [t for scene in made for t in scene.things]
    assert {t.color for t in things} == set(COLORS)
    assert {t.shape for t in things} == set(SHAPES)
    assert {t.size for t in things} == set(SIZES)
    assert {t.texture for t in things} == set(TEXTURES)
    assert {scene.background for scene in made} == set(BACKGROUNDS)
    assert any(
        a.shape == b.shape and a.color != b.color
        for scene in made
        for a, b in combinations(scene.things, 2)
    )


def test_json_round_trip() -> None:
    for scene in scenes("style", 20):
        assert from_json(to_json(scene)) == scene


def test_hash_ignores_order_and_background_but_no_attribute() -> None:
    a, b = thing(0.2, 0.2), thing(0.8, 0.8, color="blue")
    base = scene_hash(scene_of(a, b))
    assert scene_hash(scene_of(b, a)) == base
    assert scene_hash(replace(scene_of(a, b), background="pink")) == base
    others = [
        replace(a, color="green"),
        replace(a, shape="star"),
        replace(a, size="large"),
        replace(a, texture="dotted"),
        thing(0.5, 0.2),
    ]
    assert len({base, *(scene_hash(scene_of(other, b)) for other in others)}) == 6


@given(st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.floats(0.1, 0.9))
@settings(max_examples=60, deadline=None)
def test_relations_are_antisymmetric(x1: float, y1: float, x2: float, y2: float) -> None:
    a, b = thing(x1, y1), thing(x2, y2)
    for relation in RELATIONS:
        holds = relation_holds(a, relation, b)
        assert relation_holds(b, INVERSE[relation], a) == holds
        assert relation_holds(b, relation, a) == (None if holds is None else not holds)


def test_relation_needs_a_margin() -> None:
    assert relation_holds(thing(0.2, 0.5), "left of", thing(0.6, 0.5)) is True
    assert relation_holds(thing(0.2, 0.5), "right of", thing(0.6, 0.5)) is False
    assert relation_holds(thing(0.5, 0.2), "above", thing(0.5, 0.6)) is True
    assert relation_holds(thing(0.5, 0.2), "left of", thing(0.5, 0.6)) is None


@pytest.mark.parametrize(
    ("x", "y", "name"),
    [(0.1, 0.1, "top left"), (0.5, 0.5, "center"), (0.9, 0.5, "right"), (0.5, 0.9, "bottom")],
)
def test_regions(x: float, y: float, name: str) -> None:
    assert region(thing(x, y)) == name


def test_variants_make_exactly_the_change_they_tell() -> None:
    kinds = set()
    for scene in scenes("raw", 80):
        variant, change = make_variant(scene, 7)
        kinds.add(change.kind)
        assert pool_of(variant) == scene.pool
        assert variant.background == scene.background
        gone = [t for t in scene.things if t not in variant.things]
        new = [t for t in variant.things if t not in scene.things]
        assert gone == ([] if change.before is None else [change.before])
        assert new == ([] if change.after is None else [change.after])
        if change.kind == "color":
            assert change.before is not None and change.after is not None
            assert replace(change.after, color=change.before.color) == change.before
        if change.kind == "moved":
            assert change.before is not None and change.after is not None
            assert region(change.before) != region(change.after)
        assert (variant, change) == make_variant(scene, 7)
    assert kinds == {"color", "removed", "added", "moved"}


def test_images_are_deterministic_rgb_of_the_size_asked() -> None:
    scene = scenes("raw", 1)[0]
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
