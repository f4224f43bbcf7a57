"""A micro Flamingo with open gates, made once."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable

# Read when transformers is imported: no test waits for a network.
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
import torch
from transformers import PreTrainedTokenizerBase

from polite_flamingo.models.configs import ModelConfig, load_config
from polite_flamingo.models.flamingo import Flamingo, build_flamingo
from polite_flamingo.models.tokenizer import train_tokenizer

TEXTS = [
    f"What is the {fact} of the {color} {shape}? There are {number} large things, it is {color}."
    for fact in ("color", "size", "position")
    for color in ("red", "blue", "green")
    for shape in ("circle", "square")
    for number in range(12)
]


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return TEXTS


@pytest.fixture(scope="session")
def config() -> ModelConfig:
    return load_config("micro")


@pytest.fixture(scope="session")
def tokenizer(config: ModelConfig) -> PreTrainedTokenizerBase:
    return train_tokenizer(TEXTS, config.tokenizer.vocab_size, config.prompt)


@pytest.fixture(scope="session")
def _built(config: ModelConfig, tokenizer: PreTrainedTokenizerBase) -> Flamingo:
    return build_flamingo(config, tokenizer, seed=1).eval()


@pytest.fixture
def closed(_built: Flamingo) -> Flamingo:
    """A fresh copy whose gates are zero, as at the start of training."""
    return copy.deepcopy(_built)


@pytest.fixture
def model(closed: Flamingo) -> Flamingo:
    """A fresh copy whose gates are open and whose LM is far from uniform."""
    with torch.no_grad():
        for name, parameter in closed.named_parameters():
            if name.endswith("_gate"):
                parameter.fill_(0.8)
            elif name.startswith(("lm.", "cross_attention.")) and parameter.ndim == 2:
                parameter.mul_(4.0)
    return closed


@pytest.fixture
def batch() -> Callable[[Flamingo], tuple[torch.Tensor, torch.Tensor]]:
    """Token ids [3, 20] with two, one and no image, and patch tokens [3, 2, 16, 32]."""

    def make(model: Flamingo) -> tuple[torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(5)
        ids = torch.randint(0, 200, (3, 20), generator=generator)
        ids[0, 2] = ids[0, 3] = model.special.image
        ids[1, 6] = model.special.image
        return ids, torch.randn(3, 2, 16, 32, generator=generator)

    return make
