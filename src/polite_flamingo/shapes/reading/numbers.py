"""Numbers compared: "more stars than circles", "the number of stars is three"."""

from __future__ import annotations

from polite_flamingo.shapes.reading.claims import Claim, Description, Is, attributes, plain
from polite_flamingo.shapes.reading.discourse import Referent
from polite_flamingo.shapes.reading.noun_lists import read_nouns
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.phrases import Noun, Words, final
from polite_flamingo.shapes.reading.reader import Reader, each_value, overlaps
from polite_flamingo.shapes.reading.verbs import verbs


def read_comparing(reader: Reader, w: Words, place: int) -> int:
    """Read a clause that opens with "more stars than" or "no more stars than"."""
    word = w.at(place)
    if word.category == "no" and w.at(place + 1).category == "more":
        return max(read_comparison(reader, w, place + 1, True), place)
    if word.category == "more" or (
        word.text in ("the", "an") and w.at(place + 1).category == "more"
    ):
        return read_comparison(reader, w, place, False)
    return place


def read_comparison(reader: Reader, w: Words, place: int, denied: bool) -> int:
    """Read "more stars than squares", "as many circles as crosses"."""
    start = place
    if w.at(place).text in ("the", "an", "a", "as"):
        place += 1
    if w.at(place).category != "more":
        return start
    value = w.at(place).value
    said = noun_phrase(w, place + 1)
    if said is None:
        return start
    one, end = said
    end = w.skip(end)
    if one.each and value == "same" and len(pair := each_value(one.of)) == 2:
        reader.settle((Claim("compare", pair[0], value=value, other=pair[1], holds=not denied),))
        return end
    while w.at(end).category in ("p", "aux", "i", "f"):
        end += 1
    if (
        w.at(end).category in ("than",)
        or w.at(end).text in ("as", "and", "to")
        or w.at(end).category == "&"
    ):
        behind = w.skip(end + 1)
        if w.at(behind).text == "there" and w.at(behind + 1).category == "aux":
            behind += 2
        other = noun_phrase(w, behind)
        if other is not None:
            second = other[0]
            if second.elided or second.head == "one":
                second.of = other_of(one.of, second.of)
            reader.settle(
                (Claim("compare", one.of, value=value, other=second.of, holds=not denied),)
            )
            reader.d.they = Referent("all", one.of)
            return other[1]
        # "more red than blue shapes"
    if one.head != "" and reader.query is not None:
        for claim in reader.query.claims:
            if claim.quantifier == "compare":
                of = one.of
                against = claim.other if overlaps(of, claim.subject) else claim.subject
                reader.settle((Claim("compare", of, value=value, other=against, holds=not denied),))
                return end
    return start


def other_of(one: Description, said: Description) -> Description:
    """Fill in the noun of "more red shapes than blue"."""
    named = tuple(c for c in said if isinstance(c, Is))
    own = tuple(c for c in named if c.attribute != "shape")
    if not own:
        return named
    anew = {c.attribute for c in own}
    return (*own, *(c for c in one if isinstance(c, Is) and c.attribute not in anew))


def read_number_of(reader: Reader, w: Words, place: int) -> int:
    """Read "the number of stars is three", "the number of stars is larger than that of ..."."""
    start = place
    if w.at(place).text in ("the", "a", "its", "my", "their"):
        place += 1
    place = w.skip(place)
    if w.at(place).category != "K":
        return start
    text = w.at(place).text
    place += 1
    of: Description = ()
    read = noun_phrase(w, place) if text.endswith("of") else None
    if read is not None:
        of, place = read[0].of, read[1]
        if w.at(place).category == "&" and (other := noun_phrase(w, place + 1)) is not None:
            end, denied, kind, _ = verbs(w, other[1])
            if kind and w.at(end).category == "alike":
                same = (w.at(end).value == "same") != denied
                reader.settle((Claim("compare", of, value="same", other=other[0].of, holds=same),))
                return end + 1
    elif reader.query is not None and reader.query.noun is not None:
        of = (*reader.query.noun.of, *reader.query.scope)
    place = w.skip(place)
    end, denied, kind, _ = verbs(w, place)
    if (not kind and w.at(place).category != ":") and (
        w.at(w.skip(place)).category == "than" or w.at(place).category != "outnumber"
    ):
        return start
    if w.at(place).category == ":":
        end = place + 1
    end = w.skip(end)
    word = w.at(end)
    if word.category == "not":
        denied, end = not denied, end + 1
        word = w.at(end)
    if word.category == "#":
        reader.settle((Claim("num", of, number=word.value, holds=not denied),))
        reader.d.they = Referent("all", of)
        return end + 1
    if word.category == "no":
        reader.settle((Claim("num", of, number="=0"),))
        return end + 1
    value = ""
    if word.category == "more":
        value = word.value
    elif word.category == "cmp":
        value = "more" if word.value == "large" else "fewer"
    elif word.category == "R" or word.category == "R!":
        value = "more" if word.value == "above" else "fewer"
    elif word.category == "alike" or word.text == "equal":
        value = "same"
    elif word.category == "outnumber":
        value = word.value
    if not value:
        return start
    end += 1
    while w.at(end).category == "than" or w.at(end).text in (
        "as",
        "to",
        "the",
        "that",
        "of",
        "number",
    ):
        end += 1
    if w.at(end).category == "K" or w.at(end).category == "that":
        end += 1
        if w.at(end).text == "of":
            end += 1
    other_read = noun_phrase(w, end)
    if other_read is None:
        return start
    reader.settle((Claim("compare", of, value=value, other=other_read[0].of, holds=not denied),))
    return other_read[1]


def read_sum(reader: Reader, w: Words, noun: Noun, at: int) -> int:
    """Read "all circles together make three", "it makes three when you count the circles"."""
    counted = noun_phrase(w, at + 1) if noun.head == "pron" else None
    of, end = (final(counted[0]), counted[1]) if counted is not None else (final(noun), at + 1)
    reader.settle((Claim("num", of, number=w.at(at).value),))
    return end


def read_outnumber(reader: Reader, w: Words, nouns: list[Noun], at: int, denied: bool) -> int:
    """Read "circles outnumber squares"; 0 if nothing follows."""
    other = noun_phrase(w, at + 1)
    if other is None:
        return 0
    claim = Claim("compare", nouns[0].of, value=w.at(at).value, other=other[0].of, holds=not denied)
    reader.settle((claim,))
    return other[1]


def read_versus(reader: Reader, w: Words, nouns: list[Noun], at: int) -> int:
    """Read "two versus one" as counts of what the question compares."""
    other, end = read_nouns(reader, w, at + 1)
    if not other:
        return at
    pair = [*nouns[-1:], *other[:1]]
    compared = (
        next((c for c in reader.query.claims if c.quantifier == "compare"), None)
        if reader.query
        else None
    )
    claims = []
    for index, noun in enumerate(pair):
        of = noun.of
        if noun.elided and compared is not None:
            of = compared.subject if index == 0 else compared.other
            own = tuple(c for c in noun.of if c not in plain(reader.d.noun))
            if own:
                of = (
                    *own,
                    *(c for c in of if isinstance(c, Is) and c.attribute not in attributes(own)),
                )
        if noun.number:
            claims.append(Claim("num", of, number=noun.number))
    reader.settle(tuple(claims))
    return end
