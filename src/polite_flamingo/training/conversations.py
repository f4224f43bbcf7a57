"""Examples of the rewriter (draft to polite response) and of the chat model (turns)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.journal import progress
from polite_flamingo.core.params import PackAttention
from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.models.configs import ModelConfig
from polite_flamingo.models.prompt import encode_turns
from polite_flamingo.models.tokenizer import special_ids
from polite_flamingo.training.examples import Example, FlamingoBatch, collate, join
from polite_flamingo.training.order import bucketed_epoch, by_step
from polite_flamingo.training.packing import context_batches, packed_epoch
from polite_flamingo.training.visual_tokens import VisualTokens


def rewriting_example(
    tokenizer: PreTrainedTokenizerBase, config: ModelConfig, pair: Mapping[str, Any]
) -> Example:
    """A row of data/pairs: instruction, images and draft given, the response to be learned."""
    images = tuple(pair["images"])
    turn = Turn(pair["instruction"], pair["response"])
    text = encode_turns(tokenizer, [turn], [len(images)], config.prompt, draft=pair["draft"])
    return Example(text, images)


def chat_example(
    tokenizer: PreTrainedTokenizerBase, config: ModelConfig, sample: Sample, first: bool
) -> Example:
    """A sample as conversation; its images belong to the first turn."""
    counts = [len(sample.images)] + [0] * (len(sample.turns) - 1)
    text = encode_turns(tokenizer, sample.turns, counts, config.prompt, first=first)
    return Example(text, sample.images)


def bucketed_batches(
    examples: Sequence[Example],
    visual: VisualTokens,
    pad: int,
    batch_size: int,
    seed: int,
    least_images: int = 0,
) -> Callable[[int], FlamingoBatch]:
    """Batches of similar length: a function from the step's number to its batch."""
    lengths = [len(example) for example in examples]
    choose = by_step(lambda epoch: bucketed_epoch(lengths, batch_size, seed, epoch))
    return lambda step: collate([examples[row] for row in choose(step)], visual, pad, least_images)


def packed_batches(
    tokenizer: PreTrainedTokenizerBase,
    config: ModelConfig,
    samples: Sequence[Sample],
    visual: VisualTokens,
    batch_size: int,
    max_length: int,
    max_images: int,
    seed: int,
    pack: bool,
    attention: PackAttention = "full",
    least_images: int = 0,
) -> Callable[[int], FlamingoBatch]:
    """Batches of packed contexts: a function from the step's number to its batch.

    With ``pack`` a context is filled with further samples: with ``full`` attention as later turns of
    one conversation (multi-turn augmentation, METHOD section 6), ``block_diagonal`` as conversations
    of their own, whole with their system sentence, that see nothing of each other. Raises ValueError for a sample that fits no context.
    """
    first, later = [], []
    apart = pack and attention == "block_diagonal"
    for sample in progress(samples, desc="tokens", unit="sample"):
        first.append(chat_example(tokenizer, config, sample, first=True))
        later.append(first[-1] if apart else chat_example(tokenizer, config, sample, first=False))

    @lru_cache(maxsize=2)
    def contexts(epoch: int) -> list[list[int]]:
        return packed_epoch(
            [len(example) for example in first],
            [len(example) for example in later],
            [len(example.images) for example in first],
            max_length,
            max_images,
            seed,
            epoch,
            pack,
        )

    def epoch_batches(epoch: int) -> list[np.ndarray]:
        return [
            np.array([(epoch, int(context)) for context in batch])
            for batch in context_batches(len(contexts(epoch)), batch_size, seed, epoch)
        ]

    choose = by_step(epoch_batches)
    pad = special_ids(tokenizer).pad

    def batch(step: int) -> FlamingoBatch:
        examples = []
        for epoch, number in choose(step).tolist():
            head, *rest = contexts(epoch)[number]
            examples.append(join([first[head], *(later[index] for index in rest)], apart))
        return collate(examples, visual, pad, least_images)

    return batch
