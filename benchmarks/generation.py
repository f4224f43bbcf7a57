"""Speed of generation: ours in batches, open-flamingo 2.0.1's `generate` prompt by prompt.

usage: python benchmarks/generation.py [--sizes nano smollm2] [--rounds 3] [--threads 2]
       [--work runs/generation] [--reference PYTHON] [--quick]

The same random weights (made by open-flamingo, converted as `pf convert` does), the same prompts
and images, the same fixed number of greedily chosen tokens, which are compared. Both systems encode
the images within the time. Each runs in a process of its own; rounds of the two alternate, and the
best of each counts. Prints a table, writes benchmarks/results/generation.json; exit status 1 if a
token differs. `--quick` compares the tokens of few prompts and writes nothing: its times are none.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
RESULT = HERE / "results" / "generation.json"
# 17 quantiles of the lengths of the nano run's rewriting prompts (tokens); a sixth has two images.
LENGTHS = (14, 15, 17, 18, 20, 21, 22, 23, 25, 28, 33, 39, 44, 52, 128, 225, 334)
TWO_IMAGES = 6
SEED = 5
# Added to the words by open-flamingo, in this order: <|endofchunk|>, <image>, <PAD>.
ADDED = 3
# The reference's open_clip does not know nano's convolutions: a plain ViT of its width and tokens.
PATCH, VISION_LAYERS, VISION_HEAD = 8, 1, 32


@dataclass(frozen=True)
class Size:
    """What is measured: the model's config; prompts of one block, which the reference continues,
    and of ours; tokens to generate; batches of the curve; what issue 4 asks for."""

    config: str
    block: int
    prompts: int
    new_tokens: int
    batches: tuple[int, ...]
    goal: float


SIZES = {
    "nano": Size("nano", 48, 768, 32, (1, 2, 4, 8, 16, 32, 64, 128, 256), 15.0),
    "smollm2": Size("smollm2-nano-clip", 16, 128, 32, (1, 4, 16, 64, 128), 8.0),
}


def quick(size: Size) -> Size:
    """Few prompts in few batches: to see that the tokens agree, not how fast they come."""
    return replace(size, block=8, prompts=16, new_tokens=12, batches=(1, 5, 16))


def write_inputs(size: Size, work: Path) -> None:
    """Write WORK/geometry.json and inputs.safetensors: prompts of realistic lengths, random words.

    Every ``size.block`` prompts have the same lengths, so any whole blocks are comparable.
    """
    import torch
    from safetensors.torch import save_file

    from polite_flamingo.models.configs import load_config

    config = load_config(size.config)
    lm = dict(config.lm.config)
    words = int(lm["vocab_size"]) if "vocab_size" in lm else int(config.tokenizer.vocab_size)
    words -= ADDED
    lm["rope_theta"] = lm.pop("rope_parameters")["rope_theta"]
    perceiver, cross = config.perceiver, config.cross_attention
    width = config.vision.clip["embed_dim"]
    side = config.vision.image_size
    geometry = {
        "lm": lm | {"vocab_size": words},
        "perceiver": {
            name: getattr(perceiver, name)
            for name in ("latents", "depth", "heads", "dim_head", "ff_mult")
        },
        "cross_attention": {
            name: getattr(cross, name) for name in ("heads", "dim_head", "ff_mult")
        },
        "every": cross.every,
        "clip": {
            "embed_dim": width,
            "vision_cfg": {
                "image_size": side,
                "layers": VISION_LAYERS,
                "width": width,
                "patch_size": PATCH,
                "head_width": VISION_HEAD,
                "mlp_ratio": 2.0,
            },
            "text_cfg": {"context_length": 8, "vocab_size": 8, "width": 8, "heads": 1, "layers": 1},
        },
    }
    work.mkdir(parents=True, exist_ok=True)
    (work / "geometry.json").write_text(json.dumps(geometry))
    rng = np.random.default_rng(SEED)
    places = np.linspace(0, len(LENGTHS) - 1, size.block)
    block = np.interp(places, range(len(LENGTHS)), LENGTHS).round().astype(np.int64)
    rng.shuffle(block)
    lengths = np.tile(block, size.prompts // size.block)
    images = np.tile(1 + (np.arange(size.block) % TWO_IMAGES == 0), size.prompts // size.block)
    ids = []
    for length, count in zip(lengths, images, strict=True):
        row = rng.integers(3, words, length)
        row[0] = 0
        row[1 : 1 + count] = words + 1
        ids.append(row)
    pixels = torch.from_numpy(
        rng.standard_normal((int(images.sum()), 3, side, side), dtype=np.float32)
    )
    tensors = {
        "ids": torch.from_numpy(np.concatenate(ids)),
        "lengths": torch.from_numpy(lengths),
        "images": torch.from_numpy(images.astype(np.int64)),
        "pixels": pixels,
    }
    save_file(tensors, work / "inputs.safetensors")


def model_config(size: Size, work: Path) -> Any:
    """The config of our model with the reference's weights: its vision, tokenizer and masking."""
    from polite_flamingo.models.configs import LmConfig, PromptStyle, TokenizerConfig, load_config

    config = load_config(size.config)
    clip = json.loads((work / "geometry.json").read_text())["clip"]
    return replace(
        config,
        vision=replace(config.vision, clip=clip),
        lm=LmConfig(source=str(work / "lm")),
        tokenizer=TokenizerConfig(source="lm"),
        prompt=PromptStyle(system=""),
        media_mask="immediate",
    )


