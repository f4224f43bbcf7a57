"""Noun phrases: determiner, number, adjectives, noun, and what is said of it behind the noun."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from polite_flamingo.shapes.reading.claims import (
    AnyOf,
    Claim,
    Condition,
    Description,
    Extreme,
    Group,
    In,
    Is,
    Not,
    Related,
    Sole,
    Unsettled,
    plain,
)
from polite_flamingo.shapes.reading.discourse import Discourse, Referent, as_group
from polite_flamingo.shapes.reading.words import END, Word

ATTRIBUTE_OF = {"C": "color", "y": "shape", "z": "size", "x": "texture"}
_PRONOUNS = {"it", "they", "them", "this", "that", "these", "those", "he", "she", "its", "their"}
_PREPOSITIONS = {
    "in", "on", "at", "to", "toward", "towards", "near", "along", "around", "within", "inside",
    "into", "by", "from", "close", "over", "down", "up", "off", "out", "against",
}  # fmt: skip


@dataclass
class Noun:
    """A noun phrase as read: which things (``of``) and how many of them (``quantifier``).

    ``head``: S (named shape), g (thing), one ("the red one", "two"), pron, Q (``attribute``, such
    as "its colour"), I (image), B (background). ``quantifier``: the, a, bare, num, no, all, both,
    neither, most, half, notall. ``each``: values that are things of their own ("red and blue
    stars"). ``unsure``: an undecided choice.
    """

    quantifier: str = "bare"
    of: Description = ()
    head: str = ""
    plural: bool = False
    number: str = ""
    only: bool = False
    other: bool = False
    another: bool = False
    pick: bool = False
    partitive: bool = False
    excepted: Description | None = None
    attribute: str = ""
    owner: Noun | None = None
    alike: str = ""
    each: bool = False
    unsure: bool = False
    asides: list[Claim] = field(default_factory=list)
    elided: bool = False
    word: str = ""
    whose: Referent | None = None


class Words:
    """The words of a sentence with a sentinel behind them, and the discourse so far."""

    def __init__(self, words: list[Word], discourse: Discourse) -> None:
        self.words = words
        self.size = len(words)
        self.discourse = discourse
        # Set while the subject of a question is read: "is the star | above the circle?".
        self.unmodified = False

    def at(self, place: int) -> Word:
        return self.words[place] if 0 <= place < self.size else END

    def skip(self, place: int) -> int:
        """Pass over fillers and phrases about the whole image."""
        while place < self.size and self.words[place].category in ("f", "i", "hedge"):
            place += 1
        return place


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
    place, definite, determined = _determiners(w, place, noun)
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
    conditions, place, superlatives = _adjectives(w, place, noun)
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
    elif word.category == "x" and _pattern_word(word) and not definite:
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
        noun.quantifier, noun.number, noun.pick = "num", f">={ordinal}", False
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


def _pattern_word(word: Word) -> bool:
    return word.text in ("stripes", "dots", "spots", "polka dots", "stripe", "bands", "speckles")


def _pronoun(w: Words, place: int, noun: Noun) -> tuple[Noun, int] | None:
    text, after = w.at(place).text, w.at(place + 1)
    if text in ("everything", "nothing", "anything", "something", "all"):
        if text == "all" and (after.category in ("#", "S", "g", "B", *ATTRIBUTE_OF) or after.text in (
            "the", "of", "these", "those", "its", "other", "three", "our", "that",
        )):  # fmt: skip
            if not (after.category in ATTRIBUTE_OF and _adjectives_end(w, place + 1)):
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
        if noun.other:
            noun.quantifier = {"a": "a"}.get(noun.quantifier, noun.quantifier)
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
    referent = _referent(w.discourse, plural)
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


def _adjectives_end(w: Words, place: int) -> bool:
    """Whether adjectives stand here without a noun behind them."""
    while w.at(place).category in (*ATTRIBUTE_OF, "f", "&", ","):
        place += 1
    return w.at(place).category not in ("S", "g") and w.at(place).text not in ("ones", "one")


def _referent(discourse: Discourse, plural: bool) -> Referent | None:
    if plural:
        return discourse.several() or discourse.it or discourse.asked
    return discourse.it or discourse.asked or discourse.they


def _determiners(w: Words, place: int, noun: Noun) -> tuple[int, bool, bool]:
    start, definite = place, False
    if w.at(place).category == "not":
        after = w.at(place + 1)
        if after.text in ("a", "an", "any", "single") or (
            after.category == "#" and after.value == "=1"
        ):
            noun.quantifier = "no"
            place += 2
            if w.at(place).text == "single":
                place += 1
        elif after.text in ("all", "every", "each", "both", "everything"):
            noun.quantifier = "notall"
            place += 2
        elif after.category == "#":
            noun.quantifier = "notnum"
            noun.number = after.value
            place += 2
        else:
            return place, False, False
        if noun.quantifier == "notall" and w.at(place).text == "the":
            place += 1
    while True:
        word = w.at(place)
        text, category = word.text, word.category
        if text in ("the", "this", "these", "those", "that", "said"):
            if text == "that" and not (
                w.at(place + 1).category in ("S", "g", "z", "C", "x", "y", "B", "I")
                or w.at(place + 1).text == "one"
            ):
                break
            definite = True
        elif text in ("its", "their"):
            definite = True
            noun.owner = _possessor(w, text == "their")
        elif text in ("a", "an", "some", "any"):
            if noun.quantifier == "bare":
                noun.quantifier = "a"
        elif text == "another":
            noun.quantifier, noun.another = "a", True
        elif text in ("other", "others", "rest", "remaining", "remainder"):
            noun.other = True
            if text in ("others", "rest", "remainder"):
                noun.plural = True
        elif category == "k" and text in ("remaining", "rest"):
            noun.other = noun.plural = True
        elif category == "no" or text == "none":
            noun.quantifier = "no"
        elif text in ("all", "each", "every", "whichever"):
            noun.quantifier = "all"
        elif text == "both":
            noun.quantifier, noun.plural = "both", True
        elif text == "neither":
            noun.quantifier = "neither"
        elif text == "either":
            noun.quantifier = "a"
        elif category == "most":
            noun.quantifier = "most"
        elif category == "half":
            noun.quantifier = "half"
        elif category == "ord":
            noun.pick, noun.word = True, word.value
        elif category == "#":
            numeral = text in ("one",) or word.value == "=1"
            if text == "one" and (
                definite or noun.quantifier in ("all", "a") or noun.other or noun.pick
            ):
                # "the one with dots", "each one", "the other one"; but "the one red circle".
                if w.at(place + 1).category not in ("S", "g", *ATTRIBUTE_OF):
                    break
            noun.number = word.value
            noun.plural = not numeral
            if noun.quantifier == "bare":
                noun.quantifier = "num"
        elif category == "f" and place > start:
            pass
        elif category == "only" and place > start:
            noun.alike = "only"
        elif category == "i" and text == "one":
            pass
        else:
            break
        place += 1
    return place, definite, place > start


def _possessor(w: Words, plural: bool) -> Noun:
    referent = _referent(w.discourse, plural)
    if referent is None:
        return Noun("all" if plural else "the", (), "pron", plural)
    quantifier = "all" if plural else "a" if referent.quantifier == "some" else "the"
    return Noun(quantifier, referent.of, "pron", plural, whose=referent)


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
    if w.at(end).category == "only" and False:
        end += 1
    return noun, end


def _adjectives(
    w: Words, place: int, noun: Noun
) -> tuple[list[Condition], int, list[tuple[str, int]]]:
    """Read adjectives before a noun: values by attribute, places, superlatives."""
    values: dict[str, list[str]] = {}
    denied: list[Condition] = []
    superlatives: list[tuple[str, int]] = []
    sides: list[str] = []
    joined = False
    begin = place
    while True:
        word = w.at(place)
        category = word.category
        if category in ATTRIBUTE_OF:
            if _pattern_word(word) and w.at(place + 1).category != "S":
                break
            values.setdefault(ATTRIBUTE_OF[category], []).append(word.value)
        elif category in ("&", ",", "or") and place > begin and _more_adjectives(w, place + 1):
            joined = joined or category != ","
            noun.unsure = noun.unsure or category == "or"
        elif category == "sup" or (
            (category == "cmp"
            and w.at(place + 1).category in ("S", "g", "f"))
            or (category == "cmp" and w.at(place + 1).text in ("one", "ones"))
        ):
            superlatives.append((word.value, place))
        elif category == "alike" and (w.at(place + 1).category in ("Q", "S", "g", "C")):
            noun.alike = word.value
        elif category in ("G1", "G2") and _place_adjective(w, place):
            sides.append(word.value)
        elif category == "f":
            pass
        elif category == "not" and w.at(place + 1).category in ATTRIBUTE_OF:
            follow = w.at(place + 1)
            denied.append(Not((Is(ATTRIBUTE_OF[follow.category], (follow.value,)),)))
            place += 1
        elif category == "only" and place == begin:
            noun.alike = "only"
        elif (
            (category == "paint"
            and place > begin)
            or (
                category in ("paint", "p") and w.at(place + 1).category in (*ATTRIBUTE_OF, "S", "g")
            )
        ):
            pass
        elif category == "#" and superlatives:
            noun.number, noun.plural = word.value, True
        elif word.text == "non" and w.at(place + 1).category in ATTRIBUTE_OF:
            follow = w.at(place + 1)
            denied.append(Not((Is(ATTRIBUTE_OF[follow.category], (follow.value,)),)))
            place += 1
        else:
            break
        place += 1
    conditions: list[Condition] = [Is(name, tuple(found)) for name, found in values.items()]
    # "a red, blue and green star set": several values of one attribute are one of each.
    noun.each = joined and any(len(found) > 1 for found in values.values())
    if not noun.each:
        conditions = [
            Is(name, (found[0],))
            if len(set(found)) == 1 or name != "color"
            else Is(name, tuple(found))
            for name, found in values.items()
        ]
        noun.each = any(len(c.values) > 1 for c in conditions if isinstance(c, Is))
    if sides:
        conditions.append(In(" ".join(dict.fromkeys(sides))))
    return conditions + denied, place, superlatives


def _more_adjectives(w: Words, place: int) -> bool:
    """Whether only adjectives stand here, with a noun behind them."""
    start = place
    while w.at(place).category in (*ATTRIBUTE_OF, "f") or (
        place > start and w.at(place).category in ("&", ",", "or")
    ):
        place += 1
    word = w.at(place)
    return place > start and (
        word.category in ("S", "g", "B", "I") or word.text in ("one", "ones", "pattern")
    )


def _place_adjective(w: Words, place: int) -> bool:
    """Tell "the top left circle" from "the top left of the image"."""
    while w.at(place).category in ("G1", "G2", *ATTRIBUTE_OF, "f"):
        place += 1
    return w.at(place).category in ("S", "g") or w.at(place).text in ("one", "ones")


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
        if (
            (word.text == "'s"
            and w.at(w.skip(ahead + 1)).category in ("Q", "G1"))
            or (word.text == "'s" and w.at(ahead + 1).text == "shape")
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


def group_of(w: Words, noun: Noun) -> Group:
    """The other side of a relation to a noun phrase."""
    of = final(noun)
    if noun.quantifier in ("all", "both") or (noun.quantifier == "the" and noun.plural):
        return Group("all", of)
    if noun.quantifier in ("a", "num", "bare", "no", "neither") and noun.head != "pron":
        return Group("some" if noun.quantifier != "bare" else "the", of)
    return Group("the" if not noun.plural else "all", of)


def final(noun: Noun) -> Description:
    """The description of a noun phrase without what it excepts."""
    if noun.excepted is not None:
        return (*noun.of, Not(noun.excepted))
    return noun.of


def with_only(noun: Noun, of: Description) -> Description:
    """The description as a predicate: "the only large thing" is true of one thing alone."""
    return (Sole(of),) if noun.alike == "only" and of else of


__all__ = [
    "ATTRIBUTE_OF",
    "AnyOf",
    "Noun",
    "Related",
    "Unsettled",
    "Words",
    "final",
    "group_of",
    "noun_phrase",
    "replace",
    "with_only",
]
