"""MLflow runs: safe set-up of the store; a light live logger that a resumed training continues."""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import content_key
from polite_flamingo.core.tables import read_json, rounded, write_json

EXPERIMENT = "polite-flamingo"
KIND = "mlflow.experimentKind"
STAGE_TAG = "pf.stage"
# What a live run was started for: a hash of inputs and parameters (core.journal.content_key).
WORK_TAG = "pf.work_key"
COMMIT_TAG = "mlflow.source.git.commit"
BATCH = 1000
FLUSH_SECONDS = 15.0
PATIENCE_SECONDS = 20.0

_log = logging.getLogger(__name__)


def default_uri(runs: Path) -> str:
    """URI of the SQLite store in the untracked folder ``runs``."""
    return f"sqlite:///{(runs / 'mlflow.db').resolve()}"


def installed() -> bool:
    """Tell whether MLflow can be imported, without importing it."""
    from importlib.util import find_spec

    return find_spec("mlflow") is not None


def require() -> None:
    """Raise UserError where MLflow is not installed."""
    if not installed():
        raise UserError("MLflow is not installed: pip install 'polite-flamingo[mlflow]'")


def init(uri: str, artifacts: Path) -> str:
    """Create the store's tables and our experiment where they are missing; return its id.

    Two processes that create a SQLite store at once corrupt it for good, so this holds a lock on
    ``<database>.lock``. ``artifacts`` is where the experiment keeps files, made absolute. Raises
    UserError where nobody answers at ``uri``, and where the workspace's own store came with a copy of
    another workspace and keeps its files there.
    """
    if "://" not in uri and not uri.startswith("databricks"):
        raise UserError(
            f"{uri!r} is no MLflow URI: give http://HOST:PORT or sqlite:////FOLDER/mlflow.db"
        )
    client = _connect(uri)
    with _creation_lock(uri), one_line(uri), _impatient():
        found = client().get_experiment_by_name(EXPERIMENT)
        if found is not None:
            _check_location(uri, artifacts, str(found.artifact_location))
            number = str(found.experiment_id)
        else:
            location = artifacts.resolve().as_uri() if database(uri) else None
            number = str(client().create_experiment(EXPERIMENT, artifact_location=location))
        if found is None or KIND not in found.tags:
            # MLflow's UI opens our runs then, not a page for chats with an assistant.
            client().set_experiment_tag(number, KIND, "custom_model_development")
        return number


