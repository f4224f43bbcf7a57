"""Does a rewrite answer what was asked, as the annotation does? The word list again: no model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from polite_flamingo.filters.mentions import (
    DENIAL,
    SENTENCE_END,
    Mention,
    Reading,
    read,
    sentences_of,
    values,
)

_YES = re.compile(r"\byes\b|\byeah\b|\bindeed\b")
_NO = re.compile(r"\bno\b(?=\s*(?:[.,;:!]|$|(?:it|there|they|the|this|that|i)\b))")
# What says, beside these, that a thing is not there; and questions whether one is.
_ABSENT = re.compile(
    DENIAL.pattern + r"|\b(?:neither|absent|absence|missing|lack(?:s|ing)?|cannot|free of|zero|"
    r"nowhere|in vain|fail(?:s|ing)?)\b"
)
_PRESENCE = re.compile(
    r"\b(?:there|contains?|shows?|shown|see|seen|present|visible|any|find|found|image|picture)\b"
)
_RELATIONS = {
    "left": re.compile(r"\bleft(?:[ -]hand)?(?: side)? of\b"),
    "right": re.compile(r"\bright(?:[ -]hand)?(?: side)? of\b"),
    "above": re.compile(r"\b(?:above|over|on top of)\b"),
    "below": re.compile(r"\b(?:below|beneath|under|underneath)\b"),
    "more": re.compile(
        r"\b(?:more|greater|exceeds?|outnumbers?)\b|\b(?:number|count)\b.*\b(?:higher|larger)\b"
    ),
    "fewer": re.compile(
        r"\b(?:fewer|less|outnumbered)\b|\b(?:number|count)\b.*\b(?:lower|smaller)\b"
    ),
}
_OPPOSITE = {
    "left": "right", "right": "left", "above": "below", "below": "above",
    "more": "fewer", "fewer": "more",
}  # fmt: skip
# What says of a statement whether it is so.
_SAID_OF = re.compile(r"\b(?:statement|claim|true|false|correct|incorrect|wrong|case)\b")
_DENIED_TWICE = re.compile(r"\b(?:cannot|not|n't|never) (?:[a-z]+ ){0,2}?no\b")
# What ties an answer to its question without its words.
_TIED = re.compile(
    r"\b(?:it|its|it's|they|them|that one|this one|answer|"
    r"the (?:object|shape|thing|figure)s?(?! (?:in|of|visible|shown)))\b"
)
# What is drawn on an image to point something out.
_MARK = re.compile(r"\b(?:[a-z]+ )?(?:arrow|box)(?:es|s)?\b")
_LOOKS = ("thing", "color", "size", "texture")
_PRONOUN = re.compile(r"\b(?:it|that one|this one)\b")


def answered(
    instruction: str, draft: str, rewrite: str, is_class: bool = False
) -> tuple[float, float]:
    """Compare an answer with the annotated one: (lost, foreign), each 0 or 1.

    ``lost``: the rewrite lacks a known word of the annotated answer, or one says yes and the other
    no, or it speaks of nothing that was asked. ``foreign``: it has another value of the
    annotation's kind of answer, which the question does not speak of, or answers first about
    another thing. ``is_class``: the answer is a class, such as a digit, and a number in it no count.
    """
    first = draft.strip().split("\n")[0]
    wanted = read(first.split(".")[0]).words or read(first).words
    readings = list(sentences_of(rewrite))
    said = {word for reading in readings for word in reading.words}
    if not is_class and any(reading.denies for reading in readings):
        # "no circles": none of them.
        said.add(("number", "0"))
    asked = read(instruction).words
    lost = float(not wanted <= said)
    silent = bool(asked) and not said & (asked | wanted) and not _polarity(rewrite)
    if silent or _speaks_against(first, rewrite):
        lost = 1.0
    if _is_turned(instruction, first, rewrite) or _relates_others(instruction, first, rewrite):
        lost = 1.0
    if _DENIED_TWICE.search(_NO.sub(" ", rewrite.casefold())):
        lost = 1.0
    # "You can see a small size": of what?
    of_kinds = {kind for kind, _ in wanted}
    about = {word for word in asked if word[0] not in of_kinds}
    anything = _polarity(first) or _TIED.search(rewrite.casefold())
    if wanted and about and not about & said and not anything:
        lost = 1.0
    # "Is the circle above the star?" "Yes, the circle is above the circle."
    things = values(asked, "thing") - {""}
    named = [m.get("thing") for reading in readings for m in reading.mentions if m.get("thing")]
    if len(things) > 1 and len(named) > 1 and len(set(named)) == 1 and not wanted:
        lost = 1.0
    # What is answered first is about what was asked.
    known = things | values(read(draft).words, "thing")
    first_named = {m.get("thing") for m in readings[0].mentions} - {""} if readings else set()
    if ("number", "0") in said:
        # There is none of what was asked for, but something else.
        first_named = set()
    foreign = float(bool(things) and bool(first_named - known))
    if wanted and _made_up(instruction, draft, said):
        foreign = 1.0
    if wanted and not of_kinds & {"number", "place"} and not _polarity(first):
        foreign = max(foreign, float(_looks_otherwise(instruction, readings)))
    for kind in {kind for kind, _ in wanted}:
        spoken = values(asked, kind)
        # Several values in the question are what there is to choose from.
        allowed = spoken if len(spoken) == 1 else set()
        allowed |= values(read(draft).words, kind)
        # "one is at the top" and "no others": hardly ever counts.
        allowed |= {"0", "1"} if kind == "number" and not is_class else set()
        if values(said, kind) - allowed:
            foreign = 1.0
    return lost, foreign


def _speaks_against(draft: str, rewrite: str) -> bool:
    """One says yes and the other no; both words in the rewrite speak against either."""
    told, said = _polarity(draft), _polarity(rewrite)
    return len(told) == 1 and bool(said) and said != told


def _is_turned(instruction: str, draft: str, rewrite: str) -> bool:
    """Asked whether a thing is there, the draft says it is and the rewrite that it is not, or so.

    A question for absence turns what yes and no mean: "is there no circle?" "no" tells of one, and
    "No, there is no circle" does not, whatever its first word.
    """
    told, question = _polarity(draft), read(instruction)
    if len(told) != 1 or len(draft.split()) > 2 or len(question.mentions) != 1:
        return False
    if not _PRESENCE.search(instruction.casefold()):
        return False
    there = (told == {"yes"}) != bool(DENIAL.search(instruction.casefold()))
    body = _NO.sub(" ", _YES.sub(" ", rewrite.casefold()))
    denials = len(_ABSENT.findall(body))
    if not any(reading.mentions for reading in sentences_of(body)) or denials > 1:
        return False
    return there == (denials == 1)


def _relates_others(instruction: str, draft: str, rewrite: str) -> bool:
    """Asked whether one thing is above another (or so), the rewrite speaks of others, or otherwise.

    "No, the red square is not above the red square" answers no question about a black one.
    """
    asked = [mention for mention in read(instruction).mentions if _look_of(mention)]
    given = [m for reading in sentences_of(rewrite) for m in reading.mentions if _look_of(m)]
    relations = _related(instruction)
    if len(asked) < 2 or not relations or not given or len(_polarity(draft)) != 1:
        return False
    missing = [one for one in asked if not any(_may_be(one, other) for other in given)]
    if len(missing) > bool(_PRONOUN.search(rewrite.casefold())):
        return True
    turned = _may_be(asked[-1], given[0]) and not _may_be(asked[0], given[0])
    opposite = {_OPPOSITE[name] for name in relations}
    sentences = [part for part in SENTENCE_END.split(rewrite) if read(part).mentions]
    if _related(" ".join(sentences)) not in ([relations, opposite] if turned else [relations]):
        return True
    body = _NO.sub(" ", _YES.sub(" ", rewrite.casefold()))
    denied, asked_so = (bool(DENIAL.search(text)) for text in (body, instruction.casefold()))
    said_of = _SAID_OF.search(body) or _SAID_OF.search(instruction.casefold())
    return not said_of and (_polarity(draft) == {"yes"}) == (denied != asked_so)


def _made_up(instruction: str, draft: str, said: set[tuple[str, str]]) -> bool:
    """Asked about what an arrow or a box marks, the rewrite gives it a look that nothing tells of.

    The colour of the mark is not the thing's.
    """
    unmarked = _MARK.sub(" ", instruction.casefold())
    if unmarked == instruction.casefold() or read(unmarked).words:
        return False
    known = read(draft.replace("\n", " ")).words
    return any(word not in known for word in said if word[0] in _LOOKS)


def _looks_otherwise(instruction: str, told: Sequence[Reading]) -> bool:
    """Asked about one thing, a rewrite has a thing of its kind that looks otherwise.

    "The red star is dotted, since a large gray star is in the center."
    """
    asked = [mention for mention in read(instruction).mentions if mention.get("thing")]
    if len(asked) != 1:
        return False
    given = (m for reading in told for m in reading.mentions if m.get("thing"))
    return any(
        other.get("thing") == asked[0].get("thing")
        and any(
            asked[0].get(kind) and other.get(kind) and asked[0].get(kind) != other.get(kind)
            for kind in ("color", "size", "texture")
        )
        for other in given
    )


def _related(text: str) -> set[str]:
    return {name for name, form in _RELATIONS.items() if form.search(text.casefold())}


def _look_of(mention: Mention) -> set[tuple[str, str]]:
    kinds = ("thing", "color", "size", "texture")
    return {(kind, mention.get(kind)) for kind in kinds if mention.get(kind)}


def _may_be(one: Mention, other: Mention) -> bool:
    """Tell whether two phrases have a word in common and none that excludes the other's."""
    shared = _look_of(one) & _look_of(other)
    return bool(shared) and all(one.get(k) in ("", value) for k, value in _look_of(other))


def _polarity(text: str) -> set[str]:
    lowered = text.casefold().strip()
    return {name for name, form in (("yes", _YES), ("no", _NO)) if form.search(lowered)}
