"""The state of reading a text: claims so far, the question, and the discourse."""

from __future__ import annotations

from polite_flamingo.shapes.reading.claims import Claim, Description, Is, attributes, deny
from polite_flamingo.shapes.reading.discourse import Discourse
from polite_flamingo.shapes.reading.phrases import Noun
from polite_flamingo.shapes.reading.query import Query
from polite_flamingo.shapes.reading.words import Word


class Reader:
    """Reads one sentence after another; ``claims`` grows."""

    def __init__(self, query: Query | None, discourse: Discourse) -> None:
        self.query = query
        self.d = discourse
        self.claims: list[Claim] = []
        self.flip = False
        self.answered: list[Claim] = []
        self.said_answer = ""
        self.words: list[Word] = []
        # "Unlike the star, ...": what the next statement holds of, or doesn't, as well.
        # While a question is read, "any" asks for one.
        self.asking = False
        self.contrast: list[tuple[Noun, bool]] = []

    def settle(self, claims: tuple[Claim, ...], answer: bool = False) -> None:
        """Take claims down; inside "it is not true that" they are denied."""
        if not claims:
            return
        if self.flip:
            claims = (deny(claims),)
        if answer:
            # "No, there isn't": what is said in full goes before the bare "no".
            self.answered = list(claims)
            return
        self.claims += claims


def listed_values(scope: Description) -> Is | None:
    """Several values of one attribute, as in "red and blue"."""
    values: dict[str, list[str]] = {}
    for condition in scope:
        if isinstance(condition, Is):
            values.setdefault(condition.attribute, []).extend(condition.values)
    several = next((name for name, found in values.items() if len(set(found)) > 1), None)
    return None if several is None else Is(several, tuple(dict.fromkeys(values[several])))


def color_values(of: Description) -> list[str]:
    return [v for c in of if isinstance(c, Is) and c.attribute == "color" for v in c.values]


def each_value(of: Description) -> list[Description]:
    """Take "red and blue stars" apart."""
    several = next((c for c in of if isinstance(c, Is) and len(c.values) > 1), None)
    if several is None:
        return [of]
    rest = tuple(c for c in of if c is not several)
    return [(Is(several.attribute, (value,)), *rest) for value in several.values]


def overlaps(one: Description, other: Description) -> bool:
    """Whether a thing may fit both."""
    a, b = attributes(one), attributes(other)
    return all(b.get(name, value) == value for name, value in a.items())
