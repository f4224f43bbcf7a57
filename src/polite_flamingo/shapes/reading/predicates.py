"""What follows a verb: adjectives, nouns, places and comparisons in a row."""

from __future__ import annotations

from dataclasses import dataclass, field

from polite_flamingo.shapes.reading.claims import (
    Claim,
    Condition,
    Description,
    Extreme,
    Is,
    Not,
)
from polite_flamingo.shapes.reading.discourse import as_group
from polite_flamingo.shapes.reading.features import feature, painted
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.phrases import ATTRIBUTE_OF, Noun, Words, final, with_only
from polite_flamingo.shapes.reading.places import (
    DETERMINERS,
    PREPOSITIONS,
    Read,
    attribute_at,
    background,
    relation,
    verb_follows,
    where,
)
from polite_flamingo.shapes.reading.verbs import verbs

_SEEN = {
    "found",
    "noticed",
    "observed",
    "counted",
    "identified",
    "located",
    "detected",
    "recognized",
}


_FINITE = {
    "sits", "lies", "stands", "appears", "looks", "seems", "rests", "hangs", "floats", "remains",
    "sit", "lie", "stand", "appear", "look", "seem", "resides",
}  # fmt: skip


@dataclass
class Predicate:
    """What a clause says of its subject; ``exists``: that it is there, or isn't."""

    of: list[Condition] = field(default_factory=list)
    exists: bool | None = None
    number: str = ""
    alike: str = ""
    attribute: str = ""
    unsure: bool = False
    negated: bool = False
    options: list[Description] = field(default_factory=list)
    asides: list[Claim] = field(default_factory=list)
    definite: bool = False
    empty: bool = True


def modifier(w: Words, place: int, noun: Noun) -> Read | None:
    """Read what is said of a thing right behind its noun."""
    word = w.at(place)
    text, category = word.text, word.category
    if (aside := background(w, place)) is not None:
        return [], aside[1], aside[0]
    if text in ("with", "having", "bearing", "wearing", "sporting", "carrying"):
        return feature(w, place + 1)
    if text in ("without", "lacking", "devoid of", "free of"):
        read = feature(w, place + 1)
        if read is not None:
            return [Not((c,)) for c in read[0]], read[1], read[2]
        return None
    if text in ("in", "of") and (
        w.at(place + 1).category in ("C", "x", "Q")
        or (
            w.at(place + 2).category in ("C", "x", "z", "y")
            and w.at(place + 1).text in ("a", "an", "the")
        )
    ):
        read = feature(w, place + 1)
        if read is not None:
            return read
    if category == "that" or (
        category == "," and w.at(place + 1).category == "that" and w.at(place + 1).text != "that"
    ):
        return _relative(w, place + 1 if category == "that" else place + 2, comma=category == ",")
    if category == "paint" and noun.head != "pron":
        return painted(w, place)
    if category == "k" and text in (
        "located", "placed", "positioned", "situated", "sitting", "standing", "lying", "resting",
        "hanging", "floating", "nestled", "tucked", "hiding", "set",
    ):  # fmt: skip
        read = where(w, w.skip(place + 1)) or relation(w, w.skip(place + 1))
        if read is not None and noun.quantifier == "the" and noun.head != "one":
            # "the star located at the top (is green)", but not "the star sitting at the top".
            return read if verb_follows(w, read[1]) or w.at(read[1]).category == "," else None
        return read
    if category == "p" and (read := where(w, w.skip(place + 1))) is not None:
        return read if noun.quantifier in ("a", "bare", "num") else None
    if category in ("G1", "G2") or text in PREPOSITIONS or text in ("near", "close to", "by"):
        read = where(w, place)
        if read is not None:
            return read
    if category in ("R", "Rits", "cmp", "r") or text == "as":
        if noun.head == "pron" and category != "R":
            return None
        read = relation(w, place)
        # "above" without another thing is no modifier.
        if read is not None and (read[1] > place + 1 or category == "Rits"):
            return read
    return None


