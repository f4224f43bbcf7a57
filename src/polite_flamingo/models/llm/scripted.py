"""A rule-based stand-in for the chat model that distorts answers: fast, seeded, text in, text out.

It serves the nano profile and tests. Like the real model it sees the conversation only.
"""

from __future__ import annotations

from collections.abc import Sequence

from polite_flamingo.core.seeds import generator
from polite_flamingo.models.llm import Message, cut
from polite_flamingo.models.llm.shortening import shorten
from polite_flamingo.models.llm.styles import style_of

_OPENING_QUOTES = ('"', "“", "«")


class ScriptedShortener:
    """Answers the last request (the shortest version of the last answer, in a style) by rules."""

    def complete(
        self, messages: list[Message], prefill: str = "", stop: Sequence[str] = (), seed: int = 0
    ) -> str:
        """Continue the reply that begins with ``prefill``, see :class:`LLM`.

        The text ends with a closing quote where the prefill ends with an opening one.
        """
        request, answer, question = _conversation(messages)
        rng = generator(seed, "scripted")
        # A quote inside would end the quoted text early.
        text = shorten(answer, question, rng).replace('"', "'")
        style = style_of(request)
        if style is not None and text:
            text = style.apply(text, rng).strip() or text
        if prefill.rstrip().endswith(_OPENING_QUOTES):
            text += '"'
        return cut(text, stop)


def _conversation(messages: Sequence[Message]) -> tuple[str, str, str]:
    """Find the request, the answer it is about and the question that was answered."""
    found: list[str] = []
    for role in ("user", "assistant", "user"):
        while messages and messages[-1]["role"] != role:
            messages = messages[:-1]
        found.append(messages[-1]["content"] if messages else "")
        messages = messages[:-1]
    request, answer, question = found
    return request, answer, question
