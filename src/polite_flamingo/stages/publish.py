"""``pf publish``: runs and model versions into MLflow, from the outs and dvc.lock alone."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polite_flamingo
from polite_flamingo.core.images import blank, png_bytes
from polite_flamingo.core.journal import progress
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.tables import read_json
from polite_flamingo.release import evidence, workspace
from polite_flamingo.tracking import registry, runs

# Where a stage's outs lie tells what kind of run it is; other stages are no runs.
KINDS = {"models/": "training", "data/evaluation": "evaluation", "reports/": "evaluation"}
LOADER = "polite_flamingo.serving.predict"
# What the loader and the models import.
REQUIREMENTS = (
    "numpy",
    "open-clip-torch",
    "pandas",
    "peft",
    "pillow",
    "pyarrow",
    "pydantic",
    "pyyaml",
    "safetensors",
    "tokenizers",
    "torch",
    "torchvision",
    "tqdm",
    "transformers",
)


@dataclass(frozen=True)
class Published:
    """What a workspace's outs are in MLflow: run ids by stage, versions by registered model."""

    uri: str
    runs: dict[str, str]
    models: dict[str, str]


def published(paths: Layout, uri: str | None = None) -> Published:
    """The runs and model versions that `publish` has brought in for the outs of dvc.lock."""
    uri = uri or runs.default_uri(paths.runs)
    experiment = runs.init(uri, paths.runs / "mlartifacts")
    client = runs.connect(uri)
    ids: dict[str, str] = {}
    models: dict[str, str] = {}
    served = {
        folder.relative_to(paths.root).as_posix(): name for name, folder in model_folders(paths)
    }
    with runs.one_line(uri):
        for stage in registry.read_lock(paths.root / "dvc.lock"):
            if _kind(stage) is None:
                continue
            run = registry.find_published(client, experiment, stage)
            if run is not None:
                ids[stage.name] = str(run.info.run_id)
            for out in stage.outs:
                if out.path in served:
                    version = registry.find_version(client, served[out.path], out.md5)
                    models |= {served[out.path]: version} if version else {}
    return Published(uri, ids, models)


def model_folders(paths: Layout) -> list[tuple[str, Path]]:
    """Registered models and the folders they come from."""
    return [("polite-flamingo", paths.rewriter), ("clever-flamingo", paths.clever("pf", 3))]


def publish(params: Params, paths: Layout, uri: str | None = None) -> None:
    """Bring every training and evaluation and both models into MLflow at ``uri``.

    The default is the workspace's own store, runs/mlflow.db. Everything is keyed by DVC's hashes:
    a second call adds nothing. Raises UserError where an out of dvc.lock is not on disk, or another
    one lies there.
    """
    uri = uri or runs.default_uri(paths.runs)
    runs.require()
    stages = registry.read_lock(paths.root / "dvc.lock")
    registry.check_outs((stage for stage in stages if _kind(stage) is not None), paths.root)
    experiment = runs.init(uri, paths.runs / "mlartifacts")
    models = {
        paths.rewriter: _served("polite-flamingo", "rewriter", paths.rewriter, params),
        paths.clever("pf", 3): _served("clever-flamingo", "chat", paths.clever("pf", 3), params),
    }
    folders = {folder.relative_to(paths.root).as_posix(): model for folder, model in models.items()}
    with runs.one_line(uri):
        added = _publish(uri, experiment, stages, folders, params, paths)
    print(f"{added} new runs in {uri}")


