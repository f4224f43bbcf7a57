"""The data gate as a flow: `pf data-quality`, its summary and its pages as artifacts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.artifacts import create_link_artifact, create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.failures import tell_failure
from flows.limits import only_one
from flows.pipeline import page_link
from polite_flamingo.core.errors import UserError

TIMEOUT_SECONDS = 1800
DOCS = "runs/data_docs/index.html"


@flow(name="data-quality", persist_result=False, on_failure=[tell_failure])
def data_quality(root: Path = Path(".")) -> State[Any]:
    """Check the data at hand; nothing is changed."""
    root = root.resolve()
    summary, pages = root / "runs/data_quality.md", root / DOCS
    call = [sys.executable, "-m", "polite_flamingo", "data-quality"]
    try:
        # Not while a stage writes what is to be checked.
        with only_one(root):
            for old in (summary, pages):
                old.unlink(missing_ok=True)
            done = subprocess.run(
                call, cwd=root, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
            )
    except UserError as error:
        return Failed(message=str(error))
    except subprocess.TimeoutExpired:
        return Failed(message=f"data-quality took longer than {TIMEOUT_SECONDS} s")
    if summary.is_file():
        text = summary.read_text(encoding="utf-8")
        create_markdown_artifact(text, key="data-quality", description="What the gate found")
    if pages.is_file():
        create_link_artifact(page_link(root, DOCS), link_text="Data Docs", key="data-docs")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        return Failed(message=lines[0].removeprefix("pf: "))
    return Completed(message=done.stdout.strip().splitlines()[-1])
