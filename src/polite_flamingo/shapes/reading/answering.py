"""Answers in a word or a noun phrase: "yes", "two of them", "the blue one"."""

from __future__ import annotations

from dataclasses import replace

from polite_flamingo.shapes.reading.claims import Claim, Description, Is, deny, plain
from polite_flamingo.shapes.reading.discourse import Referent
from polite_flamingo.shapes.reading.existence import claim_existing, existence_claims
from polite_flamingo.shapes.reading.phrases import Noun, Words, final
from polite_flamingo.shapes.reading.predicates import Predicate
from polite_flamingo.shapes.reading.query import Query
from polite_flamingo.shapes.reading.reader import Reader, overlaps
from polite_flamingo.shapes.reading.saying import note_mention, say
from polite_flamingo.shapes.reading.subjects import subject_claims


def read_yes_or_no(reader: Reader, w: Words, place: int) -> int:
    """Take "yes" or "no" as an answer to the question."""
    word = w.at(place)
    yes = word.category == "Y" or word.text == "right"
    follow = w.at(place + 1)
    query = reader.query
    if query is None or query.kind != "yes":
        return place + 1
    if (
        w.at(place).text in ("definitely", "certainly", "absolutely", "clearly")
        and follow.category == "not"
    ):
        yes, place = False, place + 1
    if not (reader.said_answer or reader.answered):
        claim = query.claim()
        if claim is not None:
            reader.said_answer = "yes" if yes else "no"
            reader.answered = [claim if yes != query.negated else deny((claim,))]
            if query.negated:
                reader.answered = [claim if yes else deny((claim,))]
    return place + 1


def read_choice(reader: Reader, w: Words, place: int) -> int:
    """Read "the former" as an answer to "is it red or blue?"."""
    query, value = reader.query, w.at(place).value
    if query is None or not query.options or w.at(place + 1).category not in ("end", ",", "but"):
        return 0
    topic = query.topic()
    if topic is None or not value or int(value) > len(query.options):
        return 0
    say(reader, [topic], Predicate(of=list(query.options[int(value) - 1]), empty=False), "be")
    return place + 1


