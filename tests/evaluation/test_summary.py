from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.evaluation import summary
from polite_flamingo.evaluation.rewriter_controls import CONTROL_SCHEMA
from polite_flamingo.evaluation.rewrites import CHECK_SCHEMA

QUESTION = "What color is it?"
TUNED = tuple(f"{variant}-stage{stage}" for variant in ("pf", "raw") for stage in (1, 2, 3))
MODELS = ("base", *TUNED)
RESPONSE_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("model", "control", "sample_id", "source", "task")]
    + [("answer", pa.string()), ("correct", pa.bool_())]
)
RATING_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("model", "control", "sample_id")]
    + [(name, pa.float64()) for name in ("reward", "rouge_l", "sts")]
)


def _sample(source: str, split: str, index: int, task: str, answer: str | None) -> Sample:
    return Sample(
        sample_id=f"{source}/{split}/{index}",
        source=source,
        split=split,
        task=task,
        images=(f"{source}{split}{index // 2}",),
        turns=(Turn(QUESTION, answer or "a red star"),),
        answer=answer,
    )


def _samples() -> dict[str, Sample]:
    samples = [
        _sample("easy_vqa", "train", index, "vqa", "red" if index else "blue") for index in range(4)
    ]
    samples += [
        _sample("easy_vqa", "test", index, "vqa", "red" if index < 2 else "blue")
        for index in range(4)
    ]
    samples += [_sample("shapes_coco", "test", index, "captioning", None) for index in range(2)]
    samples += [_sample("shapes_vsr", "test", index, "vqa", "yes") for index in range(2)]
    return {sample.sample_id: sample for sample in samples}


def _responses(samples: dict[str, Sample], correct: Any) -> pa.Table:
    rows = [
        {
            "model": model,
            "control": control,
            "sample_id": sample.sample_id,
            "source": sample.source,
            "task": sample.task,
            "answer": None,
            "correct": correct(model, control, sample),
        }
        for model in MODELS
        for control in (("", "blank", "shuffled") if model == "pf-stage3" else ("",))
        for sample in samples.values()
        if sample.split == "test"
    ]
    return pa.Table.from_pylist(rows, schema=RESPONSE_SCHEMA)


def _ratings(samples: dict[str, Sample]) -> pa.Table:
    rows = [
        {"model": model, "control": "", "sample_id": sample.sample_id, "rouge_l": 0.5, "sts": None,
         "reward": _reward(model)}
        for model in MODELS
        for sample in samples.values()
        if sample.split == "test"
    ]  # fmt: skip
    rows += [
        {"model": "pf-stage3", "control": control, "sample_id": f"shapes_coco/test/{index}",
         "rouge_l": 0.2 if control == "blank" else 0.5, "sts": None, "reward": 0.0}
        for control in ("blank", "shuffled")
        for index in range(2)
    ]  # fmt: skip
    rows += [
        {"model": "style", "control": "", "sample_id": str(index), "reward": 2.0}
        for index in range(3)
    ]
    return pa.Table.from_pylist(rows, schema=RATING_SCHEMA)


def _reward(model: str) -> float:
    if model == "base":
        return -3.0
    return (1.0 if model.startswith("pf") else -1.0) + 0.1 * int(model[-1])


def _correct(model: str, control: str, sample: Sample) -> bool | None:
    if sample.answer is None:
        return None
    if control:
        return sample.answer == "red"
    index = int(sample.sample_id.rsplit("/", 1)[1])
    if sample.source == "shapes_vsr":
        return index == 0
    if model == "raw-stage2":
        return index == 3
    # pf: three right, and one without any answer in it.
    return True if index < 3 else None


def _rewriter() -> pa.Table:
    rows = [
        {"system": system, "sample_id": str(place), "source": "easy_vqa", "pair": str(place),
         "text": text.format(place), "faithful": True, "factual": True, "reward": reward}
        for system, text, reward in (
            ("rewriter", "Sure! Number {0} it is, as anyone can see here {0}{0}.", 1.0),
            ("template", "The answer is {0}.", -1.0),
        )
        for place in range(6)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=CONTROL_SCHEMA)


