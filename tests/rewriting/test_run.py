"""A run over a whole data set: which samples, in which order, and on from where it was killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.rewriting.run import CANDIDATE_SCHEMA, Rewrite, choose, run

LIMITS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 8))


def sample(source: str, number: int) -> Sample:
    turn = Turn(f"What of {number}?", f"draft {number}")
    return Sample(f"{source}/train/{number}", source, "train", "vqa", (f"i{number}",), (turn,))


SAMPLES = [sample("ab"[number % 2], number) for number in range(10)]


def polite(samples: Sequence[Sample]) -> list[Rewrite]:
    return [
        Rewrite(f"Of course: {s.turns[0].response}.", len(s.sample_id), s.source == "a")
        for s in samples
    ]


# --- which samples ---


@given(st.lists(st.sampled_from("abc"), max_size=25), LIMITS, st.integers(0, 5))
def test_limits_cap_sources_and_keep_the_order(
    sources: list[str], limits: dict[str, int], seed: int
) -> None:
    samples = [sample(source, number) for number, source in enumerate(sources)]
    chosen = choose(samples, limits, seed)
    assert chosen == [one for one in samples if one in chosen]
    for source, count in Counter(sources).items():
        kept = sum(one.source == source for one in chosen)
        assert kept == min(count, limits.get(source, count))


@given(st.permutations(SAMPLES), st.integers(0, 5))
def test_a_choice_depends_on_ids_and_seed_not_on_order(shuffled: list[Sample], seed: int) -> None:
    chosen = choose(SAMPLES, {"a": 2, "b": 3}, seed)
    assert {s.sample_id for s in choose(shuffled, {"a": 2, "b": 3}, seed)} == {
        s.sample_id for s in chosen
    }


def test_a_higher_limit_only_adds_and_another_seed_chooses_others() -> None:
    many = [sample("a", number) for number in range(60)]
    few = {one.sample_id for one in choose(many, {"a": 10}, 0)}
    assert few < {one.sample_id for one in choose(many, {"a": 20}, 0)}
    assert few != {one.sample_id for one in choose(many, {"a": 10}, 1)}


def test_a_questions_answers_are_chosen_equally_often() -> None:
    def asked(number: int) -> Sample:
        answer = "no" if number % 8 else "yes"
        return replace(sample("a", number), turns=(Turn("is it red?", answer),))

    chosen = choose([asked(number) for number in range(1600)], {"a": 200}, 0)
    yes = sum(one.turns[0].response == "yes" for one in chosen)
    assert 70 < yes < 130


# --- the run ---


def test_every_sample_has_a_candidate_in_input_order(tmp_path: Path) -> None:
    table = run(SAMPLES, polite, 4, tmp_path)
    assert table.schema == CANDIDATE_SCHEMA
    assert table.to_pylist()[3] == {
        "sample_id": "b/train/3",
        "candidate": 0,
        "source": "b",
        "task": "vqa",
        "images": ["i3"],
        "instruction": "What of 3?",
        "draft": "draft 3",
        "rewrite": "Of course: draft 3.",
        "new_tokens": 9,
        "stopped": False,
    }
    assert table.column("sample_id").to_pylist() == [one.sample_id for one in SAMPLES]
    assert run(SAMPLES, polite, 100, tmp_path / "whole").equals(table)


def test_a_killed_run_goes_on_with_what_is_left(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    asked: list[str] = []

    def dying(samples: Sequence[Sample]) -> list[Rewrite]:
        if len(asked) >= 8:
            raise Killed
        asked.extend(one.sample_id for one in samples)
        return polite(samples)

    with pytest.raises(Killed):
        run(SAMPLES, dying, 4, tmp_path)
    assert asked == [one.sample_id for one in SAMPLES[:8]]

    def rest(samples: Sequence[Sample]) -> list[Rewrite]:
        asked.extend(one.sample_id for one in samples)
        return polite(samples)

    resumed = run(SAMPLES, rest, 4, tmp_path)
    assert asked == [one.sample_id for one in SAMPLES], "no sample is rewritten twice"
    assert resumed.equals(run(SAMPLES, polite, 4, tmp_path / "whole"))
    assert run(SAMPLES, rest, 4, tmp_path).equals(resumed)
    assert len(asked) == len(SAMPLES), "a finished run is only read"


def test_a_rewriter_that_loses_a_sample_is_an_error_and_leaves_no_shard(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        run(SAMPLES, lambda samples: polite(samples)[:-1], 4, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_samples_make_an_empty_table(tmp_path: Path) -> None:
    table = run([], polite, 4, tmp_path)
    assert table.num_rows == 0
    assert table.schema == CANDIDATE_SCHEMA
