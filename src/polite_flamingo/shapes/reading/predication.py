"""Clauses of subject and verb: "the star is green", "its colour is red", "both are"."""

from __future__ import annotations

from dataclasses import replace

from polite_flamingo.shapes.reading.claims import (
    AnyOf,
    Claim,
    Condition,
    Description,
    Is,
    Not,
    deny,
)
from polite_flamingo.shapes.reading.existence import claim_existing, existence_claims, value_claims
from polite_flamingo.shapes.reading.listing import (
    background_of,
    read_existing_list,
    read_namely,
    read_value_list,
)
from polite_flamingo.shapes.reading.noun_lists import read_nouns
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.numbers import read_outnumber, read_sum
from polite_flamingo.shapes.reading.phrases import ATTRIBUTE_OF, Noun, Words, final
from polite_flamingo.shapes.reading.places import relation, where
from polite_flamingo.shapes.reading.predicates import Predicate, predicate
from polite_flamingo.shapes.reading.reader import Reader, color_values
from polite_flamingo.shapes.reading.saying import note_mention, note_subject, say
from polite_flamingo.shapes.reading.verbs import verbs

_ANATOMY = {
    "sides", "side", "points", "corners", "angles", "edges", "vertices", "arms", "legs", "tips", "lines",
}  # fmt: skip
_MADE = (
    "placed",
    "located",
    "positioned",
    "drawn",
    "painted",
    "set",
    "situated",
    "rendered",
    "made",
    "stands",
    "stand",
    "exists",
    "exist",
)


_SUMS = (
    "make",
    "makes",
    "total",
    "totals",
    "add up to",
    "adds up to",
    "amount to",
    "come to",
    "number",
)


def read_subject(reader: Reader, w: Words, place: int) -> int:
    """Read a clause that opens with its subject; the same place if it does not."""
    nouns, end = read_nouns(reader, w, place)
    if not nouns:
        return place
    at = w.skip(end)
    if w.at(at).category == "," and len(nouns) == 1 and verbs(w, w.skip(at + 1))[2] == "":
        pass
    elif w.at(at).category == "," and len(nouns) > 1 and verbs(w, at + 1)[2]:
        # "The largest shape, a blue rectangle, is ...": an apposition.
        if (
            nouns[0].quantifier == "the"
            and nouns[-1].quantifier in ("a", "the")
            and len(nouns) == 2
        ):
            say(reader, nouns[:1], Predicate(of=list(nouns[1].of), empty=False), "")
            nouns = nouns[:1]
        at += 1
    if w.at(at).category == "outnumber":
        return read_outnumber(reader, w, nouns, at, False) or place
    if w.at(at).text in ("come", "comes", "came") and w.at(at + 1).text in ("in", "out"):
        return read_come_in(reader, w, nouns, at + 2)
    if w.at(at).category == "see":
        return place
    if w.at(at).text in (
        "make",
        "makes",
        "have",
        "has",
        "show",
        "use",
        "feature",
        "display",
    ) and (
        (shown := noun_phrase(w, at + 1)) is not None and shown[0].head == "Q" and shown[0].number
    ):
        return read_come_in(reader, w, nouns, at + 1)
    summed = w.skip(at + 1)
    if (
        w.at(at).text in _SUMS
        and w.at(summed).category == "#"
        and (
            w.at(w.skip(summed + 1)).category in ("end", ",", "but")
            or (nouns[0].head == "pron" and w.skip(summed + 1) > summed + 1)
        )
    ):
        return read_sum(reader, w, nouns[0], w.skip(at + 1))
    end, denied, kind, floating = verbs(w, at)
    if kind == "be" and nouns[0].head == "pron" and (aside := background_of(w, end)):
        reader.settle(tuple(aside[0]))
        return aside[1]
    if not kind:
        if (
            w.at(at).category == "alike"
            and len(nouns) + nouns[0].plural > 1
            and w.at(at).text.startswith(("differ", "match", "share", "agree"))
        ) or w.at(at).category in ("gone", "p"):
            end, kind = at, "be"
        elif (
            w.at(at).category == ":"
            and nouns[0].head in ("S", "g", "one", "pron", "Q")
            and len(nouns) == 1
        ):
            if nouns[0].number:
                return place
            if nouns[0].head == "Q":
                return say_quality(reader, w, nouns[0], at + 1, False)
            behind = w.skip(at + 1)
            if w.at(behind).category == "no" or w.at(behind).text == "none":
                reader.settle((Claim("some", final(nouns[0]), holds=False),))
                return behind + 1
            dealt = noun_phrase(w, behind)
            if (
                nouns[0].plural
                and dealt is not None
                and dealt[0].elided
                and (dealt[0].number or dealt[0].other)
                and (
                    any(not isinstance(c, Is) for c in dealt[0].of)
                    or w.at(w.skip(dealt[1])).category not in ("end", ",")
                )
            ):
                # "The circles: one at the top, one at the bottom."
                note_mention(reader, nouns)
                done = read_namely(reader, w, behind)
                if done > behind:
                    return done
            if nouns[0].head == "g" and nouns[0].plural and noun_phrase(w, behind) is not None:
                return at + 1
            if w.at(at + 1).category == "#" and nouns[0].plural:
                reader.settle((Claim("num", nouns[0].of, number=w.at(at + 1).value),))
                return at + 2
            if noun_phrase(w, at + 1) is not None and predicate(w, at + 1, "be", False)[0].empty:  # type: ignore[index]
                return place
            end, kind = at + 1, "be"
            if nouns[0].quantifier == "bare":
                nouns[0].quantifier = "the"
        else:
            return place
    if w.at(end).category == "outnumber":
        return read_outnumber(reader, w, nouns, end, denied) or place
    return say_after(reader, w, nouns, end, denied, kind, floating) or place


