"""A Flamingo without weights around a pretrained language model's config: its names and shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import open_clip
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, PretrainedConfig

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.tables import read_json
from polite_flamingo.models.configs import LmConfig, ModelConfig, VisionConfig
from polite_flamingo.models.flamingo import Flamingo
from polite_flamingo.models.lm import resolve_source
from polite_flamingo.models.tokenizer import SpecialIds
from polite_flamingo.models.vision import clip_settings


def build_skeleton(config: ModelConfig, lm: PretrainedConfig, vocab_size: int) -> Flamingo:
    """The model of a config around a language model of known architecture, on the meta device.

    It has the true names and shapes of parameters. ``vocab_size``: rows of the embeddings. Where no
    pretrained model is at hand, `factory.create_geometry` builds one from the config alone.
    """
    lm.vocab_size = vocab_size
    lm._attn_implementation = "sdpa"
    special = SpecialIds(image=1, endofchunk=2, pad=3, eos=0, bos=None)
    with torch.device("meta"):
        language = AutoModelForCausalLM.from_config(lm)
        return Flamingo(config, language, _image_tower(config.vision), special)


def lm_settings(config: LmConfig) -> PretrainedConfig:
    """The transformers config of a model config's language model; reads no weights."""
    if config.source == "train":
        return LlamaConfig(**config.config)
    return source_settings(config)


def source_settings(config: LmConfig) -> PretrainedConfig:
    """The transformers config of a pretrained language model; reads no weights."""
    source = config.source
    place, options = resolve_source(config)
    try:
        return AutoConfig.from_pretrained(place, **options)
    except ImportError as error:
        raise UserError(f"reading {source} needs `pip install gguf`") from error
    except (OSError, ValueError) as error:
        raise UserError(
            f"no language model config at {source}: give a folder with config.json, a .gguf file "
            "or a reachable hub name"
        ) from error


def _image_tower(config: VisionConfig) -> nn.Module:
    """The image tower of a config, on the device of the context."""
    if config.source == "config":
        return open_clip.CLIP(**clip_settings(config, 8, 0, 0)).visual
    return open_clip.CLIP(**named_clip(config.source)).visual


def named_clip(source: str) -> dict[str, Any]:
    """open_clip's settings of a named CLIP or of a folder in its format."""
    folder = Path(source)
    if folder.is_dir():
        if not (folder / "open_clip_config.json").is_file():
            raise UserError(f"{folder} holds no open_clip_config.json: give an open_clip folder")
        settings: dict[str, Any] | None = read_json(folder / "open_clip_config.json")["model_cfg"]
    else:
        settings = open_clip.get_model_config(source)
    if settings is None:
        raise UserError(f"open_clip knows no model {source!r}: give one of its names or a folder")
    # The text tower is not built from hub tokenizers: only the image tower is used.
    text = {k: v for k, v in settings["text_cfg"].items() if not k.startswith("hf_")}
    known = ("embed_dim", "vision_cfg", "quick_gelu")
    return {k: settings[k] for k in known if k in settings} | {"text_cfg": text}
