from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from polite_flamingo.core.sample import Turn
from polite_flamingo.distortion import Undistorted
from polite_flamingo.distortion.llm_instructed import (
    PREFILL,
    REQUEST,
    conversation,
    draw_command,
    instruct,
    quoted,
    style_commands,
)
from polite_flamingo.models.llm.scripted import ScriptedShortener
from polite_flamingo.models.llm.styles import style_of

TURNS = [
    Turn("What is shown?", "A lovely red circle is shown."),
    Turn("How big is it?", "It is a rather small circle, I would say."),
]


@dataclass
class Parrot:
    """An LLM that says what it is told to and remembers how it was asked."""

    text: str
    asked: list[tuple[list[dict[str, str]], str, Sequence[str], int]] = field(default_factory=list)

    def complete(
        self,
        messages: list[dict[str, str]],
        prefill: str = "",
        stop: Sequence[str] = (),
        seed: int = 0,
    ) -> str:
        self.asked.append((messages, prefill, stop, seed))
        return self.text


def test_there_are_24_different_commands_that_the_scripted_model_obeys() -> None:
    commands = style_commands()
    assert len(commands) == 24
    assert len({command.id for command in commands}) == 24
    assert style_of(REQUEST) is None
    for command in commands:
        style = style_of(f"{REQUEST} {command.text}")
        assert style is not None and style.name == command.id


def test_commands_are_drawn_evenly_at_the_probability_given() -> None:
    commands = style_commands()
    drawn = [draw_command(commands, 0.5, 0, name) for name in range(4000)]
    counts = Counter(command.id for command in drawn if command is not None)
    assert 0.46 < sum(counts.values()) / 4000 < 0.54
    assert set(counts) == {command.id for command in commands}
    assert max(counts.values()) < 2 * min(counts.values())
    assert draw_command(commands, 0.0, 0, "x") is None
    assert draw_command(commands, 1.0, 0, "x") is not None


def test_the_request_is_a_turn_after_the_answer() -> None:
    command = style_commands()[4]
    messages = conversation(TURNS, command)
    assert [message["role"] for message in messages] == ["user", "assistant"] * 2 + ["user"]
    assert messages[3]["content"] == TURNS[1].response
    assert messages[-1]["content"] == f"{REQUEST} {command.text}"
    assert conversation(TURNS[:1], None)[-1]["content"] == REQUEST


def test_the_reply_is_prefilled_up_to_an_opening_quote() -> None:
    llm = Parrot("small")
    assert instruct(llm, TURNS, None, 0, "a") == "small"
    _, prefill, stop, _ = llm.asked[0]
    assert prefill == PREFILL and PREFILL.endswith('"') and stop == ('"',)
    instruct(llm, TURNS, None, 0, "b")
    assert llm.asked[0][3] != llm.asked[1][3]


@pytest.mark.parametrize(
    ("continuation", "draft"),
    [
        ('small" - as you wished', "small"),
        ("small", "small"),
        ('"small" he said', "small"),
        (" small circle\n", "small circle"),
        ("small\u201d and more", "small"),
        ('" ', ""),
        ("", ""),
    ],
)
def test_the_draft_ends_at_the_closing_quote(continuation: str, draft: str) -> None:
    assert quoted(continuation) == draft


@pytest.mark.parametrize(
    ("text", "reason"), [("", "llm_empty"), ('"', "llm_empty"), ("so " * 500, "llm_runaway")]
)
def test_useless_replies_are_reported(text: str, reason: str) -> None:
    with pytest.raises(Undistorted) as error:
        instruct(Parrot(text), TURNS, None, 0, "a")
    assert error.value.reason == reason


def test_the_scripted_model_gives_shorter_drafts() -> None:
    drafts = {instruct(ScriptedShortener(), TURNS, None, 0, name) for name in range(30)}
    assert len(drafts) > 2
    assert all(len(draft) < len(TURNS[1].response) for draft in drafts)