def _relative(w: Words, place: int, comma: bool) -> Read | None:
    """Read the rest of "that is red", "which has stripes", "which are not on the left"."""
    place, denied, kind, _ = verbs(w, place)
    if kind == "":
        return None
    said = predicate(w, place, kind, denied)
    if said is not None and said[0].empty and comma and w.at(w.skip(said[1])).category == ",":
        # "the star, which you see, ..."
        return [], w.skip(said[1]) + 1, []
    if said is None or said[0].unsure or (said[0].exists is not None and not said[0].of):
        return ([], said[1], []) if said and said[0].exists else None
    conditions, end = said[0].of, said[1]
    if not conditions:
        return None
    if comma and w.at(end).category == ",":
        end += 1
    return conditions, end, said[0].asides


def predicate(w: Words, start: int, kind: str, denied: bool) -> tuple[Predicate, int] | None:
    """Read what follows the verb; the result may be empty ("it is")."""
    said = Predicate(negated=denied)
    if kind in ("have", "lack"):
        return _had(w, start, said, kind == "lack")
    place = w.skip(start)
    deny = denied
    listing = False
    while True:
        ahead = w.skip(place)
        word = w.at(ahead)
        if (
            word.category == "not"
            and w.at(ahead + 1).category == "only"
            and w.at(ahead + 2).category != "#"
        ):
            # "not just small, but also green"
            place = ahead + 2
            continue
        if word.category == "not":
            deny = True
            place = ahead + 1
            continue
        if word.text == "neither":
            deny = listing = True
            place = ahead + 1
            continue
        if word.text in ("both",) and w.at(ahead + 1).category in (*ATTRIBUTE_OF, "f"):
            place = ahead + 1
            continue
        if (
            word.category == "p"
            or word.text in _SEEN
            or (word.text == "there" and not said.of and kind == "be")
        ):
            if word.text in (
                "shown",
                "depicted",
                "displayed",
                "presented",
                "seen",
                "featured",
                "visible",
            ):
                inner = (
                    _atom(w, w.skip(ahead + 1), said, bare=True)
                    if w.at(ahead + 1).category != ","
                    else None
                )
            else:
                inner = where(w, w.skip(ahead + 1))
            if said.exists is None and not said.of:
                said.exists = not deny
            said.empty = False
            if inner is not None:
                said.exists = None
                said.of += [Not(tuple(inner[0]))] if deny else inner[0]
                said.asides += inner[2]
                place = inner[1]
            else:
                place = ahead + 1
        elif word.category == "gone":
            said.exists, said.empty = deny, False
            place = ahead + 1
        else:
            read = _atom(w, ahead, said, bare=False)
            if read is None:
                break
            conditions, place, asides = read
            said.empty = False
            said.asides += asides
            if conditions:
                said.of += [Not(tuple(conditions))] if deny else conditions
                said.options.append(tuple(conditions))
            if said.number or said.alike:
                break
        joint = w.at(w.skip(place))
        ahead = w.skip(w.skip(place) + 1)
        if (
            joint.category in ("&", ",", "but", "or", "nor", "than not", "that")
            and joint.text != "that"
        ):
            if joint.category == "," and w.at(ahead).category in (
                "&",
                "but",
                "or",
                "nor",
                "than not",
            ):
                joint = w.at(ahead)
                ahead = w.skip(ahead + 1)
            if joint.category == "but" and joint.text not in (
                "but",
                "but instead",
                "rather",
                "yet",
                "but rather",
            ):
                break
            turned = w.at(ahead).category == "not"
            if turned:
                ahead = w.skip(ahead + 1)
            if joint.category == "," and w.at(ahead).text in _FINITE:
                break
            if not _goes_on(w, ahead, indefinite=bool(said.of) and joint.category != ","):
                break
            if joint.category in ("or",):
                if not deny:
                    said.unsure = True
            elif (
                joint.category == "nor"
                or (listing and joint.category in (",", "&"))
                or joint.category == "than not"
            ):
                deny = True
            elif joint.category == "but" or not _denied_list(w, ahead):
                deny = False
            if turned:
                deny = True
            place = ahead
            continue
        if (
            joint.category in ATTRIBUTE_OF
            or joint.text in PREPOSITIONS
            or joint.category in ("R", "G1", "G2")
        ):
            place = w.skip(place)
            if _goes_on(w, place, indefinite=False):
                continue
        break
    return said, place


def _denied_list(w: Words, place: int) -> bool:
    """Whether a comma in "not red, blue or green" carries the denial on."""
    while w.at(place).category in (*ATTRIBUTE_OF, ",", "f", "S"):
        place += 1
    return w.at(place).category == "or"


