"""Training speed in useful response tokens a second, against padded batches with the tower.

    python benchmarks/training.py                      # about ten minutes on two quiet cores
    python benchmarks/training.py --sizes nano         # one minute
    python benchmarks/training.py --profile            # and where the time goes

Stage 2 of tuning (perceiver and cross-attention; METHOD section 6) on the samples of a workspace
that has been built (`--workspace`), at the nano size and at SmolLM2-135M's geometry. Every way
learns the same samples, and so the same response tokens, with the same model and optimizer:

- padded, tower: batches of samples in random order, padded to the longest; images are read, decoded
  and go through the vision tower in every batch (the baseline);
- padded, cached: the same with patch tokens from the disk (`training.visual_tokens`);
- packed, tower and packed, cached: contexts filled with samples (multi-turn augmentation), the
  second is what the pipeline does;
- blocks, cached: packed with block-diagonal attention, each sample with its own system sentence.

The ways run in turn, round after round in one process; of each the best round counts. Between them
the machine's peak of fp32 matrix products is measured. Prints a table, writes
benchmarks/results/training.json.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import load_params
from polite_flamingo.core.sample import Sample
from polite_flamingo.core.seeds import generator
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import read_json, write_json
from polite_flamingo.models.checkpoints import add_lora
from polite_flamingo.models.configs import ModelConfig, load_config
from polite_flamingo.models.factory import create_geometry
from polite_flamingo.models.flamingo import Flamingo, set_trainable
from polite_flamingo.models.lm import build_tokenizer
from polite_flamingo.models.tokenizer import load_tokenizer, special_ids
from polite_flamingo.models.vision import preprocess
from polite_flamingo.stages.tune import tuning_samples
from polite_flamingo.training.conversations import chat_example
from polite_flamingo.training.examples import Example, FlamingoBatch, collate, join
from polite_flamingo.training.packing import packed_epoch
from polite_flamingo.training.visual_tokens import VisualTokens, visual_tokens

ROOT = Path(__file__).resolve().parents[1]
RESULT = "benchmarks/results/training.json"
CONFIGS = {"nano": "nano", "smollm2": "smollm2-nano-clip"}
WAYS = ("padded, tower", "padded, cached", "packed, tower", "packed, cached", "blocks, cached")
BASELINE, OURS = WAYS[0], WAYS[3]
# Contexts a micro-batch holds: as many tokens as a padded batch has useful ones.
CONTEXTS = 8
MAX_LENGTH, MAX_IMAGES = 196, 10
PEAK_SIZES = (1024, 2048, 3072)


@dataclass
class Bench:
    """A model with its samples, ready to be trained in every way."""

    model: Flamingo
    optimizer: torch.optim.Optimizer
    first: list[Example]
    later: list[Example]
    store: ImageStore
    cached: VisualTokens
    pad: int
    batch_size: int
    learned: int


def prepare(
    size: str, workspace: Path, count: int, batch_size: int, runs: Path
) -> tuple[Bench, dict[str, Any]]:
    """The model of a size, and ``count`` samples of the workspace's second stage of tuning."""
    paths = Layout(workspace)
    if not (paths.filtered / "kept.parquet").is_file():
        raise UserError(f"{workspace} holds no filtered data: run `dvc repro filter` there first")
    params = load_params(workspace / "params.yaml")
    config = load_config(CONFIGS[size])
    tokenizer, of = _tokenizer(size, paths)
    model = create_geometry(config, device="cpu")
    model.special = special_ids(tokenizer)
    add_lora(model, params.tune.lora.rank, params.tune.lora.alpha)
    set_trainable(model, params.tune.stage2.parts)
    model.train()
    every = tuning_samples(paths, params.tune, params.tune.stage2, "pf")
    samples = _drawn(every, count, tokenizer, config)
    first = [chat_example(tokenizer, config, sample, first=True) for sample in samples]
    later = [chat_example(tokenizer, config, sample, first=False) for sample in samples]
    store = ImageStore(paths.images)
    bench = Bench(
        model=model,
        optimizer=torch.optim.AdamW(
            [p for p in model.parameters() if p.requires_grad], lr=1e-5, foreach=True
        ),
        first=first,
        later=later,
        store=store,
        cached=visual_tokens(
            model.vision,
            config.vision,
            store,
            runs,
            [image for sample in samples for image in sample.images],
        ),
        pad=model.special.pad,
        batch_size=batch_size,
        learned=sum(int(example.text.loss_mask.sum()) for example in first),
    )
    lengths = np.array([len(example) for example in first])
    facts = {
        "config": config.name,
        "tokenizer": of,
        "parts_trained": list(params.tune.stage2.parts),
        "samples": len(samples),
        "images": sum(len(sample.images) for sample in samples),
        "response_tokens": bench.learned,
        "batch_size_padded": batch_size,
        "contexts_packed": CONTEXTS,
        "max_length_packed": MAX_LENGTH,
        "tokens_a_sample": {
            "mean": round(float(lengths.mean()), 1),
            **{f"p{q}": int(np.percentile(lengths, q)) for q in (10, 50, 90, 99)},
            "longest": int(lengths.max()),
        },
    }
    return bench, facts


