from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.reports import evidence


def _report(kept: float, beats: bool | None = True) -> dict[str, Any]:
    return {
        "headline": {"kept_share": kept, "beats_template_reward": beats, "tax_accuracy_gap": 0.01},
        "intervals": {"kept_share": {"low": kept - 0.01, "high": kept + 0.01, "n": 50}},
        "sources": {"digits": {"kept_share": kept, "win_rate": None}},
    }


@pytest.mark.parametrize(
    ("value", "least", "said"),
    [
        (0.9, 0.9, "reached"),
        (0.8999, 0.9, "not reached"),
        (None, 0.9, "not measured"),
        (0.3, None, ""),
        (True, True, "reached"),
        (False, True, "not reached"),
    ],
)
def test_a_target_is_reached_only_by_a_figure(value: Any, least: Any, said: str) -> None:
    assert evidence.verdict(value, least) == said


def test_the_interval_over_seeds_is_students() -> None:
    found = evidence.over_seeds([0.90, 0.92, 0.94])
    assert found["mean"] == pytest.approx(0.92) and found["n"] == 3
    # 4.303 * 0.02 / sqrt(3)
    assert found["high"] - found["mean"] == pytest.approx(0.04969, abs=1e-4)
    assert evidence.over_seeds([0.9]) == {"mean": 0.9, "n": 1}


@given(st.lists(st.floats(0, 1), min_size=2, max_size=15))
def test_the_interval_over_seeds_holds_the_mean(values: list[float]) -> None:
    found = evidence.over_seeds(values)
    assert found["low"] <= found["mean"] <= found["high"]


def test_a_summary_tells_every_seed_and_what_was_reached() -> None:
    summary = evidence.summarise({2: _report(0.92), 0: _report(0.88, None), 1: _report(0.93)})
    assert summary["seeds"] == [0, 1, 2]
    rows = {row["key"]: row for row in evidence.seed_rows(summary)}
    assert rows["kept_share"]["verdict"] == "reached"
    assert rows["kept_share"]["seeds"][0] == ("88.0 %", "87.0 to 89.0")
    # A seed in which it was not measured is no proof.
    assert rows["beats_template_reward"]["verdict"] == "not measured"
    assert rows["beats_template_reward"]["seeds"][0][0] == evidence.DASH
    assert rows["tax_accuracy_gap"]["verdict"] == ""
    text = evidence.markdown(summary)
    assert "| Rewrites kept | ≥ 90.0 % | 88.0 % [87.0 to 89.0] |" in text
    assert "| digits | 91.0 % |" in text


def test_one_seed_that_fails_to_beat_the_template_fails_all() -> None:
    summary = evidence.summarise({0: _report(0.9), 1: _report(0.9, False)})
    rows = {row["key"]: row for row in evidence.seed_rows(summary)}
    assert rows["beats_template_reward"]["verdict"] == "not reached"


def test_no_seed_is_no_table() -> None:
    empty = evidence.summarise({})
    assert evidence.seed_rows(empty) == [] and evidence.seed_rows(None) == []
    assert "No seed has been run yet." in evidence.markdown(empty)


def test_controls_stand_beside_their_figures() -> None:
    systems = {
        name: {"faithful": 0.5, "factual": 0.4, "reward": -1.0, "distinct_1": 0.1,
               "distinct_2": 0.2, "self_bleu": 0.9}
        for name in evidence.SYSTEMS
    }  # fmt: skip
    metrics = {
        **_report(0.95),
        "rewriter": {"systems": systems},
        "judges": {"nli": {"control": 0.4, "control_name": "majority"}},
    }
    metrics["headline"] |= {"rewrite_win_rate": 0.97, "rewrite_win_rate_filter_judge": 0.99}
    rows = {row["key"]: row for row in evidence.headline_rows(metrics)}
    assert ("by the filtering judge", "99.0 %") in rows["rewrite_win_rate"]["controls"]
    assert ("template", "50.0 %") in rows["kept_faithful"]["controls"]
    assert ("majority", "40.0 %") in rows["nli_accuracy"]["controls"]
    assert rows["kept_faithful"]["verdict"] == "not measured"
    assert "self-BLEU 0.900" in rows["beats_template_diversity"]["controls"][0][1]
