from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import GenerateParams, SplitCounts
from polite_flamingo.core.tables import read_table
from polite_flamingo.shapes import writers
from polite_flamingo.shapes.questions import Phrase
from polite_flamingo.shapes.scene import SHAPES, ObjectLimits, Scene, from_json, make_scene
from polite_flamingo.shapes.writers import ImageRow, Settings
from polite_flamingo.stages.generate import (
    WORLDS,
    check_counts,
    check_plain_scenes,
    generate,
    scene_pools,
)

SETTINGS = Settings(seed=3, image_size=64, wrong_share=0.3)
TRUE = replace(SETTINGS, wrong_share=0.0)


def made(pool: str, number: int, least: int = 1) -> list[Scene]:
    return [make_scene(3, pool, index, ObjectLimits(least, 3)) for index in range(number)]


SCENES: writers.Scenes = {"train": made("raw", 25), "test": made("test", 12)}


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def check_rows(folder: Path, rows: list[ImageRow]) -> None:
    for row in rows:
        data = (folder / row.path).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row.image_sha256
        image = Image.open(io.BytesIO(data))
        assert (image.format, image.size, image.mode) == ("PNG", (64, 64), "RGB")
    files = {
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.suffix in (".png", ".jpg")
    }
    assert files == {row.path for row in rows}


def test_coco_layout_joins_by_id(tmp_path: Path) -> None:
    rows = writers.write_coco(tmp_path, "shapes_coco", SCENES, TRUE)
    check_rows(tmp_path, rows)
    by_path = {row.path: row.scene for row in rows}
    for name, number in (("train2014", 25), ("val2014", 12)):
        texts = load(tmp_path / f"annotations/captions_{name}.json")
        objects = load(tmp_path / f"annotations/instances_{name}.json")
        assert len(texts["images"]) == number
        assert Counter(Counter(a["image_id"] for a in texts["annotations"]).values()) == {5: number}
        order = [a["image_id"] for a in texts["annotations"]]
        assert order != sorted(order)
        assert len({a["id"] for a in texts["annotations"]}) == 5 * number
        names = {c["id"]: c["name"] for c in objects["categories"]}
        assert set(names.values()) == set(SHAPES)
        for image in texts["images"]:
            scene = by_path[f"{name}/{image['file_name']}"]
            found = [
                (names[a["category_id"]], [value / 64 for value in a["bbox"]])
                for a in objects["annotations"]
                if a["image_id"] == image["id"]
            ]
            assert found == [
                (t.shape, [t.box[0], t.box[1], t.box[2] - t.box[0], t.box[3] - t.box[1]])
                for t in scene.things
            ]


def test_wrong_captions_are_recorded_and_only_in_train(tmp_path: Path) -> None:
    rows = writers.write_coco(tmp_path, "shapes_coco", SCENES, SETTINGS)
    wrong = [row for row in rows if row.wrong]
    assert 2 <= len(wrong) <= 15
    assert all(row.scene.pool == "raw" for row in wrong)
    lines: dict[str, list[str]] = {}
    for note in load(tmp_path / "annotations/captions_train2014.json")["annotations"]:
        lines.setdefault(str(note["image_id"]), []).append(note["caption"])
    for row in wrong:
        (error,) = row.wrong
        color, shape = error["given"].split()
        assert not any(Phrase(shape=shape, color=color).matches(t) for t in row.scene.things)
        assert len(lines[error["record"]]) == 5
    assert writers.write_coco(tmp_path / "clean", "shapes_coco", SCENES, TRUE)
    assert "wrong" not in (tmp_path / "annotations/captions_train2014.json").read_text()


