"""Clauses: from the words of a sentence to claims, with the discourse kept along the way."""

from __future__ import annotations

from polite_flamingo.shapes.reading.answering import read_choice, read_yes_or_no
from polite_flamingo.shapes.reading.claims import Claim, Is, Not
from polite_flamingo.shapes.reading.discourse import Referent, as_group
from polite_flamingo.shapes.reading.fragments import read_fragment
from polite_flamingo.shapes.reading.fronting import read_fronted, read_on_surface, read_what_stands
from polite_flamingo.shapes.reading.listing import (
    WHO,
    read_existential,
    read_existing_list,
    read_image,
    read_namely,
    read_seeing,
    sees,
)
from polite_flamingo.shapes.reading.noun_lists import read_nouns
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.numbers import read_comparing, read_number_of
from polite_flamingo.shapes.reading.phrases import ATTRIBUTE_OF, Noun, Words, final
from polite_flamingo.shapes.reading.places import where
from polite_flamingo.shapes.reading.predicates import Predicate, predicate
from polite_flamingo.shapes.reading.predication import read_subject
from polite_flamingo.shapes.reading.reader import Reader
from polite_flamingo.shapes.reading.saying import note_mention, note_subject, say
from polite_flamingo.shapes.reading.verbs import verbs
from polite_flamingo.shapes.reading.words import Word


def read_sentence(reader: Reader, words: list[Word]) -> None:
    """Read the claims of one sentence."""
    reader.flip = False
    w = Words(words, reader.d)
    reader.words = words
    place = 0
    while place < w.size:
        before = place
        place = read_clause(reader, w, place)
        if place <= before:
            place = next_anchor(reader, w, before)


def read_inverted(reader: Reader, w: Words, place: int) -> int:
    """Read "(not only) is the star green"; 0 if not so."""
    if w.at(place + 1).text == "there":
        return place + 1
    w.unmodified = True
    read = noun_phrase(w, place + 1)
    w.unmodified = False
    if read is None or read[0].head not in ("S", "g", "pron", "one"):
        return 0
    said = predicate(w, read[1], "be", False)
    if said is None or said[0].empty:
        return 0
    say(reader, [read[0]], said[0], "be")
    return said[1]


def next_anchor(reader: Reader, w: Words, place: int) -> int:
    """Go on behind words that say nothing: to the next comma or the next clear clause."""
    place += 1
    while place < w.size:
        word, after = w.at(place), w.at(place + 1)
        if word.category in (",", "but", ":"):
            return place
        if word.text in ("there",) and after.category in ("aux", "k", "maybe"):
            return place
        if word.text in WHO and after.category in ("see", "aux", "maybe") and sees(w, place):
            return place
        if (
            word.text in ("the", "it", "they", "all", "both", "each", "every", "its")
            or word.category == "no"
        ):
            read = noun_phrase(w, place)
            if read is not None and verbs(w, read[1])[2]:
                return place
        place += 1
    return place


