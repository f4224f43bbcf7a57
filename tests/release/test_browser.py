"""MLflow's UI in Chromium after a publication: runs, and registered models with their aliases."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import CHROMIUM, REASON, chromium

from flows import pipeline, ui
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.tracking import promotions, runs

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=REASON)


def test_runs_models_and_aliases_are_shown(
    published: tuple[Params, Layout, str], tmp_path: Path
) -> None:
    _, paths, uri = published
    name, client = "clever-flamingo", runs.connect(uri)
    port, log = ui.free_port(0), tmp_path / "mlflow.log"
    server = f"http://{ui.HOST}:{port}"
    process = ui.mlflow_server(uri, paths.runs / "mlartifacts", port, log)
    try:
        ui.wait_until_healthy(process, f"{server}/health", log)
        note = paths.root / ui.MLFLOW_FILE
        note.write_text(server)
        listed = pipeline.mlflow_link(paths.root)
        note.unlink()
        assert listed is not None
        version = client.get_model_version(name, "1")
        experiment = client.get_run(version.run_id).info.experiment_id
        run = f"{server}/#/experiments/{experiment}/runs/{version.run_id}"
        with chromium() as page:
            # The link of a pipeline's run opens the runs at once, not a page about chats.
            page.open(listed, "tune", "evaluate", "Training runs")
            page.open(run, "tune", "Finished", "Parameters", "pf.outs_hash", name)
            page.open(f"{run}/artifacts", "Artifacts", "promotion")
            page.open(f"{server}/#/models", name, "Version 2", "@ candidate")
            page.open(f"{server}/#/models/{name}", "Version 1", "Version 2", "pf.decision.000001")
            for number in ("1", "2"):
                aliases = [
                    f"@ {alias}"
                    for alias, each in promotions.standing(client, name).items()
                    if each == number
                ]
                assert aliases
                page.open(
                    f"{server}/#/models/{name}/versions/{number}",
                    f"Version {number}",
                    "pf.dataset_hash",
                    "Inputs (3)",
                    *aliases,
                )
    finally:
        ui.stop(process)
