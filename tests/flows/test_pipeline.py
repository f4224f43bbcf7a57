"""The pipeline flow on a real Prefect server and a small DVC repository, read back by the API."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import State
from prefect.client.schemas.sorting import TaskRunSort

from flows import limits, stages, ui
from flows import pipeline as pipelines


def write_stages(root: Path, commands: dict[str, str]) -> None:
    """A chain: each stage reads the out of the one before it."""
    tree: dict[str, Any] = {}
    before = "start.txt"
    for name, command in commands.items():
        tree[name] = {"cmd": command, "deps": [before], "outs": [f"{name}.txt"]}
        before = f"{name}.txt"
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": tree}, sort_keys=False))


def task_runs(client: SyncPrefectClient, flow_run: Any, number: int) -> dict[str, Any]:
    # Task runs reach the server as events, one by one, a moment after the flow has ended.
    wanted = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run]))
    for _ in range(60):
        found = client.read_task_runs(flow_run_filter=wanted, limit=100, sort=TaskRunSort.NAME_ASC)
        if len(found) >= number and all(run.state and run.state.is_final() for run in found):
            break
        time.sleep(0.25)
    return {run.name: run for run in found}


def artifacts_of(client: SyncPrefectClient, flow_run: Any) -> dict[str, str]:
    wanted = {"flow_run_id": {"any_": [str(flow_run)]}}
    answer = client.request("POST", "/artifacts/filter", json={"artifacts": wanted})
    answer.raise_for_status()
    return {each["key"]: each["data"] for each in answer.json()}


def run_pipeline(root: Path) -> State[Any]:
    return pipelines.pipeline(root, return_state=True)


def test_stages_complete_then_show_as_cached_and_leave_artifacts(root: Path) -> None:
    write_stages(
        root,
        {
            "first": "cp start.txt first.txt",
            "second": "cp first.txt second.txt",
            "third": "cat second.txt second.txt > third.txt",
        },
    )
    (root / "reports").mkdir()
    (root / "reports/index.html").write_text("<p>report</p>")
    (root / "reports/metrics.json").write_text('{"headline": {"kept_share": 0.8125}}')

    with get_client(sync_client=True) as client:
        names = ["first", "second", "third"]
        outcomes = []
        for change in (None, None, "2\n"):
            if change:
                (root / "start.txt").write_text(change)
                (root / "reports/metrics.json").unlink()
            state = run_pipeline(root)
            assert state.is_completed(), state.message
            flow_run = state.state_details.flow_run_id
            found = task_runs(client, flow_run, len(names))
            assert sorted(found) == names
            outcomes.append([found[name].state.name for name in names])
            assert client.read_flow_run(flow_run).state.message == state.message
            artifacts = artifacts_of(client, flow_run)
            assert "report" in artifacts and (root / "reports").as_uri() in artifacts["report"]
            assert "| first | " in artifacts["pipeline-summary"]
            assert ("| kept_share | 0.8125 |" in artifacts["pipeline-summary"]) is not bool(change)
        assert outcomes == [["Completed"] * 3, ["Cached"] * 3, ["Completed"] * 3]
        assert state.message == "3 stages ran, 0 unchanged"
        # The server knows what waited for what.
        ids = {str(each.id) for each in found["third"].task_inputs["wait_for"]}
        assert ids == {str(found["second"].id)}


def test_a_user_error_fails_with_its_line_and_is_not_retried(root: Path) -> None:
    write_stages(
        root,
        {
            "first": "echo x >> tries; echo 'train.steps: expected a number' >&2; exit 2",
            "second": "cp first.txt second.txt",
        },
    )
    with get_client(sync_client=True) as client:
        state = run_pipeline(root)
        assert state.is_failed()
        assert state.message == "first: train.steps: expected a number (exit code 2)"
        found = task_runs(client, state.state_details.flow_run_id, 1)
        assert list(found) == ["first"]
        assert found["first"].state.name == "Failed"
        assert found["first"].state.message == "train.steps: expected a number (exit code 2)"
        assert found["first"].run_count == 1
    assert (root / "tries").read_text() == "x\n"


def test_a_killed_stage_is_tried_once_more(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The first try dies as by an out-of-memory killer, the second finds what it left and goes on.
    command = "if test -e tried; then cp start.txt first.txt; else touch tried; kill -9 $$; fi"
    write_stages(root, {"first": command})
    quick = limits.Limits(limits.Limit(1, 0, 60), {})
    monkeypatch.setattr(stages, "load_limits", lambda: quick)
    with get_client(sync_client=True) as client:
        state = stages.stage_flow("first")(root, return_state=True)
        assert state.is_completed(), state.message
        found = task_runs(client, state.state_details.flow_run_id, 1)
        assert found["first"].run_count == 2


def test_reasons_that_are_ours_are_not_retried(root: Path) -> None:
    write_stages(root, {"first": "no-such-command"})
    with pytest.raises(stages.StageFailed, match="not found") as unknown:
        stages.reproduce(root, "first")
    assert not unknown.value.retriable
    with pytest.raises(stages.StageFailed, match="nowhere") as missing:
        stages.reproduce(root, "nowhere")
    assert not missing.value.retriable and "\n" not in str(missing.value)
    (root / "start.txt").unlink()
    with pytest.raises(stages.StageFailed, match=r"start\.txt") as absent:
        stages.reproduce(root, "first")
    assert not absent.value.retriable


def test_the_order_follows_the_graph(root: Path) -> None:
    (root / "dvc.yaml").write_text(
        yaml.safe_dump(
            {
                "stages": {
                    "last": {"cmd": "x", "deps": ["a.txt", "b.txt"], "outs": ["c.txt"]},
                    "b": {"cmd": "x", "deps": ["a.txt"], "outs": ["b.txt"]},
                    "a": {"cmd": "x", "deps": ["start.txt"], "outs": ["a.txt"]},
                }
            },
            sort_keys=False,
        )
    )
    assert pipelines.stage_order(root) == [("a", []), ("b", ["a"]), ("last", ["a", "b"])]


def test_a_server_of_make_ui_is_found_while_it_runs(root: Path, server: str) -> None:
    assert pipelines.running_server(root) is None
    note = root / "runs/prefect/server.url"
    note.parent.mkdir(parents=True)
    note.write_text(f"{server}\n")
    assert pipelines.running_server(root) == server
    note.write_text(f"http://127.0.0.1:{ui.free_port(0)}/api\n")
    assert pipelines.running_server(root) is None
