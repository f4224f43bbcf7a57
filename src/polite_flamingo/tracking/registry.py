"""Runs and model versions from a workspace's outs.

Keyed by DVC's hashes of the outs, so that publishing twice adds nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.tables import read_json
from polite_flamingo.tracking import promotions, runs
from polite_flamingo.tracking.promotions import CANDIDATE, CHAMPION, KEY_TAG, find_version

DONE_TAG = "pf.published"
# Followed by a release's tag: a model version that belongs to it, with the commit as value.
RELEASE_TAG = "pf.release."
SIZE_TAG = "pf.size_bytes"
EVIDENCE_TAG = "pf.evidence"
EVIDENCE = "promotion"
# Files a stage may leave in a folder it writes: numbers of the run, and its curve by column.
METRICS_FILE, CURVE_FILE = "metrics.json", "curve.json"


@dataclass(frozen=True)
class Hashed:
    """A dependency or out of a stage with DVC's hash of it."""

    path: str
    md5: str


@dataclass(frozen=True)
class LockedStage:
    """A stage as dvc.lock records it: what its outs were made from."""

    name: str
    command: str
    params: Mapping[str, Any]
    deps: tuple[Hashed, ...]
    outs: tuple[Hashed, ...]

    @property
    def key(self) -> str:
        """Hash of all outs: the out's own where there is one, else theirs joined."""
        return "+".join(sorted(out.md5 for out in self.outs))


@dataclass(frozen=True)
class ServedModel:
    """A registered model: folders by the names they get in the artifact, and who loads them.

    ``loader`` is the module with ``_load_pyfunc`` and ``code`` the package that holds it;
    ``settings`` is handed to it as ``settings.json``.
    """

    name: str
    folders: Mapping[str, Path]
    settings: Mapping[str, Any]
    loader: str
    code: Path
    requirements: tuple[str, ...]
    example: Mapping[str, Any]


def read_lock(path: Path) -> list[LockedStage]:
    """The stages of a dvc.lock in its order; raises UserError where there is none."""
    if not path.is_file():
        raise UserError(f"{path} is missing: run `dvc repro` (or `dvc pull`) before publishing")
    tree = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    stages = []
    for name, entry in (tree.get("stages") or {}).items():
        params: dict[str, Any] = {}
        for values in (entry.get("params") or {}).values():
            params |= values
        stages.append(
            LockedStage(
                name=name,
                command=str(entry.get("cmd", "")),
                params=params,
                deps=tuple(Hashed(d["path"], d.get("md5", "")) for d in entry.get("deps", ())),
                outs=tuple(Hashed(o["path"], o.get("md5", "")) for o in entry.get("outs", ())),
            )
        )
    return stages


