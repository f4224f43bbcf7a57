"""The short answer that a free response gives, out of a closed vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from polite_flamingo.shapes.claims import (
    Claim,
    Item,
    Query,
    claims,
    clauses,
    compatible,
    implies,
    read_question,
)
from polite_flamingo.shapes.questions import Phrase
from polite_flamingo.shapes.scene import ATTRIBUTES

_INVERSE = {
    "left of": "right of",
    "right of": "left of",
    "above": "below",
    "below": "above",
    "more": "fewer",
    "fewer": "more",
}
_DENIED = re.compile(r"\b(?:not|no|never|isn't|rather than|instead of|than)(?: an?| the)? $")


def extract_answer(response: str, question: str, answers: Sequence[str]) -> str | None:
    """Find the one answer of ``answers`` that a response gives to a question.

    Reads polite and paraphrased forms, passes over echoes of the question's own words and over
    what is denied. None where the response gives no answer, or two ("yes" and a denial, "red or
    blue"). Numbers fit as word or digit. For questions whose words are not the Shapes world's the
    only answer mentioned counts.
    """
    query = read_question(question)
    given: set[str] = set()
    if query is not None:
        if query.yes_no:
            given = _yes_or_no(response, question, query)
        else:
            given = _values(response, question, query)
            if not given:
                given = _mentioned_values(response, query)
        fitting = {_vocabulary(value, answers) for value in given}
        if len(given) == 1:
            return fitting.pop()
        if given:
            return None
    return _only_mention(response, question, answers)


def _vocabulary(value: str, answers: Sequence[str]) -> str | None:
    """Return the answer that means ``value``, as the vocabulary spells it."""
    for answer in answers:
        if _meaning(answer) == value:
            return answer
    return None


def _meaning(answer: str) -> str:
    """Return a vocabulary word in its plain form: "grey" -> "gray", "three" -> "3"."""
    spoken = answer.strip().lower()
    items = [item for clause in clauses(spoken) for item in clause]
    if spoken in ("yes", "no") or len(items) != 1:
        return spoken
    item = items[0]
    if item.letter == "N":
        return item.phrase.shape or spoken
    return item.value or spoken


def _yes_or_no(response: str, question: str, query: Query) -> set[str]:
    """Collect what is said outright and what follows from the claims made."""
    given: set[str] = set()
    for clause in clauses(response):
        letters = "".join(item.letter for item in clause)
        for match in re.finditer("n?[YX]", letters):
            given.add("yes" if match.group() in ("Y", "nX") else "no")
    for claim in claims(response):
        truth = _settles(claim, query)
        if truth is not None:
            given.add("yes" if truth != query.negated else "no")
    # "it" and bare words are about what was asked; what they say must not contradict the rest.
    for claim in claims(response, question):
        truth = _settles(claim, query)
        if truth is not None:
            given.add("yes" if truth != query.negated else "no")
    return given


def _settles(claim: Claim, query: Query) -> bool | None:
    """Say whether a claim makes the asked fact true or false; None where it does neither."""
    if query.kind == "exist":
        return _settles_existence(claim, query.subject)
    if claim.kind != query.kind:
        return None
    if query.kind in ("relation", "compare"):
        return _settles_relation(claim, query)
    if query.kind == "count":
        same = claim.subject == query.subject
        return (claim.value == query.value) == claim.holds if same else None
    if not compatible(claim.subject, query.subject):
        return None
    if claim.value == query.value:
        return claim.holds
    return False if claim.holds else None


def _settles_existence(claim: Claim, asked: Phrase) -> bool | None:
    if claim.kind in ("exist", "count"):
        present = claim.holds if claim.value != "0" else not claim.holds
        if claim.kind == "count" and not claim.holds:
            return None
        if present:
            return True if implies(claim.subject, asked) else None
        return False if implies(asked, claim.subject) else None
    if claim.kind in ATTRIBUTES:
        described = replace(claim.subject, **{claim.kind: claim.value})
        if claim.holds:
            return True if implies(described, asked) else None
        return False if implies(asked, described) else None
    if claim.kind in ("relation", "position") and claim.holds:
        return True if implies(claim.subject, asked) else None
    return None


def _settles_relation(claim: Claim, query: Query) -> bool | None:
    pair = (claim.subject, claim.other)
    value = claim.value
    if pair == (query.other, query.subject):
        value = _INVERSE.get(value, value)
    elif not (
        compatible(claim.subject, query.subject)
        and compatible(claim.other or Phrase(), query.other or Phrase())
    ):
        return None
    if value == query.value:
        return claim.holds
    if claim.holds and (value == _INVERSE.get(query.value) or value == "same"):
        return False
    return None


def _values(response: str, question: str, query: Query) -> set[str]:
    """Collect the values that claims about the asked thing give to what was asked."""
    found = claims(response, question)
    if query.kind == "count":
        return _numbers(found, query.subject)
    exact: list[str] = []
    described: list[str] = []
    asked = query.subject
    for claim in found:
        if not claim.holds or not compatible(claim.subject, asked):
            continue
        if claim.kind == query.kind:
            exact.append(claim.value)
        elif query.kind in ATTRIBUTES and claim.kind in ("exist", "count", "relation", "position"):
            value = getattr(claim.subject, query.kind)
            # "The circle is above the star" names the asked circle and gives it no colour.
            if value is not None and getattr(asked, query.kind) is None:
                described.append(value)
    # Two different values are no answer, whichever way each is said.
    return {*exact, *described}


def _numbers(found: Iterable[Claim], asked: Phrase) -> set[str]:
    numbers: set[str] = set()
    single: set[str] = set()
    for claim in found:
        if claim.kind == "count" and claim.subject == asked and claim.holds:
            numbers.add(claim.value)
        elif claim.kind == "exist" and not claim.holds and implies(asked, claim.subject):
            numbers.add("0")
        elif claim.kind == "exist" and claim.value == "one" and claim.subject == asked:
            single.add("1")
    return numbers or single


_LETTERS = {
    "color": "A",
    "size": "A",
    "texture": "A",
    "shape": "N",
    "count": "#",
    "position": "G",
}


def _mentioned_values(response: str, query: Query) -> set[str]:
    """Collect values of the asked kind that are mentioned anywhere and not denied."""
    found: set[str] = set()
    for clause in clauses(response):
        letters = "".join(item.letter for item in clause)
        if "u" in letters:
            continue
        for place, item in enumerate(clause):
            if re.search(r"[nwh]$", letters[:place]) or item.none:
                continue
            value = _value(item, query)
            if value:
                found.add(value)
    return found


def _value(item: Item, query: Query) -> str:
    if item.letter == "N":
        if query.kind == "count":
            return item.value
        if item.phrase in (query.subject, query.other):
            return ""
        if query.kind in ATTRIBUTES and compatible(item.phrase, query.subject):
            return str(getattr(item.phrase, query.kind) or "")
        return ""
    if item.letter != _LETTERS.get(query.kind):
        return ""
    return item.value if item.letter != "A" or item.attribute == query.kind else ""


def _only_mention(response: str, question: str, answers: Sequence[str]) -> str | None:
    """Return the one answer that occurs in a response, longest first; echoes count if alone."""
    text, asked = f" {response.lower()} ", question.lower()
    said: set[str] = set()
    for answer in sorted(set(answers), key=lambda answer: (-len(answer), answer)):
        pattern = _word(answer)
        for match in pattern.finditer(text):
            if not _DENIED.search(text[: match.start()]):
                said.add(answer)
        # A longer answer takes its words with it: "top left" is no "left".
        text = pattern.sub(lambda match: "#" * len(match.group()), text)
    fresh = {answer for answer in said if not _word(answer).search(asked)}
    offered = " or " in asked or "option" in asked or "choice" in asked
    chosen = said if offered else fresh
    return chosen.pop() if len(chosen) == 1 else None


def _word(answer: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(answer.lower())}(?!\w)")
