"""Noun phrases: determiner, number, adjectives, noun, and what is said of it behind the noun."""

from __future__ import annotations

from polite_flamingo.shapes.reading.adjectives import adjectives_end, is_pattern, read_adjectives
from polite_flamingo.shapes.reading.claims import Condition, Description, Extreme, Is, Not, plain
from polite_flamingo.shapes.reading.determiners import read_determiners, referent_of
from polite_flamingo.shapes.reading.discourse import Referent, as_group
from polite_flamingo.shapes.reading.phrases import ATTRIBUTE_OF, Noun, Words
from polite_flamingo.shapes.reading.words import Word

_PRONOUNS = {"it", "they", "them", "this", "that", "these", "those", "he", "she", "its", "their"}


def noun_phrase(w: Words, start: int) -> tuple[Noun, int] | None:
    """Read one noun phrase; None if there is none."""
    place = w.skip(start)
    noun = Noun()
    while w.at(place).category == "only":
        noun.only = True
        place = w.skip(place + 1)
    first = w.at(place)
    if (read := _pronoun(w, place, noun)) is not None:
        return read
    place, definite, determined = read_determiners(w, place, noun)
    if noun.quantifier in ("half", "most") and w.at(place).text in ("them", "these", "those"):
        return _partitive(w, place, noun)
    if w.at(place).text == "of" and determined and _partitive_follows(w, place + 1):
        return _partitive(w, place + 1, noun)
    if (
        w.at(place).category in ("sup", "cmp")
        and w.at(place + 1).text == "of"
        and (read := noun_phrase(w, place + 2)) is not None
    ):
        whole, end = read
        noun.of = (*whole.of, Extreme(w.at(place).value, whole.of))
        noun.quantifier, noun.head = "the", "S"
        return _after(w, end, noun)
    conditions, place, superlatives = read_adjectives(w, place, noun)
    word = w.at(place)
    if word.category == "S":
        noun.head, noun.plural = "S", word.value.endswith("+")
        conditions.append(Is("shape", (word.value.rstrip("+"),)))
        place += 1
    elif word.category == "g":
        if _is_quality(w, place, noun, first):
            noun.head, noun.attribute = "Q", "shape"
        else:
            noun.head, noun.plural = "g", word.value == "+"
        place += 1
    elif word.text in ("one", "ones") and (determined or conditions or superlatives or noun.other):
        noun.head, noun.plural = "one", word.text == "ones"
        place += 1
    elif word.category == "Q":
        noun.head, noun.attribute = "Q", word.value
        noun.plural = word.text.endswith("s")
        place += 1
    elif word.category == "x" and is_pattern(word) and not definite:
        return None
    elif word.text in ("position", "location") and (definite or w.at(place + 1).text == "of"):
        noun.head, noun.attribute = "Q", "place"
        place += 1
    elif word.category in ("I", "B"):
        noun.head = word.category
        place += 1
    elif _headless(w, place, noun, conditions, superlatives, determined):
        noun.head, noun.elided = "one", True
    else:
        return None
    ordinal = noun.word
    noun.word = word.text
    if noun.pick and noun.quantifier == "a" and ordinal:
        # "a third circle"
        noun.ordinal, noun.pick = ordinal, False
    if definite and noun.quantifier in ("bare", "num"):
        noun.quantifier = "the"
    if noun.head in ("Q", "I", "B"):
        noun.of = tuple(conditions)
        return _quality(w, place, noun) if noun.head == "Q" else (noun, place)
    if noun.head == "one":
        conditions = list(_anaphoric(w, noun, tuple(conditions)))
    base = tuple(conditions)
    for side, _ in superlatives:
        base = (*base, Extreme(side, base))
    noun.of = base
    return _after(w, place, noun)