def check_outs(stages: Iterable[LockedStage], root: Path) -> None:
    """Raise UserError where DVC finds an out of ``stages`` to be another than dvc.lock records.

    What is published under a hash must be what has it. Missing outs are let pass.
    """
    command = [sys.executable, "-m", "dvc", "data", "status", "--json"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UserError(f"`dvc data status` failed in {root}: {reason}")
    status = json.loads(result.stdout or "{}")
    changed = {path.rstrip("/") for path in status.get("uncommitted", {}).get("modified", ())}
    for out in (out for stage in stages for out in stage.outs):
        if out.path in changed:
            raise UserError(
                f"{out.path} is not the one dvc.lock records: run `dvc repro` (or `dvc checkout`)"
            )


def publish_run(
    uri: str, experiment: str, stage: LockedStage, root: Path, kind: str
) -> tuple[str, bool]:
    """Bring one run in; return its id and whether it is new.

    The live run that logged the outs' curve becomes this run, so that its curve and its results are
    in one place. Raises UserError where an out is not on disk.
    """
    from mlflow.entities import RunTag

    client = runs.connect(uri)
    done = find_published(client, experiment, stage)
    if done is not None:
        return str(done.info.run_id), False
    for out in stage.outs:
        if not (root / out.path).exists():
            raise UserError(f"{out.path} is missing: run `dvc checkout` or `dvc pull`")
    metrics, curve = _results(stage, root)
    noted = runs.noted_live_run(root / "runs", curve) if curve else {}
    # A publish that was killed half-way, then the run the training itself logged to.
    run = runs.find_run(client, experiment, {runs.STAGE_TAG: stage.name, KEY_TAG: stage.key})
    live = False
    if run is None and noted:
        run = runs.find_run(client, experiment, noted)
        live = run is not None
    if run is None:
        run = client.create_run(
            experiment, tags={runs.STAGE_TAG: stage.name, "mlflow.runName": stage.name}
        )
    run_id = str(run.info.run_id)
    tags = {KEY_TAG: stage.key, "pf.kind": kind, runs.STAGE_TAG: stage.name}
    tags["mlflow.runName"] = stage.name
    # A live run knows the commit it was trained at.
    known = run.data.tags.get(runs.COMMIT_TAG, "")
    tags[runs.COMMIT_TAG] = known or runs.git_commit(root)
    tags |= {f"dvc.dep.{dep.path}": dep.md5 for dep in stage.deps}
    tags |= {f"dvc.out.{out.path}": out.md5 for out in stage.outs}
    client.log_batch(run_id, tags=[RunTag(name[:250], value) for name, value in tags.items()])
    runs.log_params(client, run_id, stage.params)
    _log_inputs(client, run_id, stage)
    _log_metrics(client, run_id, metrics, {} if live else curve)
    client.set_tag(run_id, DONE_TAG, "true")
    client.set_terminated(run_id, "FINISHED")
    return run_id, True


def publish_model(
    uri: str,
    run_id: str,
    key: str,
    model: ServedModel,
    log: Path | None = None,
    who: str = "pf publish",
) -> tuple[str, bool]:
    """Register ``model`` under its name once for ``key``; return the version, and if it is new.

    A new version becomes ``candidate``, and ``champion`` where there is none: a decision in the log
    (``tracking.promotions``; ``log`` is a copy in JSON Lines). Raises UserError where an alias was
    moved past it.
    """
    client = runs.connect(uri)
    version = find_version(client, model.name, key)
    new = version is None
    if version is None:
        version = _register(uri, run_id, key, model)
    promotions.check(client, model.name)
    aliases = promotions.standing(client, model.name)
    # One that was published before is no candidate again.
    wanted = {CHAMPION: version, **aliases} | ({CANDIDATE: version} if new or not aliases else {})
    if wanted != aliases:
        first = CHAMPION not in aliases
        why = "the first version: there was no champion" if first else "a new version"
        promotions.decide(
            client, model.name, "publish", version, wanted, who=who, why=why, copy=log
        )
    return version, new


def describe_version(
    uri: str,
    run_id: str,
    name: str,
    version: str,
    facts: Mapping[str, str],
    figures: Mapping[str, float],
) -> None:
    """Tags (licence, data set ...) and figures of a version; figures go to its logged model."""
    client = runs.connect(uri)
    found = client.get_model_version(name, version)
    tags = {**facts, **{f"pf.metric.{key}": f"{value:.6g}" for key, value in figures.items()}}
    for tag, value in tags.items():
        if found.tags.get(tag) != value:
            client.set_model_version_tag(name, version, tag, value)
    model_id = getattr(found, "model_id", None)
    if model_id and figures and set(facts.items()) - set(found.tags.items()):
        for key, figure in figures.items():
            client.log_metric(run_id, _metric_name(key), figure, model_id=model_id)


def put_evidence(uri: str, run_id: str, name: str, version: str, key: str, folder: Path) -> bool:
    """Keep what a promotion compares (the files of ``folder``) with a version, once for ``key``."""
    client = runs.connect(uri)
    if client.get_model_version(name, version).tags.get(EVIDENCE_TAG) == key:
        return False
    client.log_artifacts(run_id, str(folder), EVIDENCE)
    client.set_model_version_tag(name, version, EVIDENCE_TAG, key)
    return True


def get_evidence(uri: str, name: str, version: str, target: Path) -> Path | None:
    """Fetch it into the folder ``target``; None for a version that has none."""
    client = runs.connect(uri)
    found = client.get_model_version(name, version)
    if EVIDENCE_TAG not in found.tags or not found.run_id:
        return None
    target.mkdir(parents=True, exist_ok=True)
    return Path(client.download_artifacts(found.run_id, EVIDENCE, str(target)))


def size_of(uri: str, name: str, version: str) -> int | None:
    """Bytes of the weights of a version, None where its publication did not note it."""
    noted = runs.connect(uri).get_model_version(name, version).tags.get(SIZE_TAG, "")
    return int(noted) if noted.isdigit() else None


def seconds_to_answer(
    uri: str, name: str, versions: Iterable[str], row: Mapping[str, Any], requests: int
) -> dict[str, float]:
    """Best of ``requests`` wall-clock times a version needs to answer ``row`` on this machine.

    The versions take turns, so that a busy minute hits all of them.
    """
    import mlflow
    import pandas as pd

    frame = pd.DataFrame([dict(row)])
    best: dict[str, float] = {}
    with _mlflow_at(uri):
        models = {
            version: mlflow.pyfunc.load_model(f"models:/{name}/{version}") for version in versions
        }
        # The first answer loads the weights.
        for attempt in range(requests + 1):
            for version, model in models.items():
                start = time.perf_counter()
                model.predict(frame)
                took = time.perf_counter() - start
                if attempt:
                    best[version] = min(best.get(version, took), took)
    return best


def find_published(client: Any, experiment: str, stage: LockedStage) -> Any | None:
    """The run that stands for a stage's outs, or None."""
    return runs.find_run(
        client, experiment, {runs.STAGE_TAG: stage.name, KEY_TAG: stage.key, DONE_TAG: "true"}
    )


def tag_versions(uri: str, versions: Mapping[str, str], tags: Mapping[str, str]) -> None:
    """Set tags on versions of registered models."""
    client = runs.connect(uri)
    with runs.one_line(uri):
        for name, version in versions.items():
            for tag, value in tags.items():
                client.set_model_version_tag(name, version, tag, value)


def signature() -> Any:
    """In: ``instruction``, optional ``draft``, ``images`` (base64 strings); out: ``response``."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import Array, DataType

    return ModelSignature(
        inputs=Schema(
            [
                ColSpec(DataType.string, "instruction"),
                ColSpec(DataType.string, "draft", required=False),
                ColSpec(Array(DataType.string), "images"),
            ]
        ),
        outputs=Schema([ColSpec(DataType.string, "response")]),
    )


def _register(uri: str, run_id: str, key: str, model: ServedModel) -> str:
    import mlflow
    import pandas as pd

    for folder in model.folders.values():
        if not folder.is_dir():
            raise UserError(f"{folder} is missing: run `dvc checkout` or `dvc pull`")
    with _mlflow_at(uri), tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / model.name
        data.mkdir()
        # Links are followed when MLflow copies: the weights are written once, not twice.
        for name, folder in model.folders.items():
            (data / name).symlink_to(folder.resolve(), target_is_directory=True)
        settings = {**model.settings, "name": model.name, "key": key}
        (data / "settings.json").write_text(json.dumps(settings, sort_keys=True))
        with mlflow.start_run(run_id=run_id):
            logged = mlflow.pyfunc.log_model(
                name=model.name,
                loader_module=model.loader,
                data_path=str(data),
                code_paths=[str(model.code)],
                signature=signature(),
                input_example=pd.DataFrame([dict(model.example)]),
                pip_requirements=list(model.requirements),
            )
        client = runs.connect(uri)
        if not client.search_registered_models(f"name = '{model.name}'"):
            client.create_registered_model(model.name)
        # The tag comes with the version: a publish that is killed here registers no second one.
        made = client.create_model_version(
            model.name, logged.model_uri, run_id, tags={KEY_TAG: key}, model_id=logged.model_id
        )
    return str(made.version)


@contextmanager
def _mlflow_at(uri: str) -> Iterator[None]:
    """MLflow's fluent functions talk to ``uri`` in the block, and to what they did after it."""
    import mlflow

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


def _results(stage: LockedStage, root: Path) -> tuple[dict[str, float], Mapping[str, list[float]]]:
    """Numbers and curve by column that a stage left in its outs."""
    metrics: dict[str, float] = {}
    curve: Mapping[str, list[float]] = {}
    for path in _files(stage, root):
        value = read_json(path)
        if path.name == CURVE_FILE:
            curve = value
        elif isinstance(value, Mapping):
            metrics |= {
                name: float(number)
                for name, number in runs.flatten(value).items()
                if isinstance(number, (int, float))
            }
    return metrics, curve


def _files(stage: LockedStage, root: Path) -> Iterator[Path]:
    for out in stage.outs:
        path = root / out.path
        if path.is_dir():
            yield from (p for p in (path / METRICS_FILE, path / CURVE_FILE) if p.is_file())
        elif path.name in (METRICS_FILE, CURVE_FILE):
            yield path


def _log_metrics(
    client: Any, run_id: str, metrics: Mapping[str, float], curve: Mapping[str, list[float]]
) -> None:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    steps = [int(step) for step in curve.get("step", ())]
    points = [Metric(_metric_name(name), value, now, 0) for name, value in metrics.items()]
    for name, column in curve.items():
        if name != "step":
            points += [Metric(name, v, now, s) for s, v in zip(steps, column, strict=True)]
    for start in range(0, len(points), 1000):
        client.log_batch(run_id, metrics=points[start : start + 1000])


def _metric_name(name: str) -> str:
    """MLflow allows letters, digits, and _ - . / space : in names of metrics."""
    return "".join(c if c.isalnum() or c in "_-./ :" else "_" for c in name)


def _log_inputs(client: Any, run_id: str, stage: LockedStage) -> None:
    """Data a stage read, as MLflow datasets with DVC's hash as digest (code is left out)."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = [
        DatasetInput(
            # The digest column takes 36 characters: a hash of a folder ends in ".dir".
            Dataset(dep.path, dep.md5[:36], "dvc", json.dumps({"path": dep.path, "md5": dep.md5})),
            [InputTag("mlflow.data.context", "input")],
        )
        for dep in stage.deps
        if dep.path.split("/")[0] in ("data", "models")
    ]
    if inputs:
        client.log_inputs(run_id, datasets=inputs)
