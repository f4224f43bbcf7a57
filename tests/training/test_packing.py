"""Contexts filled with samples: each once an epoch, never over the limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.training.packing import context_batches, packed_epoch

MAX_LENGTH, MAX_IMAGES = 40, 3
# (length as first turn, as a later one, images)
SAMPLES = st.lists(
    st.tuples(st.integers(1, MAX_LENGTH), st.integers(1, 60), st.integers(0, MAX_IMAGES)),
    max_size=40,
)
SEED = st.integers(0, 2**40)


def packed(
    samples: list[tuple[int, int, int]], seed: int = 0, epoch: int = 0, pack: bool = True
) -> list[list[int]]:
    first, later, images = ([sample[column] for sample in samples] for column in range(3))
    return packed_epoch(first, later, images, MAX_LENGTH, MAX_IMAGES, seed, epoch, pack)


@given(SAMPLES, SEED, st.integers(0, 3), st.booleans())
def test_every_sample_is_once_in_an_epoch_and_limits_hold(
    samples: list[tuple[int, int, int]], seed: int, epoch: int, pack: bool
) -> None:
    contexts = packed(samples, seed, epoch, pack)
    assert sorted(index for context in contexts for index in context) == list(range(len(samples)))
    for head, *rest in contexts:
        assert samples[head][0] + sum(samples[index][1] for index in rest) <= MAX_LENGTH
        assert sum(samples[index][2] for index in (head, *rest)) <= MAX_IMAGES
        assert pack or not rest


def test_contexts_are_filled() -> None:
    contexts = packed([(12, 9, 0)] * 20)
    assert [len(context) for context in contexts] == [4] * 5


def test_images_fill_a_context_too() -> None:
    assert [len(context) for context in packed([(2, 1, 1)] * 12)] == [3] * 4


def test_what_does_not_fit_waits_for_the_next_context_with_room() -> None:
    # Long ones don't close a context that short ones still fit into.
    contexts = packed([(30, 30, 0)] * 4 + [(10, 10, 0)] * 4)
    assert len(contexts) <= 5
    assert sum(len(context) for context in contexts) == 8


def test_an_epoch_depends_on_seed_and_epoch_only() -> None:
    samples = [(5 + number % 9, 4 + number % 9, number % 2) for number in range(60)]
    first = packed(samples, seed=1, epoch=0)
    assert packed(samples, seed=1, epoch=1) != first != packed(samples, seed=2, epoch=0)
    assert packed(samples, seed=1, epoch=0) == first


@pytest.mark.parametrize("sample", [(MAX_LENGTH + 1, 5, 0), (5, 5, MAX_IMAGES + 1)])
def test_a_sample_that_fits_no_context_is_an_error(sample: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="sample 1: "):
        packed([(5, 5, 0), sample])


@given(st.integers(1, 40), st.integers(1, 9), SEED)
def test_batches_of_contexts_repeat_nothing(contexts: int, size: int, seed: int) -> None:
    batches = context_batches(contexts, size, seed, 0)
    seen = np.concatenate(batches).tolist()
    assert len(set(seen)) == len(seen)
    assert set(seen) <= set(range(contexts))
    if contexts < size:
        assert len(seen) == contexts
    else:
        assert {len(batch) for batch in batches} == {size}
        assert len(seen) > contexts - size


def test_batches_are_in_another_order_each_epoch() -> None:
    def epoch(seed: int, number: int) -> list[list[int]]:
        return [batch.tolist() for batch in context_batches(30, 4, seed, number)]

    assert epoch(1, 0) == epoch(1, 0)
    assert epoch(1, 1) != epoch(1, 0) != epoch(2, 0)
