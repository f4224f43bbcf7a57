"""Soft alignment: the reporting judges' network, another one than the transformer that filters.

Each text is read by convolutions, each of its words looks for its counterpart in the other text,
and the pairs are compared and pooled (decomposable attention, arXiv 1606.01933; RE2, 1908.00300).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    PretrainedConfig,
    PreTrainedModel,
)
from transformers.modeling_outputs import SequenceClassifierOutput

_FAR = -1e4


class AlignmentConfig(PretrainedConfig):
    """Sizes of an alignment network; ``rounds``: how often the texts are read and compared."""

    model_type = "polite_flamingo_alignment"

    vocab_size: int = 1
    embedding_size: int = 192
    hidden_size: int = 96
    rounds: int = 2
    type_vocab_size: int = 4
    initializer_range: float = 0.05
    max_position_embeddings: int = 128


class _Round(nn.Module):
    """Read each text, align it with the other, and fuse a word with its counterpart."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.read = nn.ModuleList(nn.Conv1d(size, size, 3, padding=1) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(3))
        self.query = nn.Linear(size, size)
        self.fuse = nn.Linear(4 * size, size)

    def forward(self, states: Tensor, present: Tensor, across: Tensor) -> Tensor:
        for convolution, norm in zip(self.read, self.norms, strict=False):
            heard = convolution((norm(states) * present).transpose(1, 2)).transpose(1, 2)
            states = states + nn.functional.gelu(heard)
        asked = self.query(states)
        weights = (asked @ asked.transpose(1, 2)) * asked.shape[-1] ** -0.5 + across
        found = weights.softmax(-1) @ states
        both = torch.cat([states, found, states - found, states * found], dim=-1)
        fused: Tensor = states + self.norms[2](nn.functional.gelu(self.fuse(both)))
        return fused


class AlignmentForSequenceClassification(PreTrainedModel):
    """Logits of a pair of texts, read as one row ``[CLS] a [SEP] b [SEP]``.

    An even type id marks a token of the first text, an odd one a token of the second.
    """

    config_class = AlignmentConfig
    base_model_prefix = "alignment"

    def __init__(self, config: AlignmentConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.words = nn.Embedding(config.vocab_size, config.embedding_size)
        self.marks = nn.Embedding(config.type_vocab_size, config.embedding_size)
        self.norm = nn.LayerNorm(config.embedding_size)
        self.project = nn.Linear(config.embedding_size, size)
        self.rounds = nn.ModuleList(_Round(size) for _ in range(config.rounds))
        self.judge = nn.Sequential(
            nn.Linear(4 * size, size), nn.GELU(), nn.Linear(size, config.num_labels or 1)
        )
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The word vectors."""
        return self.words

    def _init_weights(self, module: Any) -> None:
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=self.config.initializer_range)

    def forward(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> SequenceClassifierOutput:
        """Logits [n, labels] of tensors [n, tokens]; zeros in the mask are padding."""
        present = attention_mask.bool()
        side = token_type_ids % 2
        # A word may look at present words of the other text alone.
        across = torch.where(
            (side[:, :, None] != side[:, None, :]) & present[:, None, :], 0.0, _FAR
        )
        states = self.project(self.norm(self.words(input_ids) + self.marks(token_type_ids)))
        for layer in self.rounds:
            states = layer(states, present[:, :, None], across)
        pooled = []
        for number in range(2):
            here = ((side == number) & present)[:, :, None]
            pooled.append(torch.where(here, states, _FAR).amax(1))
            pooled.append((states * here).sum(1) / here.sum(1).clamp(min=1))
        return SequenceClassifierOutput(logits=self.judge(torch.cat(pooled, dim=-1)))


AutoConfig.register(AlignmentConfig.model_type, AlignmentConfig)
AutoModelForSequenceClassification.register(AlignmentConfig, AlignmentForSequenceClassification)
