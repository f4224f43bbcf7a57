"""Claims of subjects and predicates, and what they leave to be spoken of."""

from __future__ import annotations

from dataclasses import replace

from polite_flamingo.shapes.reading.claims import AnyOf, Claim, Description, Is, Not, plain
from polite_flamingo.shapes.reading.discourse import Referent
from polite_flamingo.shapes.reading.existence import claim_existing
from polite_flamingo.shapes.reading.phrases import Noun, final
from polite_flamingo.shapes.reading.predicates import Predicate
from polite_flamingo.shapes.reading.reader import Reader, listed_values
from polite_flamingo.shapes.reading.subjects import is_part, subject_claims


def say(reader: Reader, nouns: list[Noun], pred: Predicate, kind: str) -> None:
    """Claim what a predicate says of its subjects."""
    ranging = len(nouns) == 1 and nouns[0].quantifier in ("all", "no") and nouns[0].head != "pron"
    if pred.unsure and ranging and len(pred.options) > 1:
        # "Every large shape is red or blue."
        pred = replace(pred, unsure=False, of=[AnyOf(tuple(pred.options))])
    if pred.unsure or any(noun.unsure for noun in nouns):
        note_mention(reader, nouns)
        return
    if pred.exists is not None and not pred.of:
        claim_existing(reader, nouns, not pred.exists, ())
        return
    for noun in nouns:
        reader.settle(tuple(noun.asides))
    if pred.alike:
        claim_alike(reader, nouns, pred)
        note_mention(reader, nouns)
        return
    if pred.number:
        group = final(nouns[0])
        reader.settle((Claim("num", group, number=pred.number, holds=not pred.negated),))
        note_mention(reader, nouns)
        return
    scope = tuple(pred.of)
    if not scope:
        note_mention(reader, nouns)
        return
    if pred.exists is not None:
        scope = scope if pred.exists else (Not(scope),)
    listed = listed_values(scope)
    if listed is not None and len(nouns) == 1 and (nouns[0].plural or nouns[0].quantifier == "all"):
        # "The circles are red and blue": each is one of the two, and there are both.
        of = final(nouns[0])
        reader.settle(
            tuple(Claim("some", of, (Is(listed.attribute, (v,)),)) for v in listed.values)
        )
        scope = (
            *(c for c in scope if not (isinstance(c, Is) and c.attribute == listed.attribute)),
            listed,
        )
    if len(nouns) > 1 and nouns[0].quantifier == "neithernor":
        scope_no: Description = (Not(scope),)
        reader.settle(tuple(Claim("the", final(noun), scope_no) for noun in nouns))
        reader.d.predicate = scope_no
        note_mention(reader, nouns)
        return
    claims: list[Claim] = []
    contrast = [*reader.contrast, *(pair for noun in nouns for pair in noun.contrast)]
    reader.contrast = []
    for noun in nouns:
        claims += subject_claims(reader, noun, scope)
    for other, alike in contrast:
        claims += subject_claims(reader, other, scope if alike else (Not(scope),))
    reader.settle(tuple(claims))
    reader.d.predicate = scope
    note_mention(reader, nouns, scope)
    first = nouns[0]
    if (
        len(nouns) == 1
        and first.quantifier == "num"
        and not is_part(reader, first)
        and first.number
    ):
        # For "the other three" and "the rest".
        reader.d.picks, reader.d.picked_from = [(first.number, scope)], final(first)


def claim_alike(reader: Reader, nouns: list[Noun], pred: Predicate) -> None:
    """Claim "they have the same colour", "no two are the same size"."""
    noun = nouns[0]
    if pred.attribute not in ("color", "shape", "size", "texture"):
        return
    value = pred.alike
    holds = not pred.negated
    of: Description = final(noun)
    number = noun.number
    if len(nouns) > 1:
        of = (AnyOf(tuple(final(n) for n in nouns)),)
        number = ""
    if noun.quantifier == "notall":
        holds = not holds
    if noun.quantifier == "no" and noun.number == "=2":
        value, holds, number = ("different" if value == "same" else "same"), True, ""
    if noun.quantifier == "num" and noun.elided:
        number = ""
    if noun.quantifier == "both" and not number:
        number = "=2"
    reader.settle((Claim(value, of, value=pred.attribute, holds=holds, number=number),))


def note_mention(reader: Reader, nouns: list[Noun], scope: Description = ()) -> None:
    d = reader.d
    if len(nouns) > 1:
        many = tuple(final(n) for n in nouns)
        d.they = d.group = Referent("all", (AnyOf(many),))
        d.listed = [Referent("the", of) for of in many]
        d.noun = plain(many[-1])
        d.picks, d.picked_from = [], None
        return
    noun = nouns[0]
    if noun.head == "pron":
        if noun.quantifier == "a" and noun.whose is not None and scope:
            # Of "a circle" more is known now, and "it" goes on to mean it.
            d.it = Referent("some", (*noun.of, *scope))
            d.listed = [d.it if one.of == noun.of else one for one in d.listed]
        return
    if noun.head not in ("S", "g", "one"):
        return
    if is_part(reader, noun) or noun.partitive:
        if noun.partitive:
            d.they = Referent("all", noun.of)
            d.noun = plain(noun.of) or d.noun
        return
    of = final(noun)
    plural = noun.plural or noun.quantifier in ("all", "both", "neither", "no", "most")
    if noun.quantifier == "no" and not noun.plural:
        d.noun = plain(of) or d.noun
        d.they = Referent("all", of)
        return
    if noun.quantifier == "a":
        of = (*of, *scope)
        d.mention(Referent("some", of), False)
    else:
        d.mention(Referent("all" if plural else "the", of), plural)
        if plural and noun.head in ("S", "g"):
            d.listed = []
        elif not plural:
            d.they = None if len(d.listed) > 1 and not d.picks and d.group is None else d.they
    if plural:
        d.picks, d.picked_from = [], None
    d.subject = Referent("all" if plural else "the", of)


def note_subject(reader: Reader, nouns: list[Noun]) -> None:
    """Note a subject, so that the predicate's "it" is something else."""
    d = reader.d
    if len(nouns) > 1:
        return
    noun = nouns[0]
    if noun.head == "pron" and noun.whose is not None:
        d.subject = noun.whose
        return
    if noun.head in ("S", "g", "one") and not noun.plural:
        d.subject = Referent("the", final(noun))
        if noun.head == "S":
            d.noun = plain(noun.of) or d.noun
