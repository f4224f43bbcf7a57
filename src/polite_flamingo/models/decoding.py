"""How tokens are chosen: greedy, sampling, beams; on transformers' logits processors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.seeds import generator
from polite_flamingo.models.tokenizer import SpecialIds


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How to continue a prompt.

    ``temperature`` 0 is greedy, or beam search with ``beams`` > 1; above 0 tokens are sampled after
    ``top_k``, ``top_p`` and ``min_p`` (0, 1 and 0: off). ``returns`` continuations of a prompt:
    samples, or the best beams. ``repetition_penalty`` and ``no_repeat_ngram`` look at the response
    only, because a rewrite has to repeat its draft, or at the prompt too with
    ``penalize_prompt``. ``suppress`` lists tokens never generated (None: ``<image>``,
    ``<|endofchunk|>`` and ``<PAD>``). A draw depends on ``seed``, the sample's id, its number among
    the returns and the step only. Raises UserError for settings that contradict each other.
    """

    max_new_tokens: int
    min_new_tokens: int = 0
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    beams: int = 1
    length_penalty: float = 1.0
    returns: int = 1
    repetition_penalty: float = 1.0
    no_repeat_ngram: int = 0
    penalize_prompt: bool = False
    suppress: tuple[int, ...] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1 or not 0 <= self.min_new_tokens <= self.max_new_tokens:
            raise UserError("give max_new_tokens >= 1 and min_new_tokens between 0 and that")
        if self.temperature < 0 or self.repetition_penalty <= 0:
            raise UserError("temperature must not be negative, repetition_penalty above 0")
        if self.beams < 1 or self.returns < 1:
            raise UserError("beams and returns must be at least 1")
        if self.beams > 1 and self.temperature > 0:
            raise UserError("beam search does not sample: set temperature to 0 or beams to 1")
        if self.returns > 1 and self.temperature == 0 and self.returns > self.beams:
            raise UserError("several returns need a temperature above 0, or as many beams")

    @property
    def width(self) -> int:
        """Rows a prompt takes in a batch."""
        return max(self.beams, self.returns)

    def suppressed(self, special: SpecialIds) -> list[int]:
        """The tokens never generated."""
        if self.suppress is not None:
            return list(self.suppress)
        return [special.image, special.endofchunk, special.pad]


def repetition_processors(decoding: Decoding) -> LogitsProcessorList:
    """transformers' processors for the repetition controls that are on."""
    processors = LogitsProcessorList()
    if decoding.repetition_penalty != 1.0:
        processors.append(RepetitionPenaltyLogitsProcessor(float(decoding.repetition_penalty)))
    if decoding.no_repeat_ngram:
        processors.append(NoRepeatNGramLogitsProcessor(decoding.no_repeat_ngram))
    return processors


def sampling_warpers(decoding: Decoding) -> LogitsProcessorList:
    """transformers' processors that shape the distribution to sample from; none for greedy."""
    warpers = LogitsProcessorList()
    if decoding.temperature == 0:
        return warpers
    if decoding.temperature != 1.0:
        warpers.append(TemperatureLogitsWarper(float(decoding.temperature)))
    if decoding.top_k:
        warpers.append(TopKLogitsWarper(decoding.top_k))
    if decoding.top_p < 1.0:
        warpers.append(TopPLogitsWarper(decoding.top_p))
    if decoding.min_p > 0.0:
        warpers.append(MinPLogitsWarper(decoding.min_p))
    return warpers


def uniforms(decoding: Decoding, sample_ids: Sequence[str | int]) -> Tensor:
    """The random numbers of every row and step, float64 [samples * returns, max_new_tokens]."""
    rows = [
        generator(decoding.seed, "decoding", sample_id, number).random(decoding.max_new_tokens)
        for sample_id in sample_ids
        for number in range(decoding.returns)
    ]
    return torch.from_numpy(np.stack(rows))


def draw(logits: Tensor, uniform: Tensor) -> Tensor:
    """Sample a token of each row by inversion: ``logits`` [B, V], ``uniform`` [B] in [0, 1).

    Unlike a shared random state, a row's draw does not depend on the other rows.
    """
    reached = logits.double().softmax(-1).cumsum(-1)
    wanted = uniform[:, None] * reached[:, -1:]
    return torch.searchsorted(reached, wanted, right=True)[:, 0].clamp(max=logits.shape[-1] - 1)