def _build(**changes: Any) -> dict[str, Any]:
    samples = _samples()
    check: dict[str, Any] = {
        "sample_id": "easy_vqa/train/0",
        "candidate": 0,
        "source": "easy_vqa",
        "task": "vqa",
        "pair": "blue",
        "decision": "kept",
        "reason": "",
        "draft_factual": True,
        "factual": True,
        "output_factual": True,
        "faithful": True,
        "draft_reward": -2.0,
        "reward": 1.0,
        "output_reward": 1.0,
        "filter_draft_reward": 1.0,
        "filter_output_reward": -1.0,
    }
    key = {"sample_id": "easy_vqa/train/0", "candidate": 0}
    arguments: dict[str, Any] = {
        "samples": samples,
        "candidates": pa.Table.from_pylist([{**key, "draft": "blue", "rewrite": "It is blue."}]),
        "decisions": pa.Table.from_pylist(
            [{**key, "decision": "kept", "reason": "", "filters": [], "output": "It is blue."}]
        ),
        "checks": pa.Table.from_pylist([check], schema=CHECK_SCHEMA),
        "rejected": {},
        "style": [],
        "responses": _responses(samples, _correct),
        "ratings": _ratings(samples),
        "judges": {"nli": {"accuracy": 0.9, "n": 200}, "reward": {"accuracy": 0.8}},
        "held_out": ["shapes_vsr"],
        "rewriter": _rewriter(),
        "unseen": {"held_out_pair": {"easy_vqa/test/0", "easy_vqa/test/3"}, "seen": set()},
        "resamples": 200,
    }
    return summary.build_metrics(**(arguments | changes))


def test_every_headline_figure_is_there() -> None:
    headline = _build()["headline"]
    assert [key for key in summary.HEADLINE if headline.get(key) is None] == []


def test_the_filtering_judges_figures_stand_under_names_of_their_own() -> None:
    headline = _build()["headline"]
    assert (headline["rewrite_win_rate"], headline["rewrite_win_rate_filter_judge"]) == (1.0, 0.0)
    # Nothing but rewrites was rated by the filtering judge here.
    assert headline["tax_win_rate_filter_judge"] is None


def test_what_training_never_showed_is_reported_apart() -> None:
    found = _build()["unseen"]
    assert found["held_out_pair"]["pf-stage3"]["mean"] == pytest.approx(1 / 2)
    assert found["held_out_pair"]["raw-stage3"]["n"] == 2
    assert found["seen"]["pf-stage3"] is None


def test_no_answer_in_a_response_counts_as_wrong() -> None:
    found = _build()
    assert found["headline"]["easyvqa_accuracy"] == pytest.approx(3 / 4)
    assert found["headline"]["stage3_accuracy"] == pytest.approx(3 / 4)
    assert found["headline"]["easyvqa_blind_accuracy"] == pytest.approx(2 / 4)


def test_held_out_sets_stay_out_of_the_in_domain_accuracy() -> None:
    stage = _build()["stages"]["pf-stage3"]
    assert (stage["answered"], stage["accuracy"], stage["held_out_accuracy"]) == (4, 0.75, 0.5)
    everything = _build(held_out=[])["stages"]["pf-stage3"]
    assert (everything["answered"], everything["accuracy"]) == (6, pytest.approx(4 / 6))


def test_the_tax_is_paired_on_the_same_samples() -> None:
    headline = _build()["headline"]
    assert headline["tax_win_rate"] == 1.0
    assert headline["tax_accuracy_gap"] == pytest.approx(3 / 4 - 1 / 4)
    assert headline["tax_accuracy_gap_stage3"] == 0.0
    found = _build()["intervals"]["tax_accuracy_gap"]
    assert found["low"] <= 0.5 <= found["high"] and found["n"] == 4


def test_reward_of_a_stage_is_the_mean_over_all_its_responses() -> None:
    headline = _build()["headline"]
    assert headline["stage2_reward"] == pytest.approx(1.2)


