"""The only place where a seed is derived: (seed, stage, sample id) -> random state."""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *names: str | int) -> int:
    """Derive a 63-bit seed from a base seed and a path of names.

    Independent of order of calls, time, worker count and ``hash()``: equal arguments give equal
    seeds on every machine.
    """
    # Type and length are part of the message, so ("ab", "c") and ("a", "bc") differ.
    texts = [f"{type(part).__name__}:{part}" for part in (seed, *names)]
    message = "".join([f"{len(text)}:{text};" for text in texts])
    digest = hashlib.blake2b(message.encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Make a NumPy generator (PCG64) seeded with :func:`derive`."""
    return np.random.Generator(np.random.PCG64(derive(seed, *names)))


def unit(seed: int, *names: str | int) -> float:
    """Draw one number in [0, 1) for a name: shares and splits that never move."""
    return derive(seed, *names) / float(1 << 63)
