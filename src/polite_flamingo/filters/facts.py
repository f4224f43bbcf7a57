"""Facts of an annotation that a rewrite loses, and facts that it adds: word lists, no model.

In the manner of CHAIR (arXiv 1809.02156), with attributes beside things. It reads words and noun
phrases, not sentences: what takes understanding is for the NLI judge.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from polite_flamingo.core.boxes import has_boxes, strip_boxes

_TOKEN = re.compile(r"[a-z]+|\d+|[.,;:!?&\n]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
# Where something stands relative to another is no place in the image.
_RELATION = re.compile(
    r"\b(?:(?:to|on) the )?(?:left|right)(?: side)? of\b|\bon top of\b|\b(?:center|middle) of\b"
)
_PART_OF_IMAGE = re.compile(
    r"\b(top|upper|bottom|lower|left|right|center|middle)"
    r"((?: (?:left|right|side|part|corner|region|area|half))*)"
    r" of (?:the|this) (?:image|picture|photo|scene|frame)\b"
)
_YES = re.compile(r"\byes\b|\byeah\b|\bindeed\b")
_NO = re.compile(r"\bno\b(?=\s*(?:[.,;:!]|$|(?:it|there|they|the|this|that|i)\b))")
_DENIAL = re.compile(r"\b(?:no|not|none|nobody|nothing|never|without)\b|n't\b")
# What says, beside these, that a thing is not there; and questions whether one is.
_ABSENT = re.compile(
    _DENIAL.pattern + r"|\b(?:neither|absent|absence|missing|lack(?:s|ing)?|cannot|free of|zero|"
    r"nowhere|in vain|fail(?:s|ing)?)\b"
)
_PRESENCE = re.compile(
    r"\b(?:there|contains?|shows?|shown|see|seen|present|visible|any|find|found|image|picture)\b"
)
# Words that are others with two letters swapped.
_NO_TYPOS = frozenset({"there"})
# "the gray object is a star": a gray star.
_IS_A = re.compile(r"\b(?:object|shape|thing|figure) is an? (?=\w)")
# "how big is it?" does not say that it is big.
_HOW = re.compile(r"\bhow (?:big|large|small|tiny)\b")
_GROUND = re.compile(r"\b((?:light |dark |pale )?[a-z]+) background\b")
_ON_GROUND = re.compile(r"\bon ((?:light |dark |pale )?[a-z]+)[.\s]*$", re.MULTILINE)
_RELATIONS = {
    "left": re.compile(r"\bleft(?:[ -]hand)?(?: side)? of\b"),
    "right": re.compile(r"\bright(?:[ -]hand)?(?: side)? of\b"),
    "above": re.compile(r"\b(?:above|over|on top of)\b"),
    "below": re.compile(r"\b(?:below|beneath|under|underneath)\b"),
}
_OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
_DENIED_TWICE = re.compile(r"\b(?:cannot|not|n't|never) (?:[a-z]+ ){0,2}?no\b")
# What ties an answer to its question without its words.
_TIED = re.compile(
    r"\b(?:it|its|it's|they|them|that one|this one|answer|"
    r"the (?:object|shape|thing|figure)s?(?! (?:in|of|visible|shown)))\b"
)
_PRONOUN = re.compile(r"\b(?:it|that one|this one)\b")
_NO_LONGER = re.compile(r"\bno longer\b|\bany ?more\b|\bno more\b|\bnot (?:there|visible)\b")
_ANYTHING = "anything"
_ATTRIBUTES = ("color", "size", "texture", "number")
_RECOMBINED = 0.75
# So many captions leave little of an image untold.
_ENOUGH_CAPTIONS = 4


@dataclass(frozen=True)
class Mention:
    """A noun phrase: kind of word -> canonical value; ``thing`` is "" for "object", "shape" ..."""

    values: Mapping[str, str]

    def get(self, kind: str) -> str:
        """Value of a kind ("" where the phrase has none)."""
        return self.values.get(kind, "")


@dataclass(frozen=True)
class Reading:
    """What the word list finds in one line or sentence."""

    words: frozenset[tuple[str, str]]
    mentions: tuple[Mention, ...]
    denies: bool


@lru_cache(maxsize=1)
def _lexicon() -> dict[str, tuple[str, str]]:
    text = (Path(__file__).parent / "words.yaml").read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    found = {word: ("thing", "") for word in table.pop(_ANYTHING)}
    for kind, values in table.items():
        for value, others in values.items():
            for word in (value, *others):
                found[str(word)] = (kind, str(value))
                if kind == "thing":
                    found[f"{word}{'es' if word.endswith(('s', 'x')) else 's'}"] = (kind, value)
    return found


def _meaning(word: str) -> tuple[str, str] | None:
    """Kind and value of a word; a long word with two letters swapped is still known."""
    lexicon = _lexicon()
    if word in lexicon or len(word) < 5 or word in _NO_TYPOS:
        return lexicon.get(word)
    for at in range(1, len(word) - 2):
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if swapped in lexicon:
            return lexicon[swapped]
    return None


@lru_cache(maxsize=1 << 15)
def read(text: str) -> Reading:
    """Find the known words and noun phrases of one line or sentence."""
    plain = _PART_OF_IMAGE.sub(r"\1\2", text.casefold())
    plain = _IS_A.sub("", plain)
    plain = _HOW.sub("how", _RELATION.sub(" , ", plain))
    words: set[tuple[str, str]] = set()
    mentions: list[Mention] = []
    held: dict[str, str] = {}
    if _NO_LONGER.search(plain):
        words.add(("event", "removed"))
    for token in _TOKEN.findall(plain):
        known = _meaning(token)
        if known is None:
            # "background", "side": what came before describes them, no thing.
            held = {}
            continue
        kind, value = known
        if kind == "thing":
            mentions.append(Mention({**held, "thing": value}))
            held = {}
        elif kind in _ATTRIBUTES:
            held[kind] = value
        if value:
            words.add((kind, value))
    return Reading(frozenset(words), tuple(mentions), bool(_DENIAL.search(plain)))


def _lines(draft: str) -> list[Reading]:
    return [read(line) for line in strip_boxes(draft).split("\n") if line.strip()]


def _sentences(text: str) -> Iterator[Reading]:
    for part in _SENTENCE_END.split(text):
        if part.strip():
            yield read(part)


def described(draft: str, rewrite: str) -> tuple[float, float]:
    """Compare a description with captions (and boxes): (lost, foreign), each 0..1.

    ``lost``: share of the captions that state the worst lost fact (a thing with its colour, a
    thing, a colour). ``foreign``: 1 where the rewrite has a thing or a colour of a thing that no
    caption and no box has, or another number of things in all; less where it joins known words
    anew, and less again where few captions are there to tell.
    """
    lines = _lines(draft)
    if not lines:
        return 0.0, 0.0
    told = list(_sentences(rewrite))
    kept: set[object] = {word for reading in told for word in reading.words}
    for reading in told:
        kept |= _looks(reading) | _told_apart(reading)
    counts: Counter[object] = Counter()
    for line in lines:
        if not line.denies:
            facts = {word for word in line.words if word[0] in ("color", "thing")}
            counts.update(facts | _looks(line))
    lost = max((number for fact, number in counts.items() if fact not in kept), default=0)
    boxes = draft[len(strip_boxes(draft)) :] if has_boxes(draft) else ""
    foreign = max(
        _foreign(lines, told, read(boxes)),
        _miscounted(lines, told, boxes),
        _elsewhere(lines, told),
        _other_ground(draft, rewrite),
    )
    return lost / len(lines), foreign


def _looks(reading: Reading) -> set[tuple[str, str]]:
    """Colour and thing of the noun phrases that have both."""
    return {
        (m.get("color"), m.get("thing"))
        for m in reading.mentions
        if m.get("color") and m.get("thing")
    }


def _told_apart(reading: Reading) -> set[tuple[str, str]]:
    """Colour and thing that a sentence may join: "the blue object", "a plus is yellow"."""
    bare = {m.get("thing") for m in reading.mentions if not m.get("color")} - {""}
    return {(color, thing) for kind, color in reading.words if kind == "color" for thing in bare}


def _foreign(lines: Sequence[Reading], told: Sequence[Reading], boxes: Reading) -> float:
    known = {word for line in lines for word in line.words} | set(boxes.words)
    looks = {look for line in lines for look in _looks(line) | _told_apart(line)}
    sure = min(1.0, len(lines) / _ENOUGH_CAPTIONS)
    worst = 0.0
    for reading in told:
        if reading.denies:
            continue
        things = {word for word in reading.words if word[0] == "thing"}
        colors = {("color", color) for color, _ in _looks(reading)}
        if (things | colors) - known:
            worst = max(worst, 0.5 + 0.5 * sure)
        if _looks(reading) - looks:
            worst = max(worst, _RECOMBINED * sure)
    return max(worst, _other_looks(lines, told))


def _other_looks(lines: Sequence[Reading], told: Sequence[Reading]) -> float:
    """Size or texture of a thing that the captions give otherwise, and never so."""
    for mention in (m for reading in told for m in reading.mentions):
        look = (mention.get("color"), mention.get("thing"))
        for kind in ("size", "texture"):
            if not (mention.get(kind) and all(look)) or _several(lines, told, look):
                continue
            given = {
                m.get(kind)
                for line in lines
                for m in line.mentions
                if (m.get("color"), m.get("thing")) == look and m.get(kind)
            }
            if given and mention.get(kind) not in given:
                return _RECOMBINED
    return 0.0


def _several(lines: Sequence[Reading], told: Sequence[Reading], look: tuple[str, str]) -> bool:
    """Tell whether several things of one colour and kind may be spoken of: no telling which."""
    fitting = [
        [m for m in reading.mentions if (m.get("color"), m.get("thing")) == look]
        for reading in told
    ]
    looks = [{m.get(kind) for some in fitting for m in some} - {""} for kind in ("size", "texture")]
    return (
        max(map(len, (*fitting, *looks)), default=0) > 1
        or any(_alike(line, look) for line in lines)
    )  # fmt: skip


def _alike(line: Reading, look: tuple[str, str]) -> bool:
    """Tell whether a caption may speak of several things of one colour and kind."""
    fitting = [
        m for m in line.mentions if m.get("color") in (look[0], "") and m.get("thing") == look[1]
    ]
    return len(fitting) > 1 or any(m.get("number") not in ("", "1") for m in fitting)


def _miscounted(lines: Sequence[Reading], told: Sequence[Reading], boxes: str) -> float:
    """Another number of things in all than a caption gives, or fewer than one lists."""
    said = {number for reading in told for number in _totals(reading)}
    given = {number for line in lines for number in _totals(line)}
    listed = [
        sum(int(m.get("number") or 1) for m in line.mentions if m.get("thing"))
        for line in lines
        if not line.denies and not _totals(line)
    ]
    least = max([*listed, sum(bool(m.get("thing")) for m in read(boxes).mentions)], default=0)
    if not said:
        return 0.0
    return float(bool(given and not said <= given) or max(said) < least)


def _elsewhere(lines: Sequence[Reading], told: Sequence[Reading]) -> float:
    """Another place of a thing than captions give; only texts that place one thing are read."""
    given, said = (_places(readings) for readings in (lines, told))
    for look, places in said.items():
        if look in given and not places & given[look] and not _several(lines, told, look):
            return _RECOMBINED
    return 0.0


def _places(readings: Sequence[Reading]) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for reading in readings:
        places = _values(reading.words, "place")
        named = [m for m in reading.mentions if m.get("thing") and m.get("color")]
        if places and len(named) == len(reading.mentions) == 1 and not reading.denies:
            look = (named[0].get("color"), named[0].get("thing"))
            found.setdefault(look, set()).update(places)
    return found


def _other_ground(draft: str, rewrite: str) -> float:
    """Another background than the captions give: another colour, be it light or not."""
    given, said = (_grounds(text, (_GROUND, _ON_GROUND)) for text in (draft, rewrite))
    return _RECOMBINED if given and said - given else 0.0


def _grounds(text: str, forms: Sequence[re.Pattern[str]]) -> set[str]:
    found = (match[1] for form in forms for match in form.finditer(text.casefold()))
    meanings = (_meaning(words.split()[-1]) for words in found)
    return {known[1] for known in meanings if known and known[0] == "color"}


def _totals(reading: Reading) -> set[int]:
    """Numbers of things of no kind: "three objects"."""
    kinds = ("thing", "color", "size", "texture")
    return {
        int(m.get("number"))
        for m in reading.mentions
        if m.get("number") and not any(m.get(kind) for kind in kinds)
    }


def changed(draft: str, rewrite: str) -> tuple[float, float]:
    """Compare texts on what changed between two images: (lost, foreign), each 0 or 1.

    ``lost``: the rewrite speaks of nothing that the annotation speaks of, or not of the colour that
    something took on. ``foreign``: a thing or a colour that the annotation does not have, or
    another event (removed, added, moved ...).
    """
    lines = _lines(draft)
    wanted = {word for line in lines for word in line.words}
    said = {word for reading in _sentences(rewrite) for word in reading.words}
    spoken = {name for name, _ in wanted}
    shared = any(_values(wanted, name) & _values(said, name) for name in spoken)
    colors = _values(wanted, "color")
    lost = bool(spoken) and not shared
    lost = lost or (len(colors) == 2 and not colors & _values(said, "color"))
    lost = lost or ("recolored" in _values(wanted, "event") and not colors & _values(said, "color"))
    foreign = any(
        _values(wanted, name) and _values(said, name) - _values(wanted, name)
        for name in ("color", "thing")
    )
    events = _values(wanted, "event"), _values(said, "event")
    foreign = foreign or bool(all(events) and not events[0] & events[1])
    # No change annotated, and one told.
    foreign = foreign or (not _values(wanted, "thing") and bool(_values(said, "thing")))
    return float(lost), float(foreign)


def _values(words: Iterable[tuple[str, str]], kind: str) -> set[str]:
    return {value for name, value in words if name == kind}


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
    readings = list(_sentences(rewrite))
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
    things = _values(asked, "thing") - {""}
    named = [m.get("thing") for reading in readings for m in reading.mentions if m.get("thing")]
    if len(things) > 1 and len(named) > 1 and len(set(named)) == 1 and not wanted:
        lost = 1.0
    # What is answered first is about what was asked.
    known = things | _values(read(draft).words, "thing")
    first_named = {m.get("thing") for m in readings[0].mentions} - {""} if readings else set()
    if ("number", "0") in said:
        # There is none of what was asked for, but something else.
        first_named = set()
    foreign = float(bool(things) and bool(first_named - known))
    for kind in {kind for kind, _ in wanted}:
        spoken = _values(asked, kind)
        # Several values in the question are what there is to choose from.
        allowed = spoken if len(spoken) == 1 else set()
        allowed |= _values(read(draft).words, kind)
        # "one is at the top" and "no others": hardly ever counts.
        allowed |= {"0", "1"} if kind == "number" and not is_class else set()
        if _values(said, kind) - allowed:
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
    there = (told == {"yes"}) != bool(_DENIAL.search(instruction.casefold()))
    body = _NO.sub(" ", _YES.sub(" ", rewrite.casefold()))
    denials = len(_ABSENT.findall(body))
    if not any(reading.mentions for reading in _sentences(body)) or denials > 1:
        return False
    return there == (denials == 1)


def _relates_others(instruction: str, draft: str, rewrite: str) -> bool:
    """Asked whether one thing is above another (or so), the rewrite speaks of others, or otherwise.

    "No, the red square is not above the red square" answers no question about a black one.
    """
    asked = [mention for mention in read(instruction).mentions if _look_of(mention)]
    given = [m for reading in _sentences(rewrite) for m in reading.mentions if _look_of(m)]
    relations = _related(instruction)
    if len(asked) < 2 or not relations or not given or len(_polarity(draft)) != 1:
        return False
    missing = [one for one in asked if not any(_may_be(one, other) for other in given)]
    if len(missing) > bool(_PRONOUN.search(rewrite.casefold())):
        return True
    turned = _may_be(asked[-1], given[0]) and not _may_be(asked[0], given[0])
    opposite = {_OPPOSITE[name] for name in relations}
    return _related(rewrite) not in ([relations, opposite] if turned else [relations])


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
