"""Clauses without a verb: "red", "two circles", "a star, small and green"."""

from __future__ import annotations

from dataclasses import replace

from polite_flamingo.shapes.reading.answering import answer_nouns, echoes
from polite_flamingo.shapes.reading.claims import Claim, Description, In, Is, Related
from polite_flamingo.shapes.reading.discourse import Referent
from polite_flamingo.shapes.reading.existence import claim_existing
from polite_flamingo.shapes.reading.listing import read_trailing
from polite_flamingo.shapes.reading.noun_lists import read_nouns
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.numbers import read_versus
from polite_flamingo.shapes.reading.phrases import ATTRIBUTE_OF, Noun, Words
from polite_flamingo.shapes.reading.places import PREPOSITIONS, background, relation, where
from polite_flamingo.shapes.reading.predicates import Predicate, predicate
from polite_flamingo.shapes.reading.predication import say_quality
from polite_flamingo.shapes.reading.query import Query
from polite_flamingo.shapes.reading.reader import Reader, color_values
from polite_flamingo.shapes.reading.saying import note_mention, note_subject, say
from polite_flamingo.shapes.reading.verbs import verbs
from polite_flamingo.shapes.reading.words import Word


def read_fragment(reader: Reader, w: Words, place: int) -> int:
    """Read words without a verb: "red", "two circles", "top left", "a star"."""
    if place and w.at(place - 1).category not in (
        ",", ":", "Y", "X", "no", "&", "but", "f", "hedge", "i", "namely", "negframe", "or", "C", "S", "x", "z",
        "G1", "part", "that", "B", "I", "maybe",
    ):  # fmt: skip
        return place
    if (
        w.at(place).text in ("with", "of")
        and place
        and w.at(place - 1).category in ("I", "B", "C")
        and (with_nouns := read_nouns(reader, w, place + 1))[0]
    ) and (with_nouns[0][0].head in ("S", "g")):
        # "a white background with two circles"
        claim_existing(reader, with_nouns[0], False, ())
        return read_trailing(reader, w, with_nouns[1])
    same = (
        relation(w, place) if w.at(place).text == "the" or w.at(place).category == "alike" else None
    )
    if same is not None and w.at(w.skip(same[1])).category in ("end", ",", "but"):
        # "The same colour as the square."
        return read_said(reader, w, (Predicate(of=same[0], empty=False), same[1]), place)
    nouns, end = read_nouns(reader, w, place)
    if nouns and nouns[0].head == "Q" and not nouns[0].of and nouns[0].number == "":
        return read_topic(reader, w, nouns[0], end)
    if nouns and nouns[0].head != "Q":
        return read_noun_fragment(reader, w, place, nouns, end)
    word = w.at(place)
    if word.category == "than not":
        said = predicate(w, place + 1, "be", True)
        return read_said(reader, w, said, place)
    if word.category in (
        *ATTRIBUTE_OF,
        "not",
        "G1",
        "G2",
        "R",
        "R!",
        "cmp",
        "sup",
        "alike",
        "h",
        "p",
        "gone",
        "#",
    ) or (
        word.text in PREPOSITIONS
        or word.text
        in (
            "in",
            "on",
            "at",
            "to",
            "the",
            "a",
            "with",
            "without",
            "near",
            "toward",
            "towards",
            "neither",
            "both",
            "as",
            "no",
            "close to",
            "of",
        )
    ):
        if word.category == "h" or word.text in ("with", "no", "has") or word.text == "without":
            start = place + (word.category == "h")
            said = predicate(w, start + (word.text == "without"), "have", word.text == "without")
        else:
            said = predicate(w, place, "be", False)
        return read_said(reader, w, said, place)
    if (found := background(w, place)) is not None:
        reader.settle(tuple(found[0]))
        return found[1]
    return place


