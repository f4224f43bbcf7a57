"""The whole pipeline as one Prefect flow that walks DVC's graph: ``python -m flows.pipeline``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

from dvc.repo import Repo
from networkx import dfs_postorder_nodes
from prefect import flow
from prefect.artifacts import create_link_artifact, create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Failed

from flows import SERVER_FILE
from flows.stages import CACHED, stage_task
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import check_workspace

PAGES = {
    "report": ("reports/index.html", "Report"),
    "data-docs": ("runs/data_docs/index.html", "Data Docs of the data gate"),
}


@flow(name="pipeline", persist_result=False)
def pipeline(root: Path = Path(".")) -> State[Any]:
    """Reproduce every stage in DVC's order; the first failure ends it, as ``dvc repro`` would."""
    root = root.resolve()
    states: dict[str, State[Any]] = {}
    failed = ""
    for name, needed in stage_order(root):
        if failed:
            break
        states[name] = stage_task(name)(
            root, name, return_state=True, wait_for=[states[other] for other in needed]
        )
        if not states[name].is_completed():
            failed = name
    create_markdown_artifact(
        markdown=summary(root, states), key="pipeline-summary", description="Stages and figures"
    )
    for key, (page, text) in PAGES.items():
        if (root / page).is_file():
            create_link_artifact((root / page).as_uri(), link_text=text, key=key)
    if failed:
        return Failed(message=f"{failed}: {states[failed].message}")
    cached = sum(state.name == CACHED for state in states.values())
    return Completed(message=f"{len(states) - cached} stages ran, {cached} unchanged")


def stage_order(root: Path) -> list[tuple[str, list[str]]]:
    """Every DVC stage after those it depends on, each with the names of these."""
    with chdir(root), Repo() as repo:
        graph = repo.index.graph
        return [
            (stage.addressing, sorted(other.addressing for other in graph.successors(stage)))
            for stage in dfs_postorder_nodes(graph)
        ]


def summary(root: Path, states: Mapping[str, State[Any]]) -> str:
    """Markdown: the outcome of each stage, the filter funnel and the headline figures."""
    parts = [
        "# Pipeline",
        _table(("stage", "state", ""), [(n, s.name, s.message) for n, s in states.items()]),
    ]
    funnel = _json(root / "reports/plots/funnel.json") or []
    outcomes: dict[str, int] = {}
    for row in funnel:
        outcomes[row["outcome"]] = outcomes.get(row["outcome"], 0) + int(row["rewrites"])
    if outcomes:
        rows = sorted(outcomes.items(), key=lambda item: (-item[1], item[0]))
        parts += ["## Filter funnel", _table(("outcome", "rewrites"), rows)]
    headline = (_json(root / "reports/metrics.json") or {}).get("headline", {})
    if headline:
        parts += ["## Headline figures", _table(("figure", "value"), sorted(headline.items()))]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value if value is not None else "")
    return " ".join(text.split()).replace("|", "\\|")


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def running_server(root: Path) -> str | None:
    """API URL of the server that `make ui` runs for this workspace, None where it does not answer."""
    if not (root / SERVER_FILE).is_file():
        return None
    url = (root / SERVER_FILE).read_text(encoding="utf-8").strip()
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2):
            return url
    except OSError:
        return None


def main() -> int:
    """Run on the server of PREFECT_API_URL, else on that of `make ui`, else on a temporary one."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--root", type=Path, default=Path("."), help="folder of dvc.yaml")
    root = parser.parse_args().root
    try:
        check_workspace(root)
    except UserError as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return 2
    url = os.environ.get("PREFECT_API_URL") or running_server(root)
    print(f"Prefect: {url or 'temporary server (start one that stays with `make ui`)'}", flush=True)
    with temporary_settings({PREFECT_API_URL: url} if url else {}):
        state = pipeline(root, return_state=True)
    print(f"pipeline: {state.name}: {state.message}")
    return 0 if state.is_completed() else 1


if __name__ == "__main__":
    sys.exit(main())
