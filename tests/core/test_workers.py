"""Worker processes and Ctrl-C, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from polite_flamingo.core.workers import worker_pool

# Interrupts itself in the fork hook, where Python ignores exceptions.
DURING_THE_FORK = """
import os, signal
from polite_flamingo.core.workers import worker_pool
signal.signal(signal.SIGINT, signal.default_int_handler)
os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))
try:
    with worker_pool(2):
        print("the interrupt was lost")
except KeyboardInterrupt:
    print("interrupted")
"""
# Interrupts its whole group, as a terminal does, while one worker is busy and one idle.
WHILE_AT_WORK = """
import os, signal, time
from polite_flamingo.core.workers import worker_pool
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with worker_pool(2) as pool:
        busy = pool.submit(time.sleep, 2)
        os.killpg(os.getpgid(0), signal.SIGINT)
        busy.result()
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("code", [DURING_THE_FORK, WHILE_AT_WORK])
def test_ctrl_c_reaches_the_parent_alone_and_quietly(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        start_new_session=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


def test_workers_work() -> None:
    with worker_pool(2) as pool:
        assert list(pool.map(abs, range(-3, 3))) == [3, 2, 1, 0, 1, 2]
