"""Questions to be answered with yes or no, or with one of two values."""

from __future__ import annotations

from polite_flamingo.shapes.reading.claims import Claim, In, Is, Not, Related
from polite_flamingo.shapes.reading.clauses import read_sentence
from polite_flamingo.shapes.reading.discourse import Discourse
from polite_flamingo.shapes.reading.existence import existence_claims
from polite_flamingo.shapes.reading.noun_lists import read_nouns
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.phrases import Noun, Words, final
from polite_flamingo.shapes.reading.predicates import predicate
from polite_flamingo.shapes.reading.query import Query
from polite_flamingo.shapes.reading.reader import Reader
from polite_flamingo.shapes.reading.words import Word


def affirmation(claims: tuple[Claim, ...], discourse: Discourse, noun: Noun | None = None) -> Query:
    claim = claims[0]
    negated = not claim.holds or (bool(claim.scope) and isinstance(claim.scope[0], Not))
    if claim.quantifier == "background":
        return Query("yes", Noun("the", (), "B"), (), claims, negated=negated)
    if noun is None:
        plural = claim.quantifier in ("all", "both", "num")
        noun = Noun("the" if not plural else "all", claim.subject, "S", plural)
    return Query("yes", noun, claim.scope, claims, negated=negated)


def read_yes_no(w: Words, text: str) -> Query | None:
    discourse = w.discourse
    place = 1
    first = w.at(0)
    if w.at(1).category == "not":
        place = 2
    rest = w.words[place:]
    named: Noun | None = None
    head = w.at(place)
    if head.text == "there":
        words = [head, first, *rest[1:]]
    elif head.text in ("you", "i", "we", "one") and w.at(place + 1).category in (
        "see",
        "aux",
        "h",
        "maybe",
        "f",
    ):
        words = list(rest)
    elif head.category == "I" or (noun_phrase(w, place) or (Noun(),))[0].head == "I":
        words = [*rest]
        if any(word.category in ("show", "lack", "h") for word in rest):
            words = rest
    else:
        reader = Reader(None, discourse)
        nouns, end = read_nouns(reader, w, place)
        if not nouns:
            return None
        if w.skip(end) >= w.size:
            w.unmodified = True
            nouns, end = read_nouns(reader, w, place)
            if not nouns:
                return None
        if any(noun.unsure for noun in nouns):
            nouns = nouns
        # "is the star a red one?": only the first noun is the subject
        split = end
        single = noun_phrase(w, place)
        assert single is not None
        if len(nouns) == 1 or (
            nouns[0].quantifier in ("the", "a") and w.at(single[1]).category not in ("&",)
        ):
            split = single[1]
        w.unmodified = False
        chosen = read_choice_of(w, single[0], split)
        if chosen is not None:
            return chosen
        words = [*w.words[place:split], first, *w.words[split:]]
        named = single[0]
    tagged = [word for word in words if word.category != "maybe" or word.text != "can"]
    alternatives = [k for k, word in enumerate(tagged) if word.category == "or"]
    reader = Reader(None, discourse)
    if alternatives:
        tagged = [Word("&", "", "and") if word.category == "or" else word for word in tagged]
    probe = Words(tagged, discourse)
    noun = None
    reader.asking = True
    read_sentence(reader, tagged)
    claims = tuple(reader.claims)
    if not claims and head.text not in ("there", "you", "i", "we", "one"):
        asked = noun_phrase(w, place)
        if (
            asked is not None
            and w.skip(asked[1]) >= w.size
            and asked[0].quantifier in ("a", "bare", "no", "num")
        ):
            # "is a circle in the picture?"
            claims = tuple(existence_claims(reader, asked[0], final(asked[0]), False, []))
    if not claims:
        # Not understood, but it leaves something to be spoken of.
        return Query("look", named) if named is not None and named.head in ("S", "g") else None
    if alternatives and len(claims) > 1:
        claims = (Claim("any", claims=claims),)
    read = (
        noun_phrase(probe, 0)
        if tagged and tagged[0].text not in ("there", "you", "i", "we")
        else None
    )
    if read is not None and read[0].head not in ("I", "Q", "B"):
        noun = read[0]
        if noun.head == "pron" and noun.whose is None:
            noun.of = ()
    if (
        len(claims) == 1
        and claims[0].quantifier == "some"
        and claims[0].holds
        and not claims[0].scope
    ):
        # "can you see the star above the circle?" asks of the star.
        seen = next((noun_phrase(probe, k) for k, x in enumerate(tagged) if x.text == "the"), None)
        placed = tuple(c for c in claims[0].subject if isinstance(c, (Related, In)))
        if seen is not None and seen[0].of == claims[0].subject and placed:
            base = tuple(c for c in claims[0].subject if c not in placed)
            claims = (Claim("the", base, placed),)
            noun = Noun("the", base, "S")
            return affirmation(claims, discourse, noun)
    query = affirmation(claims, discourse, noun)
    if alternatives:
        nouns = [Noun("the", c.subject, "S") for c in claims[0].claims] if claims[0].claims else []
        query = Query(
            "yes", query.noun, query.scope, claims, nouns=tuple(nouns), negated=query.negated
        )
    return query


def read_choice_of(w: Words, noun: Noun, place: int) -> Query | None:
    """Read "is the cross large or small?"."""
    if not any(word.category == "or" for word in w.words[place:]):
        return None
    said = predicate(w, w.skip(place), "be", False)
    if said is None:
        return None
    pred = said[0]
    if pred.unsure and len(pred.options) > 1:
        kinds = [c.attribute for c in pred.of if isinstance(c, Is)]
        return Query(
            "choice", noun, attribute=kinds[0] if kinds else "place", options=tuple(pred.options)
        )
    return None
