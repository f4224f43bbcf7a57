"""Claims of one subject: its quantifier, and the parts of a group that are dealt out."""

from __future__ import annotations

from polite_flamingo.shapes.reading.claims import AnyOf, Claim, Description, Not
from polite_flamingo.shapes.reading.discourse import Referent, as_group
from polite_flamingo.shapes.reading.phrases import Noun, final
from polite_flamingo.shapes.reading.reader import Reader


def subject_claims(reader: Reader, noun: Noun, scope: Description) -> list[Claim]:
    of, quantifier = final(noun), noun.quantifier
    claims: list[Claim] = []
    if noun.excepted is not None:
        claims.append(Claim("all", noun.excepted, (Not(scope),)))
        if quantifier == "no":
            claims = [Claim("all", noun.excepted, scope)]
    if is_part(reader, noun):
        return part_claims(reader, noun, scope)
    if noun.other and noun.head in ("S", "g", "one") and quantifier in ("the", "all"):
        taken = reader.d.picked_from is None and reader.d.listed and reader.d.listed[-1]
        if taken:
            of = (*of, Not(taken.of))
    if noun.only:
        if noun.number and not noun.elided and quantifier == "num":
            return [Claim("num", of, scope, number=noun.number)]
        if noun.elided and noun.number:
            return [Claim("num", of, scope, number=noun.number)]
        return [*claims, Claim("only", of, scope)]
    if quantifier == "no" and noun.number and noun.pick:
        return []
    if quantifier == "no" and noun.alike:
        return []
    if quantifier == "no":
        return [*claims, Claim("some", of, scope, holds=False)]
    if quantifier == "neithernor":
        return [Claim("the", of, (Not(scope),))]
    if quantifier == "neither":
        return [Claim("both", of, (Not(scope),))]
    if quantifier == "both":
        return [Claim("both", of, scope)]
    if quantifier == "notall":
        return [Claim("all", of, scope, holds=False)]
    if quantifier in ("most", "half"):
        return [Claim(quantifier, of, scope)]
    if quantifier == "notnum":
        return [Claim("num", of, scope, number=noun.number, holds=False)]
    if quantifier == "all" or (quantifier == "the" and noun.plural):
        number = noun.number if not noun.partitive else ""
        return [*claims, Claim("all", of, scope, number=number)]
    if quantifier == "bare" and noun.plural:
        return [*claims, Claim("all", of, scope)]
    if quantifier in ("num",) and noun.number:
        if noun.each or noun.head == "pron":
            return [Claim("all", of, scope, number=noun.number)]
        return [Claim("num", of, scope, number=noun.number)]
    if quantifier == "allbut":
        return [Claim("num", of, (Not(scope),), number=noun.number)]
    if noun.ordinal:
        return [Claim("some", of, scope), Claim("num", of, number=f">={noun.ordinal}")]
    if noun.any and not reader.flip and not reader.asking:
        return [*claims, Claim("all", of, scope)]
    if quantifier == "a":
        return [*claims, Claim("some", of, scope)]
    return [*claims, Claim("the", of, scope)]


def is_part(reader: Reader, noun: Noun) -> bool:
    if (
        noun.quantifier in ("no", "neither", "both", "notall", "all", "most", "half")
        and not noun.other
    ):
        return False
    if noun.partitive:
        return bool(noun.number) and not noun.only
    if noun.head not in ("one",):
        return (noun.other or noun.pick) and noun.whose is not None
    return (
        noun.elided
        and bool(noun.number or noun.other or noun.pick or noun.another)
        and not noun.only
        and noun.quantifier in ("num", "the", "a", "bare", "all")
    )


def part_claims(reader: Reader, noun: Noun, scope: Description) -> list[Claim]:
    """Deal a group out: "one is red, the other is blue"."""
    d = reader.d
    group = noun.whose or d.several() or (d.asked and Referent("all", as_group(d.asked.of)))
    if noun.other and d.picks and d.picked_from is not None:
        group = Referent("all", d.picked_from)
    of: Description = as_group(group.of) if group else ()
    whole = of
    if noun.partitive:
        whole = final(noun)
    own = tuple(c for c in noun.of if c not in of) if not noun.partitive else ()
    if d.picked_from != whole:
        if noun.other and d.picked_from is None and d.listed and not d.picks:
            together = group is not None and any(isinstance(c, AnyOf) for c in group.of)
            d.picks = [("=1", one.of) for one in (d.listed if together else d.listed[-1:])]
            if together:
                whole = as_group(d.asked.of) if d.asked else ()
            elif group is None or group.of == d.listed[-1].of:
                asked = d.asked
                whole = as_group(asked.of) if asked else ()
        elif not noun.other or d.picked_from is None:
            d.picks = []
        d.picked_from = whole
    else:
        # The claim with fewer parts gives way to the fuller one.
        old = Claim("parts", whole, parts=tuple(d.picks))
        reader.claims = [
            claim for claim in reader.claims
            if not (claim.quantifier == "parts" and claim.subject == old.subject and claim.parts == old.parts)
        ]  # fmt: skip
    number = noun.number
    if noun.other and not noun.another and not number:
        number = ""
    elif not number:
        number = "=1"
    if not (noun.other and number) or not d.picks:
        d.picks.append((number, (*own, *scope)))
        return [Claim("parts", whole, parts=tuple(d.picks))]
    # "the other two": as many as are left, and all of them.
    d.picks.append((number, (*own, *scope)))
    numbers = [int(n[1:]) for n, _ in d.picks if n.startswith("=")]
    total = f"={sum(numbers)}" if len(numbers) == len(d.picks) else ""
    return [Claim("parts", whole, parts=tuple(d.picks), number=total)]
