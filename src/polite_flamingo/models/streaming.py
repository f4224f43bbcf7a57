"""A response as it is generated, for a chat."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import (
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
    TextIteratorStreamer,
)

from polite_flamingo.models.decoding import Decoding
from polite_flamingo.models.flamingo import Flamingo
from polite_flamingo.models.generate import generate_candidates
from polite_flamingo.models.prompt import Encoded


class _Abandoned(StoppingCriteria):
    """Ends a generation nobody reads any more."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def __call__(self, input_ids: Tensor, scores: Tensor, **_: Any) -> Tensor:
        return torch.full((len(input_ids),), self.event.is_set(), device=input_ids.device)


def stream(
    model: Flamingo,
    tokenizer: PreTrainedTokenizerBase,
    prompt: Encoded,
    visual_tokens: Tensor | None,
    decoding: Decoding,
    sample_id: str | int = 0,
    prefix: Sequence[int] = (),
    stopping: StoppingCriteriaList | None = None,
) -> Iterator[str]:
    """The response to one prompt, text piece by text piece: joined they are the whole response.

    Arguments as in `generate_candidates`, which runs in a thread; its errors are raised here.
    Closing the iterator early stops it.
    """
    streamer = TextIteratorStreamer(tokenizer, skip_special_tokens=True)  # type: ignore[arg-type]
    abandoned = _Abandoned()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            generate_candidates(
                model,
                [prompt],
                [visual_tokens],
                decoding,
                sample_ids=[sample_id],
                prefixes=[prefix],
                stopping=StoppingCriteriaList([*(stopping or ()), abandoned]),
                streamer=streamer,
            )
        except BaseException as error:
            errors.append(error)
            streamer.text_queue.put(streamer.stop_signal)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield from streamer
    finally:
        abandoned.event.set()
        thread.join()
    if errors:
        raise errors[0]