def _pronoun(w: Words, place: int, noun: Noun) -> tuple[Noun, int] | None:
    text, after = w.at(place).text, w.at(place + 1)
    if text in ("everything", "nothing", "anything", "something", "all"):
        if (
            text == "all"
            and (
                after.category in ("#", "S", "g", "B", *ATTRIBUTE_OF)
                or after.text
                in (
                    "the",
                    "of",
                    "these",
                    "those",
                    "its",
                    "other",
                    "three",
                    "our",
                    "that",
                )
            )
        ) and (not (after.category in ATTRIBUTE_OF and adjectives_end(w, place + 1))):
            return None
        noun.head = "g"
        noun.quantifier = {"nothing": "no", "everything": "all", "all": "all"}.get(text, "a")
        noun.plural = text in ("all", "everything")
        end = place + 1
        if after.text == "else":
            noun.other = True
            end += 1
        if text == "all":
            group = w.discourse.several()
            noun.head = "pron"
            if group is not None:
                noun.of, noun.whose = as_group(group.of), group
            return noun, end
        noun.any = text == "anything"
        if text != "all" and w.at(end).category in ATTRIBUTE_OF and not w.unmodified:
            # "something red"
            while w.at(end).category in ATTRIBUTE_OF:
                noun.of = (*noun.of, Is(ATTRIBUTE_OF[w.at(end).category], (w.at(end).value,)))
                end += 1
        if noun.other:
            taken = w.discourse.subject
            if taken is not None and text != "something":
                noun.of = (Not(taken.of),)
        return _after(w, end, noun)
    if text not in _PRONOUNS:
        return None
    if text in ("its", "their"):
        return None
    plural = text in ("they", "them", "these", "those")
    if text in ("this", "that", "these", "those") and (
        after.category in ("S", "g", "z", "C", "x", "y", "I", "sup", "#", "B", "Q", "G1", "cmp")
        or after.text in ("one", "ones")
    ):
        return None
    noun.head, noun.plural, noun.word = "pron", plural, text
    end = place + 1
    if w.at(end).text in ("both", "all", "each") and plural:
        noun.quantifier = "both" if w.at(end).text == "both" else "all"
        end += 1
    referent = referent_of(w.discourse, plural)
    if referent is None:
        noun.quantifier = "all" if plural and noun.quantifier == "bare" else noun.quantifier
        if noun.quantifier == "bare":
            noun.quantifier = "the"
        noun.whose = None
        return noun, end
    noun.whose = referent
    noun.of = as_group(referent.of) if plural else referent.of
    if noun.quantifier == "bare":
        noun.quantifier = "all" if plural else "the" if referent.quantifier != "some" else "a"
    return noun, end


def _partitive_follows(w: Words, place: int) -> bool:
    word = w.at(w.skip(place))
    return word.text in (
        "the", "them", "these", "those", "which", "its", "all", "us", "my", "that", "this",
    ) or word.category in ("that", "#", "S", "g", *ATTRIBUTE_OF)  # fmt: skip


def _partitive(w: Words, place: int, noun: Noun) -> tuple[Noun, int] | None:
    """Read "two of the red circles", "none of them"."""
    place = w.skip(place)
    if w.at(place).text == "which":
        group = w.discourse.several() or w.discourse.it
        whole, end = Noun("all", group.of if group else (), "pron", True, whose=group), place + 1
    else:
        read = noun_phrase(w, place)
        if read is None:
            return None
        whole, end = read
    noun.partitive = True
    noun.head = "one" if whole.head == "pron" else whole.head
    noun.plural = True
    noun.of = whole.of
    noun.excepted = whole.excepted
    noun.asides += whole.asides
    noun.whose = Referent("all", whole.of, whole.number)
    if noun.quantifier == "bare":
        noun.quantifier = "the"
    return noun, end


def _is_quality(w: Words, place: int, noun: Noun, first: Word) -> bool:
    """Tell "its shape" and "the shape of the red one" from "the shape"."""
    if w.at(place).text not in ("shape", "form", "shapes"):
        return False
    if noun.owner is not None or noun.alike in ("same", "different"):
        return True
    after = w.at(place + 1)
    if w.at(place).text == "form" and first.text == "the" and after.category in ("aux", "that"):
        return True
    return after.text == "of" and w.at(place + 2).text in ("the", "this", "that", "it")


def _headless(
    w: Words,
    place: int,
    noun: Noun,
    conditions: list[Condition],
    superlatives: list[tuple[str, int]],
    determined: bool,
) -> bool:
    """Whether a phrase may stand without a noun: "two", "the other", "one red", "the biggest"."""
    if not determined and not superlatives:
        return False
    after = w.at(place)
    if superlatives:
        return True
    if conditions:
        return (
            bool(noun.number)
            or noun.other
            or noun.another
            or (
                noun.quantifier in ("all", "both", "neither")
                and after.category in ("aux", "k", "h")
            )
            or after.category in ("aux", "h")
        )
    return (
        bool(noun.number)
        or noun.other
        or noun.another
        or noun.pick
        or noun.quantifier in ("no", "both", "neither", "all", "most", "half", "notall")
        or w.at(place - 1).text in ("some", "any")
    )


def _anaphoric(w: Words, noun: Noun, said: Description) -> Description:
    """Say what "one", "two", "both" or "the other" mean here."""
    discourse = w.discourse
    if noun.other or noun.pick:
        group = discourse.several()
        if noun.other and discourse.picks and discourse.picked_from is not None:
            group = Referent("all", discourse.picked_from)
        base = group.of if group is not None else plain(discourse.noun)
        if not noun.elided:
            noun.whose = group
        return (*said, *as_group(base)) if not said else (*said, *_without(base, said))
    if noun.quantifier in ("both", "neither", "all", "no", "most", "half", "notall") and not said:
        group = discourse.several()
        if group is not None:
            noun.whose = group
            return as_group(group.of)
    if noun.elided and noun.number and not said and discourse.they is not None:
        noun.whose = discourse.they
        return as_group(discourse.they.of)
    group = discourse.they
    if group is not None and said and not discourse.noun:
        return (*said, *_without(group.of, said))
    return discourse.one(said)


