"""Clauses: from the words of a sentence to claims, with the discourse kept along the way."""

from __future__ import annotations

from dataclasses import replace

from polite_flamingo.shapes.reading.claims import (
    AnyOf,
    Claim,
    Condition,
    Description,
    In,
    Is,
    Not,
    attributes,
    deny,
    plain,
)
from polite_flamingo.shapes.reading.discourse import Discourse, Referent, as_group
from polite_flamingo.shapes.reading.nouns import (
    ATTRIBUTE_OF,
    Noun,
    Words,
    final,
    noun_phrase,
)
from polite_flamingo.shapes.reading.predicates import (
    Predicate,
    background,
    feature,
    predicate,
    relation,
    verbs,
    where,
)
from polite_flamingo.shapes.reading.query import Query
from polite_flamingo.shapes.reading.words import Word

_WHO = {"i", "you", "we", "one", "they", "anyone"}
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
)
_ADDITIVE = {
    "add", "also", "as well", "too", "additionally", "in addition", "furthermore", "moreover", "besides that",
}  # fmt: skip
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
_STARTS = ("aux", "k", "h", "show", "lack", "gone", "p", "maybe")


class Reader:
    """Reads one sentence after another; ``claims`` grows."""

    def __init__(self, query: Query | None, discourse: Discourse) -> None:
        self.query = query
        self.d = discourse
        self.claims: list[Claim] = []
        self.flip = False
        self.answered: list[Claim] = []
        self.said_answer = ""
        self.words: list[Word] = []

    # --- sentences -------------------------------------------------------------------------

    def sentence(self, words: list[Word]) -> None:
        """Read the claims of one sentence."""
        self.flip = False
        w = Words(words, self.d)
        self.words = words
        place = 0
        while place < w.size:
            before = place
            place = self.clause(w, place)
            if place <= before:
                place = self.next_anchor(w, before)

    def next_anchor(self, w: Words, place: int) -> int:
        """Go on behind words that say nothing: to the next comma or the next clear clause."""
        place += 1
        while place < w.size:
            word, after = w.at(place), w.at(place + 1)
            if word.category in (",", "but", ":"):
                return place
            if word.text in ("there",) and after.category in ("aux", "k", "maybe"):
                return place
            if (
                word.text in _WHO
                and after.category in ("see", "aux", "maybe")
                and self._sees(w, place)
            ):
                return place
            if (
                word.text in ("the", "it", "they", "all", "both", "each", "every", "its")
                or word.category == "no"
            ):
                read = noun_phrase(w, place)
                if read is not None and verbs(w, read[1])[2]:
                    return place
            place += 1
        return place

    def _sees(self, w: Words, place: int) -> int:
        """The place behind "I can see", "you will find"; 0 if there is no such thing."""
        place += 1
        while w.at(place).category in ("aux", "f", "maybe", "not", "h", "hedge"):
            place += 1
        if w.at(place).text in ("able", "to"):
            place += 1
        return place + 1 if w.at(place).category == "see" else 0

    # --- clauses ---------------------------------------------------------------------------

    def clause(self, w: Words, place: int) -> int:
        """Read one clause and return where it ends; the same place if nothing was understood."""
        place = w.skip(place)
        word = w.at(place)
        category, text = word.category, word.text
        if category in (",", ":", "&", "or", "nor") or text in ("that", "and"):
            framed = w.at(place - 1).category in ("f", "hedge", "aux") and place > 0
            if framed or not (
                text == "that" and w.at(place + 1).category in ("aux", "S", "g", "k", "C")
            ):
                return place + 1
        if category == "but":
            self.flip = False
            return place + 1
        if category == "negframe":
            self.flip = not self.flip
            return place + 1
        if category in ("Y", "X") or (category == "no" and self._set_off(w, place)):
            return self.yes_or_no(w, place)
        if category == "namely":
            return self.namely(w, place + 1)
        if category == "call":
            return self.calling(w, place)
        if (
            text == "the"
            and w.at(place + 1).text in ("position", "place", "spot", "space", "area", "location")
            and (told := self.what_stands(w, place + 1))
        ):
            return told
        if text == "what" and (told := self.what_stands(w, place)):
            return told
        if text == "the" and (holder := where(w, place, bare=True)) is not None:
            end, denied, kind, _ = verbs(w, w.skip(holder[1]))
            if kind in ("show", "have", "lack") and noun_phrase(w, end) is not None:
                # "the top left holds a star"
                return self.list_existing(w, end, denied != (kind == "lack"), tuple(holder[0]))
        if text == "on" and (surface := self.on_surface(w, place)):
            return surface
        if text == "as" and w.at(place - 1).category in (",", "f") and w.at(place + 2).text != "as":
            return place + 1
        if (
            text == "speaking of"
            or (text in ("speaking", "regarding", "concerning", "as for"))
            or (category == "topic")
        ):
            named = noun_phrase(w, place + 1)
            if named is not None and w.at(w.skip(named[1])).category in (",", ":"):
                self.mention([named[0]])
                return named[1]
        if (
            text == "for"
            and (topic := noun_phrase(w, place + 1))
            and w.at(w.skip(topic[1])).category == ","
        ):
            self.mention([topic[0]])
            return topic[1]
        if (
            category in ATTRIBUTE_OF
            and w.at(place + 1).text in ("is", "would")
            and (named := noun_phrase(w, verbs(w, place + 1)[0]))
        ) and named[0].head == "Q":
            said = Predicate(of=[Is(ATTRIBUTE_OF[category], (word.value,))], empty=False)
            owner = named[0].owner or Noun("the", (), "pron")
            self.say([owner], said, "be")
            return named[1]
        if category == "ord" or (text == "the" and w.at(place + 1).category == "ord"):
            chosen = self.chosen(w, place + (text == "the"))
            if chosen:
                return chosen
        for read in (
            self.existential, self.seeing, self.comparing, self.number_of, self.like,
            self.only_image, self.fronted, self.subject, self.fragment,
        ):  # fmt: skip
            end = read(w, place)
            if end > place:
                return end
        return place

    def what_stands(self, w: Words, place: int) -> int:
        """Read "what stands above the star is a circle"; 0 if not so."""
        end, _, kind, _ = verbs(w, place + 1)
        if not kind and w.at(place).text != "what":
            end, kind = place + 1, "be"
        found = where(w, end) or relation(w, end) if kind else None
        if found is None:
            return 0
        after, denied, kind, _ = verbs(w, w.skip(found[1]))
        after = w.skip(after)
        if w.at(after).text == "that" and w.at(after + 1).text == "of":
            after += 2
        elif w.at(after).category in ("h", "paint", "p") or w.at(after).text in (
            "taken",
            "occupied",
        ):
            after = w.skip(after + 1)
            after += w.at(after).text in ("by", "of")
        named = noun_phrase(w, after) if kind else None
        if named is None or named[0].head not in ("S", "g", "one"):
            return 0
        of = tuple(found[0])
        noun = named[0]
        if noun.quantifier == "the":
            self.say([noun], Predicate(of=[Not(of)] if denied else [*of], empty=False), "be")
        else:
            self.existing(w, [noun], denied, of)
        return named[1]

    def on_surface(self, w: Words, place: int) -> int:
        """Read "on the square there are dots", "on the star you see no pattern"; 0 if not so."""
        w.unmodified = True
        read = noun_phrase(w, place + 1)
        w.unmodified = False
        if read is None or read[0].head not in ("S", "g", "pron", "one"):
            return 0
        at = w.skip(read[1])
        at = w.skip(at + 1) if w.at(at).category == "," else at
        if w.at(at).text == "there":
            at += 1
        seen = self._sees(w, at) if w.at(at).text in _WHO else 0
        end, denied, kind, _ = verbs(w, at)
        if not (kind or seen):
            return 0
        said = predicate(w, seen or end, "have", denied)
        if said is None or said[0].empty:
            return 0
        self.say([read[0]], said[0], "have")
        return said[1]

    def chosen(self, w: Words, place: int) -> int:
        """Read "the former" as an answer to "is it red or blue?"."""
        query, value = self.query, w.at(place).value
        if (
            query is None
            or not query.options
            or w.at(place + 1).category not in ("end", ",", "but")
        ):
            return 0
        topic = query.topic()
        if topic is None or not value or int(value) > len(query.options):
            return 0
        self.say([topic], Predicate(of=list(query.options[int(value) - 1]), empty=False), "be")
        return place + 1

    def calling(self, w: Words, place: int) -> int:
        """Read "I would call the star small", "you could describe it as a circle"."""
        w.unmodified = True
        read = noun_phrase(w, place + 1)
        w.unmodified = False
        if read is None:
            return place + 1
        noun, end = read
        end = w.skip(end)
        if noun.head == "Q" and noun.owner is not None:
            noun = noun.owner
        self.note_subject([noun])
        said = predicate(w, end, "be", w.at(place).value == "not")
        if said is None or said[0].empty:
            return end
        self.say([noun], said[0], "be")
        return said[1]

    def _set_off(self, w: Words, place: int) -> bool:
        after = w.at(place + 1)
        return after.category in ("end", ",", ":", "but", "hedge", "Y", "X", "&") or (
            after.text
            in (
                "there",
                "it",
                "i",
                "they",
                "the",
                "this",
                "its",
                "both",
                "that",
                "we",
                "you",
                "neither",
            )
        )

    def yes_or_no(self, w: Words, place: int) -> int:
        word = w.at(place)
        yes = word.category == "Y"
        follow = w.at(place + 1)
        query = self.query
        if query is None or query.kind != "yes":
            return place + 1
        if (
            w.at(place).text in ("definitely", "certainly", "absolutely", "clearly")
            and follow.category == "not"
        ):
            yes, place = False, place + 1
        if not (self.said_answer or self.answered):
            claim = query.claim()
            if claim is not None:
                self.said_answer = "yes" if yes else "no"
                self.answered = [claim if yes != query.negated else deny((claim,))]
                if query.negated:
                    self.answered = [claim if yes else deny((claim,))]
        return place + 1

    # --- there is, I see, the image shows -----------------------------------------------------

    def existential(self, w: Words, place: int) -> int:
        if w.at(place).text not in ("there", "here") or w.at(place).category != "o":
            return place
        end, denied, kind, _ = verbs(w, place + 1)
        if not kind and w.at(place).text == "here" and w.at(place + 1).text in ("we", "you", "i"):
            return place + 1
        if not kind:
            return place
        return self.list_existing(w, end, denied, ())

    def list_existing(self, w: Words, place: int, denied: bool, conditions: Description) -> int:
        """Read what is there: a list of nouns, or nothing ("yes, there is")."""
        start = place
        place = w.skip(place)
        if w.at(place).category == "not":
            after = w.at(place + 1)
            if after.text in ("a", "an", "any", "only", "even"):
                denied, place = not denied, place + 1
        if w.at(place).category == "p" or w.at(place).category == "gone":
            return start
        if w.at(place).category == "no" and w.at(place + 1).category == "more":
            denied, place = not denied, place + 1
        if w.at(place).category == "more" or w.at(place).text == "as":
            end = self.compare_list(w, place, denied)
            if end > place:
                return end
        shown = feature(w, place)
        if shown is not None and w.at(shown[1]).text in ("on", "in", "across", "over"):
            # "you can see stripes on the star"
            bearer = noun_phrase(w, shown[1] + 1)
            if bearer is not None and bearer[0].head in ("S", "g", "pron", "one"):
                of = [Not(tuple(shown[0]))] if denied else shown[0]
                self.say([bearer[0]], Predicate(of=of, empty=False), "have")
                return bearer[1]
        nouns, end = self.nouns(w, place)
        if not nouns:
            if (
                self.query is not None
                and self.query.claims
                and w.at(place).category in ("end", ",", "but", "&")
            ):
                self.settle(
                    self.query.claims if not denied else (deny(self.query.claims),), answer=True
                )
                return max(place, start)
            if w.at(place).category in ("end", ",", "but"):
                return max(place, start)
            return start
        if len(nouns) == 1 and nouns[0].head == "pron" and not nouns[0].plural and nouns[0].of:
            # "you can find it in the middle"
            said = predicate(w, end, "be", denied)
            if said is not None and said[0].of:
                self.note_subject(nouns)
                self.say(nouns, said[0], "be")
                return said[1]
        if nouns[0].head == "Q" and nouns[0].number:
            self.settle(tuple(self.shared_values(nouns[0])))
            return self.value_list(w, end)
        self.existing(w, nouns, denied, conditions)
        end = self.trailing(w, end, nouns)
        return end

    def trailing(self, w: Words, end: int, nouns: list[Noun]) -> int:
        """Read "visible", "in the top left" or ": a circle, ..." behind what is there."""
        while w.at(w.skip(end)).category in ("p",) or w.at(end).category == "i":
            end = w.skip(end) + 1
        if w.at(end).category in (":", "namely") or (
            w.at(end).category == "," and w.at(end + 1).category == "namely"
        ):
            return self.namely(w, end + (2 if w.at(end).category == "," else 1))
        return end

    def nouns(self, w: Words, place: int) -> tuple[list[Noun], int]:
        """Read a list of noun phrases; a noun that begins a new clause is left alone."""
        found: list[Noun] = []
        place = w.skip(place)
        if (
            w.at(place).text in ("both", "either", "neither")
            and noun_phrase(w, place + 1) is not None
        ):
            inner = noun_phrase(w, place + 1)
            if (
                inner
                and w.at(inner[1]).category in ("&", "or", "nor", ",")
                and inner[0].head == "S"
                and (w.at(place + 1).text in ("the", "a", "an", "any"))
            ):
                if w.at(place).text == "neither":
                    found, end = self.nouns(w, place + 1)
                    for noun in found:
                        noun.pick = False
                        noun.quantifier = "no" if noun.quantifier != "the" else "neithernor"
                    return found, end
                place += 1
        end = place
        joint = ""
        while True:
            read = noun_phrase(w, place)
            if read is None or (read[0].head == "I" and not read[0].of):
                break
            noun, after = read
            if found and self._new_clause(w, place, after, noun, joint, found):
                break
            if joint in ("or", "nor"):
                noun.asides = list(noun.asides)
                if found[0].quantifier in ("no", "neithernor"):
                    if noun.quantifier in ("bare", "a", "num") or joint == "nor":
                        noun.quantifier = "no"
                elif joint == "or":
                    found[0].unsure = True
                    noun.unsure = True
            elif (
                joint == "&" and found[0].quantifier == "no" and noun.quantifier == "bare"
                and noun.head == "S"
            ):  # fmt: skip
                noun.quantifier = "no"
            found.append(noun)
            end = after
            mark = w.skip(end)
            joint = w.at(mark).category
            if joint not in ("&", ",", "or", "nor"):
                break
            place = mark + 1
            while w.at(w.skip(place)).category in ("&", "or", "nor", ","):
                joint = w.at(w.skip(place)).category
                place = w.skip(place) + 1
            place = w.skip(place)
            if w.at(place).category == "not":
                break
        self._share_nouns(found)
        return found, end

    def _new_clause(
        self, w: Words, place: int, after: int, noun: Noun, joint: str, found: list[Noun]
    ) -> bool:
        if w.at(place).category in ("G1", "G2") and where(w, place) is not None:
            return w.at(w.skip(after)).category in (":",)
        if w.at(w.skip(after)).category == ":":
            return True
        if not verbs(w, w.skip(after))[2] and w.at(w.skip(after)).category not in ("gone", "p"):
            return False
        if joint in ("nor", "or"):
            return False
        # "the circle and the square are red" against "a star, and the square is red".
        if joint in ("&", "nor", "or") and found[-1].quantifier in (
            "the",
            "neithernor",
            "no",
            "all",
        ):
            return w.at(w.skip(after)).text in ("is", "has", "was", "sits", "lies") and joint == "&"
        if (
            joint == "&"
            and noun.quantifier in ("a", "num", "bare")
            and found[-1].quantifier == noun.quantifier
        ):
            return w.at(w.skip(after)).text not in ("are", "were", "have", "appear", "can")
        return True

    @staticmethod
    def _share_nouns(found: list[Noun]) -> None:
        """Give "one red and two blue circles" the noun that they share."""
        for index, noun in enumerate(found):
            if not noun.elided or noun.partitive or any(not n.elided for n in found[:index]):
                if noun.elided and not noun.partitive and index and noun.of:
                    shape = next((n for n in reversed(found[:index]) if not n.elided), None)
                    if shape is not None:
                        names = attributes(noun.of)
                        noun.of = (
                            *(c for c in noun.of if isinstance(c, Is) and c.attribute != "shape"),
                            *(c for c in shape.of if isinstance(c, Is) and c.attribute == "shape"),
                        )
                        del names
                continue
            later = next(
                (n for n in found[index + 1 :] if not n.elided and n.head in ("S", "g")), None
            )
            said = tuple(c for c in noun.of if isinstance(c, Is) and c.attribute != "shape")
            if later is not None and (said or noun.number):
                noun.of = (
                    *said,
                    *(c for c in later.of if isinstance(c, Is) and c.attribute == "shape"),
                )
                noun.head, noun.elided, noun.whose = later.head, False, None

    def existing(self, w: Words, nouns: list[Noun], denied: bool, conditions: Description) -> None:
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
                claims += [Claim("background", value=v, holds=not denied) for v in _colors(noun.of)]
                continue
            if noun.head == "Q":
                if noun.owner is not None and noun.of:
                    # "I notice a plain texture on the star."
                    scope = (Not(noun.of),) if denied or noun.quantifier == "no" else noun.of
                    claims += self.one_claim(noun.owner, scope)
                    continue
                claims += self.shared_values(noun)
                continue
            if noun.head in ("I", ""):
                continue
            of = (*final(noun), *conditions)
            claims += noun.asides
            listed = _listed(of)
            if (
                listed is not None
                and noun.quantifier in ("the", "all")
                and noun.plural
                and not denied
            ):
                # "the objects in black and brown"
                base = tuple(
                    c for c in of if not (isinstance(c, Is) and c.attribute == listed.attribute)
                )
                claims += [
                    Claim("some", (*base, Is(listed.attribute, (v,)))) for v in listed.values
                ]
                claims.append(Claim("all", base, (listed,)))
                continue
            if noun.number.startswith("=") and self._added(of):
                noun = replace(noun, number=f">{noun.number}")
            if noun.quantifier == "no" and noun.head == "pron":
                continue
            if noun.head == "one" and noun.pick and not noun.other:
                pass
            claims += self.there(noun, of, denied, earlier)
            earlier.append(of)
        positive = not denied and all(noun.quantifier not in ("no", "neithernor") for noun in nouns)
        if only and positive and any(noun.of for noun in nouns):
            many = tuple((*final(noun), *conditions) for noun in nouns)
            scope: Description = (AnyOf(many),) if len(many) > 1 else many[0]
            if not any(noun.number and noun.number != "=1" for noun in nouns):
                if len(nouns) > 1 or not nouns[0].number or not nouns[0].plural:
                    claims.append(Claim("all", (), plain(scope) if len(many) == 1 else scope))
        self.settle(tuple(claims))
        self.note_existing(nouns, conditions, positive)

    def _added(self, of: Description) -> bool:
        """Whether these come on top of what was told before: "two circles are visible as well"."""
        if not any(word.text in _ADDITIVE or word.text.endswith(" also") for word in self.words):
            return False
        told = [
            (*claim.subject, *claim.scope)
            for claim in self.claims
            if claim.quantifier in ("some", "num")
        ]
        return any(one and _overlap(of, one) for one in told)

    def there(
        self, noun: Noun, of: Description, denied: bool, earlier: list[Description]
    ) -> list[Claim]:
        """Claim that what a noun phrase says is there."""
        holds = not denied
        quantifier = noun.quantifier
        if noun.another and of in earlier:
            return [Claim("num", of, number=">=2")]
        if quantifier in ("no", "neither", "neithernor"):
            return [Claim("some", of, holds=not holds)]
        if noun.each and not noun.number and quantifier in ("bare", "a"):
            return [Claim("some", one, holds=holds) for one in _each(of)]
        if (
            noun.elided
            and noun.number == "=1"
            and quantifier == "num"
            and not noun.partitive
            and (self.query is None or self.query.kind != "count")
        ):
            own = attributes(noun.of)
            if not own or of == self.d.noun:
                # "Is there a star?" "There is one."
                return [Claim("some", of, holds=holds)]
        if noun.number and quantifier in ("num", "the", "all", "bare", "notnum"):
            return [Claim("num", of, holds=holds != (quantifier == "notnum"), number=noun.number)]
        if quantifier == "both":
            return [Claim("num", of, holds=holds, number="=2")]
        if noun.head == "g" and not of and holds and not noun.plural and noun.quantifier != "a":
            return []
        taken: Referent | None
        if noun.other and noun.head == "g":
            taken = self.d.subject
            of = of or ((Not(taken.of),) if taken else ())
        return [Claim("some", of, holds=holds)]

    def note_existing(self, nouns: list[Noun], conditions: Description, positive: bool) -> None:
        d = self.d
        things = [n for n in nouns if n.head in ("S", "g", "one", "pron")]
        if not things:
            return
        if not positive:
            d.noun = plain(things[-1].of) or d.noun
            if d.they is None and d.it is None:
                d.they = Referent("all", things[-1].of)
            return
        self.forget_listed()
        for noun in things:
            of = (*final(noun), *conditions)
            single = not noun.plural and noun.number in ("", "=1") and noun.quantifier != "all"
            if single:
                d.mention(
                    Referent("some" if noun.quantifier in ("a", "bare") else "the", of), False
                )
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

    def forget_listed(self) -> None:
        self.d.listed = []

    def shared_values(self, noun: Noun, of: Description = ()) -> list[Claim]:
        """Read "in three different colours": how many values there are."""
        if noun.number and noun.attribute in ("color", "shape", "size", "texture"):
            number = (Is("number", (noun.number,)),)
            return [Claim("values", of, value=noun.attribute, other=number)]
        return []

    def seeing(self, w: Words, place: int) -> int:
        """Read "I can see ...", "you will not find ...", "can see ..."."""
        word = w.at(place)
        denied = False
        if word.category == "nobody" or word.text in ("someone", "somebody"):
            end, _, _kind, _ = verbs(w, place + 1)
            if w.at(end).category in ("paint", "see", "show", "p") or w.at(end).text in (
                "drew",
                "draws",
                "put",
                "placed",
            ):
                return max(self.list_existing(w, end + 1, word.category == "nobody", ()), end + 1)
            return place
        if word.text in _WHO or (
            word.category in ("see",) and word.text not in ("found", "note", "view", "count")
        ):
            start = place if word.text not in _WHO else place + 1
            at = start
            while w.at(at).category in ("aux", "f", "maybe", "not", "h", "hedge") or w.at(at).text in (
                "able", "to", "unable", "have", "managed", "manage",
            ):  # fmt: skip
                denied = denied or w.at(at).category == "not"
                at += 1
            if w.at(at).category == "lack":
                denied, at = not denied, at + 1
            elif w.at(at).category == "see":
                at += 1
            elif (
                w.at(at - 1).category in ("aux", "not")
                and w.at(at).category in ("end", ",", "but")
                and (self.query is not None and self.query.claims)
            ) or (w.at(at - 1).category == "h" and word.text in ("we", "you", "i") and at > start):
                pass
            else:
                return place
            if w.at(at).text in ("that", "how"):
                return at + 1
            if (
                w.at(at).category in ("end", ",", "but")
                and self.query is not None
                and self.query.claims
            ):
                self.settle(
                    self.query.claims if not denied else (deny(self.query.claims),), answer=True
                )
                return at
            return max(self.list_existing(w, at, denied, ()), at)
        return place

    def only_image(self, w: Words, place: int) -> int:
        """Read "the image shows ...", "it contains ...", "shown are ..."."""
        read = noun_phrase(w, place)
        if read is not None and (
            read[0].head == "I" or (read[0].head == "pron" and not read[0].plural)
        ):
            noun, end = read
            claims = [Claim("background", value=value) for value in _colors(noun.of)]
            end, denied, kind, _ = verbs(w, end)
            if noun.head == "pron" and kind in ("show", "lack"):
                # "it features stripes" is said of a thing.
                probe = predicate(w, end, "have", False)
                if probe is not None and not probe[0].empty:
                    return place
            if noun.head == "I" and kind == "be" and w.at(w.skip(end)).category in (
                "p", "show", "paint", "gone",
            ):  # fmt: skip
                kind = "lack" if w.at(w.skip(end)).category == "gone" else kind
                end = w.skip(end) + 1
            if noun.head == "I" and (kind == "have" or (kind == "be" and w.at(end).text == "of")):
                kind, end = "show", end + (w.at(end).text == "of")
                at = w.skip(end)
                if (
                    w.at(at).text in ("a", "the")
                    and (aside := self.has_background(w, at)) is not None
                ):
                    self.settle(tuple(aside[0]))
                    return aside[1]
            if kind in ("show", "lack"):
                self.settle(tuple(claims))
                return max(self.list_existing(w, end, denied != (kind == "lack"), ()), end)
            if noun.head == "I":
                self.settle(tuple(claims))
                if kind == "be" and not claims:
                    inner = noun_phrase(w, end)
                    if inner and inner[0].head in ("I", "B"):
                        self.settle(
                            tuple(Claim("background", value=v) for v in _colors(inner[0].of))
                        )
                        return inner[1]
                if w.at(end).text == "of":
                    return end + 1
                return max(end, place + 1)
        if w.at(place).category == "lack":
            return max(self.list_existing(w, place + 1, True, ()), place + 1)
        if w.at(place).category == "p" or w.at(place).category == "show":
            end, denied, kind, _ = verbs(w, w.skip(place + 1))
            if kind and w.at(place).category == "p":
                return max(self.list_existing(w, end, denied, ()), place + 1)
            end, denied, kind, _ = verbs(w, place + 1)
            return max(self.list_existing(w, end, denied, ()), place + 1)
        return place

    def has_background(self, w: Words, place: int) -> tuple[list[Claim], int] | None:
        read = noun_phrase(w, place)
        if read is None or read[0].head not in ("B", "I"):
            return None
        end = read[1]
        return [Claim("background", value=value) for value in _colors(read[0].of)], end

    # --- comparing numbers ----------------------------------------------------------------------

    def comparing(self, w: Words, place: int) -> int:
        word = w.at(place)
        if word.category == "no" and w.at(place + 1).category == "more":
            return max(self.compare_list(w, place + 1, True), place)
        if word.category == "more" or (
            word.text in ("the", "an") and w.at(place + 1).category == "more"
        ):
            return self.compare_list(w, place, False)
        return place

    def compare_list(self, w: Words, place: int, denied: bool) -> int:
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
        if one.each and value == "same" and len(pair := _each(one.of)) == 2:
            self.settle((Claim("compare", pair[0], value=value, other=pair[1], holds=not denied),))
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
                    second.of = self._other_of(one.of, second.of)
                self.settle(
                    (Claim("compare", one.of, value=value, other=second.of, holds=not denied),)
                )
                self.d.they = Referent("all", one.of)
                return other[1]
            # "more red than blue shapes"
        if one.head != "" and self.query is not None:
            for claim in self.query.claims:
                if claim.quantifier == "compare":
                    of = one.of
                    against = claim.other if _overlap(of, claim.subject) else claim.subject
                    self.settle(
                        (Claim("compare", of, value=value, other=against, holds=not denied),)
                    )
                    return end
        return start

    def _other_of(self, one: Description, said: Description) -> Description:
        anew = {c.attribute for c in said if isinstance(c, Is)}
        said = tuple(c for c in said if isinstance(c, Is))
        anew = {c.attribute for c in said if c.attribute != "shape"}
        own = tuple(c for c in said if c.attribute != "shape")
        if not own:
            return said
        return (*own, *(c for c in one if isinstance(c, Is) and c.attribute not in anew))

    def number_of(self, w: Words, place: int) -> int:
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
                    self.settle(
                        (Claim("compare", of, value="same", other=other[0].of, holds=same),)
                    )
                    return end + 1
        elif self.query is not None and self.query.noun is not None:
            of = (*self.query.noun.of, *self.query.scope)
        place = w.skip(place)
        end, denied, kind, _ = verbs(w, place)
        if not kind and w.at(place).category != ":":
            if w.at(w.skip(place)).category == "than" or w.at(place).category != "outnumber":
                return start
        if w.at(place).category == ":":
            end = place + 1
        end = w.skip(end)
        word = w.at(end)
        if word.category == "not":
            denied, end = not denied, end + 1
            word = w.at(end)
        if word.category == "#":
            self.settle((Claim("num", of, number=word.value, holds=not denied),))
            self.d.they = Referent("all", of)
            return end + 1
        if word.category == "no":
            self.settle((Claim("num", of, number="=0"),))
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
        self.settle((Claim("compare", of, value=value, other=other_read[0].of, holds=not denied),))
        return other_read[1]

    # --- so is the star -----------------------------------------------------------------------

    def like(self, w: Words, place: int) -> int:
        word = w.at(place)
        if word.category not in ("like", "unlike"):
            return place
        read_nouns, end = self.nouns(w, place + 1)
        said = self.d.predicate
        if not read_nouns or said is None:
            return place
        if word.category == "unlike":
            # "unlike the star, the square is red" and "neither is the star" after a denial.
            if word.text.startswith(("neither", "nor")):
                of = said if said and isinstance(said[0], Not) else (Not(said),)
            else:
                of = (Not(said),)
        else:
            of = said
        self.say(read_nouns, Predicate(of=list(of), empty=False), "")
        return end

    # --- fronted places ------------------------------------------------------------------------

    def fronted(self, w: Words, place: int) -> int:
        """Read "in the top left there is a star", "below the circle sits a square"."""
        word = w.at(place)
        if word.text == "among" or (
            word.text == "of" and w.at(place + 1).text in ("the", "these", "those", "them")
        ):
            read = noun_phrase(w, place + 1)
            if read is None:
                return place
            group = read[0]
            claims = []
            if group.number:
                claims.append(Claim("num", final(group), number=group.number))
            self.settle(tuple(claims))
            self.d.they = self.d.group = Referent("all", final(group), group.number)
            self.d.noun = plain(group.of) or self.d.noun
            return self._scoped(w, read[1], final(group))
        if word.category == "except":
            read = noun_phrase(w, place + 1)
            if read is None or w.at(read[1]).category != ",":
                return place
            behind = w.skip(read[1] + 1)
            if w.at(behind).text == "there":
                end, denied, kind, _ = verbs(w, behind + 1)
                return max(self.list_existing(w, end, denied, (Not(final(read[0])),)), behind + 1)
            subject = noun_phrase(w, behind)
            if subject is None or subject[0].quantifier not in ("all", "no", "the"):
                return place
            subject[0].excepted = read[0].of
            end, denied, kind, floating = verbs(w, subject[1])
            if not kind:
                return place
            return self.say_after(w, [subject[0]], end, denied, kind, floating)
        corners = self._corners(w, place)
        if corners is not None:
            places, end = corners
            return self._in_corners(w, end, places)
        read_place = where(w, place) or (
            relation(w, place) if word.category in ("R", "r") else None
        )
        if read_place is None or w.at(read_place[1]).category in ("S", "g"):
            return place
        conditions, end, asides = read_place
        self.settle(tuple(asides))
        if word.category not in ("R", "r") and word.text not in (
            "in", "on", "at", "to", "near", "toward", "towards", "down", "up", "over", "along", "close to",
            "right", "close", "inside", "within",
        ) and not (w.at(w.skip(end)).category in (":", "aux", "k", "there") or w.at(w.skip(end)).text == "there"):  # fmt: skip
            # A bare "top left" is an answer, unless a clause hangs on it.
            ahead = w.skip(end + (w.at(end).category == ","))
            if w.at(ahead).category == "end" or noun_phrase(w, ahead) is None:
                return place
        at = w.skip(end)
        comma = w.at(at).category in (",", ":")
        if comma:
            at = w.skip(at + 1)
        return self._placed(w, at, tuple(conditions), place, comma)

    def _placed(self, w: Words, at: int, conditions: Description, start: int, comma: bool) -> int:
        word = w.at(at)
        if word.text in ("there", "here"):
            end, denied, kind, _ = verbs(w, at + 1)
            return max(self.list_existing(w, end if kind else at + 1, denied, conditions), at + 1)
        if word.text in _WHO and (seen := self._sees(w, at)):
            denied = any(w.at(k).category == "not" for k in range(at, seen))
            return max(self.list_existing(w, seen, denied, conditions), at + 1)
        if word.text in ("we", "you") and w.at(at + 1).category == "h":
            return max(self.list_existing(w, at + 2, False, conditions), at + 1)
        if noun := self._image_shows(w, at):
            return max(self.list_existing(w, noun, False, conditions), at + 1)
        end, denied, kind, _ = verbs(w, at)
        if kind and not (w.at(at).text in ("has",) and False):
            nouns, after = self.nouns(w, end)
            if nouns:
                # "below the circle is the star": of a definite thing, the place is said.
                if all(n.quantifier in ("the",) for n in nouns) and not nouns[0].number:
                    of = [Not(conditions)] if denied else list(conditions)
                    self.say(nouns, Predicate(of=of, empty=False), "")
                else:
                    self.existing(w, nouns, denied, conditions)
                return self.trailing(w, after, nouns)
            return start
        nouns, after = self.nouns(w, at)
        if nouns and not self._verb_at(w, after):
            nouns[0].of, after = self._appended(w, after, nouns)
            self.existing(w, nouns, False, conditions)
            return after
        if nouns:
            # "on the left, the circle is red": said of the circle on the left.
            if nouns[0].quantifier == "the" and comma:
                for noun in nouns:
                    noun.of = (*noun.of, *conditions)
                    self.d.noun = plain(noun.of)
                end, denied, kind, floating = verbs(w, after)
                done = self.say_after(w, nouns, end, denied, kind, floating)
                return done if done > at else start
            if comma or nouns[0].quantifier != "bare":
                end, denied, kind, floating = verbs(w, after)
                said = predicate(w, end, kind, denied)
                if said is not None and said[0].exists is not None and not said[0].of:
                    self.existing(w, nouns, not said[0].exists, conditions)
                    return said[1]
                for noun in nouns:
                    noun.of = (*noun.of, *conditions)
                return self.say_after(w, nouns, end, denied, kind, floating)
        return start

    def _verb_at(self, w: Words, place: int) -> bool:
        return bool(verbs(w, w.skip(place))[2])

    def _image_shows(self, w: Words, at: int) -> int:
        read = noun_phrase(w, at)
        if read is not None and read[0].head == "I":
            end, _, kind, _ = verbs(w, read[1])
            if kind in ("show", "have"):
                return end
        return 0

    def _scoped(self, w: Words, place: int, group: Description) -> int:
        at = w.skip(place)
        if w.at(at).category == ",":
            at = w.skip(at + 1)
        if w.at(at).text == "there":
            end, denied, kind, _ = verbs(w, at + 1)
            if kind:
                own = tuple(c for c in group if not (isinstance(c, Is) and c.attribute == "shape"))
                return max(self.list_existing(w, end, denied, own), at + 1)
        return at

    def _corners(self, w: Words, place: int) -> tuple[list[str], int] | None:
        """Read "in each of the two bottom corners", "in all four corners"."""
        at = place
        if w.at(at).text not in ("in", "at", "on"):
            return None
        at += 1
        several = False
        sides: list[str] = []
        while True:
            word = w.at(at)
            if word.text in ("each", "every", "both", "all"):
                several = True
            elif word.text in ("of", "the") or word.category == "f" or (word.category == "#" and several):
                pass
            elif word.category == "G1":
                sides.append(word.value)
            elif word.value == "corner":
                break
            else:
                return None
            at += 1
        if not several:
            return None
        places = [
            f"{row} {column}"
            for row in ("top", "bottom")
            for column in ("left", "right")
            if set(sides) <= {row, column}
        ]
        return places, at + 1

    def _in_corners(self, w: Words, end: int, places: list[str]) -> int:
        at = w.skip(end + (w.at(end).category == ","))
        if w.at(at).text == "there":
            at += 1
        at, denied, _, _ = verbs(w, at) if verbs(w, at)[2] else (at, False, "", "")
        nouns, after = self.nouns(w, at)
        for name in places:
            for noun in nouns:
                claims = self.there(replace(noun), (*final(noun), In(name)), denied, [])
                self.settle(tuple(claims))
        return after

    # --- subject and verb ---------------------------------------------------------------------

    def subject(self, w: Words, place: int) -> int:
        nouns, end = self.nouns(w, place)
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
                self.say(nouns[:1], Predicate(of=list(nouns[1].of), empty=False), "")
                nouns = nouns[:1]
            at += 1
        if w.at(at).category == "outnumber":
            return self._outnumber(w, nouns, at, False) or place
        if w.at(at).text in ("come", "comes", "came") and w.at(at + 1).text in ("in", "out"):
            return self.come_in(w, nouns, at + 2)
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
            (shown := noun_phrase(w, at + 1)) is not None
            and shown[0].head == "Q"
            and shown[0].number
        ):
            return self.come_in(w, nouns, at + 1)
        summed = w.skip(at + 1)
        if (
            w.at(at).text in _SUMS
            and w.at(summed).category == "#"
            and (
                w.at(w.skip(summed + 1)).category in ("end", ",", "but")
                or (nouns[0].head == "pron" and w.skip(summed + 1) > summed + 1)
            )
        ):
            return self.sums(w, nouns[0], w.skip(at + 1))
        end, denied, kind, floating = verbs(w, at)
        if kind == "be" and nouns[0].head == "pron" and (aside := self.has_background(w, end)):
            self.settle(tuple(aside[0]))
            return aside[1]
        if not kind:
            if w.at(at).category in ("gone", "p"):
                end, kind = at, "be"
            elif (
                w.at(at).category == ":"
                and nouns[0].head in ("S", "g", "one", "pron", "Q")
                and len(nouns) == 1
            ):
                if nouns[0].number:
                    return place
                if nouns[0].head == "Q":
                    return self.say_quality(w, nouns[0], at + 1, False)
                behind = w.skip(at + 1)
                if w.at(behind).category == "no" or w.at(behind).text == "none":
                    self.settle((Claim("some", final(nouns[0]), holds=False),))
                    return behind + 1
                if nouns[0].head == "g" and nouns[0].plural and noun_phrase(w, behind) is not None:
                    return at + 1
                if w.at(at + 1).category == "#" and nouns[0].plural:
                    self.settle((Claim("num", nouns[0].of, number=w.at(at + 1).value),))
                    return at + 2
                if (
                    noun_phrase(w, at + 1) is not None
                    and predicate(w, at + 1, "be", False)[0].empty
                ):  # type: ignore[index]
                    return place
                end, kind = at + 1, "be"
                if nouns[0].quantifier == "bare":
                    nouns[0].quantifier = "the"
            else:
                return place
        if w.at(end).category == "outnumber":
            return self._outnumber(w, nouns, end, denied) or place
        return self.say_after(w, nouns, end, denied, kind, floating) or place

    def sums(self, w: Words, noun: Noun, at: int) -> int:
        """Read "all circles together make three", "it makes three when you count the circles"."""
        counted = noun_phrase(w, at + 1) if noun.head == "pron" else None
        of, end = (final(counted[0]), counted[1]) if counted is not None else (final(noun), at + 1)
        self.settle((Claim("num", of, number=w.at(at).value),))
        return end

    def _outnumber(self, w: Words, nouns: list[Noun], at: int, denied: bool) -> int:
        other = noun_phrase(w, at + 1)
        if other is None:
            return 0
        claim = Claim(
            "compare", nouns[0].of, value=w.at(at).value, other=other[0].of, holds=not denied
        )
        self.settle((claim,))
        return other[1]

    def come_in(self, w: Words, nouns: list[Noun], at: int) -> int:
        """Read "they come in red and blue", "the stars come in two sizes"."""
        read = noun_phrase(w, at)
        if read is not None and read[0].head == "Q":
            self.note_subject(nouns)
            if w.at(w.skip(read[1])).category in (":", ",", "p"):
                self.settle(tuple(self.shared_values(read[0], final(nouns[0]))))
                return self.value_list(w, read[1], final(nouns[0]))
            if read[0].alike:
                return self.say_after(w, nouns, at, False, "have", "")
            self.settle(tuple(self.shared_values(read[0], final(nouns[0]))))
            return read[1]
        said = predicate(w, at, "be", False)
        values = [c for c in (said[0].of if said else []) if isinstance(c, Is)]
        if said is None or not values:
            return at
        of = final(nouns[0])
        attribute = values[0].attribute
        names = tuple(v for c in values if c.attribute == attribute for v in c.values)
        claims = [Claim("some", (*of, Is(attribute, (name,)))) for name in names]
        self.settle((*claims, Claim("all", of, (Is(attribute, names),))))
        return said[1]

    def value_list(self, w: Words, end: int, of: Description = ()) -> int:
        """Read the colours behind "in three colours: red, blue and green"."""
        end = w.skip(end)
        while w.at(end).category == "p":
            end = w.skip(end + 1)
        if w.at(end).category not in (":", ",", "namely"):
            return end
        said = predicate(w, w.skip(end + 1), "be", False)
        values = _listed(tuple(said[0].of)) if said is not None else None
        if said is None or values is None:
            single = [c for c in (said[0].of if said else []) if isinstance(c, Is)]
            if said is None or len(single) != 1:
                return end
            values = single[0]
        claims = [Claim("some", (*of, Is(values.attribute, (value,)))) for value in values.values]
        self.settle((*claims, Claim("all", of, (values,))))
        return said[1]

    def say_after(
        self, w: Words, nouns: list[Noun], end: int, denied: bool, kind: str, floating: str
    ) -> int:
        """Read the predicate of a subject; 0 if it is none."""
        first = nouns[0]
        if first.head == "Q":
            return self.say_quality(w, first, end, denied)
        if first.head == "B":
            return self.say_background(w, first, end, denied)
        if first.head == "I":
            return 0
        if (
            kind == "be"
            and (named := noun_phrase(w, end))
            and named[0].head == "Q"
            and named[0].owner
        ) and named[0].owner.head in ("S", "g", "one", "pron") and first.head in ("S", "g"):
            of = [
                c for c in first.of if isinstance(c, Is) and c.attribute == named[0].attribute
            ]
            if of:
                self.say(
                    [named[0].owner],
                    Predicate(of=[Not(tuple(of))] if denied else [*of], empty=False),
                    "be",
                )
                return named[1]
        if kind == "be" and (done := self.identity(w, nouns, end, denied)):
            return done
        if floating and len(nouns) == 1:
            for noun in nouns:
                noun.quantifier = "both" if floating == "both" else "all"
        self.note_subject(nouns)
        if kind == "show":
            kind = "have"
        said = predicate(w, end, kind, denied)
        if said is None:
            if kind == "have":
                # "It has six shapes in it", "the square has a star to its right".
                after = self.list_existing(w, end, denied, ())
                return after if after > end else 0
            return 0
        pred, after = said
        made = w.at(end - 1).text in _MADE or w.at(w.skip(end)).text in _MADE
        if pred.empty and kind == "be" and made and first.quantifier != "the":
            self.existing(w, nouns, pred.negated, ())
            return after + (w.at(w.skip(after)).text in _MADE)
        if pred.empty and (done := self.stands_though(w, nouns, after)):
            return done
        if pred.empty:
            return self.ellipsis(w, nouns, pred, after, kind, end)
        if (
            first.head == "pron" and not first.plural and pred.definite is False and first.whose is None
            and self.query is None
        ):  # fmt: skip
            # "It is a red circle": of the only thing there is.
            pass
        self.settle(tuple(pred.asides))
        self.say(nouns, pred, kind)
        return after

    def identity(self, w: Words, nouns: list[Noun], end: int, denied: bool) -> int:
        """Read "the dotted shapes are the square and the star": these and no others; 0 if not so."""
        subject = nouns[0]
        if len(nouns) != 1 or denied or not (subject.plural or subject.quantifier == "all"):
            return 0
        if w.at(w.skip(end)).category in ATTRIBUTE_OF and noun_phrase(w, end) is None:
            return 0
        named, after = self.nouns(w, end)
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
                claims += self.there(noun, (*final(noun), *of), False, [])
        claims.append(
            Claim("all", of, (AnyOf(tuple(final(n) for n in named)),), number=subject.number)
        )
        self.settle(tuple(claims))
        self.mention(named)
        return after

    def note_subject(self, nouns: list[Noun]) -> None:
        """Note a subject, so that the predicate's "it" is something else."""
        d = self.d
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

    def stands_though(self, w: Words, nouns: list[Noun], end: int) -> int:
        """Read "the circle stands, though not above the star"; 0 if not so."""
        at = w.skip(end)
        at = w.skip(at + 1) if w.at(at).category == "," else at
        if w.at(at).category != "but" or w.at(at + 1).category != "not":
            return 0
        found = where(w, at + 2) or relation(w, at + 2)
        if found is None:
            return 0
        self.say(nouns, Predicate(of=[Not(tuple(found[0]))], empty=False), "be")
        return found[1]

    def ellipsis(
        self, w: Words, nouns: list[Noun], pred: Predicate, after: int, kind: str, end: int
    ) -> int:
        """Read "it is", "the star does", "both are", "one of them isn't"."""
        at = w.skip(after)
        if w.at(at).category not in ("end", ",", "but", "&", "Y", "X", ":") or not nouns:
            return 0
        query, first = self.query, nouns[0]
        denied = pred.negated
        if (
            query is not None
            and query.kind == "yes"
            and first.head == "pron"
            and first.quantifier in ("the", "all", "a")
        ):
            if query.claims:
                claims = query.claims if not denied else (deny(query.claims),)
                self.settle(claims, answer=True)
            return max(after, end)
        scope: Description | None = None
        if query is not None and query.kind in ("yes", "which", "count"):
            scope = query.scope
        if (query is None or self.d.predicate is not None) and self.d.predicate is not None:
            scope = self.d.predicate
            if scope and isinstance(scope[0], Not) and not denied:
                scope = scope[0].of
        if not scope:
            return max(after, end) if query is not None else 0
        of: list[Condition] = [Not(scope)] if denied else list(scope)
        for noun in nouns:
            if (
                noun.head == "one"
                and noun.elided
                and not noun.of
                and query is not None
                and query.noun
            ):
                noun.of = query.noun.of
        self.say(nouns, Predicate(of=of, empty=False), kind)
        return max(after, end)

    def say_background(self, w: Words, noun: Noun, end: int, denied: bool) -> int:
        said = predicate(w, end, "be", denied)
        if said is None or (said[0].empty and not noun.of):
            return 0
        claims = [Claim("background", value=v) for v in _colors(noun.of)]
        for condition in said[0].of:
            negative = isinstance(condition, Not)
            inner = condition.of if isinstance(condition, Not) else (condition,)
            claims += [Claim("background", value=v, holds=not negative) for v in _colors(inner)]
        if not said[0].unsure:
            self.settle(tuple(claims))
        return said[1]

    def say_quality(self, w: Words, noun: Noun, end: int, denied: bool) -> int:
        """Read "its colour is red", "the circle's pattern is not dots"."""
        owner = noun.owner
        query = self.query
        if owner is None:
            if query is not None and query.noun is not None:
                owner = replace(query.noun, quantifier="the")
            elif self.d.it or self.d.they or self.d.asked:
                referent = self.d.it or self.d.asked or self.d.they
                assert referent is not None
                owner = Noun("the" if referent.quantifier != "all" else "all", referent.of, "pron")
            else:
                owner = Noun("the", (), "g")
        if owner.head == "B":
            return self.say_background(w, owner, end, denied)
        said = predicate(w, end, "be", denied)
        if said is None or said[0].empty:
            return 0
        if not said[0].unsure:
            values = [c for c in said[0].of if isinstance(c, Is)]
            if noun.plural and len(values) > 1 and noun.owner is None and query is None:
                owner = Noun("all", (), "g", plural=True)
            self.note_subject([owner])
            self.say([owner], said[0], "be")
        return said[1]

    # --- claims of subject and predicate ----------------------------------------------------------

    def say(self, nouns: list[Noun], pred: Predicate, kind: str) -> None:
        """Claim what a predicate says of its subjects."""
        if pred.unsure or any(noun.unsure for noun in nouns):
            self.mention(nouns)
            return
        if pred.exists is not None and not pred.of:
            self.existing(Words([], self.d), nouns, not pred.exists, ())
            return
        for noun in nouns:
            self.settle(tuple(noun.asides))
        if pred.alike:
            self.alike(nouns, pred)
            self.mention(nouns)
            return
        if pred.number:
            group = final(nouns[0])
            self.settle((Claim("num", group, number=pred.number, holds=not pred.negated),))
            self.mention(nouns)
            return
        scope = tuple(pred.of)
        if not scope:
            self.mention(nouns)
            return
        if pred.exists is not None:
            scope = scope if pred.exists else (Not(scope),)
        listed = _listed(scope)
        if (
            listed is not None
            and len(nouns) == 1
            and (nouns[0].plural or nouns[0].quantifier == "all")
        ):
            # "The circles are red and blue": each is one of the two, and there are both.
            of = final(nouns[0])
            self.settle(
                tuple(Claim("some", of, (Is(listed.attribute, (v,)),)) for v in listed.values)
            )
            scope = (
                *(c for c in scope if not (isinstance(c, Is) and c.attribute == listed.attribute)),
                listed,
            )
        if len(nouns) > 1 and nouns[0].quantifier == "neithernor":
            scope_no: Description = (Not(scope),)
            self.settle(tuple(Claim("the", final(noun), scope_no) for noun in nouns))
            self.d.predicate = scope_no
            self.mention(nouns)
            return
        claims: list[Claim] = []
        for noun in nouns:
            claims += self.one_claim(noun, scope)
        self.settle(tuple(claims))
        self.d.predicate = scope
        self.mention(nouns, scope)
        first = nouns[0]
        if (
            len(nouns) == 1
            and first.quantifier == "num"
            and not self._is_part(first)
            and first.number
        ):
            # For "the other three" and "the rest".
            self.d.picks, self.d.picked_from = [(first.number, scope)], final(first)

    def one_claim(self, noun: Noun, scope: Description) -> list[Claim]:
        of, quantifier = final(noun), noun.quantifier
        claims: list[Claim] = []
        if noun.excepted is not None:
            claims.append(Claim("all", noun.excepted, (Not(scope),)))
            if quantifier == "no":
                claims = [Claim("all", noun.excepted, scope)]
        if self._is_part(noun):
            return self.part(noun, scope)
        if noun.other and noun.head in ("S", "g", "one") and quantifier in ("the", "all"):
            taken = self.d.picked_from is None and self.d.listed and self.d.listed[-1]
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
        if quantifier == "a":
            return [*claims, Claim("some", of, scope)]
        return [*claims, Claim("the", of, scope)]

    def _is_part(self, noun: Noun) -> bool:
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
            and not noun.of[:0]
            and bool(noun.number or noun.other or noun.pick or noun.another)
            and not noun.only
            and noun.quantifier in ("num", "the", "a", "bare", "all")
        )

    def part(self, noun: Noun, scope: Description) -> list[Claim]:
        """Deal a group out: "one is red, the other is blue"."""
        d = self.d
        group = noun.whose or d.several() or (d.asked and Referent("all", as_group(d.asked.of)))
        of: Description = as_group(group.of) if group else ()
        whole = of
        if noun.partitive:
            whole = final(noun)
        own = tuple(c for c in noun.of if c not in of) if not noun.partitive else ()
        if d.picked_from != whole:
            if noun.other and d.picked_from is None and d.listed and not d.picks:
                d.picks = [("=1", one.of) for one in d.listed[-1:]]
                if group is None or group.of == d.listed[-1].of:
                    asked = d.asked
                    whole = as_group(asked.of) if asked else ()
            elif not noun.other or d.picked_from is None:
                d.picks = []
            d.picked_from = whole
        else:
            # The claim with fewer parts gives way to the fuller one.
            old = Claim("parts", whole, parts=tuple(d.picks))
            self.claims = [
                claim for claim in self.claims
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

    def alike(self, nouns: list[Noun], pred: Predicate) -> None:
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
        if noun.quantifier == "no" and noun.number == "=2":
            value, holds, number = ("different" if value == "same" else "same"), True, ""
        if noun.quantifier == "num" and noun.elided:
            number = ""
        if noun.quantifier == "both" and not number:
            number = "=2"
        self.settle((Claim(value, of, value=pred.attribute, holds=holds, number=number),))

    def mention(self, nouns: list[Noun], scope: Description = ()) -> None:
        d = self.d
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
        if self._is_part(noun) or noun.partitive:
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

    # --- fragments --------------------------------------------------------------------------------

    def fragment(self, w: Words, place: int) -> int:
        """Read words without a verb: "red", "two circles", "top left", "a star"."""
        if place and w.at(place - 1).category not in (
            ",", ":", "Y", "X", "no", "&", "but", "f", "hedge", "i", "namely", "negframe", "or", "C", "S", "x", "z",
            "G1", "part", "that", "B", "I",
        ):  # fmt: skip
            return place
        if (
            w.at(place).text in ("with", "of")
            and place
            and w.at(place - 1).category in ("I", "B", "C")
            and (with_nouns := self.nouns(w, place + 1))[0]
        ):
            # "a white background with two circles"
            if with_nouns[0][0].head in ("S", "g"):
                self.existing(w, with_nouns[0], False, ())
                return self.trailing(w, with_nouns[1], with_nouns[0])
        nouns, end = self.nouns(w, place)
        if nouns and nouns[0].head == "Q" and not nouns[0].of and nouns[0].number == "":
            return self._topic(w, nouns[0], end)
        if nouns and nouns[0].head != "Q":
            return self._noun_fragment(w, place, nouns, end)
        word = w.at(place)
        if word.category == "than not":
            said = predicate(w, place + 1, "be", True)
            return self._said_fragment(w, said, place)
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
            word.text
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
                said = predicate(
                    w, start + (word.text == "without"), "have", word.text == "without"
                )
            else:
                said = predicate(w, place, "be", False)
            return self._said_fragment(w, said, place)
        if (found := background(w, place)) is not None:
            self.settle(tuple(found[0]))
            return found[1]
        return place

    def _topic(self, w: Words, noun: Noun, end: int) -> int:
        """Read "Its pattern? Dots." and "colour: red"."""
        if w.at(end).category in (":", ",", "end"):
            if noun.owner is not None and noun.owner.head != "pron":
                self.mention([noun.owner])
            said = predicate(w, end + 1, "be", False) if end < w.size else None
            if said is not None and not said[0].empty and w.at(end).category == ":":
                return self.say_quality(w, noun, end + 1, False)
            return end
        return 0

    def _said_fragment(self, w: Words, said: tuple[Predicate, int] | None, place: int) -> int:
        if said is None or said[0].empty:
            return place
        pred, end = said
        query = self.query
        if verbs(w, w.skip(end))[2] and w.at(w.skip(end)).category != "h":
            return place
        if query is not None and not self.claims and not (pred.exists is not None and not pred.of):
            noun = query.topic()
            if query.kind == "background":
                self.settle(tuple(Claim("background", value=v) for v in _colors(tuple(pred.of))))
                return end
            if noun is not None:
                if query.kind == "which" and query.scope:
                    if pred.of and not pred.unsure:
                        self.settle((Claim("the", (*query.noun.of, *query.scope), tuple(pred.of)),))  # type: ignore[union-attr]
                    return end
                if pred.number:
                    self.settle((Claim("num", (*noun.of, *query.scope), number=pred.number),))
                    return end
                self.note_subject([noun])
                self.say([noun], pred, "be")
                return end
        referent = self.d.it or self.d.they or self.d.asked
        if referent is None:
            if pred.of and not pred.unsure and not self._at_start(w, place):
                return end
            if pred.of and not pred.unsure:
                self.say([Noun("the", (), "pron", whose=None)], pred, "be")
            return end
        last = self.d.subject or referent
        quantifier = {"some": "a", "all": "all", "the": "the"}[last.quantifier]
        noun = Noun(quantifier, last.of, "pron", plural=last.quantifier == "all", whose=last)
        self.say([noun], pred, "be")
        return end

    def _at_start(self, w: Words, place: int) -> bool:
        return all(w.at(k).category in ("f", "hedge", "i", ",") for k in range(place))

    def _noun_fragment(self, w: Words, place: int, nouns: list[Noun], end: int) -> int:
        query, first = self.query, nouns[0]
        at = w.skip(end)
        mark = w.at(at)
        if mark.category in ("aux", "k", "h", "see", "maybe", "show"):
            return place
        if mark.category == "o" and mark.text not in ("of", "on", "as"):
            # "circles are often ..." and the like claim nothing of this picture.
            if not (
                first.head in ("S", "g")
                and first.quantifier in ("num", "a", "bare")
                and mark.text == "there"
            ):
                return place
        if first.head == "B":
            self.settle(tuple(Claim("background", value=v) for n in nouns for v in _colors(n.of)))
            return end
        if first.head == "I":
            return end
        if first.head == "pron":
            if first.quantifier in ("both", "all") and query is not None:
                return self._answer_nouns(nouns, end)
            if mark.category in (",", "but") or mark.category == "end":
                return end
        if mark.text in ("versus", "vs", "against", "to", "than") or mark.category == "than":
            return self._versus(w, nouns, at)
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
                ):
                    if noun_phrase(w, w.skip(ahead)) is None or w.at(w.skip(ahead)).category not in (
                        "S", "g", "#",
                    ):  # fmt: skip
                        probe = noun_phrase(w, w.skip(ahead))
                        if probe is None or probe[1] < said[1]:
                            return self._apposed(w, nouns, said, mark, query)
        if query is not None and not self._echo(query):
            done = self._answer_nouns(nouns, end)
            if done:
                return self.trailing(w, end, nouns)
        definite = all(n.quantifier == "the" and not n.number for n in nouns)
        if definite and len(nouns) == 1 and mark.category in ("end", ","):
            # A topic: "The square? Brown."
            self.mention(nouns)
            return end
        if first.head == "pron" or (first.elided and not first.of and not first.number):
            return end
        nouns[0].of, end = self._appended(w, end, nouns)
        self.existing(w, nouns, False, ())
        return self.trailing(w, end, nouns)

    def _echo(self, query: Query) -> bool:
        return bool(self.claims) and query.kind not in ("count", "which", "list")

    def _appended(self, w: Words, end: int, nouns: list[Noun]) -> tuple[Description, int]:
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

    def _apposed(
        self,
        w: Words,
        nouns: list[Noun],
        said: tuple[Predicate, int],
        mark: Word,
        query: Query | None,
    ) -> int:
        pred, end = said
        noun = nouns[-1]
        if (
            noun.head in ("S", "g")
            and noun.quantifier in ("a", "bare", "num")
            and mark.category != ":"
        ):
            for other in nouns[:-1]:
                self.existing(w, [other], False, ())
            noun.of = (*noun.of, *pred.of)
            if (
                query is not None
                and query.kind in ("which", "list", "attribute")
                and self._answer_nouns([noun], end)
            ):
                return end
            self.existing(w, [noun], False, ())
            return end
        if noun.quantifier == "bare":
            noun.quantifier = "the"
        if len(nouns) > 1 and noun.head == "one":
            # "one red, the other blue": the earlier ones were picked as well.
            for other in nouns[:-1]:
                own = tuple(c for c in other.of if isinstance(c, Is) and c.attribute != "shape")
                self.say(
                    [replace(other, of=())], Predicate(of=list(own), empty=False), "be"
                ) if own else None
        self.note_subject([noun])
        self.say([noun], pred, "be")
        return end

    def _versus(self, w: Words, nouns: list[Noun], at: int) -> int:
        other, end = self.nouns(w, at + 1)
        if not other:
            return at
        pair = [*nouns[-1:], *other[:1]]
        compared = (
            next((c for c in self.query.claims if c.quantifier == "compare"), None)
            if self.query
            else None
        )
        claims = []
        for index, noun in enumerate(pair):
            of = noun.of
            if noun.elided and compared is not None:
                of = compared.subject if index == 0 else compared.other
                own = tuple(c for c in noun.of if c not in plain(self.d.noun))
                if own:
                    of = (
                        *own,
                        *(
                            c
                            for c in of
                            if isinstance(c, Is) and c.attribute not in attributes(own)
                        ),
                    )
            if noun.number:
                claims.append(Claim("num", of, number=noun.number))
        self.settle(tuple(claims))
        return end

    def _answer_nouns(self, nouns: list[Noun], end: int) -> int:
        """Take noun phrases as the answer to the question; 0 where they are none."""
        query = self.query
        assert query is not None
        first = nouns[0]
        base: Description = query.noun.of if query.noun is not None else ()
        if any(noun.unsure for noun in nouns):
            return end
        if query.kind == "count":
            whole = (*base, *query.scope)
            if first.quantifier in ("no", "neither"):
                self.settle((Claim("some", whole, holds=False),))
            elif first.quantifier in ("both", "all") or first.head == "pron":
                quantifier = "both" if first.quantifier == "both" else "all"
                self.settle((Claim(quantifier, base, query.scope, number=first.number),))
            elif first.number and (first.elided or first.head == "g" or _overlap(first.of, base)):
                if first.only and not first.elided and not _overlap(first.of, base):
                    return 0
                of = whole
                if not first.elided and first.head == "S":
                    of = (
                        *first.of,
                        *(c for c in whole if c not in first.of and not isinstance(c, Is)),
                        *query.scope,
                    )
                    of = tuple(dict.fromkeys(of))
                self.settle((Claim("num", of, number=first.number),))
            else:
                return 0
            self.d.they = self.d.group = Referent("all", whole)
            self.d.noun = plain(base) or self.d.noun
            return end
        if query.kind == "yes":
            if first.only and query.scope and first.head in ("S", "g", "one") and not first.number:
                self.settle(tuple(c for noun in nouns for c in self.one_claim(noun, query.scope)))
                return end
            if (
                ((first.elided or first.partitive)
                and (first.number or first.quantifier in ("both", "no", "neither", "all")))
                or (first.head == "pron" and first.quantifier in ("both", "all"))
            ):
                return self._requantify(nouns, end)
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
                self.settle(tuple(claims))
                return end
            if first.elided and first.quantifier in ("no", "neither"):
                self.settle((Claim("some", base, query.scope, holds=False),))
                return end
            said = query.scope
            for noun in nouns:
                if noun.elided and noun.other:
                    return 0
                self.settle(tuple(noun.asides))
                if noun.quantifier == "bare" and not noun.plural:
                    noun.quantifier = "a"
                if said:
                    if noun.quantifier == "bare":
                        noun.quantifier = "a"
                    self.settle(tuple(self.one_claim(noun, said)))
                else:
                    self.settle(tuple(self.there(noun, final(noun), False, [])))
            self.mention(nouns)
            if len(nouns) == 1 and nouns[0].quantifier == "a" and said:
                pass
            self.d.predicate = said or None
            return end
        if query.kind == "list":
            for noun in nouns:
                noun.of = (*noun.of, *query.scope)
            self.existing(Words([], self.d), nouns, False, ())
            return end
        if query.kind in ("attribute", "choice", "where", "look"):
            if query.noun is None:
                return 0
            if first.quantifier == "no" and first.elided:
                if query.attribute == "texture":
                    topic = query.topic()
                    assert topic is not None
                    self.say([topic], Predicate(of=[Is("texture", ("plain",))], empty=False), "be")
                    return end
                return 0
            if (
                len(nouns) == 1
                and first.head in ("S", "one")
                and (not first.plural or query.noun.plural)
            ):
                topic = query.topic()
                assert topic is not None
                of = list(first.of)
                if (
                    first.head == "S"
                    and first.number
                    and first.quantifier == "num"
                    and first.plural
                ):
                    return 0
                self.say([topic], Predicate(of=of, empty=False), "be")
                self.settle(tuple(first.asides))
                return end
            if len(nouns) > 1 and all(n.head == "S" for n in nouns) and query.attribute == "shape":
                self.existing(Words([], self.d), nouns, False, ())
                return end
        return 0

    def _requantify(self, nouns: list[Noun], end: int) -> int:
        """Read "both", "none", "two of them" as an answer to a yes/no question."""
        query, first = self.query, nouns[0]
        assert query is not None
        base: Description = query.noun.of if query.noun is not None else ()
        if first.quantifier == "neither" and len(query.nouns) > 1 and not query.scope:
            self.settle(tuple(Claim("some", n.of, holds=False) for n in query.nouns))
            return end
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
            self.settle(tuple(self.one_claim(replace(first, pick=False, other=False), query.scope)))
        else:
            self.settle(tuple(self.there(first, first.of, False, [])))
        self.d.noun = plain(base) or self.d.noun
        self.d.they = self.d.group = Referent("all", base)
        return end

    def namely(self, w: Words, place: int) -> int:
        """Read the list behind "namely" or a colon: each has what was said of the group."""
        nouns, end = self.nouns(w, place)
        if not nouns or verbs(w, w.skip(end))[2]:
            return place
        scope = self.d.predicate
        if all(noun.quantifier == "the" and not noun.number for noun in nouns) and scope:
            for noun in nouns:
                self.settle(tuple(self.one_claim(noun, scope)))
            return end
        group = self.d.they
        extra: Description = ()
        if group is not None and not any(isinstance(c, AnyOf) for c in group.of):
            extra = tuple(c for c in group.of if isinstance(c, (Is, In)))
        if scope is not None and group is None:
            extra = (*extra, *scope)
        claims: list[Claim] = []
        for noun in nouns:
            if noun.head == "one" and noun.elided and (noun.number or noun.other) and group:
                own = tuple(c for c in noun.of if c not in group.of)
                claims += self.part(replace(noun, whose=group), own) if own else []
                continue
            taken = set(attributes(noun.of))
            of = (*noun.of, *(c for c in extra if not (isinstance(c, Is) and c.attribute in taken)))
            claims += self.there(noun, of, False, [])
        self.settle(tuple(claims))
        if all(n.head == "S" for n in nouns):
            self.d.listed = [Referent("some", n.of) for n in nouns]
            self.d.it = self.d.listed[-1] if self.d.it is None else self.d.it
        return end

    # --- taking down -------------------------------------------------------------------------------

    def settle(self, claims: tuple[Claim, ...], answer: bool = False) -> None:
        """Take claims down; inside "it is not true that" they are denied."""
        if not claims:
            return
        if self.flip:
            claims = (deny(claims),)
        if answer:
            # "No, there isn't": what is said in full goes before the bare "no".
            self.answered = list(claims)
            return
        self.claims += claims


def _listed(scope: Description) -> Is | None:
    """Several values of one attribute, as in "red and blue"."""
    values: dict[str, list[str]] = {}
    for condition in scope:
        if isinstance(condition, Is):
            values.setdefault(condition.attribute, []).extend(condition.values)
    several = next((name for name, found in values.items() if len(set(found)) > 1), None)
    return None if several is None else Is(several, tuple(dict.fromkeys(values[several])))


def _colors(of: Description) -> list[str]:
    return [v for c in of if isinstance(c, Is) and c.attribute == "color" for v in c.values]


def _each(of: Description) -> list[Description]:
    """Take "red and blue stars" apart."""
    several = next((c for c in of if isinstance(c, Is) and len(c.values) > 1), None)
    if several is None:
        return [of]
    rest = tuple(c for c in of if c is not several)
    return [(Is(several.attribute, (value,)), *rest) for value in several.values]


def _overlap(one: Description, other: Description) -> bool:
    """Whether a thing may fit both."""
    a, b = attributes(one), attributes(other)
    return all(b.get(name, value) == value for name, value in a.items())