def read_topic(reader: Reader, w: Words, noun: Noun, end: int) -> int:
    """Read "Its pattern? Dots." and "colour: red"."""
    if w.at(end).category in (":", ",", "end"):
        if noun.owner is not None and noun.owner.head != "pron":
            note_mention(reader, [noun.owner])
        said = predicate(w, end + 1, "be", False) if end < w.size else None
        if said is not None and not said[0].empty and w.at(end).category == ":":
            return say_quality(reader, w, noun, end + 1, False)
        return end
    return 0


def read_said(reader: Reader, w: Words, said: tuple[Predicate, int] | None, place: int) -> int:
    """Take adjectives, places and relations without a verb as said of the topic."""
    if said is None or said[0].empty:
        return place
    pred, end = said
    query = reader.query
    if verbs(w, w.skip(end))[2] and w.at(w.skip(end)).category != "h":
        return place
    if query is not None and not reader.claims and not (pred.exists is not None and not pred.of):
        noun = query.topic()
        if query.kind == "values":
            reader.settle(
                tuple(Claim("some", (), (c,)) for c in pred.of) if not pred.unsure else ()
            )
            return end
        if query.kind == "background" or (query.noun is not None and query.noun.head == "B"):
            reader.settle(tuple(Claim("background", value=v) for v in color_values(tuple(pred.of))))
            return end
        if noun is not None:
            if query.kind == "which" and query.scope:
                if pred.of and not pred.unsure:
                    reader.settle((Claim("the", (*query.noun.of, *query.scope), tuple(pred.of)),))  # type: ignore[union-attr]
                return end
            if pred.number:
                reader.settle((Claim("num", (*noun.of, *query.scope), number=pred.number),))
                return end
            note_subject(reader, [noun])
            say(reader, [noun], pred, "be")
            return end
    referent = reader.d.it or reader.d.they or reader.d.asked
    if referent is None:
        if pred.of and not pred.unsure and not at_start(w, place):
            return end
        if pred.of and not pred.unsure:
            say(reader, [Noun("the", (), "pron", whose=None)], pred, "be")
        return end
    last = reader.d.subject or referent
    quantifier = {"some": "a", "all": "all", "the": "the"}[last.quantifier]
    noun = Noun(quantifier, last.of, "pron", plural=last.quantifier == "all", whose=last)
    say(reader, [noun], pred, "be")
    return end


def at_start(w: Words, place: int) -> bool:
    """Tell whether only fillers stand before."""
    return all(w.at(k).category in ("f", "hedge", "i", ",") for k in range(place))


