"""The image tower: open_clip's CLIP, with a small conv-stem ViT registered in timm for nano."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from PIL import Image
from timm.models import register_model
from timm.models.vision_transformer import VisionTransformer as TimmVisionTransformer
from torch import Tensor, nn

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.seeds import derive
from polite_flamingo.models.configs import VisionConfig


class ConvStem(nn.Module):
    """Three stride-2 3x3 convolutions instead of one patch projection: image to a /8 grid.

    At this size a plain patch projection learns colours and shapes badly (early convolutions:
    arXiv 2106.14881). Has the interface timm's ViT expects of its ``embed_layer``.
    """

    def __init__(self, img_size: int, in_chans: int, embed_dim: int, **_: Any) -> None:
        super().__init__()
        widths = [in_chans, embed_dim // 4, embed_dim // 2, embed_dim]
        self.grid_size = (img_size // 8, img_size // 8)
        self.num_patches = self.grid_size[0] * self.grid_size[1]
        layers: list[nn.Module] = []
        for wide, wider in itertools.pairwise(widths):
            layers += [
                nn.Conv2d(wide, wider, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(wider),
                nn.GELU(),
            ]
        self.layers = nn.Sequential(*layers)

    def feat_ratio(self) -> int:
        """Pixels a grid cell covers along one side."""
        return 8

    def forward(self, x: Tensor) -> Tensor:
        """Images [B, 3, H, W] -> tokens [B, H/8 * W/8, D]."""
        return self.layers(x).flatten(2).transpose(1, 2)


def _conv_vit(img_size: int, width: int, depth: int, heads: int) -> TimmVisionTransformer:
    model = TimmVisionTransformer(
        img_size=img_size,
        patch_size=8,
        embed_dim=width,
        depth=depth,
        num_heads=heads,
        mlp_ratio=2.0,
        class_token=False,
        global_pool="avg",
        num_classes=0,
        embed_layer=ConvStem,
    )
    # open_clip's adapter asks it for a pool size (there is none).
    model.default_cfg = {}  # type: ignore[assignment]
    return model


@register_model
def conv_vit_nano(pretrained: bool = False, **_: Any) -> TimmVisionTransformer:
    """timm entry point: 64 px, 128 wide, one block after the stem."""
    return _conv_vit(img_size=64, width=128, depth=1, heads=4)


@register_model
def conv_vit_micro(pretrained: bool = False, **_: Any) -> TimmVisionTransformer:
    """timm entry point: 32 px, 32 wide, one block after the stem."""
    return _conv_vit(img_size=32, width=32, depth=1, heads=2)


def build_clip(
    config: VisionConfig, vocab_size: int, eos_id: int, pad_id: int, seed: int = 0
) -> open_clip.CLIP:
    """A new CLIP (both towers) from the open_clip settings of a config; weights from ``seed``."""
    if config.source != "config":
        raise UserError(f"the image tower {config.source} is pretrained: it cannot be built anew")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "clip"))
        return open_clip.CLIP(**clip_settings(config, vocab_size, eos_id, pad_id))


def clip_settings(
    config: VisionConfig, vocab_size: int, eos_id: int, pad_id: int
) -> dict[str, Any]:
    """open_clip's ``model_cfg`` with the tokenizer's facts filled in."""
    settings = copy.deepcopy(config.clip)
    settings["text_cfg"] |= {"vocab_size": vocab_size, "eos_id": eos_id, "pad_id": pad_id}
    return settings


def build_vision(config: VisionConfig, seed: int = 0) -> nn.Module:
    """The image tower alone: new from the settings, from an open_clip folder, or by name."""
    if config.source == "config":
        return build_clip(config, vocab_size=8, eos_id=0, pad_id=0, seed=seed).visual
    folder = Path(config.source).is_dir()
    name = f"local-dir:{config.source}" if folder else config.source
    try:
        model = open_clip.create_model(name, pretrained=config.pretrained or None)
    except Exception as error:  # open_clip raises many kinds, all of them "not found"
        raise UserError(
            f"no image tower {config.source} ({config.pretrained}): give an open_clip folder, or a "
            "name whose weights are cached or reachable"
        ) from error
    return model.visual


def visual_width(visual: nn.Module) -> int:
    """Width D of an image tower's patch tokens."""
    if isinstance(visual, TimmModel):
        return int(visual.trunk.num_features)
    return int(visual.conv1.out_channels)  # type: ignore[union-attr, arg-type]


def patch_tokens(visual: nn.Module, images: Tensor) -> Tensor:
    """Images [B, 3, H, W] -> patch tokens [B, N, D], without the class token.

    For open_clip's own ViT the tokens are taken *before* ``ln_post``: OpenFlamingo was trained on
    those (open_clip <= 2.22), newer versions return them after it.
    """
    if isinstance(visual, TimmModel):
        tokens = visual.trunk.forward_features(images)
        return tokens[:, visual.trunk.num_prefix_tokens :]
    if isinstance(visual, VisionTransformer):
        return visual.transformer(visual._embeds(images))[:, 1:]
    raise UserError(f"the image tower {type(visual).__name__} is not supported: use a ViT")


def preprocess(image: Image.Image, config: VisionConfig) -> Tensor:
    """Resize to a square (bicubic) and normalise: float32 [3, size, size]."""
    size = (config.image_size, config.image_size)
    rgb = image.convert("RGB")
    if rgb.size != size:
        rgb = rgb.resize(size, Image.Resampling.BICUBIC)
    pixels = np.asarray(rgb, dtype=np.float32) / 255.0
    mean, std = np.array([config.mean, config.std], dtype=np.float32)
    scaled = (pixels - mean) / std
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(2, 0, 1)))
