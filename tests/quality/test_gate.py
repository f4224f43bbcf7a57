"""One Great Expectations process (its import takes seconds) checks good and spoilt tables."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Sample, Turn, samples_to_table
from polite_flamingo.quality import frames, gate, suites

SOURCES = ("shapes_coco", "shapes_clevr")


def sample(number: int, split: str = "train", response: str = "a red circle") -> Sample:
    source = SOURCES[number % 2]
    return Sample(
        sample_id=f"{source}/{split}/{number}",
        source=source,
        split=split,
        task="captioning" if source == "shapes_coco" else "vqa",
        images=(f"image{number}",),
        turns=(Turn("Describe the image.", response),),
    )


def raw() -> list[Sample]:
    return [sample(n) for n in range(6)] + [sample(n, "test") for n in (6, 7)]


def table(samples: list[Sample]) -> pd.DataFrame:
    return samples_to_table(samples).to_pandas()


def samples_gate(samples: list[Sample], docs: Path, images: int = 8) -> gate.GateResult:
    frame = frames.samples_frame(table(samples), {f"image{n}" for n in range(images)})
    return gate.run({"samples": frame}, [suites.samples_suite(SOURCES, 2)], docs)


def kept_rows(samples: list[Sample], response: str = "It is a red circle.") -> list[Sample]:
    return [
        Sample(
            sample_id=f"{s.sample_id}#0",
            source=s.source,
            split="train",
            task=s.task,
            images=s.images,
            turns=(Turn(s.turns[0].instruction, response),),
            parent_id=s.sample_id,
        )
        for s in samples
    ]


def keyed(samples: list[Sample]) -> pd.DataFrame:
    return pd.DataFrame({"sample_id": [s.sample_id for s in samples], "candidate": 0})


def release_gate(
    kept: list[Sample], docs: Path, gain: float = 1.0, held_out: tuple[str, ...] = ("shapes_vsr",)
) -> gate.GateResult:
    train = raw()[:6]
    decisions = keyed(train).assign(decision="kept", reason="")
    rewards = keyed(train).assign(reward=gain, draft_reward=0.0)
    frame = frames.release_frame(table(kept), table(raw()), decisions, rewards)
    return gate.run({"release": frame}, [suites.release_suite(held_out, 2, 0.5)], docs)


def candidates(samples: list[Sample]) -> pd.DataFrame:
    return keyed(samples).assign(
        source=[s.source for s in samples],
        task="vqa",
        images=[list(s.images) for s in samples],
        instruction="Describe the image.",
        draft="a red circle",
        rewrite="It is a red circle.",
        new_tokens=5,
        stopped=True,
    )


def rewrites_gate(found: pd.DataFrame, refused: list[str], docs: Path) -> gate.GateResult:
    rejects = pd.DataFrame({"sample_id": refused, "source": [r.split("/")[0] for r in refused]})
    ids = [s.sample_id for s in raw()[:6]]
    frame = frames.rewrites_frame(found, rejects, table(raw()), ids)
    return gate.run({"rewrites": frame}, [suites.rewrites_suite(SOURCES, 2, 0.2)], docs)


def test_good_samples_pass_with_data_docs_and_a_deterministic_result(tmp_path: Path) -> None:
    first, second = (samples_gate(raw(), tmp_path / name) for name in ("a", "b"))
    assert first.success and not first.failures
    assert first.docs.is_file() and "samples" in first.docs.read_text(encoding="utf-8")
    text = json.dumps(first.to_json(), sort_keys=True)
    assert text == json.dumps(second.to_json(), sort_keys=True)
    assert str(tmp_path) not in text


@pytest.mark.parametrize(
    ("spoilt", "line"),
    [
        (sample(1, response="  "), "samples.empty_responses: 1 of 9 rows have an empty response"),
        (sample(2), "samples.sample_id: 2 of 9 rows repeat a sample_id (expected none), such as"),
        (sample(8), "samples.unknown_images: 1 of 9 rows name an image that is in no shard"),
        (
            sample(1, response="red <|endofchunk|>"),
            "samples.responses: 1 of 9 rows hold special tokens in a response",
        ),
        (
            Sample(**{**vars(sample(3)), "sample_id": "x", "source": "elsewhere"}),
            "samples.source: 1 of 9 rows come from a source that params.yaml does not name",
        ),
        (
            Sample(**{**vars(sample(0)), "split": "test"}),
            "samples.in_both_splits: 2 of 9 rows have a sample_id in train and in test",
        ),
    ],
)
def test_a_spoilt_sample_is_one_readable_line(tmp_path: Path, spoilt: Sample, line: str) -> None:
    failures = samples_gate([*raw(), spoilt], tmp_path / "docs").failures
    assert any(failure.startswith(line) for failure in failures), failures
    assert all("\n" not in failure for failure in failures)


def test_a_source_without_rows_and_too_few_rows_are_named(tmp_path: Path) -> None:
    assert samples_gate([sample(0)], tmp_path / "docs").failures == (
        "samples: rows: 1 (expected at least 2)",
        "samples.source: sources without a single row: shapes_clevr",
    )


def test_a_missing_column_is_named_and_does_not_crash(tmp_path: Path) -> None:
    frame = frames.samples_frame(table(raw()).drop(columns=["turns", "split"]), {"image0"})
    failures = gate.run(
        {"samples": frame}, [suites.samples_suite(SOURCES, 2)], tmp_path / "docs"
    ).failures
    assert "samples: missing columns: split, turns" in failures
    assert any(line.startswith("samples.split: the column is missing") for line in failures)


def test_pairs_are_checked_for_leaks_and_shares(tmp_path: Path) -> None:
    parents = raw()
    pairs = pd.DataFrame(
        {
            "pair_id": [f"p{n}" for n in range(4)],
            "parent_id": [parents[0].sample_id, parents[1].sample_id, parents[6].sample_id, "?"],
            "source": "shapes_coco",
            "task": "captioning",
            "images": [["image0"]] * 4,
            "instruction": "Describe the image.",
            "draft": ["red", "same", "", "x"],
            "response": ["It is red.", "same", "Yes.", "No."],
            "strategy": "noise",
            "split": "train",
        }
    )
    frame = frames.pairs_frame(pairs, table(parents), ("noise", "llm"))
    suite = suites.pairs_suite(("noise", "llm"), ("shapes_coco",), 1, 0.1)
    failures = gate.run({"pairs": frame}, [suite], tmp_path / "docs").failures
    assert [line.split(":")[0] for line in failures] == [
        "pairs.source",
        "pairs.draft",
        "pairs.undistorted",
        "pairs.orphaned",
        "pairs.parent_in_test",
        "pairs.is_llm",
    ]
    assert failures[-1] == "pairs.is_llm: share of strategy llm: 0 (expected at least 0.1)"


def test_every_raw_id_is_rewritten_or_rejected_once(tmp_path: Path) -> None:
    train = raw()[:6]
    good = rewrites_gate(candidates(train[:5]), [train[5].sample_id], tmp_path / "docs")
    assert good.success, good.failures
    lost = rewrites_gate(candidates(train[:5]), [], tmp_path / "docs").failures
    assert lost == (
        "rewrites.lost: 1 of 6 rows are raw samples that neither came out nor were rejected "
        "(expected none)",
    )
    twice = pd.concat([candidates(train), candidates(train[:1])])
    failures = rewrites_gate(twice, [train[1].sample_id], tmp_path / "docs").failures
    assert [line.split(":")[0] for line in failures] == ["rewrites", "rewrites.contradictory"]
    assert "repeat a (sample_id, candidate)" in failures[0]


def test_decisions_cover_every_candidate_and_keep_enough(tmp_path: Path) -> None:
    train = raw()[:4]
    decisions = keyed(train[:3]).assign(
        decision=["kept", "dropped", "dropped"], reason=["", "length", ""]
    )
    frame = frames.decisions_frame(decisions, keyed(train))
    suite = suites.decisions_suite(0.5)
    failures = gate.run({"decisions": frame}, [suite], tmp_path / "docs").failures
    assert failures == (
        "decisions.undecided: 1 of 4 rows are candidates without a decision (expected none)",
        "decisions.unexplained: 1 of 4 rows are dropped without a reason (expected none)",
        "decisions.kept: kept share: 0.25 (expected at least 0.5)",
    )


def test_a_clean_release_passes(tmp_path: Path) -> None:
    result = release_gate(kept_rows(raw()[:6]), tmp_path / "docs")
    assert result.success, result.failures


@pytest.mark.parametrize(
    ("kept", "rule"),
    [
        (kept_rows(raw()[:6], "It is here: [0.100, 0.200, 0.300, 0.400]"), "release.responses"),
        (kept_rows(raw()[:7]), "release.parent_in_test"),
        (kept_rows([*raw()[:6], sample(9)]), "release.orphaned"),
    ],
)
def test_leaks_and_leftovers_stop_a_release(tmp_path: Path, kept: list[Sample], rule: str) -> None:
    failures = release_gate(kept, tmp_path / "docs").failures
    assert rule in [line.split(":")[0] for line in failures], failures


def test_a_release_less_polite_than_its_drafts_or_held_out_fails(tmp_path: Path) -> None:
    failures = release_gate(
        kept_rows(raw()[:6]), tmp_path / "docs", gain=-0.25, held_out=("shapes_clevr",)
    ).failures
    assert [line.split(":")[0] for line in failures] == [
        "release.source",
        "release.parent_source",
        "release.reward_gain",
    ]
    assert failures[-1].endswith("mean reward above the drafts': -0.25 (expected at least 0.5)")


def test_a_suite_without_its_table_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no table for the suite 'decisions'"):
        gate.run({}, [suites.decisions_suite(0.5)], tmp_path / "docs")
