"""Prefect, MLflow and the pages of the run on loopback, until Ctrl-C: ``python -m flows.ui``."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from flows import MLFLOW_FILE, PAGES_FILE, SERVER_FILE
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import check_workspace
from polite_flamingo.tracking import runs

HOST = "127.0.0.1"
# 8 s on an idle machine, minutes on a crowded one.
START_SECONDS = 300
STOPS = (signal.SIGINT, signal.SIGTERM)


def free_port(preferred: int) -> int:
    """``preferred`` where nothing listens on it, else any free port."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on loopback")


def prefect_server(home: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start a Prefect server that keeps its database and settings in ``home``."""
    environment = {
        "PREFECT_HOME": str(home.resolve()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_UI_API_URL": f"http://{HOST}:{port}/api",
    }
    command = ["-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)]
    return _start(command, environment, log)


def mlflow_server(uri: str, artifacts: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start MLflow's server and UI on an initialised store."""
    command = ["-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", uri, "--artifacts-destination", artifacts.resolve().as_uri()]
    # Its jobs (five processes more) are for traces, which we have none of.
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return _start(command, quiet, log)


def pages_server(root: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start the server of the report and Data Docs (`flows.pages`)."""
    return _start(["-m", "flows.pages", str(root.resolve()), HOST, str(port)], {}, log)


def wait_until_healthy(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Return once ``url`` answers; raise RuntimeError when the process ends or takes too long."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"{url} did not come up; its log is {log}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and the workers it started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue


def _start(command: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        # A session of its own: it is stopped as a group, and Ctrl-C reaches us alone.
        return subprocess.Popen(
            [sys.executable, *command],
            env={**os.environ, **environment, "DO_NOT_TRACK": "true"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def serve(root: Path, prefect_port: int, mlflow_port: int) -> None:
    """Start all, print their addresses, wait for Ctrl-C or SIGTERM, stop all."""
    # SIGINT too: in the background of a script we were started with it ignored.
    for sign in STOPS:
        signal.signal(sign, signal.default_int_handler)
    base = (root / "runs").resolve()
    uri, artifacts = runs.default_uri(base), base / "mlartifacts"
    ports = free_port(prefect_port), free_port(mlflow_port), free_port(0)
    runs.init(uri, artifacts)
    logs = base / "prefect/server.log", base / "mlflow-server.log", base / "pages-server.log"
    processes: list[subprocess.Popen[bytes]] = []
    urls = [f"http://{HOST}:{port}" for port in ports]
    notes = {
        root / SERVER_FILE: f"{urls[0]}/api",
        root / MLFLOW_FILE: urls[1],
        root / PAGES_FILE: urls[2],
    }
    health = f"{urls[0]}/api/health", f"{urls[1]}/health"
    try:
        processes.append(prefect_server(base / "prefect", ports[0], logs[0]))
        processes.append(mlflow_server(uri, artifacts, ports[1], logs[1]))
        processes.append(pages_server(root, ports[2], logs[2]))
        for process, url, log in zip(processes, health, logs, strict=False):
            wait_until_healthy(process, url, log)
        for note, url in notes.items():
            note.write_text(f"{url}\n", encoding="utf-8")
        print(f"Prefect  {urls[0]}   (`make pipeline` runs show up here)")
        print(f"MLflow   {urls[1]}")
        print(f"Report   {urls[2]}/reports/")
        print("Ctrl-C stops all.", flush=True)
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
        print("A server ended by itself; see its log in runs/.", file=sys.stderr)
    finally:
        # A second one must not leave a server behind; this takes seconds.
        for sign in STOPS:
            signal.signal(sign, signal.SIG_IGN)
        for note in notes:
            note.unlink(missing_ok=True)
        for process in processes:
            stop(process)


def main() -> int:
    """Parse the ports and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("."), help="folder of dvc.yaml")
    parser.add_argument("--prefect-port", type=int, default=4200)
    parser.add_argument("--mlflow-port", type=int, default=5000)
    arguments = parser.parse_args()
    try:
        check_workspace(arguments.root)
        serve(arguments.root, arguments.prefect_port, arguments.mlflow_port)
    except KeyboardInterrupt:
        print()
    except UserError as error:
        print(f"make ui: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"make ui: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
