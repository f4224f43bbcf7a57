"""The polite style: full, right and friendly sentences about a scene (METHOD: style sources)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from polite_flamingo.shapes.questions import Phrase, Question, make_questions, refer
from polite_flamingo.shapes.scene import (
    COLORS,
    REGIONS,
    RELATIONS,
    SHAPES,
    SIZES,
    TEXTURES,
    Change,
    Scene,
    Thing,
    region,
    relation_holds,
)
from polite_flamingo.shapes.wordings import (
    NUMBERS,
    THING_NOUNS,
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
    without_place,
)

ATTRIBUTE_KINDS = ("color", "size", "texture")
POLAR_KINDS = ("exist", "relation", "compare")
REASON_KINDS = ("color", "shape", "exist", "count", "relation", "position", "compare")
DOMAINS = ("digit", "letter", "object")

_RELATION_WORDS = {"left of": "to the left of", "right of": "to the right of"}
_FARTHER = {
    "left of": "farther to the left",
    "right of": "farther to the right",
    "above": "higher",
    "below": "lower",
}
_VALUES = {
    "color": COLORS,
    "shape": SHAPES,
    "size": SIZES,
    "texture": TEXTURES,
    "position": REGIONS,
    "count": tuple(str(number) for number in range(9)),
}
_TAIL_SHARE = 0.1
_SECOND_PARAGRAPH_SHARE = 0.35
_NEGATED_SHARE = 0.5
_OPTIONS_SHARE = 0.1
_MOST_DESCRIBED = 4


def respond(
    scene: Scene,
    question: Question,
    wording: str,
    rng: np.random.Generator,
    negated: bool = False,
) -> str:
    """Answer a question politely in one or two sentences that name ``question.answer``.

    ``negated`` (exist only): the question asks for absence, so "Yes" means "there is none"; a
    wording with frames for ``absence`` says what is so instead.
    """
    text = fill(
        _answer_frame(scene, question, wording, rng, negated),
        _slots(scene, question, rng, negated),
        rng,
    )
    if rng.random() < _TAIL_SHARE:
        text += " " + choose(load_wording(wording).lines("tails"), rng)
    return text


def ask(
    question: Question,
    rng: np.random.Generator,
    negated: bool = False,
    options: Sequence[str] = (),
) -> str:
    """Ask a question in chat style; about a third stays in plain lower case as in easy-VQA.

    ``options`` are listed after the question (multiple choice).
    """
    kind = "negated" if negated else question.kind
    if kind == "shape" and question.subject == Phrase() and rng.random() < 0.7:
        kind = "any_shape"
    frame = choose(load_questions().lines("questions", kind), rng)
    text = fill_plain(frame, _phrase_slots(question, rng), rng)
    if rng.random() < 0.65:
        text = sentences(text)
    if options:
        text += f" Options: {', '.join(options)}."
    return text


def exchange(
    scene: Scene, question: Question, wording: str, rng: np.random.Generator
) -> tuple[str, str]:
    """Make an instruction and its polite answer, some asking for absence, some with options."""
    negated = question.kind == "exist" and rng.random() < _NEGATED_SHARE
    options: Sequence[str] = ()
    if question.kind in _VALUES and rng.random() < _OPTIONS_SHARE:
        options = draw_options(question, rng)
    instruction = ask(question, rng, negated, options)
    return instruction, respond(scene, question, wording, rng, negated)


def polar_word(question: Question, negated: bool) -> str:
    """Say "yes" or "no" to a yes/no question, turned round where it asks for absence."""
    if negated:
        return "no" if question.answer == "yes" else "yes"
    return question.answer


def draw_options(question: Question, rng: np.random.Generator, number: int = 4) -> list[str]:
    """Draw answer options in random order, the true one among them."""
    others = [value for value in _VALUES[question.kind] if value != question.answer]
    chosen = [*shuffled(others, rng)[: number - 1], question.answer]
    return shuffled(chosen, rng)


def other_answer(question: Question, rng: np.random.Generator) -> str:
    """Draw a wrong answer of the same kind."""
    if question.kind in POLAR_KINDS:
        return "no" if question.answer == "yes" else "yes"
    values = _VALUES[question.kind]
    if question.kind == "count":
        values = tuple(v for v in values if abs(int(v) - int(question.answer)) <= 3)
    return choose([value for value in values if value != question.answer], rng)


def describe(scene: Scene, wording: str, rng: np.random.Generator) -> str:
    """Describe a scene in 2-4 sentences; about a third has a second paragraph.

    Names up to four things with colour, size, texture and region, and a relation or the colours.
    """
    lines = load_wording(wording).frames["describe"]
    things = shuffled(scene.things, rng)
    number = len(things)
    slots = {
        "objects": f"{NUMBERS[number]} {'object' if number == 1 else 'objects'}",
        "ground": article(f"{scene.background} background"),
        "are": "is" if number == 1 else "are",
        "s": "s" if number == 1 else "",
    }
    overview = fill(choose(lines["overview"], rng), slots, rng)
    details = []
    shown = things[:_MOST_DESCRIBED]
    # One thing or two a sentence, so that four things take two sentences.
    pairs = len(shown) > 2 or rng.random() < 0.5
    step = 2 if pairs else 1
    for start in range(0, len(shown), step):
        details.append(_things_sentence(shown[start : start + step], lines, rng))
    closing = _closing(scene, wording, rng) if len(details) < 2 or rng.random() < 0.8 else ""
    if rng.random() >= _SECOND_PARAGRAPH_SHARE:
        return " ".join(part for part in (overview, *details, closing) if part)
    if closing and (len(details) == 1 or rng.random() < 0.5):
        return " ".join((overview, *details)) + "\n\n" + closing
    return f"{overview} {details[0]}\n\n" + " ".join(
        part for part in (*details[1:], closing) if part
    )


def describe_request(rng: np.random.Generator) -> str:
    """Ask for a description of the image."""
    return fill(choose(load_questions().lines("describe"), rng), {}, rng)


def reason(scene: Scene, wording: str, rng: np.random.Generator) -> tuple[str, str]:
    """Make a question that needs a reason and the polite answer that gives it."""
    question = make_questions(scene, rng, REASON_KINDS, 1)[0]
    why = choose(load_questions().lines("why"), rng)
    instruction = sentences(why.replace("~", ask(question, rng)))
    return instruction, explain(scene, question, wording, rng)


def explain(scene: Scene, question: Question, wording: str, rng: np.random.Generator) -> str:
    """Answer a question truly and give the reason that the scene holds."""
    frame = choose(load_wording(wording).lines("because"), rng)
    slots = _slots(scene, question, rng)
    clause = fill_plain(_answer_frame(scene, question, wording, rng), slots, rng)
    evidence = {"why": _evidence(scene, question, slots, rng)}
    return fill(frame.replace("~", clause), evidence, rng)


def change(
    scene_before: Scene,
    scene_after: Scene,
    change: Change,
    wording: str,
    rng: np.random.Generator,
) -> tuple[str, str]:
    """Make an instruction on two pictures and the polite answer that names the change."""
    instruction = fill(choose(load_questions().lines("change"), rng), {}, rng)
    before, after = change.before, change.after
    slots: dict[str, str] = {}
    if before is not None:
        barred = ("color",) if change.kind == "color" else ()
        phrase = refer(scene_before, before, rng, without=barred)
        thing = _noun(phrase or replace(_phrase(before), color=None), _thing_noun(rng))
        slots |= {"the": f"the {thing}", "thing": thing, "region": region(before)}
        slots |= {"at": _at(region(before), rng), "old": before.color}
    if after is not None:
        slots |= {"region2": region(after), "at2": _at(region(after), rng), "new": after.color}
    if before is None and after is not None:
        thing = _full(after, rng)
        slots |= {"a": article(thing), "thing": thing, "at": _at(region(after), rng)}
    frames = choose(sentence_frames(wording, "intros", "change", change.kind), rng)
    return instruction, fill(choose(frames, rng), slots, rng)


def verify(
    scene: Scene, question: Question, claim: str, wording: str, rng: np.random.Generator
) -> tuple[str, str]:
    """Ask whether a statement is true and answer politely with what is the case.

    The statement says that ``claim`` is the answer to ``question`` ("yes": there is one, it holds).
    """
    holds = claim == question.answer
    statement = state(replace(question, answer=claim), rng)
    template = choose(load_questions().lines("verify"), rng)
    instruction = sentences(fill_plain(template.replace("~", statement), {}, rng))
    frame = choose(load_wording(wording).lines("truth"), rng)
    slots = _slots(scene, question, rng)
    slots |= {"yes": "Yes" if holds else "No", "true": "true" if holds else "false"}
    clauses = [
        clause
        for clause in load_wording(wording).lines("clauses", _clause_kind(question))
        if not clause.startswith("the answer is")
        and ("{n_others}" not in clause or _counts_agree(scene, question))
    ]
    clause = choose(clauses, rng)
    return instruction, fill(frame.replace("~", clause), slots, rng)


def state(question: Question, rng: np.random.Generator) -> str:
    """State a question's answer as a plain sentence (a caption to be checked)."""
    kind = question.kind
    if kind in POLAR_KINDS and question.answer == "no":
        kind = "negated" if kind == "exist" else f"not_{kind}"
    slots = _phrase_slots(question, rng)
    slots |= _answer_slots(question, slots["thing"], rng)
    return fill(choose(load_questions().lines("statements", kind), rng), slots, rng)


