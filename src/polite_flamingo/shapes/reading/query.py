"""What a question asks, as far as its answers need to know."""

from __future__ import annotations

from dataclasses import dataclass, replace

from polite_flamingo.shapes.reading.claims import Claim, Description
from polite_flamingo.shapes.reading.phrases import Noun


@dataclass(frozen=True)
class Query:
    """A question.

    ``kind``: yes (is it so?), which (what fits ``scope``?), count, list (what is there?),
    attribute (``attribute`` of ``noun``), choice (one of several values of ``noun``), where, look,
    background. ``claims``: what "yes" to it claims. ``negated``: "is there no circle?".
    """

    kind: str
    noun: Noun | None = None
    scope: Description = ()
    claims: tuple[Claim, ...] = ()
    attribute: str = ""
    negated: bool = False
    nouns: tuple[Noun, ...] = ()
    options: tuple[Description, ...] = ()

    def claim(self) -> Claim | None:
        """What "yes" claims."""
        if not self.claims:
            return None
        return self.claims[0] if len(self.claims) == 1 else Claim("every", claims=self.claims)

    def topic(self) -> Noun | None:
        """The subject of a bare answer."""
        if self.noun is None:
            return None
        quantifier = self.noun.quantifier
        if quantifier in ("a", "bare") and not self.noun.plural:
            quantifier = "the"
        elif self.noun.plural and quantifier in ("a", "bare", "num", "the"):
            quantifier = "all"
        return replace(self.noun, quantifier=quantifier, asides=[])
