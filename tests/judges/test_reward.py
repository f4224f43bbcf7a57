from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import EncoderParams
from polite_flamingo.judges import cross_encoder, entailment, reward
from polite_flamingo.training.fit import fit
from polite_flamingo.training.order import batch_indices

NOUNS = ("circle", "star", "square", "image")
COLORS = ("red", "blue", "green", "yellow", "black")


def test_training_learns_the_preference(
    tokenizer_folder: Path, settings: EncoderParams, tmp_path: Path
) -> None:
    tokenizer = cross_encoder.pair_tokenizer(tokenizer_folder, uncased=False)
    model = reward.build(settings, tokenizer)
    pairs = [(f"The {noun} is {color}.", color) for noun in NOUNS for color in COLORS]
    asked = [f"what color is the {noun}?" for noun in NOUNS for _ in COLORS]
    chosen = cross_encoder.encode(model, asked, [good for good, _ in pairs])
    rejected = cross_encoder.encode(model, asked, [bad for _, bad in pairs])

    def batch(step: int) -> dict[str, object]:
        places = batch_indices(len(pairs), 8, 0, step)
        return reward.batch(model, [chosen[i] for i in places], [rejected[i] for i in places])

    fit(model, reward.loss, batch, settings.fit, tmp_path, 0)
    reward.save(model, tmp_path / "reward")
    again = reward.load(tmp_path / "reward")
    good = reward.reward(again, asked, [good for good, _ in pairs])
    bad = reward.reward(again, asked, [bad for _, bad in pairs])
    assert good.shape == (20,)
    assert (good > bad).all()


def test_the_loss_is_bradley_terrys() -> None:
    class Fixed(torch.nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return inputs

    # Two chosen, then two rejected.
    rewards = torch.tensor([[2.0], [0.0], [1.0], [3.0]])
    value, extra = reward.loss(Fixed(), {"inputs": rewards})
    expected = np.mean([np.log1p(np.exp(-1.0)), np.log1p(np.exp(3.0))])
    assert float(value) == pytest.approx(expected)
    assert float(extra["accuracy"]) == 0.5


def test_a_classifier_is_no_reward_model(
    tokenizer_folder: Path, settings: EncoderParams, tmp_path: Path
) -> None:
    tokenizer = cross_encoder.pair_tokenizer(tokenizer_folder, uncased=True)
    entailment.save(entailment.build(settings, tokenizer), tmp_path / "nli")
    with pytest.raises(UserError, match="no reward model"):
        reward.load(tmp_path / "nli")
