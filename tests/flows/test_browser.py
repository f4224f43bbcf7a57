"""Prefect's UI in Chromium, as a user looks at it after a run: DOM text, links, forms."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
import yaml
from approvals import proposed, waiting_run
from browser import CHROMIUM, REASON, Page, chromium
from prefect.client.orchestration import get_client

from flows import PAGES_FILE, deploy, ui
from flows import pipeline as pipelines
from flows import promote as promotion

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=REASON)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as tab:
        yield tab


def home(server: str) -> str:
    return server.removesuffix("/api")


@pytest.fixture
def finished(root: Path) -> Iterator[Path]:
    """A workspace whose report is served, as `make ui` does."""
    stages = {
        "draw": {"cmd": "cp start.txt draw.txt", "deps": ["start.txt"], "outs": ["draw.txt"]},
        "train": {"cmd": "cp draw.txt train.txt", "deps": ["draw.txt"], "outs": ["train.txt"]},
    }
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (root / "reports/plots").mkdir(parents=True)
    (root / "reports/index.html").write_text("<p>What the rewriter learned</p>")
    (root / "reports/metrics.json").write_text('{"headline": {"kept_share": 0.8125}}')
    points = [{"stage": n, "pf_accuracy": n / 4, "raw_accuracy": n / 5} for n in range(4)]
    (root / "reports/plots/stages.json").write_text(str(points).replace("'", '"'))
    port, log = ui.free_port(0), root / "runs/pages.log"
    process = ui.pages_server(root, port, log)
    try:
        url = f"http://{ui.HOST}:{port}"
        ui.wait_until_healthy(process, f"{url}/reports/", log)
        (root / PAGES_FILE).write_text(url)
        yield root
    finally:
        ui.stop(process)


def test_a_run_and_its_artifacts_are_shown_and_its_links_lead_somewhere(
    finished: Path, server: str, page: Page
) -> None:
    state = pipelines.pipeline(finished, return_state=True)
    assert state.is_completed(), state.message
    run = state.state_details.flow_run_id
    with get_client(sync_client=True) as client:
        name = client.read_flow_run(run).name
        wanted = {"flow_run_id": {"any_": [str(run)]}}
        answer = client.request("POST", "/artifacts/filter", json={"artifacts": wanted})
        ids = {each["key"]: each["id"] for each in answer.json()}
    page.open(f"{home(server)}/runs", name, "pipeline")
    page.open(f"{home(server)}/runs/flow-run/{run}", name, "Completed", "2 Task runs")
    page.click("[role=tab], .p-tab-navigation__link, .p-tab", "Artifacts")
    page.wait("pipeline-summary", "headline-figures", "u-shape", "report")
    page.click("[role=tab], .p-tab-navigation__link, .p-tab", "Task Runs")
    page.wait("draw", "train")

    shown = f"{home(server)}/artifacts/artifact"
    page.open(f"{shown}/{ids['pipeline-summary']}", "draw", "kept_share", "0.8125", "ran in")
    page.open(f"{shown}/{ids['headline-figures']}", "kept_share", "0.8125")
    page.open(f"{shown}/{ids['u-shape']}", "u-shape")
    drawn = "[...document.images].some(i => i.src.startsWith('data:') && i.naturalWidth > 100)"
    page.until(drawn)
    page.open(f"{shown}/{ids['report']}", "Report")
    # A file:// link would lead nowhere from here.
    link = page.run("[...document.links].find(a => a.innerText.trim() == 'Report').href")
    assert link.startswith(f"http://{ui.HOST}:") and link.endswith("/reports/index.html")
    page.open(link, "What the rewriter learned")
    page.open(link.replace("reports/index.html", "start.txt"), "404")


def test_a_deployment_asks_for_its_parameters(root: Path, server: str, page: Page) -> None:
    (root / "dvc.yaml").write_text(
        yaml.safe_dump({"stages": {"draw": {"cmd": "true", "deps": ["start.txt"]}}})
    )
    made = {each.name: each for each in deploy.deployments(root)}
    number = made["promote"].apply()
    page.open(f"{home(server)}/deployments", "promote")
    page.open(f"{home(server)}/deployments/deployment/{number}", "promote", "flows.promote.promote")
    page.open(
        f"{home(server)}/deployments/deployment/{number}/run",
        "model",
        "version",
        "wait_seconds",
    )


def test_a_person_approves_in_the_ui(
    root: Path, server: str, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled = proposed(root, monkeypatch)
    name = "approved-in-the-ui"
    run = promotion.promote.with_options(flow_run_name=name)
    states: list[Any] = []
    # Settings live in the context, which a thread does not inherit.
    work = copy_context()
    thread = threading.Thread(
        target=work.run,
        args=(lambda: states.append(run(root=root, wait_seconds=120, return_state=True)),),
    )
    thread.start()
    try:
        with get_client(sync_client=True) as client:
            number = waiting_run(client, name)
        page.open(f"{home(server)}/runs/flow-run/{number}", name, "Paused")
        page.click("button", "Resume")
        page.wait("clever-flamingo: version 7 against champion version 6", "Override")
        page.click("button", "Submit")
        # Nobody approves without a name.
        page.wait("'who' is a required property")
        for place, text in enumerate(("Ada", "it is good")):
            page.run(f"document.querySelectorAll('textarea')[{place}].focus()")
            page.type(text)
        # The form is checked again as it changes; a click meanwhile is lost.
        page.until("!document.body.innerText.includes('is a required property')")
        page.rest()
        page.click("button", "Submit")
        page.wait("Completed")
    finally:
        thread.join(timeout=150)
    assert settled == [("7", "it is good", "Ada")]
    assert states[0].message == "clever-flamingo: champion is version 7"