def _tokenizer(size: str, paths: Layout) -> tuple[PreTrainedTokenizerBase, str]:
    config = load_config(CONFIGS[size])
    if config.tokenizer.source == "lm":
        try:
            return build_tokenizer(config), "SmolLM2"
        except UserError as error:
            print(f"{size}: {error}; lengths are those of the workspace's tokenizer")
    return load_tokenizer(paths.tokenizer), "workspace"


def _drawn(
    samples: Sequence[Sample], count: int, tokenizer: PreTrainedTokenizerBase, config: ModelConfig
) -> list[Sample]:
    """``count`` samples at random, of those that fit a context."""
    chosen: list[Sample] = []
    for index in generator(0, "benchmark").permutation(len(samples)):
        sample = samples[int(index)]
        length = len(chat_example(tokenizer, config, sample, first=True))
        if length <= MAX_LENGTH and len(sample.images) <= MAX_IMAGES:
            chosen.append(sample)
        if len(chosen) == count:
            break
    return chosen


class _Tower:
    """Stands for the cache: reads, decodes and encodes an image whenever it is asked for one."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def pixels(self, examples: Sequence[Example]) -> Tensor | None:
        """Images [B, M, 3, H, W] of a batch; rows with fewer are filled with zeros."""
        config = self.bench.model.config.vision
        most = max(len(example.images) for example in examples)
        if not most:
            return None
        found = torch.zeros(len(examples), most, 3, config.image_size, config.image_size)
        for row, example in zip(found, examples, strict=True):
            for place, image in enumerate(example.images):
                row[place] = preprocess(self.bench.store.open(image), config)
        return found


def batches(bench: Bench, way: str) -> list[list[Example]]:
    """The examples of each micro-batch of one epoch: the same for every round."""
    if way.startswith("padded"):
        order = generator(1, "benchmark").permutation(len(bench.first))
        size = bench.batch_size
        return [
            [bench.first[int(i)] for i in order[at : at + size]]
            for at in range(0, len(order), size)
        ]
    apart = way.startswith("blocks")
    later = bench.first if apart else bench.later
    contexts = packed_epoch(
        [len(example) for example in bench.first],
        [len(example) for example in later],
        [len(example.images) for example in bench.first],
        MAX_LENGTH,
        MAX_IMAGES,
        seed=1,
        epoch=0,
    )
    rows = [join([bench.first[i], *(later[j] for j in rest)], apart) for i, *rest in contexts]
    return [rows[at : at + CONTEXTS] for at in range(0, len(rows), CONTEXTS)]


def step(bench: Bench, examples: Sequence[Example], tower: bool) -> int:
    """Batch, forward, backward and update; returns how many response tokens were learned."""
    batch, images = _batch(bench, examples, tower)
    output = bench.model(
        batch.input_ids,
        attention_mask=batch.attention_mask,
        visual_tokens=batch.visual_tokens,
        images=images,
        loss_mask=batch.loss_mask,
        blocks=batch.blocks,
    )
    output.loss.backward()
    bench.optimizer.step()
    bench.optimizer.zero_grad()
    return int(batch.loss_mask.sum())


def _batch(
    bench: Bench, examples: Sequence[Example], tower: bool
) -> tuple[FlamingoBatch, Tensor | None]:
    if not tower:
        return collate(examples, bench.cached, bench.pad), None
    texts = [Example(example.text, (), example.blocks) for example in examples]
    return collate(texts, bench.cached, bench.pad), _Tower(bench).pixels(examples)


def run(bench: Bench, way: str) -> tuple[float, float]:
    """Seconds to learn every sample once in a way: by the clock, and of the processor."""
    every = batches(bench, way)
    started, used = time.perf_counter(), time.process_time()
    learned = sum(step(bench, examples, "tower" in way) for examples in every)
    seconds = time.perf_counter() - started, time.process_time() - used
    if learned != bench.learned:
        raise RuntimeError(f"{way} learned {learned} tokens, not {bench.learned}")
    return seconds


def peak() -> float:
    """GFLOP/s of the best fp32 matrix product just now."""
    best = 0.0
    for size in PEAK_SIZES:
        a, b = torch.randn(size, size), torch.randn(size, size)
        for _ in range(3):
            started = time.perf_counter()
            a @ b
            best = max(best, 2 * size**3 / (time.perf_counter() - started) / 1e9)
    return best


def flops(bench: Bench, way: str) -> float:
    """Floating-point operations of the matrix products of one epoch in a way.

    Counted where they are done, forward and backward: what is frozen has no gradients of its
    weights, and layers below the first cross-attention none at all. Fused attention's own products
    are left out (a few per cent), so that the share of the peak is a lower bound.
    """
    with FlopCounterMode(display=False) as counter:
        for examples in batches(bench, way):
            step(bench, examples, "tower" in way)
    return float(counter.get_total_flops())


def padding(bench: Bench, way: str) -> float:
    """Share of the tokens in a way's batches that are padding."""
    used = total = 0
    for examples in batches(bench, way):
        used += sum(map(len, examples))
        total += len(examples) * max(map(len, examples))
    return 1 - used / total