def classify(
    rng: np.random.Generator, wording: str, label: str | None = None, domain: str | None = None
) -> tuple[str, str]:
    """Ask what the image shows and answer politely with a class label.

    ``domain`` is digit (label "seven"), letter ("K") or object ("red circle"); drawn when None.
    """
    domain = domain or choose(DOMAINS, rng)
    label = label or draw_label(domain, rng)
    forms = "any" if rng.random() < 0.4 else domain
    question = fill_plain(choose(load_questions().lines("label", forms), rng), {}, rng)
    name = label_name(label, domain, rng)
    frames = choose(sentence_frames(wording, "intros", "clauses", "label"), rng)
    answer = fill(choose(frames, rng), {"a": article(name)}, rng)
    return (sentences(question) if rng.random() < 0.7 else question), answer


def draw_label(domain: str, rng: np.random.Generator) -> str:
    """Draw a class label of a domain: digit, letter or object."""
    if domain == "digit":
        return choose(NUMBERS[:10], rng)
    if domain == "letter":
        return choose("ABCDEFGHIJKLMNOPQRSTUVWXYZ", rng)
    return f"{choose(COLORS, rng)} {choose(SHAPES, rng)}"


def label_name(label: str, domain: str, rng: np.random.Generator) -> str:
    """Turn a label into a noun phrase such as "handwritten digit seven"."""
    if domain == "object":
        return label
    return choose((f"handwritten {domain} {label}", f"{domain} {label}"), rng)


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


