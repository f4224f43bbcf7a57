"""``python -m flows.ui`` and ``flows.pipeline``: started and stopped as a script does it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows import ui

ROOT = Path(__file__).parents[2]

# The real servers take a minute to start; what is asked here is only that none is left behind.
SERVE = """
import subprocess, sys
from pathlib import Path
from flows import ui

def sleeper(*_):
    process = ui._start(["-c", "import time; time.sleep(600)"], {}, Path("runs/server.log"))
    print(process.pid, flush=True)
    return process

ui.prefect_server = ui.mlflow_server = ui.pages_server = sleeper
ui.wait_until_healthy = lambda *_: None
ui.runs.init = lambda *_: "0"
sys.exit(ui.main())
"""


@pytest.mark.parametrize("sign", ui.STOPS)
def test_a_ui_that_a_script_started_in_the_background_stops_with_its_servers(
    tmp_path: Path, sign: signal.Signals
) -> None:
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "runs/prefect").mkdir(parents=True)
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        stdout=subprocess.PIPE,
        text=True,
        # As a shell does for what it starts in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert process.stdout is not None
    servers = [int(process.stdout.readline()) for _ in range(3)]
    while "Ctrl-C" not in process.stdout.readline():
        pass
    process.send_signal(sign)
    process.communicate(timeout=120)
    assert process.returncode == 0
    for server in servers:
        with pytest.raises(ProcessLookupError):
            os.kill(server, 0)


@pytest.mark.parametrize("module", ["pipeline", "ui"])
def test_outside_a_workspace_the_clone_is_asked_for(
    tmp_path: Path,
    module: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from flows import pipeline

    monkeypatch.setattr(sys, "argv", [module, "--root", str(tmp_path)])
    assert {"pipeline": pipeline, "ui": ui}[module].main() == 2
    said = capsys.readouterr().err
    assert f"{tmp_path} is no workspace" in said and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
