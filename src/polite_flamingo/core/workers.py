"""Worker processes that neither lose a Ctrl-C nor speak up about one."""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """Start a pool of forked processes, all of them now.

    An interrupt that comes during a fork would be lost: Python runs the modules' fork hooks then
    and only prints what they raise. It waits until the pool stands. The workers of an interrupted
    group end without a word; the parent tells the user.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("fork"), initializer=_leave_at_interrupt
    )
    try:
        pool.submit(int)  # Forks all workers.
        signal.pthread_sigmask(signal.SIG_SETMASK, before)  # Raises what came meanwhile.
    except BaseException:
        pool.shutdown()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise
    return pool


def _leave_at_interrupt() -> None:
    # A background job of a script inherits that SIGINT is ignored, and its workers go on doing so.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
