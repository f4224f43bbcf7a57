"""Which samples a training step sees: pure functions of (seed, step)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from polite_flamingo.core.seeds import generator

# Batches whose samples are sorted by length together, so that little padding is needed.
BUCKET_BATCHES = 16

Batches = list[np.ndarray]


def batch_indices(count: int, batch_size: int, seed: int, step: int) -> np.ndarray:
    """Indices of one step: [batch_size] int64 out of ``count``, epoch by epoch without repetition.

    An epoch's last, incomplete batch is dropped; fewer than ``batch_size`` samples are all taken.
    """
    size = min(batch_size, count)
    epoch, place = divmod(step, count // size)
    return _permutation(count, seed, epoch)[place * size : (place + 1) * size]


@lru_cache(maxsize=8)
def _permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    return generator(seed, "order", epoch).permutation(count)


def bucketed_epoch(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> Batches:
    """Batches of one epoch whose members have similar lengths, in random order."""
    rng = generator(seed, "bucketed", epoch)
    order = rng.permutation(len(lengths))
    window = batch_size * BUCKET_BATCHES
    batches: Batches = []
    for start in range(0, len(order), window):
        part = order[start : start + window]
        part = part[np.argsort(np.asarray(lengths)[part], kind="stable")]
        batches += [part[at : at + batch_size] for at in range(0, len(part), batch_size)]
    full = [batch for batch in batches if len(batch) == batch_size] or batches
    return [full[index] for index in rng.permutation(len(full))]


def weighted_indices(weights: Sequence[float], batch_size: int, seed: int, step: int) -> np.ndarray:
    """Indices of one step drawn with replacement in proportion to ``weights``: [batch_size]."""
    cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
    draws = generator(seed, "weighted", step).random(batch_size) * cumulative[-1]
    return np.searchsorted(cumulative, draws, side="right")


def by_step(epoch_batches: Callable[[int], Sequence[np.ndarray]]) -> Callable[[int], np.ndarray]:
    """Turn "batches of epoch e" (any number of batches an epoch) into "batch of step s"."""
    sizes: list[int] = []
    current: tuple[int, Sequence[np.ndarray]] = (-1, [])

    def batches(epoch: int) -> Sequence[np.ndarray]:
        # Only the newest epoch is kept in memory, of the others only their sizes.
        nonlocal current
        if current[0] != epoch:
            current = (epoch, epoch_batches(epoch))
        return current[1]

    def batch(step: int) -> np.ndarray:
        start, epoch = 0, 0
        while True:
            if epoch == len(sizes):
                sizes.append(len(batches(epoch)))
            if sizes[epoch] == 0:
                raise ValueError("an epoch without batches")
            if step < start + sizes[epoch]:
                return batches(epoch)[step - start]
            start += sizes[epoch]
            epoch += 1

    return batch
