"""Tokenised examples with their images, and padded batches of them for the Flamingo model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from polite_flamingo.models.flamingo import Flamingo
from polite_flamingo.models.prompt import Encoded, concatenate, pad
from polite_flamingo.training.visual_tokens import VisualTokens


@dataclass(frozen=True, eq=False)
class Example:
    """An encoded conversation and the ids of its images, in the order of its image tokens.

    ``blocks``: lengths of the conversations that stand in it apart from each other; none: it is one.
    """

    text: Encoded
    images: tuple[str, ...]
    blocks: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.text)


@dataclass(eq=False)
class FlamingoBatch:
    """Right-padded batch: ids, attention and loss mask [B, T]; visual tokens [B, M, N, D].

    ``blocks`` [B, T] int numbers the conversations of a row that attend only themselves, padding is
    -1; none: rows are attended whole. Not frozen, because Lightning moves batches to the device field by field.
    """

    input_ids: Tensor
    attention_mask: Tensor
    loss_mask: Tensor
    visual_tokens: Tensor | None
    blocks: Tensor | None = None


def join(parts: Sequence[Example], apart: bool = False) -> Example:
    """Several examples as the turns of one conversation, or ``apart``: each a block of its own."""
    return Example(
        concatenate([part.text for part in parts]),
        tuple(image for part in parts for image in part.images),
        tuple(map(len, parts)) if apart else (),
    )


def collate(
    examples: Sequence[Example], visual: VisualTokens, pad_id: int, least_images: int = 0
) -> FlamingoBatch:
    """Pad examples to the longest and to the most images; M = 0 images give ``None``.

    ``least_images`` = 1 lets texts alone pass the perceiver too, with an image that nothing sees:
    processes that shard a model have to run the same modules.
    """
    padded = pad([example.text for example in examples], pad_id)
    most = max(least_images, *(len(example.images) for example in examples))
    tokens = None
    if most:
        tokens = torch.zeros(len(examples), most, *visual.shape)
        for row, example in zip(tokens, examples, strict=True):
            for place, image in enumerate(example.images):
                row[place] = visual.of(image)
    blocks = None
    if any(example.blocks for example in examples):
        blocks = torch.full(padded.input_ids.shape, -1)
        for row, example in zip(blocks, examples, strict=True):
            lengths = torch.tensor(example.blocks or (len(example),))
            row[: len(example)] = torch.arange(len(lengths)).repeat_interleave(lengths)
    return FlamingoBatch(padded.input_ids, padded.attention_mask, padded.loss_mask, tokens, blocks)


def flamingo_loss(model: nn.Module, batch: FlamingoBatch) -> Tensor:
    """Mean cross-entropy of the batch's response tokens."""
    assert isinstance(model, Flamingo)
    output = model(
        batch.input_ids,
        attention_mask=batch.attention_mask,
        visual_tokens=batch.visual_tokens,
        loss_mask=batch.loss_mask,
        blocks=batch.blocks,
    )
    assert output.loss is not None
    return output.loss


def balanced_loss(model: nn.Module, batch: FlamingoBatch) -> Tensor:
    """Scalar: mean over sequences of summed cross-entropy over the root of the number of tokens.

    With a plain mean over tokens a one-word answer drowns beside captions; with a mean within each
    sequence the one word that is seen in a sentence drowns among the others.
    """
    output = model(
        batch.input_ids,
        attention_mask=batch.attention_mask,
        visual_tokens=batch.visual_tokens,
        loss_mask=batch.loss_mask,
        blocks=batch.blocks,
    )
    target = batch.loss_mask[:, 1:]
    losses = nn.functional.cross_entropy(
        output.logits.float(), batch.input_ids[:, 1:][target], reduction="none"
    )
    counts = target.sum(1).clamp(min=1)
    return (losses / counts.sqrt().repeat_interleave(target.sum(1))).sum() / len(target)
