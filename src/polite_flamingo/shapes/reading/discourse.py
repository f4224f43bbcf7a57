"""What a text has spoken of so far: what "it", "they", "one" and "the other" can stand for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from polite_flamingo.shapes.reading.claims import (
    AnyOf,
    Description,
    Is,
    Not,
    Related,
    plain,
)


@dataclass(frozen=True, slots=True)
class Referent:
    """Something spoken of; ``quantifier``: the, some ("a circle"), all (several)."""

    quantifier: str
    of: Description
    number: str = ""


@dataclass
class Discourse:
    """The referents of a text, the last predicate (for "so is the star") and the picks of a group.

    ``listed`` holds the single things named one by one, for "both" and "neither".
    """

    it: Referent | None = None
    they: Referent | None = None
    group: Referent | None = None
    noun: Description = ()
    listed: list[Referent] = field(default_factory=list)
    predicate: Description | None = None
    against: Referent | None = None
    subject: Referent | None = None
    picks: list[tuple[str, Description]] = field(default_factory=list)
    picked_from: Description | None = None
    options: list[Description] = field(default_factory=list)
    # Set by the question.
    asked: Referent | None = None
    attribute: str = ""

    def copy(self) -> Discourse:
        """A discourse that goes its own way from here."""
        return replace(self, listed=[*self.listed], picks=[*self.picks], options=[*self.options])

    def mention(self, referent: Referent, plural: bool) -> None:
        """Note a subject or listed thing."""
        if plural:
            self.they = self.group = referent
        else:
            self.it = referent
            if all(referent.of != old.of for old in self.listed):
                self.listed.append(referent)
        noun = plain(referent.of)
        if noun or not plural:
            self.noun = noun

    def several(self) -> Referent | None:
        """What "they" or "both" stand for: the last group, or the things named one by one."""
        if self.they is not None:
            return self.they
        if len(self.listed) > 1:
            return Referent("all", (AnyOf(tuple(one.of for one in self.listed)),))
        return None

    def one(self, said: Description) -> Description:
        """Fill in the noun of "the red one": what was spoken of last, but for what is said anew."""
        anew = {condition.attribute for condition in said if isinstance(condition, Is)}
        noun = tuple(
            condition
            for condition in self.noun
            if isinstance(condition, Is) and condition.attribute not in anew
        )
        return (*said, *noun)


def as_group(of: Description) -> Description:
    """What "they" takes up of a phrase: "any shape that is not black" -> shapes."""
    return tuple(condition for condition in of if not isinstance(condition, (Not, Related)))
