"""Checkpoints: safetensors, the config and the tokenizer in one folder; LoRA as PEFT adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import atomic_dir
from polite_flamingo.core.seeds import derive
from polite_flamingo.core.tables import read_json, write_json
from polite_flamingo.models.configs import VisionConfig, dump_config, load_config
from polite_flamingo.models.flamingo import Flamingo, build_flamingo, part_parameters
from polite_flamingo.models.lm import decoder_layers
from polite_flamingo.models.tokenizer import load_tokenizer, save_tokenizer, special_ids
from polite_flamingo.models.vision import clip_settings

WEIGHTS = "model.safetensors"
CONFIG = "config.yaml"
LM_CONFIG = "lm_config.json"
TOKENIZER = "tokenizer"
LORA = "lora"


@dataclass(frozen=True)
class LoadReport:
    """What became of every weight of a load, in classes.

    ``absent``: the model's weights that the file lacks; ``unexpected``: weights of the file that
    the model lacks; ``mismatched``: in both, with other shapes (not loaded).
    """

    loaded: tuple[str, ...]
    absent: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[str, ...]


# --- whole models ---------------------------------------------------------------------------


def save_pretrained(
    model: Flamingo, tokenizer: PreTrainedTokenizerBase, folder: Path, full: bool = False
) -> None:
    """Write a model so that `from_pretrained` gives it back; equal models give equal bytes.

    A language model or image tower that comes from elsewhere (config ``source``) is left out
    except for its embeddings, unless ``full``. LoRA is stored beside, as a PEFT adapter.
    """
    _check_unmerged(model)
    left_out: set[str] = set()
    if not full and model.config.lm.source != "train":
        left_out |= set(part_parameters(model, "lm")) - set(part_parameters(model, "embeddings"))
    weights = _weights(model)
    if not full and model.config.vision.source != "config":
        left_out |= {name for name in weights if name.startswith("vision.")}
    base = {name.replace(".base_layer.", "."): name for name in left_out}
    with atomic_dir(folder) as work:
        save_weights({n: w for n, w in weights.items() if n not in base}, work / WEIGHTS)
        (work / CONFIG).write_text(dump_config(model.config), encoding="utf-8")
        write_json(work / LM_CONFIG, _lm_settings(model.lm))
        save_tokenizer(tokenizer, work / TOKENIZER)
        if has_lora(model):
            save_lora(model, work / LORA)


def from_pretrained(folder: Path) -> tuple[Flamingo, PreTrainedTokenizerBase]:
    """Load what `save_pretrained` wrote: the model (evaluation mode, LoRA attached), tokenizer."""
    for name in (CONFIG, WEIGHTS, TOKENIZER):
        if not (folder / name).exists():
            raise UserError(f"{folder} is no model folder ({name} is missing): run its stage first")
    config = load_config(folder / CONFIG)
    tokenizer = load_tokenizer(folder / TOKENIZER)
    weights = load_file(folder / WEIGHTS)
    lm = None
    if any(".layers." in name for name in weights if name.startswith("lm.")):
        settings = read_json(folder / LM_CONFIG)
        architecture = AutoConfig.for_model(**settings)
        lm = AutoModelForCausalLM.from_config(architecture, attn_implementation="sdpa")
    model = build_flamingo(config, tokenizer, lm=lm)
    _fit_embeddings(model, weights)
    report = _load(model, weights)
    expected = {
        prefix
        for prefix, source, built in (
            ("lm.", config.lm.source, "train"),
            ("vision.", config.vision.source, "config"),
        )
        if source != built
    }
    lost = [name for name in report.absent if not name.startswith(tuple(expected))]
    if lost or report.unexpected or report.mismatched:
        raise UserError(
            f"{folder / WEIGHTS} does not fit its {CONFIG}: {len(lost)} weights absent, "
            f"{len(report.unexpected)} unexpected, {len(report.mismatched)} of other shapes; "
            "make the model again"
        )
    if (folder / LORA).is_dir():
        load_lora(model, folder / LORA)
    return model.eval(), tokenizer


def _fit_embeddings(model: Flamingo, weights: Mapping[str, Tensor]) -> None:
    """Give the embeddings the stored number of rows: OpenFlamingo cuts a padded vocabulary."""
    rows = {len(weights[n]) for n in part_parameters(model, "embeddings") if n in weights}
    if len(rows) == 1 and (count := rows.pop()) != model.lm.config.vocab_size:
        model.lm.resize_token_embeddings(count, mean_resizing=False)


def load_part(model: Flamingo, folder: Path, parts: Sequence[str]) -> LoadReport:
    """Load only some parts (names of `flamingo.PARTS`, not ``lora``) from a saved model."""
    wanted = {name for part in parts for name in part_parameters(model, part)}
    wanted = {name.replace(".base_layer.", ".") for name in wanted}
    if "vision" in parts:
        wanted |= {name for name in _weights(model) if name.startswith("vision.")}
    if not (folder / WEIGHTS).is_file():
        raise UserError(f"{folder / WEIGHTS} is missing: give the folder of a saved model")
    weights = {n: w for n, w in load_file(folder / WEIGHTS).items() if n in wanted}
    report = _load(model, weights)
    absent = tuple(name for name in report.absent if name in wanted)
    return LoadReport(report.loaded, absent, report.unexpected, report.mismatched)


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """State dict under the names of a model without LoRA, every shared tensor once."""
    weights: dict[str, Tensor] = {}
    seen: set[tuple[int, torch.Size]] = set()
    for name, tensor in model.state_dict().items():
        same = (tensor.data_ptr(), tensor.shape)
        if ".lora_" in name or (tensor.numel() and same in seen):
            continue
        seen.add(same)
        weights[name.replace(".base_layer.", ".")] = tensor
    return weights


def _load(model: nn.Module, weights: Mapping[str, Tensor]) -> LoadReport:
    own = _weights(model)
    mismatched = sorted(n for n in weights if n in own and weights[n].shape != own[n].shape)
    loaded = sorted(n for n in weights if n in own and n not in set(mismatched))
    with torch.no_grad():
        for name in loaded:
            own[name].copy_(weights[name])
    return LoadReport(
        loaded=tuple(loaded),
        absent=tuple(sorted(set(own) - set(weights))),
        unexpected=tuple(sorted(set(weights) - set(own))),
        mismatched=tuple(mismatched),
    )


def save_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors as safetensors with reproducible bytes."""
    tensors = {name: weights[name].detach().cpu().contiguous() for name in sorted(weights)}
    save_file(tensors, path, metadata={"format": "pt"})


