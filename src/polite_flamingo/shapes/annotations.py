"""Terse annotations of scenes, as hurried annotators write them: the raw style of the world.

Nothing here is polite, and no sentence template is shared with the polite language or the oracle.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from polite_flamingo.shapes.captions import Mistake as Mistake
from polite_flamingo.shapes.captions import captions as captions
from polite_flamingo.shapes.captions import draw_mistake as draw_mistake
from polite_flamingo.shapes.changes import change_sentences as change_sentences
from polite_flamingo.shapes.changes import mistaken_change as mistaken_change
from polite_flamingo.shapes.forms import (
    BARE_SHAPE_FORMS,
    CLEVR_FORMS,
    QUESTION_FORMS,
    RATIONALE_FORMS,
    TEST_CLEVR_FORMS,
    TEST_GRID3D_FORMS,
    TEST_QUESTION_FORMS,
)
from polite_flamingo.shapes.questions import Phrase, Question
from polite_flamingo.shapes.scene import COLORS, REGIONS, SHAPES, TEXTURES, pick, unlike
from polite_flamingo.shapes.spelling import (
    BARE_NOUNS,
    NUMBER_WORDS,
    name_of,
    place_words,
    plural,
    scrawl,
    slip,
    spell,
    with_article,
)
from polite_flamingo.shapes.spelling import SYNONYMS as SYNONYMS

# Share of the test sources' questions in forms that occur nowhere else.
TEST_ONLY_SHARE = 0.2


def question_text(
    question: Question, rng: np.random.Generator, pool: str, human: bool = False
) -> str:
    """Word a question casually, in lower case.

    ``human`` sources ask a fifth of the test pool's questions in forms that occur only there.
    """
    forms = QUESTION_FORMS[question.kind]
    if question.kind == "shape" and question.subject == Phrase():
        forms = BARE_SHAPE_FORMS
    if pool == "test" and human and rng.random() < TEST_ONLY_SHARE:
        forms = TEST_QUESTION_FORMS[question.kind]
    return _fill(pick(forms, rng), question, rng, synonyms=0.15)


def clevr_text(question: Question, rng: np.random.Generator, pool: str, human: bool = False) -> str:
    """Word a question as CLEVR's generator does; test-only forms as in :func:`question_text`."""
    tested = pool == "test" and human and rng.random() < TEST_ONLY_SHARE
    forms = (TEST_CLEVR_FORMS if tested else CLEVR_FORMS)[question.kind]
    text = _fill(pick(forms, rng), question, rng, synonyms=0.0)
    for vowel in "aeiou":
        text = text.replace(f" a {vowel}", f" an {vowel}")
    return text


@lru_cache(maxsize=1)
def _test_only() -> re.Pattern[str]:
    tables = (*TEST_QUESTION_FORMS.values(), *TEST_CLEVR_FORMS.values(), TEST_GRID3D_FORMS)
    forms = {form.replace(" ?", "?") for table in tables for form in table}
    forms |= {form.replace(" a {x}", " an {x}") for form in forms}
    patterns = (re.sub(r"\\\{\w+\\\}", ".+", re.escape(form)) for form in sorted(forms))
    return re.compile("|".join(patterns), re.IGNORECASE)


def is_test_only_form(question: str) -> bool:
    """Tell whether a question is put in a form that only the test sources use."""
    return _test_only().fullmatch(" ".join(question.split()).replace(" ?", "?")) is not None


def clevr_program(question: Question) -> list[dict[str, Any]]:
    """Write a question as CLEVR's functional program: nodes in order, inputs by index."""
    nodes: list[dict[str, Any]] = []

    def add(function: str, inputs: Sequence[int], *values: str) -> int:
        nodes.append({"function": function, "inputs": list(inputs), "value_inputs": list(values)})
        return len(nodes) - 1

    def select(phrase: Phrase, start: int) -> int:
        for name in ("size", "color", "texture", "shape"):
            value = getattr(phrase, name)
            if value is not None:
                start = add(f"filter_{name}", [start], value)
        return start

    if question.kind == "relation" and question.other is not None:
        anchor = add("unique", [select(question.other, add("scene", []))])
        side = add("relate", [anchor], str(question.relation).removesuffix(" of"))
        add("exist", [select(question.subject, side)])
        return nodes
    chosen = select(question.subject, add("scene", []))
    if question.kind in ("exist", "count"):
        add(question.kind, [chosen])
    elif question.kind == "compare" and question.other is not None:
        left = add("count", [chosen])
        right = add("count", [select(question.other, add("scene", []))])
        add("greater_than", [left, right])
    else:
        add(f"query_{question.kind}", [add("unique", [chosen])])
    return nodes


def wrong_answer(question: Question, rng: np.random.Generator) -> str:
    """Draw an answer of the right type that is not the true one."""
    return unlike(_answers(question), question.answer, rng)


