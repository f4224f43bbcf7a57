from __future__ import annotations

from typing import Any

import pytest

from polite_flamingo.reports import sentences


def _change(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "n": 9}


@pytest.mark.parametrize(
    ("shows", "falls", "rises", "said"),
    [
        (True, -0.5, 0.4, "The U shows"),
        (False, 0.5, 0.4, "The U does not show"),
        (False, -0.5, 0.05, "it stays within its interval"),
    ],
)
def test_the_u_is_said_to_show_only_if_it_does(
    shows: bool, falls: float, rises: float, said: str
) -> None:
    finding = {"shows": shows, "to_stage2": _change(falls), "to_stage3": _change(rises)}
    assert said in sentences.u_shape_sentence(finding)


def test_what_was_not_measured_is_said_so() -> None:
    empty: dict[str, Any] = {"shows": None, "to_stage2": None, "to_stage3": None}
    assert "not measured" in sentences.u_shape_sentence(empty)
    none = {"shows": None, "side": None, "win_rate": None}
    assert (
        sentences.tax_sentence({"tax_stage2": none, "tax_stage3": none}).count("not measured") == 2
    )


def test_the_tax_shows_above_a_half_only() -> None:
    said = sentences.tax_sentence(
        {
            "tax_stage2": {"shows": True, "side": 1, "win_rate": _change(0.7)},
            "tax_stage3": {"shows": False, "side": 0, "win_rate": _change(0.55)},
        }
    )
    assert "after stage 2 it shows" in said and "after stage 3 it does not show" in said


def test_idle_filters_and_weak_faults_are_named() -> None:
    said = sentences.filters_sentence(
        [
            {"filter": "clipscore", "failed": 0, "shortened": 2},
            {"filter": "nli", "failed": 3, "shortened": 0},
        ],
        [{"fault": "changed_answer", "recall": 0.7, "weak": True}],
    )
    assert "These filters drop nothing here: CLIPScore." in said
    assert "a paragraph from 2 kept rewrites" in said
    assert "changed answer (70.0 % caught)" in said
