"""Each DVC stage as a Prefect flow that reproduces it: ``python -m flows.stages NAME``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from dvc.exceptions import ReproductionError
from dvc.lock import LockError
from dvc.repo import Repo
from dvc.stage.exceptions import StageCmdFailedError
from prefect import Flow, flow, get_run_logger, task
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Completed, Failed
from prefect.tasks import Task

from flows.failures import tell_failure
from flows.limits import load_limits, only_one
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import check_workspace

# A command that ends so fails again however often it runs: 2 is our UserError (a bad parameter or
# a missing file), 126 and 127 are the shell's "cannot run" and "not found".
OURS = frozenset({2, 126, 127})
CACHED = "Cached"
PROGRESS_SECONDS = 10.0
STDERR = 2


class StageFailed(Exception):
    """One line of why; ``retriable`` where the reason may be outside (killed, locked ...)."""

    def __init__(self, reason: str, retriable: bool) -> None:
        super().__init__(reason)
        self.retriable = retriable


def reproduce(
    root: Path,
    name: str,
    timeout: float | None = None,
    say: Callable[[str], None] | None = None,
) -> bool:
    """Reproduce one DVC stage, not its dependencies; tell whether it ran.

    False: unchanged. Raises :class:`StageFailed`. After ``timeout`` seconds the stage is killed;
    ``say`` gets its last line from time to time. What the stage writes to stderr also goes to
    ``runs/flows/<stage>.log``, whose last line is the reason where the stage's command fails.
    """
    log = root.resolve() / "runs" / "flows" / f"{name.replace('/', '_')}.log"
    watch = _Watch(log, timeout, say)
    try:
        # DVC names stages, and resolves their paths, relative to the working directory.
        with chdir(root), Repo() as repo, _stderr_also_to(log), watch:
            return bool(repo.reproduce(name, single_item=True))
    except LockError as error:
        raise StageFailed(_one_line(error), retriable=True) from error
    except ReproductionError as error:
        cause = error.__cause__ or error
        if not isinstance(cause, StageCmdFailedError):
            outside = isinstance(cause, (LockError, OSError))
            missing = isinstance(cause, FileNotFoundError)
            raise StageFailed(_one_line(cause), outside and not missing) from error
        if watch.killed:
            said = f"stage {name} took longer than {timeout:g} s and was killed (flows/limits.yaml)"
            raise StageFailed(said, retriable=False) from error
        status = re.search(r", exited with (-?\d+)$", str(cause))
        code = int(status[1]) if status else 1
        said = _last_line(log) or f"the command of stage {name} failed without a word"
        raise StageFailed(f"{said} (exit code {code})", code not in OURS) from error
    except Exception as error:  # a broken dvc.yaml, a stage that does not exist
        raise StageFailed(_one_line(error), retriable=False) from error


def retriable(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Prefect's retry condition: only where the reason may be outside."""
    error = state.data
    return isinstance(error, StageFailed) and error.retriable


class _Watch:
    """A thread beside a running stage: tells its progress, kills it when its time is over."""

    def __init__(self, log: Path, timeout: float | None, say: Callable[[str], None] | None) -> None:
        self.killed = False
        self._log, self._say = log, say
        self._end = None if timeout is None else time.monotonic() + timeout
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._known = {child.pid for child in psutil.Process().children(recursive=True)}

    def __enter__(self) -> None:
        # The tee of the stage's stderr is no part of the stage.
        self._known |= {child.pid for child in psutil.Process().children(recursive=True)}
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        shown, due = "", time.monotonic() + PROGRESS_SECONDS
        while not self._over.wait(0.2):
            now = time.monotonic()
            if self._end is not None and now > self._end:
                self.killed = True
                self._kill()
            if self._say is not None and now > due:
                due = now + PROGRESS_SECONDS
                line = _last_line(self._log)
                if line and line != shown:
                    self._say(line)
                    shown = line

    def _kill(self) -> None:
        for child in psutil.Process().children(recursive=True):
            if child.pid not in self._known:
                with suppress(psutil.NoSuchProcess):
                    child.kill()


@task(retry_condition_fn=retriable)
def reproduce_stage(root: Path, name: str) -> State[Any]:
    """Reproduce a stage; ends as Completed, Cached (unchanged) or Failed with a one-line reason."""
    start = time.perf_counter()
    try:
        limit = load_limits().of(name)
        ran = reproduce(root, name, limit.timeout_seconds, get_run_logger().info)
    except StageFailed as error:
        return Failed(message=str(error), data=error)
    if not ran:
        return Completed(name=CACHED, message="unchanged: DVC has nothing to do")
    return Completed(message=f"ran in {time.perf_counter() - start:.1f} s")


def stage_task(name: str) -> Any:
    """The task of one stage, under its name, with its retries."""
    limit = load_limits().of(name)
    return reproduce_stage.with_options(
        name=name,
        task_run_name=name,
        retries=limit.retries,
        retry_delay_seconds=limit.retry_seconds,
    )


@flow(name="stage", flow_run_name="{name}", persist_result=False, on_failure=[tell_failure])
def stage(name: str, root: Path = Path(".")) -> State[Any]:
    """Reproduce one DVC stage of the workspace at ``root``."""
    return _alone(name, root.resolve())


def stage_flow(name: str) -> Flow[..., Any]:
    """The flow of one stage, under its name."""

    @flow(
        name=name,
        description=f"Reproduces the DVC stage {name}",
        persist_result=False,
        on_failure=[tell_failure],
    )
    def reproduces(root: Path = Path(".")) -> State[Any]:
        return _alone(name, root.resolve())

    return reproduces


def _alone(name: str, root: Path) -> State[Any]:
    try:
        with only_one(root):
            return _own(stage_task(name)(root, name, return_state=True))
    except UserError as error:
        return Failed(message=str(error))


def _own(state: State[Any]) -> State[Any]:
    """The task's outcome as the flow's: a copy that belongs to no run yet."""
    return State(type=state.type, name=state.name, message=state.message)


@contextmanager
def _stderr_also_to(log: Path) -> Iterator[None]:
    # DVC hands its own stderr to the stage, so this is done to the file descriptor.
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    terminal = os.dup(STDERR)
    # A session of its own: Ctrl-C is for the stage, whose last words are still to be copied.
    tee = subprocess.Popen(
        ["tee", str(log)], stdin=subprocess.PIPE, stdout=terminal, start_new_session=True
    )
    assert tee.stdin is not None
    try:
        os.dup2(tee.stdin.fileno(), STDERR)
        tee.stdin.close()
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, STDERR)
        os.close(terminal)
        try:
            tee.wait(timeout=5)
        except subprocess.TimeoutExpired:  # something the stage left behind still holds the pipe
            tee.kill()


def _last_line(log: Path) -> str:
    if not log.is_file():
        return ""
    # A bar overwrites itself: splitlines takes its carriage returns for ends of lines, too.
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    # Prefect's own log lines ("21:09:06.123 | INFO | ...") may be among them.
    said = [line for line in lines if line and not re.match(r"\d\d:\d\d:\d\d\.\d+ \|", line)]
    return said[-1] if said else ""


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def main(arguments: list[str]) -> int:
    """Run one stage's flow on the server of PREFECT_API_URL, or on a temporary one."""
    if len(arguments) != 1:
        print("usage: python -m flows.stages STAGE", file=sys.stderr)
        return 2
    try:
        check_workspace(Path("."))
    except UserError as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 2
    run: Any = stage_flow(arguments[0])
    state: State[Any] = run(return_state=True)
    print(f"{arguments[0]}: {state.name}: {state.message}")
    return 0 if state.is_completed() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
