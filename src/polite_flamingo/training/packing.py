"""Multi-turn augmentation: fill the context with further samples instead of padding.

METHOD section 6: later turns carry no system sentence, every response ends in EOS, and the loss is
on responses only; so nothing is wasted, and the model learns which image a turn is about.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polite_flamingo.core.seeds import generator


def packed_epoch(
    first: Sequence[int],
    later: Sequence[int],
    images: Sequence[int],
    max_length: int,
    max_images: int,
    seed: int,
    epoch: int,
    pack: bool = True,
) -> list[list[int]]:
    """Group the samples of one epoch into contexts; every sample is in exactly one.

    ``first`` and ``later`` are lengths in tokens as the first turn (with the system sentence) and
    as a later one; a context holds at most ``max_length`` tokens and ``max_images`` images.
    Samples are taken in random order; one that doesn't fit waits for the next context that it
    fits. Without ``pack`` each sample has a context of its own. Raises ValueError for a sample
    that fits no context.
    """
    order = generator(seed, "packing", epoch).permutation(len(first))
    contexts: list[list[int]] = []
    # Contexts with room: few at a time keeps it linear, many keeps it full.
    room: list[tuple[list[int], int, int]] = []
    for index in (int(value) for value in order):
        if first[index] > max_length or images[index] > max_images:
            raise ValueError(f"sample {index}: {first[index]} tokens, {images[index]} images")
        placed = False
        for place, (context, tokens, pictures) in enumerate(room if pack else ()):
            if tokens + later[index] <= max_length and pictures + images[index] <= max_images:
                context.append(index)
                room[place] = (context, tokens + later[index], pictures + images[index])
                placed = True
                break
        if not placed:
            context = [index]
            contexts.append(context)
            room.append((context, first[index], images[index]))
            if len(room) > 8:
                room.pop(0)
    return contexts


def context_batches(contexts: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Shuffle contexts into batches: arrays of [batch_size] indices, the last one may be short."""
    order = generator(seed, "contexts", epoch).permutation(contexts)
    batches = [order[at : at + batch_size] for at in range(0, contexts, batch_size)]
    # A short last batch would have other weight a sample than the rest.
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) < batch_size else batches
