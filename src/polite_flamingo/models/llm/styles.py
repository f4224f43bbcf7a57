"""Style commands that the scripted model obeys: how a request is recognised, what is done."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from polite_flamingo.models.llm.shortening import sentences, telegram, words

_TYPOGRAPHIC = "\u201c\u201d\u2018\u2019\u2026\u2013\u2014"
_PUNCTUATION = str.maketrans("", "", string.punctuation + _TYPOGRAPHIC)
_SYNONYMS = {
    "small": ("little", "tiny"),
    "large": ("big", "huge"),
    "image": ("picture", "photo"),
    "picture": ("image", "photo"),
    "above": ("over", "higher than"),
    "below": ("under", "beneath"),
    "many": ("numerous", "lots of"),
    "big": ("large", "sizeable"),
    "shows": ("depicts", "displays"),
    "contains": ("holds", "includes"),
    "person": ("individual", "human"),
    "good": ("fine", "decent"),
    "use": ("employ", "apply"),
    "make": ("create", "produce"),
    "help": ("aid", "assist"),
    "near": ("close to", "by"),
    "yes": ("yeah", "affirmative"),
    "no": ("nope", "negative"),
    "center": ("middle",),
    "gray": ("grey",),
    "circle": ("disc", "round shape"),
    "rectangle": ("oblong", "rectangular shape"),
    "square": ("equal-sided box",),
    "triangle": ("three-sided shape",),
}
_TENSES = {
    "is": ("was", "will be", "had been"),
    "are": ("were", "will be", "had been"),
    "has": ("had", "will have"),
    "have": ("had", "will have"),
    "can": ("could",),
    "see": ("saw", "will see"),
    "shows": ("showed", "will show"),
    "contains": ("contained", "will contain"),
    "uses": ("used", "will use"),
    "use": ("used", "will use"),
    "do": ("did",),
    "does": ("did",),
    "was": ("is",),
    "were": ("are",),
}
_GRAMMAR = {
    "is": "are",
    "are": "is",
    "has": "have",
    "have": "has",
    "a": "an",
    "an": "a",
    "the": "",
    "was": "were",
    "does": "do",
    "no": "not no",
}
_CASUAL_START = ("uh", "yeah so", "dude,", "lol", "idk,", "meh,", "ok whatever")
_CASUAL_END = ("lol", "or whatever", "i guess", "duh", "tbh", "who cares")
_COMPLEX = (
    "The entity under consideration, insofar as it may be ascertained, manifests as {}",
    "Upon rigorous perceptual scrutiny, the evidence substantiates {}",
    "Notwithstanding epistemic limitations, the visual referent constitutes {}",
)
_VERBOSE = (
    "What can be said here, if one is to say it at all, is {0}, that is to say, {0}",
    "As a matter of fact, and to put it at some length, it is {0}, which is to say {0}",
)
_PARAPHRASES = (
    "what one finds: {}",
    "{}, that is what it comes down to",
    "it amounts to {}",
    "put otherwise, {}",
)
_AMBIGUOUS = ("{} or something like it", "sort of {}", "could be {}, or not", "some kind of {}")
_METAPHORS = (
    "{}, like a lost button on the coat of night",
    "{}, a teapot on the roof of the world",
    "{}, as soup remembers its spoon",
)
_IRRELEVANT = (
    "by the way it rained on tuesday",
    "also my cousin sells bicycles",
    "unrelated but cheese is expensive now",
    "the train was late again",
)


@dataclass(frozen=True)
class Style:
    """A way to spoil a text: ``asked`` finds the wish in a request, ``apply`` carries it out."""

    name: str
    asked: re.Pattern[str]
    apply: Callable[[str, np.random.Generator], str]


def _one(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _bare(text: str, rng: np.random.Generator) -> str:
    return " ".join(text.translate(_PUNCTUATION).lower().split())


def _typos(text: str, rng: np.random.Generator) -> str:
    tokens = text.split()
    long = [place for place, token in enumerate(tokens) if len(token) >= 3]
    if not long:
        return text + text[-1:]
    share = rng.uniform(0.2, 0.6)
    for place in rng.permutation(long)[: max(1, round(share * len(long)))]:
        token = tokens[place]
        at = int(rng.integers(0, len(token) - 1))
        kind = int(rng.integers(3))
        if kind == 0 and token[at] != token[at + 1]:
            tokens[place] = token[:at] + token[at + 1] + token[at] + token[at + 2 :]
        elif kind == 1:
            tokens[place] = token[:at] + token[at + 1 :]
        else:
            tokens[place] = token[:at] + token[at] + token[at:]
    return " ".join(tokens)


def _grammar_errors(text: str, rng: np.random.Generator) -> str:
    tokens = text.split()
    wrong = [_GRAMMAR.get(token.lower(), token) for token in tokens]
    if wrong == tokens:
        last = tokens[-1].rstrip(".")
        wrong[-1] = last[:-1] if last.endswith("s") and len(last) > 3 else f"{last}s"
        wrong.insert(0, _one(("it are", "them is", "there be"), rng))
    return " ".join(token for token in wrong if token)


def _deletions(text: str, rng: np.random.Generator) -> str:
    tokens = text.split()
    if len(tokens) < 2:
        return text[: max(1, len(text) - int(rng.integers(1, 3)))]
    dropped = rng.permutation(len(tokens))[: max(1, round(rng.uniform(0.15, 0.5) * len(tokens)))]
    if len(dropped) == len(tokens):
        dropped = dropped[:-1]
    gone = set(dropped.tolist())
    return " ".join(token for place, token in enumerate(tokens) if place not in gone)


def _upper(text: str, rng: np.random.Generator) -> str:
    return text.upper()


def _lower(text: str, rng: np.random.Generator) -> str:
    return text.lower()


def _substituted(text: str, table: dict[str, tuple[str, ...]], rng: np.random.Generator) -> str:
    def swap(match: re.Match[str]) -> str:
        options = table.get(match.group().lower())
        return _one(options, rng) if options else match.group()

    return re.sub(r"[A-Za-z]+", swap, text)


def _synonyms(text: str, rng: np.random.Generator) -> str:
    return _substituted(text, _SYNONYMS, rng)


def _repetition(text: str, rng: np.random.Generator) -> str:
    stem = text.rstrip(".")
    if rng.random() < 0.5:
        return (
            " ".join(f"{token} {token}" if rng.random() < 0.5 else token for token in stem.split())
            + f", {stem}"
        )
    return ", ".join([stem] * int(rng.integers(2, 4)))


def _scrambled(text: str, rng: np.random.Generator) -> str:
    parts = [part.strip() for part in re.split(r"[,.;!?]+|\band\b", text) if part.strip()]
    if len(parts) < 2:
        tokens = text.rstrip(".").split()
        turn = int(rng.integers(1, len(tokens))) if len(tokens) > 1 else 0
        return " ".join([*tokens[turn:], *tokens[:turn]])
    order = rng.permutation(len(parts))
    if (order == np.arange(len(parts))).all():
        order = order[::-1]
    return " ".join(parts[place] for place in order)


def _tenses(text: str, rng: np.random.Generator) -> str:
    changed = _substituted(text, _TENSES, rng)
    if changed != text:
        return changed
    return f"{_one(('was', 'had been', 'will be', 'will have been'), rng)} {text}"


def _verbose(text: str, rng: np.random.Generator) -> str:
    return _one(_VERBOSE, rng).format(text.rstrip("."))


def _minimal(text: str, rng: np.random.Generator) -> str:
    first = telegram(sentences(text)[0] if sentences(text) else text)
    return " ".join(re.split(r"[,;]", first)[0].split()[:3])


def _comma_separated(text: str, rng: np.random.Generator) -> str:
    return ", ".join(words(telegram(text)) or words(text))


def _plain(text: str, rng: np.random.Generator) -> str:
    return " ".join(re.sub(r"[*_`#\[\]()|>-]", " ", text).split())


def _paraphrase(text: str, rng: np.random.Generator) -> str:
    return _one(_PARAPHRASES, rng).format(_synonyms(text, rng).rstrip("."))


def _reversed(text: str, rng: np.random.Generator) -> str:
    whole = sentences(text)
    if len(whole) > 1:
        return " ".join(reversed(whole))
    parts = [part.strip() for part in re.split(r"[,;]", text.rstrip(".")) if part.strip()]
    return ", ".join(reversed(parts))


def _unprofessional(text: str, rng: np.random.Generator) -> str:
    start, end = _one(_CASUAL_START, rng), _one(_CASUAL_END, rng)
    stem = text.rstrip(".").lower()
    return (f"{start} {stem}", f"{stem} {end}", f"{start} {stem} {end}")[int(rng.integers(3))]


def _complex(text: str, rng: np.random.Generator) -> str:
    return _one(_COMPLEX, rng).format(text.rstrip("."))


def _ambiguous(text: str, rng: np.random.Generator) -> str:
    return _one(_AMBIGUOUS, rng).format(text.rstrip("."))


def _metaphor(text: str, rng: np.random.Generator) -> str:
    return _one(_METAPHORS, rng).format(text.rstrip("."))


def _irrelevant(text: str, rng: np.random.Generator) -> str:
    stem, aside = text.rstrip("."), _one(_IRRELEVANT, rng)
    return f"{stem}. {aside}" if rng.random() < 0.7 else f"{aside}. {stem}"


def _repeated_sentence(text: str, rng: np.random.Generator) -> str:
    stem = (sentences(text) or [text])[0].rstrip(".")
    frames = ("{}", "so {}", "{} here", "just {}", "again {}", "{} yes {}")
    chosen = rng.permutation(len(frames))[: int(rng.integers(2, 4))]
    return ". ".join(frames[place].format(*[stem] * 2) for place in sorted(chosen.tolist()))


def _five_words(text: str, rng: np.random.Generator) -> str:
    return " ".join((words(telegram(text)) or words(text))[:5])


def _incoherent(text: str, rng: np.random.Generator) -> str:
    tokens = text.rstrip(".").split()
    mixed = [tokens[place] for place in rng.permutation(len(tokens))]
    mixed.insert(int(rng.integers(len(mixed) + 1)), _one(("but", "thus", "because", "or"), rng))
    return " ".join(mixed)


# Tried in this order; the first whose wish is found in the request is applied.
STYLES = tuple(
    Style(name, re.compile(asked, re.IGNORECASE), apply)
    for name, asked, apply in (
        ("five_words", r"\bfive[ -]words?\b|\bfive words\b", _five_words),
        ("bare", r"(?:no|without|drop|omit)[^.]*(?:punctuation|capital)", _bare),
        ("typos", r"\btypos?\b|misspel|spelling mistake", _typos),
        ("grammar_errors", r"grammar|grammatical", _grammar_errors),
        (
            "deletions",
            r"(?:random|at random)[^.]*(?:delet|remov|leav|drop)|"
            r"(?:delet|remov|leav|drop)[^.]*\brandom",
            _deletions,
        ),
        ("upper", r"\b(?:all|only)[^.]*(?:capital letters|upper[ -]?case|capitals)", _upper),
        ("lower", r"lower[ -]?case|small letters", _lower),
        (
            "repeated_sentence",
            r"(?:same|one|single) sentence[^.]*(?:again|several|over|repeat)|"
            r"repeat[^.]*(?:same|one|single) sentence",
            _repeated_sentence,
        ),
        ("repetition", r"repeat|repetit|redundan", _repetition),
        ("reversed", r"(?:revers|backward|last)[^.]*sentence|sentences[^.]*revers", _reversed),
        (
            "scrambled",
            r"(?:scrambl|jumbl|shuffl)[^.]*(?:structure|order|sentence|parts)",
            _scrambled,
        ),
        ("tenses", r"\btenses?\b", _tenses),
        ("comma_separated", r"comma", _comma_separated),
        ("plain", r"(?:no|without|drop|strip)[^.]*formatting|(?:no|without)[^.]*markdown", _plain),
        ("paraphrase", r"paraphras|reword|other words", _paraphrase),
        ("synonyms", r"synonym", _synonyms),
        ("unprofessional", r"unprofessional|sloppy tone|slang", _unprofessional),
        (
            "complex",
            r"(?:over|too|needlessly)[ -]?(?:ly )?(?:complex|complicated)|convoluted",
            _complex,
        ),
        ("ambiguous", r"ambigu|vague", _ambiguous),
        ("metaphor", r"metaphor", _metaphor),
        ("irrelevant", r"irrelevant|unrelated|off[ -]topic", _irrelevant),
        ("incoherent", r"incoheren|makes? no sense", _incoherent),
        ("verbose", r"verbos|wordy|long[ -]winded", _verbose),
        ("minimal", r"(?:as short as|bare minimum|fewest|not a word more)", _minimal),
    )
)


def style_of(request: str) -> Style | None:
    """Find the style that a request asks for, besides being short; None where it asks for none."""
    return next((style for style in STYLES if style.asked.search(request)), None)
