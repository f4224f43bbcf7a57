"""What is said of things: adjectives, features, places, relations and comparisons."""

from __future__ import annotations

from dataclasses import dataclass, field

from polite_flamingo.shapes.reading.claims import (
    AnyOf,
    Claim,
    Condition,
    Description,
    Extreme,
    Group,
    In,
    Is,
    Not,
    Related,
    Unsettled,
)
from polite_flamingo.shapes.reading.discourse import as_group
from polite_flamingo.shapes.reading.nouns import (
    ATTRIBUTE_OF,
    Noun,
    Words,
    final,
    group_of,
    noun_phrase,
    with_only,
)

_PREPOSITIONS = {
    "in", "on", "at", "to", "toward", "towards", "along", "within", "inside", "into", "from",
    "over", "down", "up", "off", "out", "across", "near", "around", "by", "close",
}  # fmt: skip
_DETERMINERS = {
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
Read = tuple[list[Condition], int, list[Claim]]


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


def background(w: Words, start: int) -> tuple[list[Claim], int] | None:
    """Read "on a light blue background", "against pink", "of a white picture"."""
    place = start
    if w.at(place).text not in ("on", "against", "over", "of", "in", "before", "with", "atop"):
        return None
    bare = True
    preposition = w.at(place).text
    place += 1
    if w.at(place).text in _DETERMINERS:
        bare = False
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
    del bare
    return None


def where(w: Words, start: int, bare: bool = False) -> Read | None:
    """Read a place in the image: "in the top left corner", "at the bottom", "dead centre"."""
    place = start
    asides: list[Claim] = []
    prepositions: list[str] = []
    while True:
        word = w.at(place)
        if word.text == "right" and (
            w.at(place + 1).text in _PREPOSITIONS or w.at(place + 1).category == "R"
        ):
            place += 1
        elif word.text in _PREPOSITIONS:
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
    if w.at(place).text in _DETERMINERS:
        if (
            not prepositions
            and not bare
            and w.at(start - 1).text not in ("occupies", "occupy", "occupying")
        ):
            return None
        place += 1
    place = w.skip(place)
    sides: list[str] = []
    if (
        w.at(place).text in ("left of", "right of")
        and place > start
        and (w.at(place + 1).category == "i" or w.at(place + 2).category == "I")
    ):
        # "the right of the image"
        name = w.at(place).text.split()[0]
        return [In(name)], place + (2 if w.at(place + 1).category == "i" else 3), asides
    superlative = False
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
            superlative = True
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
    del superlative
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
    while (
        w.at(place).category == "f"
        or (w.at(place).text in ("right", "just")
        and w.at(place + 1).category == "R")
    ):
        place += 1
    word = w.at(place)
    if word.category in ("R", "R!"):
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
        if w.at(end).category == "&" and (again := noun_phrase(w, end + 1)) is not None:
            if w.at(again[1]).category not in ("aux", "k", "h"):
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
    attribute = _attribute(w, place)
    if not attribute:
        return None
    place += 1
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


def _attribute(w: Words, place: int) -> str:
    word = w.at(place)
    if word.category == "Q" and word.value != "place":
        return word.value
    return "shape" if word.text in ("shape", "shapes", "form") else ""


def _spatial(w: Words, place: int) -> Read | None:
    names: list[str] = []
    bare = False
    while w.at(place).category in ("R", "R!"):
        names.append(w.at(place).value)
        bare = w.at(place).category == "R!"
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
    groups = [_other_side(w, noun)]
    # "above the star and the circle"
    while w.at(end).category == "&" and (again := noun_phrase(w, end + 1)) is not None:
        if (
            again[0].quantifier not in ("the",)
            or _verb_follows(w, again[1])
            or noun.quantifier != "the"
        ):
            break
        if w.at(again[1]).category == "end" or w.at(again[1]).category in (",", "but"):
            groups.append(_other_side(w, again[0]))
            end = again[1]
        break
    return [Related(name, group) for name in names for group in groups], end, noun.asides


def _verb_follows(w: Words, place: int) -> bool:
    return w.at(w.skip(place)).category in ("aux", "k", "h", "show", "lack", "gone", "not")


def _other_side(w: Words, noun: Noun) -> Group:
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
        groups = [_other_side(w, noun)]
        if w.at(end).category == "&" and (again := noun_phrase(w, end + 1)) is not None:
            if not _verb_follows(w, again[1]) and again[0].quantifier == "the":
                groups.append(_other_side(w, again[0]))
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


def feature(w: Words, start: int) -> Read | None:
    """Read what a thing has: "stripes", "a dotted pattern", "no dots", "a red colour"."""
    place = w.skip(start)
    denied = False
    if w.at(place).category == "no" or w.at(place).category == "not":
        denied = True
        place += 1
    if w.at(place).text == "neither":
        denied = True
        place += 1
    found: list[Condition] = []
    while (read := _one_feature(w, place)) is not None:
        conditions, end, refused = read
        deny = denied or refused
        found += [Not((c,)) for c in conditions] if deny else conditions
        place = end
        joint = w.at(place)
        ahead = w.skip(place + 1)
        if joint.category in ("&", "or", "nor", ",", "but", "than not") and (
            _one_feature(w, ahead) is not None
            or (w.at(ahead).category in ("no", "not")
            and _one_feature(w, ahead + 1) is not None)
        ):
            if _verb_follows(w, (_one_feature(w, ahead) or ([], ahead, False))[1]):
                break
            if joint.category in ("or",) and not denied:
                return None
            if joint.category in ("but", "than not"):
                denied = joint.category == "than not"
            if w.at(ahead).category in ("no", "not"):
                denied = True
                ahead += 1
            elif joint.category == "&" and denied and w.at(ahead).text in ("a", "an"):
                denied = False
            place = ahead
            continue
        break
    if not found:
        return None
    while w.at(place).text in ("on", "all", "across") and w.at(place + 1).text in (
        "it",
        "them",
        "its",
    ):
        place += 2
    return found, place, []


def _one_feature(w: Words, start: int) -> tuple[list[Condition], int, bool] | None:
    place = w.skip(start)
    refused = False
    if w.at(place).text in _DETERMINERS:
        place += 1
    conditions: list[Condition] = []
    colors: list[Condition] = []
    pattern = False
    while True:
        word = w.at(place)
        if word.category == "C":
            colors.append(Is("color", (word.value,)))
        elif word.category in ATTRIBUTE_OF:
            conditions.append(Is(ATTRIBUTE_OF[word.category], (word.value,)))
            pattern = pattern or word.text in (
                "stripes",
                "dots",
                "spots",
                "stripe",
                "bands",
                "polka dots",
            )
        elif word.category in ("f", "alike", "only"):
            if word.category == "alike":
                return None
        else:
            break
        place += 1
    word = w.at(place)
    if (
        (word.text == "shape" or (word.category == "Q" and word.value == "shape"))
        and w.at(place + 1).text == "of" and not conditions
    ):  # fmt: skip
        of = place + 2 + (w.at(place + 2).text in ("a", "an", "the"))
        if w.at(of).category == "S":
            return [Is("shape", (w.at(of).value.rstrip("+"),))], of + 1, refused
    if word.category == "S" or (word.category == "g" and word.text != "shape"):
        return None
    if word.category == "Q" or word.text == "shape":
        if word.value == "place":
            return None
        if not conditions and not colors:
            if word.value != "texture":
                return None
            # Any pattern at all.
            return [Is("texture", ("patterned",))], place + 1, refused
        if word.value == "texture" and any(
            isinstance(c, Is) and c.attribute in ("texture",) for c in conditions
        ):
            colors = []
        return conditions + colors, place + 1, refused
    if pattern:
        # White dots: the scene doesn't know the colour of a pattern.
        return conditions, place, refused
    if colors and not conditions:
        return colors, place, refused
    return (conditions + colors, place, refused) if conditions else None


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
        or (w.at(place + 2).category in ("C", "x", "z", "y")
        and w.at(place + 1).text in ("a", "an", "the"))
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
            return read if _verb_follows(w, read[1]) or w.at(read[1]).category == "," else None
        return read
    if category == "p" and (read := where(w, w.skip(place + 1))) is not None:
        return read if noun.quantifier in ("a", "bare", "num") else None
    if category in ("G1", "G2") or text in _PREPOSITIONS or text in ("near", "close to", "by"):
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


def painted(w: Words, place: int) -> Read | None:
    """Read "colored red", "covered in stripes", "filled with dots", "made of stripes"."""
    place = w.skip(place + 1)
    while w.at(place).text in ("in", "with", "by", "of", "as", "all", "over", "from", "like"):
        place += 1
    return feature(w, place)


def verbs(w: Words, start: int) -> tuple[int, bool, str, str]:
    """Read a chain of verbs: where it ends, whether denied, its kind and a quantifier in it.

    Kinds: be, have, show, lack, see, maybe, do; empty if there is no verb.
    """
    place, denied, kind, floating = start, False, "", ""
    while True:
        word = w.at(place)
        category, text = word.category, word.text
        if category == "aux" or text == "'s":
            kind = kind or ("do" if text in ("do", "does", "did") else "be")
        elif category == "k":
            kind = "be"
        elif category == "h" and text != "with" and (kind != "be" or text == "got"):
            kind = "have"
        elif category == "show" and kind != "be":
            kind = "show"
        elif category == "lack" and text not in ("free of", "absence of"):
            kind = "lack" if kind in ("", "do") else kind
            place += 1
            break
        elif category == "maybe":
            kind = kind or "be"
        elif category == "not" and (kind or w.at(place + 1).category in ("aux", "k", "h")):
            denied = not denied
        elif category == "f" or category == "hedge" or (category == "i" and kind):
            pass
        elif text in ("both", "all", "each") and _floats(w, place):
            floating = "both" if text == "both" else "all"
        elif (category == "only" and kind and w.at(place + 1).category not in ("#", "S", "g")) or text == "going" or text == "use":
            pass
        else:
            break
        place += 1
    if not kind:
        return start, False, "", ""
    return place, denied, kind, floating


def _floats(w: Words, place: int) -> bool:
    after = w.at(w.skip(place + 1))
    if w.at(place).text == "both" and after.category in ATTRIBUTE_OF:
        # "is both red and small" against "are both red".
        return w.at(place - 1).text in (
            "are",
            "were",
            "they",
            "have",
            "look",
            "appear",
            "seem",
        ) or (w.at(place - 1).category in ("f", "k", "not"))
    return after.text not in ("the", "of", "these", "those") and after.category not in ("#",)


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
            elif joint.category == "nor" or (listing and joint.category in (",", "&")) or joint.category == "than not":
                deny = True
            elif joint.category == "but" or not _denied_list(w, ahead):
                deny = False
            if turned:
                deny = True
            place = ahead
            continue
        if (
            joint.category in ATTRIBUTE_OF
            or joint.text in _PREPOSITIONS
            or joint.category in ("R", "G1", "G2")
        ):
            place = w.skip(place)
            if _goes_on(w, place, indefinite=False):
                continue
        break
    if not said.of and said.exists is None and not said.number and not said.alike:
        return said, place
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
    if _verb_follows(w, read[1]) or w.at(read[1]).category in (":",):
        return False
    noun = noun_phrase(w, place)
    if noun is not None and noun[0].head in ("S", "g", "one") and noun[1] >= read[1]:
        if noun[0].quantifier not in ("a",) or not indefinite:
            return False
        follow = w.at(noun[1])
        return follow.category in ("end", ",", "&") and not _verb_follows(w, noun[1])
    return not _fronted(w, place, read[1])


def _fronted(w: Words, place: int, end: int) -> bool:
    """Whether "on the left" opens a clause of its own: "..., on the left (there is) a star"."""
    if w.at(place).category in ATTRIBUTE_OF:
        return False
    ahead = end + 1 if w.at(end).category == "," else end
    ahead = w.skip(ahead)
    if w.at(ahead).text in ("there", "a", "an", "you", "we", "i") or _verb_follows(w, ahead):
        return True
    return w.at(end).category != "," and noun_phrase(w, ahead) is not None


def _had(w: Words, start: int, said: Predicate, lacking: bool) -> tuple[Predicate, int] | None:
    place = w.skip(start)
    alike = _shared(w, place)
    if alike is not None:
        said.alike, said.attribute, place = alike
        said.empty = False
        return said, place
    at = place + (w.at(place).text in _DETERMINERS)
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


def _shared(w: Words, place: int) -> tuple[str, str, int] | None:
    """Read "the same colour", "different sizes", "in size" as said of several things."""
    start = place
    while w.at(place).text in ("the", "a", "of", "in", "one", "all", "exactly", "that"):
        place += 1
    kind = ""
    if w.at(place).category == "alike":
        kind = w.at(place).value
        place += 1
        if w.at(place).text in ("in", "a", "of", "the"):
            place += 1
    attribute = _attribute(w, place)
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
    del start
    return None


def _atom(w: Words, place: int, said: Predicate, bare: bool) -> Read | None:
    """Read one thing said: an adjective, a place, a relation, a noun."""
    place = w.skip(place)
    word = w.at(place)
    category, text = word.category, word.text
    if (aside := background(w, place)) is not None and text not in ("with", "in"):
        return [], aside[1], aside[0]
    alike = _shared(w, place)
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
        not generic
        and w.at(end).text in ("of", "in")
        and w.at(end + 1).text in ("all", "the", "them")
    ) and w.at(end + 1).text in ("all", "them") and w.at(end + 2).category in ("end", ",", "i"):
        generic = True
        end += 2
    if not generic:
        return None
    if w.at(end).text == "one":
        end += 1
    group = w.discourse.they or w.discourse.group
    return [Extreme(side, as_group(group.of) if group else ())], end, []


__all__ = [
    "AnyOf",
    "Predicate",
    "background",
    "feature",
    "modifier",
    "predicate",
    "relation",
    "verbs",
    "where",
]
