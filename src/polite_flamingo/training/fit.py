"""The one training loop: Lightning, resumable to the bit, order and randomness by step."""

from __future__ import annotations

import logging
import math
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset
from tqdm import tqdm
from transformers import PreTrainedModel

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import FitPlan
from polite_flamingo.core.seeds import derive
from polite_flamingo.models.lm import decoder_layers
from polite_flamingo.training.sharding import (
    gather_trained,
    same_weights,
    shard,
    sharded_strategy,
)

Batch = Any
Loss = Callable[[nn.Module, Batch], Tensor | tuple[Tensor, dict[str, Tensor]]]
Log = Callable[[int, dict[str, float]], None]

CHECKPOINT = "last.ckpt"
LOG_EVERY = 10
COMPILE_BACKEND = "inductor"


def fit(
    model: nn.Module,
    loss: Loss,
    batch: Callable[[int], Batch],
    plan: FitPlan,
    work: Path,
    seed: int,
    name: str = "training",
    log: Log | None = None,
) -> dict[str, list[float]]:
    """Train the parameters of ``model`` that require gradients; return the curve.

    ``batch(i)`` must be a pure function of the micro-batch number, and ``loss(model, batch)`` may
    use torch's random state (it is seeded from (seed, step)): a run killed at any moment goes on
    from its last checkpoint in ``work`` to the same weights, bit for bit. ``log`` is called with
    (step, metrics) while training. Returns lists ``step``, ``loss`` and the loss's extra metrics.

    With several devices a step takes the next ``accumulate`` micro-batches for each of them; every
    process returns with the trained weights. Raises UserError for an option the model cannot have.
    """
    sharded = plan.strategy == "fsdp"
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    torch.use_deterministic_algorithms(True, warn_only=True)
    module = _Module(same_weights(model) if sharded else model, loss, plan, seed, log)
    checkpoint = work / CHECKPOINT
    # Lightning restores step, optimizer and schedule; the data start at the same step.
    resumed = checkpoint.is_file()
    start = _step_of(checkpoint) if resumed else 0
    trainer = L.Trainer(
        max_steps=plan.steps,
        max_epochs=-1,
        accelerator="auto",
        devices=plan.devices,
        strategy=_strategy(plan),
        precision=plan.precision,
        accumulate_grad_batches=plan.accumulate,
        gradient_clip_val=plan.clip_norm,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[
            _Checkpoints(checkpoint, plan.steps_between_checkpoints),
            _Progress(name, plan.steps),
        ],
    )
    data = _Batches(batch, start, plan)
    module.model.train()
    if start < plan.steps:
        with warnings.catch_warnings(), checkpointed(module.model, plan), compiled(module, plan):
            # Workers would only add processes: batches are cheap. Resuming is by our own step.
            warnings.filterwarnings("ignore", message=".*does not have many workers.*")
            warnings.filterwarnings("ignore", message=".*mid-epoch.*|.*resum.*")
            warnings.filterwarnings("ignore", message=".*LeafSpec.*|.*isinstance.treespec.*")
            trainer.fit(
                module,
                DataLoader(data, batch_size=None, num_workers=0),
                ckpt_path=checkpoint if resumed else None,
                weights_only=True,
            )
    else:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        module.load_state_dict(state["state_dict"], strict=False)
        module.on_load_checkpoint(state)
    if sharded:
        gather_trained(module.model, model)
    model.eval()
    return module.history


def _strategy(plan: FitPlan) -> Any:
    if plan.strategy == "fsdp":
        return sharded_strategy(plan.devices)
    # A batch of texts alone leaves the perceiver out.
    return "auto" if plan.devices == 1 else "ddp_find_unused_parameters_true"


@contextmanager
def checkpointed(model: nn.Module, plan: FitPlan) -> Iterator[None]:
    """Gradient checkpointing of the model's language model while in the block, if it is wanted."""
    if not plan.checkpointing:
        yield
        return
    found = [part for part in model.modules() if isinstance(part, PreTrainedModel)]
    if not found or not found[0].supports_gradient_checkpointing:
        raise UserError(f"checkpointing: a {type(model).__name__} has no layers to checkpoint")
    language = found[0]
    language.gradient_checkpointing_enable({"use_reentrant": False})
    try:
        yield
    finally:
        language.gradient_checkpointing_disable()


@contextmanager
def compiled(module: nn.Module, plan: FitPlan) -> Iterator[None]:
    """Compiled decoder layers (with the cross-attention before them) while in the block.

    Layer by layer: what is repeated is compiled once, and the state dict keeps its names.
    """
    if not plan.compile:
        yield
        return
    layers = [
        layer
        for part in module.modules()
        if isinstance(part, PreTrainedModel) and part.base_model is not part
        for layer in decoder_layers(part)
    ]
    if not layers:
        raise UserError("compile: the model has no language model whose layers can be compiled")
    # Lengths differ from batch to batch.
    for layer in layers:
        layer.compile(dynamic=True, backend=COMPILE_BACKEND)
    try:
        yield
    finally:
        for layer in layers:
            layer._compiled_call_impl = None


