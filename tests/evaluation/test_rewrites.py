from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.evaluation import rewrites
from polite_flamingo.evaluation.intervals import SampleBootstrap

# (draft, rewrite, output, decision, reason); the truth is always "red".
CASES = [
    ("red", "It is a red circle.", "It is a red circle.", "kept", ""),
    ("red", "It is a red circle.\n\nIt is also blue.", "It is a red circle.", "kept", ""),
    ("red", "It is a blue circle.", "It is a blue circle.", "dropped", "nli"),
    ("blue", "It is a blue circle.", "It is a blue circle.", "kept", ""),
    ("red", "red", "red", "dropped", "unchanged"),
]


def _color(text: str) -> str | None:
    return next((color for color in ("blue", "red") if color in text), None)


def _tables() -> tuple[dict[str, pa.Table], dict[str, Sample]]:
    candidates: list[dict[str, Any]] = []
    scores: list[dict[str, Any]] = []
    decisions: list[dict[str, Any]] = []
    samples = {}
    for index, (draft, rewrite, output, decision, reason) in enumerate(CASES):
        sample_id = f"easy_vqa/train/{index}"
        samples[sample_id] = Sample(
            sample_id=sample_id,
            source="easy_vqa",
            split="train",
            task="vqa",
            images=(f"image{index}",),
            turns=(Turn("What color is the circle?", draft),),
            answer=draft,
        )
        key = {"sample_id": sample_id, "candidate": 0}
        candidates.append(
            {
                **key,
                "source": "easy_vqa",
                "task": "vqa",
                "instruction": "What color is the circle?",
                "draft": draft,
                "rewrite": rewrite,
            }
        )
        scores.append({**key, "reward": 3.0, "draft_reward": 5.0})
        decisions.append({**key, "decision": decision, "reason": reason, "output": output})
    tables = {
        "candidates": pa.Table.from_pylist(candidates),
        "scores": pa.Table.from_pylist(scores),
        "decisions": pa.Table.from_pylist(decisions),
    }
    return tables, samples


def _checks() -> pa.Table:
    tables, samples = _tables()
    return rewrites.check_rewrites(
        **tables,
        samples=samples,
        rewards={
            "draft": {f"easy_vqa/train/{index}#0": 0.0 for index in range(len(CASES))},
            "rewrite": {f"easy_vqa/train/{index}#0": 1.0 for index in range(len(CASES))},
            "output": {"easy_vqa/train/1#0": 0.0},
        },
        wrong={"easy_vqa/train/3"},
        truth=lambda sample, text: _color(text) == "red",
        faithful=lambda sample, draft, text: _color(text) == _color(draft),
        filter_rewards={"output": {"easy_vqa/train/1#0": -2.0}},
        contradicts={"report": {"easy_vqa/train/0#0": False, "easy_vqa/train/3#0": True}},
    )


def test_each_rewrite_is_checked_against_its_draft_and_the_truth() -> None:
    table = _checks()
    assert table.schema == rewrites.CHECK_SCHEMA
    rows = table.to_pylist()
    assert [row["draft_factual"] for row in rows] == [True, True, True, False, True]
    assert [row["factual"] for row in rows] == [True, False, False, False, True]
    # Dropped rewrites have no output; the removed paragraph no longer counts.
    assert [row["output_factual"] for row in rows] == [True, True, None, False, None]
    assert [row["faithful"] for row in rows] == [True, True, False, True, True]
    assert [row["output_reward"] for row in rows] == [1.0, 0.0, None, 1.0, None]
    # What the filtering judge says stands beside it.
    assert [row["filter_output_reward"] for row in rows] == [3.0, -2.0, None, 3.0, None]
    assert [row["contradicts"] for row in rows] == [False, None, None, True, None]
    # Four rewrites of "red" are one pair.
    assert [rows[0]["pair"] == row["pair"] for row in rows] == [True, True, True, False, True]


def test_figures_are_averages_over_pairs_and_report_wrong_drafts_apart() -> None:
    found = rewrites.rewrite_figures(_checks().to_pylist())
    assert (found["candidates"], found["kept"], found["kept_share"]) == (5, 3, 0.6)
    assert (found["pairs"], found["pairs_kept"]) == (2, 2)
    # Of the pair "red" 2 of 4 rewrites are true, of "blue" 0 of 1.
    assert found["all_factual"] == pytest.approx((2 / 4 + 0) / 2)
    assert found["per_rewrite"]["all_factual"] == pytest.approx(2 / 5)
    assert found["kept_factual"] == pytest.approx((1 + 0) / 2)
    assert found["kept_factual_right_drafts"] == 1.0
    assert found["wrong"] == {"drafts": 1, "kept_wrong": 1, "repaired": 0, "rejected": 0}
    assert found["kept_faithful"] == 1.0 and found["all_faithful"] == pytest.approx((3 / 4 + 1) / 2)
    assert found["kept_contradicts"] == pytest.approx((0 + 1) / 2)
    assert found["win_rate"] == pytest.approx((1.0 + 0.5 + 1.0) / 3)
    assert found["win_rate_filter_judge"] == 0.0


