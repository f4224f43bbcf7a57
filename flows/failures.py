"""The failure hook of every flow: one line with the reason, in the log and in runs/flows."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from prefect.client.schemas.objects import FlowRun, State

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import check_workspace

RECORD = Path("runs/flows/failures.jsonl")


def tell_failure(flow: Any, flow_run: FlowRun, state: State[Any]) -> None:
    """Print the one-line reason and append it to runs/flows/failures.jsonl of the workspace."""
    reason = " ".join((state.message or "no reason given").split())
    root = Path(str((flow_run.parameters or {}).get("root", ".")))
    print(f"{flow.name} {flow_run.name} failed: {reason}", file=sys.stderr)
    row = {
        "flow": flow.name,
        "run": str(flow_run.id),
        "state": state.name,
        "reason": reason,
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    try:
        check_workspace(root)
    except UserError:
        return
    path = root / RECORD
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")