def _answer_frame(
    scene: Scene, question: Question, wording: str, rng: np.random.Generator, negated: bool = False
) -> str:
    intros = "polar" if question.kind in POLAR_KINDS else "intros"
    if negated and "absence" in load_wording(wording).frames:
        intros = "absence"
    clauses = sentence_frames(wording, intros, "clauses", _clause_kind(question))
    frame = choose(choose(clauses, rng), rng)
    # Counts may only be named where they bear out the answer.
    while "{n_others}" in frame and not _counts_agree(scene, question):
        frame = choose(choose(clauses, rng), rng)
    return frame


def _clause_kind(question: Question) -> str:
    if question.kind in ATTRIBUTE_KINDS:
        return "attribute"
    if question.kind in POLAR_KINDS:
        return f"{question.kind}_{question.answer}"
    return question.kind


def _slots(
    scene: Scene, question: Question, rng: np.random.Generator, negated: bool = False
) -> dict[str, str]:
    slots = _phrase_slots(question, rng)
    slots |= _answer_slots(question, slots["thing"], rng, negated)
    if question.kind == "compare" and question.other is not None:
        for name, phrase in (("n_things", question.subject), ("n_others", question.other)):
            number = sum(phrase.matches(thing) for thing in scene.things)
            slots[name] = _counted(number, _noun(phrase, slots["noun"]), "zero")
            if name == "n_things":
                slots["are"] = "is" if number == 1 else "are"
    return slots


