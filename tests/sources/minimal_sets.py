"""Minimal data sets in their official layouts: an entry and what writes its files, by format."""

from __future__ import annotations

import json
from pathlib import Path

from source_layouts import entry, write, write_image

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


ALPACA = entry("alpaca", {"records": "a.json"}, task="text", pool="")


def alpaca(folder: Path) -> None:
    records = [
        {"instruction": "Sort.", "input": "b a", "output": "a b"},
        {"instruction": "Greet.", "input": "", "output": "Hello!"},
        {"instruction": "Greet.", "input": "", "output": ""},
        {"instruction": None, "input": "", "output": "x"},
    ]
    write(folder / "a.json", records)


VSR = entry("vsr", {"annotations": "test.jsonl", "images": "images"}, pool="verification")


def vsr(folder: Path) -> None:
    line = {"image": "a.jpg", "caption": "The cat is {on} the mat.", "label": 1, "relation": "on"}
    lines = [line, line | {"label": "0"}, line | {"label": 2}]
    text = "\r\n".join(json.dumps(item) for item in lines)
    write(folder / "test.jsonl", "\ufeff" + text + "\r\n" + text[:30] + "\n\n" + json.dumps(line))
    write_image(folder / "images/a.jpg")


GRID3D = entry(
    "grid3d", {"questions": "questions.json", "indices": "test_idxs.json", "images": "images"}
)


def grid3d(folder: Path) -> None:
    ask = {"img_idx": 3, "question": ["Is", "it", "so", "?"], "answer": "True", "task": "x"}
    many = ask | {"question": ["How", "many", ",", "then", "?"], "answer": 4}
    write(folder / "questions.json", [ask, many, ask | {"answer": "False"}])
    write(folder / "test_idxs.json", [2, 1, 99])
    write_image(folder / "images/deep/000003.png")


EASY_VQA = entry("easy_vqa", {"questions": "questions.json", "images": "images"})


def easy_vqa(folder: Path) -> None:
    write(folder / "questions.json", [["what is it?", "circle", 0], ["a?", "", 0], ["b?", "no"]])
    write_image(folder / "images/0.png")
