"""Places in the image and relations between things: "in the top left", "above the star"."""

from __future__ import annotations

from polite_flamingo.shapes.reading.claims import (
    AnyOf,
    Claim,
    Condition,
    Extreme,
    Group,
    In,
    Not,
    Related,
    Unsettled,
)
from polite_flamingo.shapes.reading.discourse import as_group
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.phrases import ATTRIBUTE_OF, Noun, Words, group_of

PREPOSITIONS = {
    "in", "on", "at", "to", "toward", "towards", "along", "within", "inside", "into", "from",
    "over", "down", "up", "off", "out", "across", "near", "around", "by", "close",
}  # fmt: skip


DETERMINERS = {
    "the",
    "a",
    "an",
    "its",
    "their",
    "this",
    "that",
    "some",
    "any",
    "one",
    "our",
    "every",
}


Read = tuple[list[Condition], int, list[Claim]]


def background(w: Words, start: int) -> tuple[list[Claim], int] | None:
    """Read "on a light blue background", "against pink", "of a white picture"."""
    place = start
    if w.at(place).text not in ("on", "against", "over", "of", "in", "before", "with", "atop"):
        return None
    preposition = w.at(place).text
    place += 1
    if w.at(place).text in DETERMINERS:
        place += 1
    while w.at(place).category == "f":
        place += 1
    if w.at(place).category in ("x", "z") and w.at(place + 1).category in ("C", "B"):
        place += 1
    if w.at(place).category != "C":
        return None
    color = w.at(place).value
    after = w.at(place + 1)
    if after.category in ("B", "I") or after.text in ("ground", "surface", "field"):
        return [Claim("background", value=color)], place + 2
    if preposition in ("on", "against") and after.category in ("end", ",", "&", "but", "i"):
        return [Claim("background", value=color)], place + 1
    return None


def where(w: Words, start: int, bare: bool = False) -> Read | None:
    """Read a place in the image: "in the top left corner", "at the bottom", "dead centre"."""
    place = start
    asides: list[Claim] = []
    prepositions: list[str] = []
    while True:
        word = w.at(place)
        if word.text == "right" and (
            w.at(place + 1).text in PREPOSITIONS or w.at(place + 1).category == "R"
        ):
            place += 1
        elif word.text in PREPOSITIONS:
            prepositions.append(word.text)
            place += 1
        else:
            break
        place = w.skip(place)
    if w.at(place).text in ("close", "nearest") or w.at(place).category == "r":
        if w.at(place).text not in ("near", "close to", "by", "around"):
            return None
        prepositions.append("near")
        place += 1
    if w.at(place).text in DETERMINERS:
        if (
            not prepositions
            and not bare
            and w.at(start - 1).text not in ("occupies", "occupy", "occupying")
        ):
            return None
        place += 1
    place = w.skip(place)
    if w.at(place).text == "lower" and place == start and w.at(place + 1).category in (
        "end", ",", "but",
    ):  # fmt: skip
        # "No, it is lower."
        return None
    for ahead in range(place, place + 4):
        if prepositions and w.at(ahead).text == "corners" and w.at(place - 1).text == "one":
            return [In("corner")], ahead + 1, asides
    sides: list[str] = []
    if (
        w.at(place).text in ("left of", "right of")
        and place > start
        and (w.at(place + 1).category == "i" or w.at(place + 2).category == "I")
    ):
        # "the right of the image"
        name = w.at(place).text.split()[0]
        return [In(name)], place + (2 if w.at(place + 1).category == "i" else 3), asides
    while True:
        word = w.at(place)
        if word.category in ("G1", "G2"):
            sides += word.value.split()
        elif (
            word.category == "sup"
            and prepositions
            and word.value in ("left", "right", "top", "bottom")
        ):
            sides.append(word.value)
        elif word.category == "f" and sides:
            pass
        elif (
            sides and word.text in ("left of", "right of")
            and (w.at(place + 1).category == "i" or w.at(place + 2).category == "I")
        ):  # fmt: skip
            # "at the top right of the image"
            sides.append(word.text.split()[0])
            place += 1 if w.at(place + 1).category == "i" else 3
            break
        elif (
            word.category == "," and sides and w.at(place + 1).category == "G1" and len(sides) == 1
            and w.at(place + 2).category in ("end", "part", ",")
            and {sides[0], w.at(place + 1).value} & {"top", "bottom"}
        ):  # fmt: skip
            pass
        else:
            break
        place += 1
    part = ""
    while (w.at(place).category == "part" or w.at(place).text == "third") and (
        sides or prepositions
    ):
        part = w.at(place).value or part or "part"
        place += 1
    if not sides and part != "corner":
        return None
    if w.at(place).text == "of" and w.at(place + 1).text in ("the", "its", "this", "a", "an"):
        inner = w.at(place + 2)
        if inner.category == "G1":
            sides += [inner.value]
            place += 3
            while w.at(place).category == "part":
                part = w.at(place).value or part
                place += 1
        elif inner.category in ("S", "g", "C", "x", "z") and not (
            (aside := background(w, place)) is not None
        ):
            return None
    aside = background(w, place) if w.at(place).text == "of" else None
    if aside is not None:
        asides, place = asides + aside[0], aside[1]
    elif w.at(place).text == "of" and w.at(place + 2).category == "I":
        place += 3
    sides = list(dict.fromkeys(sides))
    outer = [side for side in sides if side != "center"]
    if part == "half" and len(outer) == 1:
        return [In(f"half {outer[0]}")], place, asides
    if "center" in sides and len(outer) == 1:
        return [In(f"={outer[0]}")], place, asides
    name = " ".join(sorted(outer, key=lambda side: side in ("left", "right"))) or "center"
    if part == "corner":
        name = f"{' '.join(outer)} corner" if len(outer) == 1 else name if outer else "corner"
    bare = len(sides) == 1 and not part and prepositions[-1:] == ["to"]
    other = against(w)
    if bare and other is not None and name in ("left", "right"):
        return [Related(f"{name} of", other)], place, asides
    if other is not None and len(sides) == 1 and not part and name in ("left", "right"):
        # "yes, on the left": of the other one, or in the image.
        return [AnyOf(((In(name),), (Related(f"{name} of", other),)))], place, asides
    return [In(name)], place, asides


