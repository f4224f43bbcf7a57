"""The rewriter against blind and misled versions of itself, its drafts and a template."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.evaluation import rewriter_controls as systems
from polite_flamingo.evaluation.intervals import SampleBootstrap

BOOT = SampleBootstrap({}, 0, 200)
COLORS = ("red", "green", "blue", "teal", "brown", "black")
POLITE = (
    "As far as I can see, the circle in this picture is {}.",
    "Happily! You are looking at something {}.",
    "It appears to be {}, if you ask me.",
    "{} is what its colour would be called.",
    "Someone painted that round thing {}.",
    "Thanks for asking: {}, beyond any doubt.",
)


def _sample(place: int) -> Sample:
    return Sample(
        f"easy_vqa/train/{place}",
        "easy_vqa",
        "train",
        "vqa",
        (f"image{place}",),
        (Turn("What color is the circle?", COLORS[place]),),
    )


SAMPLES = {sample.sample_id: sample for sample in map(_sample, range(6))}


def _checked(polite: tuple[str, ...], rewards: dict[str, float], wrong: Any = ()) -> pa.Table:
    ids = list(SAMPLES)
    texts = pa.concat_tables(
        [
            systems.texts_of(
                "rewriter", ids, [p.format(c) for p, c in zip(polite, COLORS, strict=True)]
            ),
            systems.texts_of("blank", ids, ["It is red."] * 6),
            systems.texts_of("template", ids, [f"The answer is {color}." for color in COLORS]),
        ]
    )
    rated = {
        systems.rated_as(system): dict.fromkeys(ids, reward) for system, reward in rewards.items()
    }
    return systems.check_controls(
        texts,
        SAMPLES,
        rated,
        {},
        lambda sample, text: sample.turns[0].response in text,
        lambda sample, draft, text: draft in text,
        {sample_id: "pink" for sample_id in wrong},
    )


def test_every_system_is_measured_on_the_same_drafts() -> None:
    table = _checked(POLITE, {"rewriter": 1.0, "template": -1.0}, wrong=["easy_vqa/train/0"])
    assert table.schema == systems.CONTROL_SCHEMA
    found = systems.control_figures(table, BOOT, 0)
    assert found["systems"]["rewriter"]["faithful"] == 1.0
    assert found["systems"]["blank"]["faithful"] == pytest.approx(1 / 6)
    # Whose draft is wrong is not asked whether it is true.
    assert found["systems"]["blank"]["factual"] == 0.0
    assert found["by_source"]["easy_vqa"]["template"]["drafts"] == 6
    assert found["minus"]["blank"]["faithful"]["above"] is True
    assert "reward" not in found["minus"]["blank"], "it was not rated"


def test_a_rewriter_has_to_beat_the_template_in_reward_and_in_diversity() -> None:
    varied = systems.control_figures(_checked(POLITE, {"rewriter": 1.0, "template": 0.0}), BOOT, 0)
    assert varied["beats_template_reward"] is True
    assert varied["beats_template_diversity"] is True
    alike = ("The answer is certainly {}.",) * 6
    same = systems.control_figures(_checked(alike, {"rewriter": 0.5, "template": 0.5}), BOOT, 0)
    assert same["beats_template_reward"] is False
    assert same["beats_template_diversity"] is False


def test_without_texts_nothing_is_claimed() -> None:
    found = systems.control_figures(systems.CONTROL_SCHEMA.empty_table(), BOOT, 0)
    assert found["beats_template_reward"] is None and found["beats_template_diversity"] is None


def test_longer_texts_are_not_less_diverse_for_their_length() -> None:
    short = [{"sample_id": str(n), "text": f"a{n} b{n}"} for n in range(20)]
    # The same words a text, twice as many texts.
    long = short + [{"sample_id": str(n), "text": f"a{n % 20} b{n % 20}"} for n in range(20, 40)]
    assert (
        systems.diversity(long, 40, 0)["distinct_1"] != systems.diversity(long, 80, 0)["distinct_1"]
    )
    assert systems.diversity(short, 40, 0)["distinct_1"] == 1.0


def test_drafts_are_chosen_by_hash_and_source() -> None:
    rows = [
        {"source": source, "sample_id": f"{source}/{number}", "candidate": 0}
        for source in "ab"
        for number in range(30)
    ]
    chosen = systems.choose_drafts(pa.Table.from_pylist(rows), 5, 1)
    assert len(chosen) == 10 and chosen != [f"{s}/{n}" for s in "ab" for n in range(5)]
    assert chosen == systems.choose_drafts(pa.Table.from_pylist(rows[::-1]), 5, 1)


def test_texts_are_made_once(tmp_path: Any) -> None:
    made: list[int] = []

    def make() -> pa.Table:
        made.append(1)
        return systems.texts_of("blank", ["a"], ["It is red."])

    first = systems.kept_or_made(tmp_path / "blank.parquet", make)
    assert systems.kept_or_made(tmp_path / "blank.parquet", make).equals(first)
    assert made == [1]