Times = dict[str, list[tuple[float, float]]]


def compare(bench: Bench, rounds: int) -> tuple[Times, float]:
    """Seconds of every round of each way, and the highest peak seen between them."""
    for way in WAYS:
        # Warm-up: memory, kernels chosen for the shapes.
        step(bench, batches(bench, way)[0][:2], "tower" in way)
    seconds: Times = {way: [] for way in WAYS}
    highest = peak()
    for number in range(rounds):
        # Each round starts with another way: none is always the first after a pause.
        for way in WAYS[number % len(WAYS) :] + WAYS[: number % len(WAYS)]:
            seconds[way].append(run(bench, way))
            highest = max(highest, peak())
    return seconds, highest


def summary(bench: Bench, seconds: Times, highest: float) -> dict[str, Any]:
    """Rates, ratios and the share of the peak."""
    best = {way: min(clock for clock, _ in values) for way, values in seconds.items()}
    # On a busy machine the processor's time still tells what the ways cost.
    used = {way: min(cpu for _, cpu in values) for way, values in seconds.items()}
    work = flops(bench, OURS)
    ratio = best[BASELINE] / best[OURS]
    packing = best["padded, cached"] / best[OURS]
    return {
        "ways": {
            way: {
                "response_tokens_per_second": round(bench.learned / best[way], 1),
                "tokens_per_second": round(
                    sum(len(e) for part in batches(bench, way) for e in part) / best[way], 1
                ),
                "padding": round(padding(bench, way), 3),
                "seconds": [round(clock, 2) for clock, _ in seconds[way]],
                "processor_seconds": [round(cpu, 2) for _, cpu in seconds[way]],
            }
            for way in WAYS
        },
        "ratio": round(ratio, 2),
        "ratio_of_processor_time": round(used[BASELINE] / used[OURS], 2),
        # The product of both is the ratio: first the cache, then packing on top of it.
        "ratio_from_cached_tokens": round(best[BASELINE] / best["padded, cached"], 2),
        "ratio_from_packing": round(packing, 2),
        "packing_share_of_log_ratio": round(float(np.log(packing) / np.log(ratio)), 3),
        "matmul_gflops_per_second": round(work / best[OURS] / 1e9, 1),
        "peak_gflops_per_second": round(highest, 1),
        "share_of_peak": round(work / best[OURS] / 1e9 / highest, 3),
    }


