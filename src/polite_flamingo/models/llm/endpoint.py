"""A chat model behind an OpenAI-compatible HTTP endpoint."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.llm import Message, cut

_RETRIED_STATUS = {408, 409, 425, 429, 500, 502, 503, 504}
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True)
class ChatEndpoint:
    """``POST {url}/chat/completions``; ``url`` ends where the API version does (``.../v1``).

    The prefill goes out as a last assistant message to be continued, which vLLM and llama.cpp
    honour; a server that repeats it has it taken off. Busy and broken answers are tried again with
    growing pauses; then, and on any other HTTP error, a one-line UserError.
    """

    url: str
    model: str
    api_key: str = field(default="", repr=False)
    timeout_seconds: float = 60.0
    retries: int = 3
    max_new_tokens: int = 256
    temperature: float = 0.7
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def complete(
        self, messages: list[Message], prefill: str = "", stop: Sequence[str] = (), seed: int = 0
    ) -> str:
        """Continue the reply that begins with ``prefill``, see :class:`LLM`."""
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(messages),
            "max_tokens": self.max_new_tokens,
            "temperature": self.temperature,
            "seed": seed % (1 << 31),
        }
        if prefill:
            body["messages"].append({"role": "assistant", "content": prefill})
            body["continue_final_message"] = True
            body["add_generation_prompt"] = False
        if stop:
            # The API takes four at most; the rest is cut here.
            body["stop"] = list(stop)[:4]
        text = self._ask(body)
        if prefill and text.lstrip().startswith(prefill.strip()):
            text = text.lstrip()[len(prefill.strip()) :]
        return cut(text, stop)

    def _ask(self, body: dict[str, Any]) -> str:
        address = f"{self.url.rstrip('/')}/chat/completions"
        headers = {"Content-Type": "application/json"}
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        data = json.dumps(body).encode()
        problem = ""
        for attempt in range(self.retries + 1):
            if attempt:
                self.sleep(min(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), _LONGEST_PAUSE_SECONDS))
            try:
                request = urllib.request.Request(address, data=data, headers=headers)
                with urllib.request.urlopen(request, timeout=self.timeout_seconds) as reply:
                    content = json.loads(reply.read())["choices"][0]["message"]["content"]
                    if not isinstance(content, str):
                        raise TypeError("no text in the reply")
                    return content
            except urllib.error.HTTPError as error:
                detail = " ".join(error.read(300).decode("utf-8", "replace").split())
                problem = f"HTTP {error.code} {detail}".strip()
                if error.code not in _RETRIED_STATUS:
                    break
            except (OSError, http.client.HTTPException) as error:
                problem = str(getattr(error, "reason", "") or error or type(error).__name__)
            except (ValueError, KeyError, IndexError, TypeError):
                problem = "the reply is not a chat completion"
        raise UserError(f"llm endpoint {address}: {problem}: check llm.url, llm.model and the key")
