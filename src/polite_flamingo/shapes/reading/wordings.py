"""Roundabout wordings put plainly: "the word for its color is red", "when you look at it, you see"."""

from __future__ import annotations

import re

_ATTRIBUTE = r"(?:colou?r|shape|size|texture|pattern|form|fill)"
_IMAGE = r"(?: (?:in|of|within) (?:the|this) (?:image|picture|photo|scene))?"
_THING = r"(?:the|this|that|these|those) (?!(?:image|picture|photo|scene)\b)(?:[a-z]+ ){0,5}?[a-z]+"
_COPULA = r"(?:is|are|was|were)"
# Each with what it says; the longest first where one holds another.
_WORDINGS = tuple(
    (hint, re.compile(pattern), plain)
    for hint, pattern, plain in (
        ("word for", rf"\bthe (?:right |correct )?word for the ({_ATTRIBUTE})\b", r"the \1"),
        (
            "the word ",
            rf"\bthe word ([a-z]+) is (?:the )?(?:correct|right)(?: one| word| name)? for ({_THING}?)"
            rf"(?={_IMAGE}(?:[,.]|$))",
            r"\2 is \1",
        ),
        (
            "called",
            rf"\b({_COPULA}) (?:best |also |usually )?(?:called|named|termed)(?: as)? ",
            r"\1 ",
        ),
        ("known as", rf"\b({_COPULA}) (?:best |also |well |usually )?known as ", r"\1 "),
        (
            "up to ",
            r"\bthe ((?:[a-z]+ )+?)"
            r"(?:(?:in|of|within) (?:the|this) (?:image|picture|photo|scene) )?"
            r"(?:add|adds|added|come|comes|sum|sums) up to (?:a total of )?(?=[a-z\d]+)",
            r"the number of \1is ",
        ),
        # "The answer is plain. The star has that texture." says nothing new.
        (
            " has ",
            rf"(?:(?:\band )?\b{_THING}{_IMAGE} (?:has|have) (?:just )?(?:that|this|the same) {_ATTRIBUTE}\b)"
            rf"(?<!as){_IMAGE}",
            " ",
        ),
        (
            "look at",
            rf"\b(?:when|if) (?:you|we) look at ({_THING}){_IMAGE} ?, (?:you|we) (?:can )?see"
            rf"(?= an? (?:[a-z]+ )*{_ATTRIBUTE}\b)",
            r"\1 has",
        ),
        (
            "look at",
            rf"\b(?:when|if) (?:you|we) look at ({_THING}){_IMAGE} ?, (?:you|we) (?:can )?see(?= an? )",
            r"\1 is",
        ),
        ("is what ", rf"^((?:the|this|that) (?:[a-z]+ )+?)is what ({_ATTRIBUTE})\b", r"what \2 is \1"),
        ("has what ", rf"^((?:the|this|that) (?:[a-z]+ )+?)has what ({_ATTRIBUTE})\b", r"what \2 does \1have"),
        ("covered with", rf"\bwhat is ({_THING}) covered with\b", r"what texture does \1 have"),
        ("that is visible", r" that (?:is|are) visible(?= (?:to the )?(?:left|right|above|below))", ""),
    )
)  # fmt: skip


def plain_wording(text: str) -> str:
    """Replace roundabout wordings in a text of lower case."""
    for hint, pattern, plain in _WORDINGS:
        if hint in text:
            text = pattern.sub(plain, text)
    return text