def answer_nouns(reader: Reader, nouns: list[Noun], end: int) -> int:
    """Take noun phrases as the answer to the question; 0 where they are none."""
    query = reader.query
    assert query is not None
    first = nouns[0]
    base: Description = query.noun.of if query.noun is not None else ()
    if any(noun.unsure for noun in nouns):
        return end
    if query.kind == "count":
        whole = (*base, *query.scope)
        if first.quantifier in ("no", "neither"):
            reader.settle((Claim("some", whole, holds=False),))
        elif first.quantifier in ("half", "most"):
            reader.settle((Claim(first.quantifier, base, query.scope),))
        elif first.quantifier in ("both", "all") or first.head == "pron":
            quantifier = "both" if first.quantifier == "both" else "all"
            reader.settle((Claim(quantifier, base, query.scope, number=first.number),))
        elif first.number and (first.elided or first.head == "g" or overlaps(first.of, base)):
            if first.only and not first.elided and not overlaps(first.of, base):
                return 0
            of = whole
            if not first.elided and first.head == "S":
                of = (
                    *first.of,
                    *(c for c in whole if c not in first.of and not isinstance(c, Is)),
                    *query.scope,
                )
                of = tuple(dict.fromkeys(of))
            holds = first.quantifier != "notnum"
            reader.settle((Claim("num", of, number=first.number, holds=holds),))
        else:
            return 0
        reader.d.they = reader.d.group = Referent("all", whole)
        reader.d.noun = plain(base) or reader.d.noun
        return end
    if query.kind == "yes":
        if first.only and query.scope and first.head in ("S", "g", "one") and not first.number:
            reader.settle(
                tuple(c for noun in nouns for c in subject_claims(reader, noun, query.scope))
            )
            return end
        if (
            (first.elided or first.partitive)
            and (first.number or first.quantifier in ("both", "no", "neither", "all", "notall"))
        ) or (
            (first.head == "pron" and first.quantifier in ("both", "all"))
            or (first.head == "g" and not first.of and first.quantifier in ("all", "no"))
        ):
            done = requantify(reader, nouns, end)
            if query.scope and len(nouns) > 1:
                # "Only one, a circle."
                named = (subject_claims(reader, noun, query.scope) for noun in nouns[1:])
                reader.settle(tuple(claim for claims in named for claim in claims))
            return done
        open_question = query.noun is not None and (
            query.noun.any or query.noun.quantifier in ("a", "bare")
        )
        if query.scope and open_question and reader.said_answer != "no" and not reader.claims:
            # "Are any shapes striped?" "Yes, the circle."
            reader.settle(
                tuple(c for noun in nouns for c in subject_claims(reader, noun, query.scope))
            )
            note_mention(reader, nouns)
            return end
        return 0
    if query.kind == "which":
        if first.only:
            claims = []
            for noun in nouns:
                claims.append(
                    Claim("only", final(noun), query.scope)
                    if query.scope
                    else Claim("all", (), final(noun))
                )
                if not query.scope:
                    claims.append(Claim("some", final(noun)))
            reader.settle(tuple(claims))
            return end
        if first.elided and first.quantifier in ("no", "neither"):
            reader.settle((Claim("some", base, query.scope, holds=False),))
            return end
        said = query.scope
        for noun in nouns:
            if noun.elided and noun.other:
                return 0
            reader.settle(tuple(noun.asides))
            if noun.quantifier == "bare" and not noun.plural:
                noun.quantifier = "a"
            if said:
                if noun.quantifier == "bare":
                    noun.quantifier = "a"
                reader.settle(tuple(subject_claims(reader, noun, said)))
            else:
                reader.settle(tuple(existence_claims(reader, noun, final(noun), False, [])))
        note_mention(reader, nouns)
        reader.d.predicate = said or None
        return end
    if query.kind == "list":
        for noun in nouns:
            noun.of = (*noun.of, *query.scope)
        claim_existing(reader, nouns, False, ())
        return end
    if query.kind in ("attribute", "choice", "where", "look"):
        if query.noun is None:
            return 0
        if first.quantifier == "no" and first.elided:
            if query.attribute == "texture":
                topic = query.topic()
                assert topic is not None
                say(reader, [topic], Predicate(of=[Is("texture", ("plain",))], empty=False), "be")
                return end
            return 0
        if (
            len(nouns) == 1
            and first.head in ("S", "one")
            and (not first.plural or query.noun.plural)
        ):
            topic = query.topic()
            assert topic is not None
            if first.head == "S" and first.number and first.quantifier == "num" and first.plural:
                return 0
            say(reader, [topic], Predicate(of=list(first.of), empty=False), "be")
            reader.settle(tuple(first.asides))
            return end
        if len(nouns) > 1 and all(n.head == "S" for n in nouns) and query.attribute == "shape":
            claim_existing(reader, nouns, False, ())
            return end
    return 0


def requantify(reader: Reader, nouns: list[Noun], end: int) -> int:
    """Read "both", "none", "two of them" as an answer to a yes/no question."""
    query, first = reader.query, nouns[0]
    assert query is not None
    base: Description = query.noun.of if query.noun is not None else ()
    if first.quantifier == "neither" and len(query.nouns) > 1 and not query.scope:
        reader.settle(tuple(Claim("some", n.of, holds=False) for n in query.nouns))
        return end
    if first.quantifier == "notall":
        first = replace(first, number="")
    if first.head == "one":
        own = tuple(c for c in first.of if isinstance(c, Is) and c not in base)
        first = replace(
            first,
            of=(*base, *own) if not first.partitive else base,
            partitive=False,
            elided=False,
        )
    else:
        first = replace(first, of=base)
    if query.scope:
        reader.settle(
            tuple(subject_claims(reader, replace(first, pick=False, other=False), query.scope))
        )
    else:
        reader.settle(tuple(existence_claims(reader, first, first.of, False, [])))
    reader.d.noun = plain(base) or reader.d.noun
    reader.d.they = reader.d.group = Referent("all", base)
    return end


def echoes(reader: Reader, query: Query) -> bool:
    """Tell whether a later noun phrase is no answer of its own."""
    return bool(reader.claims) and query.kind not in ("count", "which", "list")
