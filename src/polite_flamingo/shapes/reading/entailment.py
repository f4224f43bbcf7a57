"""What follows from what: whether the claims of one text are made by another, without a scene.

A text that speaks of "the circle" and one that says that there is a circle are taken to speak of
the same one; so entailment here is that of conversation, not of logic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from polite_flamingo.shapes.reading.claims import (
    AnyOf,
    Claim,
    Condition,
    Description,
    Extreme,
    In,
    Is,
    Not,
    Related,
    Sole,
    negated,
)

_SWAPPED = {"right of": "left of", "below": "above", "smaller": "larger"}
_OPPOSITE = {
    "left of": "right of", "right of": "left of", "above": "below", "below": "above",
    "larger": "smaller", "smaller": "larger",
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """The claims of a text, sorted: what fits together, how many there are, what is not there."""

    claims: tuple[Claim, ...]
    things: tuple[Description, ...]
    absent: tuple[Description, ...]
    counts: tuple[tuple[Description, str], ...]
    others: tuple[Claim, ...]


def facts(claims: Iterable[Claim]) -> Facts:
    """Sort claims; what is said of one subject in several clauses is put together."""
    things: list[Description] = []
    absent: list[Description] = []
    counts: list[tuple[Description, str]] = []
    others: list[Claim] = []
    flat = [_canonical(claim) for claim in _flat(claims)]
    together: dict[frozenset[Condition], list[Condition]] = {}
    for claim in flat:
        whole = (*claim.subject, *claim.scope)
        quantifier = claim.quantifier
        if quantifier == "num" and claim.number == "=0":
            (absent if claim.holds else things).append(whole)
        elif quantifier == "some":
            (things if claim.holds else absent).append(whole)
        elif quantifier == "no" and claim.holds:
            absent.append(whole)
        elif quantifier in ("the", "all", "both") and claim.holds and claim.subject:
            key = frozenset(claim.subject)
            together.setdefault(key, list(claim.subject)).extend(claim.scope)
            if claim.number:
                counts.append((claim.subject, claim.number))
            if quantifier == "both":
                counts.append((claim.subject, "=2"))
            others.append(claim)
        elif quantifier == "num" and claim.holds:
            counts.append((whole, claim.number))
            if not claim.number.startswith("<"):
                things.append(whole)
        else:
            others.append(claim)
            if quantifier == "parts" and claim.holds:
                things += [(*claim.subject, *scope) for _, scope in claim.parts]
            if quantifier in ("the", "all") and claim.scope:
                things.append(claim.scope)
    things += [tuple(conditions) for conditions in together.values()]
    # "There is a star. The star is green."
    for conditions in together.values():
        for thing in list(things):
            if (
                thing
                and all(_implied(c, conditions) for c in thing)
                and len(thing) < len(conditions)
            ):
                continue
            if set(thing) and set(thing) < set(conditions):
                things.append(tuple(conditions))
    return Facts(tuple(flat), tuple(things), tuple(absent), tuple(counts), tuple(others))


def entails(said: Facts, wanted: Sequence[Claim]) -> bool:
    """Whether a text makes all the claims of another."""
    return all(_entailed(said, _canonical(claim)) for claim in _flat(wanted))


def _flat(claims: Iterable[Claim]) -> list[Claim]:
    found: list[Claim] = []
    for claim in claims:
        if claim.quantifier == "every" and claim.holds:
            found += _flat(claim.claims)
        elif claim.quantifier == "any" and not claim.holds:
            found += _flat(replace(part, holds=not part.holds) for part in claim.claims)
        else:
            found.append(claim)
    return found


def _canonical(claim: Claim) -> Claim:
    """One way to put what can be put in several: comparisons, relations, "only", counts."""
    if claim.quantifier == "compare" and claim.value == "fewer":
        return replace(claim, subject=claim.other, other=claim.subject, value="more")
    if claim.quantifier == "no":
        return replace(claim, quantifier="some", holds=not claim.holds)
    if claim.quantifier == "parts" and len(claim.parts) == 1 and claim.parts[0][0]:
        number, scope = claim.parts[0]
        return Claim("num", claim.subject, scope, claim.holds, number)
    return claim


def _entailed(said: Facts, wanted: Claim) -> bool:
    if wanted in said.claims:
        return True
    quantifier = wanted.quantifier
    if quantifier == "num" and wanted.holds:
        return _counted(said, (*wanted.subject, *wanted.scope), wanted.number)
    if quantifier == "some":
        whole = (*wanted.subject, *wanted.scope)
        return _present(said, whole) if wanted.holds else _absent(said, whole)
    if quantifier in ("the", "all", "both") and wanted.holds:
        whole = (*wanted.subject, *wanted.scope)
        if wanted.number and not _counted(said, wanted.subject, wanted.number):
            return False
        if not wanted.subject and quantifier == "all":
            return _equal_claim(said, wanted)
        if (
            wanted.scope
            and isinstance(wanted.scope[0], Not)
            and _absent(said, (*wanted.subject, *negated(wanted.scope)))
        ):
            return True
        return _present(said, whole)
    if quantifier == "compare":
        return (
            any(
                claim.quantifier == "compare"
                and claim.holds == wanted.holds
                and claim.value == wanted.value
                and _same_pair(claim, wanted)
                for claim in said.claims
            )
            or _compared_otherwise(said, wanted)
            or _compared_by_counts(said, wanted)
        )
    return _equal_claim(said, wanted)


def _same_pair(one: Claim, other: Claim) -> bool:
    pair = (set(one.subject), set(one.other))
    if pair == (set(other.subject), set(other.other)):
        return True
    return one.value == "same" and pair == (set(other.other), set(other.subject))


def _compared_otherwise(said: Facts, wanted: Claim) -> bool:
    """Whether "not more stars than circles" follows from "more circles" or "as many"."""
    if wanted.holds:
        return False
    for claim in said.claims:
        if claim.quantifier != "compare" or not claim.holds:
            continue
        if {frozenset(claim.subject), frozenset(claim.other)} != {
            frozenset(wanted.subject), frozenset(wanted.other),
        }:  # fmt: skip
            continue
        if claim.value != wanted.value or set(claim.subject) != set(wanted.subject):
            return True
    return False


def _compared_by_counts(said: Facts, wanted: Claim) -> bool:
    numbers = []
    for of in (wanted.subject, wanted.other):
        exact = [int(n[1:]) for d, n in said.counts if set(d) == set(of) and n.startswith("=")]
        if not exact and any(set(d) == set(of) for d in said.absent):
            exact = [0]
        if not exact:
            return False
        numbers.append(exact[0])
    value = numbers[0] > numbers[1] if wanted.value == "more" else numbers[0] == numbers[1]
    return value == wanted.holds


def _equal_claim(said: Facts, wanted: Claim) -> bool:
    for claim in said.claims:
        if (
            claim.quantifier == wanted.quantifier
            and claim.holds == wanted.holds
            and claim.value == wanted.value
            and claim.number == wanted.number
            and set(claim.subject) == set(wanted.subject)
            and set(claim.scope) == set(wanted.scope)
            and set(claim.other) == set(wanted.other)
            and set(claim.parts) == set(wanted.parts)
            and set(claim.claims) == set(wanted.claims)
        ):
            return True
        if (
            claim.quantifier == wanted.quantifier == "background" and claim.holds and wanted.holds
        ) and (claim.value.split()[-1] == wanted.value.split()[-1]):
            # "blue" is as good a word as "light blue".
            return True
    return False


def _counted(said: Facts, whole: Description, number: str) -> bool:
    if number == "=0":
        return _absent(said, whole)
    if number in ("=1", ">=1") and _present(said, whole):
        # "one circle" for "a circle".
        return not any(set(d) == set(whole) and n not in ("=1", ">=1") for d, n in said.counts)
    match = re.fullmatch(r"(\D+)(\d+)", number)
    for description, other in said.counts:
        if set(description) != set(whole):
            continue
        if other == number:
            return True
        if match and other.startswith("=") and other[1:].isdigit():
            found, limit = int(other[1:]), int(match[2])
            if {
                ">=": found >= limit,
                "<=": found <= limit,
                ">": found > limit,
                "<": found < limit,
            }.get(match[1]):
                return True
    told = any(set(description) == set(whole) for description, _ in said.counts)
    if match and match[1] == "=" and not told:
        # "a small red circle and a small blue circle" are two small circles, if named one by one.
        return (
            sum(_covers(thing, whole) for thing in set(map(frozenset, said.things)) if thing)
            == int(match[2])
            > 1
        )
    return False


def _covers(thing: Iterable[Condition], whole: Description) -> bool:
    conditions = tuple(thing)
    return all(_implied(condition, conditions) for condition in whole)


def _present(said: Facts, whole: Description) -> bool:
    if not whole:
        return bool(said.things or said.counts)
    return any(_covers(thing, whole) for thing in said.things) or _turned(said, whole)


def _turned(said: Facts, whole: Description) -> bool:
    """Whether a relation is said the other way round: "the star is below the square"."""
    for condition in whole:
        relation, positive = condition, True
        if (
            isinstance(condition, Not)
            and len(condition.of) == 1
            and isinstance(condition.of[0], Related)
        ):
            relation, positive = condition.of[0], False
        if not isinstance(relation, Related) or relation.relation not in _OPPOSITE:
            continue
        rest = tuple(c for c in whole if c is not condition)
        back: Condition = Related(_OPPOSITE[relation.relation], replace(relation.other, of=rest))
        back = back if positive else Not((back,))
        for thing in said.things:
            if _covers(thing, relation.other.of) and _implied(back, thing):
                return True
    return False


def _same_relation(one: Condition, other: Condition) -> bool:
    if isinstance(one, Not) and isinstance(other, Not):
        return len(one.of) == len(other.of) == 1 and _same_relation(one.of[0], other.of[0])
    return (
        isinstance(one, Related)
        and isinstance(other, Related)
        and one.relation == other.relation
        and (set(one.other.of) >= set(other.other.of) or set(one.other.of) <= set(other.other.of))
    )


def _absent(said: Facts, whole: Description) -> bool:
    for claim in said.claims:
        # "the square is not above the star": there is no square above the star.
        if (
            claim.quantifier == "the"
            and claim.holds
            and len(claim.scope) == 1
            and isinstance(claim.scope[0], Not)
        ):
            told = (*claim.subject, *claim.scope[0].of)
            if all(_implied(condition, whole) for condition in told):
                return True
    return any(all(_implied(condition, whole) for condition in none) for none in said.absent)


def _implied(condition: Condition, by: Iterable[Condition]) -> bool:
    by = tuple(by)
    if condition in by:
        return True
    if isinstance(condition, Is):
        if condition.values == ("patterned",):
            return any(
                isinstance(c, Is)
                and c.attribute == "texture"
                and c.values[0] in ("striped", "dotted")
                for c in by
            )
        return any(
            isinstance(c, Is)
            and c.attribute == condition.attribute
            and set(c.values) <= set(condition.values)
            for c in by
        )
    if isinstance(condition, In):
        return any(isinstance(c, In) and _within(c.place, condition.place) for c in by)
    if isinstance(condition, AnyOf):
        return any(all(_implied(c, by) for c in option) for option in condition.of)
    if isinstance(condition, Not):
        return _excluded(condition.of, by)
    if isinstance(condition, Related):
        return any(_same_relation(c, condition) for c in by)
    if isinstance(condition, (Extreme, Sole)):
        return any(type(c) is type(condition) and c == condition for c in by)
    return False


def _within(place: str, wider: str) -> bool:
    if place == wider:
        return True
    exact = place.lstrip("=")
    if wider == "corner":
        return len(exact.split()) == 2
    if wider.startswith("="):
        return False
    return set(wider.split()) <= set(exact.split())


def _excluded(of: Description, by: Sequence[Condition]) -> bool:
    """Whether what is said rules a description out: blue is not red."""
    for condition in of:
        if isinstance(condition, Not) and all(_implied(c, by) for c in condition.of):
            return True
        for other in by:
            if (
                isinstance(condition, Is)
                and isinstance(other, Is)
                and condition.attribute == other.attribute
            ):
                values = set(condition.values)
                if values == {"patterned"}:
                    values = {"striped", "dotted"}
                if other.values == ("patterned",):
                    if values == {"plain"}:
                        return True
                elif not values & set(other.values):
                    return True
            if (
                isinstance(condition, In)
                and isinstance(other, In)
                and _apart(condition.place, other.place)
            ):
                return True
            if (
                isinstance(condition, Related)
                and isinstance(other, Related)
                and _OPPOSITE.get(condition.relation) == other.relation
                and set(condition.other.of) == set(other.other.of)
            ):
                return True
            if isinstance(other, Not) and all(_implied(c, of) for c in other.of):
                return True
    return False


def _apart(one: str, other: str) -> bool:
    opposite = {("left", "right"), ("right", "left"), ("top", "bottom"), ("bottom", "top")}
    first, second = one.lstrip("=").split(), other.lstrip("=").split()
    if any((a, b) in opposite for a in first for b in second):
        return True
    return ("center" in first) != ("center" in second) and "corner" not in (one, other)
