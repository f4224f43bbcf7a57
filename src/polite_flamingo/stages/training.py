"""What every training stage does: fit in its work directory, shown live in MLflow."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from polite_flamingo.core.journal import work_dir
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import FitPlan
from polite_flamingo.tracking.runs import default_uri, note_live_run, open_run

if TYPE_CHECKING:
    from torch import nn


def train(
    paths: Layout,
    stage: str,
    key: str,
    shown: Mapping[str, Any],
    model: nn.Module,
    loss: Any,
    batch: Callable[[int], Any],
    plan: FitPlan,
    seed: int,
    last: bool = True,
) -> dict[str, Any]:
    """Train ``model`` as :func:`training.fit.fit` does and return its curve.

    ``stage`` is the stage with its arguments as one name, ``key`` a hash of all that the result
    depends on (``core.journal.content_key``), ``shown`` the parameters that MLflow shows. The store
    is the workspace's or the team's; where MLflow is not installed nothing is shown. `pf publish`
    finds the live run of a curve again by a note in ``runs/live``. With several devices, Lightning
    starts this stage once more for each: those processes only train, and end with the stage's
    ``last`` training.
    """
    from polite_flamingo.training.fit import fit

    if plan.devices > 1 and int(os.environ.get("LOCAL_RANK", "0")) > 0:
        curve = fit(model, loss, batch, plan, work_dir(paths.runs, stage, key), seed, stage)
        if last:
            raise SystemExit(0)
        return curve
    uri = paths.mlflow_uri or default_uri(paths.runs)
    work = work_dir(paths.runs, stage, key)
    with open_run(uri, paths.runs / "mlartifacts", stage, key, shown) as run:
        curve = fit(model, loss, batch, plan, work, seed, stage, run.log)
    note_live_run(paths.runs, stage, key, curve)
    return curve
