"""Training goes on after a kill to the same bits, through the real Lightning loop."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from polite_flamingo.core.params import FitPlan
from polite_flamingo.training.fit import fit
from polite_flamingo.training.order import batch_indices

DATA = torch.randn(64, 8, generator=torch.Generator().manual_seed(0))


class Killed(Exception):
    """Stands for kill -9: nothing after it runs."""


def make_model() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.2), nn.ReLU(), nn.Linear(16, 1))


def loss(model: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    error = (model(batch).squeeze(1) - batch.sum(1)).pow(2).mean()
    return error, {"rmse": error.sqrt()}


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_killed_training_ends_in_the_same_bits(tmp_path: Path, accumulate: int) -> None:
    plan = FitPlan(
        steps=24,
        batch_size=8,
        learning_rate=1e-2,
        warmup=4,
        checkpoint_steps=5,
        accumulate=accumulate,
    )

    def batch(step: int) -> Tensor:
        return DATA[torch.from_numpy(batch_indices(len(DATA), 8, 3, step))]

    whole = make_model()
    (tmp_path / "a").mkdir()
    curve = fit(whole, loss, batch, plan, tmp_path / "a", seed=7)

    def dying(step: int) -> Tensor:
        if step == 13 * accumulate:
            raise Killed
        return batch(step)

    (tmp_path / "b").mkdir()
    with pytest.raises(Killed):
        fit(make_model(), loss, dying, plan, tmp_path / "b", seed=7)
    seen: list[int] = []

    def counted(step: int) -> Tensor:
        seen.append(step)
        return batch(step)

    resumed = make_model()
    curve_resumed = fit(resumed, loss, counted, plan, tmp_path / "b", seed=7)
    assert seen[0] == 10 * accumulate, "goes on from the last checkpoint, not from zero"
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert curve == curve_resumed
    with torch.no_grad():
        before, after = loss(make_model().eval(), DATA)[0], loss(whole.eval(), DATA)[0]
    assert after < before

    again = make_model()
    fit(again, loss, counted, plan, tmp_path / "b", seed=7)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), "a finished run is only loaded"


def test_frozen_parameters_stay(tmp_path: Path) -> None:
    model = make_model()
    frozen = model[0].weight.detach().clone()
    model[0].weight.requires_grad_(False)
    plan = FitPlan(steps=5, batch_size=8, learning_rate=1e-2)
    fit(model, loss, lambda step: DATA[:8], plan, tmp_path, seed=0)
    assert torch.equal(model[0].weight, frozen)
    state = torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]
    assert "model.0.weight" not in state and "model.0.bias" in state
