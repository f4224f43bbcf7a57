"""Read free English about a Shapes scene into claims: the reading half of the oracle.

Written from general English, apart from the language that writes the annotations, so that the two
check each other. Words become items (one letter each), items become noun phrases, and patterns
over the letters of a clause become claims. What no pattern fits is no claim.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from polite_flamingo.shapes.lexicon import build_lexicon
from polite_flamingo.shapes.questions import Phrase
from polite_flamingo.shapes.scene import ATTRIBUTES

_ANYTHING = Phrase()


@dataclass(frozen=True)
class Claim:
    """One thing a text says; ``holds`` is False where the text denies it.

    ``kind``: color, shape, size, texture, exist, count, relation, position, compare, background.
    ``value``: attribute value, region, background, relation, more/fewer/same, or a number
    ("3", ">=3", ">3", "<=3", "<3"). An exist claim of one thing ("a circle") has value "one".
    """

    kind: str
    subject: Phrase
    value: str = ""
    other: Phrase | None = None
    holds: bool = True
    words: str = ""


@dataclass(frozen=True)
class Query:
    """What a question asks; ``value`` is given where an attribute or region is to be confirmed.

    ``negated``: "is there no circle?", to which "yes" says that there is none.
    """

    kind: str
    subject: Phrase
    value: str = ""
    other: Phrase | None = None
    yes_no: bool = False
    negated: bool = False


@dataclass(frozen=True)
class Item:
    """A word or phrase of a clause: its letter, its value, and a noun phrase's content."""

    letter: str
    value: str = ""
    phrase: Phrase = _ANYTHING
    plural: bool = False
    definite: bool = False
    indefinite: bool = False
    none: bool = False
    attribute: str = ""