def read_come_in(reader: Reader, w: Words, nouns: list[Noun], at: int) -> int:
    """Read "they come in red and blue", "the stars come in two sizes"."""
    read = noun_phrase(w, at)
    if read is not None and read[0].head == "Q":
        note_subject(reader, nouns)
        if w.at(w.skip(read[1])).category in (":", ",", "p"):
            reader.settle(tuple(value_claims(read[0], final(nouns[0]))))
            return read_value_list(reader, w, read[1], final(nouns[0]))
        if read[0].alike:
            return say_after(reader, w, nouns, at, False, "have", "")
        reader.settle(tuple(value_claims(read[0], final(nouns[0]))))
        return read[1]
    said = predicate(w, at, "be", False)
    values = [c for c in (said[0].of if said else []) if isinstance(c, Is)]
    if said is None or not values:
        return at
    of = final(nouns[0])
    attribute = values[0].attribute
    names = tuple(v for c in values if c.attribute == attribute for v in c.values)
    claims = [Claim("some", (*of, Is(attribute, (name,)))) for name in names]
    reader.settle((*claims, Claim("all", of, (Is(attribute, names),))))
    return said[1]


def say_after(
    reader: Reader, w: Words, nouns: list[Noun], end: int, denied: bool, kind: str, floating: str
) -> int:
    """Read the predicate of a subject; 0 if it is none."""
    first = nouns[0]
    if first.head == "Q":
        return say_quality(reader, w, first, end, denied)
    if first.head == "B":
        return say_background(reader, w, first, end, denied)
    if first.head == "I":
        return 0
    if (
        (
            kind == "be"
            and (named := noun_phrase(w, end))
            and named[0].head == "Q"
            and named[0].owner
        )
        and named[0].owner.head in ("S", "g", "one", "pron")
        and first.head in ("S", "g")
    ):
        of = [c for c in first.of if isinstance(c, Is) and c.attribute == named[0].attribute]
        if of:
            say(
                reader,
                [named[0].owner],
                Predicate(of=[Not(tuple(of))] if denied else [*of], empty=False),
                "be",
            )
            return named[1]
    query = reader.query
    asked = query.noun if query is not None else None
    if first.head == "pron" and not first.plural and asked is not None and asked.head == "B":
        return say_background(reader, w, asked, end, denied)
    if kind == "have" and w.at(end).category == "#" and w.at(end + 1).text in _ANATOMY:
        # "A triangle has three sides."
        return end + 2
    if kind == "be" and first.head == "pron" and not first.plural and not denied:
        w.unmodified = True
        cleft = noun_phrase(w, end)
        w.unmodified = False
        if cleft is not None and cleft[0].quantifier == "the" and w.at(cleft[1]).category == "that":
            # "It is the star that is green."
            after, denied, kind, floating = verbs(w, cleft[1] + 1)
            if kind:
                return say_after(reader, w, [cleft[0]], after, denied, kind, floating)
    if w.at(w.skip(end)).category == "equal number" and len(nouns) == 2:
        claim = Claim(
            "compare", final(nouns[0]), value="same", other=final(nouns[1]), holds=not denied
        )
        reader.settle((claim,))
        return w.skip(end) + 1
    if (
        kind == "have"
        and w.at(w.skip(end)).text in ("none", "any", "some", "one")
        and (w.at(w.skip(w.skip(end) + 1)).category in ("end", ",", "but"))
    ):
        # "Does it have a pattern?" "It has none."
        there = (w.at(w.skip(end)).text != "none") != denied
        if query is not None and query.kind == "yes" and query.claims:
            reader.settle(query.claims if there else (deny(query.claims),), answer=True)
        return w.skip(end) + 1
    if kind == "be" and (done := read_identity(reader, w, nouns, end, denied)):
        return done
    if floating and len(nouns) == 1:
        for noun in nouns:
            noun.quantifier = {"both": "both", "notall": "notall"}.get(floating, "all")
    note_subject(reader, nouns)
    if kind == "show":
        kind = "have"
    said = predicate(w, end, kind, denied)
    if said is None:
        if kind == "have":
            # "It has six shapes in it", "the square has a star to its right".
            after = read_existing_list(reader, w, end, denied, ())
            return after if after > end else 0
        return 0
    pred, after = said
    last = end - 1
    while w.at(last).category in ("i", "f"):
        last -= 1
    made = w.at(last).text in _MADE or w.at(w.skip(end)).text in _MADE
    if pred.empty and kind == "be" and made and first.quantifier != "the":
        claim_existing(reader, nouns, pred.negated, ())
        return after + (w.at(w.skip(after)).text in _MADE)
    if pred.empty and (done := read_stands_though(reader, w, nouns, after)):
        return done
    if pred.empty:
        return read_ellipsis(reader, w, nouns, pred, after, kind, end)
    reader.settle(tuple(pred.asides))
    say(reader, nouns, pred, kind)
    return after


