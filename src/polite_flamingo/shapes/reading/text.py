"""Whole texts: sentences in turn, with the question before them, into a list of claims."""

from __future__ import annotations

from functools import lru_cache

from polite_flamingo.shapes.reading.asked import inner_query, question_and_discourse
from polite_flamingo.shapes.reading.claims import Claim, Is
from polite_flamingo.shapes.reading.clauses import read_sentence
from polite_flamingo.shapes.reading.discourse import Discourse
from polite_flamingo.shapes.reading.nouns import noun_phrase
from polite_flamingo.shapes.reading.phrases import Words
from polite_flamingo.shapes.reading.query import Query
from polite_flamingo.shapes.reading.reader import Reader
from polite_flamingo.shapes.reading.saying import note_mention
from polite_flamingo.shapes.reading.words import Word, sentences

_TAGS = (
    ("is", "are", "does", "do", "has", "have", "right", "correct", "yes", "no", "was", "were"),
    ("it", "they", "there", "not", "he", "that", "this"),
)
_ASKING = {"what", "which", "where", "how", "who", "why", "shall", "should", "would", "could"}


@lru_cache(maxsize=1 << 13)
def _asked(question: str) -> tuple[Query | None, Discourse]:
    return question_and_discourse(question)


@lru_cache(maxsize=1 << 14)
def read(text: str, question: str | None = None) -> tuple[Claim, ...]:
    """List what a text claims, in its order.

    With ``question``, "yes", "no" and bare answers ("blue", "three") are claims about what was
    asked, and "it" may mean what was asked about. Questions, conditions, refusals, undecided
    alternatives and past beliefs claim nothing.
    """
    query, discourse = _asked(question) if question else (None, Discourse())
    reader = Reader(query, discourse.copy())
    for words, mark in sentences(text):
        if mark == "?":
            words = _statement_before_tag(words)
            if not words:
                continue
            if _is_question(words):
                _note_topic(words, reader)
                if query is None or not query.claims:
                    # A question asked in the text, to be answered there.
                    inner = inner_query(words, reader.d)
                    reader.query = inner or reader.query
                continue
        if any(word.category == "past" for word in words):
            _note_first(words, reader)
        words = _decided(words)
        if _undecided(words):
            continue
        doubts = [
            word
            for word in words
            if word.category == "maybe" and word.text not in ("could", "might", "may")
        ]
        if len(doubts) > 1 or (doubts and any(word.category == "or" for word in words)):
            continue
        if words:
            read_sentence(reader, words)
    claims = reader.claims
    if reader.answered and not (query is not None and query.negated and claims):
        claims = [*reader.answered, *claims]
    return tuple(dict.fromkeys(claims))


def _note_first(words: list[Word], reader: Reader) -> None:
    """Note what a dropped statement was about: "I thought the star was red, but it is green."""
    w = Words(words, reader.d)
    for place, word in enumerate(words):
        if word.text in ("the", "a", "an"):
            w.unmodified = True
            found = noun_phrase(w, place)
            w.unmodified = False
            if found is not None and found[0].head == "S":
                noun = found[0]
                if noun.quantifier == "a":
                    # "You might expect a red star": of the star, whatever its colour.
                    noun.of = tuple(
                        c for c in noun.of if isinstance(c, Is) and c.attribute == "shape"
                    )
                noun.quantifier = "the"
                note_mention(reader, [noun])
                return


def _statement_before_tag(words: list[Word]) -> list[Word]:
    """Drop the tag of "the circle is red, isn't it?"."""
    for place in range(len(words) - 1, 0, -1):
        if words[place].category == ",":
            tail = words[place + 1 :]
            if (
                tail
                and len(tail) < 4
                and (
                    (
                        tail[0].text in _TAGS[0]
                        and all(w.text in (*_TAGS[0], *_TAGS[1]) for w in tail)
                    )
                    or tail[0].category in ("Y",)
                )
            ):
                return [*words[:place], Word("tag", "", "")]
            return words
    return words


def _is_question(words: list[Word]) -> bool:
    if words[-1].category == "tag":
        words.pop()
        return words[0].category == "aux"
    return True


def _note_topic(words: list[Word], reader: Reader) -> None:
    """Take "The square?" up as what is spoken of next."""
    w = Words(words, reader.d)
    if words[0].text in ("what", "how", "and") and len(words) > 1 and words[1].text == "about":
        words = words[2:]
    elif words[0].category == "&":
        words = words[1:]
    if not words:
        return
    w = Words(words, reader.d)
    if words[0].text in _ASKING or words[0].category in ("aux", "maybe"):
        return
    found = noun_phrase(w, 0)
    if found is not None and (found[1] >= w.size or found[0].quantifier == "the"):
        noun = found[0]
        if noun.head == "Q":
            if noun.owner is not None and noun.owner.head in ("S", "g"):
                note_mention(reader, [noun.owner])
        else:
            note_mention(reader, [noun])


def _undecided(words: list[Word]) -> bool:
    """Whether a sentence leaves open which of its clauses holds: "either it is red or it is blue"."""
    texts = [word.text for word in words]
    if "either" not in texts or "or" not in texts[texts.index("either") :]:
        return False
    ranging = ("every", "all", "each", "everything", "any", "anything")
    return not any(
        word.category in ("not", "no", "lack", "negframe") or word.text in ranging for word in words
    )


def _decided(words: list[Word]) -> list[Word]:
    """Keep the parts of a sentence that claim something."""
    categories = {word.category for word in words}
    if not categories & {"if", "u", "past"} and words[0].text not in ("had", "were"):
        return words
    if words[0].text in ("had", "were", "should") and any(word.text == "would" for word in words):
        return []
    if "if" in categories:
        if any(word.text in ("would", "could", "might", "may") for word in words) or (
            next(w for w in words if w.category not in ("f", ",", "&", "but", "hedge")).category
            == "if"
        ):
            return []
        kept: list[Word] = []
        for part in _split(words, {",", "but"}):
            if not any(word.category == "if" for word in part):
                kept += part
        words = kept
    kept = []
    for part in _split(words, {"but"}):
        if any(word.category == "u" for word in part):
            # "It is red, though I can't tell its size."
            before: list[Word] = []
            for piece in _split(part, {","}):
                if any(word.category == "u" for word in piece):
                    break
                before += piece
            kept += before
        elif any(word.category == "past" for word in part):
            continue
        else:
            kept += part
    return kept


def _split(words: list[Word], marks: set[str]) -> list[list[Word]]:
    parts: list[list[Word]] = [[]]
    for word in words:
        if word.category in marks:
            parts.append([word])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]
