"""Clauses that open with a place: "in the top left there is a star"."""

from __future__ import annotations

from dataclasses import replace

from polite_flamingo.shapes.reading.claims import Claim, Condition, Description, In, Is, Not, plain
from polite_flamingo.shapes.reading.discourse import Referent
from polite_flamingo.shapes.reading.existence import claim_existing, existence_claims
from polite_flamingo.shapes.reading.fragments import appended
from polite_flamingo.shapes.reading.listing import WHO, read_existing_list, read_trailing, sees
from polite_flamingo.shapes.reading.noun_lists import read_nouns
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.phrases import Words, final
from polite_flamingo.shapes.reading.places import relation, where
from polite_flamingo.shapes.reading.predicates import Predicate, predicate
from polite_flamingo.shapes.reading.predication import say_after
from polite_flamingo.shapes.reading.reader import Reader
from polite_flamingo.shapes.reading.saying import say
from polite_flamingo.shapes.reading.verbs import verbs

_STANDING = {
    "located", "placed", "positioned", "situated", "sitting", "standing", "lying", "resting", "hanging",
    "floating", "nestled", "tucked", "hiding", "set",
}  # fmt: skip


def read_fronted(reader: Reader, w: Words, place: int) -> int:
    """Read "in the top left there is a star", "below the circle sits a square"."""
    word = w.at(place)
    if word.category == "k" and word.text in _STANDING:
        # "Sitting at the top is a star."
        stood = where(w, w.skip(place + 1)) or relation(w, w.skip(place + 1))
        if stood is not None:
            at = w.skip(stood[1])
            at = w.skip(at + 1) if w.at(at).category == "," else at
            return read_placed(reader, w, at, tuple(stood[0]), place, True)
    if word.text == "among" or (
        word.text == "of" and w.at(place + 1).text in ("the", "these", "those", "them")
    ):
        read = noun_phrase(w, place + 1)
        if read is None:
            return place
        group = read[0]
        claims = []
        if group.number:
            claims.append(Claim("num", final(group), number=group.number))
        reader.settle(tuple(claims))
        reader.d.they = reader.d.group = Referent("all", final(group), group.number)
        reader.d.noun = plain(group.of) or reader.d.noun
        return read_scoped(reader, w, read[1], final(group))
    if word.category == "except":
        read = noun_phrase(w, place + 1)
        if read is None or w.at(read[1]).category != ",":
            return place
        behind = w.skip(read[1] + 1)
        if w.at(behind).text == "there":
            end, denied, kind, _ = verbs(w, behind + 1)
            return max(
                read_existing_list(reader, w, end, denied, (Not(final(read[0])),)), behind + 1
            )
        subject = noun_phrase(w, behind)
        if subject is None or subject[0].quantifier not in ("all", "no", "the"):
            return place
        subject[0].excepted = read[0].of
        end, denied, kind, floating = verbs(w, subject[1])
        if not kind:
            return place
        return say_after(reader, w, [subject[0]], end, denied, kind, floating)
    corners = read_corners(w, place)
    if corners is not None:
        places, end = corners
        return place_in_corners(reader, w, end, places)
    read_place = where(w, place) or (relation(w, place) if word.category in ("R", "r") else None)
    if read_place is None or w.at(read_place[1]).category in ("S", "g"):
        return place
    conditions, end, asides = read_place
    reader.settle(tuple(asides))
    if word.category not in ("R", "r") and word.text not in (
        "in", "on", "at", "to", "near", "toward", "towards", "down", "up", "over", "along", "close to",
        "right", "close", "inside", "within",
    ) and not (w.at(w.skip(end)).category in (":", "aux", "k", "there") or w.at(w.skip(end)).text == "there"):  # fmt: skip
        # A bare "top left" is an answer, unless a clause hangs on it.
        ahead = w.skip(end + (w.at(end).category == ","))
        if w.at(ahead).category == "end" or noun_phrase(w, ahead) is None:
            return place
    at = w.skip(end)
    comma = w.at(at).category in (",", ":")
    if comma:
        at = w.skip(at + 1)
    return read_placed(reader, w, at, tuple(conditions), place, comma)


def read_placed(
    reader: Reader, w: Words, at: int, conditions: Description, start: int, comma: bool
) -> int:
    """Read what follows a place that opens a clause: "there is a star", "sits a circle", a noun."""
    word = w.at(at)
    if word.text in ("there", "here"):
        end, denied, kind, _ = verbs(w, at + 1)
        return max(
            read_existing_list(reader, w, end if kind else at + 1, denied, conditions), at + 1
        )
    if word.text in WHO and (seen := sees(w, at)):
        denied = any(w.at(k).category == "not" for k in range(at, seen))
        return max(read_existing_list(reader, w, seen, denied, conditions), at + 1)
    if word.text in ("we", "you") and w.at(at + 1).category == "h":
        return max(read_existing_list(reader, w, at + 2, False, conditions), at + 1)
    if shown := image_shows(w, at):
        return max(read_existing_list(reader, w, shown, False, conditions), at + 1)
    end, denied, kind, _ = verbs(w, at)
    if kind:
        nouns, after = read_nouns(reader, w, end)
        if nouns:
            # "below the circle is the star": of a definite thing, the place is said.
            if all(n.quantifier in ("the",) for n in nouns) and not nouns[0].number:
                of: list[Condition] = [Not(conditions)] if denied else list(conditions)
                say(reader, nouns, Predicate(of=of, empty=False), "")
            else:
                claim_existing(reader, nouns, denied, conditions)
            return read_trailing(reader, w, after)
        return start
    nouns, after = read_nouns(reader, w, at)
    if nouns and not verb_at(w, after):
        nouns[0].of, after = appended(w, after, nouns)
        claim_existing(reader, nouns, False, conditions)
        return after
    if nouns:
        # "on the left, the circle is red": said of the circle on the left.
        if nouns[0].quantifier == "the" and comma:
            for noun in nouns:
                noun.of = (*noun.of, *conditions)
                reader.d.noun = plain(noun.of)
            end, denied, kind, floating = verbs(w, after)
            done = say_after(reader, w, nouns, end, denied, kind, floating)
            return done if done > at else start
        if comma or nouns[0].quantifier != "bare":
            end, denied, kind, floating = verbs(w, after)
            said = predicate(w, end, kind, denied)
            if said is not None and said[0].exists is not None and not said[0].of:
                claim_existing(reader, nouns, not said[0].exists, conditions)
                return said[1]
            for noun in nouns:
                noun.of = (*noun.of, *conditions)
            return say_after(reader, w, nouns, end, denied, kind, floating)
    return start