def _step_of(checkpoint: Path) -> int:
    return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["global_step"])


class _Batches(IterableDataset[Batch]):
    """Micro-batches of the steps from ``start`` on; of several processes each takes its own."""

    def __init__(self, batch: Callable[[int], Batch], start: int, plan: FitPlan) -> None:
        self.batch = batch
        self.start = start * plan.accumulate * plan.devices
        self.stop = plan.steps * plan.accumulate * plan.devices
        self.devices = plan.devices

    def __iter__(self) -> Iterator[Batch]:
        rank = torch.distributed.get_rank() if self.devices > 1 else 0
        for index in range(self.start + rank, self.stop, self.devices):
            yield self.batch(index)


class _Module(L.LightningModule):
    """A model, its loss, AdamW and the schedule of a plan."""

    def __init__(
        self, model: nn.Module, loss: Loss, plan: FitPlan, seed: int, log: Log | None
    ) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.plan = plan
        self.seed = seed
        self.report = log
        self.history: dict[str, list[float]] = {"step": [], "loss": []}
        self.strict_loading = False
        self.is_sharded = False

    def configure_model(self) -> None:
        if self.plan.strategy == "fsdp" and not self.is_sharded:
            assert self.device_mesh is not None
            shard(self.model, self.device_mesh["data_parallel"])
            self.is_sharded = True

    def training_step(self, batch: Batch, index: int) -> Tensor:
        place = index * self.plan.devices + self.global_rank
        torch.manual_seed(derive(self.seed, "step", self.global_step, place))
        result = self.loss(self.model, batch)
        value, extra = result if isinstance(result, tuple) else (result, {})
        step = self.global_step
        if step % LOG_EVERY == 0 and (not self.history["step"] or self.history["step"][-1] != step):
            metrics = {"loss": float(value.detach())}
            metrics |= {key: float(item.detach()) for key, item in extra.items()}
            for key, number in {"step": float(step), **metrics}.items():
                self.history.setdefault(key, []).append(number)
            if self.report is not None:
                self.report(step, metrics)
        return value

    def configure_optimizers(self) -> Any:
        # Norms, gates and biases are not decayed.
        plan = self.plan
        decayed: list[nn.Parameter] = []
        plain: list[nn.Parameter] = []
        gates: list[nn.Parameter] = []
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                gate = name.endswith("_gate")
                (gates if gate else decayed if parameter.ndim >= 2 else plain).append(parameter)
        groups = [
            {"params": decayed, "weight_decay": plan.weight_decay},
            {"params": plain, "weight_decay": 0.0},
            {"params": gates, "weight_decay": 0.0, "lr": plan.learning_rate * plan.gate_rate},
        ]
        optimizer = torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=plan.learning_rate,
            betas=(0.9, 0.98),
            foreach=True,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _rate(self, step: int) -> float:
        if step < self.plan.warmup:
            return (step + 1) / self.plan.warmup
        share = (step - self.plan.warmup) / max(1, self.plan.steps - self.plan.warmup)
        return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        """Only what is trained: a frozen 9B model has no place in a checkpoint of its LoRA."""
        trained = {f"model.{n}" for n, p in self.model.named_parameters() if p.requires_grad}
        buffers = {f"model.{n}" for n, _ in self.model.named_buffers()}
        full = super().state_dict(*args, **kwargs)
        return {key: value for key, value in full.items() if key in trained or key in buffers}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.history = checkpoint["history"]


class _Checkpoints(Callback):
    """Write ``last.ckpt`` every so many steps and at the end, never half."""

    def __init__(self, path: Path, every: int) -> None:
        self.path = path
        self.every = every
        self.saved = -1

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        step = trainer.global_step
        due = step % self.every == 0 or step == trainer.max_steps
        if due and step != self.saved:
            self.saved = step
            temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
            trainer.save_checkpoint(temporary)
            if trainer.is_global_zero:
                os.replace(temporary, self.path)


class _Progress(Callback):
    """A bar with rate, ETA and loss."""

    def __init__(self, name: str, total: int) -> None:
        self.name = name
        self.total = total
        self.bar: Any = None

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.bar = tqdm(
            total=self.total,
            initial=trainer.global_step,
            desc=self.name,
            unit="step",
            mininterval=2.0,
            ascii=True,
        )

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        assert isinstance(pl_module, _Module)
        history = pl_module.history["loss"]
        if history:
            self.bar.set_postfix(loss=f"{history[-1]:.3f}", refresh=False)
        self.bar.update(trainer.global_step - self.bar.n)

    def on_train_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.bar.close()
