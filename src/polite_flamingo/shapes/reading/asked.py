"""Questions: what is asked, so that "yes", "three" or "the blue one" can be understood."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from polite_flamingo.shapes.reading.claims import Claim, Description, In, Is, Not, Related
from polite_flamingo.shapes.reading.clauses import Reader
from polite_flamingo.shapes.reading.discourse import Discourse, Referent, as_group
from polite_flamingo.shapes.reading.nouns import Noun, Words, final, noun_phrase
from polite_flamingo.shapes.reading.predicates import predicate, verbs, where
from polite_flamingo.shapes.reading.query import Query
from polite_flamingo.shapes.reading.words import Word, sentences

_POLITE = re.compile(
    r"^(?:(?:so|and|well|ok|okay|hi|hello|hey|please|now|then|but|also|question|q|hmm|oh),?:? )*"
    r"(?:(?:can|could|would|will) you (?:please )?(?:tell me|say|let me know|determine|identify|name|describe)"
    r"(?: to me)?,? ?(?=if|whether|what|which|where|how)|do you (?:know|think)(?: that)? ?|"
    r"(?:please )?(?:tell me|let me know|say),? ?(?=if|whether|what|which|where|how)|"
    r"(?:can|could|would|will) you (?:please )?(?=count )|(?:please )?(?:tell me|give me|state|say|name|report) (?=the )|i wonder ?|i would like to know ?|any idea |please )?(?:if |whether )?"
)
_WHETHER = re.compile(r"\b(?:if|whether) ")
_TRUTH = re.compile(
    r"\b(?:true|false|correct|right|accurate(?:ly)?|match(?:es)?|describe|fits?|holds?|statement|agree)\b"
)
_FRAME = re.compile(
    r"^(?:is|was|is not) it (?:true|correct|right|accurate|the case|false)?(?: or (?:false|not))? ?(?:to say )?that |"
    r"^(?:can you (?:say|tell me) (?:if|whether)|tell me whether|would you say|would you agree|"
    r"do you agree|would it be (?:correct|right|true) to say|is it (?:correct|right|fair) to say)"
    r"(?: that)? |^(?:true or false|yes or no|right or wrong|statement|claim|consider|it is claimed that)$"
)
_ASKS = re.compile(
    r"^\W*(?:is|are|does|do|can|could|has|have|was|were|did|would|will|which|what|where|how|who|why|in which|in what|on which|at which)\b"
)
_TAG = re.compile(
    r",? (?:(?:is|are|does|do|has|have|was|were|did)(?: not)? (?:it|they|there|he|that|this|so)(?: not)?|"
    r"right|correct|yes|no|true|or not|huh|am i right|would you (?:say|agree))$"
)


@lru_cache(maxsize=1 << 12)
def read_question(question: str) -> Query | None:
    """Read what a question asks; None where it is none of ours."""
    query, _ = question_and_discourse(question)
    return query


def question_and_discourse(question: str) -> tuple[Query | None, Discourse]:
    """Read a question, and what it leaves to be spoken of."""
    discourse = Discourse()
    if not question.strip():
        return None, discourse
    parts = _parts(question)
    asked, told = "", []
    for text, mark in parts:
        if mark == "?" or _ASKS.match(text):
            asked = text if not asked or mark == "?" else asked
        else:
            told.append(text)
    if _TRUTH.search(question.lower()):
        stated = _statement(parts, discourse)
        if stated is not None:
            return stated, discourse
    for text in told:
        reader = Reader(None, discourse)
        for words, _ in sentences(text):
            reader.sentence(words)
    if not asked:
        asked = told[-1] if told else ""
    query = _query(_POLITE.sub("", asked), discourse)
    if query is not None:
        _introduce(query, discourse)
    return query, discourse


def inner_query(words: list[Word], discourse: Discourse) -> Query | None:
    """Read a question that a text asks itself."""
    text = " ".join(word.text for word in words)
    if not _ASKS.match(text) or text.startswith(
        ("would you", "do you want", "shall", "can i", "could you")
    ):
        return None
    query = _query(_POLITE.sub("", text), discourse)
    if query is not None:
        _introduce(query, discourse)
    return query


def _parts(question: str) -> list[tuple[str, str]]:
    from polite_flamingo.shapes.reading.words import normalise

    text = normalise(question).replace('"', " . ").replace(" '", " . ").replace("' ", " . ")
    text = re.sub(r"\s+", " ", text.replace("\n", " . "))
    text = re.sub(r"\b(?:what|how) about ", "", text)
    found = []
    for match in re.finditer(r"([^.?!:;]+)([.?!:;]|$)", text):
        part = match[1].strip(" ,'")
        if part:
            found.append((part, match[2]))
    return found


def _statement(parts: list[tuple[str, str]], discourse: Discourse) -> Query | None:
    """Read the statement whose truth is asked: "The star is red. Is this true?"."""
    for text, _ in parts:
        text = _POLITE.sub("", text)
        framed = _FRAME.match(text)
        if (_ASKS.match(text) and not framed) or not text:
            continue
        query = _stated(_TAG.sub("", _FRAME.sub("", text)), discourse)
        if query is not None:
            return query
    return None


def _stated(text: str, discourse: Discourse) -> Query | None:
    reader = Reader(None, discourse)
    for words, _ in sentences(text):
        reader.sentence(words)
    if not reader.claims:
        return None
    claims = tuple(reader.claims)
    query = _yes(claims, discourse)
    _introduce(query, discourse)
    return query


def _yes(claims: tuple[Claim, ...], discourse: Discourse, noun: Noun | None = None) -> Query:
    claim = claims[0]
    negated = not claim.holds or (bool(claim.scope) and isinstance(claim.scope[0], Not))
    if noun is None:
        plural = claim.quantifier in ("all", "both", "num")
        noun = Noun("the" if not plural else "all", claim.subject, "S", plural)
    return Query("yes", noun, claim.scope, claims, negated=negated)


def _introduce(query: Query, discourse: Discourse) -> None:
    """Leave what was asked about to be taken up by "it" and "they"."""
    discourse.picks, discourse.picked_from = [], None
    discourse.predicate = None
    noun = query.noun
    if noun is None or noun.head in ("I", "B"):
        return
    of = final(noun)
    plural = noun.plural or noun.quantifier in ("all", "both")
    named = query.kind in ("yes", "count") and noun.quantifier in ("a", "num", "bare", "no")
    referent = Referent("all" if plural else "the", of)
    discourse.asked = referent
    discourse.noun = tuple(c for c in as_group(of) if isinstance(c, Is)) or discourse.noun
    compared = [c for c in query.claims if c.quantifier == "compare"]
    if compared:
        discourse.they = None
        discourse.it = None
        return
    if query.kind == "which":
        discourse.they = Referent("all", as_group(of))
        discourse.it = Referent("the", (*of, *query.scope)) if query.scope else None
        if discourse.it is None:
            discourse.listed = []
        return
    if plural or (named and query.kind == "count"):
        scope = query.scope if query.kind == "count" else ()
        discourse.they = discourse.group = Referent("all", (*of, *scope))
    elif named and not query.scope:
        discourse.it = Referent("some", of)
    else:
        discourse.it = referent
    discourse.subject = referent
    for condition in query.scope:
        inner = condition.of[0] if isinstance(condition, Not) and condition.of else condition
        if isinstance(inner, Related):
            discourse.against = Referent(inner.other.quantifier, inner.other.of)
            discourse.listed = [referent, Referent("the", inner.other.of)]
            if discourse.they is not None and not plural:
                discourse.they = None
    if len(query.nouns) > 1:
        discourse.listed = [Referent("the", n.of) for n in query.nouns]
        discourse.they = None


def _query(text: str, discourse: Discourse) -> Query | None:
    found = sentences(text)
    if not found:
        return None
    words = found[0][0]
    for more, _ in found[1:]:
        words = words + more
    words = [word for word in words if word.category not in ("hedge",)]
    while words and words[0].category in ("f", "i", ",", "&", "but"):
        words = words[1:]
    while len(words) > 1 and words[1].category == "f" and words[0].text in ("what", "which"):
        words = [words[0], *words[2:]]
    if not words:
        return None
    w = Words(words, discourse)
    first = words[0]
    # "In the picture, where is ...", "of the circles, which ..."
    for index, word in enumerate(words):
        if word.category == "," and index + 1 < len(words) and words[index + 1].text in (
            "what", "which", "where", "how", "is", "are", "do", "does", "who",
        ) and len(words) - index > 4:  # fmt: skip
            return _query(" ".join(x.text for x in words[index + 1 :]), discourse)
    if (
        first.text == "how"
        or first.category == "K"
        or w.at(1).category == "K"
        or any(
            a.text == "how" and b.category == ">=" for a, b in itertools.pairwise(words)
        )
    ):
        return _how(w, text)
    if first.text in ("count",) or text.startswith(
        ("count ", "give the number of ", "the number of ")
    ):
        read = noun_phrase(w, 1)
        return Query("count", read[0]) if read else None
    if first.text in ("what", "which", "who", "whats", "name", "identify", "list", "describe") or (
        first.text in ("in", "on", "at", "of", "to") and w.at(1).text in ("what", "which")
    ):
        return _what(w)
    if first.text in ("where", "whereabouts", "locate"):
        return _where(w)
    if first.category in ("aux", "h", "k", "maybe") or first.text in ("is", "are", "has"):
        return _yes_no(w, text)
    tagged = _TAG.sub("", text)
    if tagged != text or text:
        query = _stated(tagged, discourse)
        if query is not None and (tagged != text or not text.startswith(("the ", "a "))):
            return query
        if query is not None:
            return query
    return _bare(w)


def _bare(w: Words) -> Query | None:
    """Read "colour of the circle?", "position of the star"."""
    read = noun_phrase(w, 0)
    if read is not None and read[0].head == "Q":
        return _quality(read[0])
    return None


def _quality(noun: Noun) -> Query | None:
    owner = noun.owner or Noun("the", (), "g")
    if owner.head == "B":
        return Query("background", owner)
    if noun.attribute == "place":
        return Query("where", owner)
    return Query("attribute", owner, attribute=noun.attribute)


def _how(w: Words, text: str) -> Query | None:
    place = 0
    many = re.search(r"\bhow many\b|\bnumber of\b|\bhow much\b|\bcount of\b", text)
    if many:
        while (
            place < w.size
            and w.at(place).category not in ("K",)
            and w.at(place).text not in ("many", "much")
        ):
            place += 1
        place += 1
        if w.at(place).text == "of":
            place += 1
        read = noun_phrase(w, place)
        if read is None:
            # "how many are there?", "how many of them"
            said = predicate(w, verbs(w, place)[0], "be", False)
            group = w.discourse.several()
            noun = Noun("all", as_group(group.of) if group else (), "g", True)
            scope = tuple(said[0].of) if said else ()
            return Query("count", noun, scope)
        noun, end = read
        noun.quantifier = "bare"
        return Query("count", noun, _scope(w, end))
    if w.at(1).category == "z" or w.at(1).text in ("big", "large", "small"):
        if (subject := _embedded(w, 2)) is not None:
            return Query("attribute", subject, attribute="size")
        end, _, _, _ = verbs(w, 2)
        read = noun_phrase(w, end)
        return Query("attribute", read[0], attribute="size") if read else None
    end, _, kind, _ = verbs(w, 1)
    read = noun_phrase(w, end) if kind else None
    return Query("look", read[0]) if read else None


def _scope(w: Words, place: int) -> Description:
    """What a question says of its noun: "... are red", "... do you see on the left"."""
    place = w.skip(place)
    while True:
        word = w.at(place)
        if word.text in ("do", "does", "can", "are", "is") and w.at(place + 1).text in (
            "you",
            "i",
            "we",
            "there",
            "one",
        ):
            place += 2
            while w.at(place).category in ("see", "aux", "f", "i", "p", "maybe"):
                place += 1
            continue
        break
    end, denied, kind, _ = verbs(w, place)
    said = predicate(w, end, kind or "be", denied)
    return tuple(said[0].of) if said else ()


def _what(w: Words) -> Query | None:
    place = 0
    if w.at(0).text in ("in", "on", "at", "of", "to"):
        if w.at(0).text == "of":
            return None
        place = 1
        words = {word.text for word in w.words}
        if words & {"color", "colour", "colors"}:
            return _what(Words(w.words[1:], w.discourse))
        return _where_tail(w, place + 1)
    word, after = w.at(place), w.at(place + 1)
    if word.text in ("name", "identify", "list", "describe"):
        read = noun_phrase(w, 1)
        if read is not None and read[0].head == "Q":
            return _quality(read[0])
        if read is not None and read[0].head in ("S", "g"):
            return Query("list" if read[0].plural else "attribute", read[0], attribute="shape")
        return None
    if after.category == "p" and after.text.startswith("part"):
        return _where_tail(w, place + 2)
    if (
        after.category == "Q"
        and w.at(place + 2).category == "aux"
        and w.at(place + 3).text in ("on", "in")
    ):
        on = noun_phrase(w, place + 4)
        if on is not None and on[0].head in ("S", "g", "pron", "one"):
            return Query("attribute", on[0], attribute=after.value)
    # "what colour is the star", "which pattern does it have"
    if after.category == "Q" or (after.text in ("shape", "shapes") and _asks_of(w, place + 2)):
        attribute = after.value if after.category == "Q" else "shape"
        if w.at(place + 2).text == "of":
            return None
        end, _, kind, _ = verbs(w, place + 2)
        read = noun_phrase(w, end)
        if read is None:
            return None
        if read[0].head == "B":
            return Query("background", read[0])
        if attribute == "place":
            return Query("where", read[0])
        if read[0].head == "I":
            return None
        return Query("attribute", read[0], attribute=attribute)
    quality = after.category == "Q" or after.text in ("shape", "shapes")
    if (subject := _embedded(w, place + 1 + quality)) is not None:
        attribute = (after.value if after.category == "Q" else "shape") if quality else "shape"
        if subject.head == "B":
            return Query("background", subject)
        if attribute == "place":
            return Query("where", subject)
        if quality or subject.quantifier == "the":
            return Query("attribute", subject, attribute=attribute)
    if (
        word.text == "which"
        or after.category in ("S", "g", *("C", "z", "x", "y", "#"))
        or after.text in ("one", "ones")
    ):
        if after.category in ("part", "G1"):
            return _where_tail(w, 1)
        if after.text == "of":
            read = noun_phrase(w, place + 2)
            if read is not None:
                read[0].plural = False
        else:
            read = noun_phrase(w, place + 1)
        if read is not None and read[0].head in ("S", "g", "one"):
            noun, end = read
            noun.quantifier = "the"
            scope = _scope(w, end)
            nouns = _alternatives(w, end)
            plural = noun.plural
            query = Query(
                "which", Noun("the", noun.of, noun.head, plural), scope, nouns=tuple(nouns)
            )
            if nouns:
                return Query("which", query.noun, (), nouns=tuple(nouns))
            return query
        if after.category in ("aux", "k", "h") or after.category == "f" or w.at(1).category == "more" or after.text in ("are", "is"):
            pass
    if after.category == "part" or after.category == "G1":
        return _where_tail(w, 1)
    end, denied, kind, _ = verbs(w, place + 1)
    if not kind and after.category in ("R", "G1"):
        end, kind = place + 1, "be"
    if not kind:
        read = noun_phrase(w, place + 1)
        return None
    at = w.skip(end)
    if w.at(at).text in ("there", "you", "we", "i") or w.at(at).category in (
        "see",
        "end",
        "p",
        "show",
    ):
        rest = _scope(w, end if w.at(at).text != "there" else end + 1)
        scope = tuple(c for c in rest)
        for k in range(at, w.size):
            if (read_place := where(w, k)) is not None:
                scope = tuple(read_place[0])
                break
        return Query("list", Noun("bare", (), "g", True), scope)
    read = noun_phrase(w, end)
    if read is not None:
        noun, after_noun = read
        if noun.head == "Q":
            if noun.alike:
                return None
            return _quality(noun)
        if noun.head == "I":
            return Query("list", Noun("bare", (), "g", True))
        if noun.head == "B":
            return Query("background", noun)
        if kind == "do" or (w.at(after_noun).category == "k" and "look" in w.at(after_noun).text):
            return Query("look", noun)
        if noun.head in ("S", "g", "pron", "one"):
            return Query("attribute", noun, attribute="shape")
    # "what is below the circle?"
    said = predicate(w, end, kind, denied)
    if said is not None and (said[0].of or said[0].exists):
        nouns = _alternatives(w, 0)
        if nouns:
            return Query("which", Noun("the", (), "g"), (), nouns=tuple(nouns))
        return Query("which", Noun("the", (), "g"), tuple(said[0].of))
    return None


def _asks_of(w: Words, place: int) -> bool:
    """Tell "what shape is the blue thing" from "which shape is blue"."""
    end, _, kind, _ = verbs(w, place)
    if not kind:
        return False
    read = noun_phrase(w, end)
    return (
        read is not None
        and read[0].head in ("S", "g", "pron", "one")
        and (read[0].quantifier in ("the", "all", "both") or read[0].head == "pron")
        and w.at(end).text not in ("there", "you")
        and bool(not _is_superlative(w, end))
    )


def _is_superlative(w: Words, place: int) -> bool:
    return any(w.at(k).category == "sup" for k in (place, place + 1)) and w.at(
        place + 2
    ).category in ("end",)


def _alternatives(w: Words, place: int) -> list[Noun]:
    """Read "..., the circle or the square?"."""
    for index in range(place, w.size):
        if w.at(index).category == "," or w.at(index).category == ":":
            first = noun_phrase(w, index + 1)
            if first is not None and w.at(first[1]).category == "or":
                second = noun_phrase(w, first[1] + 1)
                if second is not None:
                    return [first[0], second[0]]
    return []


def _where(w: Words) -> Query | None:
    return _where_tail(w, 1 if w.at(0).text != "locate" else 1)


def _embedded(w: Words, place: int) -> Noun | None:
    """The subject of "(tell me) where the star is"."""
    read = noun_phrase(w, place)
    if read is None or read[0].head not in ("S", "g", "pron", "one", "B"):
        return None
    end, _, kind, _ = verbs(w, read[1])
    return read[0] if kind and w.at(w.skip(end)).category in ("end", ",") else None


def _where_tail(w: Words, place: int) -> Query | None:
    if (subject := _embedded(w, place)) is not None:
        return Query("where", subject)
    while place < w.size:
        end, _, kind, _ = verbs(w, place)
        if kind:
            if w.at(end).text in ("you", "i", "we", "one"):
                end += 1
                while w.at(end).category in ("see", "aux"):
                    end += 1
            read = noun_phrase(w, end)
            if read is not None:
                return Query("where", read[0])
        place += 1
    return None


def _yes_no(w: Words, text: str) -> Query | None:
    discourse = w.discourse
    place = 1
    first = w.at(0)
    if w.at(1).category == "not":
        place = 2
    if first.text in ("is", "are") and w.at(place).category in ("p", "gone"):
        pass
    rest = w.words[place:]
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
        nouns, end = reader.nouns(w, place)
        if not nouns:
            return None
        if end >= w.size:
            w.unmodified = True
            nouns, end = reader.nouns(w, place)
            if not nouns:
                return None
        if any(noun.unsure for noun in nouns):
            nouns = nouns
        # "is the star a red one?": only the first noun is the subject
        split = end
        single = noun_phrase(w, place)
        assert single is not None
        if (
            len(nouns) == 1
            or (nouns[0].quantifier in ("the", "a")
            and w.at(single[1]).category not in ("&",))
        ):
            split = single[1]
        w.unmodified = False
        chosen = _choice(w, single[0], split)
        if chosen is not None:
            return chosen
        words = [*w.words[place:split], first, *w.words[split:]]
    tagged = [word for word in words if word.category != "maybe" or word.text != "can"]
    alternatives = [k for k, word in enumerate(tagged) if word.category == "or"]
    reader = Reader(None, discourse)
    if alternatives:
        tagged = [Word("&", "", "and") if word.category == "or" else word for word in tagged]
    probe = Words(tagged, discourse)
    noun = None
    reader.sentence(tagged)
    claims = tuple(reader.claims)
    if not claims and head.text not in ("there", "you", "i", "we", "one"):
        asked = noun_phrase(w, place)
        if (
            asked is not None
            and asked[1] >= w.size
            and asked[0].quantifier in ("a", "bare", "no", "num")
        ):
            # "is a circle in the picture?"
            claims = tuple(reader.there(asked[0], final(asked[0]), False, []))
    if not claims:
        return None
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
            return _yes(claims, discourse, noun)
    query = _yes(claims, discourse, noun)
    if alternatives:
        nouns = [Noun("the", c.subject, "S") for c in claims[0].claims] if claims[0].claims else []
        query = Query(
            "yes", query.noun, query.scope, claims, nouns=tuple(nouns), negated=query.negated
        )
    del text
    return query


def _choice(w: Words, noun: Noun, place: int) -> Query | None:
    """Read "is the cross large or small?"."""
    if not any(word.category == "or" for word in w.words[place:]):
        return None
    _, _, _, floating = verbs(w, place)
    said = predicate(w, w.skip(place), "be", False)
    if said is None:
        return None
    pred = said[0]
    if pred.unsure and len(pred.options) > 1:
        del floating
        kinds = [c.attribute for c in pred.of if isinstance(c, Is)]
        return Query(
            "choice", noun, attribute=kinds[0] if kinds else "place", options=tuple(pred.options)
        )
    return None
