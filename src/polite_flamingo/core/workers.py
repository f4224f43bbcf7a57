"""Worker processes that neither lose a Ctrl-C nor speak up about one."""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """Start a pool of forked processes, all of them now.

    An interrupt that comes during a fork would be lost: Python runs the modules' fork hooks then
    and only prints what they raise. It waits until the pool stands. Workers leave it to the
    parent: one that dies at it breaks the pool, which the pool tells in many lines.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("fork"))
    try:
        pool.submit(int)  # Forks all workers, which inherit the mask.
        signal.pthread_sigmask(signal.SIG_SETMASK, before)  # Raises what came meanwhile.
    except BaseException:
        pool.shutdown()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise
    return pool