def verb_at(w: Words, place: int) -> bool:
    """Tell whether a verb stands here."""
    return bool(verbs(w, w.skip(place))[2])


def image_shows(w: Words, at: int) -> int:
    """Return the place behind "the image shows"; 0 if it is not there."""
    read = noun_phrase(w, at)
    if read is not None and read[0].head == "I":
        end, _, kind, _ = verbs(w, read[1])
        if kind in ("show", "have"):
            return end
    return 0


def read_scoped(reader: Reader, w: Words, place: int, group: Description) -> int:
    """Read what follows "of the circles" or "among the shapes"."""
    at = w.skip(place)
    if w.at(at).category == ",":
        at = w.skip(at + 1)
    if w.at(at).text == "there":
        end, denied, kind, _ = verbs(w, at + 1)
        if kind:
            own = tuple(c for c in group if not (isinstance(c, Is) and c.attribute == "shape"))
            return max(read_existing_list(reader, w, end, denied, own), at + 1)
    return at


def read_corners(w: Words, place: int) -> tuple[list[str], int] | None:
    """Read "in each of the two bottom corners", "in all four corners"."""
    at = place
    if w.at(at).text not in ("in", "at", "on"):
        return None
    at += 1
    several = False
    sides: list[str] = []
    while True:
        word = w.at(at)
        if word.text in ("each", "every", "both", "all"):
            several = True
        elif (
            word.text in ("of", "the") or word.category == "f" or (word.category == "#" and several)
        ):
            pass
        elif word.category == "G1":
            sides.append(word.value)
        elif word.value == "corner":
            break
        else:
            return None
        at += 1
    if not several:
        return None
    places = [
        f"{row} {column}"
        for row in ("top", "bottom")
        for column in ("left", "right")
        if set(sides) <= {row, column}
    ]
    return places, at + 1


def place_in_corners(reader: Reader, w: Words, end: int, places: list[str]) -> int:
    """Claim what follows for each of several corners."""
    at = w.skip(end + (w.at(end).category == ","))
    if w.at(at).text == "there":
        at += 1
    at, denied, _, _ = verbs(w, at) if verbs(w, at)[2] else (at, False, "", "")
    nouns, after = read_nouns(reader, w, at)
    for name in places:
        for noun in nouns:
            claims = existence_claims(reader, replace(noun), (*final(noun), In(name)), denied, [])
            reader.settle(tuple(claims))
    return after


def read_what_stands(reader: Reader, w: Words, place: int) -> int:
    """Read "what stands above the star is a circle"; 0 if not so."""
    end, _, kind, _ = verbs(w, place + 1)
    if not kind and w.at(place).text != "what":
        end, kind = place + 1, "be"
    found = where(w, end) or relation(w, end) if kind else None
    if found is None and kind and w.at(place).text == "what":
        told = predicate(w, end, kind, False)
        found = (told[0].of, told[1], []) if told is not None and told[0].of else None
    if found is None and kind == "be" and w.at(place).text == "what" and end > place + 2:
        # "What stands is a star."
        nouns, after = read_nouns(reader, w, end)
        if (
            nouns
            and nouns[0].head in ("S", "g")
            and w.at(w.skip(after)).category in ("end", ",", "but")
        ):
            claim_existing(reader, nouns, False, ())
            return after
    if found is None:
        return 0
    after, denied, kind, _ = verbs(w, w.skip(found[1]))
    after = w.skip(after)
    if w.at(after).text == "that" and w.at(after + 1).text == "of":
        after += 2
    elif w.at(after).category in ("h", "paint", "p") or w.at(after).text in (
        "taken",
        "occupied",
    ):
        after = w.skip(after + 1)
        after += w.at(after).text in ("by", "of")
    named = noun_phrase(w, after) if kind else None
    if named is None or named[0].head not in ("S", "g", "one"):
        return 0
    of = tuple(found[0])
    noun = named[0]
    if noun.quantifier == "the":
        say(reader, [noun], Predicate(of=[Not(of)] if denied else [*of], empty=False), "be")
    else:
        claim_existing(reader, [noun], denied, of)
    return named[1]


def read_on_surface(reader: Reader, w: Words, place: int) -> int:
    """Read "on the square there are dots", "on the star you see no pattern"; 0 if not so."""
    w.unmodified = True
    read = noun_phrase(w, place + 1)
    w.unmodified = False
    if read is None or read[0].head not in ("S", "g", "pron", "one"):
        return 0
    at = w.skip(read[1])
    at = w.skip(at + 1) if w.at(at).category == "," else at
    if w.at(at).text == "there":
        at += 1
    seen = sees(w, at) if w.at(at).text in WHO else 0
    end, denied, kind, _ = verbs(w, at)
    if not (kind or seen):
        return 0
    said = predicate(w, seen or end, "have", denied)
    if said is None or said[0].empty:
        return 0
    say(reader, [read[0]], said[0], "have")
    return said[1]
