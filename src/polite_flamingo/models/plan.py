"""`pf plan`: parameters, memory and time of a profile's trainings, without any weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from polite_flamingo.core.params import FitPlan, Params
from polite_flamingo.core.tables import read_json
from polite_flamingo.models.checkpoints import add_lora
from polite_flamingo.models.configs import ModelConfig, load_config
from polite_flamingo.models.factory import create_geometry
from polite_flamingo.models.flamingo import Flamingo, part_parameters, set_trainable
from polite_flamingo.models.footprint import Footprint, count_step

# Trainable parameters and hours on 8 A100-40GB that the paper states (METHOD section 6).
PAPER = {
    "train_rewriter": (0.29e9, 11.8),
    "tune stage1": (0.29e9, 11.8),
    "tune stage2": (0.1e9, 9.5),
    "tune stage3": (0.29e9, 11.5),
}
PAPER_MODEL = "openflamingo-9b"
# Share of a device's memory that a plan fills: the rest goes to fragments, buffers and kernels.
_FILL = 0.9
_BYTES = {"32-true": 4, "bf16-mixed": 4, "bf16-true": 2}
GIB = float(1 << 30)


@dataclass(frozen=True)
class Hardware:
    """Devices a plan is for: how many, memory of each (GiB), peak rate (TFLOP/s of the training's
    type) and the share of the peak a training reaches."""

    gpus: int = 1
    memory: float = 40.0
    tflops: float = 312.0
    utilisation: float = 0.35


@dataclass(frozen=True)
class Memory:
    """Bytes on one GPU that holds the whole model, and what activations are with checkpointing."""

    weights: int
    gradients: int
    optimizer: int
    activations: int
    activations_checkpointed: int

    @property
    def fixed(self) -> int:
        """What does not depend on the batch."""
        return self.weights + self.gradients + self.optimizer


@dataclass(frozen=True)
class StagePlan:
    """One training: what it tunes, what it needs, how long it takes.

    ``embeddings``: parameters of the input embedding matrix (the paper's 0.29 B counts it).
    ``max_batch`` and ``max_length``: largest micro-batch at the stage's length, longest sequence at
    batch 1, that fit (0: not even one), without and with gradient checkpointing.
    ``measured``: the benchmark whose throughput the hours are from; empty: estimated.
    """

    name: str
    parts: tuple[str, ...]
    trainable: int
    embeddings: int
    memory: Memory
    batch: int
    accumulate: int
    length: int
    images: int
    steps: int
    max_batch: tuple[int, int]
    max_length: tuple[int, int]
    flops_per_token: float
    hours: float
    measured: str


@dataclass(frozen=True)
class Plan:
    """A profile's model and its trainings."""

    profile: str
    model: str
    parameters: dict[str, int]
    context_length: int
    stages: tuple[StagePlan, ...]
    hardware: Hardware


def make_plan(params: Params, hardware: Hardware, results: Path | None = None) -> Plan:
    """Plan the trainings of a profile; ``results``: folder of measured benchmarks, if there is one.

    Reads no weights. The language model's architecture stands in the model config, or comes from
    its source's config.
    """
    config = load_config(params.base.model)
    rewriter, tune = params.train_rewriter, params.tune
    parts = ("lora", "embeddings") if rewriter.tune_embeddings else ("lora",)
    wanted = [("train_rewriter", parts, rewriter.lora.rank, rewriter.max_length, 1, rewriter.fit)]
    for number in (1, 2, 3):
        stage = getattr(tune, f"stage{number}")
        name = f"tune stage{number}"
        row = (name, tuple(stage.parts), tune.lora.rank, stage.max_length, stage.max_images)
        wanted.append((*row, stage.fit))
    # One model a LoRA rank: to build 9 B parameters, even without memory, takes seconds.
    models = {rank: _with_lora(config, rank) for rank in {rewriter.lora.rank, tune.lora.rank}}
    counted: dict[tuple[object, ...], tuple[Footprint, Footprint]] = {}
    stages = tuple(
        _stage(models[rank], name, parts, length, images, fit, hardware, results, counted)
        for name, parts, rank, length, images, fit in wanted
    )
    return Plan(
        profile=params.profile,
        model=config.name,
        parameters=_parameters(models[rewriter.lora.rank]),
        context_length=config.context_length,
        stages=stages,
        hardware=hardware,
    )


def _with_lora(config: ModelConfig, rank: int) -> Flamingo:
    model = create_geometry(config)
    add_lora(model, rank, float(rank))
    return model


def _parameters(model: Flamingo) -> dict[str, int]:
    """Parameters by part; the parts add up to the whole."""
    parts = {"vision": "vision", "perceiver": "perceiver", "cross_attention": "cross_attention"}
    found = {name: _count(model, part) for name, part in parts.items()}
    found["language model"] = _count(model, "lm")
    return found


def _count(model: Flamingo, part: str) -> int:
    return sum(parameter.numel() for parameter in part_parameters(model, part).values())


def _stage(
    model: Flamingo,
    name: str,
    parts: tuple[str, ...],
    length: int,
    images: int,
    fit: FitPlan,
    hardware: Hardware,
    results: Path | None,
    counted: dict[tuple[object, ...], tuple[Footprint, Footprint]],
) -> StagePlan:
    trainable = set_trainable(model, parts)
    total = sum(parameter.numel() for parameter in model.parameters())
    size = _BYTES[fit.precision]
    # Mixed precision keeps nearly what bfloat16 does: matrix products' inputs in bf16, norms' in fp32.
    model.to(torch.float32 if fit.precision == "32-true" else torch.bfloat16)
    key = (id(model), parts, length, images, fit.precision)
    if key not in counted:
        half_step = count_step(model, max(1, length // 2), images, backward=False)
        counted[key] = (count_step(model, length, images), half_step)
    step, half = counted[key]
    checkpointed = _checkpointed(model, step, length)
    memory = Memory(
        weights=total * size,
        gradients=trainable * size,
        optimizer=2 * trainable * size,
        activations=step.activations * fit.batch_size,
        activations_checkpointed=checkpointed * fit.batch_size,
    )
    room = int(hardware.memory * GIB * _FILL) - memory.fixed
    growth = (step.activations - half.activations) / max(1, length - length // 2)
    growth_checkpointed = (checkpointed - _checkpointed(model, half, length // 2)) / max(
        1, length - length // 2
    )
    accumulate = fit.accumulate * fit.devices
    sequences = fit.batch_size * accumulate * fit.steps
    per_token = step.flops / length
    measured = _measured(results, model.config.name, name)
    if measured is None:
        rate = hardware.gpus * hardware.tflops * 1e12 * hardware.utilisation
        hours = step.flops * sequences / rate / 3600
    else:
        hours = sequences * length / measured[0] / 3600
    return StagePlan(
        name=name,
        parts=parts,
        trainable=trainable,
        embeddings=model.lm.get_input_embeddings().weight.numel(),  # type: ignore[union-attr, operator]
        memory=memory,
        batch=fit.batch_size,
        accumulate=accumulate,
        length=length,
        images=images,
        steps=fit.steps,
        max_batch=(
            max(0, room // max(1, step.activations)),
            max(0, room // max(1, checkpointed)),
        ),
        max_length=(
            _longest(room, step.activations, growth, length),
            _longest(room, checkpointed, growth_checkpointed, length),
        ),
        flops_per_token=per_token,
        hours=hours,
        measured="" if measured is None else measured[1],
    )


def _longest(room: int, at_length: int, growth: float, length: int) -> int:
    """Longest sequence at batch 1: fused attention keeps a fixed amount a token."""
    return max(0, int(length + (room - at_length) / max(1.0, growth)))


def _checkpointed(model: Flamingo, step: Footprint, length: int) -> int:
    """Activations where every LM layer keeps its input alone and is computed again in backward."""
    lm = model.lm.config
    size = next(model.lm.parameters()).element_size()
    inputs = lm.num_hidden_layers * length * lm.hidden_size * size
    layers = step.activations - step.head
    return int(inputs + layers / lm.num_hidden_layers + step.head)


def _measured(results: Path | None, model: str, stage: str) -> tuple[float, str] | None:
    """Tokens per second that a benchmark measured for a model's training, and the file's name.

    A result file tells it as ``{"throughput": [{"model", "stage", "tokens_per_second", ...}]}``;
    ``stage`` is a stage's name as here, or ``training`` for all.
    """
    if results is None or not results.is_dir():
        return None
    best: tuple[float, str] | None = None
    for path in sorted(results.glob("*.json")):
        stored = read_json(path)
        rows = stored.get("throughput", []) if isinstance(stored, dict) else []
        for row in rows:
            fits = row.get("model") == model and row.get("stage") in (stage, "training")
            if fits and (best is None or row["tokens_per_second"] > best[0]):
                best = (float(row["tokens_per_second"]), f"{path.name}, {row.get('device', '')}")
    return best


def render(plan: Plan) -> str:
    """A plan as text."""
    hardware = plan.hardware
    total = sum(plan.parameters.values())
    parts = " · ".join(f"{name} {_billions(n)}" for name, n in plan.parameters.items())
    lines = [
        f"profile {plan.profile}, model {plan.model}: {_billions(total)} parameters",
        f"  {parts}",
        f"  context at most {plan.context_length} tokens",
        "",
        _row("training", "tuned", "with embedding matrix", "paper"),
    ]
    for stage in plan.stages:
        paper = PAPER[stage.name][0] if plan.model == PAPER_MODEL else None
        lora = stage.parts[0] == "lora" and "embeddings" not in stage.parts
        both = _billions(stage.trainable + stage.embeddings) if lora else ""
        said = "" if paper is None else f"{paper / 1e9:.2g} B"
        lines.append(_row(stage.name, _billions(stage.trainable), both, said))
        lines.append(f"  ({', '.join(stage.parts)})")
    lines += ["", f"memory of one GPU in GiB ({hardware.memory:g} GiB, {_FILL:.0%} of it to use)"]
    heads = ("training", "weights", "gradients", "optimizer", "activations", "total", "sharded")
    lines.append(_row(*heads))
    for stage in plan.stages:
        memory = stage.memory
        values = (memory.weights, memory.gradients, memory.optimizer, memory.activations)
        whole = memory.fixed + memory.activations
        sharded = memory.fixed / hardware.gpus + memory.activations
        lines.append(_row(stage.name, *(_gib(value) for value in (*values, whole, sharded))))
    lines.append(f"  sharded: weights, gradients and optimizer over {hardware.gpus} GPUs (FSDP)")
    lines += ["", "limits on one GPU, without / with gradient checkpointing"]
    lines.append(_row("training", "batch", "length", "max batch", "max length"))
    for stage in plan.stages:
        batch = f"{stage.batch} x{stage.accumulate}"
        most = " / ".join(map(str, stage.max_batch))
        longest = " / ".join(str(min(n, plan.context_length)) for n in stage.max_length)
        lines.append(_row(stage.name, batch, str(stage.length), most, longest))
    lines += ["", f"time on {hardware.gpus} GPU(s)"]
    lines.append(_row("training", "sequences", "GFLOP/token", "hours", "paper (8 A100)", "from"))
    for stage in plan.stages:
        sequences = stage.batch * stage.accumulate * stage.steps
        paper_hours = f"{PAPER[stage.name][1]}" if plan.model == PAPER_MODEL else ""
        origin = stage.measured or (
            f"{hardware.tflops:g} TFLOP/s at {hardware.utilisation:.0%} (assumed)"
        )
        figures = (f"{sequences:,}", f"{stage.flops_per_token / 1e9:.3g}", f"{stage.hours:.2g}")
        lines.append(_row(stage.name, *figures, paper_hours, origin))
    lines.append("  sequences are full and have the most images a context may have")
    return "\n".join(lines)


def _row(first: str, *rest: str) -> str:
    return (f"  {first:<16}" + "".join(f"{each:>13}" for each in _fitted(rest))).rstrip()


def _fitted(cells: Sequence[str]) -> list[str]:
    return [f"  {cell}" if len(cell) > 12 else cell for cell in cells]


def _billions(count: int) -> str:
    return f"{count / 1e9:.3f} B" if count >= 1e8 else f"{count / 1e6:.3f} M"


def _gib(size: float) -> str:
    return f"{size / GIB:.2f}"