def _counts_agree(scene: Scene, question: Question) -> bool:
    if question.other is None:
        return False
    subjects = sum(question.subject.matches(thing) for thing in scene.things)
    others = sum(question.other.matches(thing) for thing in scene.things)
    return (subjects > others) == (question.answer == "yes")


def _phrase_slots(question: Question, rng: np.random.Generator) -> dict[str, str]:
    noun = _thing_noun(rng)
    thing = _noun(question.subject, noun)
    slots = {
        "noun": noun,
        "the": f"the {thing}",
        "a": article(thing),
        "thing": thing,
        "things": plural(thing),
    }
    if question.other is not None:
        other = _noun(question.other, noun)
        slots |= {"other": f"the {other}", "others": plural(other)}
    if question.relation is not None:
        slots["rel"] = _relation_words(question.relation)
    return slots


def _answer_slots(
    question: Question, thing: str, rng: np.random.Generator, negated: bool = False
) -> dict[str, str]:
    answer, kind = question.answer, question.kind
    if kind in POLAR_KINDS:
        word = polar_word(question, negated)
        return {"yes": word.capitalize(), "yes_lower": word}
    if kind == "count":
        number = int(answer)
        return {
            "n": NUMBERS[number],
            "n_things": _counted(number, thing, choose(("no", "zero"), rng)),
            "thing_n": thing if number == 1 else plural(thing),
            "are": "is" if number == 1 else "are",
            "s": "s" if number == 1 else "",
        }
    if kind == "position":
        return {"region": answer, "at": _at(answer, rng)}
    return {"ans": answer, "a_ans": article(answer), "attr": kind}


def _thing_noun(rng: np.random.Generator) -> str:
    """Draw the noun for things without a named shape; one text keeps to one noun."""
    return choose(THING_NOUNS[:2] if rng.random() < 0.9 else THING_NOUNS, rng)


def _noun(phrase: Phrase, noun: str) -> str:
    words = (phrase.size, phrase.texture, phrase.color, phrase.shape or noun)
    return " ".join(word for word in words if word)


def _phrase(thing: Thing) -> Phrase:
    return Phrase(thing.shape, thing.color, thing.size, thing.texture)


def _full(thing: Thing, rng: np.random.Generator) -> str:
    plain = thing.texture == "plain" and rng.random() < 0.6
    return _noun(replace(_phrase(thing), texture=None if plain else thing.texture), "")


def _counted(number: int, noun: str, zero: str) -> str:
    word = NUMBERS[number] if number else zero
    return f"{word} {noun if number == 1 else plural(noun)}"


def _relation_words(relation: str) -> str:
    return _RELATION_WORDS.get(relation, relation)


def _at(place: str, rng: np.random.Generator) -> str:
    if place == "center":
        return "in the center"
    if " " in place:
        return choose((f"at the {place}", f"in the {place} corner"), rng)
    if place in ("left", "right"):
        return choose((f"on the {place}", f"on the {place} side"), rng)
    return f"at the {place}"


def _things_sentence(
    things: Sequence[Thing], lines: dict[str, Sequence[str]], rng: np.random.Generator
) -> str:
    slots = {}
    for thing, mark in zip(things, ("", "2"), strict=False):
        slots["full" + mark] = article(_full(thing, rng))
        slots["at" + mark] = _at(region(thing), rng)
    return fill(choose(lines["one" if len(things) == 1 else "two"], rng), slots, rng)