def read_noun_fragment(reader: Reader, w: Words, place: int, nouns: list[Noun], end: int) -> int:
    """Read noun phrases without a verb: an answer, a topic, or things that are there."""
    query, first = reader.query, nouns[0]
    at = w.skip(end)
    mark = w.at(at)
    if mark.category in ("aux", "k", "h", "see", "maybe", "show"):
        return place
    if (mark.category == "o" and mark.text not in ("of", "on", "as")) and (
        not (
            first.head in ("S", "g")
            and first.quantifier in ("num", "a", "bare")
            and mark.text == "there"
        )
    ):
        # "circles are often ..." and the like claim nothing of this picture.
        return place
    if first.head == "B":
        reader.settle(
            tuple(Claim("background", value=v) for n in nouns for v in color_values(n.of))
        )
        return end
    if first.head == "I":
        return end
    if first.head == "pron":
        if first.quantifier in ("both", "all") and query is not None:
            return answer_nouns(reader, nouns, end)
        if mark.category in (",", "but") or mark.category == "end":
            return end
    if mark.text in ("versus", "vs", "against", "to", "than") or mark.category == "than":
        return read_versus(reader, w, nouns, at)
    # "the other blue", "circle, teal, striped", "a star: red"
    counted = first.elided and first.number and mark.category == ":"
    if not counted and (
        first.head == "one" or first.quantifier == "the" or mark.category in (",", ":", "&")
    ):
        ahead = at + 1 if mark.category in (",", ":") else at
        if len(nouns) == 1 or mark.category in ATTRIBUTE_OF or mark.category in ("G1", "in"):
            said = predicate(w, w.skip(ahead), "be", False)
            if (
                said is not None
                and said[0].of
                and not said[0].unsure
                and not verbs(w, w.skip(said[1]))[2]
            ) and (
                noun_phrase(w, w.skip(ahead)) is None
                or w.at(w.skip(ahead)).category
                not in (
                    "S",
                    "g",
                    "#",
                )
            ):
                probe = noun_phrase(w, w.skip(ahead))
                if probe is None or probe[1] < said[1]:
                    return apposed(reader, w, nouns, said, mark, query)
    if first.head == "one" and first.elided and (first.other or reader.d.picks):
        group = first.whose or reader.d.several()
        if group is None and reader.d.picked_from is not None:
            group = Referent("all", reader.d.picked_from)
        own = tuple(c for c in first.of if isinstance(c, (In, Related)))
        if own and group is not None and len(nouns) == 1:
            # "One is in the middle, the other on the left."
            rest = tuple(c for c in first.of if c not in own)
            say(reader, [replace(first, of=rest)], Predicate(of=list(own), empty=False), "be")
            return end
    if query is not None and not echoes(reader, query):
        done = answer_nouns(reader, nouns, end)
        if done:
            return read_trailing(reader, w, end)
    definite = all(n.quantifier == "the" and not n.number for n in nouns)
    if definite and len(nouns) == 1 and mark.category in ("end", ","):
        # A topic: "The square? Brown."
        note_mention(reader, nouns)
        return end
    if first.head == "pron" or (first.elided and not first.of and not first.number):
        return end
    nouns[0].of, end = appended(w, end, nouns)
    claim_existing(reader, nouns, False, ())
    return read_trailing(reader, w, end)


def appended(w: Words, end: int, nouns: list[Noun]) -> tuple[Description, int]:
    """Add "circle, teal, striped" up to one description."""
    of = nouns[0].of
    if len(nouns) != 1:
        return of, end
    while w.at(w.skip(end)).category == ",":
        ahead = w.skip(w.skip(end) + 1)
        if w.at(ahead).category not in ATTRIBUTE_OF and where(w, ahead) is None:
            break
        if noun_phrase(w, ahead) is not None:
            break
        said = predicate(w, ahead, "be", False)
        if said is None or not said[0].of or said[0].unsure or verbs(w, w.skip(said[1]))[2]:
            break
        of = (*of, *said[0].of)
        end = said[1]
    return of, end


def apposed(
    reader: Reader,
    w: Words,
    nouns: list[Noun],
    said: tuple[Predicate, int],
    mark: Word,
    query: Query | None,
) -> int:
    """Read what stands beside a noun: "the other blue", "a circle, teal and striped"."""
    pred, end = said
    noun = nouns[-1]
    if noun.head in ("S", "g") and noun.quantifier in ("a", "bare", "num") and mark.category != ":":
        for other in nouns[:-1]:
            claim_existing(reader, [other], False, ())
        noun.of = (*noun.of, *pred.of)
        if (
            query is not None
            and query.kind in ("which", "list", "attribute")
            and answer_nouns(reader, [noun], end)
        ):
            return end
        claim_existing(reader, [noun], False, ())
        return end
    if noun.quantifier == "bare":
        noun.quantifier = "the"
    if len(nouns) > 1 and noun.head == "one":
        # "one red, the other blue": the earlier ones were picked as well.
        for other in nouns[:-1]:
            own = tuple(c for c in other.of if isinstance(c, Is) and c.attribute != "shape")
            say(
                reader, [replace(other, of=())], Predicate(of=list(own), empty=False), "be"
            ) if own else None
    note_subject(reader, [noun])
    say(reader, [noun], pred, "be")
    return end