def read_clause(reader: Reader, w: Words, place: int) -> int:
    """Read one clause and return where it ends; the same place if nothing was understood."""
    place = w.skip(place)
    word = w.at(place)
    category, text = word.category, word.text
    if category in (",", ":", "&", "or", "nor") or text in ("that", "and"):
        framed = w.at(place - 1).category in ("f", "hedge", "aux") and place > 0
        if framed or not (
            text == "that" and w.at(place + 1).category in ("aux", "S", "g", "k", "C")
        ):
            return place + 1
    if category == "but":
        reader.flip = False
        return place + 1
    if category == "negframe":
        reader.flip = not reader.flip
        return place + 1
    if (
        text == "right"
        and reader.query is not None
        and reader.query.kind == "yes"
        and w.at(place + 1).category in ("end", ",")
    ):
        return read_yes_or_no(reader, w, place)
    if category == "maybe":
        return place + 1
    before = place - 1
    while w.at(before).category == "i":
        before -= 1
    if category in ("aux", "k") and w.at(before).text.startswith("what "):
        # "What you see is a star."
        seen = verbs(w, place)
        return max(read_existing_list(reader, w, seen[0], seen[1], ()), place + 1)
    if category in ("Y", "X") or (category == "no" and set_off(w, place)):
        return read_yes_or_no(reader, w, place)
    if category == "namely":
        return read_namely(reader, w, place + 1)
    if (
        category == "than"
        and text not in ("against", "vs", "versus", "than")
        and (other := noun_phrase(w, place + 1))
        and w.at(w.skip(other[1])).category == ","
    ):
        # "Compared with the square, the star is smaller."
        reader.d.against = Referent(other[0].quantifier, final(other[0]))
        return other[1]
    if (
        category in ("like", "unlike")
        and (other := noun_phrase(w, place + 1))
        and (
            w.at(w.skip(other[1])).category == ","
            and w.at(w.skip(w.skip(other[1]) + 1)).category not in ("end", "&")
            and word.text
            in (
                "like",
                "just like",
                "unlike",
                "in contrast to",
                "contrary to",
                "as opposed to the",
                "unlike also",
            )
        )
    ):
        reader.contrast = [(other[0], category == "like")]
        return other[1]
    if category == "gone" and (standing := verbs(w, w.skip(place + 1)))[2]:
        # "Missing from the picture are crosses."
        return max(read_existing_list(reader, w, standing[0], True, ()), place + 1)
    if (
        category == "not"
        and w.at(place + 1).category == "only"
        and w.at(place + 2).category == "aux"
    ):
        return read_inverted(reader, w, place + 2) or place + 2
    if category == "aux" and place <= 1 and (inverted := read_inverted(reader, w, place)):
        return inverted
    if category == "call":
        return read_calling(reader, w, place)
    if (
        text == "the"
        and w.at(place + 1).text in ("position", "place", "spot", "space", "area", "location")
        and (told := read_what_stands(reader, w, place + 1))
    ):
        return told
    if text == "what" and (told := read_what_stands(reader, w, place)):
        return told
    if text == "the" and (holder := where(w, place, bare=True)) is not None:
        end, denied, kind, _ = verbs(w, w.skip(holder[1]))
        held = w.skip(end)
        if (
            kind == "be"
            and w.at(held).text
            in (
                "occupied",
                "taken",
                "filled",
                "home",
                "covered",
                "inhabited",
            )
        ) and (w.at(held + 1).text in ("by", "to", "with")):
            # "the centre is occupied by a square"
            return read_existing_list(reader, w, held + 2, denied, tuple(holder[0]))
        if kind == "be" and w.at(w.skip(end)).category == "empty":
            reader.settle((Claim("some", tuple(holder[0]), holds=denied),))
            return w.skip(end) + 1
        if kind in ("show", "have", "lack") and noun_phrase(w, end) is not None:
            # "the top left holds a star"
            return read_existing_list(reader, w, end, denied != (kind == "lack"), tuple(holder[0]))
    if text == "on" and (surface := read_on_surface(reader, w, place)):
        return surface
    if text == "as" and w.at(place - 1).category in (",", "f") and w.at(place + 2).text != "as":
        return place + 1
    if (
        text == "speaking of"
        or (text in ("speaking", "regarding", "concerning", "as for"))
        or (category == "topic")
    ):
        named = noun_phrase(w, place + 1)
        if named is not None and w.at(w.skip(named[1])).category in (",", ":"):
            note_mention(reader, [named[0]])
            return named[1]
    if (
        text == "for"
        and (topic := noun_phrase(w, place + 1))
        and w.at(w.skip(topic[1])).category == ","
    ):
        note_mention(reader, [topic[0]])
        return topic[1]
    if (
        category in ATTRIBUTE_OF
        and w.at(place + 1).text in ("is", "would")
        and (named := noun_phrase(w, verbs(w, place + 1)[0]))
    ) and named[0].head == "Q":
        said = Predicate(of=[Is(ATTRIBUTE_OF[category], (word.value,))], empty=False)
        owner = named[0].owner or Noun("the", (), "pron")
        say(reader, [owner], said, "be")
        return named[1]
    if category == "ord" or (text == "the" and w.at(place + 1).category == "ord"):
        chosen = read_choice(reader, w, place + (text == "the"))
        if chosen:
            return chosen
    for read in (
        read_existential, read_seeing, read_comparing, read_number_of, read_likeness,
        read_image, read_fronted, read_subject, read_fragment,
    ):  # fmt: skip
        end = read(reader, w, place)
        if end > place:
            return end
    return place


def set_off(w: Words, place: int) -> bool:
    """Tell the answer "no" from the determiner."""
    after = w.at(place + 1)
    return after.category in ("end", ",", ":", "but", "hedge", "Y", "X", "&") or (
        after.text
        in (
            "there",
            "it",
            "i",
            "they",
            "the",
            "this",
            "its",
            "both",
            "that",
            "we",
            "you",
            "neither",
        )
    )


def read_likeness(reader: Reader, w: Words, place: int) -> int:
    """Read "so is the star", "just like the circle", "neither is the square"."""
    word = w.at(place)
    if word.category not in ("like", "unlike"):
        return place
    if word.text.startswith("neither") and w.at(w.skip(place + 1)).category in ("end", ",", "but"):
        # "Are they striped?" "Neither is."
        group = reader.d.several() or reader.d.asked
        query = reader.query
        scope = reader.d.predicate or (query.scope if query is not None else ())
        if group is not None and scope:
            reader.settle((Claim("both", as_group(group.of), (Not(scope),)),))
        return place + 1
    named, end = read_nouns(reader, w, place + 1)
    said = reader.d.predicate
    if not named or said is None:
        return place
    if word.category == "unlike":
        # "unlike the star, the square is red" and "neither is the star" after a denial.
        if word.text.startswith(("neither", "nor")):
            of = said if said and isinstance(said[0], Not) else (Not(said),)
        else:
            of = (Not(said),)
    else:
        of = said
    say(reader, named, Predicate(of=list(of), empty=False), "")
    return end


def read_calling(reader: Reader, w: Words, place: int) -> int:
    """Read "I would call the star small", "you could describe it as a circle"."""
    w.unmodified = True
    read = noun_phrase(w, place + 1)
    w.unmodified = False
    if read is None:
        return place + 1
    noun, end = read
    end = w.skip(end)
    if noun.head == "Q" and noun.owner is not None:
        noun = noun.owner
    note_subject(reader, [noun])
    said = predicate(w, end, "be", w.at(place).value == "not")
    if said is None or said[0].empty:
        return end
    say(reader, [noun], said[0], "be")
    return said[1]
