"""Clauses that say what is there: "there is ...", "I can see ...", "the image shows ..."."""

from __future__ import annotations

from dataclasses import replace

from polite_flamingo.shapes.reading.claims import (
    AnyOf,
    Claim,
    Condition,
    Description,
    In,
    Is,
    Not,
    Related,
    attributes,
    deny,
)
from polite_flamingo.shapes.reading.discourse import Referent
from polite_flamingo.shapes.reading.existence import claim_existing, existence_claims, value_claims
from polite_flamingo.shapes.reading.features import feature
from polite_flamingo.shapes.reading.noun_lists import read_nouns
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.numbers import read_comparison
from polite_flamingo.shapes.reading.phrases import Words
from polite_flamingo.shapes.reading.predicates import Predicate, predicate
from polite_flamingo.shapes.reading.reader import Reader, color_values, listed_values
from polite_flamingo.shapes.reading.saying import note_subject, say
from polite_flamingo.shapes.reading.subjects import part_claims, subject_claims
from polite_flamingo.shapes.reading.verbs import verbs

WHO = {"i", "you", "we", "one", "they", "anyone"}


def sees(w: Words, place: int) -> int:
    """The place behind "I can see", "you will find"; 0 if there is no such thing."""
    place += 1
    while w.at(place).category in ("aux", "f", "maybe", "not", "h", "hedge"):
        place += 1
    if w.at(place).text in ("able", "to"):
        place += 1
    return place + 1 if w.at(place).category == "see" else 0


def read_existential(reader: Reader, w: Words, place: int) -> int:
    """Read "there is ...", "here are ..."."""
    if w.at(place).text not in ("there", "here") or w.at(place).category != "o":
        return place
    start = place + 1
    while w.at(start).category == "Y":
        # "There sure is."
        start += 1
    end, denied, kind, _ = verbs(w, start)
    if not kind and w.at(place).text == "here" and w.at(place + 1).text in ("we", "you", "i"):
        return place + 1
    if not kind:
        return place
    return read_existing_list(reader, w, end, denied, ())


def read_existing_list(
    reader: Reader, w: Words, place: int, denied: bool, conditions: Description
) -> int:
    """Read what is there: a list of nouns, or nothing ("yes, there is")."""
    start = place
    place = w.skip(place)
    if w.at(place).category == "not":
        after = w.at(place + 1)
        if after.text in ("a", "an", "any", "only", "even"):
            denied, place = not denied, place + 1
    if w.at(place).category == "p" or w.at(place).category == "gone":
        return start
    if w.at(place).category == "lack":
        denied, place = not denied, w.skip(place + 1)
    if w.at(place).category == "no" and w.at(place + 1).category == "more":
        denied, place = not denied, place + 1
    if w.at(place).category == "more" or w.at(place).text == "as":
        end = read_comparison(reader, w, place, denied)
        if end > place:
            return end
    shown = feature(w, place)
    if shown is not None and w.at(shown[1]).text in ("on", "in", "across", "over"):
        # "you can see stripes on the star"
        bearer = noun_phrase(w, shown[1] + 1)
        if bearer is not None and bearer[0].head in ("S", "g", "pron", "one"):
            of: list[Condition] = [Not(tuple(shown[0]))] if denied else shown[0]
            say(reader, [bearer[0]], Predicate(of=of, empty=False), "have")
            return bearer[1]
    nouns, end = read_nouns(reader, w, place)
    if not nouns and reader.query is not None and reader.query.kind == "values":
        # "I can see red and blue."
        seen = predicate(w, place, "be", denied)
        if seen is not None and seen[0].of:
            reader.settle(tuple(Claim("some", (), (c,)) for c in seen[0].of))
            return seen[1]
    if not nouns:
        if (
            reader.query is not None
            and reader.query.claims
            and w.at(place).category in ("end", ",", "but", "&")
        ):
            reader.settle(
                reader.query.claims if not denied else (deny(reader.query.claims),), answer=True
            )
            return max(place, start)
        if w.at(place).category in ("end", ",", "but"):
            return max(place, start)
        return start
    if len(nouns) == 1 and nouns[0].head == "pron" and not nouns[0].plural and nouns[0].of:
        # "you can find it in the middle"
        said = predicate(w, end, "be", denied)
        if said is not None and said[0].of:
            note_subject(reader, nouns)
            say(reader, nouns, said[0], "be")
            return said[1]
    query = reader.query
    if query is not None and query.kind in ("which", "list") and query.scope and not conditions:
        # "What is in the middle?" "I see a circle."
        placed = [c for noun in nouns for c in noun.of if isinstance(c, (In, Related))]
        conditions = query.scope if not placed else ()
    if nouns[0].head == "Q" and nouns[0].number:
        reader.settle(tuple(value_claims(nouns[0])))
        return read_value_list(reader, w, end)
    claim_existing(reader, nouns, denied, conditions)
    end = read_trailing(reader, w, end)
    return end


