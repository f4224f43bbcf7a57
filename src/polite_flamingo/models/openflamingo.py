"""OpenFlamingo's checkpoints: their names and ours, what a file holds, and how it is written.

Read: OpenFlamingo v1 and v2 training checkpoints and full dumps, and the Polite and Clever Flamingo
releases (OpenFlamingo v1 with LoRA in the language model). Written: OpenFlamingo v2.
Nothing here runs code from a file: pickles are read with ``weights_only``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.lm import LAYER_PATHS

# Where a training checkpoint keeps its weights.
_STATES = ("model_state_dict", "state_dict", "model")
_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")
# Buffers that older transformers stored and newer ones compute.
_BUFFERS = re.compile(
    r"\.(rotary_emb\.(inv_freq|cos_cached|sin_cached)|attention\.(bias|masked_bias))$"
)
_LAYER_PATH = "|".join(re.escape(path) for path in LAYER_PATHS)
_LAYER = re.compile(rf"^({_LAYER_PATH})\.(\d+)\.(.+)$")
_LORA = re.compile(r"\.(lora_[AB])\.(?:[^.]+\.)?weight$")
# The sizes that open-flamingo 2.0.1 has built in.
FIXED = {"latents": 64, "perceiver depth": 6, "attention width": 512, "FFN factor": 4}


@dataclass(frozen=True)
class Checkpoint:
    """A file's tensors by our names.

    ``weights`` of the model without LoRA, ``lora`` as `flamingo.part_parameters` names it,
    ``ignored``: the file's names that no model needs (copies, buffers, CLIP's text tower).
    """

    weights: dict[str, Tensor]
    lora: dict[str, Tensor] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def read_checkpoint(*paths: Path) -> Checkpoint:
    """Read one checkpoint, or several laid over each other (the later ones win).

    Raises UserError for a file that is missing, damaged, holds code, or is no Flamingo.
    """
    weights: dict[str, Tensor] = {}
    lora: dict[str, Tensor] = {}
    ignored: list[str] = []
    for path in paths:
        found = from_openflamingo(read_tensors(path))
        weights |= found.weights
        lora |= found.lora
        ignored += found.ignored
    if not any(name.startswith(("perceiver.", "cross_attention.")) for name in weights):
        more = " (it has LoRA: give the OpenFlamingo checkpoint it belongs to before it)"
        raise UserError(
            f"{paths[-1]} is no OpenFlamingo checkpoint: it has no perceiver and no "
            f"cross-attention{more if lora else ''}"
        )
    return Checkpoint(weights, lora, tuple(ignored))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a checkpoint file, or of a folder with parts of one, by its stored name."""
    if path.is_dir():
        parts = sorted(part for part in path.iterdir() if part.suffix in _SUFFIXES)
        if not parts:
            raise UserError(f"{path} holds no checkpoint: give a file {', '.join(_SUFFIXES)}")
        return {name: tensor for part in parts for name, tensor in read_tensors(part).items()}
    if not path.is_file():
        raise UserError(f"{path} is missing: give a checkpoint file or a folder with one")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise UserError(
            f"{path} holds more than tensors (pickled code is never run): "
            "have it saved again as a plain state dict or as safetensors"
        ) from error
    except (SafetensorError, RuntimeError, EOFError, ValueError) as error:
        raise UserError(f"{path} is damaged or no checkpoint: fetch it again") from error
    for key in _STATES:
        if isinstance(stored, dict) and isinstance(stored.get(key), dict):
            stored = stored[key]
    if not isinstance(stored, dict):
        raise UserError(f"{path} holds no state dict: give an OpenFlamingo checkpoint")
    tensors = {str(name): value for name, value in stored.items() if isinstance(value, Tensor)}
    if not tensors:
        raise UserError(f"{path} holds no tensors: give an OpenFlamingo checkpoint")
    return tensors


def from_openflamingo(tensors: Mapping[str, Tensor]) -> Checkpoint:
    """Give OpenFlamingo's tensors our names; what has none keeps its own (`unexpected`, later)."""
    plain = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    whole_clip = any(name.startswith("vision_encoder.visual.") for name in plain)
    layers = _layer_path(plain)
    found = Checkpoint({}, {})
    ignored: list[str] = []
    # Copies last: where a file has both, the first name wins.
    for name in sorted(plain, key=lambda each: (_is_copy(each), each)):
        ours = _our_name(name, whole_clip, layers)
        if ours is None or ours in found.weights:
            ignored.append(name)
        elif adapter := _LORA.search(ours):
            found.lora[f"{ours[: adapter.start()]}.{adapter[1]}.default.weight"] = plain[name]
        else:
            found.weights[ours] = plain[name]
    return Checkpoint(found.weights, found.lora, tuple(ignored))


def _is_copy(name: str) -> bool:
    return ".old_decoder_blocks." in name or ".gated_cross_attn_layers." in name


def _layer_path(names: Iterable[str]) -> str:
    """Where the decoder layers stand in a file."""
    for name in names:
        inner = _inner(name)
        if inner is not None and (match := _LAYER.match(inner)):
            return match[1]
    return LAYER_PATHS[0]


