"""A made-up but complete workspace: everything the report stage reads, written by our own code."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image, ImageDraw

from polite_flamingo.core.images import check_image
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.core.seeds import generator
from polite_flamingo.core.shards import ShardWriter
from polite_flamingo.core.tables import write_json, write_table
from polite_flamingo.evaluation import metrics, rewriter_controls
from polite_flamingo.evaluation.rewrites import check_rewrites
from polite_flamingo.evaluation.summary import build_metrics
from polite_flamingo.evaluation.win_rates import rewards_by_model

COLORS = ("red", "green", "blue", "yellow", "black", "teal")
SHAPES = ("circle", "rectangle", "triangle")
TASKS = {
    "easy_vqa": "vqa",
    "digits": "classification",
    "shapes_coco": "captioning",
    "shapes_aokvqa": "vqa_rationale",
    "shapes_clevr": "vqa",
    "shapes_spotdiff": "change_captioning",
}
HELD_OUT = {"shapes_vsr": "vqa", "shapes_grid3d": "vqa"}
MODELS = (
    "base",
    *(f"{variant}-stage{stage}" for variant in ("pf", "raw") for stage in (1, 2, 3)),
)
# The U shape that the made-up models show: accuracy and reward after each stage.
ACCURACY = dict(zip(MODELS, (0.35, 0.45, 0.9, 0.92, 0.4, 0.93, 0.93), strict=True))
REWARD = dict(zip(MODELS, (-1.2, 0.6, -0.4, 0.4, 0.5, -2.1, -1.0), strict=True))


@dataclass(frozen=True)
class World:
    """The tables and samples of the workspace, before anything is computed from them."""

    samples: dict[str, Sample]
    style: list[Sample]
    tables: dict[str, pa.Table]
    images: dict[str, bytes]
    judges: dict[str, dict[str, Any]]


def _picture(rng: np.random.Generator) -> tuple[str, bytes, str, str]:
    color, shape = str(rng.choice(COLORS)), str(rng.choice(SHAPES))
    image = Image.new("RGB", (64, 64), "#fdf6e3")
    draw = ImageDraw.Draw(image)
    x, y = (int(value) for value in rng.integers(6, 30, size=2))
    box = (x, y, x + 26, y + 22)
    if shape == "circle":
        draw.ellipse(box, fill=color)
    elif shape == "rectangle":
        draw.rectangle(box, fill=color)
    else:
        draw.polygon([(x, y + 24), (x + 13, y), (x + 26, y + 24)], fill=color)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    checked = check_image(buffer.getvalue())
    return checked.image_id, checked.data, color, shape


def _sample(source: str, task: str, split: str, index: int, images: dict[str, bytes]) -> Sample:
    rng = generator(7, source, split, index)
    pictures = [_picture(rng) for _ in range(2 if task == "change_captioning" else 1)]
    images.update((image_id, data) for image_id, data, _, _ in pictures)
    _, _, color, shape = pictures[0]
    answer: str | None = color
    question, draft = f"What color is the {shape}?", color
    if task == "captioning":
        question, draft = "Describe the image.", f"a {color} {shape} on a pale ground"
    elif task == "change_captioning":
        question, draft = "What has changed?", f"the {color} {shape} is gone"
    elif task == "vqa_rationale":
        draft = f"{color}. the {shape} is painted {color}"
    elif task == "classification":
        answer = str(rng.integers(10))
        question, draft = "Which digit is this?", answer
    if task in ("captioning", "change_captioning"):
        answer = None
    return Sample(
        sample_id=f"{source}/{split}/{index}",
        source=source,
        split=split,
        task=task,
        images=tuple(image_id for image_id, *_ in pictures),
        turns=(Turn(question, draft),),
        references=(draft,),
        answer=answer,
    )


def _candidate(sample: Sample, index: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    rng = generator(8, sample.sample_id)
    draft = sample.turns[0].response
    rewrite = f"Looking at the image, I can tell you that the answer is: {draft}."
    reason = ""
    if sample.task == "captioning":
        rewrite = f"The image shows {draft}. It is a simple scene.\n\nA person smiles at a dog."
    if index % 5 == 4:
        reason = "unchanged" if index % 2 else "nli"
        rewrite = draft if reason == "unchanged" else "The answer to your question is purple."
    key = {"sample_id": sample.sample_id, "candidate": 0}
    candidate = {
        **key,
        "source": sample.source,
        "task": sample.task,
        "images": list(sample.images),
        "instruction": sample.turns[0].instruction,
        "draft": draft,
        "rewrite": rewrite,
        "new_tokens": len(rewrite.split()),
        "stopped": True,
    }
    captioning = sample.task in ("captioning", "change_captioning")
    paragraphs = rewrite.split("\n\n")
    scores = {
        **key,
        "length": len(rewrite.split()),
        "change": 1.0 if rewrite == draft else 0.4,
        "sts": float(rng.uniform(0.3, 0.9)) if captioning else None,
        "clipscore": [float(rng.uniform(15, 30)) for _ in paragraphs]
        if sample.task == "captioning"
        else None,
        "nli": None if captioning else [4.0, -2.0, 0.0] if reason == "nli" else [-3.0, 4.0, 0.5],
        "draft_reward": float(rng.normal(-2.0, 0.5)),
        "reward": float(rng.normal(-1.5 if rewrite == draft else 0.5, 0.6)),
        "repetition": 0.0,
    }
    decision = {
        **key,
        "decision": "dropped" if reason else "kept",
        "reason": reason,
        "filters": [reason] if reason else [],
        "output": paragraphs[0],
    }
    return candidate, scores, decision


def _responses(samples: list[Sample]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    responses, ratings = [], []
    for model in MODELS:
        for control in ("", "blank", "shuffled") if model == "pf-stage3" else ("",):
            for sample in samples:
                rng = generator(9, model, control, sample.sample_id)
                share = 0.3 if control else ACCURACY[model]
                right = bool(rng.random() < share)
                checkable = sample.answer is not None
                # Every seventh wrong answer is no answer at all, which must count as wrong.
                silent = not right and rng.random() < 1 / 7
                responses.append(
                    {
                        "model": model,
                        "control": control,
                        "sample_id": sample.sample_id,
                        "source": sample.source,
                        "task": sample.task,
                        "instruction": sample.turns[0].instruction,
                        "response": f"It is {sample.answer if right else 'purple'}.",
                        "answer": None if silent or not checkable else sample.answer,
                        "correct": None if silent or not checkable else right,
                    }
                )
                ratings.append(
                    {
                        "model": model,
                        "control": control,
                        "sample_id": sample.sample_id,
                        "reward": float(rng.normal(REWARD[model], 0.7)),
                        "rouge_l": None if checkable else float(rng.uniform(0.3, 0.6) * share),
                        "sts": None if checkable else float(rng.uniform(0.4, 0.9) * share),
                    }
                )
    return responses, ratings


def make_world(train: int = 12, test: int = 20) -> World:
    """Six raw sources of `train` and `test` samples, two held-out ones, and the tables."""
    images: dict[str, bytes] = {}
    samples: list[Sample] = []
    for source, task in (TASKS | HELD_OUT).items():
        counts = {"train": 0 if source in HELD_OUT else train, "test": test}
        for split, count in counts.items():
            samples += [_sample(source, task, split, index, images) for index in range(count)]
    raw = [sample for sample in samples if sample.split == "train"]
    style = [
        Sample(
            sample_id=f"shapes_llava/train/{index}",
            source="shapes_llava",
            split="train",
            task="conversation",
            images=(),
            turns=(Turn("What do you see?", f"I can see a lovely scene with {index} shapes."),),
        )
        for index in range(40)
    ]
    parts = [_candidate(sample, index) for index, sample in enumerate(raw)]
    responses, ratings = _responses([sample for sample in samples if sample.split == "test"])
    for sample in raw:
        for model, reward in (("draft", -2.0), ("rewrite", 0.5), ("output", 0.4)):
            ratings.append(_text_rating(model, f"{sample.sample_id}#0", reward))
    ratings += [_text_rating("style", sample.sample_id, 1.2) for sample in style]
    ratings += [
        _text_rating("annotation", sample.sample_id, -2.2)
        for sample in samples
        if sample.split == "test"
    ]
    return World(
        samples={sample.sample_id: sample for sample in samples},
        style=style,
        tables={
            "candidates": pa.Table.from_pylist([part[0] for part in parts]),
            "scores": pa.Table.from_pylist([part[1] for part in parts]),
            "decisions": pa.Table.from_pylist([part[2] for part in parts]),
            "responses": pa.Table.from_pylist(responses),
            "ratings": pa.Table.from_pylist(ratings),
        },
        images=images,
        judges={
            "nli": {"accuracy": 0.934, "control": 0.41, "control_name": "majority", "n": 600},
            "reward": {
                "accuracy": 0.972,
                "pairs": 400,
                "accuracy_by_kind": {"terse": 0.99},
                "adversarial": {
                    "polite_but_wrong": 0.61,
                    "shouting": {"accuracy": 0.99, "pairs": 80, "required": False},
                },
            },
            "clipscore": {"accuracy": 0.88, "images": 300, "mean_own": 31.2},
        },
    )


def _text_rating(model: str, sample_id: str, reward: float) -> dict[str, Any]:
    rng = generator(10, model, sample_id)
    return {
        "model": model,
        "control": "",
        "sample_id": sample_id,
        "reward": float(rng.normal(reward, 0.5)),
        "rouge_l": None,
        "sts": None,
        "filter_reward": reward,
    }


def _control_texts(raw: list[Sample]) -> pa.Table:
    ids = [sample.sample_id for sample in raw]
    said = {
        "rewriter": "Looking closely, I would say {}, and that is number {} of today.",
        "blank": "It is purple, {}, number {}.",
        "draft": "{}",
        "template": "The answer is {}.",
    }
    return pa.concat_tables(
        [
            rewriter_controls.texts_of(
                system,
                ids,
                [text.format(sample.turns[0].response, place) for place, sample in enumerate(raw)],
            )
            for system, text in said.items()
        ]
    )


def _true(sample: Sample, text: str) -> bool | None:
    return sample.answer in text.lower() if sample.answer else None


def _says(sample: Sample, draft: str, text: str) -> bool:
    return draft.lower().split()[0] in text.lower()


SOURCE_STATS = {
    "shapes_coco": {
        "ids_in": 9,
        "samples": {"train": 5, "test": 2},
        "images": 7,
        "capped": 1,
        "with_images": 8,
        "with_boxes": 7,
        "rejects": {"missing_image": 1},
        "notes": {"special_tokens": 2},
        "response_words": {"1": 2, "9-16": 5},
    }
}


# What calibrate measured on planted faults, by its two splits, and what the figure is drawn from.
PLANTED: dict[str, Any] = {
    "test": {
        "good": 10,
        "good_lost": 0.02,
        "bad_caught": 0.95,
        "planted": {"unchanged": 5, "changed_answer": 4},
        "recall": {"unchanged": 1.0, "changed_answer": 0.75},
        "filters": {"unchanged": {"unchanged": 5}, "changed_answer": {"nli": 3}},
    },
    "weak_faults": ["changed_answer"],
    "curves": {
        "nli": [
            {"threshold": -2.0, "good_lost": 0.1, "bad_caught": 0.9, "meant_caught": 1.0},
            {"threshold": 2.0, "good_lost": 0.0, "bad_caught": 0.2, "meant_caught": 0.5},
        ],
    },
    "tradeoff": [
        {"budget": budget, "good_lost": budget, "bad_caught": caught, "worst_recall": caught / 2}
        for budget, caught in ((0.01, 0.7), (0.03, 0.95))
    ],
}


def write_world(world: World, root: Path) -> Layout:
    """Write the workspace under `root` as the stages before `report` would."""
    paths = Layout(root)
    tables = world.tables
    raw = [sample for sample in world.samples.values() if sample.split == "train"]
    rewards = rewards_by_model(tables["ratings"].to_pylist())
    wrong = {"easy_vqa/train/0": "pink"}
    checks = check_rewrites(
        tables["candidates"],
        tables["scores"],
        tables["decisions"],
        world.samples,
        rewards,
        _true,
        _says,
        wrong,
        rewards_by_model(tables["ratings"].to_pylist(), judge="filter_reward"),
        {"report": {"easy_vqa/train/1#0": True}, "filter": {}},
    )
    means = {"rewriter": 0.5, "blank": 0.4, "draft": -2.0, "template": -0.5}
    controls = rewriter_controls.check_controls(
        _control_texts(raw),
        world.samples,
        {
            rewriter_controls.rated_as(system): {
                sample.sample_id: _text_rating(system, sample.sample_id, mean)["reward"]
                for sample in raw
            }
            for system, mean in means.items()
        },
        {},
        _true,
        _says,
        wrong,
    )
    tested = {sample.sample_id for sample in world.samples.values() if sample.split == "test"}
    figures = build_metrics(
        samples=world.samples,
        candidates=tables["candidates"],
        decisions=tables["decisions"],
        checks=checks,
        rejected={"shapes_coco": 1},
        style=world.style,
        responses=tables["responses"],
        ratings=tables["ratings"],
        judges=world.judges,
        held_out=list(HELD_OUT),
        rewriter=controls,
        unseen={"held_out_pair": set(sorted(tested)[:30]), "test_only_form": set(), "seen": tested},
        filters=("unchanged", "clipscore", "nli"),
        thresholds={"unchanged": 0.9, "clipscore": 17.0, "nli": 0.0},
        planted=PLANTED,
        resamples=200,
    )
    write_table(paths.rewrites / "candidates.parquet", tables["candidates"])
    for name in ("scores", "decisions"):
        write_table(paths.filtered / f"{name}.parquet", tables[name])
    for name in ("responses", "ratings"):
        write_table(paths.evaluation / f"{name}.parquet", tables[name])
    write_table(paths.evaluation / "checks.parquet", checks)
    write_json(paths.evaluation / "metrics.json", figures)
    write_json(paths.thresholds, PLANTED)
    write_json(paths.samples / "stats.json", SOURCE_STATS)
    with ShardWriter(paths.images, shard_size=50) as writer:
        for image_id, data in world.images.items():
            writer.add(image_id, data, "png", 64, 64)
    return paths


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """The workspace, written once; tests that change it take a copy (`workspace`)."""
    with pytest.MonkeyPatch.context() as patch:
        # It has tests of its own, and its library takes seconds to import.
        patch.setattr(metrics, "self_bleu", lambda texts, seed: 0.5)
        return write_world(make_world(), tmp_path_factory.mktemp("pristine"))


@pytest.fixture
def workspace(pristine: Layout, tmp_path: Path) -> Layout:
    shutil.copytree(pristine.root, tmp_path / "workspace")
    return Layout(tmp_path / "workspace")
