"""Scene graphs of the Shapes world: coloured, textured shapes on a pale background.

Plain scenes hold up to four things that stand apart. Rich scenes hold up to eight, of which a later
one may lie on an earlier one, and distractors in the background that are no things.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

import numpy as np

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.seeds import generator, unit
from polite_flamingo.shapes.outlines import GRID, Box, apart, grid_box, what_is_seen

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
# What a background may hold besides: never a thing, and named by no question.
DISTRACTORS = ("line", "grid", "speckles", "frame", "vignette")

# Colours and shapes that are shown together in scenes of the test pool only. No circles, rectangles
# or triangles, which easy-VQA shows in all colours.
HELD_OUT_PAIRS = (
    ("teal", "star"),
    ("yellow", "star"),
    ("orange", "cross"),
    ("blue", "cross"),
    ("purple", "square"),
    ("brown", "square"),
)

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

# Most things of a rich and of a plain scene, and the most of a thing that others may cover.
MOST_THINGS = 8
PLAIN_THINGS = 4
MAX_COVERED = 0.35

# Geometry in 64ths of the image side.
_SIDES = {"small": (12, 15), "large": (22, 27)}
_EDGE = 1
# Centres keep away from the lines between regions, so that a region is never a matter of taste.
_REGION_CLEARANCE = 1.5
_RECOLORINGS = 12
# Test scenes that must show a held-out pair; of the others a third does by chance.
_HELD_OUT_SHARE = 0.2
# Things of a rich scene that are put onto another one, as far as the rules for that allow.
_ONTO_SHARE = 0.35


@dataclass(frozen=True)
class Thing:
    """One shape; ``box`` is x1, y1, x2, y2 in 0..1 of the image (y grows downwards)."""

    shape: str
    color: str
    size: str
    texture: str
    box: Box

    @property
    def center(self) -> tuple[float, float]:
        """Middle of the box, (x, y) in 0..1."""
        x1, y1, x2, y2 = self.box
        return (x1 + x2) / 2, (y1 + y2) / 2


@dataclass(frozen=True)
class Distractor:
    """A pale mark on the background, below all things, of one of the kinds ``DISTRACTORS``.

    ``box`` is x1, y1, x2, y2 in 0..1 of the image: the ends of a line, the part that a grid or
    speckles fill, the inner edge of a frame; a vignette has the whole image.
    """

    kind: str
    box: Box


@dataclass(frozen=True)
class Scene:
    """What is in one image; a later thing lies on an earlier one where they meet."""

    scene_id: str
    pool: str
    background: str
    things: tuple[Thing, ...]
    distractors: tuple[Distractor, ...] = ()

    @property
    def held_out_pair(self) -> bool:
        """Whether a thing has a colour and shape that only test scenes show together."""
        return any(is_held_out(thing.color, thing.shape) for thing in self.things)


@dataclass(frozen=True)
class ObjectLimits:
    """How many things a scene may hold, and the share of rich scenes.

    The others are plain and hold ``PLAIN_THINGS`` at most.
    """

    min_objects: int = 1
    max_objects: int = 4
    rich_share: float = 0.0


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
    (up to background and pixel offsets within a region) occurs in two pools. Only test scenes show
    a held-out pair of colour and shape.
    """
    if pool not in POOL_SHARES:
        raise UserError(f"unknown scene pool {pool!r}: choose one of {', '.join(POOLS)}")
    rng = generator(seed, "scene", pool, index)
    rich = unit(seed, "rich", pool, index) < limits.rich_share
    draw = _draw_rich_scene if rich else _draw_scene
    wanted = pool == "test" and unit(seed, "held out", pool, index) < _HELD_OUT_SHARE
    while True:
        scene = draw(f"{pool}-{index:08d}", pool, rng, limits)
        # Other colours often bring a scene into its pool, which is cheaper than another draw.
        for _ in range(_RECOLORINGS):
            held_out = scene.held_out_pair
            fits = held_out or not wanted if pool == "test" else not held_out
            if fits and pool_of(scene) == pool:
                return scene
            scene = _recolored(scene, rng)


def make_variant(scene: Scene, seed: int) -> tuple[Scene, Change]:
    """Make the second scene of a Spot-the-Diff pair: one thing recoloured, removed, added or moved.

    The variant lies in the same pool as ``scene`` and its id is the scene's with ``-b`` appended.
    """
    rng = generator(seed, "variant", scene.scene_id)
    while True:
        changed = _draw_change(scene, rng)
        if changed is None or pool_of(changed[0]) != scene.pool:
            continue
        after = changed[1].after
        if scene.pool == "test" or after is None or not is_held_out(after.color, after.shape):
            return changed


