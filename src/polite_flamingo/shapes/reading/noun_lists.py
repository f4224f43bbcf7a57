"""Lists of noun phrases: "a star, two circles and a square", "neither a star nor a cross"."""

from __future__ import annotations

from polite_flamingo.shapes.reading.claims import Is
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.phrases import ATTRIBUTE_OF, Noun, Words
from polite_flamingo.shapes.reading.places import where
from polite_flamingo.shapes.reading.reader import Reader
from polite_flamingo.shapes.reading.verbs import verbs


def read_nouns(reader: Reader, w: Words, place: int) -> tuple[list[Noun], int]:
    """Read a list of noun phrases; a noun that begins a new clause is left alone."""
    found: list[Noun] = []
    place = w.skip(place)
    if w.at(place).text in ("both", "either", "neither") and noun_phrase(w, place + 1) is not None:
        inner = noun_phrase(w, place + 1)
        if (
            inner
            and w.at(inner[1]).category in ("&", "or", "nor", ",")
            and inner[0].head == "S"
            and (
                w.at(place + 1).text in ("the", "a", "an", "any")
                or w.at(inner[1]).category == "nor"
            )
        ):
            if w.at(place).text == "neither":
                found, end = read_nouns(reader, w, place + 1)
                for noun in found:
                    noun.pick = False
                    noun.quantifier = "no" if noun.quantifier != "the" else "neithernor"
                return found, end
            place += 1
    end = place
    joint = ""
    while True:
        read = noun_phrase(w, place)
        if read is None or (read[0].head == "I" and not read[0].of):
            break
        noun, after = read
        if found and joint == "," and noun.head == "pron":
            break
        if found and new_clause(w, place, after, noun, joint, found):
            break
        if joint in ("or", "nor"):
            noun.asides = list(noun.asides)
            if found[0].quantifier in ("no", "neithernor"):
                if noun.quantifier in ("bare", "a", "num") or joint == "nor":
                    noun.quantifier = "no"
            elif joint == "or":
                found[0].unsure = True
                noun.unsure = True
        elif (
            joint == "&" and found[0].quantifier == "no" and noun.quantifier == "bare"
            and noun.head == "S"
        ):  # fmt: skip
            noun.quantifier = "no"
        found.append(noun)
        end = after
        mark = w.skip(end)
        joint = w.at(mark).category
        if joint not in ("&", ",", "or", "nor"):
            break
        place = mark + 1
        while w.at(w.skip(place)).category in ("&", "or", "nor", ","):
            joint = w.at(w.skip(place)).category
            place = w.skip(place) + 1
        place = w.skip(place)
        if w.at(place).category == "not":
            break
    share_nouns(found)
    return found, end


def new_clause(w: Words, place: int, after: int, noun: Noun, joint: str, found: list[Noun]) -> bool:
    """Tell "a star and the circle is red" from "the star and the circle are red"."""
    if w.at(place).category in ("G1", "G2") and where(w, place) is not None:
        return w.at(w.skip(after)).category in (":",)
    if w.at(w.skip(after)).category == ":":
        return True
    if noun.partitive and w.at(w.skip(after)).category in (*ATTRIBUTE_OF, "G1", "h"):
        # "six shapes, three of them large"
        return True
    if not verbs(w, w.skip(after))[2] and w.at(w.skip(after)).category not in ("gone", "p"):
        return False
    if joint in ("nor", "or"):
        return False
    # "the circle and the square are red" against "a star, and the square is red".
    if joint in ("&", "nor", "or") and found[-1].quantifier in (
        "the",
        "neithernor",
        "no",
        "all",
    ):
        return w.at(w.skip(after)).text in ("is", "has", "was", "sits", "lies") and joint == "&"
    if (
        joint == "&"
        and noun.quantifier in ("a", "num", "bare")
        and found[-1].quantifier == noun.quantifier
    ):
        return w.at(w.skip(after)).text not in ("are", "were", "have", "appear", "can")
    return True


def share_nouns(found: list[Noun]) -> None:
    """Give "one red and two blue circles" the noun that they share."""
    for index, noun in enumerate(found):
        if not noun.elided or noun.partitive or any(not n.elided for n in found[:index]):
            if noun.elided and not noun.partitive and index and noun.of:
                shape = next((n for n in reversed(found[:index]) if not n.elided), None)
                if shape is not None:
                    noun.of = (
                        *(c for c in noun.of if isinstance(c, Is) and c.attribute != "shape"),
                        *(c for c in shape.of if isinstance(c, Is) and c.attribute == "shape"),
                    )
            continue
        later = next((n for n in found[index + 1 :] if not n.elided and n.head in ("S", "g")), None)
        said = tuple(c for c in noun.of if isinstance(c, Is) and c.attribute != "shape")
        if later is not None and (said or noun.number):
            noun.of = (
                *said,
                *(c for c in later.of if isinstance(c, Is) and c.attribute == "shape"),
            )
            noun.head, noun.elided, noun.whose = later.head, False, None
