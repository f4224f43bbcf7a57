"""Examples worded and filled otherwise, so that judges learn relations between words, not words.

Everything here is a pure function of its texts and a random generator.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from transformers import PreTrainedTokenizerBase

from polite_flamingo.shapes.scene import COLORS, REGIONS, SHAPES, SIZES, TEXTURES
from polite_flamingo.shapes.wordings import NUMBERS, choose, fill_plain, load_phrases, plural
from polite_flamingo.shapes.wordings import sentences as as_sentences

_WORD = re.compile(r"[A-Za-z]+|[0-9]+")
_ARTICLE = re.compile(r"\b([Aa])n? (?=([A-Za-z]+))")
# Words that stand for colours, shapes and textures; those of the world come first.
_SWAPPED: Mapping[str, tuple[str, ...]] = {
    "color": (
        *COLORS, *"pink cyan magenta violet beige silver golden turquoise crimson olive navy maroon "
        "lime scarlet ivory copper indigo coral".split(),
    ),
    "shape": (
        *SHAPES, *"arrow heart diamond moon cloud flower leaf bottle kite ladder spoon bell crown "
        "pentagon hexagon ring cube cone".split(),
    ),
    "texture": (
        *TEXTURES, *"checkered glossy wooden fuzzy shiny rough metallic woven".split(),
    ),
}  # fmt: skip
# Where one of these stands for a word of the class, swapping that word would part them.
_OTHER_NAMES = {
    "color": "grey crimson colourless",
    "shape": "plus disc disk round ball box oblong star-shaped",
    "texture": "stripy stripes striping spotted dots dotty spots polka solid unpatterned",
}
# Words that keep their place whatever the wording: logic, quantity, place and grammar.
_KEPT = frozenset(
    "a an the this that these those it its is are was were be been being do does did not no none "
    "never nothing neither nor without yes or and but if than as of in on at to from by for with "
    "there here one two other another only more most fewer less least many much number count above "
    "below left right top bottom up down over under upper lower higher high low great greater "
    "fewest equal same different true false correct wrong exactly any some all both each i you we "
    "me my your he she they them color colour colors shape size texture small large big little "
    "tiny plain image picture can cannot absent missing lack lacks lacking fails instead".split()
) | {
    word
    for phrase in (*REGIONS, *SIZES, *NUMBERS, *_OTHER_NAMES.values())
    for word in phrase.split()
}
# Nearest words that may stand for a word, and how near they must be (cosine).
_NEAREST = 8
_NEAR = 0.35

_CLASS_OF = {
    form: (name, number)
    for name, words in _SWAPPED.items()
    for number, word in enumerate(words)
    for form in (word, plural(word))
}


def permute(texts: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Swap colours, shapes, textures and numbers for others, alike in all of ``texts``.

    Different words stay different, numbers keep their order, zero and one stay as they are.
    """
    found = {word.lower() for text in texts for word in _WORD.findall(text)}
    swaps: dict[str, str] = {}
    for name, words in _SWAPPED.items():
        if found & set(_OTHER_NAMES[name].split()):
            continue
        there = sorted({_CLASS_OF[w][1] for w in found if _CLASS_OF.get(w, ("",))[0] == name})
        drawn = rng.permutation(len(words))[: len(there)].tolist()
        for old, new in zip(there, drawn, strict=True):
            swaps[words[old]] = words[new]
            swaps[plural(words[old])] = plural(words[new])
    swaps |= _number_swaps(found, rng)
    return [_ARTICLE.sub(_article, _WORD.sub(lambda m: _swap(m[0], swaps), text)) for text in texts]


def _number_swaps(found: set[str], rng: np.random.Generator) -> dict[str, str]:
    values = sorted(
        number
        for number in range(2, len(NUMBERS))
        if NUMBERS[number] in found or str(number) in found
    )
    drawn = sorted((rng.permutation(len(NUMBERS) - 2) + 2)[: len(values)].tolist())
    swaps = {}
    for old, new in zip(values, drawn, strict=True):
        swaps[NUMBERS[old]] = NUMBERS[new]
        swaps[str(old)] = str(new)
    return swaps


