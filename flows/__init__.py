"""Prefect's view of the pipeline: DVC decides what runs, Prefect shows it. No logic of ours."""

from __future__ import annotations

import os
from pathlib import Path

# Before prefect is imported: nothing is reported to anyone, however a flow is started.
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

# Where `make ui` notes the API URL of its Prefect server, for `make pipeline`.
SERVER_FILE = Path("runs/prefect/server.url")
# Where it notes the URL of its MLflow server, for links.
MLFLOW_FILE = Path("runs/mlflow.url")
# And that of the report and Data Docs.
PAGES_FILE = Path("runs/pages.url")
