"""What DVC takes for a stage's code."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_bytecode_beside_the_code_is_no_change_of_a_stage() -> None:
    wrote = "src/polite_flamingo/core/__pycache__/params.cpython-311.pyc"
    code = "src/polite_flamingo/core/params.py"
    said = subprocess.run(
        ["dvc", "check-ignore", wrote, code], cwd=ROOT, capture_output=True, text=True
    )
    assert said.stdout.split() == [wrote]
