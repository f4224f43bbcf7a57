"""Scene graphs of the Shapes world: coloured, textured shapes on a pale background."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

import numpy as np

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.seeds import generator

Item = TypeVar("Item")

COLORS = (
    "red",
    "green",
    "blue",
    "yellow",
    "black",
    "gray",
    "teal",
    "brown",
    "purple",
    "orange",
)
SHAPES = ("circle", "rectangle", "triangle", "square", "star", "cross")
SIZES = ("small", "large")
TEXTURES = ("plain", "striped", "dotted")
BACKGROUNDS = ("white", "light blue", "pink", "cream", "light green", "lavender")
ATTRIBUTES = ("color", "shape", "size", "texture")

RELATIONS = ("left of", "right of", "above", "below")
INVERSE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
# Centres that differ by less than this share of the image are too close to call.
RELATION_MARGIN = 8 / 64

REGIONS = (
    "top left",
    "top",
    "top right",
    "left",
    "center",
    "right",
    "bottom left",
    "bottom",
    "bottom right",
)

# Shares (percent of all scene hashes) of each pool: a scene belongs to the pool its hash falls in.
POOL_SHARES = {
    "base": 25,
    "judges": 15,
    "calibration": 10,
    "style": 15,
    "raw": 20,
    "test": 15,
}
POOLS = tuple(POOL_SHARES)

# Geometry in 64ths of the image side.
_GRID = 64
_SIDES = {"small": (12, 15), "large": (22, 27)}
_EDGE = 1
_GAP = 2
# Centres keep away from the lines between regions, so that a region is never a matter of taste.
_REGION_CLEARANCE = 1.5
_RECOLORINGS = 12


@dataclass(frozen=True)
class Thing:
    """One shape; ``box`` is x1, y1, x2, y2 in 0..1 of the image (y grows downwards)."""

    shape: str
    color: str
    size: str
    texture: str
    box: tuple[float, float, float, float]

    @property
    def center(self) -> tuple[float, float]:
        """Middle of the box, (x, y) in 0..1."""
        x1, y1, x2, y2 = self.box
        return (x1 + x2) / 2, (y1 + y2) / 2


@dataclass(frozen=True)
class Scene:
    """What is in one image."""

    scene_id: str
    pool: str
    background: str
    things: tuple[Thing, ...]


@dataclass(frozen=True)
class ObjectLimits:
    """How many things a scene may hold."""

    min_objects: int = 1
    max_objects: int = 4


@dataclass(frozen=True)
class Change:
    """The one difference between two scenes of a Spot-the-Diff pair.

    ``kind`` is color, removed, added or moved (none: no difference); ``before`` is None for an
    added thing and ``after`` for a removed one.
    """

    kind: str
    before: Thing | None
    after: Thing | None


def make_scene(seed: int, pool: str, index: int, limits: ObjectLimits) -> Scene:
    """Make scene ``index`` of a pool: a pure function of its arguments.

    Candidates are drawn until one falls into the pool's share of scene hashes, so no scene graph
    (up to background and pixel offsets within a region) occurs in two pools.
    """
    if pool not in POOL_SHARES:
        raise UserError(f"unknown scene pool {pool!r}: choose one of {', '.join(POOLS)}")
    rng = generator(seed, "scene", pool, index)
    while True:
        scene = _draw_scene(f"{pool}-{index:08d}", pool, rng, limits)
        # Other colours often bring a scene into its pool, which is cheaper than another draw.
        for _ in range(_RECOLORINGS):
            if pool_of(scene) == pool:
                return scene
            scene = _recolored(scene, rng)


def make_variant(scene: Scene, seed: int) -> tuple[Scene, Change]:
    """Make the second scene of a Spot-the-Diff pair: one thing recoloured, removed, added or moved.

    The variant lies in the same pool as ``scene`` and its id is the scene's with ``-b`` appended.
    """
    rng = generator(seed, "variant", scene.scene_id)
    while True:
        changed = _draw_change(scene, rng)
        if changed is not None and pool_of(changed[0]) == scene.pool:
            return changed


def scene_hash(scene: Scene) -> str:
    """Hash what a scene shows: each thing's attributes and region, in any order (16 hex digits).

    Background and pixel offsets are left out on purpose: near-copies share a hash, hence a pool.
    """
    facts = sorted([t.shape, t.color, t.size, t.texture, region(t)] for t in scene.things)
    return hashlib.blake2b(json.dumps(facts).encode(), digest_size=8).hexdigest()


def pool_of(scene: Scene) -> str:
    """Name the pool whose share of hashes a scene falls in."""
    place = int(scene_hash(scene), 16) % 100
    for pool, share in POOL_SHARES.items():
        place -= share
        if place < 0:
            return pool
    raise AssertionError("pool shares do not add up to 100")


def to_json(scene: Scene) -> str:
    """Write a scene graph as one line of JSON with sorted keys."""
    return json.dumps(asdict(scene), sort_keys=True)


def from_json(text: str) -> Scene:
    """Read a scene graph that :func:`to_json` wrote."""
    value = json.loads(text)
    things = tuple(Thing(**{**thing, "box": tuple(thing["box"])}) for thing in value["things"])
    return Scene(value["scene_id"], value["pool"], value["background"], things)


def relation_holds(a: Thing, relation: str, b: Thing) -> bool | None:
    """Tell whether ``a`` is ``relation`` ``b``, by centres; None if they are too close to call."""
    axis = 0 if relation in ("left of", "right of") else 1
    lead = b.center[axis] - a.center[axis]
    if relation in ("right of", "below"):
        lead = -lead
    if abs(lead) < RELATION_MARGIN:
        return None
    return lead > 0


def region(thing: Thing) -> str:
    """Name the ninth of the image (thirds by thirds) that holds the thing's centre."""
    column, row = (min(2, max(0, int(3 * value))) for value in thing.center)
    return REGIONS[3 * row + column]


