"""Questions that ask for a value, a number, a place or a thing."""

from __future__ import annotations

import re

from polite_flamingo.shapes.reading.claims import Description, Extreme
from polite_flamingo.shapes.reading.discourse import as_group
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.phrases import Noun, Words
from polite_flamingo.shapes.reading.places import where
from polite_flamingo.shapes.reading.predicates import predicate
from polite_flamingo.shapes.reading.query import Query
from polite_flamingo.shapes.reading.verbs import verbs


def read_bare(w: Words) -> Query | None:
    """Read "colour of the circle?", "position of the star"."""
    read = noun_phrase(w, 0)
    if read is not None and read[0].head == "Q":
        return _asked_quality(read[0])
    return None


def _asked_quality(noun: Noun) -> Query | None:
    owner = noun.owner or Noun("the", (), "g")
    if owner.head == "B":
        return Query("background", owner)
    if noun.attribute == "place":
        return Query("where", owner)
    return Query("attribute", owner, attribute=noun.attribute)


def read_how(w: Words, text: str) -> Query | None:
    place = 0
    many = re.search(r"\bhow many\b|\bnumber of\b|\bhow much\b|\bcount of\b", text)
    if many:
        while (
            place < w.size
            and w.at(place).category not in ("K",)
            and w.at(place).text not in ("many", "much")
        ):
            place += 1
        place += 1
        if w.at(place).text == "of":
            place += 1
        read = noun_phrase(w, place)
        if read is None:
            # "how many are there?", "how many of them"
            said = predicate(w, verbs(w, place)[0], "be", False)
            group = w.discourse.several()
            noun = Noun("all", as_group(group.of) if group else (), "g", True)
            scope = tuple(said[0].of) if said else ()
            return Query("count", noun, scope)
        noun, end = read
        noun.quantifier = "bare"
        return Query("count", noun, asked_scope(w, end))
    if w.at(1).category == "z" or w.at(1).text in ("big", "large", "small"):
        if (subject := _embedded(w, 2)) is not None:
            return Query("attribute", subject, attribute="size")
        end, _, _, _ = verbs(w, 2)
        read = noun_phrase(w, end)
        return Query("attribute", read[0], attribute="size") if read else None
    end, _, kind, _ = verbs(w, 1)
    read = noun_phrase(w, end) if kind else None
    return Query("look", read[0]) if read else None


def asked_scope(w: Words, place: int) -> Description:
    """What a question says of its noun: "... are red", "... do you see on the left"."""
    place = w.skip(place)
    while True:
        word = w.at(place)
        if word.text in ("do", "does", "can", "are", "is") and w.at(place + 1).text in (
            "you",
            "i",
            "we",
            "there",
            "one",
        ):
            place += 2
            while w.at(place).category in ("see", "aux", "f", "i", "p", "maybe"):
                place += 1
            continue
        break
    end, denied, kind, _ = verbs(w, place)
    said = predicate(w, end, kind or "be", denied)
    return tuple(said[0].of) if said else ()


