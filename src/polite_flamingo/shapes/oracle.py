"""The oracle: what a free response says of a scene, claim by claim true, false or unknown."""

from __future__ import annotations

from dataclasses import dataclass

from polite_flamingo.shapes.reading.claims import Claim
from polite_flamingo.shapes.reading.text import read
from polite_flamingo.shapes.reading.truth import truth
from polite_flamingo.shapes.scene import Scene


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
    """Say which claims of a text are true of a scene."""
    judged = tuple(Judged(claim, truth(scene, claim)) for claim in read(text, question))
    truths = [entry.truth for entry in judged]
    return Verdict(judged, factual=True in truths and False not in truths)
