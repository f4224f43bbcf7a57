from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.core.balance import answer_weights, weighted_choice

PAIRS = st.lists(st.tuples(st.sampled_from("pqr"), st.sampled_from("abcd")), min_size=1)


@given(PAIRS)
def test_the_answers_of_a_question_weigh_the_same(pairs: list[tuple[str, str]]) -> None:
    weights = answer_weights(pairs)
    totals: dict[str, dict[str, float]] = {}
    for question, answer in pairs:
        row = totals.setdefault(question, {})
        row[answer] = row.get(answer, 0.0) + weights[question, answer]
    for question, row in totals.items():
        asked = sum(one == question for one, _ in pairs)
        assert sum(row.values()) == pytest.approx(asked)
        assert all(total == pytest.approx(asked / len(row)) for total in row.values())


@given(st.lists(st.floats(0, 0.999), min_size=1, max_size=20), st.integers(0, 20), st.data())
def test_a_larger_number_only_adds(draws: list[float], number: int, data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.floats(0.1, 9), min_size=len(draws), max_size=len(draws)))
    few = weighted_choice(draws, weights, number)
    assert len(set(few)) == min(number, len(draws))
    assert weighted_choice(draws, weights, number + 1)[: len(few)] == few


def test_items_are_drawn_by_weight() -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    first = Counter(weighted_choice(list(rng.random(3)), [1, 2, 5], 1)[0] for _ in range(4000))
    assert [first[place] / 4000 for place in range(3)] == pytest.approx(
        [1 / 8, 2 / 8, 5 / 8], abs=0.03
    )
