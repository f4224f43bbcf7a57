from __future__ import annotations

from pathlib import Path

import pytest

from polite_flamingo.core.params import EncoderParams, FitPlan
from polite_flamingo.models.tokenizer import save_tokenizer, train_tokenizer

TEXTS = [
    'The circle is red. "yes" is the answer to the question: "Is the circle red?"',
    "There is a small blue star in the image, and I can see it well.",
    "what color is the square? green yellow black",
] * 5


@pytest.fixture(autouse=True)
def _single(one_thread: None) -> None:
    """Every test here runs on one thread."""


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(train_tokenizer(TEXTS, 400), folder)
    return folder


@pytest.fixture(scope="session")
def settings() -> EncoderParams:
    return EncoderParams(
        seed=1, source="train", hidden_size=32, layers=2, heads=2, max_length=64,
        fit=FitPlan(steps=90, batch_size=32, learning_rate=3e-3, warmup=5),
    )  # fmt: skip
