"""The order of samples: epochs without repetition, and nothing but (seed, step) decides."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.training.order import (
    BUCKET_BATCHES,
    batch_indices,
    bucketed_epoch,
    by_step,
    weighted_indices,
)

COUNT = st.integers(1, 40)
SIZE = st.integers(1, 12)
SEED = st.integers(0, 2**40)


@given(COUNT, SIZE, SEED, st.integers(0, 3))
def test_an_epoch_of_steps_repeats_nothing(count: int, size: int, seed: int, epoch: int) -> None:
    full = min(size, count)
    steps = count // full
    batches = [batch_indices(count, size, seed, epoch * steps + place) for place in range(steps)]
    assert all(len(batch) == full for batch in batches)
    seen = np.concatenate(batches).tolist()
    assert len(set(seen)) == len(seen) > count - full
    assert set(seen) <= set(range(count))


def test_a_step_depends_on_seed_and_step_only() -> None:
    first = [batch_indices(30, 7, 1, step).tolist() for step in range(12)]
    for seed, step in [(9, 3), (1, 400), (2, 0)]:
        batch_indices(30, 7, seed, step)
    assert [batch_indices(30, 7, 1, step).tolist() for step in reversed(range(12))] == first[::-1]
    assert first[:4] != first[4:8], "the next epoch has another order"
    assert first != [batch_indices(30, 7, 2, step).tolist() for step in range(12)]


@given(st.lists(st.integers(1, 300), min_size=1, max_size=120), SIZE, SEED, st.integers(0, 3))
def test_a_bucketed_epoch_repeats_nothing(
    lengths: list[int], size: int, seed: int, epoch: int
) -> None:
    batches = bucketed_epoch(lengths, size, seed, epoch)
    seen = np.concatenate(batches).tolist()
    assert len(set(seen)) == len(seen)
    if len(lengths) < size:
        assert sorted(seen) == list(range(len(lengths)))
    else:
        assert all(len(batch) == size for batch in batches)
        assert len(lengths) - size < len(seen) <= len(lengths)


def test_bucketed_batches_have_members_of_similar_length() -> None:
    lengths = np.random.default_rng(0).integers(1, 1000, 8 * BUCKET_BATCHES * 3)
    batches = bucketed_epoch(lengths.tolist(), 8, seed=0, epoch=0)

    def padding(groups: list[np.ndarray]) -> int:
        return sum(int((lengths[group].max() - lengths[group]).sum()) for group in groups)

    plain = [batch_indices(len(lengths), 8, 0, step) for step in range(len(batches))]
    assert padding(batches) < 0.2 * padding(plain)
    means = [lengths[batch].mean() for batch in batches]
    assert means != sorted(means), "short batches don't all come first"


def test_bucketed_epochs_are_pure_and_differ() -> None:
    lengths = [number % 17 for number in range(100)]

    def epoch(seed: int, number: int) -> list[list[int]]:
        return [batch.tolist() for batch in bucketed_epoch(lengths, 9, seed, number)]

    first = epoch(1, 0)
    assert epoch(1, 1) != first != epoch(2, 0)
    assert epoch(1, 0) == first


def drawn(weights: list[float], steps: int, size: int = 50, seed: int = 3) -> np.ndarray:
    """How often each index is drawn."""
    batches = [weighted_indices(weights, size, seed, step) for step in range(steps)]
    return np.bincount(np.concatenate(batches), minlength=len(weights))


def test_weighted_draws_come_in_proportion() -> None:
    weights = [1.0, 0.0, 3.0, 6.0]
    shares = drawn(weights, 200) / 10_000
    assert np.abs(shares - np.array(weights) / 10).max() < 0.02


@given(st.lists(st.sampled_from([0.0, 0.25, 1.0, 1e-3, 40.0]), min_size=1, max_size=9), SEED)
def test_what_has_no_weight_is_never_drawn(weights: list[float], seed: int) -> None:
    if not any(weights):
        weights.append(1.0)
    chosen = weighted_indices(weights, 32, seed, 0)
    assert chosen.shape == (32,)
    assert all(weights[index] > 0 for index in chosen)


def test_a_weighted_step_depends_on_seed_and_step_only() -> None:
    weights = [1.0] * 100
    first = weighted_indices(weights, 20, 5, 7)
    weighted_indices(weights, 20, 5, 6)
    assert np.array_equal(weighted_indices(weights, 20, 5, 7), first)
    assert not np.array_equal(weighted_indices(weights, 20, 5, 8), first)
    assert not np.array_equal(weighted_indices(weights, 20, 6, 7), first)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.randoms())
def test_steps_count_through_epochs_of_any_size(sizes: list[int], order: object) -> None:
    def epoch(number: int) -> list[np.ndarray]:
        return [np.array([number, place]) for place in range(sizes[number % len(sizes)])]

    expected = [
        [number, place] for number, size in enumerate(sizes) for place in range(size)
    ]  # of the first epochs
    choose = by_step(epoch)
    assert [choose(step).tolist() for step in range(len(expected))] == expected
    steps = list(range(len(expected)))
    order.shuffle(steps)  # type: ignore[attr-defined]
    resumed = by_step(epoch)
    assert [resumed(step).tolist() for step in steps] == [expected[step] for step in steps]


def test_an_epoch_is_made_once_while_its_steps_follow_each_other() -> None:
    made: list[int] = []

    def epoch(number: int) -> list[np.ndarray]:
        made.append(number)
        return [np.array([place]) for place in range(5)]

    choose = by_step(epoch)
    for step in range(15):
        choose(step)
    assert made == [0, 1, 2]


def test_an_epoch_without_batches_is_an_error() -> None:
    epochs = itertools.repeat([])
    with pytest.raises(ValueError, match="without batches"):
        by_step(lambda epoch: next(epochs))(0)