def test_aokvqa_records_agree_with_the_scene_but_for_recorded_errors(tmp_path: Path) -> None:
    rows = writers.write_aokvqa(tmp_path, "shapes_aokvqa", SCENES, SETTINGS)
    check_rows(tmp_path, rows)
    errors = {error["record"]: error for row in rows for error in row.wrong}
    assert errors
    seen = set()
    for split, number in (("train", 25), ("val", 12)):
        records = load(tmp_path / f"aokvqa_v1p0_{split}.json")
        assert len(records) == number
        for record in records:
            identity = record["question_id"]
            seen.add(identity)
            assert len(identity) == 22 and identity.isalnum()
            assert (tmp_path / f"{split}2017/{record['image_id']:012d}.jpg").is_file()
            assert (len(set(record["choices"])), len(record["direct_answers"])) == (4, 10)
            assert len(record["rationales"]) == 3
            answer = record["choices"][record["correct_choice_idx"]]
            if identity in errors:
                assert split == "train"
                assert answer == errors[identity]["given"] != errors[identity]["true"]
                assert errors[identity]["true"] in record["choices"]
    assert len(seen) == 37
    assert errors.keys() <= seen


def test_clevr_files(tmp_path: Path) -> None:
    rows = writers.write_clevr(tmp_path, "shapes_clevr", SCENES, SETTINGS)
    check_rows(tmp_path, rows)
    for split, number in (("train", 25), ("val", 12)):
        graphs = load(tmp_path / f"scenes/CLEVR_{split}_scenes.json")["scenes"]
        questions = load(tmp_path / f"questions/CLEVR_{split}_questions.json")["questions"]
        assert [g["image_index"] for g in graphs] == list(range(number))
        assert [q["question_index"] for q in questions] == list(range(len(questions)))
        assert len(questions) > 3.5 * number
        for question in questions:
            assert (tmp_path / "images" / split / question["image_filename"]).is_file()
            assert question["program"][0]["function"] == "scene"
            assert {"inputs", "function", "value_inputs"} == set(question["program"][0])
        for graph in graphs:
            for spot, others in enumerate(graph["relationships"]["left"]):
                for other in others:
                    assert spot in graph["relationships"]["right"][other]
    train = load(tmp_path / "questions/CLEVR_train_questions.json")["questions"]
    errors = [error for row in rows for error in row.wrong]
    assert 0.15 < len(errors) / len(train) < 0.45
    for error in errors:
        assert train[int(error["record"])]["answer"] == error["given"] != error["true"]


def test_spotdiff_pairs(tmp_path: Path) -> None:
    rows = writers.write_spotdiff(tmp_path, "shapes_spotdiff", SCENES, SETTINGS)
    check_rows(tmp_path, rows)
    images = {row.path: row.scene for row in rows}
    for split, number in (("train", 25), ("val", 0), ("test", 12)):
        records = load(tmp_path / f"annotations/{split}.json")
        assert len(records) == number
        for record in records:
            before = images[f"resized_images/{record['img_id']}.png"]
            after = images[f"resized_images/{record['img_id']}_2.png"]
            same = before.things == after.things
            text = " ".join(record["sentences"]).lower()
            assert same == any(w in text for w in ("no diff", "same", "nothing", "re no "))


