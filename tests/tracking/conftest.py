"""One MLflow store for the session: creating its tables takes seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from polite_flamingo.tracking import runs

INIT = (
    "import sys; from pathlib import Path; from polite_flamingo.tracking import runs;"
    "print(runs.init(sys.argv[1], Path(sys.argv[2])))"
)


@pytest.fixture(scope="session")
def created(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, list[str]]:
    """URI and artifacts of a store that two processes created at once, and what they printed."""
    folder = tmp_path_factory.mktemp("mlflow")
    uri, artifacts = runs.default_uri(folder), folder / "mlartifacts"
    command = [sys.executable, "-c", INIT, uri, str(artifacts)]
    both = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        for _ in range(2)
    ]
    printed = [each.communicate(timeout=240)[0].strip() for each in both]
    assert [each.returncode for each in both] == [0, 0]
    return uri, artifacts, printed


@pytest.fixture
def store(created: tuple[str, Path, list[str]]) -> tuple[str, Path]:
    """URI and artifact folder of the store."""
    return created[:2]