_LEXICON = build_lexicon()
_LONGEST = max(phrase.count(" ") + 1 for phrase in _LEXICON)
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[a-z]+|'s|[,:.;!?\n()]")
_BREAKS = {
    ".",
    ";",
    "!",
    "?",
    "\n",
    "but",
    "while",
    "whereas",
    "although",
    "though",
    "because",
    "since",
    "so",
    "however",
    "therefore",
    "hence",
}
_COLOR_WORDS = "|".join(word for word, item in _LEXICON.items() if item[0] == "c")
_EXPANSIONS = (
    (re.compile("[\u2018\u2019]"), "'"),
    (re.compile(r"\bcan't\b|\bcannot\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\b(there|it|that|here|what|where|he|she)'s\b"), r"\1 is"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'(?:ve|d|ll|m)\b"), ""),
    (re.compile(r"\b(top|bottom|upper|lower)(left|right)\b"), r"\1 \2"),
    (re.compile(r"[-_/*\"]"), " "),
    (re.compile(r"(?<=\d)\.(?=\s|$)"), " ."),
    # "two circles on cream": what things stand on is the background.
    (
        re.compile(
            rf"\bon (?:an? )?((?:light |pale )?(?:{_COLOR_WORDS}))(?: ground)?(?=\s*(?:[.,;:!?\n]|$))"
        ),
        r"on a \1 background",
    ),
)
_ATTRIBUTE_OF = {"c": "color", "z": "size", "x": "texture", "y": "shape"}


def clauses(text: str) -> list[list[Item]]:
    """Split a text into clauses of items: lexicon lookup, longest phrase first."""
    lowered = text.lower()
    for pattern, by in _EXPANSIONS:
        lowered = pattern.sub(by, lowered)
    tokens = _TOKEN.findall(lowered)
    found: list[list[Item]] = [[]]
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token in _BREAKS:
            found.append([])
            place += 1
            continue
        for length in range(min(_LONGEST, len(tokens) - place), 0, -1):
            entry = _LEXICON.get(" ".join(tokens[place : place + length]))
            if entry is not None:
                break
        else:
            entry, length = ((",", "") if token in ",:()" else ("o", token)), 1
        letter, value = entry
        # A "no" that is set off, or opens a sentence, answers; elsewhere it is a determiner.
        after = tokens[place + length] if place + length < len(tokens) else "."
        opening = not found[-1] or all(item.letter in ",o" for item in found[-1])
        set_off = after in _BREAKS or after in {",", ":"}
        if (
            token == "no"
            and length == 1
            and (set_off or (opening and after in {"there", "it", "i", "they", "the", "this"}))
        ):
            letter = "X"
        found[-1].append(Item(letter, value))
        place += length
    return [_chunk(clause) for clause in found if clause]


def _chunk(items: list[Item]) -> list[Item]:
    """Join determiners, numbers, adjectives and a noun into noun phrases (letter N)."""
    out: list[Item] = []
    place = 0
    while place < len(items):
        phrases, end = _noun_phrase(items, place)
        if phrases:
            for index, phrase in enumerate(phrases):
                if index:
                    out.append(Item("&"))
                out.append(phrase)
            place = end
            continue
        item = items[place]
        if item.letter in _ATTRIBUTE_OF:
            out.append(Item("A", item.value, attribute=_ATTRIBUTE_OF[item.letter]))
        elif item.letter == "g?":
            if place + 1 == len(items) and (not out or out[-1].letter in "N,kY"):
                out.append(Item("G", item.value))
        elif item.letter == "G" and _of_a_thing(items, place):
            pass
        elif item.letter == "0":
            # "not a", "no" without a noun behind it still denies.
            out.append(Item("n"))
        elif item.letter == "r" and not any(before.letter in "NP" for before in out):
            # "That is a star."
            out.append(Item("P"))
        elif item.letter not in "dDforW":
            out.append(item)
        place += 1
    return out


def _of_a_thing(items: list[Item], place: int) -> bool:
    """Tell "the centre of the circle" from "the centre of the image"."""
    rest = items[place + 1 :]
    return len(rest) > 1 and rest[0] == Item("W", "of") and rest[1].letter not in "Ii"


def _noun_phrase(items: list[Item], start: int) -> tuple[list[Item], int]:
    """Read a noun phrase from ``start``; several where colours are listed: "red and blue stars"."""
    place = start
    number, none, definite, indefinite = "", False, False, False
    while place < len(items) and items[place].letter in "dD0#f":
        letter = items[place].letter
        none = none or letter == "0"
        definite = definite or letter == "D"
        indefinite = indefinite or letter == "d"
        if letter == "#":
            number = items[place].value
        place += 1
    values: dict[str, list[str]] = {}
    while place < len(items):
        letter = items[place].letter
        if letter in _ATTRIBUTE_OF:
            values.setdefault(_ATTRIBUTE_OF[letter], []).append(items[place].value)
        elif letter in "&," and values and _adjective_then_noun(items, place + 1):
            pass
        elif letter != "f":
            break
        place += 1
    if place >= len(items) or items[place].letter not in "sg":
        one = place < len(items) and items[place].letter == "#" and items[place].value == "1"
        if not (one and values):
            return [], start
    noun = items[place]
    place += 1
    shape = noun.value.rstrip("+") if noun.letter == "s" else ""
    if shape:
        values.setdefault("shape", []).append(shape)
    extra, place = _after_noun(items, place)
    for attribute, value in extra:
        if attribute not in values:
            values[attribute] = [value]
    colors: list[str | None] = [*values.get("color", [])] or [None]
    base = Phrase(
        shape=values["shape"][-1] if "shape" in values else None,
        size=values["size"][0] if "size" in values else None,
        texture=values["texture"][0] if "texture" in values else None,
    )
    return [
        Item(
            "N",
            number if len(colors) == 1 else "",
            phrase=replace(base, color=color),
            plural=noun.value.endswith("+"),
            definite=definite and not indefinite,
            indefinite=indefinite,
            none=none or number == "0",
        )
        for color in colors
    ], place


def _adjective_then_noun(items: list[Item], place: int) -> bool:
    """Tell whether only adjectives stand between ``place`` and a noun, at least one of them."""
    start = place
    while place < len(items) and items[place].letter in {*_ATTRIBUTE_OF, "f"}:
        place += 1
    return place > start and place < len(items) and items[place].letter in "sg"


def _after_noun(items: list[Item], place: int) -> tuple[list[tuple[str, str]], int]:
    """Read what follows a noun: "that is red", "with stripes", "in red", "of a blue colour"."""
    found: list[tuple[str, str]] = []
    while place < len(items):
        ahead = place
        if items[ahead].letter == "r" and ahead + 1 < len(items) and items[ahead + 1].letter == "k":
            ahead += 2
        elif items[ahead].letter == "W" or (
            items[ahead].letter == "f" and items[ahead].value == ""
        ):
            ahead += 1
        else:
            break
        while ahead < len(items) and items[ahead].letter in "dDf":
            ahead += 1
        if ahead >= len(items) or items[ahead].letter not in _ATTRIBUTE_OF:
            break
        if _adjective_then_noun(items, ahead):
            break
        found.append((_ATTRIBUTE_OF[items[ahead].letter], items[ahead].value))
        place = ahead + 1
        while place < len(items) and items[place].letter in "CTZf":
            place += 1
    return found, place


def claims(text: str, question: str | None = None) -> list[Claim]:
    """List what a text claims about a scene, in its order.

    With ``question``, "yes", "no" and bare answers ("blue", "three") are claims about what was
    asked, and "it" may mean what was asked about.
    """
    query = read_question(question) if question else None
    found: list[Claim] = []
    antecedent: Phrase | None = None
    for items in clauses(text):
        clause_claims = _clause(_settled(items), query, antecedent)
        found += clause_claims
        subjects = [item.phrase for item in items if item.letter == "N"]
        antecedent = subjects[0] if subjects else antecedent
    return list(dict.fromkeys(found))


def _settled(items: list[Item]) -> list[Item]:
    """Settle what depends on neighbours: "left of the image", "is in the image"."""
    out: list[Item] = []
    for item in items:
        last = out[-1].letter if out else ""
        if item.letter in "Ii" and last == "R":
            side = {"left of": "left", "right of": "right", "above": "top", "below": "bottom"}
            out[-1] = Item("G", side[out[-1].value])
        elif item.letter == "i" and last in ("k", "n") and any(o.letter in "NP" for o in out):
            out.append(Item("p"))
        elif item.letter not in "iI":
            out.append(item)
    return out


@dataclass
class _Reader:
    """A clause being read: its items, their letters, and the phrases already spoken for."""

    items: list[Item]
    letters: str
    query: Query | None
    antecedent: Phrase | None
    used: set[int]
    found: list[Claim]

    def phrase(self, place: int) -> Phrase | None:
        """Return the noun phrase at ``place``; a pronoun stands for what was spoken of last."""
        if self.items[place].letter == "N":
            return self.items[place].phrase
        earlier = self.letters.find("N", 0, place)
        if earlier >= 0:
            return self.items[earlier].phrase
        if self.antecedent is not None:
            return self.antecedent
        return self.query.subject if self.query else None

    def denied(self, place: int) -> bool:
        """Tell whether the phrase at ``place`` is in the reach of "no", "not" or "without"."""
        start = place
        # "and" and "or" carry a denial on ("no stars and squares"), a comma ends it, and so does
        # "and a": "no star and a square" has a square.
        while not self.items[start].none:
            listed = start > 1 and self.letters[start - 2 : start] in ("N&", "N|")
            if not listed:
                return bool(re.search(r"[nw][tke]*$", self.letters[:start]))
            counted = self.items[start].indefinite or self.items[start].value
            if counted and self.letters[start - 1] == "&" and self.items[start - 2].none:
                return False
            start -= 2
        return True

    def add(
        self,
        kind: str,
        subject: Phrase,
        value: str = "",
        other: Phrase | None = None,
        holds: bool = True,
    ) -> None:
        """Take down a claim."""
        self.found.append(Claim(kind, subject, value, other, holds))


def _clause(items: list[Item], query: Query | None, antecedent: Phrase | None) -> list[Claim]:
    letters = "".join(item.letter for item in items)
    if "u" in letters:
        return []
    if "|" in letters and not re.search(r"[nXw]", letters) and not any(i.none for i in items):
        # "red or blue" claims neither.
        return []
    reader = _Reader(items, letters, query, antecedent, set(), [])
    for read in (_background, _compare, _relations, _positions, _attributes, _counts, _existence):
        read(reader)
    if "F" in letters:
        reader.found = [replace(claim, holds=not claim.holds) for claim in reader.found]
    if query is not None:
        _bare_answers(reader, query)
    return reader.found


def _background(reader: _Reader) -> None:
    for match in re.finditer(r"A+(?=B)|(?<=B)(?:C?k)?n?A+", reader.letters):
        for place in range(match.start(), match.end()):
            item = reader.items[place]
            if item.letter == "A":
                reader.used.add(place)
            if item.attribute == "color":
                holds = "n" not in match.group()
                reader.add("background", Phrase(), item.value, holds=holds)


def _compare(reader: _Reader) -> None:
    patterns = (
        r"(?P<n>n?)e?(?P<m>m)(?P<a>N)k?(?P<h>h)K?(?P<b>N)",
        r"K?(?P<a>N)k?(?P<n>n?)(?P<m>O)(?P<b>N)",
        r"(?P<a>N)k(?P<n>n?)(?P<m>m)h(?P<b>N)",
        r"K(?P<a>N)k(?P<n>n?)(?P<m>[mM])hK?(?P<b>N)",
        r"K(?P<a>N)[&h]K?(?P<b>N)k(?P<n>n?)(?P<m>m)",
        r"(?P<n>n?)e?(?P<m>m)(?P<a>N)[&,]?(?P<b>N)",
    )
    for pattern in patterns:
        for match in re.finditer(pattern, reader.letters):
            word, a, b = match.start("m"), match.start("a"), match.start("b")
            if {a, b} & reader.used:
                continue
            reader.used |= {a, b, word}
            reader.add(
                "compare",
                reader.items[a].phrase,
                reader.items[word].value,
                reader.items[b].phrase,
                holds=not match.group("n"),
            )


_SUBJECT = re.compile(r"([NP])(?:k?A(?:[&,]*A)*)?[&,]?[kp]*(n?)[kp]*$")


def _relations(reader: _Reader) -> None:
    subject_place: int | None = None
    for match in re.finditer("R", reader.letters):
        place = match.start()
        after = reader.letters[place + 1 : place + 2]
        if after not in ("N", "P"):
            continue
        other = reader.phrase(place + 1)
        before = _SUBJECT.search(reader.letters[:place])
        fronted = re.match(r"[NP],?(?:t?k|e|k)?(n?)(N)", reader.letters[place + 1 :])
        negated = False
        if subject_place is not None and reader.letters[place - 1] in "&,":
            pass
        elif before:
            subject_place = before.start(1)
            negated = bool(before.group(2)) or reader.denied(subject_place)
        elif fronted:
            subject_place = place + 1 + fronted.start(2)
            negated = bool(fronted.group(1)) or reader.denied(subject_place)
        else:
            continue
        subject = reader.phrase(subject_place)
        if after == "P" and reader.query is not None and reader.query.other is not None:
            # "The star is above it": the other one of the two that were asked about.
            pair = (reader.query.other, reader.query.subject)
            other = next((phrase for phrase in pair if phrase != subject), other)
        if subject is None or other is None:
            continue
        if negated:
            reader.used.add(subject_place)
        reader.used |= {place, place + 1}
        relation = reader.items[place].value
        reader.add("relation", subject, relation, other, holds=not negated)


def _positions(reader: _Reader) -> None:
    for match in re.finditer("G", reader.letters):
        place = match.start()
        before = _SUBJECT.search(reader.letters[:place])
        fronted = re.match(r"[,]?(?:tk|k|e|tke)?(n?)(N)", reader.letters[place + 1 :])
        opens = not re.search(r"[NP]", reader.letters[:place])
        if before and before.start(1) not in reader.used:
            subject_place, negated = before.start(1), bool(before.group(2))
        elif fronted and opens:
            subject_place = place + 1 + fronted.start(2)
            negated = bool(fronted.group(1))
        else:
            continue
        negated = negated or reader.denied(subject_place)
        subject = reader.phrase(subject_place)
        if subject is None:
            continue
        if negated:
            reader.used.add(subject_place)
        reader.used.add(place)
        reader.add("position", subject, reader.items[place].value, holds=not negated)


def _attributes(reader: _Reader) -> None:
    """Read "the circle is red and small", "its colour is red", "it is a star", "has stripes"."""
    pattern = (
        r"(?:(?P<noun>[CZT])(?P<of>[NP])?|(?P<thing>[NP])[CZT]?)(?P<copula>,?k|(?<=[CZT]):|n?e)"
        r"(?P<n>n?)(?P<adjectives>A(?:[&,]*A)*)?(?P<nominal>(?<=k)N|(?<=kn)N)?"
    )
    for match in re.finditer(pattern, reader.letters):
        start = max(match.start("of"), match.start("thing"))
        owner = reader.phrase(start) if start >= 0 else _asked(reader)
        if owner is None or start in reader.used:
            continue
        negated = bool(match.group("n")) or "n" in match.group("copula")
        if start >= 0:
            negated = negated or (reader.items[start].letter == "N" and reader.denied(start))
        if match.group("adjectives"):
            _adjectives(reader, match.start("adjectives"), match.end("adjectives"), owner, negated)
            if negated and start >= 0 and reader.denied(start):
                reader.used.add(start)
        if match.group("nominal"):
            place = match.start("nominal")
            if place in reader.used:
                continue
            _nominal(reader, place, owner, negated, known=_known(reader, start))
    for match in re.finditer(r"(?<=N)A(?:&A)*", reader.letters):
        if match.start() not in reader.used:
            owner = reader.items[match.start() - 1].phrase
            _adjectives(reader, match.start(), match.end(), owner, False)


def _asked(reader: _Reader) -> Phrase | None:
    return reader.antecedent or (reader.query.subject if reader.query else None)


def _known(reader: _Reader, start: int) -> bool:
    """Tell whether the subject of "it is a star" was named or asked about."""
    named = start < 0 or reader.items[start].letter == "N"
    return named or reader.antecedent is not None or reader.query is not None


def _adjectives(reader: _Reader, start: int, end: int, owner: Phrase, negated: bool) -> None:
    for place in range(start, end):
        item = reader.items[place]
        if item.letter == "A" and place not in reader.used:
            reader.used.add(place)
            reader.add(item.attribute, owner, item.value, holds=not negated)


def _nominal(reader: _Reader, place: int, owner: Phrase, negated: bool, known: bool) -> None:
    said = reader.items[place]
    negated = negated or said.none
    if not known:
        return
    reader.used.add(place)
    values = [
        (name, value) for name in ATTRIBUTES if (value := getattr(said.phrase, name)) is not None
    ]
    if negated and len(values) > 1:
        # "it is not a red circle" denies the whole, not each word.
        reader.add("exist", _union(owner, said.phrase), holds=False)
        return
    for name, value in values:
        if getattr(owner, name) != value or negated:
            reader.add(name, owner, value, holds=not negated)


def _union(a: Phrase, b: Phrase) -> Phrase:
    return Phrase(**{name: getattr(b, name) or getattr(a, name) for name in ATTRIBUTES})


def _counts(reader: _Reader) -> None:
    """Read "the number of circles is three", "circles: 3", "there are three of them"."""
    for match in re.finditer(r"(?:K?([NP])|K|t)?[,]?k?(n?)[,]?(#)(?![kGRANCZT])", reader.letters):
        place = match.start(3)
        start = match.start(1)
        if start >= 0:
            subject = reader.phrase(start)
        elif match.group().startswith(("K", "t")):
            subject = _asked(reader)
        else:
            continue
        if subject is None or start in reader.used:
            continue
        reader.used |= {place, start}
        number = reader.items[place].value
        reader.add("count", subject, number, holds=not match.group(2))


def _existence(reader: _Reader) -> None:
    for place, item in enumerate(reader.items):
        if item.letter != "N" or place in reader.used:
            continue
        if place and reader.letters[place - 1] in "mMhK":
            # What is counted or compared with need not be there.
            continue
        after = reader.letters[place + 1 :]
        denied = reader.denied(place)
        stated = re.match(r"(?:[&|]N)*,?([kn]*)p", after)
        missing = re.match(r"(?:[&|]N)*k(n?)a", after)
        if stated:
            denied = denied != ("n" in stated.group(1))
        elif missing:
            denied = not missing.group(1)
        shown = re.search(r"[te][kn]*(?:N[&,|]*)*$", reader.letters[:place])
        framed = bool(shown or stated or missing)
        if item.definite and not framed and not item.none:
            continue
        if item.value and item.value != "0":
            reader.add("count", item.phrase, item.value, holds=not denied)
        elif denied or item.plural:
            reader.add("exist", item.phrase, holds=not denied)
        else:
            reader.add("exist", item.phrase, "one")


def _bare_answers(reader: _Reader, query: Query) -> None:
    letters = reader.letters
    if query.yes_no:
        for match in re.finditer("n?[YX]", letters):
            holds = (match.group() in ("Y", "nX")) != query.negated
            reader.add(query.kind, query.subject, query.value, query.other, holds)
        return
    for place, item in enumerate(reader.items):
        if place in reader.used or re.search(r"[nw]$", letters[:place]):
            continue
        if item.letter == "A" and query.kind == item.attribute:
            reader.add(query.kind, query.subject, item.value)
        elif (
            item.letter == "#"
            and query.kind == "count"
            and letters[place + 1 : place + 2] not in tuple("kCZT")
        ):
            reader.add("count", query.subject, item.value)
        elif item.letter == "G" and query.kind == "position":
            reader.add("position", query.subject, item.value)
        elif query.kind == "shape" and letters.strip(",") == "N" and item.phrase.shape:
            reader.add("shape", query.subject, item.phrase.shape)


_ASKS_YES_NO = re.compile(
    r"^\W*(?:is|are|does|do|can|could|has|have|was|were|did|would|will|isn|aren|doesn)\b"
)
_ASKS = re.compile(rf"{_ASKS_YES_NO.pattern}|^(?:which|what|where|how|who|why)\b")
_ASKS_TRUTH = re.compile(
    r"\b(?:true|false|correct|right|accurate(?:ly)?|match(?:es)?|describe|fits?|holds?|statement)\b"
)
_TRUTH_FRAME = re.compile(
    r"^(?:is|was) it (?:true|correct|right|the case)(?: or false)? that |"
    r"^(?:can you (?:say|tell me) (?:if|whether)|tell me whether) (?:it is true that )?|"
    r"^true or false$|^yes or no$"
)
_ASKED_ATTRIBUTE = {"C": "color", "Z": "size", "T": "texture"}


def read_question(question: str) -> Query | None:
    """Read what a question asks; None where it is none of ours."""
    question = _without_requests(question)
    lowered = question.lower().strip()
    if _ASKS_TRUTH.search(lowered) and (stated := _statement(lowered)) is not None:
        return stated
    items = [item for clause in clauses(question) for item in _settled(clause)]
    letters = "".join(item.letter for item in items)
    nouns = [item for item in items if item.letter == "N"]
    if re.search(r"\bhow many\b|\bnumber of\b|\bcount\b", lowered) and not re.match(
        _ASKS_YES_NO, lowered
    ):
        return Query("count", nouns[0].phrase if nouns else Phrase())
    if _ASKS_YES_NO.match(lowered):
        return _read_yes_no(items, letters, nouns)
    if re.search(
        r"\bwhere(?:abouts)?\b|\b(?:which|what) (?:part|side|corner|region|area|place|spot)\b|"
        r"\b(?:position|location)\b",
        lowered,
    ):
        return Query("position", nouns[0].phrase) if nouns else None
    for item in items:
        if item.letter in _ASKED_ATTRIBUTE:
            return Query(_ASKED_ATTRIBUTE[item.letter], nouns[0].phrase if nouns else Phrase())
    if re.search(r"\bhow (?:big|large|small)\b", lowered):
        return Query("size", nouns[0].phrase) if nouns else None
    if re.search(r"\b(?:what|which|name|identify|tell)\b", lowered) and nouns:
        # "what shape is the blue thing": the first noun is the question's own word.
        described = [noun for noun in nouns if noun.phrase != Phrase()]
        subject = described[0].phrase if described else Phrase()
        return Query("shape", subject) if subject.shape is None else None
    return None


def _without_requests(question: str) -> str:
    """Drop the sentences beside a question that speak of no thing: "Look at the image." """
    sentences = re.split(r"(?<=[.!?])\s+", question.strip())
    if not any(sentence.endswith("?") for sentence in sentences):
        return question
    # A noun, an attribute or a number: the question may be about it ("There is a star. What ...?").
    told = [
        sentence
        for sentence in sentences
        if sentence.endswith("?")
        or any(item.letter in "NA#" for clause in clauses(sentence) for item in clause)
    ]
    return " ".join(told)


def _statement(lowered: str) -> Query | None:
    """Read the statement whose truth is asked: "The star is red. Is this true?"."""
    for part in re.split(r"[.?!:\"\n]+", lowered):
        plain = part.strip()
        framed = _TRUTH_FRAME.match(plain)
        if not plain or (_ASKS.match(plain) and not framed):
            continue
        said = claims(_TRUTH_FRAME.sub("", plain))
        # "A star is above the circle" also says that there is a star.
        said = [claim for claim in said if claim.kind != "exist"] or said
        if len(said) == 1:
            claim = said[0]
            return Query(claim.kind, claim.subject, claim.value, claim.other, True, not claim.holds)
    return None


def _read_yes_no(items: list[Item], letters: str, nouns: list[Item]) -> Query | None:
    negated = bool(re.search(r"[nw]", letters)) or any(noun.none for noun in nouns)
    if not nouns:
        return None
    if choice := re.match(r"^k[NP](?:(A)(?:[,|]*A)*\|A|N(?:[,|]*N)*\|N)", letters):
        # "is it plain, striped or dotted?" wants one of them.
        asked = items[choice.start(1)].attribute if choice.group(1) else "shape"
        return Query(asked, items[1].phrase)
    words = [item for item in items if item.letter in "mO"]
    if words and len(nouns) > 1:
        return Query("compare", nouns[0].phrase, words[0].value, nouns[1].phrase, True, negated)
    relations = [item for item in items if item.letter == "R"]
    if relations and len(nouns) > 1:
        return Query(
            "relation", nouns[0].phrase, relations[0].value, nouns[1].phrase, True, negated
        )
    if match := re.search(r"^[kt]?Nn?(A|G)", letters):
        said = items[match.start(1)]
        kind = said.attribute or "position"
        return Query(kind, nouns[0].phrase, said.value, None, True, negated)
    if re.match(r"^kNn?N", letters) and nouns[1].phrase.shape and not nouns[0].phrase.shape:
        return Query("shape", nouns[0].phrase, nouns[1].phrase.shape, None, True, negated)
    number = nouns[0].value
    if number and number != "0":
        return Query("count", nouns[0].phrase, number, None, True, negated)
    return Query("exist", nouns[0].phrase, "", None, True, negated)


def implies(specific: Phrase, general: Phrase) -> bool:
    """Tell whether whatever fits ``specific`` fits ``general``."""
    return all(getattr(general, name) in (None, getattr(specific, name)) for name in ATTRIBUTES)


def compatible(a: Phrase, b: Phrase) -> bool:
    """Tell whether one thing may fit both phrases."""
    return all(
        None in (getattr(a, name), getattr(b, name)) or getattr(a, name) == getattr(b, name)
        for name in ATTRIBUTES
    )
