"""Gated cross-attention: text attends the latents of the images it may see."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from polite_flamingo.models.perceiver import feed_forward, merge_heads, split_heads

KeysValues = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Visibility:
    """Which latents each text position attends: made once a forward, used by every block.

    ``allowed`` [B, 1, T, M * L] bool for attention, where a blind row allows everything (a row
    without any key has no defined softmax), None: everything; ``seeing`` [B, T, 1] bool is False
    for blind rows, whose result is set to exactly zero, None: no row is blind.
    """

    allowed: Tensor | None
    seeing: Tensor | None

    def select(self, rows: Tensor) -> Visibility:
        """Keep (or repeat) some rows of the batch."""
        return Visibility(
            None if self.allowed is None else self.allowed[rows],
            None if self.seeing is None else self.seeing[rows],
        )


def visibility(media_mask: Tensor, latents: int) -> Visibility:
    """Expand a media mask [B, T, M] bool over the latents of each image."""
    seeing = media_mask.any(-1, keepdim=True)
    allowed = (media_mask | ~seeing).repeat_interleave(latents, dim=-1)
    return Visibility(allowed.unsqueeze(1), seeing)


class MaskedCrossAttention(nn.Module):
    """Cross-attention of text on latents; a row that sees no image gives exactly zero."""

    def __init__(self, dim: int, dim_visual: int, heads: int, dim_head: int) -> None:
        super().__init__()
        self.heads = heads
        inner = heads * dim_head
        self.norm = nn.LayerNorm(dim)
        self.to_q = nn.Linear(dim, inner, bias=False)
        self.to_kv = nn.Linear(dim_visual, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, dim, bias=False)

    def keys_values(self, latents: Tensor) -> KeysValues:
        """Latents [B, M, L, Dv] -> keys and values, each [B, heads, M * L, dim_head]."""
        keys, values = self.to_kv(latents.flatten(1, 2)).chunk(2, dim=-1)
        return split_heads(keys, self.heads), split_heads(values, self.heads)

    def forward(self, x: Tensor, keys_values: KeysValues, visible: Visibility) -> Tensor:
        """``x`` [B, T, D] -> [B, T, D]."""
        queries = split_heads(self.to_q(self.norm(x)), self.heads)
        out = scaled_dot_product_attention(queries, *keys_values, attn_mask=visible.allowed)
        merged = merge_heads(out)
        if visible.seeing is not None:
            merged = merged.masked_fill(~visible.seeing, 0.0)
        return self.to_out(merged)


class GatedCrossAttention(nn.Module):
    """x + tanh(gate) * attention, then x + tanh(gate) * FFN; both gates start at zero."""

    def __init__(self, dim: int, dim_visual: int, heads: int, dim_head: int, ff_mult: int) -> None:
        super().__init__()
        self.attn = MaskedCrossAttention(dim, dim_visual, heads, dim_head)
        self.attn_gate = nn.Parameter(torch.zeros(1))
        self.ff = feed_forward(dim, ff_mult)
        self.ff_gate = nn.Parameter(torch.zeros(1))

    def forward(
        self, x: Tensor, keys_values: KeysValues | None, visible: Visibility | None
    ) -> Tensor:
        """``x`` [B, T, D] -> [B, T, D]; without any media only the FFN acts."""
        if keys_values is not None and visible is not None:
            x = x + self.attn(x, keys_values, visible) * self.attn_gate.tanh()
        return x + self.ff(x) * self.ff_gate.tanh()