def test_a_kept_rewrite_that_cannot_be_read_counts_as_unfaithful() -> None:
    rows = _checks().to_pylist()
    rows[0]["faithful"] = False
    assert rewrites.rewrite_figures(rows)["kept_faithful"] == pytest.approx((1 / 2 + 1) / 2)


def test_wrong_drafts_are_kept_wrong_repaired_or_rejected() -> None:
    rows = _checks().to_pylist()
    for row in rows:
        row["draft_factual"] = False
    assert rewrites.rewrite_figures(rows)["wrong"] == {
        "drafts": 5, "kept_wrong": 1, "repaired": 2, "rejected": 2,
    }  # fmt: skip


def test_intervals_are_drawn_over_pairs() -> None:
    boot = SampleBootstrap({}, 0, 200)
    found = rewrites.rewrite_figures(_checks().to_pylist(), boot, "all/")["intervals"]
    own = found["kept_factual"]
    # Two pairs, one all true and one all false: anything between is possible.
    assert (own["mean"], own["low"], own["high"], own["n"]) == (0.5, 0.0, 1.0, 2)
    assert rewrites.rewrite_figures([], boot)["intervals"]["kept_factual"] is None


def test_figures_without_rewrites_are_null_not_a_crash() -> None:
    found = rewrites.rewrite_figures([])
    assert found["kept_share"] is None and found["win_rate"] is None


def test_what_nobody_can_tell_is_null() -> None:
    tables, samples = _tables()
    checks = rewrites.check_rewrites(
        **tables,
        samples=samples,
        rewards={},
        wrong=(),
        truth=lambda sample, text: None,
        faithful=lambda sample, draft, text: None,
    )
    assert checks["faithful"].null_count == checks["factual"].null_count == len(CASES)
    assert checks["output_reward"].null_count == len(CASES)
    assert rewrites.rewrite_figures(checks.to_pylist())["kept_factual"] is None


def test_a_rewrite_without_a_decision_is_refused() -> None:
    tables, samples = _tables()
    tables["decisions"] = tables["decisions"].slice(1)
    with pytest.raises(UserError, match="easy_vqa/train/0"):
        rewrites.check_rewrites(
            **tables,
            samples=samples,
            rewards={},
            wrong=(),
            truth=lambda sample, text: None,
            faithful=lambda sample, draft, text: None,
        )


def test_funnel_accounts_for_every_id() -> None:
    rows = rewrites.funnel(_checks().to_pylist(), {"easy_vqa": 2, "digits": 3}, ("unchanged",))
    assert [row["source"] for row in rows] == ["digits", "easy_vqa"]
    for row in rows:
        dropped = sum(part["count"] for part in row["dropped"])
        assert row["ids_in"] == row["rejected"] + dropped + row["kept"]
    assert rows[0]["ids_in"] == 3 and rows[0]["kept"] == 0
    assert rows[1]["dropped"] == [
        {"reason": "unchanged", "count": 1},
        {"reason": "nli", "count": 1},
    ]


def test_rated_texts_name_each_text_once() -> None:
    tables, samples = _tables()
    style = Sample(
        sample_id="shapes_llava/train/0",
        source="shapes_llava",
        split="train",
        task="conversation",
        images=(),
        turns=(Turn("Hello?", "Hello, how are you?"), Turn("More?", "Certainly.")),
    )
    rows = rewrites.rated_texts(
        tables["candidates"], tables["decisions"], [style], [samples["easy_vqa/train/0"]]
    )
    assert Counter(row["model"] for row in rows) == {
        "draft": 5,
        "rewrite": 5,
        "output": 1,
        "style": 1,
        "annotation": 1,
    }
    texts = {(row["model"], row["sample_id"]): row["text"] for row in rows}
    assert len(texts) == len(rows)
    assert texts["output", rewrites.output_key("easy_vqa/train/1", 0)] == "It is a red circle."
    assert texts["style", "shapes_llava/train/0"] == "Hello, how are you?"


def test_gallery_takes_all_sources_and_decisions_by_hash() -> None:
    rows = [
        {"sample_id": f"{source}/train/{index}", "candidate": 0, "source": source,
         "decision": "dropped" if index % 10 == 0 else "kept"}
        for source in ("a", "b", "c")
        for index in range(100)
    ]  # fmt: skip
    chosen = rewrites.gallery(rows, 48)
    assert chosen == rewrites.gallery(list(reversed(rows)), 48)
    assert len({row["sample_id"] for row in chosen}) == 48
    counts = Counter((row["source"], row["decision"]) for row in chosen)
    assert set(counts.values()) == {8}
    # Not simply the first ones.
    kept = [row["sample_id"] for row in chosen if row["source"] == "a"][:8]
    assert kept != [f"a/train/{index}" for index in range(1, 9)]
    assert len(rewrites.gallery(rows, 1000)) == 300
