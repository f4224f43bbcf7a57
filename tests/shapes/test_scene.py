from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polite_flamingo.core.errors import UserError
from polite_flamingo.shapes.scene import (
    BACKGROUNDS,
    COLORS,
    DISTRACTORS,
    HELD_OUT_PAIRS,
    INVERSE,
    MAX_COVERED,
    POOLS,
    RELATIONS,
    SHAPES,
    SIZES,
    TEXTURES,
    Distractor,
    ObjectLimits,
    Scene,
    Thing,
    covered_shares,
    from_json,
    is_held_out,
    make_scene,
    make_variant,
    pool_of,
    region,
    relation_holds,
    scene_hash,
    to_json,
)

LIMITS = ObjectLimits(1, 4)
RICH = ObjectLimits(1, 8, 1.0)


def scenes(pool: str, number: int, limits: ObjectLimits = LIMITS) -> list[Scene]:
    return [make_scene(5, pool, index, limits) for index in range(number)]


def apart(a: Thing, b: Thing) -> bool:
    return (
        a.box[2] <= b.box[0]
        or b.box[2] <= a.box[0]
        or (a.box[3] <= b.box[1] or b.box[3] <= a.box[1])
    )


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
    made = {pool: scenes(pool, 60) + scenes(pool, 60, RICH) for pool in POOLS}
    hashes = {pool: {scene_hash(scene) for scene in made[pool]} for pool in POOLS}
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
            assert apart(a, b)
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
    for scene in scenes("style", 20) + scenes("style", 20, RICH):
        assert from_json(to_json(scene)) == scene


def test_graphs_written_before_there_were_distractors_are_read() -> None:
    scene = scenes("raw", 1)[0]
    old = json.loads(to_json(scene))
    del old["distractors"]
    assert from_json(json.dumps(old)) == scene


def test_hash_ignores_order_and_background_but_no_attribute() -> None:
    a, b = thing(0.2, 0.2), thing(0.8, 0.8, color="blue")
    base = scene_hash(scene_of(a, b))
    assert scene_hash(scene_of(b, a)) == base
    assert scene_hash(replace(scene_of(a, b), background="pink")) == base
    marked = replace(scene_of(a, b), distractors=(Distractor("line", (0, 0.5, 1, 0.5)),))
    assert scene_hash(marked) == base
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


def check_rich(scene: Scene) -> None:
    """The rules that a rich scene and its variants keep."""
    assert 1 <= len(scene.things) <= 8
    for share in covered_shares(scene):
        assert 0 <= share <= MAX_COVERED
    for t in scene.things:
        assert min(t.box) > 0 and max(t.box) < 1
        # The centre is clear of the lines between regions by more than a pixel.
        assert all(abs(value * 64 - line) > 1 for value in t.center for line in (64 / 3, 128 / 3))
    for a, b in combinations(scene.things, 2):
        assert apart(a, b) or a.color != b.color
        assert any(relation_holds(a, relation, b) for relation in RELATIONS)
    for mark in scene.distractors:
        assert mark.kind in DISTRACTORS and min(mark.box) >= 0 and max(mark.box) <= 1


@given(st.integers(0, 2**40), st.integers(0, 10**8), st.sampled_from(POOLS))
@settings(max_examples=80, deadline=None)
def test_any_rich_scene_and_its_variant_can_be_told(seed: int, index: int, pool: str) -> None:
    scene = make_scene(seed, pool, index, RICH)
    variant, _ = make_variant(scene, seed)
    for each in (scene, variant):
        check_rich(each)
        assert pool_of(each) == each.pool == pool
        assert pool == "test" or not each.held_out_pair
    assert make_scene(seed, pool, index, RICH) == scene


def test_rich_scenes_hold_up_to_eight_things_on_each_other_and_distractors() -> None:
    made = scenes("base", 250, RICH)
    counts = Counter(len(scene.things) for scene in made)
    assert set(counts) == set(range(1, 9)) and min(counts.values()) > 5
    covered = [max(covered_shares(scene)) for scene in made]
    assert 0.3 < sum(share > 0.05 for share in covered) / len(made) < 0.7
    assert {mark.kind for scene in made for mark in scene.distractors} == set(DISTRACTORS)
    things = [t for scene in made for t in scene.things]
    assert {t.size for t in things} == set(SIZES) and {t.texture for t in things} == set(TEXTURES)
    assert any(not scene.distractors for scene in made)
    twins = sum(
        any((a.shape == b.shape) != (a.color == b.color) for a, b in combinations(s.things, 2))
        for s in made
    )
    assert twins > len(made) / 2


def test_the_share_of_rich_scenes_is_kept_and_the_others_are_plain() -> None:
    made = scenes("raw", 300, replace(RICH, rich_share=0.4))
    plain = {scene.scene_id: scene for scene in scenes("raw", 300)}
    same = [scene for scene in made if scene == plain[scene.scene_id]]
    assert 0.5 < len(same) / len(made) < 0.7
    assert all(len(scene.things) <= 4 and not scene.distractors for scene in same)
    assert all(not any(covered_shares(scene)) for scene in same)


def test_rich_limits_are_honoured() -> None:
    for index in range(8):
        assert len(make_scene(1, "raw", index, ObjectLimits(8, 8, 1.0)).things) == 8
        assert len(make_scene(1, "test", index, ObjectLimits(1, 1, 1.0)).things) == 1
        assert 2 <= len(make_scene(1, "test", index, ObjectLimits(2, 3, 1.0)).things) <= 3


@pytest.mark.parametrize("limits", [LIMITS, RICH])
def test_held_out_pairs_are_shown_in_test_scenes_only_and_often_there(limits: ObjectLimits) -> None:
    assert len(HELD_OUT_PAIRS) == 6
    assert {shape for _, shape in HELD_OUT_PAIRS} == {"star", "cross", "square"}
    for pool in POOLS:
        made = scenes(pool, 150, limits)
        share = sum(scene.held_out_pair for scene in made) / len(made)
        assert share > 0.28 if pool == "test" else share == 0
        # Each half of a pair is seen in training, in other company.
        things = [t for scene in made for t in scene.things]
        assert {t.color for t in things} == set(COLORS)
        assert {t.shape for t in things} == set(SHAPES)
        assert pool != "test" or len({(t.color, t.shape) for t in things} & set(HELD_OUT_PAIRS)) > 3


def test_no_variant_outside_test_brings_a_held_out_pair_in() -> None:
    for scene in scenes("raw", 150):
        for seed in range(3):
            assert not make_variant(scene, seed)[0].held_out_pair
    assert is_held_out("teal", "star") and not is_held_out("teal", None)
