"""What all rooms share: property tests without a clock, a micro model, an MLflow store.

Nothing heavy is imported before a test asks for it.
"""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# Read when transformers is imported: no test waits for a network.
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from polite_flamingo.models.configs import ModelConfig
    from polite_flamingo.models.flamingo import Flamingo

# A busy machine is no defect: no property test fails because an example took long.
settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
# New examples each time: pytest --hypothesis-profile=explore.
settings.register_profile("explore", settings.get_profile("house"), derandomize=False)
settings.load_profile("house")

TEXTS = [
    f"What is the {fact} of the {color} {shape}? There are {number} large things, it is {color}."
    for fact in ("color", "size", "position")
    for color in ("red", "blue", "green")
    for shape in ("circle", "square")
    for number in range(12)
]


INIT = (
    "import sys; from pathlib import Path; from polite_flamingo.tracking import runs;"
    "print(runs.init(sys.argv[1], Path(sys.argv[2])))"
)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """One thread of torch: little models are faster, and equal in every run."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def micro_texts() -> list[str]:
    return TEXTS


@pytest.fixture(scope="session")
def micro_config() -> ModelConfig:
    from polite_flamingo.models.configs import load_config

    return load_config("micro")


@pytest.fixture(scope="session")
def micro_tokenizer(micro_config: ModelConfig, micro_texts: list[str]) -> PreTrainedTokenizerBase:
    from polite_flamingo.models.tokenizer import train_tokenizer

    return train_tokenizer(micro_texts, micro_config.tokenizer.vocab_size, micro_config.prompt)


@pytest.fixture(scope="session")
def _micro_built(micro_config: ModelConfig, micro_tokenizer: PreTrainedTokenizerBase) -> Flamingo:
    import torch

    from polite_flamingo.models.flamingo import build_flamingo

    model = build_flamingo(micro_config, micro_tokenizer, seed=8).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("_gate"):
                parameter.fill_(0.8)
            elif name.startswith(("lm.", "cross_attention.")) and parameter.ndim == 2:
                parameter.mul_(4.0)
    return model


@pytest.fixture
def micro_flamingo(_micro_built: Flamingo) -> Flamingo:
    """A fresh copy whose gates are open and whose LM is far from uniform: inputs change outputs."""
    return copy.deepcopy(_micro_built)


@pytest.fixture(scope="session")
def created(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, list[str]]:
    """URI and artifacts of a store that two processes created at once, and what they printed."""
    from polite_flamingo.tracking import runs

    folder = tmp_path_factory.mktemp("mlflow")
    uri, artifacts = runs.default_uri(folder), folder / "mlartifacts"
    command = [sys.executable, "-c", INIT, uri, str(artifacts)]
    both = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        for _ in range(2)
    ]
    printed = [each.communicate(timeout=240)[0].strip() for each in both]
    assert [each.returncode for each in both] == [0, 0]
    return uri, artifacts, printed


@pytest.fixture
def store(created: tuple[str, Path, list[str]]) -> tuple[str, Path]:
    """URI and artifact folder of the store."""
    return created[:2]