def _goes_on(w: Words, place: int, indefinite: bool) -> bool:
    """Whether another predicate follows a comma or "and", and not a new clause."""
    probe = Predicate()
    read = _atom(w, place, probe, bare=False)
    if read is None or (not read[0] and not probe.alike):
        word = w.at(place)
        return (
            word.category in ("paint", "k")
            and word.text not in ("appears", "lies", "sits")
            and (_atom(w, w.skip(place + 1), Predicate(), bare=True) is not None)
        )
    if verb_follows(w, read[1]) or w.at(read[1]).category in (":",):
        return False
    noun = noun_phrase(w, place)
    if noun is not None and noun[0].head in ("S", "g", "one") and noun[1] >= read[1]:
        if noun[0].quantifier not in ("a",) or not indefinite:
            return False
        follow = w.at(noun[1])
        return follow.category in ("end", ",", "&") and not verb_follows(w, noun[1])
    return not _fronted(w, place, read[1])


def _fronted(w: Words, place: int, end: int) -> bool:
    """Whether "on the left" opens a clause of its own: "..., on the left (there is) a star"."""
    if w.at(place).category in ATTRIBUTE_OF:
        return False
    ahead = end + 1 if w.at(end).category == "," else end
    ahead = w.skip(ahead)
    if w.at(ahead).text in ("there", "a", "an", "you", "we", "i") or verb_follows(w, ahead):
        return True
    return w.at(end).category != "," and noun_phrase(w, ahead) is not None


def _had(w: Words, start: int, said: Predicate, lacking: bool) -> tuple[Predicate, int] | None:
    place = w.skip(start)
    alike = read_shared(w, place)
    if alike is not None:
        said.alike, said.attribute, place = alike
        said.empty = False
        return said, place
    at = place + (w.at(place).text in DETERMINERS)
    if w.at(at).text in ("position", "place", "location", "spot"):
        # "has a position on the left"
        held = where(w, w.skip(at + 1)) or relation(w, w.skip(at + 1))
        if held is not None:
            said.of += [Not(tuple(held[0]))] if said.negated else held[0]
            said.empty = False
            return said, held[1]
    same = (
        relation(w, place)
        if w.at(place).text in ("the", "a") or w.at(place).category == "alike"
        else None
    )
    read = same or feature(w, place)
    if read is None:
        if w.at(place).category in ("end", ",", "&", "but", "i"):
            return said, place
        return None
    said.empty = False
    deny = said.negated != lacking
    conditions = read[0]
    if deny:
        conditions = [Not((c,)) for c in conditions] if not _turned(conditions) else conditions
    said.of += conditions
    place = read[1]
    # "has dots and is small", "has dots, not stripes"
    joint = w.at(place)
    if joint.category in (",", "&", "but", "than not"):
        ahead = w.skip(place + 1)
        if w.at(ahead).category in ("but", "&"):
            ahead += 1
        turned = joint.category == "than not" or w.at(ahead).category == "not"
        ahead = ahead + 1 if w.at(ahead).category == "not" else ahead
        more = feature(w, ahead) if turned else None
        if more is not None:
            said.of += [Not((c,)) for c in more[0]]
            place = more[1]
    return said, place


def _turned(conditions: list[Condition]) -> bool:
    return any(isinstance(c, Not) for c in conditions) and not all(
        isinstance(c, Not) for c in conditions
    )


def read_shared(w: Words, place: int) -> tuple[str, str, int] | None:
    """Read "the same colour", "different sizes", "in size" as said of several things."""
    while w.at(place).text in ("the", "a", "of", "in", "one", "all", "exactly", "that"):
        place += 1
    kind = ""
    if w.at(place).category == "alike":
        kind = w.at(place).value
        place += 1
        if w.at(place).text in ("in", "a", "of", "the"):
            place += 1
    attribute = attribute_at(w, place)
    if kind and attribute:
        end = place + 1
        if w.at(end).text in ("as", "to", "from") and w.at(end + 1).text not in ("each", "one"):
            return None
        if w.at(end).text in ("as", "from"):
            end += 2
            if w.at(end).text == "other":
                end += 1
        return kind, attribute, end
    if kind and w.at(place).category == "z":
        return None
    return None


