"""``pf publish`` with a real (tiny, untrained) Flamingo, and what the registered models answer."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.images import blank, png_bytes
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params, check_params
from polite_flamingo.core.profiles import profile_text
from polite_flamingo.core.tables import write_json
from polite_flamingo.serving.predict import Predictor, Settings
from polite_flamingo.stages.publish import publish
from polite_flamingo.tracking import runs

PROFILES = Path(__file__).parents[2] / "profiles"
IMAGE = base64.b64encode(png_bytes(blank(8))).decode()


@pytest.fixture(scope="module")
def params() -> Params:
    return check_params(yaml.safe_load(profile_text(PROFILES, "micro")), "micro")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved micro model."""
    from polite_flamingo.models.checkpoints import save_pretrained
    from polite_flamingo.models.configs import load_config
    from polite_flamingo.models.flamingo import build_flamingo
    from polite_flamingo.models.tokenizer import train_tokenizer

    config = load_config("micro")
    texts = [f"What is the {c} {s}?" for c in ("red", "blue") for s in ("circle", "square")]
    tokenizer = train_tokenizer(texts * 20, config.tokenizer.vocab_size, config.prompt)
    path = tmp_path_factory.mktemp("models") / "flamingo"
    save_pretrained(build_flamingo(config, tokenizer, seed=1), tokenizer, path)
    return path


@pytest.fixture
def workspace(tmp_path: Path, folder: Path) -> Layout:
    paths = Layout(tmp_path)
    outs = {"train_rewriter": paths.rewriter, "tune_stage3@pf": paths.clever("pf", 3)}
    for path in outs.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-r", str(folder), str(path)], check=True)
        write_json(path / "curve.json", {"step": [0, 10], "loss": [2.0, 1.0]})
    stages = {
        name: {"cmd": "x", "outs": [{"path": str(path.relative_to(tmp_path)), "md5": name}]}
        for name, path in outs.items()
    }
    stages["ingest"] = {"cmd": "x", "outs": [{"path": "data/samples", "md5": "i"}]}
    stages["report"] = {"cmd": "x", "outs": [{"path": "reports/metrics.json", "md5": "r"}]}
    write_json(paths.reports / "metrics.json", {"headline": {"kept_share": 0.5}})
    lock = {"schema": "2.0", "stages": stages}
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
    init = [sys.executable, "-m", "dvc", "init", "-q", "--no-scm"]
    subprocess.run(init, cwd=tmp_path, check=True)
    return paths


def test_publishing_twice_adds_nothing_and_both_models_answer(
    workspace: Layout,
    params: Params,
    store: tuple[str, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    import mlflow
    import pandas as pd

    uri, artifacts = store
    publish(params, workspace, uri)
    assert "3 new runs" in capsys.readouterr().out
    publish(params, workspace, uri)
    assert "0 new runs" in capsys.readouterr().out
    client = runs.connect(uri)
    report = runs.find_run(client, runs.init(uri, artifacts), {runs.STAGE_TAG: "report"})
    assert report is not None and report.data.metrics == {"headline.kept_share": 0.5}
    row = {"instruction": "What is the red circle?", "images": [IMAGE, IMAGE]}
    before = mlflow.get_tracking_uri()
    try:
        mlflow.set_tracking_uri(uri)
        for name, given in (
            ("polite-flamingo", {**row, "draft": "circle"}),
            ("clever-flamingo", row),
        ):
            # Other tests of this session register versions too: ask for the newest.
            model = mlflow.pyfunc.load_model(f"models:/{name}@candidate")
            answers = model.predict(pd.DataFrame([given]))["response"]
            assert len(answers) == 1 and isinstance(answers[0], str)
    finally:
        mlflow.set_tracking_uri(before)


def test_an_answer_is_that_of_the_pipeline_and_does_not_depend_on_its_neighbours(
    folder: Path,
) -> None:
    import pandas as pd

    predictor = Predictor(folder, Settings(role="chat", max_new_tokens=8))
    rows = [
        {"instruction": "What is the red circle?", "images": []},
        {"instruction": "What is the blue square?", "images": [IMAGE]},
        {"instruction": "What?", "images": [IMAGE, IMAGE], "draft": None},
    ]
    together = predictor.predict(pd.DataFrame(rows))["response"].tolist()
    alone = [predictor.predict(pd.DataFrame([row]))["response"][0] for row in rows]
    assert together == alone


@pytest.mark.parametrize(
    ("role", "row", "line"),
    [
        ("rewriter", {"instruction": "What?", "images": []}, "row 0: the rewriter needs a draft"),
        ("chat", {"instruction": "W", "draft": "x", "images": []}, "row 0: a chat model takes no"),
        ("chat", {"instruction": " ", "images": []}, "row 0: give an instruction"),
        ("chat", {"instruction": "W", "images": ["!"]}, "row 0: an image is not base64"),
        ("chat", {"instruction": "W", "images": ["aGk="]}, "row 0: an image cannot be read"),
    ],
)
def test_a_bad_request_names_its_row(
    folder: Path, role: str, row: dict[str, object], line: str
) -> None:
    import pandas as pd

    predictor = Predictor(folder, Settings(role=role, max_new_tokens=4))  # type: ignore[arg-type]
    with pytest.raises(UserError, match=line):
        predictor.predict(pd.DataFrame([row]))
