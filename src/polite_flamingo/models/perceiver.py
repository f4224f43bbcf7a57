"""The perceiver resampler: patch tokens of an image become a fixed number of latents."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


def feed_forward(dim: int, mult: int) -> nn.Sequential:
    """LayerNorm, linear, GELU, linear; no biases (OpenFlamingo's names 0, 1, 3)."""
    return nn.Sequential(
        nn.LayerNorm(dim),
        nn.Linear(dim, dim * mult, bias=False),
        nn.GELU(),
        nn.Linear(dim * mult, dim, bias=False),
    )


def split_heads(x: Tensor, heads: int) -> Tensor:
    """[..., S, heads * d] -> [..., heads, S, d]."""
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def merge_heads(x: Tensor) -> Tensor:
    """[..., heads, S, d] -> [..., S, heads * d]."""
    return x.transpose(-3, -2).flatten(-2)


class PerceiverAttention(nn.Module):
    """Latents attend to the patch tokens and to themselves."""

    def __init__(self, dim: int, heads: int, dim_head: int) -> None:
        super().__init__()
        self.heads = heads
        inner = heads * dim_head
        self.norm_media = nn.LayerNorm(dim)
        self.norm_latents = nn.LayerNorm(dim)
        self.to_q = nn.Linear(dim, inner, bias=False)
        self.to_kv = nn.Linear(dim, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, dim, bias=False)

    def forward(self, x: Tensor, latents: Tensor) -> Tensor:
        """``x`` [B, N, D], ``latents`` [B, L, D] -> [B, L, D]."""
        latents = self.norm_latents(latents)
        seen = torch.cat((self.norm_media(x), latents), dim=-2)
        keys, values = self.to_kv(seen).chunk(2, dim=-1)
        out = scaled_dot_product_attention(
            split_heads(self.to_q(latents), self.heads),
            split_heads(keys, self.heads),
            split_heads(values, self.heads),
        )
        return self.to_out(merge_heads(out))


class PerceiverResampler(nn.Module):
    """Flamingo's perceiver resampler, parameter for parameter OpenFlamingo's.

    No frame or media-position embeddings (neither has OpenFlamingo).
    """

    def __init__(
        self, dim: int, latents: int, depth: int, heads: int, dim_head: int, ff_mult: int
    ) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(latents, dim))
        self.layers = nn.ModuleList(
            nn.ModuleList([PerceiverAttention(dim, heads, dim_head), feed_forward(dim, ff_mult)])
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        """Patch tokens [B, N, D] -> latents [B, L, D]."""
        latents = self.latents.expand(x.shape[0], -1, -1)
        for layer in self.layers:
            assert isinstance(layer, nn.ModuleList)
            latents = layer[0](x, latents) + latents
            latents = layer[1](latents) + latents
        return self.norm(latents)