def read_identity(reader: Reader, w: Words, nouns: list[Noun], end: int, denied: bool) -> int:
    """Read "the dotted shapes are the square and the star": these and no others; 0 if not so."""
    subject = nouns[0]
    if len(nouns) != 1 or denied or not (subject.plural or subject.quantifier == "all"):
        return 0
    if w.at(w.skip(end)).category in ATTRIBUTE_OF and noun_phrase(w, end) is None:
        return 0
    named, after = read_nouns(reader, w, end)
    if len(named) < 2 or any(n.head not in ("S", "g", "one") or n.unsure for n in named):
        return 0
    if any(n.quantifier == "bare" for n in named) or verbs(w, w.skip(after))[2]:
        return 0
    of = final(subject)
    claims: list[Claim] = []
    for noun in named:
        if noun.quantifier == "the":
            claims.append(Claim("all" if noun.plural else "the", final(noun), of))
        else:
            claims += existence_claims(reader, noun, (*final(noun), *of), False, [])
    claims.append(Claim("all", of, (AnyOf(tuple(final(n) for n in named)),), number=subject.number))
    reader.settle(tuple(claims))
    note_mention(reader, named)
    return after


def read_stands_though(reader: Reader, w: Words, nouns: list[Noun], end: int) -> int:
    """Read "the circle stands, though not above the star"; 0 if not so."""
    at = w.skip(end)
    at = w.skip(at + 1) if w.at(at).category == "," else at
    if w.at(at).category != "but" or w.at(at + 1).category != "not":
        return 0
    found = where(w, at + 2) or relation(w, at + 2)
    if found is None:
        return 0
    say(reader, nouns, Predicate(of=[Not(tuple(found[0]))], empty=False), "be")
    return found[1]


