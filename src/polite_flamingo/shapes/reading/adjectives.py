"""Adjectives before a noun: values by attribute, places, superlatives."""

from __future__ import annotations

from polite_flamingo.shapes.reading.claims import Condition, In, Is, Not
from polite_flamingo.shapes.reading.phrases import ATTRIBUTE_OF, Noun, Words
from polite_flamingo.shapes.reading.words import Word


def is_pattern(word: Word) -> bool:
    return word.text in ("stripes", "dots", "spots", "polka dots", "stripe", "bands", "speckles")


def read_adjectives(
    w: Words, place: int, noun: Noun
) -> tuple[list[Condition], int, list[tuple[str, int]]]:
    """Read adjectives before a noun: values by attribute, places, superlatives."""
    values: dict[str, list[str]] = {}
    denied: list[Condition] = []
    superlatives: list[tuple[str, int]] = []
    sides: list[str] = []
    joined = False
    begin = place
    while True:
        word = w.at(place)
        category = word.category
        if category in ATTRIBUTE_OF:
            if is_pattern(word) and w.at(place + 1).category != "S":
                break
            values.setdefault(ATTRIBUTE_OF[category], []).append(word.value)
        elif category in ("&", ",", "or") and place > begin and _more_adjectives(w, place + 1):
            joined = joined or category != ","
            noun.unsure = noun.unsure or category == "or"
        elif category == "sup" or (
            (category == "cmp" and w.at(place + 1).category in ("S", "g", "f"))
            or (category == "cmp" and w.at(place + 1).text in ("one", "ones"))
        ):
            superlatives.append((word.value, place))
        elif category == "alike" and (w.at(place + 1).category in ("Q", "S", "g", "C")):
            noun.alike = word.value
        elif category in ("G1", "G2") and _place_adjective(w, place):
            sides.append(word.value)
        elif category == "f":
            pass
        elif category == "not" and w.at(place + 1).category in ATTRIBUTE_OF:
            follow = w.at(place + 1)
            denied.append(Not((Is(ATTRIBUTE_OF[follow.category], (follow.value,)),)))
            place += 1
        elif category == "only" and place == begin:
            noun.alike = "only"
        elif (category == "paint" and place > begin) or (
            category in ("paint", "p") and w.at(place + 1).category in (*ATTRIBUTE_OF, "S", "g")
        ):
            pass
        elif category == "#" and superlatives:
            noun.number, noun.plural = word.value, True
        elif word.text == "non" and w.at(place + 1).category in ATTRIBUTE_OF:
            follow = w.at(place + 1)
            denied.append(Not((Is(ATTRIBUTE_OF[follow.category], (follow.value,)),)))
            place += 1
        else:
            break
        place += 1
    conditions: list[Condition] = [Is(name, tuple(found)) for name, found in values.items()]
    # "a red, blue and green star set": several values of one attribute are one of each.
    noun.each = joined and any(len(found) > 1 for found in values.values())
    if not noun.each:
        conditions = [
            Is(name, (found[0],))
            if len(set(found)) == 1 or name != "color"
            else Is(name, tuple(found))
            for name, found in values.items()
        ]
        noun.each = any(len(c.values) > 1 for c in conditions if isinstance(c, Is))
    if sides:
        conditions.append(In(" ".join(dict.fromkeys(sides))))
    return conditions + denied, place, superlatives


def adjectives_end(w: Words, place: int) -> bool:
    """Whether adjectives stand here without a noun behind them."""
    while w.at(place).category in (*ATTRIBUTE_OF, "f", "&", ","):
        place += 1
    return w.at(place).category not in ("S", "g") and w.at(place).text not in ("ones", "one")


def _more_adjectives(w: Words, place: int) -> bool:
    """Whether only adjectives stand here, with a noun behind them."""
    start = place
    while w.at(place).category in (*ATTRIBUTE_OF, "f") or (
        place > start and w.at(place).category in ("&", ",", "or")
    ):
        place += 1
    word = w.at(place)
    return place > start and (
        word.category in ("S", "g", "B", "I") or word.text in ("one", "ones", "pattern")
    )


def _place_adjective(w: Words, place: int) -> bool:
    """Tell "the top left circle" from "the top left of the image"."""
    while w.at(place).category in ("G1", "G2", *ATTRIBUTE_OF, "f"):
        place += 1
    return w.at(place).category in ("S", "g") or w.at(place).text in ("one", "ones")