def serve(size: Size, work: Path, threads: int) -> None:
    """Our side: as generation_reference.py, with "batch" in the question.

    A question "flops" is answered with the operations of a run and this machine's speed.
    """
    import torch
    from safetensors.torch import load_file

    from polite_flamingo.models.checkpoints import from_pretrained
    from polite_flamingo.models.conversion import convert
    from polite_flamingo.models.generate import generate
    from polite_flamingo.models.prompt import Encoded

    torch.set_num_threads(threads)
    convert([work / "checkpoint.pt"], work / "converted", model_config(size, work))
    model, _ = from_pretrained(work / "converted")
    model.requires_grad_(False)
    inputs = load_file(work / "inputs.safetensors")
    counts = inputs["images"].tolist()
    rows = inputs["ids"].split(inputs["lengths"].tolist())
    prompts = [
        Encoded(row.numpy(), np.zeros(len(row), dtype=bool), count)
        for row, count in zip(rows, counts, strict=True)
    ]

    @torch.inference_mode()
    def run(count: int, new_tokens: int, batch: int) -> list[list[int]]:
        pixels = inputs["pixels"][: sum(counts[:count])]
        tokens = torch.cat([model.encode_images(part) for part in pixels.split(batch)])
        images = tokens.split(counts[:count])
        made = generate(model, prompts[:count], images, new_tokens, batch)
        return [list(result.tokens) for result in made]

    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        given = asked["prompts"], asked["new_tokens"], asked["batch"]
        if "flops" in asked:
            from torch.utils.flop_counter import FlopCounterMode

            with FlopCounterMode(display=False) as counter:
                run(*given)
            answer = {"flops": counter.get_total_flops(), "peak": _peak(torch)}
        else:
            start, cpu = time.perf_counter(), time.process_time()
            made = run(*given)
            answer = {
                "seconds": time.perf_counter() - start,
                "cpu_seconds": time.process_time() - cpu,
                "tokens": made,
            }
        print(json.dumps(answer), flush=True)


def _peak(torch: Any, side: int = 1024, repeats: int = 12) -> float:
    """This machine's float32 matrix multiplication now, in operations a second: best of some."""
    left, right = torch.randn(side, side), torch.randn(side, side)
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best


