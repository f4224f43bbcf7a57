"""Models by name: with their weights, or their bare geometry."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import open_clip
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.configs import ModelConfig, VisionConfig, load_config
from polite_flamingo.models.flamingo import Flamingo, build_flamingo
from polite_flamingo.models.lm import build_lm, build_tokenizer
from polite_flamingo.models.tokenizer import SpecialIds
from polite_flamingo.models.vision import build_vision


def create_model(
    name: str | Path, tokenizer_folder: Path | None = None, seed: int = 0
) -> tuple[Flamingo, PreTrainedTokenizerBase]:
    """The model of a config (a shipped one's name or a .yaml path) and its tokenizer.

    Pretrained parts are found by the config; new weights depend on ``seed`` only.
    ``tokenizer_folder`` is needed where the config says that the tokenizer is trained. The model is
    in evaluation mode. Raises UserError for an unknown name and for parts that cannot be found.
    """
    config = load_config(name)
    tokenizer = build_tokenizer(config, tokenizer_folder)
    return build_flamingo(config, tokenizer, seed=seed).eval(), tokenizer


def create_geometry(
    name: str | Path | ModelConfig,
    device: str | torch.device = "meta",
    dtype: torch.dtype = torch.float32,
    seed: int = 0,
) -> Flamingo:
    """The model of a config with random weights, needing no files: to count, plan and time.

    On the device ``meta`` it takes no memory at any size. The language model is built from
    ``lm.config``; Flamingo's three tokens follow its vocabulary.
    """
    config = name if isinstance(name, ModelConfig) else load_config(name)
    if not config.lm.config:
        raise UserError(f"the config {config.name} has no lm.config to build its geometry from")
    words = config.lm.config.get("vocab_size")
    vocabulary = config.tokenizer.vocab_size - 3 if words is None else int(words)
    special = SpecialIds(
        endofchunk=vocabulary, image=vocabulary + 1, pad=vocabulary + 2, eos=2, bos=1
    )
    with _defaults(torch.device(device), dtype):
        new = dataclasses.replace(config.lm, source="train", copying=0.0)
        lm = build_lm(new, vocabulary + 3, seed)
        vision = _tower(config.vision, seed)
        torch.manual_seed(seed)
        return Flamingo(config, lm, vision, special).eval()


def _tower(config: VisionConfig, seed: int) -> nn.Module:
    if config.source == "config":
        return build_vision(config, seed)
    settings = open_clip.get_model_config(config.source)
    if settings is None:
        raise UserError(f"open_clip knows no model {config.source}: use one of its names")
    # Of the text tower nothing is kept.
    text = {"context_length": 8, "vocab_size": 8, "width": 64, "heads": 1, "layers": 1}
    embed, tower = settings["embed_dim"], settings["vision_cfg"]
    return open_clip.CLIP(embed_dim=embed, vision_cfg=tower, text_cfg=text).visual


@contextmanager
def _defaults(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.random.fork_rng(devices=[]), device:
            yield
    finally:
        torch.set_default_dtype(before)
