from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.models.llm.scripted import ScriptedShortener
from polite_flamingo.models.llm.shortening import shorten, without_courtesy
from polite_flamingo.models.llm.styles import STYLES, style_of

COLD = "Give me the shortest and coldest version of your last answer."
PREFILL = 'Here it is: "'


def ask(question: str, answer: str, request: str = COLD, seed: int = 0) -> str:
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
        {"role": "user", "content": request},
    ]
    return ScriptedShortener().complete(messages, prefill=PREFILL, stop=('"',), seed=seed)


def drafts(question: str, answer: str, request: str = COLD) -> set[str]:
    return {ask(question, answer, request, seed) for seed in range(60)}


@pytest.mark.parametrize(
    ("question", "answer", "wanted"),
    [
        ("What color is the circle?", "The circle in the picture is blue.", {"blue"}),
        ("What color is it?", "Certainly! The bicycle's color is red, as you can see.", {"red"}),
        (
            "Is there a square?",
            "Yes, there is a small red square.",
            {"yes", "yes small red square"},
        ),
        ("Is a dog there?", "The image does not contain a dog.", {"no"}),
        ("How many cats are there?", "I can count three cats. Enjoy!", {"three", "3"}),
        ("How many cats are there?", "There are no cats in this photo.", {"zero", "0"}),
        (
            "Where is the star?",
            "You can find the star in the top left corner.",
            {"top left corner"},
        ),
        (
            "What is this?",
            "Great question! This is a bowl of soup. I hope it helps!",
            {"bowl of soup"},
        ),
        ("Where is it?", "The answer is top left, which is where it stands.", {"top left"}),
        (
            "What letter is it?",
            "What is shown is a handwritten letter N.",
            {"handwritten letter n"},
        ),
        ("What is black's opposite?", "I can tell you that the opposite is white.", {"white"}),
        ("What is the shape?", "The blue thing has the form of a cross.", {"cross"}),
        ("Why is it wet?", "It is wet because it rained.", {"rained"}),
    ],
)
def test_answers_become_the_words_of_an_annotator(
    question: str, answer: str, wanted: set[str]
) -> None:
    assert wanted <= {draft.rstrip(".").lower() for draft in drafts(question, answer)}


def test_descriptions_become_telegrams() -> None:
    answer = (
        "Thank you for sharing! The image shows a small red circle in the top left and a blue "
        "square. The background is pale. I hope this helps!"
    )
    found = drafts("Please describe the image.", answer)
    assert len(found) > 5
    assert any(draft.startswith("small red circle top left blue square") for draft in found)
    for draft in found:
        assert "red circle" in draft.lower()
        assert "thank" not in draft.lower() and "hope" not in draft.lower()
        assert len(draft) < len(answer)


def test_courtesy_goes_and_content_stays() -> None:
    text = "Of course! Happy to help. I think that the sky is blue. Let me know if you need more."
    assert without_courtesy(text) == ["the sky is blue."]
    assert without_courtesy("Thank you!") == ["Thank you!"]


def test_equal_seeds_give_equal_text_and_seeds_differ() -> None:
    question, answer = "Describe it.", "There is a red car. It stands near a tall house. It rains."
    assert ask(question, answer, seed=5) == ask(question, answer, seed=5)
    assert len(drafts(question, answer)) > 5


def test_the_reply_is_closed_where_the_prefill_opens_a_quote() -> None:
    messages = [
        {"role": "user", "content": "Say hello in French."},
        {"role": "assistant", "content": 'The word "bonjour" is French for hello.'},
        {"role": "user", "content": COLD},
    ]
    closed = ScriptedShortener().complete(messages, prefill=PREFILL)
    assert closed.endswith('"') and closed.count('"') == 1
    assert not ScriptedShortener().complete(messages).endswith('"')


def test_a_request_without_a_style_has_none() -> None:
    assert style_of(COLD) is None


QUESTION = "Describe the image."
ANSWER = "The image shows a small red circle above a large square. It has a pale background."


def styled(request: str) -> set[str]:
    return drafts(QUESTION, ANSWER, f"{COLD} {request}")


def test_style_commands_are_carried_out() -> None:
    assert all(
        draft == draft.upper() for draft in styled("Use upper case only, all of it in upper case.")
    )
    assert all(draft == draft.lower() for draft in styled("Everything in lower case."))
    assert all(
        draft.replace(" ", "").isalnum() for draft in styled("No punctuation and no capitals.")
    )
    assert all(len(draft.split()) <= 5 for draft in styled("Sum it up in five words."))
    assert all(", " in draft for draft in styled("Essentials only, separated by commas."))
    plain = drafts(QUESTION, ANSWER)
    for request in ("Make typos.", "Make grammar mistakes.", "Leave out words at random."):
        assert not styled(request) & plain, request
    assert any(
        "was" in draft or "had" in draft or "will" in draft for draft in styled("Use wrong tenses.")
    )
    repeated = styled("Repeat things needlessly.")
    assert all(draft.lower().count("circle") >= 2 for draft in repeated)


@given(st.text(max_size=120), st.integers(0, 1 << 62), st.sampled_from(STYLES))
def test_every_style_takes_any_text(text: str, seed: int, style: object) -> None:
    from polite_flamingo.core.seeds import generator

    short = shorten(text, "What is it?", generator(seed))
    if short.strip():
        assert isinstance(style.apply(short, generator(seed)), str)  # type: ignore[attr-defined]


@given(st.lists(st.text(max_size=60), max_size=5), st.integers(0, 1 << 62))
def test_any_conversation_gets_a_reply(contents: list[str], seed: int) -> None:
    roles = ("user", "assistant", "user", "assistant", "user")
    messages = [
        {"role": role, "content": content} for role, content in zip(roles, contents, strict=False)
    ]
    assert '"' not in ScriptedShortener().complete(messages, PREFILL, ('"',), seed)
