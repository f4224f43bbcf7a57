"""`pf convert`: OpenFlamingo checkpoints to model folders of ours, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor
from transformers import PretrainedConfig, PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import atomic_dir
from polite_flamingo.core.tables import atomic_file, read_json, write_json
from polite_flamingo.models.checkpoints import (
    CONFIG,
    LM_CONFIG,
    LORA,
    TOKENIZER,
    WEIGHTS,
    from_pretrained,
    has_lora,
    merge_lora,
    save_weights,
)
from polite_flamingo.models.configs import ModelConfig, dump_config
from polite_flamingo.models.flamingo import Flamingo, part_parameters
from polite_flamingo.models.lm import build_tokenizer
from polite_flamingo.models.openflamingo import (
    FIXED,
    Checkpoint,
    check_geometry,
    geometry,
    read_checkpoint,
    to_openflamingo,
)
from polite_flamingo.models.skeleton import build_skeleton, lm_settings, named_clip
from polite_flamingo.models.tokenizer import save_tokenizer, special_ids

# Of the Guanaco adapter that the releases' LoRA starts from; no file of theirs states it.
LORA_ALPHA = 16.0


@dataclass(frozen=True)
class LoadReport:
    """What became of every weight of a conversion, in classes, by names.

    ``loaded``: stored in the target; ``from_base``: left out by such files on purpose, because they
    are the pretrained language model's or CLIP's; ``ignored``: in the file, needed by no model
    (copies, buffers, CLIP's text tower). The others are faults: ``missing`` in the file,
    ``unexpected`` in the model, ``wrong_shape`` in both.
    """

    loaded: tuple[str, ...]
    from_base: tuple[str, ...]
    ignored: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    wrong_shape: tuple[str, ...]

    def lines(self) -> list[str]:
        """The report as text, a line a class."""
        said = {
            "loaded": "in the target",
            "from_base": "frozen: taken from the pretrained language model and CLIP when loaded",
            "ignored": "copies, buffers and CLIP's text tower, needed by no model",
            "missing": "of the model, not in the file",
            "unexpected": "of the file, not in the model: left out",
            "wrong_shape": "of another shape in the model",
        }
        rows = []
        for kind, meaning in said.items():
            names = getattr(self, kind)
            first = f" ({names[0]}, ...)" if names and kind in _FAULTS else ""
            rows.append(f"{kind.replace('_', ' '):<12}{len(names):>6}  {meaning}{first}")
        return rows


_FAULTS = ("missing", "unexpected", "wrong_shape")


def convert(
    sources: Sequence[Path],
    target: Path,
    config: ModelConfig,
    lora_alpha: float = LORA_ALPHA,
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> LoadReport:
    """Write an OpenFlamingo checkpoint as a model folder that `from_pretrained` loads.

    Several ``sources`` are laid over each other (OpenFlamingo, then a LoRA of it). The language
    model's weights are not read, only its config and tokenizer. Raises UserError for a file that is
    no checkpoint, is incomplete or of another geometry than ``config``.
    """
    found = read_checkpoint(*sources)
    tokenizer = tokenizer if tokenizer is not None else build_tokenizer(config)
    lm = lm_settings(config.lm)
    rows = _embedding_rows(found.weights, len(tokenizer), lm.vocab_size)
    skeleton = build_skeleton(config, lm, rows)
    own = _own_weights(skeleton)
    check_geometry(found.weights, own, config.name)
    report = classify(skeleton, found)
    if report.missing or report.wrong_shape:
        faults = [*report.missing, *report.wrong_shape]
        raise UserError(
            f"the checkpoint does not fill the model {config.name}: {len(report.missing)} weights "
            f"missing, {len(report.wrong_shape)} of other shapes (first: {faults[0]}); "
            "give the file it was made on top of before it, or its own --config"
        )
    stored = {name: found.weights[name] for name in report.loaded if name in own}
    if config.vision.source != "config" and any(name.startswith("vision.") for name in stored):
        config = _with_own_tower(config)
    with atomic_dir(target) as work:
        save_weights(stored, work / WEIGHTS)
        (work / CONFIG).write_text(dump_config(config), encoding="utf-8")
        write_json(work / LM_CONFIG, _settings(skeleton.lm.config))
        save_tokenizer(tokenizer, work / TOKENIZER)
        if found.lora:
            _save_lora(found.lora, lora_alpha, work / LORA)
    return report


def classify(skeleton: Flamingo, found: Checkpoint) -> LoadReport:
    """Compare a checkpoint with the model it is for, name by name."""
    own = _own_weights(skeleton)
    tied = set(skeleton.state_dict()) - set(own)
    linears = {name.removesuffix(".weight") for name in own}
    lora = {name: name.partition(".lora_")[0] in linears for name in found.lora}
    wrong = {n for n, t in found.weights.items() if n in own and t.shape != own[n].shape}
    loaded = {n for n in found.weights if n in own and n not in wrong}
    absent = set(own) - set(found.weights)
    base: set[str] = set()
    embeddings = set(part_parameters(skeleton, "embeddings"))
    config = skeleton.config
    built = {"lm.": config.lm.source == "train", "vision.": config.vision.source == "config"}
    for prefix, built_here in built.items():
        part = {name for name in own if name.startswith(prefix)}
        # All of a frozen part is left out, or it is a dump that should have all of it.
        if not built_here and not (part - embeddings) & set(found.weights):
            base |= part & absent
    unexpected = set(found.weights) - set(own) - tied
    return LoadReport(
        loaded=tuple(sorted(loaded | {name for name, fits in lora.items() if fits})),
        from_base=tuple(sorted(base)),
        ignored=tuple(sorted({*found.ignored, *(set(found.weights) & tied)})),
        missing=tuple(sorted(absent - base)),
        unexpected=tuple(sorted(unexpected | {n for n, fits in lora.items() if not fits})),
        wrong_shape=tuple(sorted(wrong)),
    )


def _own_weights(model: Flamingo) -> dict[str, Tensor]:
    """State dict with tied weights once (on the meta device no two tensors share memory)."""
    kept = {name for name, _ in [*model.named_parameters(), *model.named_buffers()]}
    return {name: tensor for name, tensor in model.state_dict().items() if name in kept}


def _embedding_rows(weights: Mapping[str, Tensor], tokens: int, base: int) -> int:
    """Rows of the embeddings: the file's, or those the base model gets for the tokenizer."""
    tables = [n for n in weights if n.startswith("lm.") and ".layers." not in n and "embed_" in n]
    tables = [n for n in tables if n.endswith(("embed_tokens.weight", "embed_in.weight"))]
    if not tables:
        return max(tokens, base)
    rows = len(weights[tables[0]])
    if rows < tokens:
        raise UserError(
            f"the checkpoint has embeddings of {rows} tokens, the tokenizer has {tokens}: "
            "name the language model it was trained on with --lm"
        )
    return rows


def _with_own_tower(config: ModelConfig) -> ModelConfig:
    """The config of a model whose file brings the image tower: it is built, not looked up."""
    clip = named_clip(config.vision.source)
    if config.vision.pretrained == "openai":
        clip["quick_gelu"] = True
    vision = replace(config.vision, source="config", pretrained="", clip=clip)
    return replace(config, vision=vision)


def _settings(lm: PretrainedConfig) -> dict[str, object]:
    """The language model's config as `save_pretrained` writes it, without paths and versions."""
    dropped = ("_name_or_path", "transformers_version", "dtype")
    return {key: value for key, value in lm.to_dict().items() if key not in dropped}


def _save_lora(lora: Mapping[str, Tensor], alpha: float, folder: Path) -> None:
    """Write LoRA weights of a release as the PEFT adapter that `load_lora` reads."""
    ranks = {tensor.shape[0] for name, tensor in lora.items() if ".lora_A." in name}
    if len(ranks) != 1:
        raise UserError(f"the checkpoint's LoRA has ranks {sorted(ranks)}: one rank was expected")
    targets = {name.partition(".lora_")[0].rpartition(".")[2] for name in lora}
    folder.mkdir(parents=True)
    weights = {
        f"base_model.model.{n.removeprefix('lm.').replace('.default.', '.')}": t
        for n, t in lora.items()
    }
    save_weights(weights, folder / "adapter_model.safetensors")
    write_json(
        folder / "adapter_config.json",
        {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": None,
            "r": ranks.pop(),
            "lora_alpha": alpha,
            "lora_dropout": 0.0,
            "bias": "none",
            "target_modules": sorted(targets),
            "inference_mode": True,
        },
    )


def export(folder: Path, target: Path) -> list[str]:
    """Write a model folder as a checkpoint that open-flamingo 2.0.1 loads; returns notes.

    What a training checkpoint of theirs holds (perceiver, cross-attention, embeddings), and the
    language model and image tower where the folder holds them; LoRA is merged. Raises UserError for
    sizes that open-flamingo cannot have.
    """
    if target.suffix not in (".pt", ".pth"):
        raise UserError(f"an OpenFlamingo checkpoint is a .pt file: name {target} so")
    own = read_json(folder / LM_CONFIG) if (folder / LM_CONFIG).is_file() else {}
    model, tokenizer = from_pretrained(folder)
    merged = has_lora(model)
    if merged:
        merge_lora(model)
    _check_exportable(model, tokenizer)
    weights = _own_weights(model)
    config = model.config
    with safe_open(folder / WEIGHTS, framework="pt") as file:
        stored = set(file.keys())
    # What the folder leaves to its sources is left to them there, too; merged, it is another's.
    left_out = {
        name for name in weights if name not in stored and not (merged and name.startswith("lm."))
    }
    # open-flamingo cuts the embeddings to its tokenizer's length.
    tables = set(part_parameters(model, "embeddings"))
    kept = {
        name: (tensor[: len(tokenizer)] if name in tables else tensor).detach().clone()
        for name, tensor in weights.items()
        if name not in left_out
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as temporary:
        torch.save(to_openflamingo(kept), temporary)
    layers = "the language model is in the file" if not left_out else "frozen parts are left out"
    notes = [f"{len(kept)} weights, {layers}; language model: {own.get('model_type', 'unknown')}"]
    notes.append(f"cross_attn_every_n_layers={config.cross_attention.every}")
    if merged:
        notes.append("LoRA was merged into the language model")
    if config.media_mask != "immediate":
        notes.append(
            f"the model was trained with the media mask {config.media_mask}; open-flamingo 2.0.1 "
            "attends the latest image (immediate), so its answers will differ"
        )
    return notes


def _check_exportable(model: Flamingo, tokenizer: PreTrainedTokenizerBase) -> None:
    facts = geometry({name: tensor.shape for name, tensor in _own_weights(model).items()})
    facts["attention heads"] = model.config.perceiver.heads
    facts["cross-attention heads"] = model.config.cross_attention.heads
    fixed = FIXED | {"cross-attention width": 512, "attention heads": 8, "cross-attention heads": 8}
    wrong = [
        f"{label} {facts[label]} (fixed: {fixed[label]})"
        for label in fixed
        if facts[label] != fixed[label]
    ]
    if wrong:
        raise UserError(f"open-flamingo 2.0.1 cannot have this model's sizes: {'; '.join(wrong)}")
    special = special_ids(tokenizer)
    appended = [len(tokenizer) - 3, len(tokenizer) - 2, len(tokenizer) - 1]
    if [special.endofchunk, special.image, special.pad] != appended:
        raise UserError(
            "open-flamingo appends <|endofchunk|>, <image> and <PAD> to a tokenizer; this model has "
            "them elsewhere in its vocabulary"
        )