def against(w: Words) -> Group | None:
    """What the subject was compared with in the question, for "it is bigger"."""
    other, subject, asked = w.discourse.against, w.discourse.subject, w.discourse.asked
    if other is None:
        return None
    if subject is not None and asked is not None and subject.of == other.of:
        other = asked
    return Group(_group_kind(other.quantifier), other.of)


def _group_kind(quantifier: str) -> str:
    return {"some": "the"}.get(quantifier, quantifier)


def relation(w: Words, start: int) -> Read | None:
    """Read "to the left of the star", "above and right of it", "bigger than the square"."""
    place = start
    while w.at(place).category == "f" or (
        w.at(place).text in ("right", "just") and w.at(place + 1).category == "R"
    ):
        place += 1
    word = w.at(place)
    if word.category in ("R", "R!") or word.text == "lower":
        return _spatial(w, place)
    if word.category == "Rits":
        owner = w.discourse.subject or w.discourse.it or w.discourse.asked
        if owner is None:
            return None
        return [Related(word.value, Group(_group_kind(owner.quantifier), owner.of))], place + 1, []
    if word.category == "cmp":
        return _sized(w, place)
    if word.category == "r":
        read = noun_phrase(w, place + 1)
        if read is None or read[0].head == "Q":
            # "by its size" adds nothing.
            return None if read is None or word.text != "by" else ([], read[1], [])
        end = read[1]
        if (w.at(end).category == "&" and (again := noun_phrase(w, end + 1)) is not None) and (
            w.at(again[1]).category not in ("aux", "k", "h")
        ):
            end = again[1]
        return [Unsettled(word.text)], end, []
    if (
        word.text == "as"
        and w.at(place + 1).category in ATTRIBUTE_OF
        and w.at(place + 2).text == "as"
    ):
        read = noun_phrase(w, place + 3)
        if read is None:
            return None
        attribute = ATTRIBUTE_OF[w.at(place + 1).category]
        return [Related(f"same:{attribute}", group_of(w, read[0]))], read[1], []
    if word.text == "as" and w.at(place + 1).category in ATTRIBUTE_OF:
        return None
    return _same_as(w, place)


def _same_as(w: Words, place: int) -> Read | None:
    """Read "the same size as the star"."""
    if w.at(place).text in ("the", "of", "a"):
        place += 1
    if w.at(place).text == "the":
        place += 1
    if w.at(place).category != "alike":
        return None
    kind = w.at(place).value
    place += 1
    attribute = attribute_at(w, place)
    if attribute:
        place += 1
    elif (
        w.discourse.attribute in ("color", "size", "texture", "shape") and w.at(place).text == "as"
    ):
        # "What colour is it?" "The same as the star."
        attribute = w.discourse.attribute
    else:
        return None
    if (
        w.at(place).text not in ("as", "to", "from", "with", "than")
        and w.at(place).category != "than"
    ):
        return None
    read = noun_phrase(w, place + 1)
    if read is None:
        return None
    same: list[Condition] = [Related(f"same:{attribute}", group_of(w, read[0]))]
    return ([Not(tuple(same))] if kind == "different" else same), read[1], []


