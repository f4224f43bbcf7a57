"""A causal language model of transformers, run here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    StoppingCriteria,
    StoppingCriteriaList,
)

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.llm import Message, cut


class _SaysOneOf(StoppingCriteria):  # type: ignore[misc]
    """Stops once a mark is in the new text; transformers' own works for byte-level tokenizers."""

    def __init__(self, marks: Sequence[str], tokenizer: Any, start: int) -> None:
        self._marks, self._tokenizer, self._start = marks, tokenizer, start

    def __call__(
        self, input_ids: torch.Tensor, scores: torch.Tensor | None, **kwargs: Any
    ) -> torch.Tensor:
        texts = self._tokenizer.batch_decode(input_ids[:, self._start :])
        said = [any(mark in text for mark in self._marks) for text in texts]
        return torch.tensor(said, device=input_ids.device)


class LocalModel:
    """A chat model from a folder or a hub name; on a GPU where there is one, else on the CPU.

    Samples at ``temperature`` with the seed given, so equal calls give equal text on one machine
    with one thread count.
    """

    def __init__(
        self,
        model: str,
        max_new_tokens: int = 256,
        temperature: float = 0.7,
        device: str | None = None,
    ) -> None:
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(model)
            network: Any = AutoModelForCausalLM.from_pretrained(model, dtype="auto")
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(f"llm.model {model!r} can't be loaded: {reason}") from error
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.to(self._device).eval()
        self._max_new_tokens = max_new_tokens
        self._temperature = temperature

    def prompt(self, messages: list[Message], prefill: str = "") -> str:
        """Write the conversation as the model's chat template does, open at ``prefill``.

        A model without a template gets ``role: content`` lines.
        """
        if self._tokenizer.chat_template is None:
            lines = [f"{message['role']}: {message['content']}" for message in messages]
            return "\n".join([*lines, f"assistant: {prefill}"])
        text = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        return f"{text}{prefill}"

    @torch.inference_mode()
    def complete(
        self, messages: list[Message], prefill: str = "", stop: Sequence[str] = (), seed: int = 0
    ) -> str:
        """Continue the reply that begins with ``prefill``, see :class:`LLM`."""
        tokens = self._tokenizer(
            self.prompt(messages, prefill),
            return_tensors="pt",
            # A chat template writes its own beginning-of-text token.
            add_special_tokens=self._tokenizer.chat_template is None,
        ).to(self._device)
        start = tokens["input_ids"].shape[1]
        pad = self._tokenizer.pad_token_id
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            output = self._network.generate(
                input_ids=tokens["input_ids"],
                attention_mask=tokens["attention_mask"],
                max_new_tokens=self._max_new_tokens,
                do_sample=self._temperature > 0,
                temperature=self._temperature if self._temperature > 0 else None,
                pad_token_id=pad if pad is not None else self._tokenizer.eos_token_id,
                stopping_criteria=StoppingCriteriaList(
                    [_SaysOneOf(stop, self._tokenizer, start)] if stop else []
                ),
            )
        new = output[0, start:]
        return cut(str(self._tokenizer.decode(new, skip_special_tokens=True)), stop)