def _swap(word: str, swaps: Mapping[str, str]) -> str:
    new = swaps.get(word.lower(), word)
    if word.isupper() and len(word) > 1:
        return new.upper()
    return new[0].upper() + new[1:] if word[0].isupper() else new


def _article(match: re.Match[str]) -> str:
    if match[2].lower() not in _CLASS_OF:
        return match[0]
    return f"{match[1]}n " if match[2][0].lower() in "aeio" else f"{match[1]} "


Nearest = Mapping[str, Sequence[str]]


def nearest_words(
    tokenizer: PreTrainedTokenizerBase, vectors: np.ndarray, texts: Sequence[str]
) -> Nearest:
    """Find the words nearest to each word of ``texts`` by ``vectors`` [vocabulary, size].

    Words that say what is so (values, places, numbers, negations, grammar) have none.
    """
    vocabulary = tokenizer.get_vocab()
    words = sorted(w for w in vocabulary if w.isascii() and w.isalpha() and len(w) > 2)
    free = [w for w in words if w not in _KEPT and w not in _CLASS_OF]
    used = {word.lower() for text in texts for word in _WORD.findall(text)}
    asked = [word for word in free if word in used]
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    table = unit[[vocabulary[word] for word in free]]
    near: dict[str, Sequence[str]] = {}
    for word in asked:
        cosines = table @ unit[vocabulary[word]]
        best = np.argsort(-cosines, kind="stable")[1 : _NEAREST + 1]
        if chosen := [free[i] for i in best.tolist() if cosines[i] > _NEAR]:
            near[word] = chosen
    return near


def reword(
    texts: Sequence[str], near: Nearest, rng: np.random.Generator, share: float, lost: float
) -> list[str]:
    """Exchange a ``share`` of the words that have near ones, and drop ``lost``; alike in all."""
    found = sorted({word.lower() for text in texts for word in _WORD.findall(text)} & set(near))
    swaps = {word: choose(near[word], rng) for word in found if rng.random() < share}
    gone = {word for word in found if word not in swaps and rng.random() < lost}

    def exchanged(match: re.Match[str]) -> str:
        return "" if match[0].lower() in gone else _swap(match[0], swaps)

    return [_WORD.sub(exchanged, text).replace("  ", " ").strip() or text for text in texts]


def dressed(text: str, rng: np.random.Generator, share: float = 0.4) -> str:
    """Put an opener before a text, a closer behind it, each with probability ``share``."""
    phrases = load_phrases()
    if rng.random() < share:
        lowered = text if text[:2] in ("I ", "I'") else text[:1].lower() + text[1:]
        frame = choose(phrases["openers"], rng)
        text = as_sentences(fill_plain(frame, {}, rng).replace("~", lowered))
    if rng.random() < share:
        text = f"{closed(text)} {choose(phrases['closers'], rng)}"
    return text


def joined(first: str, second: str, rng: np.random.Generator) -> str:
    """Say two things one after the other."""
    joint = choose(load_phrases()["joints"], rng)
    if joint == "~":
        return f"{closed(first)} {second}"
    lowered = second if second.startswith("I ") else second[:1].lower() + second[1:]
    return f"{closed(first)} {as_sentences(joint).removesuffix('.').replace('~', lowered)}"


def closed(text: str) -> str:
    """Close a text with a full stop, if nothing closes it."""
    return text if text.rstrip().endswith((".", "!", "?")) else f"{text.rstrip()}."


def groups_of(keys: Sequence[str]) -> list[range]:
    """Give each row the range of neighbouring rows with its own key."""
    starts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(keys)) if a != b), len(keys)]
    return [range(a, b) for a, b in pairwise(starts) for _ in range(b - a)]


def composed(label: str, own: str, others: Mapping[str, str], rng: np.random.Generator) -> str:
    """Join a premise with another of its question, in either order, so that its label stays.

    ``others``: label -> premise. What contradicts stays a contradiction beside anything; what
    entails, beside what says nothing; what says nothing gets no company.
    """
    company = {"contradiction": ("entailment", "neutral"), "entailment": ("neutral",)}
    names = [name for name in company.get(label, ()) if name in others]
    if not names:
        return own
    other = others[choose(names, rng)]
    first, second = (own, other) if rng.random() < 0.5 else (other, own)
    return joined(first, second, rng)
