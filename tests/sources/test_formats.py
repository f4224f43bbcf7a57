"""Each adapter on a minimal data set in its official layout, and on messy copies of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from minimal_sets import (
    ALPACA,
    AOKVQA,
    AOKVQA_RECORD,
    CLEVR,
    COCO,
    EASY_VQA,
    GRID3D,
    LLAVA,
    SHAREGPT,
    SPOTDIFF,
    VSR,
    alpaca,
    aokvqa,
    clevr,
    coco,
    easy_vqa,
    grid3d,
    llava,
    sharegpt,
    spotdiff,
    vsr,
)
from source_layouts import read, reasons, write

from polite_flamingo.core.boxes import BOX_ANNOUNCEMENT
from polite_flamingo.core.images import check_image
from polite_flamingo.core.sample import Turn
from polite_flamingo.sources.catalogue import find_entry
from polite_flamingo.sources.formats.digits import NAMES
from polite_flamingo.sources.read import read_records, read_source
from polite_flamingo.sources.record import Record


def test_coco_joins_captions_and_appends_boxes(tmp_path: Path) -> None:
    coco(tmp_path / "tiny")
    samples, rejects = read(COCO, tmp_path)
    by_id = {sample.sample_id: sample for sample in samples}
    assert list(by_id) == ["tiny/train/9", "tiny/train/7"]
    assert by_id["tiny/train/9"].turns[0].response == "a cat"
    red = by_id["tiny/train/7"]
    assert red.references == ("A red square.", "red thing")
    assert red.turns[0].response == (
        f"A red square.\nred thing\n\n{BOX_ANNOUNCEMENT}\ndog: [0.100, 0.200, 0.600, 0.600]"
    )
    assert [box.name for box in red.boxes] == ["dog"]
    assert reasons(rejects) == ["unknown_image"]


def test_coco_without_captions_and_repeated_images(tmp_path: Path) -> None:
    coco(tmp_path / "tiny")
    path = tmp_path / "tiny/captions.json"
    tree = json.loads(path.read_text())
    tree["images"].append({"id": 4, "file_name": "a.jpg", "width": 1, "height": 1})
    tree["images"].append(tree["images"][0])
    write(path, tree)
    samples, rejects = read(COCO, tmp_path)
    assert len(samples) == 2
    assert sorted(reasons(rejects)) == ["duplicate_id", "empty_response", "unknown_image"]


def test_coco_that_breaks_off_keeps_what_is_whole(tmp_path: Path) -> None:
    coco(tmp_path / "tiny")
    path = tmp_path / "tiny/captions.json"
    text = path.read_text()
    write(path, text[: text.index('"caption": "a  cat"')])
    samples, rejects = read(COCO, tmp_path)
    assert [sample.sample_id for sample in samples] == ["tiny/train/7"]
    assert reasons(rejects) == ["truncated", "empty_response"]
    assert rejects[0].position == "captions.json#annotations#1"


def test_aokvqa_lists_choices_and_joins_the_rationale(tmp_path: Path) -> None:
    aokvqa(tmp_path / "tiny")
    (sample,), rejects = read(AOKVQA, tmp_path)
    assert not rejects
    assert sample.answer == "tram"
    assert sample.turns[0].response == "tram. It runs on rails."
    assert "What is it?" in sample.turns[0].instruction
    assert "bus, car, tram or bike" in sample.turns[0].instruction
    assert sample.references == ("It runs on rails.", "there are rails")
    assert json.loads(sample.extra["direct_answers"]) == ["tram", "train"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"correct_choice_idx": 4}, "no_answer"),
        ({"correct_choice_idx": None}, "no_answer"),
        ({"choices": ["a", "a", "b", "c"]}, "bad_choices"),
        ({"question": " "}, "empty_question"),
        ({"question_id": None}, "bad_id"),
        ({"image_id": "x/../y"}, "bad_id"),
    ],
)
def test_aokvqa_rejects(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    aokvqa(tmp_path / "tiny")
    write(tmp_path / "tiny/aokvqa.json", [AOKVQA_RECORD | change])
    samples, rejects = read(AOKVQA, tmp_path)
    assert not samples
    assert reasons(rejects) == [reason]


def test_clevr(tmp_path: Path) -> None:
    clevr(tmp_path / "tiny")
    samples, rejects = read(CLEVR, tmp_path)
    assert [sample.answer for sample in samples] == ["2", "yes"]
    assert [sample.extra["question_type"] for sample in samples] == ["count", "exist"]
    assert "How many cubes?" in samples[0].turns[0].instruction
    assert [(r.reason, r.sample_id) for r in rejects] == [("bad_answer", "tiny/train/2")]


def test_spotdiff_has_two_images_and_numbers_repeats(tmp_path: Path) -> None:
    spotdiff(tmp_path / "tiny")
    samples, rejects = read(SPOTDIFF, tmp_path)
    assert [sample.sample_id for sample in samples] == ["tiny/train/76", "tiny/train/76#2"]
    assert len(samples[0].images) == 2
    assert samples[0].images[0] != samples[0].images[1]
    assert samples[0].images == samples[1].images
    assert samples[0].turns[0].response == "a car left\nthe man moved"
    assert reasons(rejects) == ["duplicate_id"]


def test_llava_takes_the_image_token_out(tmp_path: Path) -> None:
    llava(tmp_path / "tiny")
    samples, rejects = read(LLAVA, tmp_path)
    assert not rejects
    assert [s.sample_id.split("/")[-1] for s in samples] == [
        "conversation-5",
        "conversation-6",
        "detail-5",
    ]
    assert samples[0].turns == (
        Turn("What is it?", "It is a [image] of a cat."),
        Turn("Thanks.", "You are welcome!"),
    )
    assert [len(sample.images) for sample in samples] == [1, 0, 1]
    assert samples[2].extra == {"kind": "detail"}


def test_sharegpt_starts_with_human_and_alternates(tmp_path: Path) -> None:
    sharegpt(tmp_path / "tiny")
    samples, rejects = read(SHAREGPT, tmp_path)
    answer = "Hello! Human: x[/s]"
    assert [(s.sample_id.split("/")[-1], s.turns) for s in samples] == [
        ("full", (Turn("Hi", answer),)),
        ("open", (Turn("Hi\n\nthere", answer),)),
        ("blank", (Turn("Hi", answer),)),
    ]
    assert reasons(rejects) == ["no_turns", "no_turns", "unknown_role"]


def test_alpaca(tmp_path: Path) -> None:
    alpaca(tmp_path / "tiny")
    samples, rejects = read(ALPACA, tmp_path)
    assert [sample.turns[0] for sample in samples] == [
        Turn("Sort.\n\nb a", "a b"),
        Turn("Greet.", "Hello!"),
    ]
    assert [(r.reason, r.position) for r in rejects] == [
        ("empty_response", "a.json#2"),
        ("bad_instruction", "a.json#3"),
    ]


def test_vsr_asks_whether_the_caption_is_true(tmp_path: Path) -> None:
    vsr(tmp_path / "tiny")
    samples, rejects = read(VSR, tmp_path)
    assert [(sample.sample_id, sample.answer) for sample in samples] == [
        ("tiny/train/a-1", "yes"),
        ("tiny/train/a-2", "no"),
        ("tiny/train/a-6", "yes"),
    ]
    assert all("The cat is {on} the mat." in s.turns[0].instruction for s in samples)
    assert [(r.reason, r.position) for r in rejects] == [
        ("bad_label", "test.jsonl:3"),
        ("truncated", "test.jsonl:4"),
    ]


def test_grid3d_joins_tokens_and_reads_only_the_split(tmp_path: Path) -> None:
    grid3d(tmp_path / "tiny")
    samples, rejects = read(GRID3D, tmp_path)
    assert [(s.sample_id, s.answer) for s in samples] == [
        ("tiny/train/2", "no"),
        ("tiny/train/1", "4"),
    ]
    assert "Is it so?" in samples[0].turns[0].instruction
    assert "How many, then?" in samples[1].turns[0].instruction
    assert reasons(rejects) == ["bad_index"]


def test_easy_vqa(tmp_path: Path) -> None:
    easy_vqa(tmp_path / "tiny")
    samples, rejects = read(EASY_VQA, tmp_path)
    assert [(s.sample_id, s.answer) for s in samples] == [("tiny/train/0", "circle")]
    assert reasons(rejects) == ["empty_answer", "bad_structure"]


def test_easy_vqa_of_the_package(tmp_path: Path) -> None:
    source = find_entry("easy_vqa")
    first = next(iter(read_source(source, tmp_path, "train")))
    assert first.sample_id == "easy_vqa/train/0"
    assert first.answer == "rectangle"


FIRST_TEST_DIGITS = ["11", "15", "19"]


def test_digits_splits_are_stratified_and_fixed(tmp_path: Path) -> None:
    source = find_entry("digits")
    test = [r for r in read_records(source, tmp_path, "test") if isinstance(r, Record)]
    for name in NAMES:
        assert 30 <= sum(record.answer == name for record in test) <= 40
    assert [record.native_id for record in test[:3]] == FIRST_TEST_DIGITS
    assert test[0].response == f"a handwritten digit {test[0].answer}."
    (image,) = test[0].images
    assert isinstance(image, bytes)
    checked = check_image(image)
    assert (checked.width, checked.height) == (64, 64)
    # Nothing of the test split is in the train split.
    first = next(iter(read_records(source, tmp_path, "train")))
    assert isinstance(first, Record)
    assert first.native_id not in {record.native_id for record in test}