def _closing(scene: Scene, wording: str, rng: np.random.Generator) -> str:
    lines = load_wording(wording).frames["describe"]
    if len(scene.things) == 1:
        kind = choose(("size", "texture"), rng)
        thing = scene.things[0]
        question = Question(kind, getattr(thing, kind), Phrase(shape=thing.shape))
        frames = choose(sentence_frames(wording, "intros", "clauses", "attribute"), rng)
        return fill(without_place(frames[0]), _slots(scene, question, rng), rng)
    related = _related_pair(scene, rng) if rng.random() < 0.6 else None
    if related is not None:
        return fill(choose(lines["relation"], rng), related, rng)
    colors = list(dict.fromkeys(thing.color for thing in scene.things))
    number = len(colors)
    slots = {
        "colors": listing(colors),
        "n_colors": _counted(number, "color", "no"),
        "is_colors": "is" if number == 1 else "are",
    }
    # "The colors are red" is wrong of one colour.
    usable = [line for line in lines["colors"] if number > 1 or "objects are" in line.lower()]
    return fill(choose(usable or lines["colors"][1:2], rng), slots, rng)


def _related_pair(scene: Scene, rng: np.random.Generator) -> dict[str, str] | None:
    first, second = shuffled(scene.things, rng)[:2]
    for relation in shuffled(RELATIONS, rng):
        if relation_holds(first, relation, second):
            phrases = _short_phrase(scene, first), _short_phrase(scene, second)
            if phrases[0] is None or phrases[1] is None:
                return None
            noun = _thing_noun(rng)
            return {
                "the": f"the {_noun(phrases[0], noun)}",
                "other": f"the {_noun(phrases[1], noun)}",
                "rel": _relation_words(relation),
            }
    return None


def _short_phrase(scene: Scene, thing: Thing) -> Phrase | None:
    """Find the first phrase that picks out one thing: its shape, then ever more attributes."""
    full = _phrase(thing)
    for phrase in (Phrase(shape=thing.shape), replace(full, size=None, texture=None), full):
        if sum(phrase.matches(other) for other in scene.things) == 1:
            return phrase
    return None


def _evidence(
    scene: Scene, question: Question, slots: dict[str, str], rng: np.random.Generator
) -> str:
    """Give the facts that bear out an answer as a clause without a full stop."""
    found = [thing for thing in scene.things if question.subject.matches(thing)]
    if question.kind == "compare":
        return f"there {slots['are']} {slots['n_things']} and {slots['n_others']}"
    if not found:
        seen = dict.fromkeys(article(f"{t.color} {t.shape}") for t in scene.things)
        noun = "object is" if len(scene.things) == 1 else "objects are"
        return f"the only {noun} {listing(list(seen))}"
    if question.kind == "relation" and question.other is not None:
        return _relation_evidence(scene, question, slots, rng)
    if question.kind == "count":
        places = listing([f"one is {_at(region(thing), rng)}" for thing in found])
        return places if len(found) > 1 else f"the only one is {_at(region(found[0]), rng)}"
    if question.kind == "position":
        return f"the center of {slots['the']} is in that part"
    return f"{article(_full(found[0], rng))} is {_at(region(found[0]), rng)}"


def _relation_evidence(
    scene: Scene, question: Question, slots: dict[str, str], rng: np.random.Generator
) -> str:
    assert question.other is not None and question.relation is not None
    first = next(thing for thing in scene.things if question.subject.matches(thing))
    second = next(thing for thing in scene.things if question.other.matches(thing))
    if region(first) != region(second):
        places = _at(region(first), rng), _at(region(second), rng)
        return f"{slots['the']} is {places[0]} and {slots['other']} is {places[1]}"
    held = next(name for name in RELATIONS if relation_holds(first, name, second))
    return f"the center of {slots['the']} is {_FARTHER[held]} than that of {slots['other']}"


def _text_answer(
    wording: str,
    path: tuple[str, ...],
    slots: dict[str, str],
    rng: np.random.Generator,
    intros: str = "intros_text",
) -> str:
    frames = choose(sentence_frames(wording, intros, *path), rng)
    return fill(choose(frames, rng), slots, rng)


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
        return {"full": article(thing), "at": _at(place, rng)}, f"{thing}, {place}"
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
