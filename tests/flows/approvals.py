"""A flow run that waits for a person."""

from __future__ import annotations

import time
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.client.schemas.sorting import FlowRunSort


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
