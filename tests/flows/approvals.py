"""A flow run that waits for a person, and what it waits about."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.client.schemas.sorting import FlowRunSort

from flows import promote as promotion
from polite_flamingo.release.gates import Gate
from polite_flamingo.stages.promotion import Proposal


def proposed(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Propose version 7 in a workspace; returns what will be settled: (version, why, who)."""
    (root / "params.yaml").touch()
    gate = Gate("accuracy", 0.8, 0.7, "+0.1", "drop <= 0.02", True)
    proposal = Proposal("clever-flamingo", "7", "6", (gate,))
    settled: list[tuple[str, str, str]] = []
    monkeypatch.setattr(promotion, "propose", lambda *_: proposal)
    monkeypatch.setattr(promotion, "load_params", lambda _: None)
    monkeypatch.setattr(
        promotion,
        "settle",
        lambda _paths, given, _uri, why, _override, who: settled.append((given.version, why, who)),
    )
    return settled


def waiting_run(client: SyncPrefectClient, name: str) -> Any:
    """The id of the run of that name, once it is paused."""
    end = time.monotonic() + 120
    wanted = FlowRunFilter(name=FlowRunFilterName(any_=[name]))
    while time.monotonic() < end:
        found = client.read_flow_runs(flow_run_filter=wanted, limit=1, sort=FlowRunSort.ID_DESC)
        if found and found[0].state is not None and found[0].state.is_paused():
            return found[0].id
        time.sleep(0.3)
    raise AssertionError(f"{name} never paused")
