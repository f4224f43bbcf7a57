from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.core.boxes import BOX_ANNOUNCEMENT
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Box, Sample, Turn
from polite_flamingo.distortion.llm_instructed import style_commands
from polite_flamingo.distortion.mixture import (
    PAIR_SCHEMA,
    STRATEGIES,
    Mixture,
    choose_strategy,
    distort_sample,
    pair_ids,
    pairs_to_table,
)
from polite_flamingo.models.llm.scripted import ScriptedShortener

SHARES = {"llm_instructed": 0.7, "noise": 0.2, "annotations": 0.1}


def polite(number: int, **changes: object) -> Sample:
    sample = Sample(
        sample_id=f"llava/train/{number}",
        source="llava",
        split="train",
        task="conversation",
        images=("image",),
        turns=(
            Turn("Please describe the image.", "The image shows a small red circle. It is plain."),
            Turn("What color is the circle?", "The circle in the picture is red."),
        ),
        references=("a red circle",),
        boxes=(Box("circle", 0, 0, 0.5, 0.5),),
    )
    return replace(sample, **changes)  # type: ignore[arg-type]


def mixture(shares: Mapping[str, float] = SHARES, **changes: object) -> Mixture:
    plain = Mixture(
        seed=0, shares=shares, llm=ScriptedShortener(), commands=style_commands(), val_share=0.2
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_every_turn_and_variant_is_a_pair_or_a_reject() -> None:
    for number in range(40):
        sample = polite(number)
        pairs, rejects = distort_sample(sample, mixture(variants=3))
        found = [pair.pair_id for pair in pairs] + [reject.position for reject in rejects]
        assert sorted(found) == pair_ids(sample, 3)
        for pair in pairs:
            turn = sample.turns[int(pair.pair_id.split("#t")[1][0])]
            assert (pair.instruction, pair.response) == (turn.instruction, turn.response)
            assert pair.draft.strip() and pair.draft != pair.response
            assert pair.images == ("image",) and pair.parent_id == sample.sample_id
        drafts = [(pair.instruction, pair.draft) for pair in pairs]
        assert len(set(drafts)) == len(drafts)


def test_a_sample_is_distorted_alike_in_any_company() -> None:
    alone = distort_sample(polite(7), mixture(variants=2))
    distort_sample(polite(8), mixture(variants=2))
    assert distort_sample(polite(7), mixture(variants=2)) == alone
    assert distort_sample(polite(7), mixture(variants=2, seed=1)) != alone


def test_shares_are_met_and_text_only_samples_get_no_boxes() -> None:
    text_only = [polite(n, images=(), references=(), boxes=()) for n in range(150)]
    pairs = [pair for sample in text_only for pair in distort_sample(sample, mixture())[0]]
    counts = Counter(pair.strategy for pair in pairs)
    assert counts["annotations"] == 0
    assert 0.1 < counts["noise"] / len(pairs) < 0.35
    pairs = [p for n in range(150) for p in distort_sample(polite(n), mixture())[0]]
    described = Counter(p.strategy for p in pairs if p.instruction.startswith("Please"))
    assert 0.02 < described["annotations"] / described.total() < 0.2
    asked = {p.strategy for p in pairs if p.instruction.startswith("What")}
    assert asked == {"llm_instructed", "noise"}


def test_captions_and_boxes_replace_descriptions_only() -> None:
    pairs, rejects = distort_sample(polite(0), mixture({"annotations": 1.0}, variants=2))
    assert [pair.draft for pair in pairs] == [
        f"a red circle\n\n{BOX_ANNOUNCEMENT}\ncircle: [0.000, 0.000, 0.500, 0.500]"
    ]
    assert [reject.reason for reject in rejects] == [
        "repeated_draft",
        "no_strategy",
        "no_strategy",
    ]


class Silent:
    def complete(
        self,
        messages: list[dict[str, str]],
        prefill: str = "",
        stop: Sequence[str] = (),
        seed: int = 0,
    ) -> str:
        return messages[-2]["content"] if "color" in messages[-3]["content"] else ""


def test_faults_become_rejects_with_a_reason() -> None:
    sample = polite(0, turns=(*polite(0).turns, Turn("And?", "  ")))
    pairs, rejects = distort_sample(sample, mixture({"llm_instructed": 1}, llm=Silent()))
    assert pairs == []
    assert [reject.reason for reject in rejects] == ["llm_empty", "unchanged", "empty_response"]
    assert {reject.sample_id for reject in rejects} == {"llava/train/0"}


def test_train_and_val_are_drawn_by_sample() -> None:
    splits: Counter[str] = Counter()
    for number in range(200):
        pairs, _ = distort_sample(polite(number), mixture({"llm_instructed": 1}))
        found = {pair.split for pair in pairs}
        assert len(found) == 1
        splits.update(found)
    assert 20 < splits["val"] < 60


@pytest.mark.parametrize(
    "shares", [{"nosie": 1.0}, {"noise": -1.0, "annotations": 2.0}, {"noise": 0.0}, {}]
)
def test_wrong_shares_are_a_one_line_error(shares: dict[str, float]) -> None:
    with pytest.raises(UserError, match=r"distort\.shares"):
        mixture(shares)


@given(
    st.dictionaries(st.sampled_from(STRATEGIES), st.floats(0, 5)),
    st.sets(st.sampled_from(STRATEGIES)),
    st.floats(0, 1, exclude_max=True),
)
def test_the_choice_is_eligible_and_has_a_share(
    shares: dict[str, float], eligible: set[str], draw: float
) -> None:
    chosen = choose_strategy(shares, sorted(eligible), draw)
    possible = {name for name in eligible if shares.get(name, 0) > 0}
    assert chosen in possible if possible else chosen is None


def test_pairs_make_a_table() -> None:
    pairs, _ = distort_sample(polite(0), mixture())
    table = pairs_to_table(pairs)
    assert table.schema == PAIR_SCHEMA and table.num_rows == len(pairs)
