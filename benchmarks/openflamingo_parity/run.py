"""Parity with open-flamingo: make its environment, dump tiny random models, load them in ours.

usage: python benchmarks/openflamingo_parity/run.py [--work runs/openflamingo_parity]
       [--reference PYTHON] [--sizes small full] [--fixture tests/models/fixtures/openflamingo]

Prints a table, writes benchmarks/results/openflamingo_parity.json; exit status 1 on a difference
beyond the bounds. `--fixture` also writes the small dumps as a test fixture.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE.parent / "results" / "openflamingo_parity.json"
FAMILIES = ("llama", "neox", "opt")
RELEASES = ("v2", "v2-previous", "v1")
# One of each family and of each masking: under 1 MB together.
FIXTURES = ("llama-v2", "neox-v1", "opt-v2-previous")
BOUNDS = {"logits": 1e-4, "gradients": 1e-3}
# What open-flamingo 2.0.1 runs with; the second list without their own pins of dependencies.
PINS = (
    "torch==2.13.0",
    "numpy==1.26.4",
    "transformers==4.33.3",
    "tokenizers==0.13.3",
    "huggingface_hub==0.23.5",
    "einops==0.8.2",
    "einops-exts==0.0.4",
    "safetensors",
    "pillow",
    "ftfy",
)
PINS_ALONE = (
    "torchvision==0.28.0",
    "timm==0.9.16",
    "open_clip_torch==2.20.0",
    "open-flamingo==2.0.1",
)
V1 = "open-flamingo==0.0.2"


def make_environment(work: Path) -> Path:
    """A virtual environment with open-flamingo 2.0.1, and 0.0.2 in a folder beside; its python."""
    python = work / "environment/bin/python"
    if not (work / "v1/open_flamingo").is_dir():
        uv = shutil.which("uv")
        if uv is None:
            raise SystemExit("uv is not installed: pip install uv")
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
        subprocess.run(
            [uv, "venv", "--quiet", "--python", "3.11", str(work / "environment")], check=True
        )
        subprocess.run([*install, *PINS], check=True)
        subprocess.run([*install, "--no-deps", *PINS_ALONE], check=True)
        subprocess.run([*install, "--no-deps", "--target", str(work / "v1"), V1], check=True)
    return python


def dump(python: Path, work: Path, sizes: list[str]) -> None:
    """Make the dumps that are not there yet; each release's package has a process of its own."""
    for releases, path in ((RELEASES[:2], ""), (RELEASES[2:], str(work / "v1"))):
        environment = os.environ | {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1"}
        script = ["-W", "ignore", str(HERE / "dump.py"), str(work / "dumps")]
        command = [str(python), *script, ",".join(releases), ",".join(sizes)]
        made = subprocess.run(command, env=environment, capture_output=True, text=True)
        if made.returncode:
            raise SystemExit(f"the reference failed:\n{made.stderr}")


def check_export(python: Path, work: Path, family: str) -> dict[str, object]:
    """Write our converted model as an OpenFlamingo checkpoint and let open-flamingo 2.0.1 load it."""
    from polite_flamingo.models.conversion import export

    name = f"{family}-v2-full"
    exported = work / f"{name}.pt"
    export(work / "converted" / name, exported)
    command = [str(python), "-W", "ignore", str(HERE / "load_export.py")]
    environment = os.environ | {"PYTHONPATH": str(HERE), "HF_HUB_OFFLINE": "1"}
    made = subprocess.run(
        [*command, str(work / "dumps" / name), str(exported)],
        env=environment,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise SystemExit(f"open-flamingo could not load our export:\n{made.stderr}")
    row: dict[str, object] = json.loads(made.stdout.splitlines()[-1])
    return row


def write_fixture(source: Path, target: Path) -> None:
    """Copy a dump as a fixture: every weight once, in half precision (which loses nothing here).

    Of CLIP's text tower nothing, and the gradients of small weights and of attention queries only.
    """
    import torch
    from safetensors.torch import load_file, save_file

    target.mkdir(parents=True, exist_ok=True)
    stored = torch.load(source / "checkpoint.pt", map_location="cpu", weights_only=True)
    v1 = any(name.startswith("vision_encoder.visual.") for name in stored)
    kept = {}
    for name, tensor in stored.items():
        text_tower = v1 and name.startswith("vision_encoder.") and ".visual." not in name
        copy = ".old_decoder_blocks." in name or ".gated_cross_attn_layers." in name
        if not (text_tower or copy):
            half = tensor.half() if tensor.is_floating_point() else tensor
            exact = torch.equal(half.to(tensor.dtype), tensor)
            kept[name] = (half if exact else tensor).contiguous().clone()
    save_file(kept, target / "checkpoint.safetensors")
    exact = {"pixels": torch.float16, "input_ids": torch.int16, "greedy": torch.int16}
    expected = {
        name: tensor.to(exact.get(name, tensor.dtype))
        for name, tensor in load_file(source / "expected.safetensors").items()
        if not name.startswith("gradient.") or tensor.ndim == 1 or name.endswith("to_q.weight")
    }
    save_file(expected, target / "expected.safetensors")
    shutil.copy(source / "facts.json", target)
    (target / "lm").mkdir(exist_ok=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(source / "lm" / name, target / "lm")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("runs/openflamingo_parity"))
    parser.add_argument("--reference", type=Path, help="python of an environment made before")
    parser.add_argument("--sizes", nargs="+", default=["small", "full"])
    parser.add_argument("--fixture", type=Path)
    options = parser.parse_args()
    work = options.work.absolute()
    python = options.reference or make_environment(work)
    sys.path.insert(0, str(HERE))
    import compare
    import torch

    torch.set_num_threads(1)
    dump(python, work, options.sizes)
    rows = []
    print(
        f"{'model':<8}{'release':<13}{'mask':<11}{'size':<7}{'logits':>9}{'gradients':>11}{'greedy':>8}"
    )
    for size in options.sizes:
        for family in FAMILIES:
            for release in RELEASES:
                name = f"{family}-{release}"
                made = work / "dumps" / f"{name}-{size}"
                row = compare.compare(made, work / "converted" / f"{name}-{size}", size)
                rows.append(row)
                equal = "equal" if row.greedy_equal else "DIFFER"
                print(
                    f"{family:<8}{release:<13}{row.mask:<11}{size:<7}{row.logits:>9.1e}"
                    f"{row.gradients:>11.1e}{equal:>8}",
                    flush=True,
                )
                if options.fixture and size == "small" and name in FIXTURES:
                    write_fixture(made, options.fixture / name)
    good = all(
        row.logits <= BOUNDS["logits"]
        and row.gradients <= BOUNDS["gradients"]
        and row.greedy_equal
        and not row.faults
        for row in rows
    )
    exports = []
    if "full" in options.sizes:
        exports = [check_export(python, work, family) for family in FAMILIES]
    for row in exports:
        clean = not row["unexpected"] and not row["missing"] and row["logits"] <= BOUNDS["logits"]
        good = good and clean
        print(f"{row['family']:<8}our export in open-flamingo 2.0.1: logits {row['logits']:.1e}")
    RESULT.parent.mkdir(exist_ok=True)
    report = {
        "bounds": BOUNDS | {"greedy": "equal"},
        "reference": [*PINS, *PINS_ALONE, f"{V1} (release v1)"],
        "torch": torch.__version__,
        "within_bounds": good,
        "exports": exports,
        "rows": [compare.as_row(row) for row in rows],
    }
    RESULT.write_text(json.dumps(report, indent=1) + "\n")
    print(f"{'all within bounds' if good else 'OUT OF BOUNDS'}; written: {RESULT}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
