"""Noun phrases as read, and the words of a sentence with the discourse before them."""

from __future__ import annotations

from dataclasses import dataclass, field

from polite_flamingo.shapes.reading.claims import Claim, Description, Group, Not, Sole
from polite_flamingo.shapes.reading.discourse import Discourse, Referent
from polite_flamingo.shapes.reading.words import END, Word

ATTRIBUTE_OF = {"C": "color", "y": "shape", "z": "size", "x": "texture"}


@dataclass
class Noun:
    """A noun phrase as read: which things (``of``) and how many of them (``quantifier``).

    ``head``: S (named shape), g (thing), one ("the red one", "two"), pron, Q (``attribute``, such
    as "its colour"), I (image), B (background). ``quantifier``: the, a, bare, num, no, all, both,
    neither, most, half, notall. ``each``: values that are things of their own ("red and blue
    stars"). ``unsure``: an undecided choice.
    """

    quantifier: str = "bare"
    of: Description = ()
    head: str = ""
    plural: bool = False
    number: str = ""
    only: bool = False
    other: bool = False
    another: bool = False
    pick: bool = False
    partitive: bool = False
    excepted: Description | None = None
    attribute: str = ""
    owner: Noun | None = None
    alike: str = ""
    each: bool = False
    unsure: bool = False
    asides: list[Claim] = field(default_factory=list)
    any: bool = False
    ordinal: str = ""
    contrast: list[tuple[Noun, bool]] = field(default_factory=list)
    elided: bool = False
    word: str = ""
    whose: Referent | None = None


class Words:
    """The words of a sentence with a sentinel behind them, and the discourse so far."""

    def __init__(self, words: list[Word], discourse: Discourse) -> None:
        self.words = words
        self.size = len(words)
        self.discourse = discourse
        # Set while the subject of a question is read: "is the star | above the circle?".
        self.unmodified = False

    def at(self, place: int) -> Word:
        return self.words[place] if 0 <= place < self.size else END

    def skip(self, place: int) -> int:
        """Pass over fillers and phrases about the whole image."""
        while place < self.size and self.words[place].category in ("f", "i", "hedge"):
            place += 1
        return place


def final(noun: Noun) -> Description:
    """The description of a noun phrase without what it excepts."""
    if noun.excepted is not None:
        return (*noun.of, Not(noun.excepted))
    return noun.of


def group_of(w: Words, noun: Noun) -> Group:
    """The other side of a relation to a noun phrase."""
    of = final(noun)
    if noun.quantifier in ("all", "both") or (noun.quantifier == "the" and noun.plural):
        return Group("all", of)
    if noun.quantifier in ("a", "num", "bare", "no", "neither") and noun.head != "pron":
        return Group("some" if noun.quantifier != "bare" else "the", of)
    return Group("the" if not noun.plural else "all", of)


def with_only(noun: Noun, of: Description) -> Description:
    """The description as a predicate: "the only large thing" is true of one thing alone."""
    return (Sole(of),) if noun.alike == "only" and of else of
