"""Options of a training change how it is computed, not what is learned."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import two_processes
from torch import nn
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import FitPlan
from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.models.checkpoints import add_lora
from polite_flamingo.models.configs import ModelConfig
from polite_flamingo.models.factory import create_geometry
from polite_flamingo.models.flamingo import Flamingo, set_trainable
from polite_flamingo.training import fit as fit_module
from polite_flamingo.training.conversations import packed_batches
from polite_flamingo.training.examples import flamingo_loss
from polite_flamingo.training.fit import fit
from polite_flamingo.training.sharding import units
from polite_flamingo.training.visual_tokens import VisualTokens

STEPS = 4
IMAGES = [f"image-{number}" for number in range(4)]
VISUAL = VisualTokens(
    IMAGES, np.random.default_rng(0).normal(size=(len(IMAGES), 16, 32)).astype(np.float32)
)


@pytest.fixture(autouse=True)
def _single(one_thread: None) -> None:
    """Every test here runs on one thread."""


@pytest.fixture
def tuned(micro_flamingo: Flamingo) -> Flamingo:
    add_lora(micro_flamingo, 4, 8.0, dropout=0.1)
    set_trainable(micro_flamingo, ["lora", "perceiver", "cross_attention"])
    return micro_flamingo


@pytest.fixture
def batch(micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig) -> Any:
    samples = [
        Sample(
            f"s/{number}",
            "s",
            "train",
            "vqa",
            tuple(IMAGES[: number % 3]),
            (Turn(f"what is {number}?", f"There are {number} large things."),),
        )
        for number in range(12)
    ]
    return packed_batches(micro_tokenizer, micro_config, samples, VISUAL, 2, 120, 3, 0, True)


def trained(model: Flamingo, batch: Any, work: Path, **options: Any) -> dict[str, torch.Tensor]:
    """Weights that a copy of the model has after a few steps."""
    own = copy.deepcopy(model)
    work.mkdir()
    plan = FitPlan(steps=STEPS, batch_size=2, learning_rate=1e-2, **options)
    curve = fit(own, flamingo_loss, batch, plan, work, seed=1)
    assert len(curve["loss"]) == 1
    assert not own.training
    return own.state_dict()


def largest(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> float:
    assert first.keys() == second.keys()
    return max(float((first[name].float() - second[name].float()).abs().max()) for name in first)


def sha256(weights: dict[str, torch.Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode() + weights[name].contiguous().numpy().tobytes())
    return digest.hexdigest()


def test_gradient_checkpointing_gives_the_same_bits_and_keeps_less(
    tuned: Flamingo, batch: Any, tmp_path: Path
) -> None:
    kept: list[int] = []

    def count(tensor: torch.Tensor) -> torch.Tensor:
        kept[-1] += tensor.numel()
        return tensor

    hashes = set()
    for checkpointing in (False, True):
        kept.append(0)
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            weights = trained(
                tuned, batch, tmp_path / str(checkpointing), checkpointing=checkpointing
            )
        hashes.add(sha256(weights))
        assert largest(weights, tuned.state_dict()) > 1e-3, "something is learned"
    assert len(hashes) == 1
    assert not tuned.lm.is_gradient_checkpointing
    assert kept[1] < 0.8 * kept[0]


def test_bf16_learns_nearly_the_same(tuned: Flamingo, batch: Any, tmp_path: Path) -> None:
    start = tuned.state_dict()
    plain = trained(tuned, batch, tmp_path / "a")
    mixed = trained(tuned, batch, tmp_path / "b", precision="bf16-mixed")
    assert all(weight.dtype != torch.bfloat16 for weight in mixed.values())
    moved = [
        torch.cat([(weights[name] - start[name]).flatten() for name in start if ".lora_" in name])
        for weights in (plain, mixed)
    ]
    assert not torch.equal(*moved)
    assert torch.cosine_similarity(*moved, dim=0) > 0.8
    pure = trained(tuned.bfloat16(), batch, tmp_path / "c", precision="bf16-true")
    assert {weight.dtype for name, weight in pure.items() if ".lora_" in name} == {torch.bfloat16}


def test_compiled_layers_learn_the_same(
    micro_config: ModelConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Traced only: to generate code takes a minute and no other path of ours.
    monkeypatch.setattr(fit_module, "COMPILE_BACKEND", "eager")
    lm = micro_config.lm.config | {"num_hidden_layers": 1}
    config = dataclasses.replace(micro_config, lm=dataclasses.replace(micro_config.lm, config=lm))
    model = create_geometry(config, device="cpu")
    set_trainable(model, ["lm", "perceiver", "cross_attention"])

    def batch(step: int) -> Any:
        return two_processes.make_batch(1)

    plain = trained(model, batch, tmp_path / "a")
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    compiled = trained(model, batch, tmp_path / "b", compile=True)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
    assert largest(plain, model.state_dict()) > 1e-3
    assert largest(plain, compiled) < 1e-5


def test_two_processes_that_shard_learn_as_one_that_accumulates(tmp_path: Path) -> None:
    script = Path(two_processes.__file__)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    model = two_processes.make_model()
    start = {name: value.clone() for name, value in two_processes.trained(model).items()}
    plan = two_processes.plan(1, 2, "auto")
    (tmp_path / "one").mkdir()
    fit(model, flamingo_loss, two_processes.make_batch, plan, tmp_path / "one", seed=1)
    alone = two_processes.trained(model)
    assert largest(alone, start) > 1e-2
    for rank in range(2):
        result = torch.load(tmp_path / f"result{rank}.pt", weights_only=True)
        assert largest(alone, result["whole"]) < 1e-4
        # Goes on from the middle to the same weights.
        assert result["seen"][0] == 2 * two_processes.MIDDLE + rank
        assert largest(result["again"], result["whole"]) < 1e-6


def test_only_the_flamingo_is_sharded(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="strategy fsdp shards the Flamingo"):
        units(nn.Linear(2, 2))


@pytest.mark.parametrize("option", [{"checkpointing": True}, {"compile": True}])
def test_options_of_a_language_model_are_refused_elsewhere(
    tmp_path: Path, option: dict[str, Any]
) -> None:
    plan = FitPlan(steps=1, batch_size=1, learning_rate=1e-2, **option)
    model = nn.Linear(2, 2)
    with pytest.raises(UserError, match=next(iter(option))):
        fit(model, lambda m, b: m(b).sum(), lambda step: torch.ones(2), plan, tmp_path, seed=0)
