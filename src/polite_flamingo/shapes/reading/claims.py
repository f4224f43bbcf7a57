"""Claims: quantified statements over descriptions of things, as data without any scene."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Is:
    """The thing's ``attribute`` is one of ``values``."""

    attribute: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class In:
    """The thing lies at a place: sides ("top left"), one ninth ("=left"), "corner", "half left"."""

    place: str


@dataclass(frozen=True, slots=True)
class Related:
    """The thing stands in a relation to others: a spatial one, or larger, smaller, or same:size."""

    relation: str
    other: Group


@dataclass(frozen=True, slots=True)
class Extreme:
    """Of all that fit ``base`` the thing is the outermost (left, ...) or the one large/small."""

    side: str
    base: Description = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The thing does not fit the whole description."""

    of: Description


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The thing fits one of the descriptions."""

    of: tuple[Description, ...]


@dataclass(frozen=True, slots=True)
class Sole:
    """The thing fits a description that nothing else fits."""

    of: Description


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Something that no scene graph knows ("next to", "pretty")."""

    words: str = ""


Condition = Is | In | Related | Extreme | Not | AnyOf | Sole | Unsettled
# All of the conditions hold.
Description = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The other side of a relation: "the", "all", "some" or "every other" of what fits."""

    quantifier: str
    of: Description


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing a text says; ``holds`` is False where the text denies it.

    ``quantifier``: the, all, both, some, no, most, half, only, num (``number`` like "=3", ">=2"
    of the subjects fit the scope); parts (each of ``parts``, number and description, is met by
    things of their own); compare (``value`` more/fewer/same subjects than ``other``); background
    (``value``); same, different (the subjects' ``value`` attribute); values (number of different
    ``value`` attributes); every (all of ``claims`` hold); any (one of them holds).
    """

    quantifier: str
    subject: Description = ()
    scope: Description = ()
    holds: bool = True
    number: str = ""
    value: str = ""
    other: Description = ()
    parts: tuple[tuple[str, Description], ...] = ()
    claims: tuple[Claim, ...] = ()

    @property
    def kind(self) -> str:
        """What the claim is about: color, shape, size, texture, exist, count, position, ..."""
        if self.quantifier in ("compare", "background", "same", "different", "values", "parts"):
            return self.quantifier
        if self.claims:
            return self.claims[0].kind
        for condition in self.scope:
            inner = condition.of[0] if isinstance(condition, Not) and condition.of else condition
            if isinstance(inner, Is):
                return inner.attribute
            if isinstance(inner, In):
                return "position"
            if isinstance(inner, (Related, Extreme)):
                return "relation"
        return "count" if self.number else "exist"


def plain(description: Description) -> Description:
    """Keep the noun and its adjectives: what "one" can stand for."""
    return tuple(condition for condition in description if isinstance(condition, Is))


def attributes(description: Description) -> dict[str, str]:
    """The single attribute values that a description names."""
    return {
        condition.attribute: condition.values[0]
        for condition in description
        if isinstance(condition, Is) and len(condition.values) == 1
    }


def deny(claims: tuple[Claim, ...]) -> Claim:
    """Deny that all the claims hold."""
    if len(claims) == 1:
        claim = claims[0]
        # "No" to "is the circle red?" still takes it that there is a circle.
        if claim.quantifier == "the" and claim.scope:
            return Claim(claim.quantifier, claim.subject, negated(claim.scope), number=claim.number)
        return Claim(
            claim.quantifier, claim.subject, claim.scope, not claim.holds, claim.number, claim.value,
            claim.other, claim.parts, claim.claims,
        )  # fmt: skip
    return Claim("every", holds=False, claims=claims)


def negated(description: Description) -> Description:
    """The description of what does not fit."""
    if len(description) == 1 and isinstance(description[0], Not):
        return description[0].of
    return (Not(description),)