@contextmanager
def one_line(uri: str) -> Iterator[None]:
    """What MLflow complains of in the block becomes a UserError: one line that names the store."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise UserError(f"MLflow at {uri}: {_first_line(error)}") from error


@contextmanager
def _impatient() -> Iterator[None]:
    """MLflow asks a server once in the block; by itself it tries a dead one for minutes."""
    short = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
    before = {name: os.environ.get(name) for name in short}
    os.environ.update(short)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _check_location(uri: str, artifacts: Path, location: str) -> None:
    home = artifacts.resolve().parent
    if uri != default_uri(home):
        return
    files = Path(unquote(urlsplit(location).path))
    if not files.is_relative_to(home):
        raise UserError(
            f"{home / 'mlflow.db'} came with a copy: its files lie in {files}; remove it "
            "(`pf publish` fills a new one) or name another store with --uri"
        )


def connect(uri: str) -> Any:
    """An ``MlflowClient`` for tracking and registry at ``uri``; its store must be initialised."""
    return _connect(uri)()


class SilentRun:
    """Logs nowhere: MLflow is not installed, or there is no store to log to."""

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Forget the metrics."""

    def __enter__(self) -> SilentRun:
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing to end."""


class LiveRun:
    """A run in MLflow while a training goes on; a broken store never stops the training.

    MLflow takes seconds to import, so a training that ends within ``patience`` seconds never opens
    its run (``pf publish`` brings it in later); until then metrics wait here.
    """

    def __init__(self, start: Callable[[], tuple[Any, str, int]], patience: float) -> None:
        self._start = start
        self._due = time.monotonic() + patience
        self._waiting: list[tuple[str, float, int, int]] = []
        self._client: Any = None
        self._broken = False
        # A resumed training repeats the steps after its last checkpoint; the run has these.
        self._logged = -1
        self.run_id = ""

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Note the metrics of a step."""
        now = int(time.time() * 1000)
        self._waiting += [(name, float(value), now, step) for name, value in metrics.items()]
        if time.monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Send what is waiting, in one request."""
        waiting, self._waiting = self._waiting, []
        self._due = time.monotonic() + FLUSH_SECONDS
        self._attempt(lambda: self._send(waiting))

    def __enter__(self) -> LiveRun:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is None and time.monotonic() < self._due:
            return
        self.flush()
        status = "FINISHED" if kind is None else "FAILED"
        self._attempt(lambda: self._client.set_terminated(self.run_id, status))

    def _send(self, waiting: list[tuple[str, float, int, int]]) -> None:
        if self._client is None:
            self._client, self.run_id, self._logged = self._start()
        from mlflow.entities import Metric

        fresh = [Metric(*metric) for metric in waiting if metric[3] > self._logged]
        for at in range(0, len(fresh), BATCH):
            self._client.log_batch(self.run_id, metrics=fresh[at : at + BATCH])

    def _attempt(self, action: Callable[[], None]) -> None:
        if self._broken:
            return
        try:
            action()
        except Exception as error:
            # A locked or unreachable store costs the live curve, not the training.
            self._broken = True
            _log.warning("MLflow takes no metrics, going on without: %s", _first_line(error))


def open_run(
    uri: str | None,
    artifacts: Path,
    stage: str,
    key: str,
    params: Mapping[str, Any] | None = None,
    patience: float = PATIENCE_SECONDS,
) -> LiveRun | SilentRun:
    """The live run of ``stage`` for ``key``: a new one, or the one that a killed stage left.

    ``key`` is a hash of the training's inputs and parameters (``core.journal.content_key``), and
    ``params`` the parameter subtree to show. Use as a context manager and hand ``.log`` to
    ``training.fit``. Silent where ``uri`` is None or MLflow is not installed.
    """
    if uri is None or not installed():
        return SilentRun()
    store = uri

    def start() -> tuple[Any, str, int]:
        experiment = init(store, artifacts)
        client = connect(store)
        found = find_run(client, experiment, {STAGE_TAG: stage, WORK_TAG: key})
        if found is not None:
            client.update_run(found.info.run_id, status="RUNNING")
            return client, str(found.info.run_id), _last_step(client, found)
        tags = {STAGE_TAG: stage, WORK_TAG: key, "mlflow.runName": stage, "pf.kind": "training"}
        tags[COMMIT_TAG] = git_commit(artifacts.parent)
        run_id = str(client.create_run(experiment, tags=tags).info.run_id)
        log_params(client, run_id, params or {})
        return client, run_id, -1

    return LiveRun(start, patience)


def note_live_run(runs: Path, stage: str, key: str, curve: Mapping[str, Any]) -> None:
    """Note in ``runs/live`` which live run a curve comes from (outs hold nothing of the kind)."""
    (runs / "live").mkdir(parents=True, exist_ok=True)
    write_json(_note(runs, curve), {STAGE_TAG: stage, WORK_TAG: key})


def noted_live_run(runs: Path, curve: Mapping[str, Any]) -> dict[str, str]:
    """Tags of the live run that logged ``curve``, none where it is not known."""
    path = _note(runs, curve)
    return dict(read_json(path)) if path.is_file() else {}


def _note(runs: Path, curve: Mapping[str, Any]) -> Path:
    # As the outs hold it: numbers in files are rounded.
    return runs / "live" / f"{content_key(rounded(curve))}.json"


def git_commit(root: Path) -> str:
    """The commit checked out at ``root``, "" where it is no git repository or has no commit."""
    command = ["git", "-C", str(root), "rev-parse", "--verify", "--quiet", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def find_run(client: Any, experiment: str, tags: Mapping[str, str]) -> Any | None:
    """The newest run of the experiment that has all ``tags``, or None."""
    wanted = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    found = client.search_runs([experiment], filter_string=wanted, max_results=1)
    return found[0] if found else None


def log_params(client: Any, run_id: str, params: Mapping[str, Any]) -> None:
    """Log a parameter subtree as dotted names; what the run already has is left alone."""
    from mlflow.entities import Param

    known = client.get_run(run_id).data.params
    flat = {name: str(value)[:6000] for name, value in flatten(params).items()}
    fresh = [Param(name, value) for name, value in flat.items() if name not in known]
    for start in range(0, len(fresh), 100):
        client.log_batch(run_id, params=fresh[start : start + 100])


def flatten(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested mappings as one level of dotted names; lists stay values."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        dotted = f"{above}.{name}" if above else str(name)
        if isinstance(value, Mapping):
            flat |= flatten(value, dotted)
        else:
            flat[dotted] = value
    return flat


def _last_step(client: Any, run: Any) -> int:
    histories = [client.get_metric_history(run.info.run_id, name) for name in run.data.metrics]
    return max((metric.step for history in histories for metric in history), default=-1)


def _connect(uri: str) -> Callable[[], Any]:
    # Read by MLflow when it is imported.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    path = database(uri)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    from mlflow import MlflowClient

    for name in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return lambda: MlflowClient(uri, uri)


def database(uri: str) -> Path | None:
    """Path of a SQLite store, None for any other."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


@contextmanager
def _creation_lock(uri: str) -> Iterator[None]:
    path = database(uri)
    if path is None:
        yield
        return
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