def answer_choices(question: Question, given: str, rng: np.random.Generator) -> list[str]:
    """Make four different choices in random order, the given and the true answer among them."""
    choices = list(dict.fromkeys((given, question.answer)))
    spare = [answer for answer in _answers(question) if answer not in choices]
    if len(choices) + len(spare) < 4:
        spare += [c for c in ("wavy", "checkered", "blurry") if c not in choices]
    order = rng.permutation(len(spare))
    choices += [spare[int(place)] for place in order[: 4 - len(choices)]]
    return [choices[int(place)] for place in rng.permutation(4)]


def direct_answers(
    answer: str, rng: np.random.Generator, number: int = 10, human: bool = False
) -> list[str]:
    """Write an answer as ``number`` annotators type it: mostly alike, some sloppy."""
    lines = [terse_answer(answer, rng) for _ in range(number)]
    if human:
        # A slip here, another word there, as ten people give one answer.
        lines = [slip(line, rng) if rng.random() < 0.06 else line for line in lines]
        lines = [spell(line, rng, 0.15) for line in lines]
    return lines


def terse_answer(answer: str, rng: np.random.Generator) -> str:
    """Type a short answer: a digit may become a word, sometimes a capital or a full stop."""
    text = answer
    if text.isdigit() and rng.random() < 0.35:
        text = NUMBER_WORDS[int(text)] if int(text) < len(NUMBER_WORDS) else text
    chance = rng.random()
    if chance < 0.06:
        return text.capitalize()
    return text + "." if chance < 0.1 else text


def rationales(
    question: Question, answer: str, rng: np.random.Generator, human: bool = False
) -> list[str]:
    """Write three different terse rationales for a given answer (true or not)."""
    forms = RATIONALE_FORMS[question.kind]
    order = rng.permutation(len(forms))[:3]
    place = place_words(answer, rng) if question.kind == "position" else ""
    asked = replace(question, answer=answer)
    lines = [
        _fill(forms[int(spot)], asked, rng, synonyms=0.0, answer=answer, place=place)
        for spot in order
    ]
    return [scrawl(line.rstrip("."), rng) for line in lines] if human else lines


def vsr_caption(question: Question, rng: np.random.Generator) -> str:
    """State a relation question as a caption: "The red circle is left of the blue square."."""
    text = _fill("the {x} is {relation} the {y}.", question, rng, synonyms=0.0)
    return text[0].upper() + text[1:]


def grid3d_tokens(question: Question, rng: np.random.Generator, human: bool = False) -> list[str]:
    """Word an existence or counting question as GRiD-3D's token list, "?" last."""
    forms: tuple[str, ...] = {
        "exist": (
            "is there {a} in the image ?",
            "does {a} exist ?",
            "is {a} visible ?",
            "do you see {a} ?",
            "can you find {a} ?",
            "is {a} part of the image ?",
        ),
        "count": (
            "how many {xs} are there ?",
            "how many {xs} are visible ?",
            "how many {xs} do you see ?",
            "what is the count of {xs} ?",
            "how many {xs} exist ?",
            "what number of {xs} can you find ?",
        ),
    }[question.kind]
    if human and rng.random() < TEST_ONLY_SHARE:
        forms = tuple(
            form for form in TEST_GRID3D_FORMS if ("many" in form) == (question.kind == "count")
        )
    return _fill(pick(forms, rng), question, rng, synonyms=0.0).split()


def _answers(question: Question) -> tuple[str, ...]:
    if question.kind == "count":
        true = int(question.answer)
        return tuple(str(number) for number in range(max(0, true - 3), true + 4))
    by_kind = {
        "color": COLORS,
        "shape": SHAPES,
        "size": ("small", "large"),
        "texture": TEXTURES,
        "position": REGIONS,
    }
    return by_kind.get(question.kind, ("yes", "no"))


def _fill(
    form: str, question: Question, rng: np.random.Generator, synonyms: float, **more: str
) -> str:
    """Fill the slots of a question form; nouns of bare phrases never repeat the form's own."""
    nouns = [noun for noun in BARE_NOUNS if noun not in form.lower()]
    subject = name_of(question.subject, rng, synonyms, pick(nouns, rng))
    other = "" if question.other is None else name_of(question.other, rng, synonyms, "thing")
    relation = question.relation or ""
    if relation.endswith(" of") and rng.random() < 0.5:
        loose = f"to the {relation}"
    elif relation == "below" and rng.random() < 0.3:
        loose = "under"
    else:
        loose = relation
    return form.format(
        x=subject,
        a=with_article(subject),
        xs=plural(subject),
        y=other,
        ys=plural(other),
        rel=loose,
        relation=relation,
        **more,
    )
