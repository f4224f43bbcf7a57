"""Attention of single new tokens, in a batch sorted by length: short rows skip their padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "sdpa_skipping_padding"
# Rows and the first column that any of them attends.
Span = tuple[slice, int]
# A group ends where a row is longer than this times its shortest, and it has some rows.
_SPREAD = 1.5
_ROWS = 8

_SPANS: ContextVar[tuple[Span, ...]] = ContextVar("spans", default=())


def spans(lengths: Sequence[int], end: int, steps: int) -> tuple[Span, ...]:
    """Groups of neighbouring rows of like lengths: prompts, ascending, that end at column ``end``.

    ``steps`` tokens follow every prompt, so that very short ones differ little.
    """
    found, first = [], 0
    for row, length in enumerate(lengths):
        if length + steps > _SPREAD * (lengths[first] + steps) and row - first >= _ROWS:
            found.append((slice(first, row), end - lengths[row - 1]))
            first = row
    return (*found, (slice(first, len(lengths)), end - lengths[-1]))


@contextmanager
def skipping(lm: PreTrainedModel, groups: Sequence[Span]) -> Iterator[None]:
    """Let calls of ``lm`` with one token a row attend by groups; with one group nothing changes.

    ``lm`` takes ready masks (`takes_ready_masks`) [B, 1, 1, S] bool.
    """
    if len(groups) < 2:
        yield
        return
    before = lm.config._attn_implementation
    token = _SPANS.set(tuple(groups))
    lm.config._attn_implementation = NAME
    try:
        yield
    finally:
        lm.config._attn_implementation = before
        _SPANS.reset(token)


def _attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    **options: Any,
) -> tuple[Tensor, None]:
    """transformers' attention interface: [B, heads, 1, D] and [B, heads, S, D] -> [B, 1, heads, D]."""
    parts = [
        sdpa_attention_forward(
            module,
            query[rows],
            key[rows, :, first:],
            value[rows, :, first:],
            attention_mask[rows, ..., first:],
            **options,
        )[0]
        for rows, first in _SPANS.get()
    ]
    return torch.cat(parts), None


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, sdpa_mask)
