"""The micro Flamingo with open and with closed gates, and a batch for it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import pytest
import torch
from transformers import PreTrainedTokenizerBase

from polite_flamingo.models.configs import ModelConfig
from polite_flamingo.models.flamingo import Flamingo, build_flamingo


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Models this small lose time to a second thread, and far more on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def texts(micro_texts: list[str]) -> list[str]:
    return micro_texts


@pytest.fixture(scope="session")
def config(micro_config: ModelConfig) -> ModelConfig:
    return micro_config


@pytest.fixture(scope="session")
def tokenizer(micro_tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    return micro_tokenizer


@pytest.fixture(scope="session")
def _built(config: ModelConfig, tokenizer: PreTrainedTokenizerBase) -> Flamingo:
    return build_flamingo(config, tokenizer, seed=1).eval()


@pytest.fixture
def closed(_built: Flamingo) -> Flamingo:
    """A fresh copy whose gates are zero, as at the start of training."""
    return copy.deepcopy(_built)


@pytest.fixture
def model(micro_flamingo: Flamingo) -> Flamingo:
    return micro_flamingo


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
