from __future__ import annotations

import numpy as np
import open_clip
import pytest
import torch
from open_clip.loss import ClipLoss
from PIL import Image
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.configs import ModelConfig, VisionConfig
from polite_flamingo.models.tokenizer import clip_texts, special_ids
from polite_flamingo.models.vision import (
    build_clip,
    build_vision,
    patch_tokens,
    preprocess,
    visual_width,
)


def test_conv_stem_clip_learns(config: ModelConfig, tokenizer: PreTrainedTokenizerBase) -> None:
    special = special_ids(tokenizer)
    clip = build_clip(config.vision, len(tokenizer), special.eos, special.pad).train()
    assert isinstance(clip, open_clip.CLIP)
    colors = {"red": (1.0, 0, 0), "green": (0, 1.0, 0), "blue": (0, 0, 1.0), "black": (0, 0, 0)}
    images = torch.stack(
        [torch.tensor(rgb)[:, None, None].expand(3, 32, 32) for rgb in colors.values()]
    )
    texts = clip_texts(tokenizer, [f"a {name} circle" for name in colors], clip.context_length)
    loss, optimizer = ClipLoss(), torch.optim.Adam(clip.parameters(), lr=3e-3)
    for _ in range(40):
        value = loss(*clip(images, texts))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert value.item() < 0.5


def test_patch_tokens_of_both_towers(config: ModelConfig) -> None:
    nano = build_vision(config.vision).eval()
    images = torch.randn(2, 3, 32, 32)
    assert patch_tokens(nano, images).shape == (2, 16, visual_width(nano)) == (2, 16, 32)

    vit = open_clip.transformer.VisionTransformer(
        image_size=32, patch_size=8, width=24, layers=2, heads=2, mlp_ratio=2.0, output_tokens=True
    ).eval()
    tokens = patch_tokens(vit, images)
    assert tokens.shape == (2, 16, visual_width(vit)) == (2, 16, 24)
    # What open_clip returns is the same after ln_post.
    with torch.no_grad():
        vit.ln_post.weight.uniform_(0.5, 2.0)
        _, after = vit(images)
    assert torch.allclose(vit.ln_post(tokens), after, atol=1e-5)
    assert not torch.allclose(tokens, after, atol=1e-2)


def test_preprocess_is_clips_normalisation() -> None:
    config = VisionConfig(image_size=16)
    gray = Image.new("L", (40, 20), 255)
    tensor = preprocess(gray, config)
    assert tensor.shape == (3, 16, 16) and tensor.dtype == torch.float32
    expected = (1 - np.array(config.mean)) / np.array(config.std)
    assert np.allclose(tensor[:, 5, 7].numpy(), expected, atol=1e-5)
    assert torch.equal(tensor, preprocess(gray, config))


def test_missing_towers_are_one_clear_error() -> None:
    with pytest.raises(UserError, match="no image tower"):
        build_vision(VisionConfig(source="no-such-model", pretrained="x", image_size=32))
