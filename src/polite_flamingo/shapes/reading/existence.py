"""Claims that things are there, each as often as the text says."""

from __future__ import annotations

from dataclasses import replace

from polite_flamingo.shapes.reading.claims import (
    AnyOf,
    Claim,
    Description,
    Is,
    Not,
    attributes,
    plain,
)
from polite_flamingo.shapes.reading.discourse import Referent
from polite_flamingo.shapes.reading.phrases import Noun, final
from polite_flamingo.shapes.reading.reader import (
    Reader,
    color_values,
    each_value,
    listed_values,
    overlaps,
)
from polite_flamingo.shapes.reading.subjects import subject_claims

_ADDITIVE = {
    "add", "also", "as well", "too", "additionally", "in addition", "furthermore", "moreover", "besides that",
}  # fmt: skip


def claim_existing(
    reader: Reader, nouns: list[Noun], denied: bool, conditions: Description
) -> None:
    """Claim that things are there, each as often as it says."""
    if (
        any(noun.unsure for noun in nouns)
        and not denied
        and not any(noun.quantifier == "no" for noun in nouns)
    ):
        return
    only = any(noun.only for noun in nouns)
    claims: list[Claim] = []
    earlier: list[Description] = []
    for noun in nouns:
        if noun.head == "B":
            claims += [
                Claim("background", value=v, holds=not denied) for v in color_values(noun.of)
            ]
            continue
        if noun.head == "Q":
            if noun.owner is not None and noun.of:
                # "I notice a plain texture on the star."
                bare = not denied and noun.quantifier != "no"
                claims += subject_claims(reader, noun.owner, noun.of if bare else (Not(noun.of),))
                continue
            claims += value_claims(noun)
            continue
        if noun.head in ("I", ""):
            continue
        of = (*final(noun), *conditions)
        claims += noun.asides
        listed = listed_values(of)
        if listed is not None and noun.quantifier in ("the", "all") and noun.plural and not denied:
            # "the objects in black and brown"
            base = tuple(
                c for c in of if not (isinstance(c, Is) and c.attribute == listed.attribute)
            )
            claims += [Claim("some", (*base, Is(listed.attribute, (v,)))) for v in listed.values]
            claims.append(Claim("all", base, (listed,)))
            continue
        if noun.number.startswith("=") and is_added(reader, of):
            noun = replace(noun, number=f">{noun.number}")
        if noun.quantifier == "no" and noun.head == "pron":
            continue
        claims += existence_claims(reader, noun, of, denied, earlier)
        earlier.append(of)
    positive = not denied and all(noun.quantifier not in ("no", "neithernor") for noun in nouns)
    if only and positive and any(noun.of for noun in nouns):
        many = tuple((*final(noun), *conditions) for noun in nouns)
        scope: Description = (AnyOf(many),) if len(many) > 1 else many[0]
        if (not any(noun.number and noun.number != "=1" for noun in nouns)) and (
            len(nouns) > 1 or not nouns[0].number or not nouns[0].plural
        ):
            whole: Description = ()
            if reader.query is not None and nouns[0].head == "one" and reader.query.noun:
                # "Are there any stars?" "Only a green one."
                whole = reader.query.noun.of
            claims.append(Claim("all", whole, plain(scope) if len(many) == 1 else scope))
    reader.settle(tuple(claims))
    note_existing(reader, nouns, conditions, positive)


def is_added(reader: Reader, of: Description) -> bool:
    """Whether these come on top of what was told before: "two circles are visible as well"."""
    if not any(word.text in _ADDITIVE or word.text.endswith(" also") for word in reader.words):
        return False
    told = [
        (*claim.subject, *claim.scope)
        for claim in reader.claims
        if claim.quantifier in ("some", "num")
    ]
    return any(one and overlaps(of, one) for one in told)


def existence_claims(
    reader: Reader, noun: Noun, of: Description, denied: bool, earlier: list[Description]
) -> list[Claim]:
    """Claim that what a noun phrase says is there."""
    holds = not denied
    quantifier = noun.quantifier
    if noun.ordinal:
        return [Claim("num", of, holds=holds, number=f">={noun.ordinal}")]
    if noun.another and of in earlier:
        return [Claim("num", of, number=">=2")]
    if quantifier in ("no", "neither", "neithernor"):
        return [Claim("some", of, holds=not holds)]
    if noun.each and not noun.number and quantifier in ("bare", "a"):
        return [Claim("some", one, holds=holds) for one in each_value(of)]
    if (
        noun.elided
        and noun.number == "=1"
        and quantifier == "num"
        and not noun.partitive
        and (reader.query is None or reader.query.kind != "count")
    ):
        own = attributes(noun.of)
        if not own or of == reader.d.noun:
            # "Is there a star?" "There is one."
            return [Claim("some", of, holds=holds)]
    if not of and holds and quantifier == "bare" and not noun.number:
        # "A composition of shapes" claims nothing.
        return []
    if noun.number and quantifier in ("num", "the", "all", "bare", "notnum"):
        return [Claim("num", of, holds=holds != (quantifier == "notnum"), number=noun.number)]
    if quantifier == "both":
        return [Claim("num", of, holds=holds, number="=2")]
    if noun.head == "g" and not of and holds and not noun.plural and noun.quantifier != "a":
        return []
    taken: Referent | None
    if noun.other and noun.head == "g":
        taken = reader.d.subject
        of = of or ((Not(taken.of),) if taken else ())
    return [Claim("some", of, holds=holds)]


def note_existing(
    reader: Reader, nouns: list[Noun], conditions: Description, positive: bool
) -> None:
    """Leave the things that are there to be taken up by "it", "they" and "one"."""
    d = reader.d
    things = [n for n in nouns if n.head in ("S", "g", "one", "pron")]
    if not things:
        return
    if not positive:
        d.noun = plain(things[-1].of) or d.noun
        if d.they is None and d.it is None:
            d.they = Referent("all", things[-1].of)
        return
    reader.d.listed = []
    for noun in things:
        of = (*final(noun), *conditions)
        single = not noun.plural and noun.number in ("", "=1") and noun.quantifier != "all"
        if single:
            d.mention(Referent("some" if noun.quantifier in ("a", "bare") else "the", of), False)
        elif not noun.pick and not (noun.elided and noun.whose and noun.partitive):
            d.they = d.group = Referent("all", of, noun.number)
            d.noun = plain(of) or d.noun
        if noun.elided and noun.number and not noun.of:
            d.they = d.they or Referent("all", of)
    singles = all(not n.plural for n in things)
    if len(things) > 1:
        many = tuple((*final(noun), *conditions) for noun in things)
        d.they = d.group = Referent("all", (AnyOf(many),))
    elif singles:
        d.they = None
    d.subject = d.it if singles else d.they
    d.picks, d.picked_from = [], None
    d.predicate = None


def value_claims(noun: Noun, of: Description = ()) -> list[Claim]:
    """Read "in three different colours": how many values there are."""
    if noun.number and noun.attribute in ("color", "shape", "size", "texture"):
        number = (Is("number", (noun.number,)),)
        return [Claim("values", of, value=noun.attribute, other=number)]
    return []
