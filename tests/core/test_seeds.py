"""Seeds depend on the names alone, and on every part of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.core.seeds import derive, generator, unit

NAMES = st.lists(st.integers() | st.text(max_size=8), max_size=4).map(tuple)


@given(st.integers(), NAMES)
def test_a_seed_is_63_bits_and_always_the_same(seed: int, names: tuple[str | int, ...]) -> None:
    value = derive(seed, *names)
    assert 0 <= value < 1 << 63
    assert derive(seed, *names) == value


def test_seeds_never_change_between_versions() -> None:
    # Other values would change every file that the pipeline ever wrote.
    assert derive(0) == 1449798057182712939
    assert derive(0, "stage", "source/train/1", 7) == 3525259976422490623


@given(st.integers(0, 3), NAMES, st.integers(0, 3), NAMES)
def test_other_names_give_other_seeds(
    seed: int, names: tuple[str | int, ...], other_seed: int, other: tuple[str | int, ...]
) -> None:
    same = (seed, names) == (other_seed, other)
    assert (derive(seed, *names) == derive(other_seed, *other)) == same


def test_type_and_borders_of_names_count() -> None:
    seeds = {
        derive(0, "ab", "c"),
        derive(0, "a", "bc"),
        derive(0, "abc"),
        derive(0, "abc", ""),
        derive(0, "a;3:b", "c"),
        derive(0, 1),
        derive(0, "1"),
        derive(0, "int:1"),
        derive(1, 0),
    }
    assert len(seeds) == 9


def test_a_generator_is_named_too() -> None:
    first = generator(3, "noise", 1).random(5)
    generator(3, "noise", 2).random(100)
    assert np.array_equal(generator(3, "noise", 1).random(5), first)
    assert not np.array_equal(generator(3, "noise", 2).random(5), first)


def test_units_are_shares_that_never_move() -> None:
    draws = [unit(5, "split", f"sample-{number}") for number in range(4000)]
    assert all(0 <= draw < 1 for draw in draws)
    assert 0.27 < sum(draw < 0.3 for draw in draws) / 4000 < 0.33
    taken = {number for number, draw in enumerate(draws) if draw < 0.3}
    assert taken < {number for number, draw in enumerate(draws) if draw < 0.4}
    assert draws[1234] == unit(5, "split", "sample-1234")
