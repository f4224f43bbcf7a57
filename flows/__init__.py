"""Prefect's view of the pipeline: DVC decides what runs, Prefect shows it. No logic of ours."""

from __future__ import annotations

from pathlib import Path

# Where `make ui` notes the API URL of its Prefect server, for `make pipeline`.
SERVER_FILE = Path("runs/prefect/server.url")
