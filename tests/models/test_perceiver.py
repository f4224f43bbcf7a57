from __future__ import annotations

import torch

from polite_flamingo.models.perceiver import PerceiverAttention, PerceiverResampler


def test_attention_equals_its_formula() -> None:
    layer = PerceiverAttention(6, heads=2, dim_head=4)
    x, latents = torch.randn(1, 5, 6), torch.randn(1, 3, 6)
    normed = layer.norm_latents(latents)
    seen = torch.cat([layer.norm_media(x), normed], 1)
    keys, values = layer.to_kv(seen)[0].chunk(2, -1)
    query = layer.to_q(normed)[0].view(3, 2, 4)
    scores = torch.einsum("lhd,shd->hls", query, keys.view(8, 2, 4)) / 2.0
    mixed = torch.einsum("hls,shd->lhd", scores.softmax(-1), values.view(8, 2, 4))
    expected = layer.to_out(mixed.reshape(1, 3, 8))
    assert torch.allclose(layer(x, latents), expected, atol=1e-6)


def test_any_number_of_tokens_becomes_the_latents() -> None:
    resampler = PerceiverResampler(6, latents=3, depth=2, heads=2, dim_head=4, ff_mult=2)
    for tokens in (1, 7):
        assert resampler(torch.randn(2, tokens, 6)).shape == (2, 3, 6)


def test_order_of_patches_does_not_matter_but_their_content_does() -> None:
    resampler = PerceiverResampler(6, latents=3, depth=1, heads=2, dim_head=4, ff_mult=2)
    x = torch.randn(1, 5, 6)
    assert torch.allclose(resampler(x), resampler(x.flip(1)), atol=1e-5)
    assert not torch.allclose(resampler(x), resampler(-x), atol=1e-3)
