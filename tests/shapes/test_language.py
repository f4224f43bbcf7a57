"""The polite language: right answers, disjoint wording sets, many frames, compact vocabulary."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from polite_flamingo.core.errors import UserError
from polite_flamingo.shapes import language
from polite_flamingo.shapes.questions import (
    KINDS,
    Phrase,
    Question,
    answer_question,
    make_questions,
)
from polite_flamingo.shapes.scene import (
    COLORS,
    REGIONS,
    SHAPES,
    SIZES,
    TEXTURES,
    Change,
    ObjectLimits,
    Scene,
    make_scene,
    make_variant,
)
from polite_flamingo.shapes.wordings import (
    NUMBERS,
    WORDINGS,
    article,
    core_of,
    frame_of,
    listing,
    load_wording,
    plural,
)

Asked = list[tuple[Scene, Question]]
DENIAL = re.compile(r"\b(?:not|no|cannot)\b")


def rng_of(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [make_scene(1, "style", index, ObjectLimits()) for index in range(200)]


@pytest.fixture(scope="module")
def asked(scenes: list[Scene]) -> dict[str, Asked]:
    rng = rng_of()
    return {
        kind: [(s, q) for s in scenes for q in make_questions(s, rng, [kind], 1)] for kind in KINDS
    }


def read_back(question: Question, text: str) -> str | None:
    """Read the answer from a polite response, as a reader who knows the question would."""
    text = text.lower()
    if question.kind in language.POLAR_KINDS:
        found = re.findall(r"\b(yes|no)\b(?=[,:.])", text)
        return found[0] if found else None
    words = {
        "color": COLORS,
        "shape": SHAPES,
        "size": SIZES,
        "texture": TEXTURES,
        "count": ("no", *NUMBERS),
        "position": sorted(REGIONS, key=len, reverse=True),
    }[question.kind]
    # Words of the question itself are not the answer; "left" within "top left" is none either.
    for phrase in (question.subject,):
        described = " ".join(v for v in (phrase.size, phrase.texture, phrase.color) if v)
        text = text.replace(described, "") if described else text
    found = re.findall(rf"\b({'|'.join(words)})\b", text)
    if question.kind == "count":
        return {"no": "0"}.get(found[0], str(NUMBERS.index(found[0]) if found[0] in NUMBERS else 0))
    assert len(set(found)) == 1, text
    return found[0]


@pytest.mark.parametrize("wording", WORDINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_right(wording: str, kind: str, asked: dict[str, Asked]) -> None:
    rng = rng_of(3)
    tails = load_wording(wording).lines("tails")
    for scene, question in asked[kind] * 2:
        text = language.respond(scene, question, wording, rng)
        for tail in tails:
            text = text.replace(tail, "")
        assert read_back(question, text) == answer_question(scene, question), text


def test_a_question_of_absence_turns_yes_and_no(scenes: list[Scene]) -> None:
    scene = scenes[0]
    there = scene.things[0]
    question = Question("exist", "yes", Phrase(shape=there.shape, color=there.color))
    for seed in range(50):
        text = language.respond(scene, question, "A", rng_of(seed), negated=True)
        assert not DENIAL.search(text) and there.shape in text
        text = language.respond(scene, question, "B", rng_of(seed), negated=True)
        assert re.search(r"\bno[,:]", text.lower())
        assert re.search(
            r"\b(not|no)\b", language.ask(question, rng_of(seed), negated=True).lower()
        )


@pytest.mark.parametrize("wording", WORDINGS)
def test_compared_counts_are_true(wording: str, asked: dict[str, Asked]) -> None:
    rng = rng_of(5)
    for scene, question in asked["compare"] * 3:
        for said in (question, replace(question, answer=language.other_answer(question, rng))):
            text = language.respond(scene, said, wording, rng)
            if said != question:
                # A wrong answer never comes with the counts that disprove it.
                assert not re.search(r"\b(no|one|two|three|four) [\w ]+ (and|but) ", text), text


def responses_by_kind(
    wording: str, asked: dict[str, Asked], scenes: list[Scene]
) -> dict[str, list[str]]:
    """Write 2000 responses a kind; yes and no are kinds of their own."""
    rng = rng_of(7)
    found: dict[str, list[str]] = {}
    for kind in KINDS:
        name = "attribute" if kind in language.ATTRIBUTE_KINDS else kind
        for scene, question in (asked[kind] * 60)[: 5400 if kind in language.POLAR_KINDS else 2000]:
            full = name if kind not in language.POLAR_KINDS else f"{name} {question.answer}"
            text = language.respond(scene, question, wording, rng)
            found.setdefault(full, []).append(text)
    for turn in range(2000):
        scene = scenes[turn % len(scenes)]
        variant, change = make_variant(scene, turn)
        found.setdefault("change", []).append(
            language.change(scene, variant, change, wording, rng)[1]
        )
        found.setdefault("label", []).append(language.classify(rng, wording)[1])
        found.setdefault("explanation", []).append(language.reason(scene, wording, rng)[1])
        if turn % 3 == 0:
            text = language.describe(scene, wording, rng)
            found.setdefault("description", []).extend(re.split(r"(?<=[.])\s+", text))
    return found


@pytest.mark.parametrize("wording", WORDINGS)
def test_no_frame_covers_much_of_a_kind(
    wording: str, asked: dict[str, Asked], scenes: list[Scene]
) -> None:
    for kind, texts in responses_by_kind(wording, asked, scenes).items():
        assert len(texts) >= 1900, kind
        frames = Counter(map(frame_of, texts))
        cores = Counter(core_of(text, wording) for text in texts)
        assert frames.most_common(1)[0][1] / len(texts) <= 0.05, (kind, frames.most_common(3))
        # Without openers and closers, too: the clauses differ.
        assert cores.most_common(1)[0][1] / len(texts) <= 0.05, (kind, cores.most_common(3))
        assert len(cores) >= 25, kind


def test_the_core_is_what_is_left_without_intro_and_tail() -> None:
    texts = ("Sure! The circle is red.", "As you can see, the star is blue. I hope this helps.")
    assert len({core_of(text, "A") for text in texts}) == 1
    assert core_of("Yes, there is a star.", "A") == core_of("There is a star.", "A")
    assert core_of("There is a star.", "A") != core_of("A star is shown.", "A")


@cache
def sentences_of(wording: str) -> dict[str, str]:
    """Collect the masked sentences of everything that a wording set can say."""
    rng = rng_of(11)
    scenes = [make_scene(2, "style", index, ObjectLimits()) for index in range(120)]
    texts: list[str] = []
    for turn in range(300):
        scene = scenes[turn % len(scenes)]
        question = make_questions(scene, rng, [KINDS[turn % len(KINDS)]], 1)
        for asked in question:
            negated = asked.kind == "exist" and turn % 2 == 0
            texts.append(language.respond(scene, asked, wording, rng, negated))
            texts.append(language.respond(scene, asked, wording, rng))
            claim = asked.answer if turn % 2 else language.other_answer(asked, rng)
            texts.append(language.verify(scene, asked, claim, wording, rng)[1])
        texts.append(language.describe(scene, wording, rng))
        texts.append(language.classify(rng, wording)[1])
        texts.append(language.reason(scene, wording, rng)[1])
        texts += [answer for _, answer in language.chat(rng, wording)]
        texts.append(language.instruct(rng, wording)[2])
        variant, change = make_variant(scene, turn)
        texts.append(language.change(scene, variant, change, wording, rng)[1])
    same = Change("none", None, None)
    texts += [language.change(scenes[0], scenes[0], same, wording, rng)[1] for _ in range(50)]
    parts = [part for text in texts for part in re.split(r"(?<=[.!?])\s+", text)]
    return {frame_of(part): part for part in parts}


@pytest.mark.parametrize(("one", "other"), [("A", "B"), ("A", "C"), ("B", "C")])
def test_wording_sets_share_no_sentence_frame(one: str, other: str) -> None:
    first, second = sentences_of(one), sentences_of(other)
    shared = sorted(set(first) & set(second))
    assert not shared, [(first[frame], second[frame]) for frame in shared]


@pytest.mark.parametrize("wording", WORDINGS)
def test_english_is_clean(wording: str) -> None:
    for text in sentences_of(wording).values():
        assert text.isascii()
        assert text[0].isupper() or text[0].isdigit(), text
        assert text[-1] in ".!?", text
        assert "{" not in text and "  " not in text and "~" not in text, text
        assert not re.search(r"\ba [aeio]\w|\ban [^aeio\s]|\b(\w+) \1\b(?<!that that)", text), text
        assert not re.search(r"\b(one|a|an) \w+ ?(circles|squares|stars|crosses|shapes)\b", text), (
            text
        )
        assert not re.search(r"\b(two|three|four) (\w+ )?(circle|square|star|object)\b", text), text


def test_vocabulary_is_compact() -> None:
    every = {
        word
        for wording in WORDINGS
        for text in sentences_of(wording).values()
        for word in re.findall(r"[a-z]+", text.lower())
    }
    assert len(every) < 500, sorted(every)
    words = {w for text in sentences_of("A").values() for w in re.findall(r"[a-z]+", text.lower())}
    assert len(words) < 300, sorted(words)


@pytest.mark.parametrize("wording", WORDINGS)
def test_descriptions_name_what_is_there(wording: str, scenes: list[Scene]) -> None:
    rng = rng_of(13)
    paragraphs = 0
    for scene in scenes:
        text = language.describe(scene, wording, rng)
        for thing in scene.things:
            assert re.search(rf"{thing.size} ({thing.texture} )?{thing.color} {thing.shape}", text)
        body = text.replace(scene.background, "")
        named = set(re.findall(rf"\b({'|'.join(COLORS)})\b", body))
        assert named == {thing.color for thing in scene.things}
        assert scene.background in text
        assert 2 <= len(re.findall(r"[.](?=\s|$)", text)) <= 5
        paragraphs += "\n\n" in text
    assert 0.2 < paragraphs / len(scenes) < 0.5


def test_changes_name_the_change(scenes: list[Scene]) -> None:
    rng = rng_of(17)
    for turn, scene in enumerate(scenes[:100]):
        variant, change = make_variant(scene, turn)
        question, text = language.change(scene, variant, change, "A", rng)
        assert "image" in question or "picture" in question
        if change.kind == "color" and change.after and change.before:
            assert change.after.color in text and change.before.color in text
        if change.kind == "added" and change.after:
            assert change.after.shape in text


@pytest.mark.parametrize("wording", WORDINGS)
def test_verification_says_whether_the_claim_holds(wording: str, asked: dict[str, Asked]) -> None:
    rng = rng_of(19)
    for kind in KINDS:
        for scene, question in asked[kind][:20]:
            _, right = language.verify(scene, question, question.answer, wording, rng)
            wrong_claim = language.other_answer(question, rng)
            _, wrong = language.verify(scene, question, wrong_claim, wording, rng)
            assert " true" in right and " false" not in right
            assert " false" in wrong


def test_labels_chats_and_tasks_are_right() -> None:
    for seed in range(200):
        rng = rng_of(seed)
        _, text = language.classify(rng, "A", "seven", "digit")
        assert "digit seven" in text
        for question, answer in language.chat(rng, "A"):
            numbers = [NUMBERS.index(w) for w in re.findall("|".join(NUMBERS), question.lower())]
            if " plus " in question:
                assert NUMBERS[sum(numbers)] in answer.lower()
            if " after " in question:
                assert NUMBERS[numbers[0] + 1] in answer.lower()
        instruction, given, output = language.instruct(rng, "A")
        if "largest" in instruction:
            values = [NUMBERS.index(word) for word in given.split(", ")]
            assert NUMBERS[max(values)] in output.lower()
        assert given


def test_options_hold_the_answer_once(asked: dict[str, Asked]) -> None:
    for _, question in asked["color"][:30]:
        options = language.draw_options(question, rng_of())
        assert len(set(options)) == len(options) == 4 and question.answer in options
        assert ", ".join(options) in language.ask(question, rng_of(), options=options)


def test_equal_seeds_give_equal_texts(scenes: list[Scene]) -> None:
    for wording in WORDINGS:
        first, second = rng_of(23), rng_of(23)
        for scene in scenes[:20]:
            assert language.reason(scene, wording, first) == language.reason(scene, wording, second)
            assert language.describe(scene, wording, first) == language.describe(
                scene, wording, second
            )


def test_unknown_wording_is_a_user_error(scenes: list[Scene]) -> None:
    with pytest.raises(UserError, match="choose one of A, B, C"):
        language.describe(scenes[0], "D", rng_of())


def test_grammar_words() -> None:
    assert article("orange star") == "an orange star"
    assert article("red star") == "a red star"
    assert plural("large cross") == "large crosses"
    assert listing(["red"]) == "red" and listing(["red", "blue", "teal"]) == "red, blue and teal"
    assert frame_of("The small red circle is blue.") == frame_of("A star is dotted.") == "_ is _ ."
    assert frame_of("There is a star.") != frame_of("There is no star.")
