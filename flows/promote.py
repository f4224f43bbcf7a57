"""Promotion that a person approves: the gates' table in the UI, then the alias moves (or not)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.schemas.objects import State
from prefect.context import get_run_context
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run, suspend_flow_run
from prefect.input import RunInput
from prefect.states import Completed, Failed
from pydantic import Field

from flows.failures import tell_failure
from flows.limits import only_one
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import load_params
from polite_flamingo.stages.promotion import Proposal, describe, propose, settle


class Approval(RunInput):
    """What the person who approves fills in."""

    approve: bool = False
    who: str = Field(min_length=1, pattern=r"\w", description="Your name, for the log")
    why: str = Field(default="", description="For the log")
    override: str = Field(default="", description="Why to promote in spite of failed gates")


@flow(name="promote", persist_result=True, on_failure=[tell_failure])
def promote(
    model: Literal["clever-flamingo", "polite-flamingo"] = "clever-flamingo",
    version: str = "candidate",
    root: Path = Path("."),
    uri: str = "",
    wait_seconds: Annotated[int, Field(gt=0)] = 86400,
) -> State[Any]:
    """Show the gates' decision table, wait for an approval, promote; without it nothing changes."""
    root = root.resolve()
    try:
        paths = Layout(root)
        with only_one(root):
            params = load_params(root / "params.yaml")
            proposal = propose(params, paths, model, version, uri or None)
        _show(proposal)
        answer = _ask(proposal, wait_seconds)
        if answer is None or not answer.approve:
            who = f" by {answer.who}" if answer else ""
            return Completed(name="Declined", message=f"{model} {proposal.version}: declined{who}")
        settle(paths, proposal, uri or None, answer.why, answer.override, answer.who)
    except UserError as error:
        return Failed(message=" ".join(str(error).split()))
    return Completed(message=f"{model}: champion is version {proposal.version}")


def _show(proposal: Proposal) -> None:
    create_table_artifact(
        [gate.to_json() for gate in proposal.gates],
        key="promotion-gates",
        description=f"{proposal.model}: version {proposal.version} against {proposal.champion}",
    )
    verdict = f"failed: {', '.join(proposal.failed)}" if proposal.failed else "all gates passed"
    text = f"# {verdict}\n\n```\n{describe(proposal)}\n```\n"
    create_markdown_artifact(text, key="promotion", description="What to decide")
    get_run_logger().info("%s\n%s", verdict, describe(proposal))


def _ask(proposal: Proposal, wait_seconds: int) -> Approval | None:
    """Wait for the input in the UI: a deployment's run leaves its worker free meanwhile."""
    run: Any = get_run_context()
    asked = Approval.with_initial_data(
        description=f"```\n{describe(proposal)}\n```", approve=not proposal.failed
    )
    if run.flow_run.deployment_id:
        return suspend_flow_run(wait_for_input=asked, timeout=wait_seconds)
    try:
        return pause_flow_run(wait_for_input=asked, timeout=wait_seconds, poll_interval=1)
    except FlowPauseTimeout:
        # Prefect has marked the run as failed by then; it needs no traceback beside that.
        return None
