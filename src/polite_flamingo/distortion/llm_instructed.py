"""LLM-instructed distortion: a chat model is asked for the coldest version of an answer.

Strategy one of METHOD section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import yaml

from polite_flamingo.core.sample import Turn
from polite_flamingo.core.seeds import derive, generator
from polite_flamingo.distortion import Undistorted
from polite_flamingo.models.llm import LLM, Message

REQUEST = (
    "Give me the shortest and coldest version of your last answer: only what must be said, no "
    "courtesy. Put it in double quotes."
)
# The reply is pre-filled up to the opening quote: the model goes on with the text itself.
PREFILL = 'The shortest, coldest version of my last answer: "'
# A draft longer than this many times the answer (and a floor in characters) has run away.
_RUNAWAY = 4.0
_RUNAWAY_FLOOR = 240


@dataclass(frozen=True)
class StyleCommand:
    """An extra style command; ``text`` is the sentence added to the request."""

    id: str
    text: str


def style_commands() -> tuple[StyleCommand, ...]:
    """Load the 24 style commands of METHOD section 3."""
    file = resources.files("polite_flamingo.distortion") / "style_commands.yaml"
    return tuple(StyleCommand(**entry) for entry in yaml.safe_load(file.read_text("utf-8")))


def draw_command(
    commands: Sequence[StyleCommand], probability: float, seed: int, *names: str | int
) -> StyleCommand | None:
    """Draw a style command with the probability given, each as likely as the next; else None."""
    rng = generator(seed, "style-command", *names)
    if not commands or rng.random() >= probability:
        return None
    return commands[int(rng.integers(len(commands)))]


def conversation(turns: Sequence[Turn], command: StyleCommand | None) -> list[Message]:
    """Write turns as messages, the request for a cold version of the last response after them."""
    messages: list[Message] = []
    for turn in turns:
        messages.append({"role": "user", "content": turn.instruction})
        messages.append({"role": "assistant", "content": turn.response})
    request = f"{REQUEST} {command.text}" if command else REQUEST
    messages.append({"role": "user", "content": request})
    return messages


def instruct(
    llm: LLM, turns: Sequence[Turn], command: StyleCommand | None, seed: int, *names: str | int
) -> str:
    """Ask ``llm`` for a cold version of the last of ``turns`` and return the quoted text.

    Raises :class:`Undistorted` where nothing or a runaway text came back.
    """
    continuation = llm.complete(
        conversation(turns, command),
        prefill=PREFILL,
        stop=('"',),
        seed=derive(seed, "llm", *names),
    )
    draft = quoted(continuation)
    if not draft:
        raise Undistorted("llm_empty", "the model wrote nothing between the quotes")
    response = turns[-1].response
    if len(draft) > max(_RUNAWAY_FLOOR, _RUNAWAY * len(response)):
        raise Undistorted("llm_runaway", f"{len(draft)} characters from {len(response)}")
    return draft


def quoted(continuation: str) -> str:
    """Take the text up to the closing quote; a second opening quote is passed over."""
    text = continuation.lstrip().removeprefix('"')
    for close in ('"', "”"):
        text = text.split(close, 1)[0]
    return text.strip()
