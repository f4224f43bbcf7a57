"""Load a dump of dump.py in our model and compare logits, gradients and greedy tokens."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from polite_flamingo.models.checkpoints import from_pretrained
from polite_flamingo.models.configs import (
    CrossAttentionConfig,
    LmConfig,
    ModelConfig,
    PerceiverConfig,
    PromptStyle,
    TokenizerConfig,
    VisionConfig,
)
from polite_flamingo.models.conversion import LoadReport, convert
from polite_flamingo.models.flamingo import Flamingo
from polite_flamingo.models.generate import generate
from polite_flamingo.models.openflamingo import from_openflamingo
from polite_flamingo.models.prompt import Encoded

# Release -> the media mask it was trained with.
MASKS = {"v2": "immediate", "v2-previous": "previous", "v1": "next"}
# Share of the whole gradient's norm below which a weight's gradient counts as zero.
ZERO = 1e-6


@dataclass(frozen=True)
class Parity:
    """How far our model is from the reference: largest absolute difference of the logits, largest
    relative difference of a gradient (norm of the difference by norm), equal greedy tokens."""

    family: str
    release: str
    mask: str
    size: str
    loaded: int
    faults: int
    logits: float
    loss: float
    gradients: float
    worst_gradient: str
    gradients_compared: int
    gradients_zero: int
    greedy_tokens: int
    greedy_equal: bool


def model_config(folder: Path) -> ModelConfig:
    """The config of a dump's model."""
    facts = json.loads((folder / "facts.json").read_text())
    size = facts["size"]
    block = {key: size[key] for key in ("heads", "dim_head", "ff_mult")}
    return ModelConfig(
        name=f"parity-{facts['family']}",
        vision=VisionConfig(source="config", clip=facts["clip"], image_size=facts["image_size"]),
        perceiver=PerceiverConfig(latents=size["latents"], depth=size["depth"], **block),
        cross_attention=CrossAttentionConfig(every=facts["every"], **block),
        lm=LmConfig(source=str(folder / "lm")),
        tokenizer=TokenizerConfig(source="lm"),
        prompt=PromptStyle(system=""),
        media_mask=MASKS[facts["release"]],  # type: ignore[arg-type]
        context_length=128,
    )


def load(dump: Path, work: Path) -> tuple[Flamingo, PreTrainedTokenizerBase, LoadReport]:
    """Convert a dump's checkpoint into ``work`` and load it from there."""
    report = convert([checkpoint(dump)], work, model_config(dump))
    model, tokenizer = from_pretrained(work)
    return model, tokenizer, report


def checkpoint(dump: Path) -> Path:
    """The checkpoint file of a dump (the committed ones are safetensors)."""
    pickled = dump / "checkpoint.pt"
    return pickled if pickled.is_file() else dump / "checkpoint.safetensors"


def compare(dump: Path, work: Path, size: str = "") -> Parity:
    """Convert, load and compare one dump; ``work`` takes the converted model."""
    facts = json.loads((dump / "facts.json").read_text())
    model, _, report = load(dump, work)
    stored = load_file(dump / "expected.safetensors")
    expected = {n: t.float() if t.is_floating_point() else t.long() for n, t in stored.items()}
    model.requires_grad_(True)
    mask = expected["attention_mask"].bool()
    target = expected["labels"] != -100
    tokens = model.encode_images(expected["pixels"].flatten(0, 1)).detach().unflatten(0, (2, 2))
    given = {"input_ids": expected["input_ids"], "attention_mask": mask, "visual_tokens": tokens}
    with torch.no_grad():
        logits = model(**given).logits
    loss = model(**given, loss_mask=target).loss
    assert loss is not None
    loss.backward()
    gradients = _gradient_differences(model, expected)
    worst = max(gradients, key=lambda name: gradients[name])
    made = _greedy(model, expected, tokens.detach())
    return Parity(
        family=facts["family"],
        release=facts["release"],
        mask=model.config.media_mask,
        size=size,
        loaded=len(report.loaded),
        faults=len(report.missing) + len(report.unexpected) + len(report.wrong_shape),
        # Padding predicts nothing, and the reference leaves garbage there.
        logits=float((logits - expected["logits"])[mask].abs().max()),
        loss=float((loss.detach() - expected["loss"]).abs()),
        gradients=gradients[worst],
        worst_gradient=worst,
        gradients_compared=len(gradients),
        gradients_zero=sum(name.startswith("gradient.") for name in expected) - len(gradients),
        greedy_tokens=made.numel(),
        greedy_equal=bool(torch.equal(made, expected["greedy"])),
    )


def _gradient_differences(model: Flamingo, expected: dict[str, Tensor]) -> dict[str, float]:
    """Relative difference of every gradient that the reference has and that is not zero."""
    stored = {
        n.removeprefix("gradient."): t for n, t in expected.items() if n.startswith("gradient.")
    }
    reference = from_openflamingo(stored).weights
    own = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    names = [name for name in reference if name in own]
    if lost := sorted(set(reference) - set(own)):
        raise AssertionError(f"no gradient of ours for {lost[:3]}")
    whole = float(torch.stack([reference[name].norm() for name in names]).norm())
    # Zero but for rounding, in both (a bias of attention's keys moves no softmax): a ratio of two
    # rounding errors says nothing. One that is zero in one of them alone is compared.
    return {
        name: float((own[name] - reference[name]).norm() / reference[name].norm())
        for name in names
        if max(float(own[name].norm()), float(reference[name].norm())) > ZERO * whole
    }


def _greedy(model: Flamingo, expected: dict[str, Tensor], tokens: Tensor) -> Tensor:
    """Our greedy tokens for the dump's prompts, both in one batch."""
    special = model.special
    barred = [special.image, special.endofchunk, special.pad, special.eos]
    prompts, images = [], []
    for row, count in enumerate((2, 1)):
        ids = expected["input_ids"][row][expected["attention_mask"][row].bool()].numpy()
        prompts.append(Encoded(ids, ids >= 0, count))
        images.append(tokens[row, :count])
    length = expected["greedy"].shape[1]
    made = generate(model, prompts, images, length, suppress=barred)
    return torch.tensor([result.tokens for result in made])


def as_row(parity: Parity) -> dict[str, object]:
    """A result as plain values."""
    return asdict(parity)
