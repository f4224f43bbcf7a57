"""Each DVC stage as a Prefect flow that reproduces it: ``python -m flows.stages NAME``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from dvc.exceptions import ReproductionError
from dvc.lock import LockError
from dvc.repo import Repo
from dvc.stage.exceptions import StageCmdFailedError
from prefect import Flow, flow, task
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Completed, Failed
from prefect.tasks import Task

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import check_workspace

# A command that ends so fails again however often it runs: 2 is our UserError (a bad parameter or
# a missing file), 126 and 127 are the shell's "cannot run" and "not found".
OURS = frozenset({2, 126, 127})
RETRIES = 1
RETRY_SECONDS = 10
CACHED = "Cached"
STDERR = 2


class StageFailed(Exception):
    """One line that says why; ``retriable`` where the reason may be outside (killed, locked ...)."""

    def __init__(self, reason: str, retriable: bool) -> None:
        super().__init__(reason)
        self.retriable = retriable


def reproduce(root: Path, name: str) -> bool:
    """Reproduce one DVC stage, not its dependencies; tell whether it ran.

    False: unchanged. Raises :class:`StageFailed`. What the stage writes to stderr also goes to
    ``runs/flows/<stage>.log``, whose last line is the reason where the stage's command fails.
    """
    log = root.resolve() / "runs" / "flows" / f"{name.replace('/', '_')}.log"
    try:
        # DVC names stages, and resolves their paths, relative to the working directory.
        with chdir(root), Repo() as repo, _stderr_also_to(log):
            return bool(repo.reproduce(name, single_item=True))
    except LockError as error:
        raise StageFailed(_one_line(error), retriable=True) from error
    except ReproductionError as error:
        cause = error.__cause__ or error
        if not isinstance(cause, StageCmdFailedError):
            outside = isinstance(cause, (LockError, OSError))
            missing = isinstance(cause, FileNotFoundError)
            raise StageFailed(_one_line(cause), outside and not missing) from error
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


@task(retries=RETRIES, retry_delay_seconds=RETRY_SECONDS, retry_condition_fn=retriable)
def reproduce_stage(root: Path, name: str) -> State[Any]:
    """Reproduce a stage; ends as Completed, Cached (unchanged) or Failed with a one-line reason."""
    start = time.perf_counter()
    try:
        ran = reproduce(root, name)
    except StageFailed as error:
        return Failed(message=str(error), data=error)
    if not ran:
        return Completed(name=CACHED, message="unchanged: DVC has nothing to do")
    return Completed(message=f"ran in {time.perf_counter() - start:.1f} s")


def stage_task(name: str) -> Any:
    """The task of one stage, under its name."""
    return reproduce_stage.with_options(name=name, task_run_name=name)


def stage_flow(name: str) -> Flow[..., Any]:
    """The flow of one stage, under its name."""

    @flow(name=name, description=f"Reproduces the DVC stage {name}", persist_result=False)
    def reproduces(root: Path = Path(".")) -> State[Any]:
        return _own(stage_task(name)(root.resolve(), name, return_state=True))

    return reproduces


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
