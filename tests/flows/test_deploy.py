"""Deployments as the UI shows them, approvals, time-outs, a server that dies: on real servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from approvals import proposed, waiting_run
from prefect import resume_flow_run
from prefect.client.orchestration import get_client

from flows import deploy, limits, stages, ui
from flows import pipeline as pipelines
from flows import promote as promotion
from flows.data_quality import data_quality
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.profiles import profile_text
from polite_flamingo.stages.promotion import Proposal

ROOT = Path(__file__).parents[2]


def write_stages(root: Path, commands: dict[str, str]) -> None:
    tree: dict[str, Any] = {}
    before = "start.txt"
    for name, command in commands.items():
        tree[name] = {"cmd": command, "deps": [before], "outs": [f"{name}.txt"]}
        before = f"{name}.txt"
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": tree}, sort_keys=False))


def test_the_ui_is_given_every_deployment_with_checked_parameters(root: Path) -> None:
    write_stages(root, {"first": "cp start.txt first.txt", "second": "cp first.txt second.txt"})
    made = {f"{each.flow_name}/{each.name}": each for each in deploy.deployments(root)}
    assert sorted(made) == [
        "data-quality/data-quality",
        "pipeline/nightly",
        "promote/promote",
        "stage/first",
        "stage/second",
    ]
    assert made["pipeline/nightly"].schedules[0].schedule.cron == deploy.NIGHTLY
    with get_client(sync_client=True) as client:
        for name in ("pipeline/nightly", "promote/promote", "stage/first"):
            made[name].apply()
            found = client.read_deployment_by_name(name)
            assert found.enforce_parameter_schema
            assert found.global_concurrency_limit is not None
            assert found.global_concurrency_limit.limit == 1
            assert found.parameters["root"] == str(root)
        promote = client.read_deployment_by_name("promote/promote")
        choices = promote.parameter_openapi_schema["properties"]["model"]["enum"]
        assert choices == ["clever-flamingo", "polite-flamingo"]
        with pytest.raises(Exception, match=r"(?s)not one of|is not valid|Validation failed"):
            client.create_flow_run_from_deployment(promote.id, parameters={"model": "gpt"})


def test_changes_of_parameters_are_checked_and_keep_comments(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "profiles/nano.yaml").read_text())
    before = path.read_text()
    for changes, said in (
        ({"filter.min_words": "many"}, "filter.min_words"),
        ({"filter.min_wrods": 4}, "did you mean min_words"),
        ({"filtre.min_words": 4}, "there is no parameter filtre.min_words"),
    ):
        with pytest.raises(UserError, match=said):
            pipelines.change_params(tmp_path, {"seed": 3, **changes})
        assert path.read_text() == before
    pipelines.change_params(tmp_path, {"filter.min_words": 4, "seed": 3})
    tree = yaml.safe_load(path.read_text())
    assert (tree["filter"]["min_words"], tree["seed"]) == (4, 3)
    comments = [line.strip() for line in before.splitlines() if line.strip().startswith("#")]
    assert all(line in path.read_text() for line in comments)


def test_a_wrong_change_fails_the_run_with_its_line_and_the_hook_notes_it(root: Path) -> None:
    write_stages(root, {"first": "cp start.txt first.txt"})
    (root / "params.yaml").write_text(profile_text(ROOT / "profiles", "micro"))
    state = pipelines.pipeline(root, {"threads": 0}, return_state=True)
    assert state.is_failed() and "threads" in str(state.message)
    assert not (root / "first.txt").exists()
    rows = (root / "runs/flows/failures.jsonl").read_text().splitlines()
    assert [json.loads(row)["reason"] for row in rows] == [state.message]


@pytest.mark.parametrize(
    "run",
    [
        pipelines.pipeline,
        data_quality,
        promotion.promote,
        partial(stages.stage, "first"),
        stages.stage_flow("first"),
    ],
)
def test_a_root_that_is_no_workspace_is_told_and_left_alone(
    root: Path, tmp_path_factory: pytest.TempPathFactory, run: Any
) -> None:
    empty = tmp_path_factory.mktemp("empty")
    for nowhere in (empty, empty / "nowhere"):
        state = run(root=nowhere, return_state=True)
        assert state.is_failed() and f"{nowhere} is no workspace" in str(state.message)
    assert list(empty.iterdir()) == []


def test_nobody_answers_and_nothing_changes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "params.yaml").touch()
    proposal = Proposal("clever-flamingo", "7", "6", ())
    monkeypatch.setattr(promotion, "propose", lambda *_: proposal)
    monkeypatch.setattr(promotion, "load_params", lambda _: None)
    settled: list[Any] = []
    monkeypatch.setattr(promotion, "settle", lambda *given: settled.append(given))
    state = promotion.promote(root=root, wait_seconds=2, return_state=True)
    # Prefect's own verdict on a pause that nobody ended: one line.
    assert state.is_failed() and "never resumed" in str(state.message) and settled == []


def test_a_stage_that_takes_too_long_is_killed_and_told(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stages(root, {"first": "echo step 3 of 9 >&2; sleep 600"})
    monkeypatch.setattr(stages, "PROGRESS_SECONDS", 0.5)
    said: list[str] = []
    with pytest.raises(stages.StageFailed, match="took longer than 10 s and was killed") as error:
        stages.reproduce(root, "first", timeout=10, say=said.append)
    assert not error.value.retriable
    assert said == ["step 3 of 9"]
    assert not (root / "first.txt").exists()


def test_the_shipped_limits_name_stages_and_a_wrong_one_is_one_line(tmp_path: Path) -> None:
    shipped = limits.load_limits()
    names = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert set(shipped.stages) <= set(names)
    assert shipped.of("validate").retries == 0
    assert shipped.of("tune_stage1@pf") == shipped.default
    path = tmp_path / "limits.yaml"
    path.write_text("default: {retries: -1, retry_seconds: 1, timeout_seconds: 1}\n")
    with pytest.raises(UserError, match=r"default\.retries: .*greater than or equal to 0"):
        limits.load_limits(path)


def test_a_second_run_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    (tmp_path / "dvc.yaml").touch()

    def second() -> None:
        with limits.only_one(tmp_path):
            order.append("second")

    with limits.only_one(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.5)
        order.append("first")
    thread.join(timeout=30)
    assert order == ["first", "second"]


@pytest.mark.parametrize("approve", [True, False])
def test_a_promotion_waits_for_a_person(
    root: Path, monkeypatch: pytest.MonkeyPatch, approve: bool
) -> None:
    settled = proposed(root, monkeypatch)
    name = f"promotion-{approve}"
    run = promotion.promote.with_options(flow_run_name=name)
    states: list[Any] = []
    with get_client(sync_client=True) as client:

        def answer() -> None:
            resume_flow_run(
                waiting_run(client, name),
                run_input={"approve": approve, "who": "Ada", "why": "good"},
            )

        # Settings live in the context, which a thread does not inherit.
        thread = threading.Thread(target=copy_context().run, args=(answer,))
        thread.start()
        states.append(run(root=root, wait_seconds=60, return_state=True))
        thread.join(timeout=120)
    assert states[0].is_completed(), states[0].message
    assert settled == ([("7", "good", "Ada")] if approve else [])
    assert ("champion is version 7" if approve else "declined by Ada") in states[0].message


@contextmanager
def another_server(home: Path) -> Iterator[tuple[Any, str]]:
    port = ui.free_port(0)
    process = ui.prefect_server(home, port, home / "server.log")
    try:
        url = f"http://{ui.HOST}:{port}/api"
        ui.wait_until_healthy(process, f"{url}/health", home / "server.log")
        yield process, url
    finally:
        ui.stop(process)


def test_what_was_done_when_the_server_died_is_not_done_again(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("dying")
    write_stages(
        root,
        {
            "first": "echo x >> tries; cp start.txt first.txt",
            "second": "touch begun; while ! test -e go; do sleep 0.1; done; cp first.txt second.txt",
        },
    )
    with another_server(home) as (process, url):
        run = subprocess.Popen(
            [sys.executable, "-m", "flows.pipeline", "--root", str(root)],
            cwd=ROOT,
            env={
                **os.environ,
                "PREFECT_API_URL": url,
                "PREFECT_HOME": str(home),
                "PREFECT_CLIENT_MAX_RETRIES": "1",
                "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 300
        while not (root / "begun").exists():
            assert run.poll() is None and time.monotonic() < end
            time.sleep(0.1)
        ui.stop(process)
    (root / "go").touch()
    try:
        run.wait(timeout=300)
    finally:
        run.kill()
    # On another server the next run goes on: neither stage is done again.
    state = pipelines.pipeline(root, return_state=True)
    assert state.is_completed() and "2 unchanged" in str(state.message)
    assert (root / "tries").read_text() == "x\n"
