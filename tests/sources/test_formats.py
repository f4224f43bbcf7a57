"""Each adapter on a minimal data set in its official layout, and on messy copies of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from source_layouts import entry, read, reasons, write, write_image

from polite_flamingo.core.boxes import BOX_ANNOUNCEMENT
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.images import check_image
from polite_flamingo.core.sample import Turn, rejects_to_table, samples_to_table
from polite_flamingo.sources.catalogue import Entry, find_entry
from polite_flamingo.sources.formats.digits import NAMES
from polite_flamingo.sources.read import read_records, read_source
from polite_flamingo.sources.record import Record

COCO = entry(
    "coco",
    {"captions": "captions.json", "instances": "instances.json", "images": "train2014"},
    task="captioning",
    pool="captioning",
)


def coco(folder: Path) -> None:
    write(
        folder / "captions.json",
        {
            "info": {"year": 2014},
            "licenses": [{"id": 1}],
            "images": [
                {"id": 9, "file_name": "b.jpg", "width": 100, "height": 50},
                {"id": 7, "file_name": "a.jpg", "width": 100, "height": 50},
            ],
            "annotations": [
                {"image_id": 7, "id": 1, "caption": "A red square. \n"},
                {"image_id": 9, "id": 2, "caption": "a  cat"},
                {"image_id": 7, "id": 3, "caption": "  "},
                {"image_id": "7", "id": 4, "caption": "red thing"},
                {"image_id": 5, "id": 5, "caption": "no such image"},
            ],
        },
    )
    write(
        folder / "instances.json",
        {
            "images": [],
            "annotations": [
                {"image_id": 7, "bbox": [10, 10, 50, 20], "category_id": 3, "iscrowd": 0, "id": 1},
                {"image_id": 7, "bbox": [0, 0, 9, 9], "category_id": 3, "iscrowd": 1, "id": 2},
                {"image_id": 7, "bbox": [0, 0, 0, 9], "category_id": 3, "iscrowd": 0, "id": 3},
            ],
            "categories": [{"id": 3, "name": "dog", "supercategory": "animal"}],
        },
    )
    write_image(folder / "train2014/a.jpg")
    write_image(folder / "train2014/b.jpg", (1, 2, 3))


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


AOKVQA = entry(
    "aokvqa",
    {"annotations": "aokvqa.json", "images": "train2017"},
    task="vqa_rationale",
    pool="vqa_rationale",
)
AOKVQA_RECORD = {
    "split": "train",
    "image_id": 42,
    "question_id": "q1",
    "question": "What is it?",
    "choices": ["bus", "car", "tram", "bike"],
    "correct_choice_idx": 2,
    "direct_answers": ["tram"] * 9 + ["train"],
    "difficult_direct_answer": False,
    "rationales": ["", "It runs on rails.", "there are rails"],
}


def aokvqa(folder: Path) -> None:
    write(folder / "aokvqa.json", [AOKVQA_RECORD])
    write_image(folder / "train2017/000000000042.png")


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


CLEVR = entry("clevr", {"questions": "questions/q.json", "images": "images/train"})


def clevr(folder: Path) -> None:
    record = {
        "image_index": 0,
        "image_filename": "CLEVR_train_000000.png",
        "question_index": 0,
        "question": "How many cubes?",
        "answer": "2",
        "program": [{"function": "scene", "inputs": []}, {"function": "count", "inputs": [0]}],
    }
    raw = record | {"question_index": 1, "answer": True, "program": [{"type": "exist"}]}
    without = {key: value for key, value in record.items() if key not in ("answer", "program")}
    write(
        folder / "questions/q.json",
        {"info": {"split": "train"}, "questions": [record, raw, without | {"question_index": 2}]},
    )
    write_image(folder / "images/train/CLEVR_train_000000.png")


def test_clevr(tmp_path: Path) -> None:
    clevr(tmp_path / "tiny")
    samples, rejects = read(CLEVR, tmp_path)
    assert [sample.answer for sample in samples] == ["2", "yes"]
    assert [sample.extra["question_type"] for sample in samples] == ["count", "exist"]
    assert "How many cubes?" in samples[0].turns[0].instruction
    assert [(r.reason, r.sample_id) for r in rejects] == [("bad_answer", "tiny/train/2")]


SPOTDIFF = entry(
    "spotdiff",
    {"annotations": "train.json", "images": "resized_images"},
    task="change_captioning",
    pool="change_captioning",
    repeated_ids="number",
)


def spotdiff(folder: Path) -> None:
    first = {"img_id": "76", "sentences": ["a car left ", "", "the man moved"]}
    second = {"img_id": "76", "sentences": ["there are no differences"]}
    write(folder / "train.json", [first, second, first])
    write_image(folder / "resized_images/76.png", (9, 9, 9))
    write_image(folder / "resized_images/76_2.png", (10, 9, 9))


def test_spotdiff_has_two_images_and_numbers_repeats(tmp_path: Path) -> None:
    spotdiff(tmp_path / "tiny")
    samples, rejects = read(SPOTDIFF, tmp_path)
    assert [sample.sample_id for sample in samples] == ["tiny/train/76", "tiny/train/76#2"]
    assert len(samples[0].images) == 2
    assert samples[0].images[0] != samples[0].images[1]
    assert samples[0].images == samples[1].images
    assert samples[0].turns[0].response == "a car left\nthe man moved"
    assert reasons(rejects) == ["duplicate_id"]


LLAVA = entry(
    "llava",
    {"conversation": "c.json", "detail": "d.json", "images": "train2014"},
    task="conversation",
    pool="",
    options={"image_name": "COCO_train2014_{name}"},
)


def llava(folder: Path) -> None:
    turns = [
        {"from": "human", "value": "What is it?\n<image>"},
        {"from": "gpt", "value": "It is a <image> of a cat."},
        {"from": "human", "value": "Thanks."},
        {"from": "gpt", "value": "You are welcome!"},
    ]
    bare = {"id": "5", "image": "000000000005.jpg", "conversations": turns}
    write(folder / "c.json", [bare, {"id": 6, "conversations": turns[2:]}])
    folders = bare | {"image": "coco/train2017/000000000005.jpg"}
    write(folder / "d.json", json.dumps(folders) + "\n")
    write_image(folder / "train2014/COCO_train2014_000000000005.jpg")


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


SHAREGPT = entry("sharegpt", {"conversations": "s.json"}, task="text", pool="")


def sharegpt(folder: Path) -> None:
    def said(*messages: tuple[str, str]) -> list[dict[str, str]]:
        return [{"from": speaker, "value": text} for speaker, text in messages]

    ask, answer = ("human", "Hi"), ("gpt", "Hello! ### Human: x</s>")
    write(
        folder / "s.json",
        [
            {
                "id": "full",
                "conversations": said(("system", "Be nice."), ("gpt", "?"), ask, answer),
            },
            {"id": "open", "conversations": said(ask, ("human", "there"), answer, ask)},
            {"id": "blank", "conversations": said(ask, answer, ask, ("gpt", " "), ask, answer)},
            {"id": "empty", "conversations": []},
            {"id": "silent", "conversations": said(answer)},
            {"id": "tool", "conversations": said(ask, ("function", "1"), answer)},
        ],
    )


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


ALPACA = entry("alpaca", {"records": "a.json"}, task="text", pool="")


def alpaca(folder: Path) -> None:
    records = [
        {"instruction": "Sort.", "input": "b a", "output": "a b"},
        {"instruction": "Greet.", "input": "", "output": "Hello!"},
        {"instruction": "Greet.", "input": "", "output": ""},
        {"instruction": None, "input": "", "output": "x"},
    ]
    write(folder / "a.json", records)


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


VSR = entry("vsr", {"annotations": "test.jsonl", "images": "images"}, pool="verification")


def vsr(folder: Path) -> None:
    line = {"image": "a.jpg", "caption": "The cat is {on} the mat.", "label": 1, "relation": "on"}
    lines = [line, line | {"label": 0}, line | {"label": 2}]
    text = "\r\n".join(json.dumps(item) for item in lines)
    write(folder / "test.jsonl", "\ufeff" + text + "\r\n" + text[:30] + "\n\n" + json.dumps(line))
    write_image(folder / "images/a.jpg")


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


GRID3D = entry(
    "grid3d", {"questions": "questions.json", "indices": "test_idxs.json", "images": "images"}
)


def grid3d(folder: Path) -> None:
    ask = {"img_idx": 3, "question": ["Is", "it", "so", "?"], "answer": "True", "task": "x"}
    many = ask | {"question": ["How", "many", ",", "then", "?"], "answer": 4}
    write(folder / "questions.json", [ask, many, ask | {"answer": "False"}])
    write(folder / "test_idxs.json", [2, 1, 99])
    write_image(folder / "images/deep/000003.png")


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


EASY_VQA = entry("easy_vqa", {"questions": "questions.json", "images": "images"})


def easy_vqa(folder: Path) -> None:
    write(folder / "questions.json", [["what is it?", "circle", 0], ["a?", "", 0], ["b?", "no"]])
    write_image(folder / "images/0.png")


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


FIXTURES: list[tuple[Entry, Callable[[Path], None], str]] = [
    (COCO, coco, "captions"),
    (COCO, coco, "instances"),
    (AOKVQA, aokvqa, "annotations"),
    (CLEVR, clevr, "questions"),
    (SPOTDIFF, spotdiff, "annotations"),
    (LLAVA, llava, "conversation"),
    (SHAREGPT, sharegpt, "conversations"),
    (ALPACA, alpaca, "records"),
    (VSR, vsr, "annotations"),
    (GRID3D, grid3d, "questions"),
    (GRID3D, grid3d, "indices"),
    (EASY_VQA, easy_vqa, "questions"),
]
NAMED = [f"{source.adapter}-{role}" for source, _, role in FIXTURES]


@pytest.mark.parametrize(("source", "make", "role"), FIXTURES, ids=NAMED)
def test_a_missing_file_is_one_line_that_says_what_to_do(
    tmp_path: Path, source: Entry, make: Callable[[Path], None], role: str
) -> None:
    make(tmp_path / "tiny")
    name = source.files["train"][role]
    (tmp_path / "tiny" / name).unlink()
    with pytest.raises(UserError, match=f"tiny: missing {name}"):
        read(source, tmp_path)


@pytest.mark.parametrize(("source", "make", "role"), FIXTURES, ids=NAMED)
def test_a_missing_image_folder_is_a_user_error(
    tmp_path: Path, source: Entry, make: Callable[[Path], None], role: str
) -> None:
    make(tmp_path / "tiny")
    if "images" not in source.files["train"]:
        pytest.skip("text only")
    shutil.rmtree(tmp_path / "tiny" / source.files["train"]["images"])
    with pytest.raises(UserError, match="missing"):
        read(source, tmp_path)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 100)
    | st.floats(allow_nan=True)
    | st.text(max_size=8)
    | st.sampled_from(["<image>", "\x00", "\ud800", "human", "gpt", "../../x", "a.jpg", "True"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
# Members of the fixtures: arbitrary values under the right names reach further into an adapter.
KEYS = [
    "id",
    "image_id",
    "image",
    "img_id",
    "img_idx",
    "question_id",
    "question_index",
    "question",
    "answer",
    "choices",
    "task",
    "correct_choice_idx",
    "rationales",
    "direct_answers",
    "caption",
    "label",
    "relation",
    "conversations",
    "from",
    "value",
    "instruction",
    "input",
    "output",
    "sentences",
    "file_name",
    "width",
    "height",
    "bbox",
    "category_id",
    "name",
    "program",
    "image_filename",
    "iscrowd",
]
RECORDS = st.lists(
    JSON
    | st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8)
    | st.fixed_dictionaries(
        {"id": st.integers(0, 3)},
        optional={
            "conversations": st.lists(
                st.dictionaries(st.sampled_from(["from", "value"]), JSON), max_size=4
            )
        },
    ),
    max_size=4,
)


def records_in(source: Entry, role: str, value: Any) -> int | None:
    """Count the records of a drawn file, where each must end as one sample or one reject."""
    if source.adapter in ("coco", "llava") or role == "indices":
        return None
    if source.adapter == "grid3d":
        return 3
    if source.adapter == "clevr":
        return len(value["questions"]) if isinstance(value["questions"], list) else 1
    return len(value)


@pytest.mark.parametrize(("source", "make", "role"), FIXTURES, ids=NAMED)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_arbitrary_records_never_raise_or_vanish(
    tmp_path: Path, source: Entry, make: Callable[[Path], None], role: str, data: st.DataObject
) -> None:
    if not (tmp_path / "tiny").exists():
        make(tmp_path / "tiny")
    value: Any
    if source.adapter in ("coco", "clevr"):
        names = ("images", "annotations", "categories", "questions")
        value = {name: data.draw(RECORDS | JSON) for name in names}
    else:
        value = data.draw(RECORDS)
    write(tmp_path / "tiny" / source.files["train"][role], value)
    samples, rejects = read(source, tmp_path)
    expected = records_in(source, role, value)
    assert expected is None or len(samples) + len(rejects) == expected
    samples_to_table(samples)
    rejects_to_table(rejects)
