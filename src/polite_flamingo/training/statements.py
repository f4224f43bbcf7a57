"""A question and its answer as one statement, by rules on the text alone (QA2D, Demszky 2018).

A base model that has read images only at the first word of an answer cannot say what it sees
further on in a sentence; web text says such things everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_QUESTION = re.compile(r"[^.!?;]*\?")
_THERE = re.compile(r"(?P<be>is|are) there (?P<not>not )?(?P<a>a|an|any|no|more) (?P<rest>.+)")
_SHOWN = re.compile(
    r"(?P<be>is|are) (?P<a>a|an|any|no) (?P<thing>.+) (?P<how>present|visible|shown)"
)
_CONTAIN = re.compile(
    r"does (?P<image>the \w+) (?P<not>not )?(?P<verb>contain|show) (?P<a>a|an) (?P<thing>.+)"
)
_ATTRIBUTE = re.compile(r"(?:what|which) (?:color|size|texture) is (?P<the>the .+)")
_HAS = re.compile(
    r"(?:what|which) (?P<kind>color|size|texture) does (?P<the>the .+) have(?: in .+)?"
)
_OF = re.compile(r"what is (?P<the>the (?:color|size|texture) of .+)")
_CONTAINED = re.compile(r"(?:what|which) shape does (?P<image>the \w+) (?P<verb>contain|show)")
_KIND = re.compile(r"(?:what|which) shape is (?P<the>the .+)")
_SHAPE = re.compile(r"(?:what|which) shape is (?P<where>in the \w+|present|visible|shown.*)")
_WHAT = re.compile(r"what is (?P<the>the \w+ (?:shape|thing|object))")
_COUNT = re.compile(
    r"(?:how many|what number of) (?P<things>.+?) (?:are|is)(?P<where> there| visible| in .+)"
)


def statement(question: str, answer: str) -> str | None:
    """The statement that an answer makes of its question, in lower case without a full stop.

    Yes and no stand for the statement or its denial ("is there not a circle?" yes: "there is no
    circle"); an answer with an article names what is shown. ``None`` for a question of no known
    form.
    """
    told = answer.strip().rstrip(".").lower()
    found = _QUESTION.findall(question.lower())
    if told.startswith(("a ", "an ", "the ")):
        return f"this is {told}"
    if not found:
        return None
    asked = found[-1].strip().rstrip("?").strip()
    for pattern, say in _POLAR if told in ("yes", "no") else _OPEN:
        if match := pattern.fullmatch(asked):
            return say(match, told)
    return None


def _present(match: re.Match[str], answer: str) -> bool:
    """Whether the answer says that the thing is there: yes, or no to a question for its absence."""
    parts = match.groupdict()
    negated = bool(parts.get("not")) != (parts["a"] == "no")
    return (answer == "yes") != negated


def _there(match: re.Match[str], answer: str) -> str:
    be, article, rest = match["be"], match["a"], match["rest"]
    if article == "more":
        return f"there {be} {'' if answer == 'yes' else 'not '}more {rest}"
    shown = "" if be == "are" else f"{'a' if article == 'no' else article} "
    return f"there {be} {shown if _present(match, answer) else 'no '}{rest}"


def _shown(match: re.Match[str], answer: str) -> str:
    given = "" if match["be"] == "are" else f"{'a' if match['a'] == 'no' else match['a']} "
    article = given if _present(match, answer) else "no "
    return f"{article}{match['thing']} {match['be']} {match['how']}"


def _contain(match: re.Match[str], answer: str) -> str:
    image, verb, thing = match["image"], match["verb"], f"{match['a']} {match['thing']}"
    if _present(match, answer):
        return f"{image} {verb}s {thing}"
    return f"{image} does not {verb} {thing}"


def _attribute(match: re.Match[str], answer: str) -> str:
    return f"{match['the']} is {answer}"


def _a(noun: str) -> str:
    return f"an {noun}" if noun[:1] in "aeiou" else f"a {noun}"


def _count(match: re.Match[str], answer: str) -> str:
    where = "" if match["where"] == " there" else match["where"]
    return f"the number of {match['things']}{where} is {answer}"


_Rule = tuple[re.Pattern[str], Callable[[re.Match[str], str], str]]
_POLAR: tuple[_Rule, ...] = ((_THERE, _there), (_SHOWN, _shown), (_CONTAIN, _contain))
_OPEN: tuple[_Rule, ...] = (
    (_ATTRIBUTE, _attribute),
    (_HAS, lambda match, answer: f"the {match['kind']} of {match['the']} is {answer}"),
    (_OF, _attribute),
    (_CONTAINED, lambda match, answer: f"{match['image']} {match['verb']}s {_a(answer)}"),
    (_SHAPE, lambda match, answer: f"{_a(answer)} is {match['where']}"),
    (_KIND, lambda match, answer: f"{match['the']} is {_a(answer)}"),
    (_COUNT, _count),
    (_WHAT, lambda match, answer: f"{match['the']} is {_a(answer)}"),
)