def test_controls_hold_the_guess_from_the_question_alone() -> None:
    controls = _build()["controls"]
    # The training answers to the question are red, red, red, blue; half of the tests are red.
    assert controls["easy_vqa"]["question_only"] == pytest.approx(2 / 4)
    assert controls["easy_vqa"]["image"]["accuracy"] == pytest.approx(3 / 4)
    assert controls["easy_vqa"]["blank"]["accuracy"] == pytest.approx(2 / 4)
    assert controls["shapes_vsr"]["held_out"] is True
    assert controls["shapes_vsr"]["question_only"] is None
    assert controls["shapes_coco"]["image"]["rouge_l"] == 0.5
    assert controls["shapes_coco"]["image"]["accuracy"] is None


def test_the_base_is_stage_zero() -> None:
    base = _build()["stages"]["base"]
    assert (base["accuracy"], base["reward"]) == (0.75, -3.0)
    assert base["intervals"]["reward"] == {"low": -3.0, "high": -3.0, "n": 8}


def test_the_image_is_compared_with_its_controls_on_the_same_samples() -> None:
    controls = _build()["controls"]
    # 0 to 2 right with the image, 0 and 1 without: 1, 1, 1, 0 minus 1, 1, 0, 0.
    gap = controls["easy_vqa"]["minus"]["blank"]["accuracy"]
    assert (gap["mean"], gap["n"], gap["above"]) == (0.25, 4, False)
    assert gap["low"] <= 0.25 <= gap["high"]
    captions = controls["shapes_coco"]["minus"]
    assert set(captions["blank"]) == {"rouge_l"}
    assert captions["blank"]["rouge_l"]["mean"] == pytest.approx(0.3)
    assert captions["blank"]["rouge_l"]["above"] is True
    assert captions["shuffled"]["rouge_l"]["above"] is False


def test_findings_are_tested_not_told() -> None:
    found = _build()["findings"]
    # The made-up rewards rise by a tenth after every stage.
    assert found["u_shape"]["shows"] is False
    assert found["u_shape"]["to_stage2"]["mean"] == pytest.approx(0.1)
    assert found["tax_stage2"]["shows"] is True and found["tax_stage3"]["side"] == 1


def test_without_easy_vqa_its_figures_are_null() -> None:
    samples = {key: one for key, one in _samples().items() if one.source != "easy_vqa"}
    ratings = [row for row in _ratings(samples).to_pylist() if "easy_vqa" not in row["sample_id"]]
    found = _build(
        samples=samples,
        responses=_responses(samples, _correct),
        ratings=pa.Table.from_pylist(ratings, schema=RATING_SCHEMA),
    )
    nulls = {key for key in summary.HEADLINE if found["headline"][key] is None}
    assert {"easyvqa_accuracy", "easyvqa_blind_accuracy"} <= nulls <= set(summary.NOT_ALWAYS)


def test_histograms_lose_no_value() -> None:
    rewards = _build()["rewards"]
    assert set(rewards["sets"]) == {"raw", "rewritten", "kept", "style"}
    for own in rewards["sets"].values():
        assert len(own["shares"]) == len(rewards["edges"]) - 1
        assert sum(own["shares"]) == pytest.approx(1.0)


def test_win_rates_hold_the_models_and_not_the_other_texts() -> None:
    matrix = _build()["win_rates"]
    assert matrix["models"] == ["base", *TUNED[3:], *TUNED[:3]]
    assert matrix["samples"] == 8


def test_a_missing_model_leaves_null_figures() -> None:
    samples = _samples()
    kept = [row for row in _responses(samples, _correct).to_pylist() if row["model"][:3] != "raw"]
    headline = _build(responses=pa.Table.from_pylist(kept, schema=RESPONSE_SCHEMA))["headline"]
    assert headline["tax_accuracy_gap"] is None
    assert headline["stage3_accuracy"] == pytest.approx(3 / 4)


def test_a_response_to_an_unknown_sample_is_refused() -> None:
    samples = {key: sample for key, sample in _samples().items() if "vsr" not in key}
    with pytest.raises(UserError, match="shapes_vsr/test/0"):
        _build(samples=samples)


def test_equal_input_gives_equal_figures() -> None:
    assert _build() == _build()
