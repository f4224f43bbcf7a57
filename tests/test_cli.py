"""``pf``: what a person mistypes is one line on stderr and exit status 2."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from polite_flamingo.cli import main
from polite_flamingo.core.params import load_params

ROOT = Path(__file__).parents[1]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """`pf` sets variables for the process that it is alone in."""
    saved = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(saved)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "profiles").mkdir()
    for name in ("nano", "micro"):
        text = (ROOT / f"profiles/{name}.yaml").read_text(encoding="utf-8")
        (tmp_path / f"profiles/{name}.yaml").write_text(text, encoding="utf-8")
        if name == "nano":
            (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def pf(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in the workspace: exit status, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["--root", str(workspace), *arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def set_params(workspace: Path, **changes: object) -> None:
    path = workspace / "params.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes), encoding="utf-8")


def complaint(result: tuple[int, str, str]) -> str:
    """The one line of a command that failed for the user."""
    status, _, err = result
    assert status == 2
    assert err.startswith("pf: ") and err.endswith("\n") and err.count("\n") == 1
    return err


def test_an_unknown_stage_names_the_known_ones(pf: Run) -> None:
    said = complaint(pf("stage", "rewrit"))
    assert "no stage 'rewrit'" in said
    assert "train_rewriter, rewrite, filter" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"threads": "two"}, "params.yaml: threads: Input should be a valid integer"),
        ({"thread": 2}, "params.yaml: thread: Unexpected keyword argument, got 2"),
        ({"rewrite": {"sources": []}}, "params.yaml: rewrite."),
    ],
)
@pytest.mark.parametrize("command", [["stage", "generate"], ["publish"]])
def test_wrong_params_are_named(
    pf: Run, workspace: Path, changes: dict[str, object], said: str, command: list[str]
) -> None:
    set_params(workspace, **changes)
    assert said in complaint(pf(*command))
    assert not (workspace / "data").exists()


def test_params_that_are_missing_or_no_yaml_are_named(pf: Run, workspace: Path) -> None:
    (workspace / "params.yaml").write_text("a: [1\nb: {")
    assert "params.yaml: not YAML" in complaint(pf("stage", "generate"))
    (workspace / "params.yaml").unlink()
    assert "params.yaml is missing" in complaint(pf("stage", "generate"))


@pytest.mark.parametrize(
    "arguments", [[], ["pf"], ["pf", "4"], ["nice", "1"], ["pf", "1", "2"], ["1", "pf"]]
)
def test_tune_asks_for_a_variant_and_a_stage(pf: Run, arguments: list[str]) -> None:
    assert "tune takes a variant (pf, raw) and a stage" in complaint(
        pf("stage", "tune", *arguments)
    )


def test_other_stages_take_no_arguments(pf: Run) -> None:
    assert "stage generate takes no arguments, got x y" in complaint(
        pf("stage", "generate", "x", "y")
    )


def test_a_missing_input_of_a_stage_is_one_line(pf: Run, workspace: Path) -> None:
    said = complaint(pf("stage", "distort"))
    assert "is missing: run the stage that writes it" in said
    assert not (workspace / "runs/timings.jsonl").exists(), "a failed stage has no timing"


def test_a_stage_runs_and_its_time_is_shown(pf: Run, workspace: Path) -> None:
    tree = yaml.safe_load((workspace / "params.yaml").read_text())
    counts = {"shapes_judges": {"train": 2, "test": 1}, "shapes_vsr": {"test": 1}}
    set_params(workspace, generate=tree["generate"] | {"counts": counts, "judge_examples": 8})
    status, out, _ = pf("stage", "generate")
    assert status == 0
    assert out == "[generate] nano\n"
    assert (workspace / "data/scenes/scenes.parquet").is_file()
    with (workspace / "runs/timings.jsonl").open("a") as lines:
        for stage, seconds in (("tune pf 1", 30.0), ("generate", 10.0)):
            lines.write(json.dumps({"stage": stage, "started": 0, "seconds": seconds}) + "\n")
    status, out, _ = pf("timings")
    assert status == 0
    rows = [line.rsplit(maxsplit=2) for line in out.splitlines()[1:3]]
    assert [[name.strip(), *rest] for name, *rest in rows] == [
        ["generate", "10.0", "25.0%"],
        ["tune pf 1", "30.0", "75.0%"],
    ]
    assert out.splitlines()[-1].split() == ["total", "40.0"]


def test_where_all_outs_came_from_the_cache_there_are_no_timings(pf: Run) -> None:
    status, out, _ = pf("timings")
    assert status == 0 and "no stage ran here" in out


def test_profiles_are_listed_shown_and_used(pf: Run, workspace: Path) -> None:
    status, out, _ = pf("profile", "list")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == ["micro", "nano"]
    before = (workspace / "params.yaml").read_text()
    status, shown, _ = pf("profile", "show", "micro")
    assert status == 0
    assert (workspace / "params.yaml").read_text() == before
    status, out, _ = pf("profile", "use", "micro")
    assert (status, out) == (0, "params.yaml is now the profile micro\n")
    assert (workspace / "params.yaml").read_text() == shown
    assert load_params(workspace / "params.yaml").profile == "micro"


@pytest.mark.parametrize("action", ["use", "show"])
def test_use_and_show_need_a_name(
    pf: Run, workspace: Path, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "params.yaml").write_text("seed: mine\n")
    with pytest.raises(SystemExit) as caught:
        pf("profile", action)
    assert caught.value.code == 2
    assert "needs the NAME of a profile" in capsys.readouterr().err
    assert (workspace / "params.yaml").read_text() == "seed: mine\n"


def test_edits_that_a_profile_replaces_are_kept_and_named(pf: Run, workspace: Path) -> None:
    set_params(workspace, seed=77)
    edited = (workspace / "params.yaml").read_text()
    # Of another profile only: it does not hide that these are edits.
    (workspace / "profiles/bad.yaml").write_text("extends: nano\nthreads: two\n")
    status, out, _ = pf("profile", "use", "micro")
    kept = workspace / "runs/params.replaced.yaml"
    assert status == 0 and out.splitlines()[1] == f"it held edits; they are kept in {kept}"
    assert kept.read_text() == edited
    assert load_params(workspace / "params.yaml").profile == "micro"
    kept.unlink()
    assert pf("profile", "use", "nano")[1].count("\n") == 1 and not kept.exists()


@pytest.mark.parametrize(
    "command",
    [["stage", "generate"], ["profile", "list"], ["profile", "use", "nano"], ["publish"]],
)
def test_outside_a_workspace_the_clone_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    status = main(["--root", str(tmp_path), *command])
    said = complaint((status, "", capsys.readouterr().err))
    assert f"{tmp_path} is no workspace" in said and "cd to your clone" in said
    assert list(tmp_path.iterdir()) == []


def test_without_profiles_none_is_listed_as_known(pf: Run, workspace: Path) -> None:
    for profile in (workspace / "profiles").iterdir():
        profile.unlink()
    for command in (["list"], ["use", "nano"]):
        assert "no profiles in " in complaint(pf("profile", *command))


@pytest.mark.parametrize("command", [["profile", "use", "micro"], ["stage", "generate"]])
def test_what_cannot_be_written_is_one_line(workspace: Path, command: list[str]) -> None:
    before = (workspace / "params.yaml").read_text()
    done = subprocess.run(
        [sys.executable, "-m", "polite_flamingo", *command],
        cwd=workspace,
        capture_output=True,
        text=True,
        # As on a full disk: no file takes a byte.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )
    assert "too large" in complaint((done.returncode, "", done.stderr))
    assert (workspace / "params.yaml").read_text() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_one_line(pf: Run, workspace: Path) -> None:
    workspace.chmod(0o555)
    try:
        assert "Permission denied" in complaint(pf("profile", "use", "micro"))
    finally:
        workspace.chmod(0o755)


def test_a_full_disk_under_what_is_written_in_rust_is_one_line(
    pf: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(params: object, paths: object) -> None:
        from tokenizers import Tokenizer, models

        Tokenizer(models.BPE()).save("/dev/full")

    monkeypatch.setattr("polite_flamingo.stages.resolve", lambda *_: save)
    assert "No space left on device" in complaint(pf("stage", "base_tokenizer"))


def test_a_defect_of_ours_keeps_its_traceback(pf: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(params: object, paths: object) -> None:
        raise FileNotFoundError(2, "no such file", "x")

    monkeypatch.setattr("polite_flamingo.stages.resolve", lambda *_: breaks)
    with pytest.raises(FileNotFoundError):
        pf("stage", "report")


def test_a_reader_who_leaves_early_gets_no_traceback(workspace: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "polite_flamingo", "sources"],
        cwd=workspace,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 141


def test_ctrl_c_is_one_line_and_130(workspace: Path) -> None:
    # What a background job of a script inherits: SIGINT ignored.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from polite_flamingo.cli import run; run()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "stage", "generate"],
        cwd=workspace,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "[generate] nano\n"
    os.killpg(process.pid, signal.SIGINT)  # to its workers too, as a terminal does
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "pf: interrupted; run again to go on\n")


def test_ctrl_c_in_a_training_is_told_apart_from_an_exit(
    pf: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leaves(params: object, paths: object) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            sys.exit(1)  # as Lightning does

    monkeypatch.setattr("polite_flamingo.stages.resolve", lambda *_: leaves)
    assert pf("stage", "base_lm")[0] == 130


def test_an_unknown_or_wrong_profile_leaves_the_params_alone(pf: Run, workspace: Path) -> None:
    before = (workspace / "params.yaml").read_text()
    assert "no profile 'pico'; there are: micro, nano" in complaint(pf("profile", "use", "pico"))
    (workspace / "profiles/bad.yaml").write_text("extends: nano\nthreads: two\n")
    assert "profiles/bad.yaml: threads: " in complaint(pf("profile", "use", "bad"))
    assert (workspace / "params.yaml").read_text() == before


@pytest.mark.parametrize("arguments", [[], ["stages"], ["stage"], ["profile", "delete"]])
def test_an_unknown_command_exits_with_2_and_one_line(
    pf: Run, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        pf(*arguments)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("pf") and said.count("\n") == 1


@pytest.mark.parametrize("option", ["--limit", "--max-side"])
def test_ingest_takes_no_negative_numbers(pf: Run, option: str) -> None:
    assert f"{option} -5: expected 0" in complaint(pf("ingest", "easy_vqa", option, "-5"))


def test_the_process_exits_with_2_and_one_line(workspace: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "polite_flamingo", "stage", "nothing"],
        cwd=workspace,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("pf: no stage 'nothing'") and done.stderr.count("\n") == 1


def test_a_missing_extra_is_one_line_that_names_it(
    pf: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a light install finds when a stage needs more.
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.delitem(sys.modules, "polite_flamingo.reports.page", raising=False)
    monkeypatch.setattr("polite_flamingo.stages.resolve", lambda *_: _needs_jinja)
    said = complaint(pf("stage", "report"))
    assert said == "pf: jinja2 is not installed: pip install 'polite-flamingo[report]'\n"


def _needs_jinja(params: object, paths: object) -> None:
    import jinja2  # noqa: F401


def test_every_extra_that_is_named_exists() -> None:
    import tomllib

    from polite_flamingo.cli import _EXTRAS

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(_EXTRAS.values()) <= set(project["optional-dependencies"])
