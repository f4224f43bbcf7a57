"""Texts that tell what changed between two pictures: added, removed, recoloured, moved, nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from polite_flamingo.shapes.reading.claims import (
    Claim,
    Condition,
    Description,
    In,
    Is,
    Not,
    attributes,
)
from polite_flamingo.shapes.reading.discourse import Discourse, Referent
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.phrases import Words, final
from polite_flamingo.shapes.reading.places import where
from polite_flamingo.shapes.reading.words import Word, normalise, sentences
from polite_flamingo.shapes.scene import Scene, Thing, region

_REMOVED = (
    r"\b(?:gone|missing|removed|disappear(?:ed|s)?|vanish(?:ed|es)?|deleted|absent|erased|taken (?:away|out)|"
    r"no longer (?:there|present|visible|in|here|shown|exists?|be seen|appears?|contains?|has|shows|includes)|"
    r"no longer (?:a|an|any)\b|anymore|any more|any longer|dropped out|has left|was lost|lost|loses|lacks|"
    r"taken from|left out|not (?:there|present|visible|in the (?:second|after|other|new|later))|cut out|went away|goes away)\b"
)
_ADDED = (
    r"\b(?:added|appear(?:ed|s)|new|introduced|inserted|shown up|showed up|additional|extra|popped up|"
    r"emerged|joined|put in|placed there|come in|was not there before|not there before|gained|gains|"
    r"only in the (?:second|after|right)|another)\b"
)
_MOVED = (
    r"\b(?:moved?|moves|shifted|shifts|relocated|changed (?:its )?(?:position|place|location|places)|slid|"
    r"different (?:position|place|location|spot)|new (?:position|place|location|spot)|jumped|displaced|"
    r"repositioned|went from|travel(?:l)?ed|been put|swapped places|change[sd]? (?:position|place))\b"
)
_COLORED = (
    r"\b(?:turned|turns|became|becomes|changed|changes|recolou?red|repainted|painted|went|goes|switched|"
    r"now|colou?r|used to be|was|has gone|replaced|instead|previously|before)\b"
)
_NONE = (
    r"\b(?:no (?:change|difference)s?|nothing (?:has |have |is |was )?(?:changed|changes|different|differs|new|moved)|"
    r"identical|unchanged|exactly the same|(?:are|look|seem|appear|remain|is) (?:all )?the same(?! (?:color|size|shape))|"
    r"not (?:changed|changed at all|differ|different)|same (?:image|picture|scene)|no visible (?:change|difference)|"
    r"not (?:see|find|spot|notice) any (?:change|difference)s?|there is not any (?:change|difference)|everything (?:stayed|remains|is) the same)\b"
)
_IMAGE = r"(?:images?|pictures?|photos?|scenes?|ones?|drawings?|frames?|shots?|panels?|versions?)"
_LATER = (
    rf"\b(?:second|after|later|other|new|newer|next|last|latter|changed|modified|edited|right(?: hand)?|updated) {_IMAGE}\b|"
    r"\b(?:the second|the latter|in the end|finally|after the change|afterwards|the other|the after)\b|\bnow\b"
)
_EARLIER = (
    rf"\b(?:first|before|earlier|old|older|original|previous|former|initial|left(?: hand)?) {_IMAGE}\b|"
    r"\b(?:at first|initially|once|the first|the former|before the change|previously|beforehand|the original|earlier|before|originally)\b"
)
_ABSENT = (
    r"\b(?:not|no|nobody|never|lacks?|lacking|missing|without|nowhere|absent|misses|neither|gone|disappear\w*|vanish\w*|"
    r"nothing|no longer)\b"
)
_CONTRAST = (
    r"\b(?:no longer|rather than|instead of|after being|having been|formerly|once was|used to be|had been|"
    r"from [a-z ]+ to|gave up|gives up|traded|swapped|exchanged|after (?:it|being|having)|and not|not in|not|originally|previously|was [a-z]+ before|now)\b"
)
_ANY = re.compile(
    "|".join(
        (
            _REMOVED,
            _ADDED,
            _MOVED,
            _NONE,
            r"\b(?:turned|became|changed|recolou?red|repainted|is now|now)\b",
        )
    )
)
_ASKED = re.compile(
    r"\b(?:chang|differ|two (?:images|pictures|photos|scenes)|between the|before and after|both (?:images|pictures))"
)
_LEFT_FOR = re.compile(
    r"\b(?:left|leaves) (the [a-z ]+?),? (?:for|(?:and|then) (?:then )?(?:goes|went|moves|moved|comes|came) to) the\b"
)
_SENTENCE = re.compile(r"[.;!?\n]+")
_PIECES = re.compile(r",? (?:but|and|while|whereas|yet|then)\b|[,:]")
_SPLIT = re.compile(r"[.;!?\n]+|,? (?:and|but|while|whereas) (?=(?:the|a|an|there|it|its)\b)")


@dataclass(frozen=True)
class Change:
    """One change: ``kind`` is added, removed, color, moved or none.

    ``of`` describes the thing (before it changed, if it was there), ``to`` and ``origin`` what it
    became or where it went, and what it was or where it came from.
    """

    kind: str
    of: Description = ()
    to: Description = ()
    origin: Description = ()
    holds: bool = True

    def claim(self) -> Claim:
        """The change as a claim, for verdicts."""
        return Claim("change", self.of, self.to, self.holds, value=self.kind, other=self.origin)


def speaks_of_change(draft: str, question: str | None) -> bool:
    """Whether a text is about two pictures."""
    if question is not None and _ASKED.search(question.lower()):
        return True
    return bool(question is None and _ANY.search(normalise(draft)))


def read_changes(text: str) -> tuple[Change, ...]:
    """List the changes a text tells of."""
    found: list[Change] = []
    discourse = Discourse()
    plain = _LEFT_FOR.sub(r"moved from \1 to the", normalise(text))
    for sentence in _SENTENCE.split(plain):
        whole = _compared(sentence, discourse)
        parts = _SPLIT.split(sentence) if whole is None else []
        changes = (
            [whole] if whole is not None else [_change(p.strip(" ,"), discourse) for p in parts]
        )
        for change in changes:
            if change is None or change in found:
                continue
            if found and _same_event(found[-1], change):
                found[-1] = _merged(found[-1], change)
            else:
                found.append(change)
    return tuple(found)


def _same_event(one: Change, other: Change) -> bool:
    """Whether a second statement tells more of the same change: "it has moved, it is at the top"."""
    return (
        one.kind == other.kind
        and one.holds == other.holds
        and attributes(one.of) == attributes(other.of)
        and (not one.to or not other.to)
    )


def _merged(one: Change, other: Change) -> Change:
    of = one.of if len(one.of) >= len(other.of) else other.of
    return Change(one.kind, of, one.to or other.to, one.origin or other.origin, one.holds)


def _compared(sentence: str, discourse: Discourse) -> Change | None:
    """Read a sentence that says how a thing is in the one picture and in the other."""
    pieces = [piece for piece in _PIECES.split(sentence) if piece and piece.strip()]
    which: list[str] = []
    for piece in pieces:
        earlier, later = re.search(_EARLIER, piece), re.search(_LATER, piece)
        if earlier and later:
            return None
        which.append("earlier" if earlier else "later" if later else "")
    if not any(which):
        return None
    thing: Description | None = None
    new = False
    colors: dict[str, str] = {}
    places: dict[str, Description] = {}
    absent: set[str] = set()
    present: set[str] = set()
    for place, piece in enumerate(pieces):
        ref = which[place] or (which[place - 1] if place else next((w for w in which if w), ""))
        words = [word for words, _ in sentences(piece) for word in words]
        nouns, bare, spots = _contents(words, discourse)
        if nouns and thing is None:
            thing = nouns[0]
            new = bool(re.search(r"\b(?:an?|another|one|some)\b(?! (?:look|glance))", piece))
        denied = re.search(_ABSENT, piece) is not None
        if denied and not nouns and (bare or spots) and which[place] != "earlier":
            # "... at the top and not on the left"
            ref, denied = "earlier", False
        said = [*bare, *(_colors_of(nouns[0]) if nouns else [])]
        if said and not denied:
            colors.setdefault(ref, said[-1] if not nouns else said[0] if bare else said[-1])
        if spots and not denied:
            places.setdefault(ref, spots[-1])
        (absent if denied else present).add(ref)
    if thing is None:
        thing = discourse.it.of if discourse.it is not None else None
    if thing is None:
        return None
    discourse.it = Referent("the", thing)
    if {"earlier", "later"} <= set(colors) and colors["earlier"] != colors["later"]:
        base = tuple(
            c for c in _unplaced(thing) if not (isinstance(c, Is) and c.attribute == "color")
        )
        was, became = (Is("color", (colors[name],)) for name in ("earlier", "later"))
        return Change("color", (*base, was), (became,))
    if {"earlier", "later"} <= set(places) and places["earlier"] != places["later"]:
        return Change("moved", _unplaced(thing), places["later"], places["earlier"])
    if "later" in absent and "later" not in present:
        return Change("removed", thing)
    if "earlier" in absent and "earlier" not in present:
        return Change("added", thing)
    told = re.search(
        rf"{_MOVED}|\b(?:turned|turns|became|becomes|changed|recolou?red|repainted|color|colour)\b",
        sentence,
    )
    if told is None and new and "later" in present and "earlier" not in present:
        return Change("added", thing)
    return None


def _colors_of(of: Description) -> list[str]:
    return [c.values[0] for c in of if isinstance(c, Is) and c.attribute == "color"]


def _change(part: str, discourse: Discourse) -> Change | None:
    part = re.sub(r"\bif (?:i|you|we|one) (?:look|compare|check|see)[a-z ]*", "", part)
    if not part or re.search(r"\b(?:whether|if|not sure|can not tell|let me know)\b", part):
        return None
    if re.search(_NONE, part) and not re.search(r"except|apart from|other than|but the", part):
        return Change("none")
    part = part.replace("from left to right", "from the left to the right").replace(
        "from top to bottom", "from the top to the bottom"
    )
    words = [word for words, _ in sentences(part) for word in words]
    nouns, colors, places = _contents(words, discourse)
    if not nouns and discourse.it is not None and re.search(r"\b(?:it|they)\b", part):
        nouns = [discourse.it.of]
    if not nouns:
        return None
    thing = nouns[0]
    for condition in thing:
        if isinstance(condition, Not):
            # "in red instead of teal"
            colors += _colors_of(condition.of)
    thing = tuple(c for c in thing if not isinstance(c, Not))
    denied = bool(
        re.search(
            r"\b(?:not|never) (?:been |have |has )?(?:moved|removed|added|changed|gone|turned)",
            part,
        )
    )
    discourse.it = Referent("the", thing)
    recolored = _recolored(part, thing, nouns, colors)
    if recolored is not None and recolored[1] and re.search(_CONTRAST, part) and len(places) < 2:
        return Change("color", *recolored, holds=not denied)
    if len(places) > 1 and re.search(r"\b(?:instead of|rather than)\b", part):
        return Change("moved", _unplaced(thing), places[0], places[-1])
    across = _across(part, places)
    if across is not None:
        return Change("moved", _unplaced(thing), *across)
    if re.search(r"\bfrom\b.*\b(?:to|into|towards?)\b", part) and len(places) > 1:
        origin, target = _from_to(part, places)
        return Change("moved", _unplaced(thing), target, origin, not denied)
    if re.search(_MOVED, part) and not (recolored and not places):
        origin, target = _from_to(part, places)
        return Change("moved", _unplaced(thing), target, origin, not denied)
    if recolored is not None and re.search(_COLORED, part):
        return Change("color", *recolored, holds=not denied)
    shown = _presence(part)
    if shown is not None:
        return Change(shown, thing)
    if re.search(_REMOVED, part):
        if re.search(
            r"\bnot (?:there|present|visible) before\b|\bwas (?:missing|absent) before", part
        ):
            return Change("added", thing, holds=not denied)
        return Change("removed", thing, holds=not denied)
    if re.search(_ADDED, part) or re.search(
        r"\bthere (?:is|are) (?:.*\b)?now\b|\bnow (?:there|contains|has|shows|includes|also)\b|\bis now (?:there|present|visible|also)\b",
        part,
    ):
        return Change("added", thing, holds=not denied)
    new = re.search(
        r"\b(?:an?|another) (?:\w+ ){0,4}?(?:circle|rectangle|triangle|square|star|cross|shape|thing|object)\b",
        part,
    )
    if new and re.search(r"\bnow\b", part):
        return Change("added", thing, holds=not denied)
    if places and re.search(r"\bnow\b|\binstead\b", part):
        origin, target = _from_to(part, places)
        return Change("moved", _unplaced(thing), target or places[-1], origin, not denied)
    return None


def _presence(part: str) -> str | None:
    """Whether a thing is only in the later picture (added), or only in the earlier (removed)."""
    refs = [(m.start(), "later") for m in re.finditer(_LATER, part)]
    refs += [(m.start(), "earlier") for m in re.finditer(_EARLIER, part)]
    if not refs:
        return None
    denial = re.search(_ABSENT, part)
    if denial is not None:
        _, near = min((abs(at - denial.start()), which) for at, which in refs)
        return "removed" if near == "later" else "added"
    kinds = {which for _, which in refs}
    if len(kinds) == 1 and re.search(r"\b(?:only|alone|just|solely|nothing but)\b", part):
        return "added" if kinds == {"later"} else "removed"
    return None


def _across(part: str, places: list[Description]) -> tuple[Description, Description] | None:
    """Read "on the left in the earlier picture and at the top in the later one"."""
    earlier, later = re.search(_EARLIER, part), re.search(_LATER, part)
    if earlier is None or later is None or len(places) != 2 or re.search(_ABSENT, part):
        return None
    first, second = places
    return (second, first) if earlier.start() < later.start() else (first, second)


def _contents(
    words: list[Word], discourse: Discourse
) -> tuple[list[Description], list[str], list[Description]]:
    """The things, bare colours and places of a part, in order."""
    w = Words(words, discourse)
    nouns: list[Description] = []
    generic = False
    colors: list[str] = []
    places: list[Description] = []
    place = 0
    while place < w.size:
        word = w.at(place)
        found = noun_phrase(w, place)
        if found is not None and found[0].head in ("S", "g") and found[1] > place:
            of = final(found[0])
            if of and not (
                found[0].head == "g" and word.text in ("something", "nothing", "everything")
            ):
                nouns.append(of)
                places += [(c,) for c in of if isinstance(c, In)]
                place = found[1]
                continue
            if found[0].head == "g":
                generic = generic or found[0].quantifier == "the"
                place = found[1]
                continue
        if found is not None and found[0].head == "one" and found[0].of:
            nouns.append(final(found[0]))
            place = found[1]
            continue
        read_place = where(w, place)
        if read_place is not None and read_place[1] > place:
            places.append(tuple(read_place[0]))
            place = read_place[1]
            continue
        if word.category == "C":
            colors.append(word.value)
        place += 1
    if generic and not nouns:
        # "the object turned from brown to teal"
        nouns = [()]
    return nouns, colors, places


def _unplaced(of: Description) -> Description:
    return tuple(c for c in of if not isinstance(c, In))


def _recolored(
    part: str,
    thing: Description,
    nouns: list[Description],
    colors: list[str],
) -> tuple[Description, Description, Description] | None:
    """What a thing was and became: "the red circle is now blue", "a circle went from red to blue"."""
    own = attributes(thing).get("color")
    if len(nouns) > 1 and re.search(
        r"\bbecame|turned|replaced|changed (?:in)?to|instead of|now\b", part
    ):
        # "the red circle became a blue circle"
        first, second = attributes(nouns[0]), attributes(nouns[1])
        if ("color" in first and "color" in second and first["color"] != second["color"]) and (
            first.get("shape") == second.get("shape") or "shape" not in second
        ):
            old, new = first["color"], second["color"]
            if "instead of" in part:
                old, new = new, old
            base = tuple(c for c in nouns[0] if not (isinstance(c, Is) and c.attribute == "color"))
            return (*base, Is("color", (old,))), (Is("color", (new,)),), ()
    if not colors:
        return None
    base = tuple(c for c in thing if not (isinstance(c, Is) and c.attribute == "color"))
    came = re.search(r"\bfrom (?:\w+ )?([a-z]+)", part)
    if len(colors) >= 2:
        old, new = colors[0], colors[-1]
        if (
            re.search(
                r"\b(?:instead of|rather than|not|after being|after it|after having|having been|formerly)\b",
                part,
            )
            or re.search(r"\bnow\b.*\b(?:was|used to|before|previously)\b", part)
            or (came and came[1] == colors[-1])
        ):
            old, new = colors[-1], colors[0]
        return (*base, Is("color", (old,))), (Is("color", (new,)),), ()
    only = colors[0]
    if re.search(
        rf"\b(?:not in|not|after being|having been|formerly|once|used to be|was|instead of|rather than|from|previously|no longer) (?:\w+ )?{only}\b",
        part,
    ):
        if own is None or own == only:
            if re.search(r"\bwas (?:\w+ )?\w+ (?:ed|painted|colored)", part):
                return thing, (Is("color", (only,)),), ()
            return (*base, Is("color", (only,))), (), ()
        return (*base, Is("color", (only,))), (Is("color", (own,)),), ()
    return thing, (Is("color", (only,)),), ()


def _from_to(part: str, places: list[Description]) -> tuple[Description, Description]:
    if not places:
        return (), ()
    if len(places) > 1:
        if re.search(r"\b(?:instead of|rather than)\b", part):
            return places[-1], places[0]
        if re.search(r"\bto (?:the|a)\b.*\bfrom\b|\bnow\b.*\b(?:from|was|used to)\b", part):
            return places[1], places[0]
        return places[0], places[-1]
    if re.search(r"\b(?:from|away from|out of|was|used to be|no longer)\b", part) and not re.search(
        r"\bto\b|\binto\b|\bnow\b|towards?\b", part
    ):
        return places[0], ()
    return (), places[0]


def same_changes(meant: Sequence[Change], said: Sequence[Change], extra: bool = False) -> bool:
    """Whether texts tell of the same changes; with ``extra``, the second may tell of more."""
    if not said:
        return False
    if not all(any(_tells(one, other) for other in said) for one in meant):
        return False
    return extra or all(any(_tells(other, one) for one in meant) for other in said)


def _tells(wanted: Change, said: Change) -> bool:
    """Whether ``said`` tells all that ``wanted`` tells."""
    if (wanted.kind, wanted.holds) != (said.kind, said.holds):
        return False
    if wanted.kind == "none":
        return True
    return (
        _agree(wanted.of, said.of)
        and _agree(wanted.to, said.to)
        and _agree(wanted.origin, said.origin)
    )


def _agree(wanted: Description, said: Description) -> bool:
    """Whether all that is wanted is said."""
    first, second = attributes(wanted), attributes(said)
    if any(second.get(name) != value for name, value in first.items()):
        return False
    places, others = ({c.place for c in of if isinstance(c, In)} for of in (wanted, said))
    return places <= others


def change_truth(before: Scene, after: Scene, change: Change) -> bool | None:
    """Whether a change that a text tells of is the one between two scenes."""
    lost = [t for t in before.things if t not in after.things]
    gained = [t for t in after.things if t not in before.things]
    value = _true(lost, gained, change)
    return value if change.holds else not value


def _true(lost: list[Thing], gained: list[Thing], change: Change) -> bool:
    if change.kind == "none":
        return not lost and not gained
    if change.kind == "removed":
        return any(_is(thing, change.of) for thing in lost) and not gained
    if change.kind == "added":
        return any(_is(thing, change.of) for thing in gained) and not lost
    for old in lost:
        for new in gained:
            if change.kind == "color" and old.color != new.color and old.box == new.box:
                # "the blue circle used to be red" names it by what it is now.
                named = _is(old, change.of) or _is(new, change.of)
                if named and _is(new, change.to) and _is(old, change.origin):
                    return True
            if (change.kind == "moved" and old.box != new.box and old.color == new.color) and (
                _is(old, change.of) and _is(new, change.to) and _is(old, change.origin)
            ):
                return True
    return False


def _is(thing: Thing, of: Description) -> bool:
    return all(_meets(thing, condition) for condition in of)


def _meets(thing: Thing, condition: Condition) -> bool:
    if isinstance(condition, Is):
        return getattr(thing, condition.attribute, None) in condition.values
    if isinstance(condition, In):
        here = set(region(thing).split())
        return set(condition.place.lstrip("=").split()) - {"corner", "half", "edge"} <= here
    if isinstance(condition, Not):
        return not _is(thing, condition.of)
    return True
