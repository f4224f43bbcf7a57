"""The whole pipeline as one Prefect flow that walks DVC's graph: ``python -m flows.pipeline``."""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

import yaml
from dvc.repo import Repo
from dvc.utils.serialize import modify_yaml
from networkx import dfs_postorder_nodes
from prefect import flow
from prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Failed

from flows import MLFLOW_FILE, PAGES_FILE, SERVER_FILE
from flows.failures import tell_failure
from flows.limits import only_one
from flows.stages import CACHED, stage_task
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import check_workspace
from polite_flamingo.core.params import check_params
from polite_flamingo.tracking.runs import EXPERIMENT

PAGES = {
    "report": ("reports/index.html", "Report"),
    "data-docs": ("runs/data_docs/index.html", "Data Docs of the data gate"),
}


@flow(name="pipeline", persist_result=False, on_failure=[tell_failure])
def pipeline(root: Path = Path("."), changes: dict[str, Any] | None = None) -> State[Any]:
    """Reproduce every stage in DVC's order; the first failure ends it, as ``dvc repro`` would.

    ``changes`` are written to params.yaml first: names with dots and their values.
    """
    root = root.resolve()
    try:
        with only_one(root):
            change_params(root, changes or {})
            return _reproduce(root)
    except UserError as error:
        return Failed(message=str(error))


def _reproduce(root: Path) -> State[Any]:
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
    figures = headline(root)
    if figures:
        rows = [{"figure": name, "value": value} for name, value in sorted(figures.items())]
        create_table_artifact(rows, key="headline-figures", description="reports/metrics.json")
    for key, (page, text) in PAGES.items():
        if (root / page).is_file():
            create_link_artifact(page_link(root, page), link_text=text, key=key)
    picture = u_shape_picture(root)
    if picture:
        create_image_artifact(picture, key="u-shape", description="Accuracy over the stages")
    mlflow = mlflow_link(root)
    if mlflow:
        create_link_artifact(mlflow, link_text="MLflow: the runs", key="mlflow")
    if failed:
        return Failed(message=f"{failed}: {states[failed].message}")
    cached = sum(state.name == CACHED for state in states.values())
    return Completed(message=f"{len(states) - cached} stages ran, {cached} unchanged")


def change_params(root: Path, changes: Mapping[str, Any]) -> None:
    """Write values into params.yaml, comments kept; a wrong name or value is a UserError, and none
    is written then.
    """
    if not changes:
        return
    path = root / "params.yaml"
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, value in changes.items():
        _set(tree, name, value)
    check_params(tree, "changes")
    with modify_yaml(str(path)) as kept:
        for name, value in changes.items():
            _set(kept, name, value)


def _set(tree: Any, name: str, value: Any) -> None:
    *above, last = name.split(".")
    for part in above:
        tree = tree.get(part) if isinstance(tree, dict) else None
    if not isinstance(tree, dict):
        raise UserError(f"changes: there is no parameter {name}")
    tree[last] = value


def headline(root: Path) -> dict[str, Any]:
    """The headline figures of the report, {} before the first one."""
    found: dict[str, Any] = (_json(root / "reports/metrics.json") or {}).get("headline", {})
    return found


def u_shape_picture(root: Path) -> str:
    """Accuracy of both variants over the stages as a data URI, "" before the first report."""
    rows = _json(root / "reports/plots/stages.json") or []
    names = ("pf_accuracy", "raw_accuracy")
    if not rows or any(row.get(name) is None for row in rows for name in names):
        return ""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 2.5), layout="constrained")
    axes = figure.add_subplot()
    for name in names:
        axes.plot([row["stage"] for row in rows], [row[name] for row in rows], "o-", label=name)
    axes.set_xlabel("stage")
    axes.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


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
    figures = headline(root)
    if figures:
        parts += ["## Headline figures", _table(("figure", "value"), sorted(figures.items()))]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value if value is not None else "")
    return " ".join(text.split()).replace("|", "\\|")


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def running_server(root: Path, file: Path = SERVER_FILE, health: str = "/health") -> str | None:
    """URL of the server that `make ui` runs for this workspace, None where it does not answer."""
    if not (root / file).is_file():
        return None
    url = (root / file).read_text(encoding="utf-8").strip()
    try:
        with urllib.request.urlopen(f"{url}{health}", timeout=2):
            return url
    except OSError:
        return None


def page_link(root: Path, page: str) -> str:
    """Where to read a page of the workspace: on the server of `make ui`, else as a file."""
    server = running_server(root, PAGES_FILE, f"/{page}")
    return f"{server}/{page}" if server else (root / page).as_uri()


def mlflow_link(root: Path) -> str | None:
    """The runs of our experiment on MLFLOW_TRACKING_URI's server, else on that of `make ui`."""
    url = os.environ.get("MLFLOW_TRACKING_URI", "").rstrip("/")
    server = url if url.startswith("http") else running_server(root, MLFLOW_FILE)
    if not server:
        return None
    asked = f"{server}/api/2.0/mlflow/experiments/get-by-name?experiment_name={EXPERIMENT}"
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:
            number = json.load(answer)["experiment"]["experiment_id"]
    except (OSError, ValueError, KeyError):
        return server
    return f"{server}/#/experiments/{number}/runs"


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
