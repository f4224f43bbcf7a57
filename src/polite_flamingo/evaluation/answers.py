"""The short answer that a free response gives, out of a closed vocabulary."""

from __future__ import annotations

import re
from collections.abc import Sequence

from polite_flamingo.shapes.oracle import claims
from polite_flamingo.shapes.reading.asked import read_question
from polite_flamingo.shapes.reading.claims import Claim, In, Is
from polite_flamingo.shapes.reading.entailment import Facts, entails, facts
from polite_flamingo.shapes.reading.query import Query

_DENIED = re.compile(r"\b(?:not|no|never|isn't|rather than|instead of|than)(?: an?| the)? $")
# "No circle is shown" begins with no answer.
_SAYS_YES_OR_NO = re.compile(r"^\W*(yes|no)\b(?=\s*(?:[.,;:!-]|$))")


def extract_answer(response: str, question: str, answers: Sequence[str]) -> str | None:
    """Find the one answer of ``answers`` that a response gives to a question.

    An answer is given if the response claims what the bare answer would claim. None where the
    response gives no answer, or two ("yes" and a denial, "red or blue"). Numbers fit as word or
    digit. For questions whose words are not the Shapes world's, and where no claim answers, the
    only answer mentioned counts.
    """
    query = read_question(question)
    if query is not None:
        said = claims(response, question)
        if query.kind == "yes":
            given = _yes_or_no(response, question, query, said)
        else:
            given = _given(question, query, facts(said), answers)
        if len(given) == 1:
            return given[0]
        if given:
            return None
    return _only_mention(response, question, answers)


def _yes_or_no(response: str, question: str, query: Query, said: tuple[Claim, ...]) -> list[str]:
    told = facts(said)
    given = [word for word in ("yes", "no") if entails(told, claims(word, question))]
    first = _SAYS_YES_OR_NO.match(response.lower())
    if query.negated and first and given == ["yes" if first[1] == "no" else "no"]:
        # "No, there is no circle" to "is there no circle?" says both.
        return ["yes", "no"]
    return given


def _given(question: str, query: Query, said: Facts, answers: Sequence[str]) -> list[str]:
    """List the answers that what is said amounts to; of places only the narrowest."""
    found: list[tuple[str, tuple[Claim, ...]]] = []
    for answer in dict.fromkeys(answers):
        wanted = claims(answer, question)
        if wanted and _answers(query, wanted) and entails(said, wanted):
            found.append((answer, wanted))
    if query.kind == "where":
        found = [
            (answer, wanted)
            for answer, wanted in found
            if not any(other != wanted and entails(facts(other), wanted) for _, other in found)
        ]
    same: dict[tuple[Claim, ...], str] = {}
    for answer, wanted in found:
        same.setdefault(wanted, answer)
    return list(same.values())


def _answers(query: Query, wanted: tuple[Claim, ...]) -> bool:
    """Whether claims are of the kind that is asked for: a colour, a number, a place."""
    if len(wanted) != 1:
        return False
    claim = wanted[0]
    if query.kind == "count":
        return claim.quantifier == "num" or not claim.holds
    said = (*claim.subject, *claim.scope)
    if query.kind == "where":
        return any(isinstance(condition, In) for condition in claim.scope)
    attribute = query.attribute or "shape"
    if query.kind == "background":
        return claim.quantifier == "background"
    if query.kind in ("attribute", "choice"):
        return any(isinstance(c, Is) and c.attribute == attribute for c in claim.scope)
    return any(isinstance(c, Is) and c.attribute == "shape" for c in said)


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
