"""A workspace with two locked stages, published twice into a real store."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.tables import write_json
from polite_flamingo.tracking import registry, runs

LOADER = """
import json
from pathlib import Path
import pandas as pd

class Loud:
    def __init__(self, folder):
        self.word = json.loads((Path(folder) / "settings.json").read_text())["word"]
        self.weights = (Path(folder) / "rewriter" / "weights.bin").read_text()
    def predict(self, frame, params=None):
        rows = frame.to_dict("records")
        words = [f"{r['instruction']}{self.word}{self.weights}{len(r['images'])}" for r in rows]
        return pd.DataFrame({"response": words})

def _load_pyfunc(path):
    return Loud(path)
"""


CURVE = {"step": [0, 10], "loss": [10 / 3, 1 / 3]}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("workspace")
    package = root / "loudpackage"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "loud.py").write_text(LOADER)
    rewriter = root / "models/rewriter"
    rewriter.mkdir(parents=True)
    (rewriter / "weights.bin").write_text("W")
    write_json(rewriter / "metrics.json", {"val": {"loss": 0.5}})
    write_json(rewriter / "curve.json", CURVE)
    runs.note_live_run(root / "runs", "train_rewriter", "live-1", CURVE)
    write_json(root / "data/evaluation/metrics.json", {"pf-stage3": {"accuracy": 0.75}})
    lock = {
        "schema": "2.0",
        "stages": {
            "train_rewriter": {
                "cmd": "pf stage train_rewriter",
                "deps": [{"path": "data/pairs", "md5": "aaa.dir"}, {"path": "src/x", "md5": "b"}],
                "params": {"params.yaml": {"train_rewriter": {"fit": {"steps": 20}}, "threads": 2}},
                "outs": [{"path": "models/rewriter", "md5": "ccc.dir"}],
            },
            "evaluate": {
                "cmd": "pf stage evaluate",
                "outs": [{"path": "data/evaluation", "md5": "ddd.dir"}],
            },
        },
    }
    (root / "dvc.lock").write_text(yaml.safe_dump(lock, sort_keys=False))
    for command in (
        ["init", "-q"],
        ["add", "dvc.lock"],
        ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "lock"],
    ):
        subprocess.run(["git", "-C", str(root), *command], check=True)
    return root


def served(workspace: Path, word: str = "!") -> registry.ServedModel:
    return registry.ServedModel(
        name="loud-flamingo",
        folders={"rewriter": workspace / "models/rewriter"},
        settings={"word": word},
        loader="loudpackage.loud",
        code=workspace / "loudpackage",
        requirements=("pandas",),
        example={"instruction": "Describe the image.", "draft": "blue", "images": ["aGk="]},
    )


def test_the_lock_gives_params_hashes_and_a_key(workspace: Path) -> None:
    stage, evaluate = registry.read_lock(workspace / "dvc.lock")
    assert (stage.name, stage.key, evaluate.key) == ("train_rewriter", "ccc.dir", "ddd.dir")
    assert stage.params == {"train_rewriter": {"fit": {"steps": 20}}, "threads": 2}
    with pytest.raises(UserError, match=r"run `dvc repro`"):
        registry.read_lock(workspace / "none.lock")


def test_a_run_is_published_once_and_takes_over_its_live_run(
    workspace: Path, store: tuple[str, Path]
) -> None:
    uri, artifacts = store
    experiment = runs.init(uri, artifacts)
    before = len(runs.connect(uri).search_runs([experiment]))
    stage, evaluate = registry.read_lock(workspace / "dvc.lock")
    with runs.open_run(uri, artifacts, "train_rewriter", "live-1", {}, patience=0) as live:
        assert isinstance(live, runs.LiveRun)
        live.log(0, {"loss": 10 / 3})
        live.log(10, {"loss": 1 / 3})
    # Another stage may have the same key: the first lesson of the alignment has its second's.
    with runs.open_run(uri, artifacts, "another_stage", "live-1", {}, patience=0):
        pass
    run_id, new = registry.publish_run(uri, experiment, stage, workspace, "training")
    assert (run_id, new) == (live.run_id, True)
    assert registry.publish_run(uri, experiment, stage, workspace, "training") == (run_id, False)
    client = runs.connect(uri)
    run = client.get_run(run_id)
    assert run.data.metrics == pytest.approx({"loss": 1 / 3, "val.loss": 0.5})
    assert len(client.get_metric_history(run_id, "loss")) == 2
    assert run.data.params["train_rewriter.fit.steps"] == "20"
    assert run.data.tags["dvc.dep.data/pairs"] == "aaa.dir"
    assert run.data.tags["dvc.out.models/rewriter"] == "ccc.dir"
    assert len(run.data.tags["mlflow.source.git.commit"]) == 40
    assert [(i.dataset.name, i.dataset.digest) for i in run.inputs.dataset_inputs] == [
        ("data/pairs", "aaa.dir")
    ]
    other, new = registry.publish_run(uri, experiment, evaluate, workspace, "evaluation")
    assert new and client.get_run(other).data.metrics == {"pf-stage3.accuracy": 0.75}
    assert len(client.search_runs([experiment])) == before + 3


def test_without_a_live_run_the_curve_comes_from_the_outs(
    workspace: Path, store: tuple[str, Path]
) -> None:
    uri, artifacts = store
    experiment = runs.init(uri, artifacts)
    stage = registry.read_lock(workspace / "dvc.lock")[0]
    pulled = registry.LockedStage("pulled", "", {}, (), stage.outs)
    run_id, _ = registry.publish_run(uri, experiment, pulled, workspace, "training")
    history = runs.connect(uri).get_metric_history(run_id, "loss")
    assert {metric.step: metric.value for metric in history} == pytest.approx(
        {0: 10 / 3, 10: 1 / 3}, abs=1e-5
    )


def test_outs_that_are_not_on_disk_are_asked_for(workspace: Path, store: tuple[str, Path]) -> None:
    gone = registry.LockedStage("gone", "", {}, (), (registry.Hashed("models/gone", "e"),))
    with pytest.raises(UserError, match=r"models/gone is missing: run `dvc checkout`"):
        registry.publish_run(store[0], runs.init(*store), gone, workspace, "training")


def test_a_model_is_registered_once_loads_and_keeps_its_champion(
    workspace: Path, store: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow
    import pandas as pd

    monkeypatch.syspath_prepend(str(workspace))
    uri, artifacts = store
    experiment = runs.init(uri, artifacts)
    client = runs.connect(uri)
    run_id = client.create_run(experiment).info.run_id
    log = workspace / "runs/promotions.jsonl"
    assert registry.publish_model(uri, run_id, "one", served(workspace), log) == ("1", True)
    assert registry.publish_model(uri, run_id, "one", served(workspace), log) == ("1", False)
    assert registry.publish_model(uri, run_id, "two", served(workspace, "?"), log) == ("2", True)
    aliases = client.get_registered_model("loud-flamingo").aliases
    assert {alias: str(version) for alias, version in aliases.items()} == {
        "champion": "1",
        "candidate": "2",
    }
    moves = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(move["version"], move["aliases"]) for move in moves] == [
        ("1", {"candidate": "1", "champion": "1"}),
        ("2", {"candidate": "2", "champion": "1"}),
    ]
    # What is registered stands on its own: neither our folders nor our package are needed.
    shutil.move(workspace / "loudpackage", workspace / "elsewhere")
    for module in [name for name in sys.modules if name.startswith("loudpackage")]:
        del sys.modules[module]
    before = mlflow.get_tracking_uri()
    try:
        mlflow.set_tracking_uri(uri)
        model = mlflow.pyfunc.load_model("models:/loud-flamingo@candidate")
        frame = pd.DataFrame([{"instruction": "What?", "images": ["x", "y"]}])
        assert model.predict(frame)["response"].tolist() == ["What??W2"]
    finally:
        mlflow.set_tracking_uri(before)
        shutil.move(workspace / "elsewhere", workspace / "loudpackage")


def test_an_out_that_is_not_the_one_of_the_lock_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "models/x"
    make = "mkdir -p models/x/b && echo 1 > models/x/a.txt && echo 2 > models/x/b/c && echo 3 > n"
    stage = {"cmd": make, "outs": ["models/x"], "metrics": [{"n": {"cache": False}}]}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"x": stage}}))
    for command in (["init", "-q", "--no-scm"], ["repro", "-q"]):
        subprocess.run([sys.executable, "-m", "dvc", *command], cwd=tmp_path, check=True)
    (locked,) = registry.read_lock(tmp_path / "dvc.lock")
    registry.check_outs([locked], tmp_path)
    (folder / "b/c").chmod(0o644)
    (folder / "b/c").write_text("4\n")
    with pytest.raises(UserError, match=r"models/x is not the one dvc\.lock records: run `dvc"):
        registry.check_outs([locked], tmp_path)
    shutil.rmtree(folder)
    registry.check_outs([locked], tmp_path)


def test_where_dvc_cannot_tell_its_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"`dvc data status` failed in .*not inside of a DVC"):
        registry.check_outs([], tmp_path)
