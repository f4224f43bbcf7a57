"""Serve the deployments of a workspace until Ctrl-C: ``python -m flows.deploy`` (`make deploy`).

The nightly pipeline, each stage, data-quality and promote. One run at a time: all of them change
the workspace or must not see it change.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import EntrypointType, RunnerDeployment
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.data_quality import data_quality
from flows.pipeline import pipeline, running_server, stage_order
from flows.promote import promote
from flows.stages import stage
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import check_workspace

NIGHTLY = "0 2 * * *"
# A second run of the same deployment waits; the server's slot is freed when its runner is gone.
ONE = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)


def deployments(root: Path, cron: str = NIGHTLY) -> list[RunnerDeployment]:
    """All deployments of the workspace at ``root``, by name: what the UI lists."""
    root = root.resolve()
    tags = ["polite-flamingo", root.name]

    def made(flow: Any, name: str, about: str, **options: Any) -> RunnerDeployment:
        parameters = {"root": str(root), **options.pop("parameters", {})}
        deployment: RunnerDeployment = flow.to_deployment(
            name=name,
            description=about,
            tags=tags,
            parameters=parameters,
            concurrency_limit=ONE,
            enforce_parameter_schema=True,
            # Runs are processes of their own, started in this folder.
            entrypoint_type=EntrypointType.MODULE_PATH,
            **options,
        )
        return deployment

    stages = [
        made(
            stage,
            name.replace("@", "-"),
            f"Reproduces the DVC stage {name}, not what it depends on.",
            parameters={"name": name},
        )
        for name, _ in stage_order(root)
    ]
    return [
        made(
            pipeline,
            "nightly",
            "Everything that is out of date, in DVC's order. `changes` edits params.yaml first: "
            'names with dots and values, such as {"filter.min_words": 4}.',
            cron=cron,
        ),
        made(data_quality, "data-quality", "The data gate on the data at hand; changes nothing."),
        made(promote, "promote", "Shows the gates' table, waits for an approval, moves the alias."),
        *stages,
    ]


def main() -> int:
    """Serve on the server of PREFECT_API_URL, else on that of `make ui`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("."), help="folder of dvc.yaml")
    parser.add_argument("--cron", default=NIGHTLY, help=f"of the nightly run (default: {NIGHTLY})")
    options = parser.parse_args()
    try:
        check_workspace(options.root)
        url = os.environ.get("PREFECT_API_URL") or running_server(options.root)
        if url is None:
            raise UserError("no Prefect server: start `make ui`, or set PREFECT_API_URL")
    except UserError as error:
        print(f"make deploy: {error}", file=sys.stderr)
        return 2
    os.environ["PREFECT_API_URL"] = url
    with temporary_settings({PREFECT_API_URL: url}):
        serve(*deployments(options.root, options.cron), limit=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
