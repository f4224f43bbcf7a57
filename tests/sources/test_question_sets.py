"""Question sets and dialogues in their official layouts, by their catalogue entries."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from source_layouts import read_entry, reasons, write, write_image

from polite_flamingo.core.sample import Turn

TEN = [
    {"answer": a, "answer_confidence": "yes", "answer_id": n + 1}
    for n, a in enumerate("aabbbbb aa")
]


def vqa_files(folder: Path, prefix: str, questions: list[Any], annotations: list[Any]) -> None:
    head = {"info": {}, "license": {}, "data_subtype": "val2014"}
    write(
        folder / f"{prefix}OpenEnded_mscoco_val2014_questions.json",
        head | {"task_type": "Open-Ended", "questions": questions},
    )
    name = f"{prefix}mscoco_val2014_annotations.json"
    write(folder / name, {**head, "annotations": annotations})
    write_image(folder / "val2014/COCO_val2014_000000000042.jpg")


@pytest.mark.parametrize(("source", "prefix"), [("vqa_v2", "v2_"), ("okvqa", "")])
def test_vqa_pairs_take_the_majority_and_keep_its_share(
    tmp_path: Path, source: str, prefix: str
) -> None:
    ask = {"image_id": 42, "question": "What is it?", "question_id": 42000}
    told = {"image_id": 42, "question_id": 42000, "answer_type": "other", "answers": TEN}
    questions = [ask | {"question_id": 42000 + n} for n in range(4)] + [ask]
    annotations = [
        told | {"question_id": "42001"},
        told,
        told | {"question_id": 42002, "answers": []},
        told | {"question_id": 9},
    ]
    vqa_files(tmp_path / source, prefix, questions, annotations)
    samples, rejects = read_entry(source, tmp_path, "test")
    assert sorted(s.sample_id for s in samples) == [f"{source}/test/42000", f"{source}/test/42001"]
    assert {(s.answer, s.extra["answer_share"]) for s in samples} == {("b", "0.500")}
    assert json.loads(samples[0].extra["direct_answers"]) == {"b": 5, "a": 4}
    # One question without an annotation, one with no answers, one repeated, one unknown.
    assert sorted(reasons(rejects)) == ["no_answer", "no_answer", "no_answer", "unknown_question"]


def test_a_tie_goes_to_the_published_answer(tmp_path: Path) -> None:
    ask = {"image_id": 42, "question": "What is it?", "question_id": 1}
    told = {"question_id": 1, "multiple_choice_answer": "b", "answers": TEN[:4]}
    vqa_files(tmp_path / "vqa_v2", "v2_", [ask], [told])
    (sample,), _ = read_entry("vqa_v2", tmp_path, "test")
    assert (sample.answer, sample.extra["answer_share"]) == ("b", "0.500")


@pytest.mark.parametrize("key", ["img_id", "image_id"])
def test_vqae_joins_answer_and_explanation(tmp_path: Path, key: str) -> None:
    record = {
        key: 42,
        "question": "What is it?",
        "answers": ["cat"] * 3,
        "multiple_choice_answer": "cat",
        "explanation": ["A cat sits on a mat.", 0.7],
    }
    bad = record | {"explanation": None, key: "x"}
    write(tmp_path / "vqa_e/VQA-E_train_set.json", [record, record | {"explanation": []}, bad])
    write_image(tmp_path / "coco_2014/train2014/COCO_train2014_000000000042.jpg")
    samples, rejects = read_entry("vqa_e", tmp_path)
    assert [s.turns[0].response for s in samples] == ["cat. A cat sits on a mat.", "cat"]
    assert reasons(rejects) == ["bad_id"]


PROBLEM = {
    "question": "Which is a solid?",
    "choices": ["ice", "steam"],
    "answer": 0,
    "hint": "Look.",
    "image": "image.png",
    "split": "train",
    "subject": "natural science",
    "solution": "Ice keeps its shape.\nSteam does not.",
}


@pytest.mark.parametrize("listed", [True, False])
def test_scienceqa(tmp_path: Path, listed: bool) -> None:
    problems = {
        "1": PROBLEM,
        "2": PROBLEM | {"image": None},
        "3": PROBLEM | {"split": "test"},
        "4": PROBLEM | {"answer": 2},
        "5": PROBLEM | {"solution": "", "hint": ""},
    }
    root = tmp_path / "scienceqa"
    write(root / "data/scienceqa/problems.json", problems)
    if listed:
        splits = {"train": ["1", "2", "4"], "val": ["5"], "test": ["3"], "minitrain": ["1"]}
        write(root / "data/scienceqa/pid_splits.json", splits)
    for number in (1, 5):
        write_image(root / f"images/train/{number}/image.png")
    samples, rejects = read_entry("scienceqa", tmp_path)
    assert [s.turns[0].response for s in samples] == [
        "ice. Ice keeps its shape. Steam does not.",
        "ice",
    ]
    assert "Look. Which is a solid?" in samples[0].turns[0].instruction
    assert "ice or steam" in samples[0].turns[0].instruction
    assert reasons(rejects) == ["no_answer"]


GQA = {"question": "Is it red?", "imageId": "n250821", "answer": "yes", "fullAnswer": "Yes, it is."}


def test_gqa_by_id_in_lists_and_in_folders(tmp_path: Path) -> None:
    root = tmp_path / "gqa"
    write_image(root / "images/n250821.jpg")
    types = {"types": {"structural": "verify"}, "isBalanced": True, "semantic": []}
    tree = {"07": GQA | types, "08": {key: GQA[key] for key in ("question", "imageId")}}
    write(root / "questions1.2/train_balanced_questions.json", tree)
    (sample,), rejects = read_entry("gqa", tmp_path)
    assert (sample.sample_id, sample.answer) == ("gqa/train/07", "yes")
    assert sample.references == ("yes", "Yes, it is.")
    assert [(r.reason, r.position) for r in rejects] == [
        ("bad_answer", "train_balanced_questions.json#08")
    ]
    (root / "questions1.2/train_balanced_questions.json").unlink()
    lavis = {"question_id": "09", "image": "n250821.jpg", "question": "Is it?", "answer": "no"}
    write(root / "questions1.2/train_all_questions/train_all_questions_0.json", {"07": GQA})
    write(root / "questions1.2/train_all_questions/train_all_questions_1.json", [lavis])
    samples, rejects = read_entry("gqa", tmp_path)
    assert ([s.sample_id for s in samples], rejects) == (["gqa/train/07", "gqa/train/09"], [])


def test_textvqa(tmp_path: Path) -> None:
    record = {"question": "What?", "image_id": "00a1", "question_id": 7, "answers": ["stop "] * 10}
    test = {key: value for key, value in record.items() if key != "answers"}
    write(
        tmp_path / "textvqa/TextVQA_0.5.1_train.json",
        {"data": [record, test | {"question_id": 8}, record]},
    )
    write_image(tmp_path / "textvqa/train_images/00a1.jpg")
    (sample,), rejects = read_entry("textvqa", tmp_path)
    assert (sample.answer, sample.extra["answer_share"]) == ("stop", "1.000")
    assert reasons(rejects) == ["no_answer", "duplicate_id"]


def test_ocrvqa_has_parallel_lists(tmp_path: Path) -> None:
    book = {
        "imageURL": "http://h/x/51.png",
        "questions": ["Who wrote it?", "What year?"],
        "answers": ["J. Doe", ""],
        "title": "T",
        "split": 1,
    }
    books = {"007": book, "008": book | {"split": 3}, "009": book | {"answers": ["x"]}, "010": []}
    write(tmp_path / "ocr_vqa/dataset.json", books)
    write_image(tmp_path / "ocr_vqa/images/007.png")
    (sample,), rejects = read_entry("ocr_vqa", tmp_path)
    assert (sample.sample_id, sample.answer) == ("ocr_vqa/train/007-0", "J. Doe")
    assert sorted(reasons(rejects)) == ["bad_questions", "empty_answer", "not_an_object"]


def test_pointqa_draws_an_arrow_for_every_point(tmp_path: Path) -> None:
    root = tmp_path / "pointqa"
    points = [{"x": 2, "y": 3, "ans": "blue"}, {"x": 6, "y": 6, "Ans": "red"}, {"x": 99, "y": 0}]
    record = {"Img_id": 7, "Question": "What color is this?", "Points": points, "all_ans": ["x"]}
    write(root / "localqa_dataset.json", {"7": [record], "8": [record]})
    write(root / "localqa_train_imgs.json", ["7"])
    write_image(tmp_path / "visual_genome/VG_100K_2/7.jpg")
    samples, rejects = read_entry("pointqa_local", tmp_path)
    assert [(s.sample_id, s.answer) for s in samples] == [
        ("pointqa_local/train/7-0-0", "blue"),
        ("pointqa_local/train/7-0-1", "red"),
    ]
    assert samples[0].images != samples[1].images
    assert "arrow points. " in samples[0].turns[0].instruction
    assert reasons(rejects) == ["bad_answer"]

    twice = {
        "img_id": 7,
        "obj_question": "How many cups?",
        "general_question": "How many of these?",
    }
    write(
        root / "looktwiceqa_dataset.json",
        {"7": [twice | {"ans": 2, "point": {"x": 1, "y": 1, "ans": 2}}, twice | {"ans": None}]},
    )
    write(root / "looktwiceqa_train_imgs.json", ["7"])
    (sample,), rejects = read_entry("pointqa_look_twice", tmp_path)
    assert sample.answer == "2"
    assert "How many of these?" in sample.turns[0].instruction
    assert reasons(rejects) == ["bad_ans"]

    spatial = [{"question": "Left of it?", "answer": "yes", "point": {"x": 50, "y": 1}, "id": 1}]
    verbal = [{"question": "Is it?", "answer": "no", "id": 1}]
    write(root / "spatial_dataset.json", {"7": spatial})
    write(root / "verbal_dataset.json", {"7": verbal})
    write(root / "train_imgs_vs.json", ["7"])
    samples, rejects = read_entry("pointqa_spatial", tmp_path)
    assert (samples, reasons(rejects)) == ([], ["bad_region"])
    (sample,), _ = read_entry("pointqa_verbal", tmp_path)
    assert "arrow" not in sample.turns[0].instruction

    intent = [{"img_id": "2010_1", "question": "What?", "ans": "dog", "point": {"x": 1, "y": 1}}]
    write(root / "intentqa_vqa.json", {"2010_1": intent})
    write(root / "intentqa_train_imgs.json", ["2010_1"])
    write_image(tmp_path / "VOCdevkit/VOC2012/JPEGImages/2010_1.jpg")
    (sample,), _ = read_entry("pointqa_intent", tmp_path)
    assert sample.answer == "dog"


def test_nlvr2_is_json_lines_with_two_images(tmp_path: Path) -> None:
    record = {"sentence": "Two dogs.", "label": "True", "identifier": "test1-8-0-0", "writer": 1}
    lines = [record, {**record, "label": "x", "identifier": "test1-8-0-1"}, {"identifier": "q"}]
    write(tmp_path / "nlvr2/data/test1.json", "\r\n".join(map(json.dumps, lines)))
    for side in (0, 1):
        write_image(tmp_path / f"nlvr2/images/test1/test1-8-0-img{side}.png", (side, 0, 0))
    (sample,), rejects = read_entry("nlvr2", tmp_path, "test")
    assert (sample.answer, len(set(sample.images))) == ("yes", 2)
    assert '"Two dogs."' in sample.turns[0].instruction
    assert reasons(rejects) == ["bad_label", "bad_id"]


def test_ultrachat(tmp_path: Path) -> None:
    lines = [
        {"id": "0", "data": ["Hi", "Hello!", "Bye", "See you."]},
        {"id": 1, "data": ["Hi", "Hello!", "Bye"]},
        {"id": "2", "data": ["Hi", " "]},
    ]
    write(tmp_path / "ultrachat/ultrachat_release_230407.json", "\n".join(map(json.dumps, lines)))
    samples, rejects = read_entry("ultrachat", tmp_path)
    assert [s.turns for s in samples] == [
        (Turn("Hi", "Hello!"), Turn("Bye", "See you.")),
        (Turn("Hi", "Hello!"),),
    ]
    assert reasons(rejects) == ["no_turns"]


def message(number: str, parent: str | None, role: str, **more: Any) -> dict[str, Any]:
    text = {"message_id": number, "parent_id": parent, "role": role, "text": f"text {number}"}
    return {**text, "lang": "en", "deleted": False, "message_tree_id": "t", **more}


@pytest.mark.parametrize("flat", [False, True])
def test_oasst1_follows_the_best_replies(tmp_path: Path, flat: bool) -> None:
    best = message("c", "a", "assistant", rank=0)
    asked = message("d", "c", "prompter")
    told = message("e", "d", "assistant")
    rows = [message("a", None, "prompter"), message("b", "a", "assistant", rank=1), best, asked]
    rows += [told, message("f", "d", "assistant", deleted=True, rank=0)]
    if flat:
        lines = [*rows, {"text": "x", "message_tree_id": None}]
        name = "2023-04-12_oasst_ready.messages.jsonl.gz"
    else:
        asked = {**asked, "replies": [rows[5], {**told, "replies": []}]}
        tree = {**rows[0], "replies": [rows[1], {**best, "replies": [asked]}]}
        state = {"message_tree_id": "t", "tree_state": "ready_for_export", "prompt": tree}
        lines = [state, state | {"message_tree_id": "u", "tree_state": "growing"}]
        name = "2023-04-12_oasst_ready.trees.jsonl.gz"
    path = tmp_path / "oasst1" / name
    path.parent.mkdir()
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    (sample,), rejects = read_entry("oasst1", tmp_path)
    assert sample.turns == (Turn("text a", "text c"), Turn("text d", "text e"))
    assert reasons(rejects) == (["bad_id"] if flat else ["not_ready"])


def test_gpteacher_and_instruction_wild(tmp_path: Path) -> None:
    record = {"instruction": "Greet.", "input": ""}
    write(
        tmp_path / "gpteacher/Instruct/gpt4-instruct-dedupe-only-dataset.json",
        [record | {"response": "Hello!"}, record],
    )
    (sample,), rejects = read_entry("gpteacher", tmp_path)
    assert (sample.turns, reasons(rejects)) == ((Turn("Greet.", "Hello!"),), ["bad_response"])
    write(tmp_path / "instruction_wild/instinwild_en.json", [record | {"output": "Hi.", "id": 1}])
    (sample,), _ = read_entry("instruction_wild", tmp_path)
    assert sample.turns == (Turn("Greet.", "Hi."),)


def test_pf1m(tmp_path: Path) -> None:
    path = "mscoco_2017/train2017/000000000001.jpg"
    record = {
        "input": f"<img_path>{path}<img_path> What is it?",
        "output": "It is a cat.",
        "original": "cat",
        "rouge_score": 0.25,
        "reward": -1.5,
        "nli_similarity": [0.1, 3.0, 0.2],
    }
    text_only = {"instruction": "Say it.", "input": "cat", "output": "Cat!"}
    write(tmp_path / "pf_1m/PF-1M/aokvqa.json", [record, text_only, record | {"output": ""}])
    write_image(tmp_path / "pf_1m/images" / path)
    samples, rejects = read_entry("pf_1m", tmp_path)
    assert [s.turns[0] for s in samples] == [
        Turn("What is it?", "It is a cat."),
        Turn("Say it.\ncat", "Cat!"),
    ]
    assert samples[0].extra == {"original": "cat", "rouge_score": "0.25", "reward": "-1.5"}
    assert [len(s.images) for s in samples] == [1, 0]
    assert reasons(rejects) == ["empty_response"]


def test_a_vqa_pair_may_be_lists_without_their_frame(tmp_path: Path) -> None:
    questions = [{"image_id": 1, "question": f"{n}?", "question_id": n} for n in (1, 2)]
    told = [{"question_id": str(n), "answers": [{"answer": "a"}] * 10} for n in (2, 1)]
    folder = tmp_path / "vqa_v2"
    lines = "\r\n".join(map(json.dumps, questions))
    write(folder / "v2_OpenEnded_mscoco_train2014_questions.json", "\ufeff" + lines)
    write(folder / "v2_mscoco_train2014_annotations.json", told)
    write_image(tmp_path / "coco_2014/train2014/COCO_train2014_000000000001.jpg")
    samples, rejects = read_entry("vqa_v2", tmp_path)
    assert {sample.sample_id for sample in samples} == {"vqa_v2/train/1", "vqa_v2/train/2"}
    assert not rejects
