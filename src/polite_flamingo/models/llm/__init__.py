"""Text language models behind one interface: scripted rules, an HTTP endpoint, a local model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import LlmParams

Message = dict[str, str]


class LLM(Protocol):
    """A chat model: messages of ``role`` and ``content`` in, the assistant's next words out."""

    def complete(
        self, messages: list[Message], prefill: str = "", stop: Sequence[str] = (), seed: int = 0
    ) -> str:
        """Continue the assistant's reply that begins with ``prefill``.

        Returns the continuation without ``prefill``, cut before the first ``stop`` string. Equal
        arguments give equal text where the backend allows it.
        """
        ...


def cut(text: str, stop: Sequence[str]) -> str:
    """Return ``text`` up to the first of the stop strings."""
    ends = [position for mark in stop if mark and (position := text.find(mark)) >= 0]
    return text[: min(ends)] if ends else text


def load_llm(params: LlmParams) -> LLM:
    """Build the language model that the parameters name; a missing setting is a UserError."""
    if params.kind == "scripted":
        from polite_flamingo.models.llm.scripted import ScriptedShortener

        return ScriptedShortener()
    if params.kind == "endpoint":
        from polite_flamingo.models.llm.endpoint import ChatEndpoint

        if not params.url or not params.model:
            raise UserError("llm: kind endpoint needs url and model")
        key = os.environ.get(params.api_key_env, "") if params.api_key_env else ""
        if params.api_key_env and not key:
            raise UserError(f"llm: set the environment variable {params.api_key_env}")
        return ChatEndpoint(
            url=params.url,
            model=params.model,
            api_key=key,
            timeout_seconds=params.timeout_seconds,
            retries=params.retries,
            max_new_tokens=params.max_new_tokens,
        )
    from polite_flamingo.models.llm.local import LocalModel

    if not params.model:
        raise UserError("llm: kind local needs model, a folder or a hub name")
    return LocalModel(params.model, max_new_tokens=params.max_new_tokens)
