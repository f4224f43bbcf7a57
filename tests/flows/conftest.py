"""One Prefect server for the session, stopped by its process id, and a workspace to run in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_HOME,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)

from flows import ui


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """API URL of a Prefect server of our own."""
    home = tmp_path_factory.mktemp("prefect")
    port = ui.free_port(0)
    process = ui.prefect_server(home, port, home / "server.log")
    try:
        url = f"http://{ui.HOST}:{port}/api"
        ui.wait_until_healthy(process, f"{url}/health", home / "server.log")
        with temporary_settings(
            {PREFECT_API_URL: url, PREFECT_HOME: home, PREFECT_LOGGING_TO_API_ENABLED: False}
        ):
            yield url
    finally:
        ui.stop(process)


@pytest.fixture
def root(tmp_path: Path, server: str) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "start.txt").write_text("1\n")
    return tmp_path