def is_held_out(color: str | None, shape: str | None) -> bool:
    """Tell whether only test scenes show this colour and shape together."""
    return (color, shape) in HELD_OUT_PAIRS


def covered_shares(scene: Scene) -> list[float]:
    """Share of each thing's area (0..1) that later things cover."""
    looks = [(thing.shape, thing.box) for thing in scene.things]
    return [1 - what_is_seen(*look, looks[spot + 1 :])[0] for spot, look in enumerate(looks)]


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
    # Graphs of earlier versions have no distractors.
    marks = tuple(Distractor(m["kind"], tuple(m["box"])) for m in value.get("distractors", ()))
    return Scene(value["scene_id"], value["pool"], value["background"], things, marks)


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
    low = limits.min_objects
    high = max(low, min(PLAIN_THINGS, limits.max_objects))
    # A quarter shows a single thing, as easy-VQA does; most of those are plain.
    number = low if low == high or rng.random() < 0.25 else int(rng.integers(low + 1, high + 1))
    plain = number == 1 and rng.random() < 0.7
    things: list[Thing] = []
    for _ in range(number):
        thing = _place(_draw_attributes(things, plain, rng), things, (), False, rng)
        if thing is not None:
            things.append(thing)
    return Scene(scene_id, pool, background, tuple(things))


def _draw_rich_scene(
    scene_id: str, pool: str, rng: np.random.Generator, limits: ObjectLimits
) -> Scene:
    background = pick(BACKGROUNDS, rng)
    low = limits.min_objects
    high = max(low, min(MOST_THINGS, limits.max_objects))
    # Fewer things are likelier: 18 % of 1 to 8 are one thing, 7 % are eight.
    weights = np.arange(high - low + 5, 4, -1, dtype=float)[: high - low + 1]
    number = low + int(rng.choice(len(weights), p=weights / weights.sum()))
    things: list[Thing] = []
    while len(things) < number:
        thing = _draw_attributes(things, False, rng)
        # Large things leave no room for many others.
        if thing.size == "large" and rng.random() < (number - 3) / 10:
            thing = replace(thing, size="small")
        placed = None
        if things and rng.random() < _ONTO_SHARE:
            placed = _place_onto(thing, things, rng)
        placed = placed or _place(thing, things, (), True, rng)
        if placed is not None:
            things.append(placed)
        elif len(things) >= low:
            break
        else:
            things.clear()
    marks = tuple(_draw_distractor(rng) for _ in range(pick((0, 1, 1, 2), rng)))
    return Scene(scene_id, pool, background, tuple(things), marks)