class Worker:
    """A process that answers questions, a line each."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        while self._line() != "ready":
            pass

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a worker failed: its message stands above")
        return line.strip()

    def ask(self, **question: Any) -> dict[str, Any]:
        """Send a question, wait for the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._line())
        return answer

    def end(self) -> None:
        """Let the process end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def measure(
    name: str, size: Size, python: Path, work: Path, rounds: int, threads: int
) -> dict[str, Any]:
    """All figures of one size; prints them as they come."""
    write_inputs(size, work)
    # A waiting process must not spin on the cores of the other.
    quiet = {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
    reference = Worker(
        [
            str(python),
            "-W",
            "ignore",
            str(HERE / "generation_reference.py"),
            str(work),
            f"{threads}",
        ],
        quiet | {"PYTHONPATH": str(HERE)},
    )
    options = ["--serve", name, "--work", str(work), "--threads", f"{threads}"]
    ours = Worker(
        [sys.executable, "-W", "ignore", __file__, *options],
        quiet,
    )
    new = size.new_tokens
    # Warm-up of both: the first calls of a process allocate and choose kernels.
    wanted = reference.ask(prompts=size.block, new_tokens=new)["tokens"]
    ours.ask(prompts=size.block, new_tokens=new, batch=size.block)
    curve: dict[int, float] = {}
    equal = True
    for batch in size.batches:
        # At least four batches, in whole blocks.
        blocks = min(size.prompts // size.block, max(1, -(-4 * batch // size.block)))
        count = blocks * size.block
        answer = ours.ask(prompts=count, new_tokens=new, batch=batch)
        equal = equal and answer["tokens"][: size.block] == wanted
        curve[batch] = count / answer["seconds"]
        print(f"{name:<9}ours, batch {batch:<4}{curve[batch]:>9.2f} samples/s", flush=True)
    best = max(curve, key=lambda batch: curve[batch])
    theirs, own, their_cpu, own_cpu = [], [], [], []
    for _ in range(rounds):
        answer = reference.ask(prompts=size.block, new_tokens=new)
        theirs.append(size.block / answer["seconds"])
        their_cpu.append(size.block / answer["cpu_seconds"])
        answer = ours.ask(prompts=size.prompts, new_tokens=new, batch=best)
        equal = equal and answer["tokens"][: size.block] == wanted
        own.append(size.prompts / answer["seconds"])
        own_cpu.append(size.prompts / answer["cpu_seconds"])
        print(
            f"{name:<9}reference {theirs[-1]:>9.2f}   ours, batch {best} {own[-1]:>9.2f}",
            flush=True,
        )
    # One by one: operations on padding are no use.
    flops = ours.ask(prompts=size.block, new_tokens=new, batch=1, flops=True)
    for worker in (reference, ours):
        worker.end()
    speedup = max(own) / max(theirs)
    achieved = flops["flops"] / size.block * max(own)
    return {
        "config": size.config,
        "prompts": size.prompts,
        "prompts_reference": size.block,
        "new_tokens": new,
        "tokens_equal": equal,
        "reference_samples_per_s": theirs,
        "ours_samples_per_s": own,
        "best_batch": best,
        "curve_samples_per_s": curve,
        "speedup": speedup,
        "speedup_per_round": [b / a for a, b in zip(theirs, own, strict=True)],
        # Of the processor's time, all threads: nearly the same on a machine that has other work.
        "speedup_of_processor_time": max(own_cpu) / max(their_cpu),
        "goal": size.goal,
        "reached": speedup >= size.goal,
        "gflop_per_sample": flops["flops"] / size.block / 1e9,
        "gflops": achieved / 1e9,
        "peak_gflops": flops["peak"] / 1e9,
        "share_of_peak": achieved / flops["peak"],
    }


def main() -> int:
    """Measure the sizes of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("runs/generation"))
    parser.add_argument("--reference", type=Path, help="python of an environment made before")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--serve", choices=list(SIZES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    work = options.work.absolute()
    if options.serve:
        serve(SIZES[options.serve], work, options.threads)
        return 0
    sys.path.insert(0, str(HERE))
    from openflamingo_parity import run as parity

    environment = work.parent / "openflamingo_parity"
    python = options.reference or parity.make_environment(environment)
    sizes = {
        name: measure(
            name,
            quick(SIZES[name]) if options.quick else SIZES[name],
            python,
            work / name,
            1 if options.quick else options.rounds,
            options.threads,
        )
        for name in options.sizes
    }
    print(f"\n{'size':<10}{'reference':>10}{'ours':>9}{'batch':>7}{'times':>8}{'goal':>6}  tokens")
    for name, row in sizes.items():
        print(
            f"{name:<10}{max(row['reference_samples_per_s']):>10.2f}"
            f"{max(row['ours_samples_per_s']):>9.2f}{row['best_batch']:>7}{row['speedup']:>8.1f}"
            f"{row['goal']:>6.0f}  {'equal' if row['tokens_equal'] else 'DIFFER'}"
        )
    same = all(row["tokens_equal"] for row in sizes.values())
    if options.quick:
        return 0 if same else 1
    report = {
        "threads": options.threads,
        "load_average": os.getloadavg()[1],
        "reference": [*parity.PINS, *parity.PINS_ALONE],
        "sizes": sizes,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written: {RESULT}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