# --- CLIP and the causal language model on their own ----------------------------------------


def save_clip(
    clip: nn.Module, config: VisionConfig, tokenizer: PreTrainedTokenizerBase, folder: Path
) -> None:
    """Write a CLIP in open_clip's local format (``local-dir:FOLDER``) with its tokenizer."""
    special = special_ids(tokenizer)
    settings = clip_settings(config, len(tokenizer), special.eos, special.pad)
    with atomic_dir(folder) as work:
        save_weights(_weights(clip), work / "open_clip_model.safetensors")
        preprocess = {
            "size": config.image_size,
            "mean": list(config.mean),
            "std": list(config.std),
            "interpolation": "bicubic",
            "resize_mode": "squash",
        }
        write_json(
            work / "open_clip_config.json",
            {"model_cfg": settings, "preprocess_cfg": preprocess},
        )
        save_tokenizer(tokenizer, work / TOKENIZER)


def load_clip(folder: Path) -> tuple[open_clip.CLIP, VisionConfig, PreTrainedTokenizerBase]:
    """Load what `save_clip` wrote, in evaluation mode."""
    path = folder / "open_clip_config.json"
    if not path.is_file():
        raise UserError(f"{path} is missing: run the stage that makes this CLIP first")
    stored = read_json(path)
    facts = stored["preprocess_cfg"]
    config = VisionConfig(
        clip=stored["model_cfg"],
        image_size=facts["size"],
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
    )
    clip = open_clip.CLIP(**stored["model_cfg"])
    report = _load(clip, load_file(folder / "open_clip_model.safetensors"))
    if report.absent or report.unexpected or report.mismatched:
        raise UserError(f"the weights in {folder} do not fit their config: make the CLIP again")
    return clip.eval(), config, load_tokenizer(folder / TOKENIZER)


def save_lm(lm: Any, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write a causal LM in transformers' format, with its tokenizer."""
    with atomic_dir(folder) as work:
        write_json(work / "config.json", _lm_settings(lm))
        save_weights(_weights(lm), work / WEIGHTS)
        save_tokenizer(tokenizer, work)


def _lm_settings(lm: Any) -> dict[str, Any]:
    """The config of a language model, the same whether it was built or loaded, without paths."""
    settings = lm.config.to_dict()
    for key in ("_name_or_path", "transformers_version"):
        settings.pop(key, None)
    dtype = str(next(lm.parameters()).dtype).removeprefix("torch.")
    return settings | {"architectures": [type(lm).__name__], "dtype": dtype}


def load_lm(folder: Path) -> Any:
    """Load what `save_lm` wrote (or any transformers folder), float32, in evaluation mode."""
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder}/config.json is missing: run the stage base_lm first")
    lm = AutoModelForCausalLM.from_pretrained(
        folder, attn_implementation="sdpa", dtype=torch.float32
    )
    return lm.eval()


# --- LoRA -----------------------------------------------------------------------------------


def has_lora(model: Flamingo) -> bool:
    """Whether LoRA is attached."""
    return bool(part_parameters(model, "lora"))