def read_trailing(reader: Reader, w: Words, end: int) -> int:
    """Read "visible", "in the top left" or ": a circle, ..." behind what is there."""
    while w.at(w.skip(end)).category in ("p",) or w.at(end).category == "i":
        end = w.skip(end) + 1
    if w.at(end).category in (":", "namely") or (
        w.at(end).category == "," and w.at(end + 1).category == "namely"
    ):
        return read_namely(reader, w, end + (2 if w.at(end).category == "," else 1))
    return end


def read_seeing(reader: Reader, w: Words, place: int) -> int:
    """Read "I can see ...", "you will not find ...", "can see ..."."""
    word = w.at(place)
    denied = False
    if word.category == "nobody" or word.text in ("someone", "somebody"):
        end, _, _kind, _ = verbs(w, place + 1)
        if w.at(end).category in ("paint", "see", "show", "p") or w.at(end).text in (
            "drew",
            "draws",
            "put",
            "placed",
        ):
            return max(
                read_existing_list(reader, w, end + 1, word.category == "nobody", ()), end + 1
            )
        return place
    if word.text in WHO or (
        word.category in ("see",) and word.text not in ("found", "note", "view", "count")
    ):
        start = place if word.text not in WHO else place + 1
        at = start
        while w.at(at).category in ("aux", "f", "maybe", "not", "h", "hedge") or w.at(at).text in (
            "able", "to", "unable", "have", "managed", "manage",
        ):  # fmt: skip
            denied = denied or w.at(at).category == "not"
            at += 1
        if w.at(at).category == "lack":
            denied, at = not denied, at + 1
        elif w.at(at).category == "see":
            at += 1
        elif (
            w.at(at - 1).category in ("aux", "not")
            and w.at(at).category in ("end", ",", "but")
            and word.text in ("i", "you", "we")
            and (reader.query is not None and reader.query.claims)
        ) or (w.at(at - 1).category == "h" and word.text in ("we", "you", "i") and at > start):
            pass
        else:
            return place
        if w.at(at).text in ("that", "how"):
            return at + 1
        if (
            w.at(at).category in ("end", ",", "but")
            and reader.query is not None
            and reader.query.claims
        ):
            reader.settle(
                reader.query.claims if not denied else (deny(reader.query.claims),), answer=True
            )
            return at
        return max(read_existing_list(reader, w, at, denied, ()), at)
    return place