def _draw_distractor(rng: np.random.Generator) -> Distractor:
    kind = pick(DISTRACTORS, rng)
    if kind == "vignette":
        return Distractor(kind, (0.0, 0.0, 1.0, 1.0))
    if kind == "frame":
        inset = int(rng.integers(1, 4)) / GRID
        return Distractor(kind, (inset, inset, 1 - inset, 1 - inset))
    if kind == "line":
        x1, y1, x2, y2 = (int(value) / GRID for value in rng.integers(0, GRID + 1, 4))
        # From one side of the image to the other: longer than any thing.
        ends = (0.0, y1, 1.0, y2) if rng.random() < 0.5 else (x1, 0.0, x2, 1.0)
        return Distractor(kind, ends)
    x, y = (int(value) / GRID for value in rng.integers(0, GRID // 4 + 1, 2))
    width, height = (int(value) / GRID for value in rng.integers(GRID // 2, 3 * GRID // 4 + 1, 2))
    return Distractor(kind, (x, y, x + width, y + height))


def _recolored(scene: Scene, rng: np.random.Generator) -> Scene:
    """Swap the colours around; things of one colour stay of one colour."""
    names = dict(zip(COLORS, (COLORS[int(i)] for i in rng.permutation(len(COLORS))), strict=True))
    things = tuple(Thing(t.shape, names[t.color], t.size, t.texture, t.box) for t in scene.things)
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


def _place(
    thing: Thing,
    below: Sequence[Thing],
    above: Sequence[Thing],
    overlap: bool,
    rng: np.random.Generator,
) -> Thing | None:
    """Give a thing a free place; a large one that finds none becomes small, then None."""
    for size in dict.fromkeys((thing.size, "small")):
        for _ in range(40):
            width, height = _extent(thing.shape, size, rng)
            x = int(rng.integers(_EDGE, GRID - width - _EDGE + 1))
            y = int(rng.integers(_EDGE, GRID - height - _EDGE + 1))
            if not (_clear(x + width / 2) and _clear(y + height / 2)):
                continue
            placed = replace(thing, size=size, box=grid_box(x, y, width, height))
            if _fits(placed, below, above, overlap):
                return placed
    return None


def _place_onto(thing: Thing, below: Sequence[Thing], rng: np.random.Generator) -> Thing | None:
    """Give a thing a place where it covers a part of one of those ``below``; None if none."""
    for _ in range(12):
        under = pick(below, rng)
        width, height = _extent(thing.shape, thing.size, rng)
        left, top, right, bottom = (round(value * GRID) for value in under.box)
        x = int(
            rng.integers(max(_EDGE, left - width + 2), min(GRID - width - _EDGE, right - 2) + 1)
        )
        y = int(
            rng.integers(max(_EDGE, top - height + 2), min(GRID - height - _EDGE, bottom - 2) + 1)
        )
        if not (_clear(x + width / 2) and _clear(y + height / 2)):
            continue
        placed = replace(thing, box=grid_box(x, y, width, height))
        if _fits(placed, below, (), True):
            return placed
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
    return min(abs(center - GRID / 3), abs(center - 2 * GRID / 3)) >= _REGION_CLEARANCE


def _fits(thing: Thing, below: Sequence[Thing], above: Sequence[Thing], overlap: bool) -> bool:
    """Tell whether a thing may stand where it is, between those drawn before and after it."""
    x1, y1, x2, y2 = thing.box
    if min(x1, y1) < _EDGE / GRID or max(x2, y2) > 1 - _EDGE / GRID:
        return False
    if not all(_clear(value * GRID) for value in thing.center):
        return False
    met = _met(thing, (*below, *above))
    if not met:
        return True
    # Things that touch must differ in colour, and one must be left of or above the other.
    if not overlap or any(other.color == thing.color for other in met):
        return False
    if any(all(relation_holds(thing, name, other) is None for name in RELATIONS) for other in met):
        return False
    order = [*below, thing, *above]
    return all(
        _is_legible(each, order[spot + 1 :])
        for spot, each in enumerate(order)
        if each is thing or each in met
    )


def _is_legible(thing: Thing, above: Sequence[Thing]) -> bool:
    """Tell whether what later things leave to see of a thing shows what and where it is."""
    others = [(other.shape, other.box) for other in _met(thing, above)]
    share, extent = what_is_seen(thing.shape, thing.box, others)
    return share >= 1 - MAX_COVERED and extent


def _met(thing: Thing, others: Sequence[Thing]) -> list[Thing]:
    return [other for other in others if not apart(thing.box, other.box)]


def _draw_change(scene: Scene, rng: np.random.Generator) -> tuple[Scene, Change] | None:
    kind = pick(("color", "removed", "added", "moved"), rng)
    things = list(scene.things)
    before: Thing | None = pick(things, rng)
    after: Thing | None
    assert before is not None
    spot = things.index(before)
    below, above = things[:spot], things[spot + 1 :]
    # Where things meet already, changed ones may too.
    overlap = any(_met(each, things[:place]) for place, each in enumerate(things))
    if kind == "color":
        after = replace(before, color=unlike(COLORS, before.color, rng))
        if any(after.color == other.color for other in _met(after, (*below, *above))):
            return None
        things[spot] = after
    elif kind == "removed":
        if len(things) == 1:
            return None
        after = None
        del things[spot]
    elif kind == "added":
        if len(things) >= MOST_THINGS:
            return None
        drawn = _draw_attributes((), False, rng)
        before, after = None, _place(drawn, things, (), overlap, rng)
        if after is None:
            return None
        things.append(after)
    else:
        after = _place(before, below, above, overlap, rng)
        if after is None or after.size != before.size:
            return None
        after = _resized(after, before)
        # A move must be seen: into another region, by a fifth of the image.
        shift = max(abs(a - b) for a, b in zip(after.center, before.center, strict=True))
        moved = region(after) != region(before) and shift >= 0.2
        if not moved or not _fits(after, below, above, overlap):
            return None
        things[spot] = after
    variant = replace(scene, scene_id=f"{scene.scene_id}-b", things=tuple(things))
    return variant, Change(kind, before, after)


def _resized(thing: Thing, model: Thing) -> Thing:
    """Keep the top left corner of a thing, with the exact width and height of ``model``."""
    x, y = thing.box[:2]
    width, height = model.box[2] - model.box[0], model.box[3] - model.box[1]
    return replace(thing, box=(x, y, x + width, y + height))