def _publish(
    uri: str,
    experiment: str,
    stages: Sequence[registry.LockedStage],
    folders: Mapping[str, registry.ServedModel],
    params: Params,
    paths: Layout,
) -> int:
    added = 0
    for stage in progress(stages, total=len(stages), desc="publish", unit="stage"):
        kind = _kind(stage)
        if kind is None:
            continue
        run_id, new = registry.publish_run(uri, experiment, stage, paths.root, kind)
        added += new
        for out in stage.outs:
            if out.path in folders:
                model = folders[out.path]
                number, fresh = registry.publish_model(
                    uri, run_id, out.md5, model, promotions_copy(paths), workspace.who(paths.root)
                )
                print(f"{model.name}: version {number}{' (new)' if fresh else ''}")
                facts, figures = version_facts(params, paths, stage, paths.root / out.path)
                registry.describe_version(uri, run_id, model.name, number, facts, figures)
                _put_evidence(uri, run_id, model.name, number, stages, params, paths)
    return added


def promotions_copy(paths: Layout) -> Path:
    """A readable copy of the log of decisions; the log itself is in the registry."""
    return paths.runs / "promotions.jsonl"


def version_facts(
    params: Params, paths: Layout, stage: registry.LockedStage, folder: Path
) -> tuple[dict[str, str], dict[str, float]]:
    """What a registered version says of itself: licence, data set, size; headline figures."""
    from polite_flamingo.sources.catalogue import find_entry

    data = next((dep for dep in stage.deps if dep.path in ("data/pairs", "data/filtered")), None)
    licences: dict[str, list[str]] = {}
    for source in params.ingest.sources:
        licences.setdefault(find_entry(source).licence, []).append(source)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    facts = {
        "pf.licence": f"Apache-2.0; trained on data under: {', '.join(sorted(licences))}",
        "pf.profile": params.profile,
        "pf.dataset": data.path if data else "unknown",
        "pf.dataset_hash": data.md5 if data else "unknown",
        "pf.dataset_version": f"{params.profile}-{data.md5[:12] if data else 'unknown'}",
        registry.SIZE_TAG: str(size),
    }
    metrics = paths.reports / "metrics.json"
    headline = read_json(metrics).get("headline", {}) if metrics.is_file() else {}
    return facts, {name: float(value) for name, value in headline.items() if value is not None}


def _put_evidence(
    uri: str,
    run_id: str,
    name: str,
    version: str,
    stages: Sequence[registry.LockedStage],
    params: Params,
    paths: Layout,
) -> None:
    """Keep what `pf promote` compares, where data/evaluation is that of this version."""
    evaluated = next((stage for stage in stages if stage.name == "evaluate"), None)
    if evaluated is None or not paths.evaluation.is_dir():
        return
    if workspace.stale(paths.root, "evaluate"):
        print(f"{name}: data/evaluation is stale, so the version has no figures to promote it by")
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "evidence"
        evidence.write(name, paths, folder)
        registry.put_evidence(uri, run_id, name, version, evaluated.key, folder)


def _kind(stage: registry.LockedStage) -> str | None:
    found = (
        kind
        for start, kind in KINDS.items()
        if any(out.path.startswith(start) for out in stage.outs)
    )
    return next(found, None)


def _served(name: str, role: str, folder: Path, params: Params) -> registry.ServedModel:
    limit = params.rewrite if role == "rewriter" else params.evaluate
    return registry.ServedModel(
        name=name,
        folders={"model": folder},
        settings={"role": role, "max_new_tokens": limit.max_new_tokens},
        loader=LOADER,
        code=Path(polite_flamingo.__file__).parent,
        requirements=tuple(_pinned(package) for package in REQUIREMENTS),
        example=example_row(role),
    )


def example_row(role: str) -> dict[str, Any]:
    """The input example of a registered model."""
    draft = {"draft": "red circle"} if role == "rewriter" else {}
    return {"instruction": "What is in the image?", **draft, "images": [_example_image()]}


def _pinned(package: str) -> str:
    try:
        # A local build's suffix (torch 2.13.0+cpu) is on no index.
        return f"{package}=={version(package).split('+')[0]}"
    except PackageNotFoundError:
        return package


def _example_image() -> str:
    return base64.b64encode(png_bytes(blank(8))).decode("ascii")