def _without(base: Description, said: Description) -> Description:
    """The group's description, but for attributes that are said anew."""
    anew = {condition.attribute for condition in said if isinstance(condition, Is)}
    return tuple(c for c in base if not (isinstance(c, Is) and c.attribute in anew))


def _quality(w: Words, place: int, noun: Noun) -> tuple[Noun, int]:
    """Read the owner of "the colour of the circle"."""
    ahead = place
    if w.at(ahead).text in ("you", "we", "i") or w.at(ahead).category == "see":
        # "the colour you see on the square"
        while w.at(ahead).text in ("you", "we", "i") or w.at(ahead).category in (
            "aux",
            "see",
            "maybe",
        ):
            ahead += 1
        if w.at(ahead - 1).category == "aux":
            ahead -= 1
        if w.at(ahead - 1).category != "see":
            ahead = place
    place = ahead
    if (
        w.at(place).text in ("of", "on", "for", "in")
        and (read := noun_phrase(w, place + 1)) is not None
    ):
        if read[0].head != "I":
            noun.owner, place = read
    elif (
        w.at(place).category == "that"
        and (read := noun_phrase(w, place + 1)) is not None
        and (w.at(w.skip(read[1])).category in ("h", "show"))
    ):
        noun.owner, place = read[0], w.skip(read[1]) + 1
    elif w.at(place).category == "&" and w.at(place + 1).category == "Q":
        # "its size and colour": the first will do.
        place += 2
    return noun, place


def _after(w: Words, place: int, noun: Noun) -> tuple[Noun, int]:
    """Read what follows the noun: "with stripes", "that is red", "on the left", "except ..."."""
    # Phrases hold predicates that hold phrases: grammar is recursive, imports are not.
    from polite_flamingo.shapes.reading.predicates import modifier

    while True:
        ahead = w.skip(place)
        word = w.at(ahead)
        if word.category == "except" or (
            word.category == "but" and word.text == "but" and noun.quantifier in ("all", "no", "notall")
            and w.at(ahead + 1).text in ("the", "one", "a", "for")
        ):  # fmt: skip
            read = noun_phrase(w, ahead + 1)
            if read is None:
                break
            noun.excepted = (*noun.of, *read[0].of) if read[0].head == "one" else read[0].of
            place = read[1]
            continue
        if (word.text == "'s" and w.at(w.skip(ahead + 1)).category in ("Q", "G1")) or (
            word.text == "'s" and w.at(ahead + 1).text == "shape"
        ):
            owner = noun
            read_quality = w.at(w.skip(ahead + 1))
            attribute = "shape" if read_quality.text == "shape" else read_quality.value
            if read_quality.category == "G1":
                break
            return Noun("the", (), "Q", attribute=attribute, owner=owner), w.skip(ahead + 1) + 1
        if (
            word.category == "p"
            and w.at(w.skip(ahead + 1)).category in ("aux", "k", "h")
            and noun.quantifier == "the"
        ):
            # "the rectangle visible is plain"
            place = ahead + 1
            continue
        if word.category == "," and w.at(ahead + 1).category in ("k", "paint"):
            inserted = modifier(w, ahead + 1, noun)
            if inserted is not None and w.at(inserted[1]).category == ",":
                noun.of, place = (*noun.of, *inserted[0]), inserted[1] + 1
                break
        if word.text in ("you", "we", "i") and w.at(ahead + 1).category in (
            "aux",
            "see",
            "maybe",
            "h",
        ):
            # "the shape you see is ..."
            end = ahead + 1
            while w.at(end).category in ("aux", "see", "maybe", "h", "i", "f"):
                end += 1
            if w.at(end - 1).category in ("see", "i", "h") and w.at(end).category in (
                "k",
                "not",
                "end",
            ):
                place = end
                continue
            if w.at(end - 1).category == "aux" and w.at(end - 2).category in ("see", "i"):
                place = end - 1
                continue
        if (
            word.category == ","
            and w.at(ahead + 1).text
            in ("like", "just like", "unlike", "in contrast to", "as opposed to the")
            and (other := noun_phrase(w, ahead + 2)) is not None
            and w.at(w.skip(other[1])).category == ","
        ):
            noun.contrast.append((other[0], w.at(ahead + 1).category == "like"))
            place = w.skip(other[1]) + 1
            break
        found = None if w.unmodified else modifier(w, ahead, noun)
        if found is None:
            break
        conditions, place, asides = found
        noun.of = (*noun.of, *conditions)
        noun.asides += asides
    if noun.head == "one" and not noun.partitive:
        # "the one with stripes" of dotted things: what is said last counts.
        last = {c.attribute: c for c in noun.of if isinstance(c, Is)}
        noun.of = tuple(c for c in noun.of if not isinstance(c, Is) or last[c.attribute] is c)
    return noun, place
