"""The MLflow run that shows a training while it runs (silent where MLflow is not at hand)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polite_flamingo.core.layout import Layout
from polite_flamingo.tracking.runs import LiveRun, SilentRun, default_uri, open_run


def live_run(paths: Layout, stage: str, key: str, params: Mapping[str, Any]) -> LiveRun | SilentRun:
    """Open or continue the live run of a training; the store is the workspace's or the team's."""
    uri = paths.mlflow_uri or default_uri(paths.runs)
    return open_run(uri, paths.runs / "mlartifacts", stage, key, params)
