"""Publish, promote, refuse, override, roll back, serve: tiny untrained models in a real registry."""

from __future__ import annotations

import base64
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import ui
from polite_flamingo import cli
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.images import blank, png_bytes
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.release import workspace as tools
from polite_flamingo.stages.promotion import promote, rollback, show_aliases
from polite_flamingo.tracking import promotions, runs

PROFILES = Path(__file__).parents[2] / "profiles"
MODEL = "clever-flamingo"
IMAGE = base64.b64encode(png_bytes(blank(8))).decode()
ROW = {"instruction": "What is the red circle?", "images": [IMAGE, IMAGE]}


def test_a_version_says_what_it_was_made_of(published: tuple[Params, Layout, str]) -> None:
    _, paths, uri = published
    client = runs.connect(uri)
    aliases = promotions.standing(client, MODEL)
    assert aliases == {"candidate": "2", "champion": "1"}
    version = client.get_model_version(MODEL, "2")
    lock = yaml.safe_load((paths.root / "dvc.lock").read_text())["stages"]
    assert version.tags["pf.dataset"] == "data/filtered"
    assert version.tags["pf.dataset_hash"] == lock["filter"]["outs"][0]["md5"]
    assert version.tags["pf.dataset_version"].startswith("micro-")
    assert "MIT" in version.tags["pf.licence"]
    assert version.tags["pf.metric.stage3_accuracy"] == "0.5"
    assert int(version.tags["pf.size_bytes"]) > 10_000
    import mlflow

    before = mlflow.get_tracking_uri()
    try:
        mlflow.set_tracking_uri(uri)
        info = mlflow.models.get_model_info(f"models:/{MODEL}/2")
    finally:
        mlflow.set_tracking_uri(before)
    assert [column.name for column in info.signature.inputs] == ["instruction", "draft", "images"]
    assert info.saved_input_example_info is not None