def _atom(w: Words, place: int, said: Predicate, bare: bool) -> Read | None:
    """Read one thing said: an adjective, a place, a relation, a noun."""
    place = w.skip(place)
    word = w.at(place)
    category, text = word.category, word.text
    if (aside := background(w, place)) is not None and text not in ("with", "in"):
        return [], aside[1], aside[0]
    alike = read_shared(w, place)
    if alike is not None:
        said.alike, said.attribute, end = alike
        return [], end, []
    if text in ("equally", "equal", "the same") and w.at(place + 1).category == "z":
        said.alike, said.attribute = "same", "size"
        return [], place + 2, []
    if text == "that" and w.at(place + 1).text == "of":
        return _atom(w, place + 2, said, bare)
    if category == "k" or (
        text in ("as", "like")
        and not (w.at(place + 1).category in ATTRIBUTE_OF and w.at(place + 2).text == "as")
    ):
        return _atom(w, place + 1, said, bare)
    if category == "paint":
        return painted(w, place) or _atom(w, place + 1, said, bare)
    if category == "h" and (read := feature(w, place + 1)) is not None:
        return read
    if text in ("without", "lacking") and (read := feature(w, place + 1)) is not None:
        return [Not((c,)) for c in read[0]], read[1], []
    if text in ("in", "of") and (read := feature(w, place + 1)) is not None:
        return read
    if (read := where(w, place)) is not None and not _names_thing(w, read[1]):
        return read
    if (read := relation(w, place)) is not None:
        return read
    if text == "what":
        return None
    if (read := _superlative(w, place)) is not None:
        return read
    found = noun_phrase(w, place)
    if found is not None and found[0].head in ("S", "g", "one"):
        noun, end = found
        if noun.unsure:
            said.unsure = True
        said.definite = noun.quantifier == "the"
        if noun.quantifier == "num" and not noun.partitive and noun.elided and not noun.of:
            said.number = noun.number
            return [], end, noun.asides
        if noun.quantifier == "num" and noun.elided and not noun.partitive:
            said.number = noun.number
            return [], end, noun.asides
        of = final(noun) if not noun.elided else noun.of
        if noun.head == "one" and not noun.partitive:
            # "it is a red one" says that it is red.
            of = noun.of
        conditions = list(with_only(noun, of))
        if noun.quantifier in ("no", "neither"):
            conditions = [Not(tuple(conditions))]
        return conditions, end, noun.asides
    if category in ATTRIBUTE_OF:
        end = place
        conditions = []
        while w.at(end).category in ATTRIBUTE_OF or w.at(end).category == "f":
            if w.at(end).category in ATTRIBUTE_OF:
                conditions.append(Is(ATTRIBUTE_OF[w.at(end).category], (w.at(end).value,)))
            end += 1
        if w.at(end).text in ("in", "of") and w.at(end + 1).category == "Q":
            end += 2
        elif w.at(end).category == "Q":
            end += 1
        return conditions, end, []
    if (
        text in ("a", "an", "the")
        and (read := feature(w, place + 1)) is not None
        and w.at(read[1] - 1).category in ("Q", "x", "C")
    ):
        return read
    return None


def _names_thing(w: Words, place: int) -> bool:
    """Whether "top left" goes before a noun: "top left circle"."""
    return w.at(place).category in ("S", "g") or w.at(place).text in ("one", "ones")


def _superlative(w: Words, place: int) -> Read | None:
    """Read "the biggest", "the lowest one", "furthest left": among all things, or the group."""
    if w.at(place).text == "the":
        place += 1
    if w.at(place).category != "sup":
        return None
    side = w.at(place).value
    end = place + 1
    generic = w.at(end).text == "one" or w.at(end).category in ("end", ",", "&", "but", "i")
    if (
        (
            not generic
            and w.at(end).text in ("of", "in")
            and w.at(end + 1).text in ("all", "the", "them")
        )
        and w.at(end + 1).text in ("all", "them")
        and w.at(end + 2).category in ("end", ",", "i")
    ):
        generic = True
        end += 2
    if not generic:
        return None
    if w.at(end).text == "one":
        end += 1
    group = w.discourse.they or w.discourse.group
    return [Extreme(side, as_group(group.of) if group else ())], end, []
