"""What a thing has: "stripes", "a dotted pattern", "no dots", "a red colour"."""

from __future__ import annotations

from polite_flamingo.shapes.reading.claims import Condition, Is, Not
from polite_flamingo.shapes.reading.phrases import ATTRIBUTE_OF, Words
from polite_flamingo.shapes.reading.places import DETERMINERS, Read, verb_follows


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
            or (w.at(ahead).category in ("no", "not") and _one_feature(w, ahead + 1) is not None)
        ):
            if verb_follows(w, (_one_feature(w, ahead) or ([], ahead, False))[1]):
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
    if w.at(place).text in DETERMINERS:
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
        behind = place + 1 + (w.at(place + 1).text == "of")
        if not conditions and not colors and w.at(behind).category in ATTRIBUTE_OF:
            # "has the colour green"
            value = w.at(behind)
            return [Is(ATTRIBUTE_OF[value.category], (value.value,))], behind + 1, refused
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


def painted(w: Words, place: int) -> Read | None:
    """Read "colored red", "covered in stripes", "filled with dots", "made of stripes"."""
    place = w.skip(place + 1)
    while w.at(place).text in ("in", "with", "by", "of", "as", "all", "over", "from", "like"):
        place += 1
    return feature(w, place)
