"""Chats and tasks without pictures, on lists, numbers, colours and shapes, politely answered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from polite_flamingo.shapes.scene import COLORS, REGIONS, SHAPES, SIZES
from polite_flamingo.shapes.slots import place_words
from polite_flamingo.shapes.wordings import (
    NUMBERS,
    article,
    choose,
    fill,
    fill_plain,
    listing,
    load_questions,
    load_wording,
    plural,
    sentence_frames,
    sentences,
    shuffled,
)

_OPPOSITES = (
    ("left", "right"),
    ("top", "bottom"),
    ("above", "below"),
    ("small", "large"),
    ("black", "white"),
    ("yes", "no"),
    ("first", "last"),
)


_SIDES = (
    ("triangle", 3, "sides"),
    ("square", 4, "sides"),
    ("rectangle", 4, "sides"),
    ("triangle", 3, "corners"),
    ("square", 4, "corners"),
    ("rectangle", 4, "corners"),
    ("star", 5, "points"),
    ("cross", 4, "arms"),
)


_WORD_KINDS = {"color": COLORS, "shape": SHAPES, "number": NUMBERS[1:], "size": SIZES}


_CHAT_TOPICS = (
    "next",
    "previous",
    "larger",
    "sum",
    "sides",
    "opposite",
    "is_a",
    "is_not_a",
    "write",
    "name",
)


_TASKS = ("count", "first", "largest", "sort", "odd", "sentence")


_ORDINALS = ("first", "second", "third", "last")


def chat(rng: np.random.Generator, wording: str) -> list[tuple[str, str]]:
    """Make a chat of 2-4 turns on numbers, colours, shapes and opposites, without pictures."""
    topics = [choose(_CHAT_TOPICS, rng) for _ in range(2 + int(rng.random() * 2))]
    turns = [_chat_turn(topic, wording, rng) for topic in topics]
    if rng.random() < 0.2:
        turns.insert(0, _chat_turn("hello", wording, rng))
    if rng.random() < 0.2:
        turns.append(_chat_turn("thanks", wording, rng))
    return turns[:4]


def instruct(rng: np.random.Generator, wording: str) -> tuple[str, str, str]:
    """Make an Alpaca record (instruction, input, output) on lists, numbers and short notes."""
    task = choose(_TASKS, rng)
    slots, given = _task_slots(task, rng)
    instruction = fill(choose(load_questions().lines("instruct", task), rng), slots, rng)
    if task == "sentence":
        return (
            instruction,
            given,
            fill(choose(load_wording(wording).lines("describe", "one"), rng), slots, rng),
        )
    return instruction, given, _text_answer(wording, ("instruct", task), slots, rng)


def _text_answer(
    wording: str,
    path: tuple[str, ...],
    slots: dict[str, str],
    rng: np.random.Generator,
    intros: str = "intros_text",
) -> str:
    frames = choose(sentence_frames(wording, intros, *path), rng)
    return fill(choose(frames, rng), slots, rng)


def _chat_turn(topic: str, wording: str, rng: np.random.Generator) -> tuple[str, str]:
    slots = _TOPICS[topic](rng) if topic in _TOPICS else {}
    text = fill_plain(choose(load_questions().lines("chat", topic), rng), slots, rng)
    question = sentences(text) if rng.random() < 0.7 or topic in ("hello", "thanks") else text
    if topic in ("hello", "thanks"):
        return question, fill(choose(load_wording(wording).lines("chat", topic), rng), {}, rng)
    answer = _text_answer(wording, ("chat", topic), slots, rng)
    if topic in ("is_a", "is_not_a"):
        frame = choose(load_wording(wording).lines("chat", topic), rng)
        answer = fill("{yes}, " + frame, slots, rng)
    return question, answer


def _number_pair(rng: np.random.Generator, step: int) -> dict[str, str]:
    low = int(rng.random() * 10)
    pair = (NUMBERS[low], NUMBERS[low + 1])
    return {"x": pair[0], "y": pair[1]} if step > 0 else {"x": pair[1], "y": pair[0]}


def _larger(rng: np.random.Generator) -> dict[str, str]:
    low = int(rng.random() * 10)
    high = low + 1 + int(rng.random() * (10 - low))
    return {"x": NUMBERS[low], "y": NUMBERS[high]}


def _sum(rng: np.random.Generator) -> dict[str, str]:
    first = int(rng.random() * 11)
    second = int(rng.random() * (11 - first))
    return {"x": NUMBERS[first], "y": NUMBERS[second], "z": NUMBERS[first + second]}


def _sides(rng: np.random.Generator) -> dict[str, str]:
    shape, number, parts = choose(_SIDES, rng)
    return {"a": article(shape), "n": NUMBERS[number], "parts": parts}


def _opposite(rng: np.random.Generator) -> dict[str, str]:
    pair = choose(_OPPOSITES, rng)
    first = int(rng.random() * 2)
    return {"x": pair[first], "y": pair[1 - first]}


def _word_kind(rng: np.random.Generator, true: bool) -> dict[str, str]:
    names = list(_WORD_KINDS)
    kind = choose(names, rng)
    said = kind if true else choose([name for name in names if name != kind], rng)
    word = choose(_WORD_KINDS[kind], rng)
    return {"x": word, "a": article(said), "yes": "Yes" if true else "No"}


def _write(rng: np.random.Generator) -> dict[str, str]:
    number = int(rng.random() * 11)
    return {"x": str(number), "y": NUMBERS[number]}


def _name(rng: np.random.Generator) -> dict[str, str]:
    kind = choose(("color", "shape"), rng)
    values = _WORD_KINDS[kind]
    number = 2 + int(rng.random() * 3)
    items = shuffled(values, rng)[:number]
    return {"n": NUMBERS[number], "things": plural(kind), "items": listing(items)}


_TOPICS: dict[str, Callable[[np.random.Generator], dict[str, str]]] = {
    "next": lambda rng: _number_pair(rng, 1),
    "previous": lambda rng: _number_pair(rng, -1),
    "larger": _larger,
    "sum": _sum,
    "sides": _sides,
    "opposite": _opposite,
    "is_a": lambda rng: _word_kind(rng, True),
    "is_not_a": lambda rng: _word_kind(rng, False),
    "write": _write,
    "name": _name,
}


def _task_slots(task: str, rng: np.random.Generator) -> tuple[dict[str, str], str]:
    """Draw the facts of an Alpaca task and its input text."""
    if task == "sentence":
        thing = f"{choose(COLORS, rng)} {choose(SHAPES, rng)}"
        place = choose(REGIONS, rng)
        return {"full": article(thing), "at": place_words(place, rng)}, f"{thing}, {place}"
    if task in ("largest", "sort"):
        numbers = shuffled(range(11), rng)[: 3 + int(rng.random() * 3)]
        most = choose(("largest", "smallest"), rng)
        extreme = max(numbers) if most == "largest" else min(numbers)
        items = listing([NUMBERS[i] for i in sorted(numbers)])
        slots = {"x": NUMBERS[extreme], "most": most, "items": items}
        return slots, ", ".join(NUMBERS[i] for i in numbers)
    kind = choose(list(_WORD_KINDS)[:3], rng)
    values = _WORD_KINDS[kind]
    words = shuffled(values, rng)[: 3 + int(rng.random() * 3)]
    if task == "count":
        return {"n": NUMBERS[len(words)], "things": plural(kind), "are": "are"}, ", ".join(words)
    if task == "first":
        nth = int(rng.random() * len(_ORDINALS))
        word = words[-1] if _ORDINALS[nth] == "last" else words[nth]
        return {"nth": _ORDINALS[nth], "x": word}, ", ".join(words)
    other = choose([name for name in list(_WORD_KINDS)[:3] if name != kind], rng)
    odd = choose(_WORD_KINDS[other], rng)
    words[int(rng.random() * len(words))] = odd
    return {"x": odd, "a": article(kind)}, ", ".join(words)
