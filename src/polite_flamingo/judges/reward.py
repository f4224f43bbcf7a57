"""Reward: how polite is a response? A scalar learned from preferred and rejected responses.

Bradley-Terry loss as of the reward model that the paper measures politeness with (METHOD section 7,
OpenAssistant/reward-model-deberta-v3-large-v2).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import EncoderParams
from polite_flamingo.judges import augment, cross_encoder
from polite_flamingo.judges.cross_encoder import CrossEncoder, Encoded

# Shares of the training examples that are varied in each way.
_REWORDED, _PERMUTED, _DRESSED = 0.6, 0.3, 0.4


def build(
    params: EncoderParams, tokenizer: PreTrainedTokenizerBase, vectors: np.ndarray | None = None
) -> CrossEncoder:
    """Make an untrained reward model over ``cross_encoder.pair_tokenizer(..., uncased=False)``.

    With word vectors it is that of ``word_vectors.load``, and capitals are marked: a reward model
    must see them.
    """
    cased = vectors is not None
    return cross_encoder.build(params, tokenizer, ("reward",), vectors, cased)


def load(source: Path | str, max_length: int | None = None) -> CrossEncoder:
    """Load a trained reward model (one logit) from a folder or a hub name."""
    model = cross_encoder.load(source, max_length)
    if model.network.config.num_labels != 1:
        raise UserError(f"{source} is no reward model: it must have one logit, not several")
    return model


def save(model: CrossEncoder, folder: Path) -> None:
    """Write the model in transformers' format (safetensors)."""
    cross_encoder.save(model, folder)


def varied(
    texts: tuple[str, str, str], near: augment.Nearest, rng: np.random.Generator
) -> tuple[str, str, str]:
    """Word (instruction, chosen, rejected) otherwise: the same words in all, openers at times."""
    asked, good, bad = texts
    if rng.random() < _REWORDED:
        asked, good, bad = augment.reword((asked, good, bad), near, rng, rng.random() * 0.5, 0.0)
    if rng.random() < _PERMUTED:
        asked, good, bad = augment.permute((asked, good, bad), rng)
    if rng.random() < _DRESSED and "\n" not in good:
        good = augment.dressed(good, rng)
    # Different words may have become the same ones.
    return (asked, good, bad) if good != bad else texts


def batch(
    model: CrossEncoder, chosen: Sequence[Encoded], rejected: Sequence[Encoded]
) -> dict[str, Any]:
    """Make a training batch of encoded (instruction, response) pairs, chosen before rejected."""
    return {"inputs": cross_encoder.collate(model, [*chosen, *rejected])}


def loss(model: nn.Module, batch: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
    """-log sigmoid(r_chosen - r_rejected) of a :func:`batch`, with its pair accuracy."""
    chosen, rejected = model(batch["inputs"]).squeeze(-1).chunk(2)
    margin = chosen - rejected
    return -nn.functional.logsigmoid(margin).mean(), {"accuracy": (margin > 0).float().mean()}


def reward(
    model: CrossEncoder,
    instructions: Sequence[str],
    responses: Sequence[str],
    batch_size: int = 128,
) -> np.ndarray:
    """Reward of each response to its instruction: [n] float32; only differences count."""
    return cross_encoder.score(model, instructions, responses, batch_size)[:, 0]