def test_llava_files(tmp_path: Path) -> None:
    scenes: writers.Scenes = {"train": made("style", 12)}
    check_rows(tmp_path, writers.write_llava(tmp_path, "shapes_llava", scenes, SETTINGS))
    numbers = {}
    for name in ("conversation", "detail", "complex_reasoning"):
        records = load(tmp_path / f"{name}.json")
        numbers[name] = len(records)
        for record in records:
            assert (tmp_path / record["image"]).is_file()
            messages = record["conversations"]
            assert [m["from"] for m in messages] == ["human", "gpt"] * (len(messages) // 2)
            assert messages[0]["value"].count("<image>") == 1
            assert not any("<image>" in m["value"] for m in messages[1:])
            assert all(m["value"].strip() for m in messages)
    assert numbers == {"conversation": 12, "detail": 12, "complex_reasoning": 6}


def test_text_only_files(tmp_path: Path) -> None:
    scenes: writers.Scenes = {"train": made("style", 40)}
    assert writers.write_alpaca(tmp_path, "shapes_alpaca", scenes, SETTINGS) == []
    records = load(tmp_path / "alpaca_data.json")
    assert len(records) == 40
    assert all(record.keys() == {"instruction", "input", "output"} for record in records)
    assert all(record["instruction"] and record["output"] for record in records)
    assert writers.write_sharegpt(tmp_path, "shapes_sharegpt", scenes, SETTINGS) == []
    chats = load(tmp_path / "sharegpt.json")
    assert len({chat["id"] for chat in chats}) == 40
    for chat in chats:
        assert [m["from"] for m in chat["conversations"][:2]] == ["human", "gpt"]


def test_conversations_about_attachments_have_their_share(tmp_path: Path) -> None:
    scenes: writers.Scenes = {"train": made("style", 200)}
    settings = replace(SETTINGS, attachment_share=0.6)
    writers.write_sharegpt(tmp_path, "shapes_sharegpt", scenes, settings)
    chats = load(tmp_path / "sharegpt.json")
    noted = sum("note" in chat["conversations"][0]["value"].lower() for chat in chats)
    assert 0.4 < noted / len(chats) < 0.7


def test_vsr_captions_are_labelled_by_their_truth(tmp_path: Path) -> None:
    scenes: writers.Scenes = {"test": made("test", 30, least=2)}
    rows = writers.write_vsr(tmp_path, "shapes_vsr", scenes, SETTINGS)
    check_rows(tmp_path, rows)
    assert (tmp_path / "splits/random/train.jsonl").read_text() == ""
    lines = (tmp_path / "splits/random/test.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) > 50
    assert 0.25 < sum(record["label"] for record in records) / len(records) < 0.75
    assert {record["image"] for record in records} == {Path(row.path).name for row in rows}
    assert all(f" is {record['relation']} the " in record["caption"] for record in records)


def test_grid3d_questions(tmp_path: Path) -> None:
    rows = writers.write_grid3d(tmp_path, "shapes_grid3d", {"test": made("test", 20)}, SETTINGS)
    check_rows(tmp_path, rows)
    questions = load(tmp_path / "questions.json")
    assert load(tmp_path / "test_idxs.json") == list(range(len(questions)))
    assert load(tmp_path / "train_idxs.json") == load(tmp_path / "val_idxs.json") == []
    for question in questions:
        assert question["question"][-1] == "?"
        if question["task"] == "counting":
            assert question["answer"].isdigit()
        else:
            assert question["answer"] in ("True", "False")
    assert {question["task"] for question in questions} == {"counting", "existence_prediction"}


# --- the stage -------------------------------------------------------------------------------


class _Params:
    """The fields of Params that the stage reads."""

    threads = 2

    def __init__(self, counts: dict[str, SplitCounts]) -> None:
        self.generate = GenerateParams(
            seed=9, image_size=64, max_objects=3, wrong_share=0.4, counts=counts, judge_examples=24
        )


def small() -> dict[str, SplitCounts]:
    return {
        name: SplitCounts(train=6 if world.train else 0, test=4 if world.test else 0)
        for name, world in WORLDS.items()
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("world")
    generate(_Params(small()), Layout(root))  # type: ignore[arg-type]
    yield root


def test_generate_writes_the_truth_of_every_image(world: Path) -> None:
    rows = read_table(world / "data/scenes/scenes.parquet").to_pylist()
    pools: dict[str, set[str]] = {}
    for row in rows:
        data = (world / "data/raw/shapes" / row["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["image_sha256"]
        scene = from_json(row["graph"])
        assert (scene.scene_id, scene.pool) == (row["scene_id"], row["pool"])
        assert row["held_out_pair"] == scene.held_out_pair
        assert row["pool"] == "test" or not row["held_out_pair"]
        pools.setdefault(row["source"], set()).add(row["pool"])
        if json.loads(row["wrong"]):
            assert row["pool"] == "raw"
    assert any(row["wrong"] != "[]" for row in rows)
    assert pools["shapes_coco"] == {"raw", "test"}
    assert pools["shapes_base"] == {"base", "test"}
    assert pools["shapes_vsr"] == {"test"}
    assert pools["judges"] == {"calibration"}
    files = [p for p in (world / "data/raw/shapes").rglob("*") if p.suffix in (".png", ".jpg")]
    assert len(files) == len(rows)
    # Scene ids are shared by no two sources.
    owner: dict[str, str] = {}
    for row in rows:
        assert owner.setdefault(row["scene_id"], row["source"]) == row["source"]


def test_generate_is_the_same_to_the_byte(world: Path, tmp_path: Path) -> None:
    generate(_Params(small()), Layout(tmp_path))  # type: ignore[arg-type]
    first = {p.relative_to(world): p.read_bytes() for p in world.rglob("*") if p.is_file()}
    again = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert first == again


def test_a_source_does_not_move_when_another_grows(world: Path, tmp_path: Path) -> None:
    counts = small() | {"shapes_base": SplitCounts(train=9, test=4)}
    del counts["shapes_spotdiff"]
    generate(_Params(counts), Layout(tmp_path))  # type: ignore[arg-type]
    for name in ("shapes_coco", "shapes_llava", "shapes_vsr", "shapes_sharegpt"):
        for path in sorted((world / "data/raw/shapes" / name).rglob("*")):
            if path.is_file():
                twin = tmp_path / path.relative_to(world)
                assert twin.read_bytes() == path.read_bytes()


def test_every_shapes_source_reads_back_without_a_reject(world: Path) -> None:
    from polite_flamingo.core.sample import Sample
    from polite_flamingo.sources.catalogue import find_entry
    from polite_flamingo.sources.read import read_source

    for name, counts in small().items():
        entry = find_entry(name)
        for split in entry.files:
            found = list(read_source(entry, world / "data/raw", split))
            assert len(found) >= getattr(counts, split) > 0, (name, split)
            assert all(isinstance(sample, Sample) for sample in found), (name, split)


@pytest.mark.parametrize(
    ("name", "train", "test", "message"),
    [
        ("shapes_vsr", 3, 3, "no train split"),
        ("shapes_llava", 3, 3, "no test split"),
        ("shapes_coc", 3, 0, "no such source"),
        ("shapes_judges", 0, 3, "at least one scene"),
    ],
)
def test_impossible_counts_are_user_errors(name: str, train: int, test: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_counts(small() | {name: SplitCounts(train=train, test=test)})


def test_plain_scenes_of_an_unknown_source_are_a_user_error() -> None:
    check_plain_scenes({"shapes_base": 0.5})
    with pytest.raises(UserError, match="shapes_bass: no such source"):
        check_plain_scenes({"shapes_bass": 0.5})


def test_plain_scenes_are_a_share_of_their_source(tmp_path: Path) -> None:
    params = _Params(small() | {"shapes_base": SplitCounts(train=40, test=0)})
    params.generate = replace(params.generate, max_objects=8, plain_scenes={"shapes_base": 0.5})
    generate(params, Layout(tmp_path))  # type: ignore[arg-type]
    found: dict[str, list[bool]] = {}
    for row in read_table(tmp_path / "data/scenes/scenes.parquet").to_pylist():
        scene = from_json(row["graph"])
        rich = len(scene.things) > 4 or bool(scene.distractors)
        found.setdefault(row["source"], []).append(rich)
    # Three quarters of the rich scenes have a distractor.
    assert 0.2 < sum(found["shapes_base"]) / 40 < 0.65
    others = [rich for source, each in found.items() for rich in each if source != "shapes_base"]
    assert sum(others) / len(others) > 0.7


def test_every_split_has_the_pool_that_its_scenes_lie_in(world: Path) -> None:
    pools = scene_pools()
    assert pools["shapes_llava_coco", "train"] == "style"
    assert ("shapes_vsr", "train") not in pools
    for row in read_table(world / "data/scenes/scenes.parquet").to_pylist():
        splits = {
            split
            for (source, split), pool in pools.items()
            if source == row["source"] and pool == row["pool"]
        }
        assert splits or row["source"] == "judges"
