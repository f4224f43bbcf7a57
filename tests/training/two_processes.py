"""Run by test_options: a sharded training in two processes, and again from its middle.

    python two_processes.py FOLDER

Lightning starts the second process by this same command.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from torch import Tensor

from polite_flamingo.core.params import FitPlan
from polite_flamingo.models.checkpoints import add_lora
from polite_flamingo.models.configs import load_config
from polite_flamingo.models.factory import create_geometry
from polite_flamingo.models.flamingo import Flamingo, set_trainable
from polite_flamingo.training.examples import FlamingoBatch, flamingo_loss
from polite_flamingo.training.fit import CHECKPOINT, fit

STEPS, MIDDLE = 4, 2


def make_model() -> Flamingo:
    """A micro Flamingo with open gates, LoRA and connector trainable."""
    model = create_geometry(load_config("micro"), device="cpu", seed=3)
    add_lora(model, 4, 8.0)
    set_trainable(model, ["lora", "perceiver", "cross_attention"])
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("_gate"):
                parameter.fill_(0.8)
    return model


def make_batch(number: int) -> FlamingoBatch:
    """Micro-batch ``number``; every third one has texts alone."""
    random = torch.Generator().manual_seed(number)
    ids = torch.randint(3, 500, (2, 16), generator=random)
    images = torch.randn(2, 1, 16, 32, generator=random)
    if number % 3:
        ids[0, 1] = 510  # the geometry's <image>
    predicted = torch.zeros(2, 16, dtype=torch.bool)
    predicted[:, 8:] = True
    # With several processes all have to run the same modules: none may leave the images out.
    return FlamingoBatch(ids, torch.ones_like(predicted), predicted, images)


def plan(devices: int, accumulate: int, strategy: str) -> FitPlan:
    """Two micro-batches a step, on one device or two."""
    return FitPlan(
        steps=STEPS,
        batch_size=2,
        learning_rate=1e-2,
        devices=devices,
        accumulate=accumulate,
        strategy=strategy,  # type: ignore[arg-type]
        checkpoint_steps=MIDDLE,
    )


def trained(model: Flamingo) -> dict[str, Tensor]:
    """What was trained, by name."""
    return {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}


def main(folder: Path) -> None:
    """Train twice; write the weights of each process and run."""
    torch.set_num_threads(1)
    (folder / "whole").mkdir(exist_ok=True)
    (folder / "again").mkdir(exist_ok=True)

    def watched(number: int) -> FlamingoBatch:
        # The last step's batch of the first process: the checkpoint of the middle is written.
        if number == 2 * (STEPS - 1):
            shutil.copy(folder / "whole" / CHECKPOINT, folder / "again" / CHECKPOINT)
        return make_batch(number)

    seen: list[int] = []

    def counted(number: int) -> FlamingoBatch:
        seen.append(number)
        return make_batch(number)

    model, again = make_model(), make_model()
    fit(model, flamingo_loss, watched, plan(2, 1, "fsdp"), folder / "whole", seed=1)
    fit(again, flamingo_loss, counted, plan(2, 1, "fsdp"), folder / "again", seed=1)
    rank = torch.distributed.get_rank()
    result = {"whole": trained(model), "again": trained(again), "seen": seen}
    torch.save(result, folder / f"result{rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
