"""Real SQLite stores in tmp_path."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from polite_flamingo.core.errors import UserError
from polite_flamingo.tracking import runs


def test_two_processes_may_set_the_store_up_at_once(
    created: tuple[str, Path, list[str]],
) -> None:
    uri, artifacts, printed = created
    assert {line.splitlines()[-1] for line in printed} == {runs.init(uri, artifacts)}


def test_a_resumed_training_goes_on_in_the_same_run(store: tuple[str, Path]) -> None:
    params = {"fit": {"steps": 40}}
    first = runs.open_run(*store, "base_lm", "key-1", params, patience=0)
    assert isinstance(first, runs.LiveRun)
    for step in (0, 10, 20):
        first.log(step, {"loss": 3.0 - step / 10})
    first.flush()  # and then the process is killed: the run is never ended
    with runs.open_run(*store, "base_lm", "key-1", params, patience=0) as second:
        assert isinstance(second, runs.LiveRun)
        for step in (10, 20, 30):
            second.log(step, {"loss": 3.0 - step / 10})
    assert second.run_id == first.run_id
    client = runs.connect(store[0])
    run = client.get_run(first.run_id)
    history = client.get_metric_history(first.run_id, "loss")
    assert sorted(metric.step for metric in history) == [0, 10, 20, 30]
    assert (run.info.status, run.data.params) == ("FINISHED", {"fit.steps": "40"})
    with runs.open_run(*store, "base_lm", "key-2", {}, patience=0) as other:
        other.log(0, {"loss": 1.0})
    assert isinstance(other, runs.LiveRun) and other.run_id != first.run_id


def test_a_training_that_fails_ends_its_run_as_failed(store: tuple[str, Path]) -> None:
    run = runs.open_run(*store, "base_clip", "key", {}, patience=0)
    assert isinstance(run, runs.LiveRun)
    with pytest.raises(ZeroDivisionError), run:
        run.log(0, {"loss": 1.0})
        run.log(1, {"loss": 1 / 0})
    assert runs.connect(store[0]).get_run(run.run_id).info.status == "FAILED"


def test_a_short_training_never_opens_its_run(tmp_path: Path) -> None:
    uri = runs.default_uri(tmp_path)
    with runs.open_run(uri, tmp_path / "mlartifacts", "base_lm", "key", {}) as run:
        run.log(0, {"loss": 1.0})
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_breaks_does_not_stop_the_training(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def log_batch(self, *arguments: object, **options: object) -> None:
            raise OSError("database is locked\nwith details")

    monkeypatch.setattr(runs, "FLUSH_SECONDS", 0.0)
    with runs.LiveRun(lambda: (Broken(), "id", -1), patience=0) as run:
        for step in range(3):
            run.log(step, {"loss": 0.0})
    said = [r.getMessage() for r in caplog.records if r.name == runs.__name__]
    assert said == ["MLflow takes no metrics, going on without: database is locked"]


def test_no_store_or_an_unusable_one_costs_only_the_curve(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with runs.open_run(None, tmp_path, "base_lm", "key", {}) as silent:
        silent.log(0, {"loss": 1.0})
    assert isinstance(silent, runs.SilentRun) and not caplog.records
    unusable = "sqlite:////proc/none/mlflow.db"
    with runs.open_run(unusable, tmp_path, "base_lm", "key", {}, patience=0) as run:
        run.log(0, {"loss": 1.0})
    assert [r.name for r in caplog.records if r.levelname == "WARNING"] == [runs.__name__]


def test_flatten_keeps_lists_and_dots_names() -> None:
    assert runs.flatten({"a": {"b": 1, "c": {"d": [1, 2]}}, "e": "x"}) == {
        "a.b": 1,
        "a.c.d": [1, 2],
        "e": "x",
    }


def test_what_is_no_uri_and_a_server_that_is_not_there_are_told_at_once(tmp_path: Path) -> None:
    for uri, said in (
        ("foo", "'foo' is no MLflow URI: give http"),
        ("http://127.0.0.1:9", "MLflow at http://127.0.0.1:9: .*Connection refused"),
        ("foo://x", "MLflow at foo://x: "),
        (f"file://{tmp_path}/files", "MLflow at file:"),
    ):
        started = time.monotonic()
        with pytest.raises(UserError, match=said) as caught:
            runs.init(uri, tmp_path / "mlartifacts")
        assert "\n" not in str(caught.value)
        assert time.monotonic() - started < 30
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in os.environ


def test_a_store_that_came_with_a_copy_is_not_written_to_but_training_goes_on(
    created: tuple[str, Path, list[str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    original = created[1].parent
    shutil.copy(original / "mlflow.db", tmp_path / "mlflow.db")
    uri, artifacts = runs.default_uri(tmp_path), tmp_path / "mlartifacts"
    with pytest.raises(UserError, match=f"its files lie in {created[1]}; remove it"):
        runs.init(uri, artifacts)
    with runs.open_run(uri, artifacts, "base_lm", "copied", {}, patience=0) as run:
        run.log(0, {"loss": 1.0})
    (said,) = [r.getMessage() for r in caplog.records if r.name == runs.__name__]
    assert said.startswith("MLflow takes no metrics, going on without: ")
    # A store that is given by its URI may keep its files wherever it does.
    assert runs.init(uri, tmp_path / "other/mlartifacts")