def read_ellipsis(
    reader: Reader, w: Words, nouns: list[Noun], pred: Predicate, after: int, kind: str, end: int
) -> int:
    """Read "it is", "the star does", "both are", "one of them isn't"."""
    at = w.skip(after)
    if w.at(at).category not in ("end", ",", "but", "&", "Y", "X", ":") or not nouns:
        return 0
    query, first = reader.query, nouns[0]
    denied = pred.negated
    if (
        query is not None
        and query.kind == "yes"
        and first.head == "pron"
        and first.quantifier in ("the", "all", "a")
    ):
        if query.claims:
            claims = query.claims if not denied else (deny(query.claims),)
            reader.settle(claims, answer=True)
        return max(after, end)
    scope: Description | None = None
    if query is not None and query.kind in ("yes", "which", "count"):
        scope = query.scope
    if (query is None or reader.d.predicate is not None) and reader.d.predicate is not None:
        scope = reader.d.predicate
        if scope and isinstance(scope[0], Not) and not denied:
            scope = scope[0].of
    if not scope:
        return max(after, end) if query is not None else 0
    of: list[Condition] = [Not(scope)] if denied else list(scope)
    for noun in nouns:
        if noun.head == "one" and noun.elided and not noun.of and query is not None and query.noun:
            noun.of = query.noun.of
    say(reader, nouns, Predicate(of=of, empty=False), kind)
    return max(after, end)


def say_background(reader: Reader, w: Words, noun: Noun, end: int, denied: bool) -> int:
    """Read what is said of the background; 0 if nothing."""
    said = predicate(w, end, "be", denied)
    if said is None or (said[0].empty and not noun.of):
        return 0
    claims = [Claim("background", value=v) for v in color_values(noun.of)]
    for condition in said[0].of:
        negative = isinstance(condition, Not)
        inner = condition.of if isinstance(condition, Not) else (condition,)
        claims += [Claim("background", value=v, holds=not negative) for v in color_values(inner)]
    if not said[0].unsure:
        reader.settle(tuple(claims))
    return said[1]


def say_quality(reader: Reader, w: Words, noun: Noun, end: int, denied: bool) -> int:
    """Read "its colour is red", "the circle's pattern is not dots"."""
    owner = noun.owner
    query = reader.query
    if owner is None:
        if query is not None and query.noun is not None:
            owner = replace(query.noun, quantifier="the")
        elif reader.d.it or reader.d.they or reader.d.asked:
            referent = reader.d.it or reader.d.asked or reader.d.they
            assert referent is not None
            owner = Noun("the" if referent.quantifier != "all" else "all", referent.of, "pron")
        else:
            owner = Noun("the", (), "g")
    if owner.head == "B":
        return say_background(reader, w, owner, end, denied)
    said = predicate(w, end, "be", denied)
    if said is None or said[0].empty:
        return 0
    if not said[0].unsure:
        values = [c for c in said[0].of if isinstance(c, Is)]
        if noun.plural and len(values) > 1 and noun.owner is None and query is None:
            owner = Noun("all", (), "g", plural=True)
        note_subject(reader, [owner])
        say(reader, [owner], said[0], "be")
    return said[1]