def _inner(name: str) -> str | None:
    """A name below the language model, without PEFT's wrapper; None for another part's."""
    if not name.startswith("lang_encoder."):
        return None
    return name.removeprefix("lang_encoder.").removeprefix("base_model.model.")


def _our_name(name: str, whole_clip: bool, layers: str) -> str | None:
    """Our name of an OpenFlamingo weight; None for what a model does not need."""
    if name.startswith("perceiver."):
        return name
    if name.startswith("vision_encoder."):
        rest = name.removeprefix("vision_encoder.")
        if not whole_clip:
            return f"vision.{rest}"
        # v1 stores the whole CLIP; its text tower is never used.
        return f"vision.{rest.removeprefix('visual.')}" if rest.startswith("visual.") else None
    inner = _inner(name)
    if inner is None:
        return name
    if _BUFFERS.search(inner):
        return None
    inner = inner.replace(".base_layer.", ".")
    if inner.startswith("old_decoder_blocks."):
        inner = f"{layers}.{inner.removeprefix('old_decoder_blocks.')}"
    elif inner.startswith("gated_cross_attn_layers."):
        number, _, rest = inner.removeprefix("gated_cross_attn_layers.").partition(".")
        inner = f"{layers}.{number}.gated_cross_attn_layer.{rest}"
    if match := _LAYER.match(inner):
        path, number, rest = match.groups()
        if rest.startswith("gated_cross_attn_layer."):
            return f"cross_attention.{number}.{rest.removeprefix('gated_cross_attn_layer.')}"
        return f"lm.{path}.{number}.{rest.removeprefix('decoder_layer.')}"
    # GPT-NeoX's head, until transformers 5.
    return "lm.lm_head.weight" if inner == "embed_out.weight" else f"lm.{inner}"


def to_openflamingo(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give our weights (without LoRA) the names that open-flamingo 2.0.1 has."""
    layers = next((m[1] for n in weights if (m := _LAYER.match(n.removeprefix("lm.")))), None)
    if layers is None:
        layers = _path_of_embeddings(weights)
    return {_their_name(name, layers): tensor for name, tensor in weights.items()}


def _path_of_embeddings(names: Iterable[str]) -> str:
    """Where the decoder layers stand, where only embeddings tell of the language model."""
    for path in LAYER_PATHS:
        stem = path.rpartition(".")[0]
        if any(re.match(rf"lm\.{re.escape(stem)}\.embed_\w+\.weight$", name) for name in names):
            return path
    return LAYER_PATHS[0]


def _their_name(name: str, layers: str) -> str:
    part, _, rest = name.partition(".")
    if part == "vision":
        return f"vision_encoder.{rest}"
    if part == "cross_attention":
        number, _, rest = rest.partition(".")
        return f"lang_encoder.{layers}.{number}.gated_cross_attn_layer.{rest}"
    if part != "lm":
        return name
    if match := _LAYER.match(rest):
        return f"lang_encoder.{match[1]}.{match[2]}.decoder_layer.{match[3]}"
    if rest == "lm_head.weight" and layers.startswith("gpt_neox"):
        rest = "embed_out.weight"
    return f"lang_encoder.{rest}"


def geometry(shapes: Mapping[str, Iterable[int]]) -> dict[str, Any]:
    """The sizes that weights of our names imply, those that the names at hand can tell."""
    sizes = {name: tuple(shape) for name, shape in shapes.items()}
    facts: dict[str, Any] = {}

    def note(label: str, name: str, axis: int) -> None:
        if name in sizes and len(sizes[name]) > axis:
            facts[label] = sizes[name][axis]

    note("latents", "perceiver.latents", 0)
    note("visual width", "perceiver.latents", 1)
    note("attention width", "perceiver.layers.0.0.to_q.weight", 0)
    if depth := {n.split(".")[2] for n in sizes if n.startswith("perceiver.layers.")}:
        facts["perceiver depth"] = len(depth)
    wide = sizes.get("perceiver.layers.0.1.1.weight")
    if wide is not None and len(wide) == 2 and wide[1]:
        facts["FFN factor"] = wide[0] // wide[1]
    blocks = sorted({int(n.split(".")[1]) for n in sizes if n.startswith("cross_attention.")})
    if blocks:
        first = f"cross_attention.{blocks[0]}.attn"
        facts["cross-attention before layers"] = ", ".join(map(str, blocks))
        note("language model width", f"{first}.to_q.weight", 1)
        note("cross-attention width", f"{first}.to_q.weight", 0)
    return facts


def check_geometry(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], name: str) -> None:
    """Raise a one-line UserError where a checkpoint was made for another model than ``name``."""
    theirs = geometry({n: t.shape for n, t in found.items()})
    ours = geometry({n: t.shape for n, t in expected.items()})
    wrong = [
        f"{label} {theirs[label]} instead of {ours[label]}"
        for label in theirs
        if label in ours and theirs[label] != ours[label]
    ]
    if wrong:
        raise UserError(
            f"the checkpoint is of another geometry than the config {name}: {'; '.join(wrong)}; "
            "name its own with --config (a name or a .yaml path)"
        )