def read_what(w: Words) -> Query | None:
    place = 0
    if w.at(0).text in ("in", "on", "at", "of", "to"):
        if w.at(0).text == "of":
            return None
        place = 1
        words = {word.text for word in w.words}
        if words & {"color", "colour", "colors"}:
            return read_what(Words(w.words[1:], w.discourse))
        return _where_tail(w, place + 1)
    word, after = w.at(place), w.at(place + 1)
    if word.text in ("name", "identify", "list", "describe"):
        read = noun_phrase(w, 1)
        if read is not None and read[0].head == "Q":
            return _asked_quality(read[0])
        if read is not None and read[0].head in ("S", "g"):
            return Query("list" if read[0].plural else "attribute", read[0], attribute="shape")
        return None
    if after.category == "p" and after.text.startswith("part"):
        return _where_tail(w, place + 2)
    if (
        after.category == "Q"
        and w.at(place + 2).category == "aux"
        and w.at(place + 3).text in ("on", "in")
    ):
        on = noun_phrase(w, place + 4)
        if on is not None and on[0].head in ("S", "g", "pron", "one"):
            return Query("attribute", on[0], attribute=after.value)
    # "what colour is the star", "which pattern does it have"
    if after.category == "Q" or (after.text in ("shape", "shapes") and _asks_of(w, place + 2)):
        attribute = after.value if after.category == "Q" else "shape"
        if w.at(place + 2).text == "of":
            return None
        listing = w.at(w.skip(place + 3))
        if after.category == "Q" and (
            listing.text in ("there", "you", "we", "i") or listing.category in ("p", "see", "end")
        ):
            # "What colours are there?"
            return Query("values", attribute=attribute)
        end, _, kind, _ = verbs(w, place + 2)
        read = noun_phrase(w, end)
        if read is None:
            return None
        if read[0].head == "B":
            return Query("background", read[0])
        if attribute == "place":
            return Query("where", read[0])
        if read[0].head == "I":
            return None
        return Query("attribute", read[0], attribute=attribute)
    quality = after.category == "Q" or after.text in ("shape", "shapes")
    if (subject := _embedded(w, place + 1 + quality)) is not None:
        attribute = (after.value if after.category == "Q" else "shape") if quality else "shape"
        if subject.head == "B":
            return Query("background", subject)
        if attribute == "place":
            return Query("where", subject)
        if quality or subject.quantifier == "the":
            return Query("attribute", subject, attribute=attribute)
    if (
        word.text == "which"
        or after.category in ("S", "g", *("C", "z", "x", "y", "#"))
        or after.text in ("one", "ones")
    ):
        if after.category in ("part", "G1"):
            return _where_tail(w, 1)
        if after.text == "of":
            read = noun_phrase(w, place + 2)
            if read is not None:
                read[0].plural = False
        else:
            read = noun_phrase(w, place + 1)
        if read is not None and read[0].head in ("S", "g", "one"):
            noun, end = read
            noun.quantifier = "the"
            # "Which of the circles is larger?": than the other circles.
            scope = tuple(
                Extreme(c.side, noun.of) if isinstance(c, Extreme) and not c.base else c
                for c in asked_scope(w, end)
            )
            nouns = _alternatives(w, end)
            plural = noun.plural
            query = Query(
                "which", Noun("the", noun.of, noun.head, plural), scope, nouns=tuple(nouns)
            )
            if nouns:
                return Query("which", query.noun, (), nouns=tuple(nouns))
            return query
    if after.category == "part" or after.category == "G1":
        return _where_tail(w, 1)
    end, denied, kind, _ = verbs(w, place + 1)
    if not kind and after.category in ("R", "G1"):
        end, kind = place + 1, "be"
    if not kind:
        return None
    at = w.skip(end)
    if w.at(at).text in ("there", "you", "we", "i") or w.at(at).category in (
        "see",
        "end",
        "p",
        "show",
    ):
        rest = asked_scope(w, end if w.at(at).text != "there" else end + 1)
        scope = tuple(c for c in rest)
        for k in range(at, w.size):
            if (read_place := where(w, k)) is not None:
                scope = tuple(read_place[0])
                break
        return Query("list", Noun("bare", (), "g", True), scope)
    read = noun_phrase(w, end)
    if read is not None:
        noun, after_noun = read
        if noun.head == "Q":
            if noun.alike:
                return None
            return _asked_quality(noun)
        if noun.head == "I":
            return Query("list", Noun("bare", (), "g", True))
        if noun.head == "B":
            return Query("background", noun)
        if kind == "do" or (w.at(after_noun).category == "k" and "look" in w.at(after_noun).text):
            return Query("look", noun)
        if noun.head in ("S", "g", "pron", "one"):
            return Query("attribute", noun, attribute="shape")
    # "what is below the circle?"
    said = predicate(w, end, kind, denied)
    if said is not None and (said[0].of or said[0].exists):
        nouns = _alternatives(w, 0)
        if nouns:
            return Query("which", Noun("the", (), "g"), (), nouns=tuple(nouns))
        return Query("which", Noun("the", (), "g"), tuple(said[0].of))
    return None


def _asks_of(w: Words, place: int) -> bool:
    """Tell "what shape is the blue thing" from "which shape is blue"."""
    end, _, kind, _ = verbs(w, place)
    if not kind:
        return False
    read = noun_phrase(w, end)
    return (
        read is not None
        and read[0].head in ("S", "g", "pron", "one")
        and (read[0].quantifier in ("the", "all", "both") or read[0].head == "pron")
        and w.at(end).text not in ("there", "you")
        and bool(not _is_superlative(w, end))
    )


def _is_superlative(w: Words, place: int) -> bool:
    return any(w.at(k).category == "sup" for k in (place, place + 1)) and w.at(
        place + 2
    ).category in ("end",)


def _alternatives(w: Words, place: int) -> list[Noun]:
    """Read "..., the circle or the square?"."""
    for index in range(place, w.size):
        if w.at(index).category == "," or w.at(index).category == ":":
            first = noun_phrase(w, index + 1)
            if first is not None and w.at(first[1]).category == "or":
                second = noun_phrase(w, first[1] + 1)
                if second is not None:
                    return [first[0], second[0]]
    return []


def read_where(w: Words) -> Query | None:
    return _where_tail(w, 1)


def _embedded(w: Words, place: int) -> Noun | None:
    """The subject of "(tell me) where the star is"."""
    read = noun_phrase(w, place)
    if read is None or read[0].head not in ("S", "g", "pron", "one", "B"):
        return None
    end, _, kind, _ = verbs(w, read[1])
    return read[0] if kind and w.at(w.skip(end)).category in ("end", ",") else None


def _where_tail(w: Words, place: int) -> Query | None:
    if (subject := _embedded(w, place)) is not None:
        return Query("where", subject)
    while place < w.size:
        end, _, kind, _ = verbs(w, place)
        if kind:
            if w.at(end).text in ("you", "i", "we", "one"):
                end += 1
                while w.at(end).category in ("see", "aux"):
                    end += 1
            read = noun_phrase(w, end)
            if read is not None:
                return Query("where", read[0])
        place += 1
    return None