def add_lora(
    model: Flamingo,
    rank: int,
    alpha: float,
    dropout: float = 0.0,
    targets: Sequence[str] | None = None,
    seed: int = 0,
) -> None:
    """Attach LoRA to the language model, in place; only LoRA is left trainable in it.

    ``targets`` are names of linears (default: all of self-attention and FFN). The start of A
    depends on ``seed`` only; B starts at zero, so nothing changes yet.
    """
    _check_no_lora(model)
    found = {
        name.rpartition(".")[2]
        for layer in decoder_layers(model.lm)
        for name, module in layer.named_modules()
        if isinstance(module, nn.Linear)
    }
    chosen = sorted(found if targets is None else set(targets))
    if unknown := sorted(set(chosen) - found):
        raise UserError(f"LoRA targets {unknown} are no linears of the model: {sorted(found)} are")
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,  # type: ignore[arg-type]
        lora_dropout=dropout,
        target_modules=chosen,
        bias="none",
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "lora"))
        inject_adapter_in_model(config, model.lm)


def save_lora(model: Flamingo, folder: Path) -> None:
    """Write the LoRA as a standard PEFT adapter of the language model."""
    config = _lora_config(model)
    settings = config.to_dict()
    settings |= {
        "base_model_name_or_path": None,
        "inference_mode": True,
        "target_modules": sorted(settings["target_modules"]),
    }
    folder.mkdir(parents=True, exist_ok=True)
    weights = {_adapter_name(n): p for n, p in part_parameters(model, "lora").items()}
    save_weights(weights, folder / "adapter_model.safetensors")
    write_json(folder / "adapter_config.json", settings)


def load_lora(model: Flamingo, folder: Path) -> None:
    """Attach a PEFT adapter of the language model, ready to be trained further."""
    _check_no_lora(model)
    if not (folder / "adapter_config.json").is_file():
        raise UserError(f"{folder} holds no LoRA: give a folder with adapter_config.json")
    config = LoraConfig.from_pretrained(str(folder))
    config.inference_mode = False
    inject_adapter_in_model(config, model.lm)
    stored = _adapter_weights(folder)
    own = {_adapter_name(n): p for n, p in part_parameters(model, "lora").items()}
    wrong = [n for n in own.keys() & stored.keys() if own[n].shape != stored[n].shape]
    if own.keys() != stored.keys() or wrong:
        raise UserError(f"the LoRA in {folder} was made for another language model")
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(stored[name])


def merge_lora(model: Flamingo, unload: bool = True) -> None:
    """Add the LoRA into the language model's weights, in place: same outputs, no extra work.

    ``unload`` takes it off for good; else `unmerge_lora` takes it out again. Raises UserError if
    there is none, or if it is merged already.
    """
    _lora_config(model)
    _check_unmerged(model)
    for layer in decoder_layers(model.lm):
        adapted = [(n, m) for n, m in layer.named_modules() if isinstance(m, BaseTunerLayer)]
        for name, module in adapted:
            module.merge()
            if unload:
                parent, _, child = name.rpartition(".")
                setattr(layer.get_submodule(parent), child, module.get_base_layer())
    if unload:
        del model.lm.peft_config


def unmerge_lora(model: Flamingo) -> None:
    """Take a LoRA merged with ``unload=False`` out of the weights again (to rounding), in place."""
    _lora_config(model)
    for module in _lora_layers(model):
        module.unmerge()


def _lora_layers(model: Flamingo) -> list[BaseTunerLayer]:
    return [m for m in model.lm.modules() if isinstance(m, BaseTunerLayer)]


def _check_unmerged(model: Flamingo) -> None:
    # Saved like this, the base would hold the LoRA, and a load would apply it twice.
    if any(module.merged for module in _lora_layers(model)):
        raise UserError("the LoRA is merged into the weights: unmerge it first")


def _adapter_weights(folder: Path) -> dict[str, Tensor]:
    """An adapter's weights: safetensors, or PEFT's older .bin (tensors only, never code)."""
    if (folder / "adapter_model.safetensors").is_file():
        return load_file(folder / "adapter_model.safetensors")
    if (folder / "adapter_model.bin").is_file():
        return torch.load(folder / "adapter_model.bin", map_location="cpu", weights_only=True)
    raise UserError(f"{folder} holds no adapter_model.safetensors: give a whole adapter folder")


def _adapter_name(name: str) -> str:
    """Our name of a LoRA weight as PEFT stores it."""
    return f"base_model.model.{name.removeprefix('lm.').replace('.default.', '.')}"


def _check_no_lora(model: Flamingo) -> None:
    if has_lora(model):
        raise UserError("the model has a LoRA already: merge it before adding another")


def _lora_config(model: Flamingo) -> LoraConfig:
    if not has_lora(model):
        raise UserError("the model has no LoRA: add or load one first")
    return model.lm.peft_config["default"]  # type: ignore[return-value]
