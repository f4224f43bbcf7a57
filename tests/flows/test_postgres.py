"""PostgreSQL as Prefect's and MLflow's database: a cluster of our own, on loopback, stopped after."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_HOME,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)

from flows import pipeline as pipelines
from flows import ui
from polite_flamingo.tracking import runs


def _programs() -> Path | None:
    """Where Debian keeps PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


PROGRAMS = _programs()
pytestmark = pytest.mark.skipif(PROGRAMS is None, reason="needs Debian's package postgresql")


@pytest.fixture(scope="module")
def cluster() -> Iterator[int]:
    """Port of a running cluster with the databases prefect and mlflow."""
    assert PROGRAMS is not None
    # Not below pytest's folder, which is closed to the user that the server runs as.
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    # The server refuses to run as root; its user must get to its folder.
    user: list[str] = []
    if os.getuid() == 0:
        user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(home, "postgres")
    port, data = ui.free_port(0), home / "data"

    def run(program: str, *arguments: str) -> None:
        call = [*user, str(PROGRAMS / program), *arguments]
        subprocess.run(call, cwd="/", check=True, stdout=subprocess.DEVNULL)

    run("initdb", "-D", str(data), "-U", "flamingo", "-A", "trust", "--no-sync")
    options = f"-p {port} -k {home} -h 127.0.0.1 -F"
    run(
        "pg_ctl",
        "-D",
        str(data),
        "-w",
        "-t",
        "120",
        "-l",
        str(home / "log"),
        "-o",
        options,
        "start",
    )
    try:
        for name in ("prefect", "mlflow"):
            run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "flamingo", name)
        yield port
    finally:
        run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.skipif(not find_spec("asyncpg"), reason="Prefect's driver is missing")
def test_the_pipeline_runs_on_a_prefect_server_with_postgresql(
    cluster: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree: dict[str, Any] = {"first": {"cmd": "echo 1 > first.txt", "outs": ["first.txt"]}}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": tree}))
    subprocess.run(
        [sys.executable, "-m", "dvc", "init", "-q", "--no-scm"], cwd=tmp_path, check=True
    )
    monkeypatch.setenv(
        "PREFECT_API_DATABASE_CONNECTION_URL",
        f"postgresql+asyncpg://flamingo@127.0.0.1:{cluster}/prefect",
    )
    home, port = tmp_path / "home", ui.free_port(0)
    process = ui.prefect_server(home, port, tmp_path / "server.log")
    monkeypatch.delenv("PREFECT_API_DATABASE_CONNECTION_URL")
    try:
        url = f"http://{ui.HOST}:{port}/api"
        ui.wait_until_healthy(process, f"{url}/health", tmp_path / "server.log")
        settings = {PREFECT_API_URL: url, PREFECT_HOME: home, PREFECT_LOGGING_TO_API_ENABLED: False}
        with temporary_settings(settings):
            state = pipelines.pipeline(tmp_path, return_state=True)
            assert state.is_completed(), state.message
            with get_client(sync_client=True) as client:
                run = client.read_flow_run(state.state_details.flow_run_id)
        assert run.state is not None and run.state.message == "1 stages ran, 0 unchanged"
    finally:
        ui.stop(process)
    # It is in PostgreSQL, not in some file.
    assert not list(home.glob("*.db"))
    assert PROGRAMS is not None
    call = [str(PROGRAMS / "psql"), "-h", "127.0.0.1", "-p", str(cluster), "-U", "flamingo"]
    call += ["-d", "prefect", "-tAc", "select count(*) from flow_run"]
    count = subprocess.run(call, capture_output=True, text=True, check=True)
    assert count.stdout.strip() == "1"


@pytest.mark.skipif(not find_spec("psycopg"), reason="needs polite-flamingo[postgres]")
def test_mlflow_keeps_runs_in_postgresql(cluster: int, tmp_path: Path) -> None:
    uri = f"postgresql+psycopg://flamingo@127.0.0.1:{cluster}/mlflow"
    runs.init(uri, tmp_path / "mlartifacts")
    with runs.open_run(uri, tmp_path / "mlartifacts", "base_lm", "k", {}, patience=0) as run:
        run.log(0, {"loss": 1.5})
    client = runs.connect(uri)
    experiment = runs.init(uri, tmp_path / "mlartifacts")
    found = runs.find_run(client, experiment, {runs.STAGE_TAG: "base_lm"})
    assert found is not None and found.data.metrics == {"loss": 1.5}