def read_image(reader: Reader, w: Words, place: int) -> int:
    """Read "the image shows ...", "it contains ...", "shown are ..."."""
    read = noun_phrase(w, place)
    if read is not None and (
        read[0].head == "I" or (read[0].head == "pron" and not read[0].plural)
    ):
        noun, end = read
        claims = [Claim("background", value=value) for value in color_values(noun.of)]
        end, denied, kind, _ = verbs(w, end)
        if noun.head == "pron" and kind in ("show", "lack"):
            # "it features stripes" is said of a thing.
            probe = predicate(w, end, "have", False)
            if probe is not None and not probe[0].empty:
                return place
        if noun.head == "I" and kind == "be" and w.at(w.skip(end)).category in (
            "p", "show", "paint", "gone",
        ):  # fmt: skip
            kind = "lack" if w.at(w.skip(end)).category == "gone" else kind
            end = w.skip(end) + 1
        if noun.head == "I" and (kind == "have" or (kind == "be" and w.at(end).text == "of")):
            kind, end = "show", end + (w.at(end).text == "of")
            at = w.skip(end)
            if w.at(at).text in ("a", "the") and (aside := background_of(w, at)) is not None:
                reader.settle(tuple(aside[0]))
                return aside[1]
        if kind in ("show", "lack"):
            reader.settle(tuple(claims))
            return max(read_existing_list(reader, w, end, denied != (kind == "lack"), ()), end)
        if noun.head == "I":
            reader.settle(tuple(claims))
            if kind == "be" and not claims:
                inner = noun_phrase(w, end)
                if inner and inner[0].head in ("I", "B"):
                    reader.settle(
                        tuple(Claim("background", value=v) for v in color_values(inner[0].of))
                    )
                    return inner[1]
            if w.at(end).text == "of":
                return end + 1
            return max(end, place + 1)
    if w.at(place).category == "lack":
        return max(read_existing_list(reader, w, place + 1, True, ()), place + 1)
    if w.at(place).category == "p" or w.at(place).category == "show":
        end, denied, kind, _ = verbs(w, w.skip(place + 1))
        if kind and w.at(place).category == "p":
            return max(read_existing_list(reader, w, end, denied, ()), place + 1)
        end, denied, kind, _ = verbs(w, place + 1)
        return max(read_existing_list(reader, w, end, denied, ()), place + 1)
    return place


def background_of(w: Words, place: int) -> tuple[list[Claim], int] | None:
    """Read "a light blue background" or "a white picture" as said of the image."""
    read = noun_phrase(w, place)
    if read is None or read[0].head not in ("B", "I"):
        return None
    end = read[1]
    return [Claim("background", value=value) for value in color_values(read[0].of)], end


def read_namely(reader: Reader, w: Words, place: int) -> int:
    """Read the list behind "namely" or a colon: each has what was said of the group."""
    nouns, end = read_nouns(reader, w, place)
    if not nouns or verbs(w, w.skip(end))[2]:
        return place
    scope = reader.d.predicate
    if all(noun.quantifier == "the" and not noun.number for noun in nouns) and scope:
        for noun in nouns:
            reader.settle(tuple(subject_claims(reader, noun, scope)))
        return end
    group = reader.d.they
    extra: Description = ()
    if group is not None and not any(isinstance(c, AnyOf) for c in group.of):
        extra = tuple(c for c in group.of if isinstance(c, (Is, In)))
    if scope is not None and group is None:
        extra = (*extra, *scope)
    claims: list[Claim] = []
    for noun in nouns:
        if noun.head == "one" and noun.elided and (noun.number or noun.other) and group:
            own = tuple(c for c in noun.of if c not in group.of)
            claims += part_claims(reader, replace(noun, whose=group), own) if own else []
            continue
        taken = set(attributes(noun.of))
        of = (*noun.of, *(c for c in extra if not (isinstance(c, Is) and c.attribute in taken)))
        claims += existence_claims(reader, noun, of, False, [])
    reader.settle(tuple(claims))
    if all(n.head == "S" for n in nouns):
        reader.d.listed = [Referent("some", n.of) for n in nouns]
        reader.d.it = reader.d.listed[-1] if reader.d.it is None else reader.d.it
    return end


def read_value_list(reader: Reader, w: Words, end: int, of: Description = ()) -> int:
    """Read the colours behind "in three colours: red, blue and green"."""
    end = w.skip(end)
    while w.at(end).category == "p":
        end = w.skip(end + 1)
    if w.at(end).category not in (":", ",", "namely"):
        return end
    said = predicate(w, w.skip(end + 1), "be", False)
    values = listed_values(tuple(said[0].of)) if said is not None else None
    if said is None or values is None:
        single = [c for c in (said[0].of if said else []) if isinstance(c, Is)]
        if said is None or len(single) != 1:
            return end
        values = single[0]
    claims = [Claim("some", (*of, Is(values.attribute, (value,)))) for value in values.values]
    reader.settle((*claims, Claim("all", of, (values,))))
    return said[1]
