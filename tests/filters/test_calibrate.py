from __future__ import annotations

import numpy as np
import pytest

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.seeds import generator
from polite_flamingo.filters.calibrate import (
    DIRECTIONS,
    FILTER_OF,
    MEANT_FOR,
    choose_thresholds,
    columns,
    curve,
    report,
)
from polite_flamingo.filters.decide import Decision, Scores

COUNT = 400


def planted(overlap: float) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Scores where fault number k moves filter k; good rows first."""
    rng = generator(0, "calibrate-test")
    good = np.arange(COUNT) < COUNT // 2
    fault = np.where(good, -1, np.arange(COUNT) % len(DIRECTIONS))
    values = {}
    for number, (name, direction) in enumerate(DIRECTIONS.items()):
        column = rng.normal(0.0, 1.0, COUNT)
        column[fault == number] += 8.0 - overlap
        values[name] = direction * column
    return values, good, fault


def dropped(values: dict[str, np.ndarray], chosen: dict[str, float]) -> dict[str, np.ndarray]:
    return {
        name: values[name] >= chosen[name] if direction > 0 else values[name] < chosen[name]
        for name, direction in DIRECTIONS.items()
    }


def test_separable_faults_are_all_caught_and_no_good_is_lost() -> None:
    values, good, fault = planted(overlap=0.0)
    failing = dropped(values, choose_thresholds(values, good, 0.02))
    for number, name in enumerate(DIRECTIONS):
        assert failing[name][fault == number].all()
        assert not failing[name][good].any()


@pytest.mark.parametrize("max_good_lost", [0.01, 0.05, 0.2])
def test_all_filters_together_keep_within_the_budget(max_good_lost: float) -> None:
    values, good, _ = planted(overlap=6.0)
    failing = np.any(
        list(dropped(values, choose_thresholds(values, good, max_good_lost)).values()), 0
    )
    assert failing[good].mean() <= max_good_lost
    assert failing[~good].mean() > failing[good].mean()


def test_a_larger_budget_catches_more() -> None:
    values, good, _ = planted(overlap=6.0)
    caught = [
        np.any(list(dropped(values, choose_thresholds(values, good, budget)).values()), 0)[
            ~good
        ].sum()
        for budget in (0.005, 0.05, 0.2)
    ]
    assert caught == sorted(caught)
    assert caught[0] < caught[-1]


def test_clipscore_does_its_own_work_where_another_filter_is_enough() -> None:
    values, good, fault = planted(overlap=0.0)
    theirs = fault == list(DIRECTIONS).index("foreign")
    values["clipscore"] = np.where(theirs, 0.0, 5.0) + 0.01 * np.arange(COUNT)
    values["clipscore"][0] = -1.0  # a good one that looks worse than any hallucination
    faults = np.where(theirs, "hallucinated_paragraph", np.where(good, "", "unchanged"))
    chosen = choose_thresholds(values, good, 0.02, list(faults))
    failing = dropped(values, chosen)
    assert failing["foreign"][theirs].all() and failing["clipscore"][theirs].all()
    assert failing["clipscore"][good].sum() == 1 and not failing["foreign"][good].any()


def test_a_filter_does_not_bend_to_faults_it_is_not_there_for() -> None:
    values, good, fault = planted(overlap=0.0)
    faults = np.where(good, "", np.where(fault == 1, "repetition", "lost_fact"))
    values["repetition"] = np.where(fault == 1, 9.0, np.where(good, 1.0, 1.5))
    chosen = choose_thresholds(values, good, 0.02, list(faults))
    assert chosen["repetition"] == pytest.approx(5.0)


def test_a_threshold_lies_between_the_last_dropped_and_the_next_kept() -> None:
    one = np.array([0.9, 0.8, 0.3, 0.2])
    good = np.array([True, True, False, False])
    values = {name: np.zeros(4) for name in DIRECTIONS} | {"sts": one}
    assert choose_thresholds(values, good, 0.1)["sts"] == pytest.approx(0.55)


def test_a_filter_with_nothing_to_catch_drops_nothing() -> None:
    values, good, _ = planted(overlap=0.0)
    values["nli"] = np.where(good, 1.0, -1.0)  # the wrong way round: only the good would go
    values["change"] = np.zeros(COUNT)
    failing = dropped(values, choose_thresholds(values, good, 0.02))
    assert not failing["nli"].any()
    assert not failing["change"].any()


def test_unscored_rows_are_left_out() -> None:
    values, good, fault = planted(overlap=0.0)
    for name in values:
        values[name][::3] = np.nan
    failing = dropped(values, choose_thresholds(values, good, 0.02))
    scored = ~np.isnan(values["sts"])
    assert failing["sts"][(fault == list(DIRECTIONS).index("sts")) & scored].all()
    assert not failing["sts"][~scored].any()


def test_a_filter_without_any_score_is_said() -> None:
    values, good, _ = planted(overlap=0.0)
    values["nli"][:] = np.nan
    with pytest.raises(UserError, match="nli"):
        choose_thresholds(values, good, 0.02)


def test_the_worst_paragraph_and_the_margin_count() -> None:
    row = Scores(length=4, change=0.1, repetition=0.0, boxes=False, stopped=True)
    with_judges = Scores(
        length=4, change=0.1, repetition=0.0, boxes=False, stopped=True,
        sts=0.5, clipscore=(30.0, 12.0), nli=(2.0, 1.0, -1.0),
    )  # fmt: skip
    found = columns(["vqa", "vqa", "captioning"], [row, with_judges, with_judges])
    assert np.isnan([found[name][0] for name in ("sts", "clipscore", "nli")]).all()
    assert [found[name][1] for name in ("sts", "clipscore", "nli")] == [0.5, 12.0, 1.0]
    assert np.isnan([found["nli_lines"][1], found["nli"][2]]).all()
    assert found["nli_lines"][2] == 1.0


def test_a_curve_runs_from_nothing_dropped_to_much() -> None:
    values, good, _ = planted(overlap=4.0)
    faults = ["" if each else "changed_answer" for each in good]
    for name in DIRECTIONS:
        points = curve(name, values[name], good, faults)
        lost = [point["good_lost"] for point in points]
        assert lost == sorted(lost, reverse=DIRECTIONS[name] > 0)
        assert all(0 <= point["bad_caught"] <= 1 for point in points)
        meant = "changed_answer" in MEANT_FOR[FILTER_OF.get(name, name)]
        assert all(p["meant_caught"] == (p["bad_caught"] if meant else 0) for p in points)


def test_report_counts_dropped_and_shortened() -> None:
    kept = Decision("kept", "", (), "a b")
    shortened = Decision("kept", "", (), "a")
    gone = Decision("dropped", "nli", ("nli", "unchanged"), "a b")
    texts = ["a b", "a b ", "a b", "a b", "a b"]
    faults = ["", "", "invented paragraph", "changed answer", "changed answer"]
    found = report(texts, [kept, gone, shortened, gone, kept], faults)
    assert found["good"] == 2 and found["bad"] == 3
    assert found["good_lost"] == 0.5
    assert found["planted"] == {"invented paragraph": 1, "changed answer": 2}
    assert found["recall"] == {"invented paragraph": 1.0, "changed answer": 0.5}
    assert found["precision"] == {"clipscore_paragraph": 1.0, "nli": 0.5, "unchanged": 0.5}
    assert found["filters"]["changed answer"] == {"nli": 1, "unchanged": 1}
    assert found["filters"]["invented paragraph"] == {"clipscore_paragraph": 1}