def profiled(bench: Bench, rows: int = 12) -> dict[str, float]:
    """Share of the time of each operation in one step of ours, the largest first."""
    from torch.profiler import ProfilerActivity, profile

    examples = batches(bench, OURS)[0]
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        step(bench, examples, tower=False)
    averages = recorded.key_averages()
    total = sum(row.self_cpu_time_total for row in averages)
    found = sorted(averages, key=lambda row: -row.self_cpu_time_total)[:rows]
    return {row.key: round(row.self_cpu_time_total / total, 4) for row in found}


def table(size: str, found: dict[str, Any]) -> str:
    """The figures of a size as text."""
    lines = [f"{size}: response tokens/s (all tokens/s, padding)"]
    for way, row in found["ways"].items():
        lines.append(
            f"  {way:16}{row['response_tokens_per_second']:9.1f}"
            f"  ({row['tokens_per_second']:.1f}, {row['padding']:.0%})"
        )
    lines.append(
        f"  ratio {found['ratio']:.2f} (of processor time "
        f"{found['ratio_of_processor_time']:.2f}) = {found['ratio_from_cached_tokens']:.2f} (cached tokens) x "
        f"{found['ratio_from_packing']:.2f} (packing)"
    )
    lines.append(
        f"  matrix products {found['matmul_gflops_per_second']:.0f} GFLOP/s of a peak of "
        f"{found['peak_gflops_per_second']:.0f}: {found['share_of_peak']:.0%}"
    )
    return "\n".join(lines)


def measure(
    size: str, options: argparse.Namespace, note: Callable[[str], None] = print
) -> dict[str, Any]:
    """All figures of one size."""
    busy = os.getloadavg()[0]
    count = options.samples or (384 if size == "nano" else 64)
    rounds = options.rounds or (4 if size == "nano" else 2)
    with tempfile.TemporaryDirectory() as runs:
        bench, facts = prepare(size, options.workspace, count, options.batch_size, Path(runs))
        seconds, highest = compare(bench, rounds)
        found = {**facts, **summary(bench, seconds, highest)}
        if options.profile:
            found["profile"] = profiled(bench)
            note("\n".join(f"  {share:6.1%} {name}" for name, share in found["profile"].items()))
    # What other processes took: a figure of a busy machine is no figure.
    found["load_before"] = round(busy, 2)
    found["machine_was_busy"] = busy > 1.0
    note(table(size, found))
    return found


def main(arguments: Sequence[str]) -> None:
    """Measure the sizes of the command line one after another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", nargs="+", choices=sorted(CONFIGS), default=["nano", "smollm2"])
    parser.add_argument("--workspace", type=Path, default=ROOT, help="a built workspace")
    parser.add_argument("--output", type=Path, default=ROOT / RESULT)
    parser.add_argument("--samples", type=int, default=0, help="0: by size")
    parser.add_argument("--rounds", type=int, default=0, help="0: by size")
    parser.add_argument("--batch-size", type=int, default=32, help="of the padded batches")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--profile", action="store_true", help="also where the time goes")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    results = read_json(options.output) if options.output.is_file() else {}
    for size in options.sizes:
        results[size] = {**measure(size, options), "threads": options.threads}
        write_json(options.output, results)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(f"training: {error}")
