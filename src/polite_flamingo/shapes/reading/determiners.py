"""What stands before the adjectives: articles, numbers, quantifiers, possessors."""

from __future__ import annotations

from polite_flamingo.shapes.reading.discourse import Discourse, Referent
from polite_flamingo.shapes.reading.phrases import ATTRIBUTE_OF, Noun, Words


def read_determiners(w: Words, place: int, noun: Noun) -> tuple[int, bool, bool]:
    start, definite = place, False
    if w.at(place).category == "not":
        after = w.at(place + 1)
        if after.text in ("a", "an", "any", "single") or (
            after.category == "#" and after.value == "=1"
        ):
            noun.quantifier = "no"
            place += 2
            if w.at(place).text == "single":
                place += 1
        elif after.text in ("all", "every", "each", "both", "everything"):
            noun.quantifier = "notall"
            place += 2
        elif after.category == "#":
            noun.quantifier = "notnum"
            noun.number = after.value
            place += 2
        else:
            return place, False, False
        if noun.quantifier == "notall" and w.at(place).text == "the":
            place += 1
    while True:
        word = w.at(place)
        text, category = word.text, word.category
        if text in ("the", "this", "these", "those", "that", "said"):
            if text == "that" and not (
                w.at(place + 1).category in ("S", "g", "z", "C", "x", "y", "B", "I")
                or w.at(place + 1).text == "one"
            ):
                break
            definite = True
        elif text in ("its", "their"):
            definite = True
            noun.owner = _possessor(w, text == "their")
        elif text in ("a", "an", "some", "any"):
            if noun.quantifier == "bare":
                noun.quantifier = "a"
                noun.any = text == "any"
        elif text == "another":
            noun.quantifier, noun.another = "a", True
        elif text in ("other", "others", "rest", "remaining", "remainder"):
            noun.other = True
            if text in ("others", "rest", "remainder"):
                noun.plural = True
        elif category == "k" and text in ("remaining", "rest"):
            noun.other = noun.plural = True
        elif category == "no" or text == "none":
            noun.quantifier = "no"
        elif text in ("all", "each", "every", "whichever"):
            noun.quantifier = "all"
            if text == "all" and w.at(place + 1).text == "but" and w.at(place + 2).category == "#":
                noun.quantifier, place = "allbut", place + 1
        elif text == "both":
            noun.quantifier, noun.plural = "both", True
        elif text == "neither":
            noun.quantifier = "neither"
        elif text == "either":
            noun.quantifier = "a"
        elif category == "most":
            noun.quantifier = "most"
        elif category == "half":
            noun.quantifier = "half"
        elif category == "ord":
            noun.pick, noun.word = True, word.value
        elif category == "#":
            numeral = text in ("one",) or word.value == "=1"
            if (
                text == "one"
                and (definite or noun.quantifier in ("all", "a") or noun.other or noun.pick)
            ) and (w.at(place + 1).category not in ("S", "g", *ATTRIBUTE_OF)):
                # "the one with dots", "each one", "the other one"; but "the one red circle".
                break
            noun.number = word.value
            noun.plural = not numeral
            if noun.quantifier == "bare":
                noun.quantifier = "num"
        elif category == "f" and place > start:
            pass
        elif category == "only" and place > start:
            noun.alike = "only"
        elif category == "i" and text == "one":
            pass
        else:
            break
        place += 1
    return place, definite, place > start


def _possessor(w: Words, plural: bool) -> Noun:
    referent = referent_of(w.discourse, plural)
    if referent is None:
        return Noun("all" if plural else "the", (), "pron", plural)
    quantifier = "all" if plural else "a" if referent.quantifier == "some" else "the"
    return Noun(quantifier, referent.of, "pron", plural, whose=referent)


def referent_of(discourse: Discourse, plural: bool) -> Referent | None:
    if plural:
        return discourse.several() or discourse.it or discourse.asked
    return discourse.it or discourse.asked or discourse.they