def attribute_at(w: Words, place: int) -> str:
    word = w.at(place)
    if word.category == "Q" and word.value != "place":
        return word.value
    return "shape" if word.text in ("shape", "shapes", "form") else ""


def _spatial(w: Words, place: int) -> Read | None:
    names: list[str] = []
    bare = False
    while w.at(place).category in ("R", "R!") or w.at(place).text == "lower":
        names.append(w.at(place).value if w.at(place).text != "lower" else "below")
        bare = w.at(place).category != "R"
        place += 1
        if bare and w.at(place).category == "than":
            bare, place = False, place + 1
        if w.at(place).category in ("&", ",") and w.at(w.skip(place + 1)).category in ("R", "R!"):
            place = w.skip(place + 1)
    if w.at(place).category == "#" and w.at(place + 1).category == "end":
        return None
    read = None if bare else noun_phrase(w, place)
    if read is not None and read[0].head in ("I", "B"):
        side = {"left of": "left", "right of": "right", "above": "top", "below": "bottom"}[names[0]]
        return [In(side)], read[1], []
    if read is None and w.at(place).category == "i" and not bare:
        side = {"left of": "left", "right of": "right", "above": "top", "below": "bottom"}[names[0]]
        return [In(side)], place + 1, []
    if read is None:
        group = against(w)
        if group is None:
            sup = {"left of": "left", "right of": "right", "above": "top", "below": "bottom"}
            return [Extreme(sup[name]) for name in names], place, []
        return [Related(name, group) for name in names], place, []
    noun, end = read
    groups = [other_side(w, noun)]
    # "above the star and the circle"
    while w.at(end).category == "&" and (again := noun_phrase(w, end + 1)) is not None:
        if (
            again[0].quantifier not in ("the",)
            or verb_follows(w, again[1])
            or noun.quantifier != "the"
        ):
            break
        if w.at(again[1]).category == "end" or w.at(again[1]).category in (",", "but"):
            groups.append(other_side(w, again[0]))
            end = again[1]
        break
    return [Related(name, group) for name in names for group in groups], end, noun.asides


def verb_follows(w: Words, place: int) -> bool:
    return w.at(w.skip(place)).category in ("aux", "k", "h", "show", "lack", "gone", "not")


def other_side(w: Words, noun: Noun) -> Group:
    if noun.head == "pron" and not noun.plural:
        # "The star is above it": not the star itself.
        subject, against = w.discourse.subject, w.discourse.against
        if against is not None and (
            noun.whose is None or subject is None or noun.whose.of == subject.of
        ):
            return Group(_group_kind(against.quantifier), against.of)
        asked = w.discourse.asked
        if subject is not None and noun.whose is not None and noun.whose.of == subject.of and asked:
            return Group("the", asked.of)
    if noun.other:
        group = w.discourse.several()
        of = tuple(c for c in (noun.of or (group.of if group else ())) if not isinstance(c, Not))
        kind = "all" if noun.plural or noun.quantifier in ("all", "a", "no") else "the"
        return Group(kind, of)
    if noun.head in ("pron", "one") and noun.quantifier == "a" and noun.partitive:
        return Group("all", noun.of)
    if noun.quantifier == "a" and noun.head == "g" and noun.plural is False and noun.word == "":
        return Group("all", noun.of)
    return group_of(w, noun)


def _sized(w: Words, place: int) -> Read | None:
    name = "larger" if w.at(place).value == "large" else "smaller"
    end = place + 1
    while w.at(end).category == "or" and w.at(end + 1).category == "cmp":
        return None
    if w.at(end).category == "than":
        read = noun_phrase(w, end + 1)
        if read is None:
            return None
        noun, end = read
        groups = [other_side(w, noun)]
        if (w.at(end).category == "&" and (again := noun_phrase(w, end + 1)) is not None) and (
            not verb_follows(w, again[1]) and again[0].quantifier == "the"
        ):
            groups.append(other_side(w, again[0]))
            end = again[1]
        end = (
            end + 1
            if w.at(end).category == "aux" and w.at(end + 1).category in ("end", ",")
            else end
        )
        return [Related(name, group) for group in groups], end, []
    if w.at(end).category in ("S", "g"):
        return None
    other = against(w)
    if other is not None:
        return [Related(name, other)], end, []
    group = w.discourse.several()
    return [Extreme(w.at(place).value, as_group(group.of) if group else ())], end, []
