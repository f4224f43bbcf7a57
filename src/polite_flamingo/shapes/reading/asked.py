"""Questions: what is asked, so that "yes", "three" or "the blue one" can be understood."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from polite_flamingo.shapes.reading.claims import Is, Not, Related
from polite_flamingo.shapes.reading.clauses import read_sentence
from polite_flamingo.shapes.reading.discourse import Discourse, Referent, as_group
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.phrases import Words, final
from polite_flamingo.shapes.reading.polar_questions import affirmation, read_yes_no
from polite_flamingo.shapes.reading.query import Query
from polite_flamingo.shapes.reading.reader import Reader
from polite_flamingo.shapes.reading.wh_questions import read_bare, read_how, read_what, read_where
from polite_flamingo.shapes.reading.words import Word, normalise, sentences

_POLITE = re.compile(
    r"^(?:(?:so|and|well|ok|okay|hi|hello|hey|please|now|then|but|also|question|q|hmm|oh),?:? )*"
    r"(?:(?:can|could|would|will) you (?:please )?(?:tell me|say|let me know|determine|identify|name|describe)"
    r"(?: to me)?,? ?(?=if|whether|what|which|where|how)|do you (?:know|think)(?: that)? ?|"
    r"(?:please )?(?:tell me|let me know|say),? ?(?=if|whether|what|which|where|how)|"
    r"(?:can|could|would|will) you (?:please )?(?=count )|(?:please )?(?:tell me|give me|state|say|name|report) (?=the )|i wonder ?|i would like to know ?|any idea |please )?(?:if |whether )?"
)


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
            read_sentence(reader, words)
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
        read_sentence(reader, words)
    if not reader.claims:
        return None
    claims = tuple(reader.claims)
    query = affirmation(claims, discourse)
    _introduce(query, discourse)
    return query


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
    discourse.attribute = query.attribute
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
    for condition in (*query.scope, *(c for option in query.options for c in option)):
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
        or any(a.text == "how" and b.category == ">=" for a, b in itertools.pairwise(words))
    ):
        return read_how(w, text)
    if first.text in ("count",) or text.startswith(
        ("count ", "give the number of ", "the number of ")
    ):
        read = noun_phrase(w, 1)
        return Query("count", read[0]) if read else None
    if first.text in ("what", "which", "who", "whats", "name", "identify", "list", "describe") or (
        first.text in ("in", "on", "at", "of", "to") and w.at(1).text in ("what", "which")
    ):
        return read_what(w)
    if first.text in ("where", "whereabouts", "locate"):
        return read_where(w)
    if first.category in ("aux", "h", "k", "maybe") or first.text in ("is", "are", "has"):
        return read_yes_no(w, text)
    tagged = _TAG.sub("", text)
    if tagged != text or text:
        query = _stated(tagged, discourse)
        if query is not None and (tagged != text or not text.startswith(("the ", "a "))):
            return query
        if query is not None:
            return query
    return read_bare(w)
