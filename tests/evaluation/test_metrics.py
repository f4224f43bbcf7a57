from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.evaluation import metrics


def test_rouge_l_is_the_f1_of_the_longest_common_subsequence() -> None:
    # LCS "the cat the mat": precision 4/6, recall 4/5.
    score = metrics.rouge_l("the cat sat on the mat", ["The cat likes the mat."])
    assert score == pytest.approx(2 * (4 / 6) * (4 / 5) / (4 / 6 + 4 / 5))


def test_rouge_l_takes_the_best_reference_and_none_without_one() -> None:
    assert metrics.rouge_l("a red star", ["something else", "a red star"]) == 1.0
    assert metrics.rouge_l("a red star", []) is None


def test_accuracy_leaves_out_rows_without_a_short_answer() -> None:
    rows = [{"correct": True}, {"correct": None}, {"correct": False}, {"correct": True}]
    assert metrics.accuracy_of(rows) == pytest.approx(2 / 3)
    assert metrics.accuracy_of([{"correct": None}]) is None


def test_spread_ignores_nulls() -> None:
    found = metrics.spread([1.0, None, 3.0, 2.0])
    assert (found["n"], found["mean"], found["p50"]) == (3, 2.0, 2.0)
    assert metrics.spread([])["mean"] is None


def test_bootstrap_is_seeded_and_covers_the_mean() -> None:
    values = np.random.default_rng(0).normal(1.0, 2.0, size=400).tolist()
    first = metrics.bootstrap(values, 3, "figure")
    assert first == metrics.bootstrap(values, 3, "figure")
    assert first != metrics.bootstrap(values, 4, "figure")
    assert first.low < first.mean < first.high
    # Normal theory: 1.96 standard errors each side.
    assert first.high - first.low == pytest.approx(2 * 1.96 * 2.0 / 20, rel=0.15)


def test_bootstrap_over_clusters_is_wider_when_a_cluster_repeats_itself() -> None:
    images = [str(index // 10) for index in range(400)]
    values = [float(index // 10 % 2) for index in range(400)]
    alone = metrics.bootstrap(values, 0, "x")
    together = metrics.bootstrap(values, 0, "x", clusters=images)
    assert together.mean == alone.mean
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_bootstrap_gives_the_same_interval_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    whole = metrics.bootstrap(values, 0, "x", resamples=100)
    monkeypatch.setattr(metrics, "_CELLS", 35)
    assert metrics.bootstrap(values, 0, "x", resamples=100) == whole


def test_bootstrap_refuses_no_values() -> None:
    with pytest.raises(ValueError, match="no values"):
        metrics.bootstrap([], 0, "x")


def test_distinct_n_counts_repeats() -> None:
    # Bigrams: "a b", "b a", "a b" -> 2 of 3.
    assert metrics.distinct_n(["a b a b"], 2) == pytest.approx(2 / 3)
    assert metrics.distinct_n(["a"], 2) is None


def test_self_bleu_tells_alike_from_varied() -> None:
    alike = ["the red circle is on the left side"] * 5
    varied = [
        "the red circle is on the left side",
        "I count three striped squares here",
        "Nothing green can be seen anywhere today",
    ]
    assert metrics.self_bleu(alike, seed=0) == pytest.approx(1.0)
    low = metrics.self_bleu(varied, seed=0)
    assert low is not None and low < 0.2
    assert metrics.self_bleu(["one"], seed=0) is None


@given(st.lists(st.text(max_size=40), max_size=5), st.text(max_size=40))
def test_text_metrics_stay_in_bounds_on_any_text(references: list[str], text: str) -> None:
    score = metrics.rouge_l(text, references)
    assert score is None or 0.0 <= score <= 1.0
    share = metrics.distinct_n([text, *references], 2)
    assert share is None or 0.0 < share <= 1.0