def test_gates_refuse_override_and_rollback_and_all_is_logged(
    published: tuple[Params, Layout, str], capsys: pytest.CaptureFixture[str]
) -> None:
    params, paths, uri = published
    client = runs.connect(uri)
    # Timings of models this small say nothing.
    loose = replace(params, promote=replace(params.promote, max_latency_ratio=1000.0, requests=1))
    with pytest.raises(UserError, match="version 2 is refused by: accuracy"):
        promote(loose, paths, MODEL, "candidate", uri, who="Ada")
    table = capsys.readouterr().out
    row = next(line for line in table.splitlines() if line.startswith("accuracy"))
    assert row.split()[1:3] == ["0.5", "0.9"] and row.endswith("FAIL")
    polite = next(line for line in table.splitlines() if line.startswith("politeness"))
    assert "1.000 [1.000, 1.000] wins, 100" in polite and polite.endswith("pass")
    assert promotions.standing(client, MODEL)["champion"] == "1"
    promote(loose, paths, MODEL, "2", uri, why="a demo", override="the demo needs it", who="Ada")
    aliases = {"candidate": "2", "champion": "2", "previous": "1"}
    assert promotions.standing(client, MODEL) == aliases
    with pytest.raises(UserError, match="version 2 is the champion"):
        promote(loose, paths, MODEL, "2", uri)
    rollback(paths, MODEL, uri, why="customers complain", who="Bob")
    assert promotions.standing(client, MODEL) == {"candidate": "2", "champion": "1"}
    with pytest.raises(UserError, match="no previous champion"):
        rollback(paths, MODEL, uri)
    log = promotions.read(client, MODEL)
    assert [(d.action, d.version) for d in log] == [
        ("publish", "1"),
        ("publish", "2"),
        ("refuse", "2"),
        ("promote", "2"),
        ("rollback", "1"),
    ]
    assert (log[3].who, log[3].why, log[3].override) == ("Ada", "a demo", "the demo needs it")
    assert {row["name"]: row["passed"] for row in log[3].numbers}["accuracy"] is False
    copy = (paths.runs / "promotions.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in copy] == list(range(5))
    assert cli.main(["--root", str(paths.root), "aliases", MODEL, "--uri", uri]) == 0
    said = capsys.readouterr().out
    assert "override: the demo needs it" in said and "customers complain" in said


def ask(url: str, rows: list[dict[str, Any]]) -> Any:
    request = urllib.request.Request(
        f"{url}/invocations",
        json.dumps({"dataframe_records": rows}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.loads(answer.read())


def test_the_champion_is_served_over_http_and_one_that_was_slipped_in_is_not(
    published: tuple[Params, Layout, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import mlflow
    import pandas as pd

    _, paths, uri = published
    champion = f"models:/{MODEL}@champion"
    before = mlflow.get_tracking_uri()
    port = ui.free_port(0)
    url, log = f"http://{ui.HOST}:{port}", tmp_path / "serve.log"
    try:
        mlflow.set_tracking_uri(uri)
        answers = mlflow.pyfunc.load_model(champion).predict(pd.DataFrame([ROW]))
        command = ["-m", "mlflow", "models", "serve", "-m", champion, "--env-manager", "local"]
        command += ["--host", ui.HOST, "--port", str(port), "--workers", "1"]
        process = ui._start(command, {"MLFLOW_TRACKING_URI": uri}, log)
        try:
            ui.wait_until_healthy(process, f"{url}/ping", log)
            found = ask(url, [ROW, {"instruction": "What?", "images": []}])["predictions"]
            assert found[0] == {"response": answers["response"][0]} and len(found) == 2
            with pytest.raises(urllib.error.HTTPError) as bad:
                ask(url, [{**ROW, "images": ["aGk="]}])
            assert "row 0: an image cannot be read" in bad.value.read().decode()
        finally:
            ui.stop(process)
        # Anyone can move an alias in MLflow; nothing of ours loads it then.
        client = runs.connect(uri)
        other = "2" if promotions.standing(client, MODEL)["champion"] == "1" else "1"
        client.set_registered_model_alias(MODEL, "champion", other)
        with pytest.raises(UserError, match=f"champion is version {other}, but the log"):
            mlflow.pyfunc.load_model(champion)
        call = [sys.executable, "-m", "mlflow", "models", "predict", "-m", champion]
        call += ["--env-manager", "local", "-i", str(_request(tmp_path)), "-t", "json"]
        done = tools.command(
            call,
            tmp_path,
            {"MLFLOW_TRACKING_URI": uri, "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        )
        assert done.returncode and "moved past `pf promote`" in done.stderr + done.stdout
        assert cli.main(["--root", str(paths.root), "aliases", "--uri", uri]) == 2
        assert f"champion is version {other}, but the log" in capsys.readouterr().err
        assert cli.main(["--root", str(paths.root), "aliases", "--uri", uri, "--restore"]) == 0
        assert promotions.unexplained(client, MODEL) == []
        mlflow.pyfunc.load_model(champion)
    finally:
        mlflow.set_tracking_uri(before)


@pytest.fixture
def registered(published: tuple[Params, Layout, str]) -> Iterator[tuple[Layout, str, Any]]:
    """Three versions of a model without files, each the champion in its turn."""
    _, paths, uri = published
    client, name = runs.connect(uri), "polite-flamingo"
    client.create_registered_model(name)
    aliases: dict[str, str] = {}
    for number in ("1", "2", "3"):
        client.create_model_version(name, paths.root.as_uri())
        aliases = {"champion": number} | ({"previous": aliases["champion"]} if aliases else {})
        promotions.decide(client, name, "promote", number, aliases, who="Ada", why="better")
    yield paths, uri, client
    client.delete_registered_model(name)


def test_a_version_that_was_deleted_is_no_way_back(registered: tuple[Layout, str, Any]) -> None:
    paths, uri, client = registered
    name = "polite-flamingo"
    # Two before the champion: gone is only the way back from the next rollback.
    client.delete_model_version(name, "1")
    rollback(paths, name, uri)
    assert promotions.standing(client, name) == {"champion": "2"}
    with pytest.raises(UserError, match="no version '1'"):
        rollback(paths, name, uri)
    assert promotions.standing(client, name) == {"champion": "2"}
    assert promotions.unexplained(client, name) == []
    # MLflow takes a deleted version's alias with it; what is left can be restored.
    client.delete_model_version(name, "2")
    with pytest.raises(UserError, match="champion is unset, but the log"):
        promotions.check(client, name)
    show_aliases(paths, [name], uri, restore=True)
    assert promotions.standing(client, name) == {} and promotions.unexplained(client, name) == []


def test_of_two_decisions_at_once_one_is_told_and_moves_nothing(
    registered: tuple[Layout, str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, client = registered
    name, write = "polite-flamingo", client.set_registered_model_tag

    def overtaken(model: str, tag: str, text: str) -> None:
        write(model, tag, text.replace("Ada", "Bob"))

    monkeypatch.setattr(client, "set_registered_model_tag", overtaken)
    with pytest.raises(UserError, match="at the same time"):
        promotions.decide(client, name, "promote", "1", {"champion": "1"}, who="Ada", why="x")
    assert promotions.standing(client, name)["champion"] == "3"


def _request(folder: Path) -> Path:
    path = folder / "request.json"
    path.write_text(json.dumps({"dataframe_records": [ROW]}))
    return path
