from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.evaluation import win_rates

Rewards = dict[str, float]
rewards = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([-1.0, 0.0, 1.0]))


def test_ties_count_half_and_only_shared_samples_count() -> None:
    own = {"a": 1.0, "b": 0.0, "c": 2.0, "only mine": 9.0}
    other = {"a": 0.0, "b": 0.0, "c": 3.0, "only yours": -9.0}
    assert win_rates.win_rate(own, other) == pytest.approx(0.5)
    assert win_rates.wins(own, other) == {"a": 1.0, "b": 0.5, "c": 0.0}
    assert win_rates.win_rate({"a": 1.0}, {"b": 1.0}) is None


@given(rewards, rewards)
def test_two_win_rates_of_a_pair_sum_to_one(own: Rewards, other: Rewards) -> None:
    rate, back = win_rates.win_rate(own, other), win_rates.win_rate(other, own)
    assert (rate is None) == (back is None)
    if rate is not None and back is not None:
        assert rate + back == pytest.approx(1.0)


def test_matrix_compares_all_models_on_the_same_samples() -> None:
    scores = {
        "x": {"1": 1.0, "2": 1.0, "3": -5.0},
        "y": {"1": 0.0, "2": 2.0, "3": 5.0},
        "z": {"1": 0.5, "2": 0.5},
    }
    found = win_rates.win_matrix(scores, ["x", "y", "z"])
    assert found["samples"] == 2  # "3" is not rated for z
    assert found["rates"] == [[None, 0.5, 1.0], [0.5, None, 0.5], [0.0, 0.5, None]]
    assert win_rates.win_matrix({}, []) == {"models": [], "rates": [], "samples": 0}


def test_rewards_by_model_separates_controls_and_leaves_out_nulls() -> None:
    rows = [
        {"model": "m", "control": "", "sample_id": "1", "reward": 0.5},
        {"model": "m", "control": "", "sample_id": "2", "reward": None},
        {"model": "m", "control": "blank", "sample_id": "1", "reward": -0.5},
    ]
    assert win_rates.rewards_by_model(rows) == {"m": {"1": 0.5}}
    assert win_rates.rewards_by_model(rows, "blank") == {"m": {"1": -0.5}}