def unlike(values: Sequence[str], taken: str, rng: np.random.Generator) -> str:
    """Draw one of ``values`` other than ``taken``."""
    return pick([value for value in values if value != taken], rng)


def pick(values: Sequence[Item], rng: np.random.Generator) -> Item:
    """Draw one element of a non-empty sequence."""
    return values[int(rng.integers(len(values)))]


def _draw_scene(scene_id: str, pool: str, rng: np.random.Generator, limits: ObjectLimits) -> Scene:
    background = pick(BACKGROUNDS, rng)
    low, high = limits.min_objects, max(limits.min_objects, limits.max_objects)
    # A quarter shows a single thing, as easy-VQA does; most of those are plain.
    number = low if low == high or rng.random() < 0.25 else int(rng.integers(low + 1, high + 1))
    plain = number == 1 and rng.random() < 0.7
    things: list[Thing] = []
    for _ in range(number):
        thing = _place(_draw_attributes(things, plain, rng), things, rng)
        if thing is not None:
            things.append(thing)
    return Scene(scene_id, pool, background, tuple(things))


def _recolored(scene: Scene, rng: np.random.Generator) -> Scene:
    """Swap the colours around; things of one colour stay of one colour."""
    names = dict(zip(COLORS, (COLORS[int(i)] for i in rng.permutation(len(COLORS))), strict=True))
    things = tuple(replace(thing, color=names[thing.color]) for thing in scene.things)
    return replace(scene, things=things)


def _draw_attributes(things: Sequence[Thing], plain: bool, rng: np.random.Generator) -> Thing:
    """Draw a thing without a place; often a look-alike of one that is there already."""
    texture = "plain" if plain or rng.random() < 0.55 else pick(TEXTURES[1:], rng)
    thing = Thing(pick(SHAPES, rng), pick(COLORS, rng), pick(SIZES, rng), texture, (0, 0, 0, 0))
    if not things:
        return thing
    model, chance = pick(things, rng), rng.random()
    if chance < 0.25:
        return replace(thing, shape=model.shape)
    if chance < 0.45:
        return replace(thing, color=model.color)
    if chance < 0.6:
        return replace(thing, shape=model.shape, color=model.color)
    return thing


def _place(thing: Thing, others: Sequence[Thing], rng: np.random.Generator) -> Thing | None:
    """Give a thing a free place; a large one that finds none becomes small, then None."""
    for size in dict.fromkeys((thing.size, "small")):
        for _ in range(40):
            width, height = _extent(thing.shape, size, rng)
            x = int(rng.integers(_EDGE, _GRID - width - _EDGE + 1))
            y = int(rng.integers(_EDGE, _GRID - height - _EDGE + 1))
            if not (_clear(x + width / 2) and _clear(y + height / 2)):
                continue
            box = (x / _GRID, y / _GRID, (x + width) / _GRID, (y + height) / _GRID)
            if all(_apart(box, other.box) for other in others):
                return replace(thing, size=size, box=box)
    return None


def _extent(shape: str, size: str, rng: np.random.Generator) -> tuple[int, int]:
    low, high = _SIDES[size]
    side = int(rng.integers(low, high + 1))
    if shape == "rectangle":
        # Clearly longer than wide, or nobody could tell it from a square.
        short = max(6, round(side * 0.55))
        return (side, short) if rng.random() < 0.5 else (short, side)
    return side, side


def _clear(center: float) -> bool:
    return all(abs(center - line * _GRID / 3) >= _REGION_CLEARANCE for line in (1, 2))


def _apart(a: Sequence[float], b: Sequence[float]) -> bool:
    gap = _GAP / _GRID
    return a[2] + gap <= b[0] or b[2] + gap <= a[0] or a[3] + gap <= b[1] or b[3] + gap <= a[1]


def _draw_change(scene: Scene, rng: np.random.Generator) -> tuple[Scene, Change] | None:
    kind = pick(("color", "removed", "added", "moved"), rng)
    things = list(scene.things)
    before: Thing | None = pick(things, rng)
    after: Thing | None
    assert before is not None
    spot = things.index(before)
    if kind == "color":
        after = replace(before, color=unlike(COLORS, before.color, rng))
        things[spot] = after
    elif kind == "removed":
        if len(things) == 1:
            return None
        after = None
        del things[spot]
    elif kind == "added":
        before, after = None, _place(_draw_attributes((), False, rng), things, rng)
        if after is None:
            return None
        things.append(after)
    else:
        others = things[:spot] + things[spot + 1 :]
        after = _place(before, others, rng)
        if after is None or after.size != before.size:
            return None
        after = _resized(after, before)
        # A move must be seen: into another region, by a fifth of the image.
        shift = max(abs(a - b) for a, b in zip(after.center, before.center, strict=True))
        if region(after) == region(before) or shift < 0.2 or not _fits(after, others):
            return None
        things[spot] = after
    variant = replace(scene, scene_id=f"{scene.scene_id}-b", things=tuple(things))
    return variant, Change(kind, before, after)


def _resized(thing: Thing, model: Thing) -> Thing:
    """Keep the top left corner of a thing, with the exact width and height of ``model``."""
    x, y = thing.box[:2]
    width, height = model.box[2] - model.box[0], model.box[3] - model.box[1]
    return replace(thing, box=(x, y, x + width, y + height))


def _fits(thing: Thing, others: Sequence[Thing]) -> bool:
    inside = max(thing.box) <= 1 - _EDGE / _GRID
    clear = all(_clear(value * _GRID) for value in thing.center)
    return inside and clear and all(_apart(thing.box, other.box) for other in others)
