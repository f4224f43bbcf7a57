"""The truth of claims in a scene graph: True, False, or None where the scene doesn't settle it."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable

from polite_flamingo.shapes.reading.claims import (
    AnyOf,
    Claim,
    Condition,
    Description,
    Extreme,
    Group,
    In,
    Is,
    Not,
    Related,
    Sole,
)
from polite_flamingo.shapes.scene import Scene, Thing, region, relation_holds

Truth = bool | None
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "more": operator.gt,
    "fewer": operator.lt,
    "same": operator.eq,
}
_SIDES = {"left": "left of", "right": "right of", "top": "above", "bottom": "below"}
_CORNERS = ("top left", "top right", "bottom left", "bottom right")


class MissingError(ValueError):
    """A definite phrase fits nothing: what is said of it is false, however it is put."""


def truth(scene: Scene, claim: Claim) -> Truth:
    """Say whether one claim is true of a scene.

    A definite phrase that fits several things ("the circle" of two) settles a claim only where
    they agree; one that fits nothing makes the claim false.
    """
    try:
        value = _asserted(scene, claim)
    except MissingError:
        return False
    return value if value is None or claim.holds else not value


def _asserted(scene: Scene, claim: Claim) -> Truth:
    quantifier = claim.quantifier
    if quantifier == "background":
        # "blue" is as good a word for a light blue background as "light blue".
        return claim.value in (scene.background, scene.background.split()[-1])
    if quantifier in ("every", "any"):
        truths = [truth(scene, part) for part in claim.claims]
        return _all(truths) if quantifier == "every" else _any(truths)
    if quantifier == "compare":
        one, other = (_count(scene, of) for of in (claim.subject, claim.other))
        if one[1] or other[1]:
            return None
        return _COMPARISONS[claim.value](one[0], other[0])
    if quantifier in ("the", "all", "both", "same", "different", "values"):
        return _definite(scene, claim)
    if quantifier == "parts":
        return _parts(scene, claim)
    if quantifier in ("most", "half"):
        total, open_total = _count(scene, claim.subject)
        some, open_some = _count(scene, claim.subject + claim.scope)
        if open_total or open_some:
            return None
        return 2 * some > total if quantifier == "most" else 2 * some == total
    if quantifier == "only":
        outside = [
            _fits(scene, thing, (*claim.scope, Not(claim.subject))) for thing in scene.things
        ]
        inside = [_fits(scene, thing, claim.scope + claim.subject) for thing in scene.things]
        none_else = _any(outside)
        return _all([_any(inside), None if none_else is None else not none_else])
    sure, unsure = _count(scene, claim.subject + claim.scope)
    if quantifier == "some":
        return True if sure else None if unsure else False
    if quantifier == "no":
        return False if sure else None if unsure else True
    match = re.fullmatch(r"(\D+)(\d+)", claim.number)
    if quantifier != "num" or match is None:
        raise ValueError(f"no such claim: {claim}")
    outcomes = {_COMPARISONS[match[1]](n, int(match[2])) for n in range(sure, sure + unsure + 1)}
    return outcomes.pop() if len(outcomes) == 1 else None


def _definite(scene: Scene, claim: Claim) -> Truth:
    fits = [(thing, _fits(scene, thing, claim.subject)) for thing in scene.things]
    members = [thing for thing, value in fits if value]
    if not members:
        if any(value is None for _, value in fits):
            return None
        raise MissingError
    if claim.number and not _number(len(members), claim.number):
        raise MissingError
    if claim.quantifier == "both" and len(members) != 2:
        raise MissingError
    if claim.quantifier in ("same", "different", "values"):
        values = [str(getattr(thing, claim.value)) for thing in members]
        if claim.quantifier == "values":
            return _number(len(set(values)), claim.other[0].values[0])  # type: ignore[union-attr]
        if len(members) < 2:
            return None
        same = len(set(values)) == 1
        return same if claim.quantifier == "same" else len(set(values)) == len(values)
    truths = [_fits(scene, thing, claim.scope) for thing in members]
    if claim.quantifier == "the":
        return truths[0] if len(set(truths)) == 1 else None
    return _all(truths)


def _number(count: int, said: str) -> bool:
    match = re.fullmatch(r"(\D+)(\d+)", said)
    if match is None:
        raise ValueError(f"not a number: {said!r}")
    return _COMPARISONS[match[1]](count, int(match[2]))


def _parts(scene: Scene, claim: Claim) -> Truth:
    """Whether the subjects can be dealt out to the parts: "one is red, one is at the top".

    A single part is exact; a part without a number takes all that is left.
    """
    members = [thing for thing in scene.things if _fits(scene, thing, claim.subject)]
    if not members:
        raise MissingError
    if claim.number and not _number(len(members), claim.number):
        return False
    fits = [[_fits(scene, thing, scope) for _, scope in claim.parts] for thing in members]
    if len(claim.parts) == 1 and claim.parts[0][0]:
        sure = sum(row[0] is True for row in fits)
        unsure = sum(row[0] is None for row in fits)
        outcomes = {_number(n, claim.parts[0][0]) for n in range(sure, sure + unsure + 1)}
        return outcomes.pop() if len(outcomes) == 1 else None
    wanted = [number for number, _ in claim.parts]
    if _deal(fits, wanted, [0] * len(wanted), 0, sure=True):
        return True
    return None if _deal(fits, wanted, [0] * len(wanted), 0, sure=False) else False


def _deal(
    fits: list[list[Truth]], wanted: list[str], dealt: list[int], place: int, sure: bool
) -> bool:
    rest = [index for index, number in enumerate(wanted) if not number]
    if place == len(fits):
        return all(
            _number(count, number) if number else count > 0
            for count, number in zip(dealt, wanted, strict=True)
        )
    for index, value in enumerate(fits[place]):
        if value or (value is None and not sure):
            dealt[index] += 1
            done = _deal(fits, wanted, dealt, place + 1, sure)
            dealt[index] -= 1
            if done:
                return True
    # Where the rest is spoken of, everything is.
    return not rest and _deal(fits, wanted, dealt, place + 1, sure)


def _all(truths: Iterable[Truth]) -> Truth:
    seen = set(truths)
    return False if False in seen else None if None in seen else True


def _any(truths: Iterable[Truth]) -> Truth:
    seen = set(truths)
    return True if True in seen else None if None in seen else False


def _count(scene: Scene, description: Description) -> tuple[int, int]:
    """How many things fit, and how many more may."""
    truths = [_fits(scene, thing, description) for thing in scene.things]
    return truths.count(True), truths.count(None)


def _fits(scene: Scene, thing: Thing, description: Description) -> Truth:
    value: Truth = True
    for condition in description:
        one = _meets(scene, thing, condition)
        if one is False:
            return False
        if one is None:
            value = None
    return value


def _meets(scene: Scene, thing: Thing, condition: Condition) -> Truth:
    if isinstance(condition, Is):
        if condition.values[0] == "patterned":
            return thing.texture != "plain"
        # A light blue thing is blue.
        return getattr(thing, condition.attribute) in {v.split()[-1] for v in condition.values}
    if isinstance(condition, In):
        return _lies(thing, condition.place)
    if isinstance(condition, Not):
        value = _fits(scene, thing, condition.of)
        return None if value is None else not value
    if isinstance(condition, AnyOf):
        return _any(_fits(scene, thing, of) for of in condition.of)
    if isinstance(condition, Related):
        return _related(scene, thing, condition)
    if isinstance(condition, Extreme):
        base = [other for other in scene.things if _fits(scene, other, condition.base)]
        if thing not in base:
            return False
        return _all(_beyond(thing, condition.side, other) for other in base if other is not thing)
    if isinstance(condition, Sole):
        others = [_fits(scene, other, condition.of) for other in scene.things if other is not thing]
        another = _any(others)
        return _all([_fits(scene, thing, condition.of), None if another is None else not another])
    return None


def _lies(thing: Thing, place: str) -> bool:
    here = region(thing)
    if place.startswith("="):
        return here == place[1:]
    if place == "corner":
        return here in _CORNERS
    if place.endswith(" corner"):
        return here in _CORNERS and set(place.split()[:-1]) <= set(here.split())
    if place.startswith("half "):
        x, y = thing.center
        return {"left": x < 0.5, "right": x > 0.5, "top": y < 0.5, "bottom": y > 0.5}[place[5:]]
    if place == "edge":
        return here != "center"
    # "on the left" is true of the top left too.
    return set(place.split()) <= set(here.split())


def _beyond(thing: Thing, side: str, other: Thing) -> Truth:
    if side in _SIDES:
        return relation_holds(thing, _SIDES[side], other)
    return thing.size == side and other.size != side


def _related(scene: Scene, thing: Thing, condition: Related) -> Truth:
    group: Group = condition.other
    members = [
        other
        for other in scene.things
        if other is not thing and _fits(scene, other, group.of) is True
    ]
    if not members:
        alone = _fits(scene, thing, group.of) is True
        if group.quantifier == "some" or alone:
            # Nothing is bigger than itself.
            return False
        raise MissingError
    relation = condition.relation
    truths = [_pair(thing, relation, other) for other in members]
    if group.quantifier == "some":
        return _any(truths)
    if group.quantifier == "all":
        return _all(truths)
    return truths[0] if len(set(truths)) == 1 else None


def _pair(thing: Thing, relation: str, other: Thing) -> Truth:
    if relation in ("left of", "right of", "above", "below"):
        return relation_holds(thing, relation, other)
    if relation == "larger":
        return (thing.size, other.size) == ("large", "small")
    if relation == "smaller":
        return (thing.size, other.size) == ("small", "large")
    if relation.startswith("same:"):
        attribute = relation[5:]
        return bool(getattr(thing, attribute) == getattr(other, attribute))
    return None
