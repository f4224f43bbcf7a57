"""The oracle: what a free response says of a scene, claim by claim true, false or unknown."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from polite_flamingo.shapes.claims import Claim, claims
from polite_flamingo.shapes.questions import Phrase
from polite_flamingo.shapes.scene import ATTRIBUTES, Scene, Thing, region, relation_holds

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "more": operator.gt,
    "fewer": operator.lt,
    "same": operator.eq,
}


@dataclass(frozen=True)
class Judged:
    """A claim and its truth; None: the scene doesn't settle it."""

    claim: Claim
    truth: bool | None


@dataclass(frozen=True)
class Verdict:
    """All claims of a text with their truth.

    ``factual``: at least one claim is true and none is false.
    """

    claims: tuple[Judged, ...]
    factual: bool


def judge(scene: Scene, text: str, question: str | None = None) -> Verdict:
    """Say which claims of a text are true of a scene.

    A definite phrase that fits several things ("the circle" of two) settles a claim only where
    they agree; one that fits nothing makes the claim false.
    """
    judged = tuple(Judged(claim, truth(scene, claim)) for claim in claims(text, question))
    truths = [entry.truth for entry in judged]
    return Verdict(judged, factual=True in truths and False not in truths)


def truth(scene: Scene, claim: Claim) -> bool | None:
    """Say whether one claim is true of a scene; None where the scene doesn't settle it."""
    if claim.kind == "exist":
        return any(map(claim.subject.matches, scene.things)) == claim.holds
    if claim.kind == "background":
        return _background(scene, claim)
    subjects = _matching(scene, claim.subject)
    if claim.kind == "count":
        return _counts(len(subjects), claim.value) == claim.holds
    if claim.kind == "compare":
        others = len(_matching(scene, claim.other or Phrase()))
        return _COMPARISONS[claim.value](len(subjects), others) == claim.holds
    if claim.kind == "relation":
        return _relation(scene, claim, subjects)
    if not subjects:
        # What isn't there has no colour: false either way it is put.
        return False
    agreed = {_fits(thing, claim) for thing in subjects}
    if len(agreed) > 1:
        return None
    return agreed.pop() == claim.holds


def _matching(scene: Scene, phrase: Phrase) -> list[Thing]:
    return [thing for thing in scene.things if phrase.matches(thing)]


def _counts(number: int, said: str) -> bool:
    match = re.fullmatch(r"(\D*)(\d+)", said)
    if match is None:
        raise ValueError(f"not a number: {said!r}")
    return _COMPARISONS[match[1]](number, int(match[2]))


def _background(scene: Scene, claim: Claim) -> bool:
    # "blue" is as good a word for a light blue background as "light blue".
    said = claim.value in (scene.background, scene.background.split()[-1])
    return said == claim.holds


def _fits(thing: Thing, claim: Claim) -> bool:
    if claim.kind in ATTRIBUTES:
        return bool(getattr(thing, claim.kind) == claim.value)
    # "on the left" is true of the top left too.
    return set(claim.value.split()) <= set(region(thing).split())


def _relation(scene: Scene, claim: Claim, subjects: list[Thing]) -> bool | None:
    others = _matching(scene, claim.other or Phrase())
    found = {relation_holds(a, claim.value, b) for a in subjects for b in others if a is not b}
    if not found:
        # Denying a relation of what isn't there ("no circle above the star") may still be true.
        return None if not claim.holds else False
    if True in found:
        return claim.holds
    return None if None in found else not claim.holds
