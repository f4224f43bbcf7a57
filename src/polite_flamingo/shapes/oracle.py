"""The oracle: what a free response says of a scene, and whether a rewrite says what its draft says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from polite_flamingo.shapes.reading.asked import read_question
from polite_flamingo.shapes.reading.boxes import placed, without_boxes
from polite_flamingo.shapes.reading.changes import (
    change_truth,
    read_changes,
    same_changes,
    speaks_of_change,
)
from polite_flamingo.shapes.reading.claims import Claim, Unsettled
from polite_flamingo.shapes.reading.entailment import Facts, entails, facts
from polite_flamingo.shapes.reading.labels import is_label, says_label
from polite_flamingo.shapes.reading.text import read
from polite_flamingo.shapes.reading.truth import truth
from polite_flamingo.shapes.scene import Scene

# What is asked of a marked region, whatever the words: those name the drawing ("the red circle"),
# which is no thing of the scene.
REGION_QUESTION = "What is this?"


@dataclass(frozen=True)
class Judged:
    """A claim and its truth; None: the scene doesn't settle it."""

    claim: Claim
    truth: bool | None


@dataclass(frozen=True)
class Verdict:
    """All claims of a text with their truth.

    ``missing``: true claims of the draft that the text doesn't make. ``factual``: at least one
    claim is true, none is false and none is missing.
    """

    claims: tuple[Judged, ...]
    factual: bool
    missing: tuple[Claim, ...] = ()


def claims(text: str, question: str | None = None) -> tuple[Claim, ...]:
    """List what a text claims about a scene, in its order; "yes" claims what ``question`` asks."""
    return read(text, question)


def judge(scene: Scene, text: str, question: str | None = None) -> Verdict:
    """Say which claims of a text are true of a scene.

    A definite phrase that fits several things ("the circle" of two) settles a claim only where
    they agree; one that fits nothing makes the claim false.
    """
    judged = tuple(Judged(claim, truth(scene, claim)) for claim in read(text, question))
    truths = [entry.truth for entry in judged]
    return Verdict(judged, factual=True in truths and False not in truths)


def judge_response(
    scene: Scene,
    response: str,
    draft: str,
    question: str | None = None,
    after: Scene | None = None,
) -> Verdict:
    """Judge a rewrite: no claim false, no true claim of the draft missing, at least one true.

    ``after`` is the second scene where the texts tell what changed. Unknown never counts as right.
    """
    if after is not None:
        return _judge_change(scene, after, response, draft)
    wanted = _drafted(draft, question)
    judged = tuple(
        Judged(claim, truth(scene, claim)) for claim in _referring(read(response, question), wanted)
    )
    truths = [entry.truth for entry in judged]
    said = facts(entry.claim for entry in judged)
    missing = tuple(c for c in wanted if truth(scene, c) is True and not entails(said, (c,)))
    return Verdict(judged, True in truths and False not in truths and not missing, missing)


def _judge_change(before: Scene, after: Scene, response: str, draft: str) -> Verdict:
    said = read_changes(response)
    truths = [change_truth(before, after, change) for change in said]
    meant = [c for c in read_changes(draft) if change_truth(before, after, c) is True]
    missing = tuple(
        change.claim() for change in meant if not same_changes((change,), said, extra=True)
    )
    judged = tuple(
        Judged(change.claim(), value) for change, value in zip(said, truths, strict=True)
    )
    factual = True in truths and False not in truths and not missing
    return Verdict(judged, factual, missing)


def faithful(
    question: str | None, draft: str, response: str, scenes: Sequence[Scene] = ()
) -> bool | None:
    """Whether a rewrite says what its draft says, and makes nothing up; None if the draft is unread.

    Every claim of the draft, right or wrong, is made by the response; every other claim of the
    response follows from the draft, from what the question takes for granted, or is true of
    ``scenes`` (one, or the two between which something changed). Without scenes nothing may be
    added at all.
    """
    if speaks_of_change(draft, question) and (meant := read_changes(draft)):
        told = read_changes(response)
        if len(scenes) != 2:
            return same_changes(meant, told)
        added = [one for one in told if not same_changes((one,), meant, extra=True)]
        return same_changes(meant, told, extra=True) and all(
            change_truth(scenes[0], scenes[1], one) is True for one in added
        )
    query = read_question(question) if question is not None else None
    named = query is None or query.kind in ("list", "attribute", "which", "look")
    if question is not None and (query is None or (named and is_label(draft))):
        return says_label(draft, response, question)
    wanted = _drafted(draft, question)
    if not wanted:
        return None
    said = _referring(read(response, question), wanted)
    known = _facts(wanted, boxed=draft)
    return entails(_facts(said), wanted) and _made_up_nothing(said, known, scenes)


def faithful_of_region(names: str, response: str, scenes: Sequence[Scene] = ()) -> bool | None:
    """Whether a response calls a marked thing what all of its names do; None if they are unread.

    ``names`` are referring expressions, one a line, of one thing: "the red circle" and "large
    circle" say together that it is a large red circle. What else is said of it must be true of
    ``scenes`` (one, of that thing alone).
    """
    told: list[Claim] = []
    for name in names.splitlines():
        found = read(f"It is {_definite(name)}.", REGION_QUESTION)
        if not found or not all(c.holds and c.quantifier == "the" and not c.subject for c in found):
            return None
        told += found
    if not told:
        return None
    if response.split() == names.split():
        # A bare list of names is read as what it lists.
        return True
    conditions = tuple(dict.fromkeys(part for claim in told for part in claim.scope))
    said = read(response, REGION_QUESTION)
    meant = facts((Claim("the", scope=conditions),))
    return entails(_facts(said), tuple(told)) and _made_up_nothing(said, meant, scenes)


def _definite(name: str) -> str:
    return f"the {re.sub(r'^(?:the|an?) ', '', name.strip(' .'), flags=re.IGNORECASE)}"


def _made_up_nothing(said: Sequence[Claim], known: Facts, scenes: Sequence[Scene]) -> bool:
    """Whether all that is said, and something is, follows from what is known or from one scene."""
    return bool(said) and all(
        entails(known, (claim,)) or (len(scenes) == 1 and truth(scenes[0], claim) is True)
        for claim in said
    )


def _drafted(draft: str, question: str | None) -> tuple[Claim, ...]:
    """What a draft claims, without what is left open ("away from the rest").

    "0. counting the stars gives 0" does not say that there are some.
    """
    said = read(without_boxes(draft), question)
    settled = [c for c in said if not any(isinstance(part, Unsettled) for part in c.scope)]
    counted = {frozenset(claim.subject) for claim in settled if claim.quantifier == "num"}
    return tuple(
        claim
        for claim in settled
        if claim.quantifier != "some" or frozenset(claim.subject) not in counted or claim.scope
    )


def _referring(said: Sequence[Claim], wanted: Sequence[Claim]) -> tuple[Claim, ...]:
    """Take up what was spoken of: asked about "the large star", "the star" is that one."""
    spoken_of = {claim.subject for claim in wanted if claim.quantifier == "the" and claim.subject}
    if len(spoken_of) != 1:
        return tuple(said)
    (known,) = spoken_of
    return tuple(
        replace(claim, subject=known)
        if claim.quantifier == "the" and set(claim.subject) < set(known)
        else claim
        for claim in said
    )


def _facts(said: tuple[Claim, ...], boxed: str = "") -> Facts:
    return facts((*said, *placed(boxed)))
