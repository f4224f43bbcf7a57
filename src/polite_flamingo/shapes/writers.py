"""Write scenes as data sets in their official on-disk formats, images as loose lossless files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from polite_flamingo.core.seeds import generator, unit
from polite_flamingo.core.tables import write_json, write_jsonl
from polite_flamingo.shapes import attachments, language
from polite_flamingo.shapes.annotations import (
    answer_choices,
    captions,
    change_sentences,
    clevr_program,
    clevr_text,
    direct_answers,
    draw_mistake,
    grid3d_tokens,
    mistaken_change,
    question_text,
    rationales,
    vsr_caption,
    wrong_answer,
)
from polite_flamingo.shapes.official import (
    CATEGORY_IDS,
    DATE,
    LICENSE,
    clevr_scene,
    coco_image,
    coco_object,
    info,
    short_id,
)
from polite_flamingo.shapes.questions import KINDS, Question, make_questions
from polite_flamingo.shapes.render import png_bytes, render
from polite_flamingo.shapes.scene import Change, Scene, make_variant

Scenes = Mapping[str, Iterable[Scene]]

# The polite style that the rewriter learns; judges and evaluation use other wordings.
STYLE_WORDING = "A"
CLEVR_QUESTIONS = 4
VSR_CAPTIONS = 2

_RATIONALE_KINDS = ("color", "shape", "count", "position", "texture")
_UNCHANGED_SHARE = 0.05
_VERIFY_SHARE = 0.12
_CHANGE_SHARE = 0.15
_LABEL_SHARE = 0.35


@dataclass(frozen=True)
class Settings:
    """What every writer needs to know; ``wrong_share`` applies to raw train annotations only.

    ``human``: annotations as people type them, and test-only questions. ``attachment_share``: share
    of text-only conversations about an attachment that can't be seen.
    """

    seed: int
    image_size: int = 64
    wrong_share: float = 0.0
    human: bool = False
    attachment_share: float = 0.0


@dataclass(frozen=True)
class ImageRow:
    """One image as written: the truth about it, and the deliberate errors in its annotations.

    ``path`` is relative to the folder that was written to. ``marked``: the place in the scene of the
    thing that a record's drawn box or arrow marks, by record.
    """

    scene: Scene
    source: str
    path: str
    image_sha256: str
    wrong: tuple[Mapping[str, str], ...] = ()
    marked: Mapping[str, int] = field(default_factory=dict)


def write_coco(folder: Path, source: str, scenes: Scenes, settings: Settings) -> list[ImageRow]:
    """Write COCO 2014: five captions and the instances of each image, annotations shuffled."""
    rows: list[ImageRow] = []
    for split, name, first in (("train", "train2014", 1), ("test", "val2014", 500_001)):
        annotated = []
        for image_id, scene in enumerate(scenes.get(split, ()), first):
            rng = generator(settings.seed, source, split, scene.scene_id)
            file_name = f"COCO_{name}_{image_id:012d}.png"
            wrong = []
            if _is_wrong(settings, source, split, scene):
                mistake = draw_mistake(scene, rng)
                lines = captions(mistake.scene, rng, focus=mistake.thing, human=settings.human)
                given, true = (f"{t.color} {t.shape}" for t in (mistake.thing, mistake.true))
                wrong.append({"record": str(image_id), "given": given, "true": true})
            else:
                lines = captions(scene, rng, human=settings.human)
            annotated.append((image_id, file_name, scene, lines))
            path = f"{name}/{file_name}"
            rows.append(_write_image(folder, path, scene, source, settings, wrong))
        order = generator(settings.seed, source, split, "order")
        _write_coco_annotations(folder, name, annotated, settings.image_size, order)
    return rows


def _write_coco_annotations(
    folder: Path,
    name: str,
    annotated: Sequence[tuple[int, str, Scene, Sequence[str]]],
    size: int,
    order: np.random.Generator,
) -> None:
    """Write captions_NAME.json and instances_NAME.json of (id, file name, scene, captions)."""
    images = [coco_image(image_id, file_name, size) for image_id, file_name, _, _ in annotated]
    texts = [
        {"image_id": image_id, "id": 10 * image_id + place, "caption": line}
        for image_id, _, _, lines in annotated
        for place, line in enumerate(lines)
    ]
    objects = [
        coco_object(image_id, 100 * image_id + place, thing, size)
        for image_id, _, scene, _ in annotated
        for place, thing in enumerate(scene.things)
    ]
    head = {"info": info("captions and instances"), "licenses": [LICENSE], "images": images}
    shuffled = order.permutation(len(texts))
    write_json(
        folder / f"annotations/captions_{name}.json",
        head | {"annotations": [texts[int(place)] for place in shuffled]},
    )
    categories = [
        {"supercategory": "shape", "id": number, "name": shape}
        for shape, number in CATEGORY_IDS.items()
    ]
    write_json(
        folder / f"annotations/instances_{name}.json",
        head | {"annotations": objects, "categories": categories},
    )


def write_aokvqa(folder: Path, source: str, scenes: Scenes, settings: Settings) -> list[ImageRow]:
    """Write A-OKVQA: one question a scene with choices, direct answers and rationales.

    Images are PNG data under the official .jpg names, so that colours stay exact.
    """
    rows: list[ImageRow] = []
    for split, name, first in (("train", "train", 1), ("test", "val", 500_001)):
        records = []
        for image_id, scene in enumerate(scenes.get(split, ()), first):
            rng = generator(settings.seed, source, split, scene.scene_id)
            wrong: list[dict[str, str]] = []
            for question in make_questions(scene, rng, _RATIONALE_KINDS, 1):
                question_id = short_id(source, split, scene.scene_id)
                given = _given_answer(question, question_id, source, split, scene, settings, wrong)
                choices = answer_choices(question, given, rng)
                records.append(
                    {
                        "split": name,
                        "image_id": image_id,
                        "question_id": question_id,
                        "question": question_text(question, rng, scene.pool, settings.human),
                        "choices": choices,
                        "correct_choice_idx": choices.index(given),
                        "direct_answers": direct_answers(given, rng, human=settings.human),
                        "difficult_direct_answer": False,
                        "rationales": rationales(question, given, rng, settings.human),
                    }
                )
            path = f"{name}2017/{image_id:012d}.jpg"
            rows.append(_write_image(folder, path, scene, source, settings, wrong))
        write_json(folder / f"aokvqa_v1p0_{name}.json", records)
    return rows


def write_clevr(folder: Path, source: str, scenes: Scenes, settings: Settings) -> list[ImageRow]:
    """Write CLEVR v1.0: up to four questions a scene with functional programs, and the scenes."""
    kinds = [kind for kind in KINDS if kind != "position"]
    rows: list[ImageRow] = []
    for split, name in (("train", "train"), ("test", "val")):
        questions: list[dict[str, Any]] = []
        graphs = []
        for index, scene in enumerate(scenes.get(split, ())):
            rng = generator(settings.seed, source, split, scene.scene_id)
            file_name = f"CLEVR_{name}_{index:06d}.png"
            wrong: list[dict[str, str]] = []
            for question in make_questions(scene, rng, kinds, CLEVR_QUESTIONS):
                number = len(questions)
                given = _given_answer(question, str(number), source, split, scene, settings, wrong)
                questions.append(
                    {
                        "image_index": index,
                        "image_filename": file_name,
                        "question_index": number,
                        "question_family_index": kinds.index(question.kind),
                        "split": name,
                        "program": clevr_program(question),
                        "question": clevr_text(question, rng, scene.pool, settings.human),
                        "answer": given,
                    }
                )
            graphs.append(clevr_scene(index, file_name, name, scene, settings.image_size))
            path = f"images/{name}/{file_name}"
            rows.append(_write_image(folder, path, scene, source, settings, wrong))
        head = {"split": name, "license": LICENSE["name"], "version": "1.0", "date": DATE[:10]}
        write_json(
            folder / f"questions/CLEVR_{name}_questions.json",
            {"info": head, "questions": questions},
        )
        write_json(folder / f"scenes/CLEVR_{name}_scenes.json", {"info": head, "scenes": graphs})
    return rows


def write_spotdiff(folder: Path, source: str, scenes: Scenes, settings: Settings) -> list[ImageRow]:
    """Write Spot-the-Diff: a scene, its variant and one or two sentences; val.json is empty."""
    rows: list[ImageRow] = []
    for split, first in (("train", 1), ("test", 500_001)):
        records = []
        for number, scene in enumerate(scenes.get(split, ()), first):
            rng = generator(settings.seed, source, split, scene.scene_id)
            variant, change = make_variant(scene, settings.seed)
            if rng.random() < _UNCHANGED_SHARE:
                variant, change = scene, Change("none", None, None)
            wrong = []
            told = change
            if change.kind != "none" and _is_wrong(settings, source, split, scene):
                told = mistaken_change(change, (scene, variant), rng)
                given, true = (_change_words(c) for c in (told, change))
                wrong.append({"record": str(number), "given": given, "true": true})
            sentences = change_sentences(told, rng, 1 + int(rng.integers(2)), settings.human)
            records.append({"img_id": str(number), "sentences": sentences})
            for shown, path in ((scene, f"{number}.png"), (variant, f"{number}_2.png")):
                path = f"resized_images/{path}"
                rows.append(_write_image(folder, path, shown, source, settings, wrong))
        write_json(folder / f"annotations/{split}.json", records)
    write_json(folder / "annotations/val.json", [])
    return rows


def write_llava(folder: Path, source: str, scenes: Scenes, settings: Settings) -> list[ImageRow]:
    """Write LLaVA-instruct: a polite conversation a scene, and a description or reasoning.

    Train only; the record's ``image`` is the path of the file below ``folder``. As LLaVA's images
    are COCO's, COCO annotations of the same images stand beside (2017 layout).
    """
    files: dict[str, list[dict[str, Any]]] = {
        "conversation": [],
        "detail": [],
        "complex_reasoning": [],
    }
    rows = []
    annotated = []
    for number, scene in enumerate(scenes.get("train", ()), 1):
        rng = generator(settings.seed, source, scene.scene_id)
        path = f"coco/train2017/{number:012d}.jpg"
        rows.append(_write_image(folder, path, scene, source, settings))
        hand = generator(settings.seed, source, scene.scene_id, "captions")
        told = captions(scene, hand, human=settings.human)
        annotated.append((number, f"{number:012d}.jpg", scene, told))
        wording = STYLE_WORDING
        record = {"id": f"{number:012d}", "image": path}
        turns = _llava_turns(scene, wording, rng)
        files["conversation"].append(record | {"conversations": _with_image(turns, rng)})
        request = language.describe_request(rng)
        turn = (request, language.describe(scene, wording, rng))
        files["detail"].append(record | {"conversations": _with_image([turn], rng)})
        if number % 2:
            turn = language.reason(scene, wording, rng)
            files["complex_reasoning"].append(record | {"conversations": _with_image([turn], rng)})
    for name, records in files.items():
        write_json(folder / f"{name}.json", records)
    order = generator(settings.seed, source, "order")
    _write_coco_annotations(folder / "coco", "train2017", annotated, settings.image_size, order)
    return rows


def write_alpaca(folder: Path, source: str, scenes: Scenes, settings: Settings) -> list[ImageRow]:
    """Write Alpaca: one record a train scene; the scene itself is not spoken of (text only)."""
    records = []
    for scene in scenes.get("train", ()):
        rng = generator(settings.seed, source, scene.scene_id)
        instruction, given, output = language.instruct(rng, STYLE_WORDING)
        records.append({"instruction": instruction, "input": given, "output": output})
    write_json(folder / "alpaca_data.json", records)
    return []


def write_sharegpt(folder: Path, source: str, scenes: Scenes, settings: Settings) -> list[ImageRow]:
    """Write ShareGPT: one conversation a train scene (text only).

    Most are chats; some are an exchange about pictures that the conversation does not show (a
    change between two, a class label), as in ShareGPT, where attachments were lost; a share of
    ``settings.attachment_share`` is about one of which only a note is left.
    """
    records = []
    for index, scene in enumerate(scenes.get("train", ())):
        rng = generator(settings.seed, source, scene.scene_id)
        chance = rng.random()
        if unit(settings.seed, "attachment", scene.scene_id) < settings.attachment_share:
            number = 1 + int(rng.integers(3))
            turns = [attachments.exchange(scene, STYLE_WORDING, rng) for _ in range(number)]
        elif chance < _CHANGE_SHARE:
            variant, change = make_variant(scene, settings.seed)
            turns = [language.change(scene, variant, change, STYLE_WORDING, rng)]
        elif chance < _CHANGE_SHARE + _LABEL_SHARE:
            turns = [language.classify(rng, STYLE_WORDING)]
        else:
            turns = language.chat(rng, STYLE_WORDING)
        records.append({"id": f"shapes_{index:05d}", "conversations": _messages(turns)})
    write_json(folder / "sharegpt.json", records)
    return []


def write_vsr(folder: Path, source: str, scenes: Scenes, settings: Settings) -> list[ImageRow]:
    """Write VSR, random split: up to two captions a scene, true (1) or false (0); test only."""
    rows, records = [], []
    for number, scene in enumerate(scenes.get("test", ()), 1):
        rng = generator(settings.seed, source, scene.scene_id)
        file_name = f"{number:012d}.jpg"
        questions = make_questions(scene, rng, ("relation",), VSR_CAPTIONS)
        if not questions:
            continue
        for question in questions:
            records.append(
                {
                    "image": file_name,
                    "image_link": f"images/{file_name}",
                    "caption": vsr_caption(question, rng),
                    "label": int(question.answer == "yes"),
                    "relation": question.relation,
                    "annotator_id": 1,
                    "vote_true_validator_id": "[]",
                    "vote_false_validator_id": "[]",
                    "reference_frame": None,
                }
            )
        rows.append(_write_image(folder, f"images/{file_name}", scene, source, settings))
    for split, lines in (("train", []), ("dev", []), ("test", records)):
        write_jsonl(folder / f"splits/random/{split}.jsonl", lines)
    return rows


def write_grid3d(folder: Path, source: str, scenes: Scenes, settings: Settings) -> list[ImageRow]:
    """Write GRiD-3D: two counting questions and one of existence a scene; test only."""
    rows: list[ImageRow] = []
    questions = []
    for number, scene in enumerate(scenes.get("test", ())):
        rng = generator(settings.seed, source, scene.scene_id)
        asked = make_questions(scene, rng, ("count",), 2) + make_questions(
            scene, rng, ("exist",), 1
        )
        for question in asked:
            existence = question.kind == "exist"
            truth = str(question.answer == "yes")
            questions.append(
                {
                    "img_idx": number,
                    "question": grid3d_tokens(question, rng, settings.human),
                    "answer": truth if existence else question.answer,
                    "task": "existence_prediction" if existence else "counting",
                }
            )
        rows.append(_write_image(folder, f"images/{number}.png", scene, source, settings))
    write_json(folder / "questions.json", questions)
    for split, indices in (("train", 0), ("val", 0), ("test", len(questions))):
        write_json(folder / f"{split}_idxs.json", list(range(indices)))
    return rows


def write_images(
    folder: Path, below: str, source: str, scenes: Iterable[Scene], settings: Settings
) -> list[ImageRow]:
    """Write ``<below>/<scene_id>.png`` for scenes that only our own tables speak of."""
    return [
        _write_image(folder, f"{below}/{scene.scene_id}.png", scene, source, settings)
        for scene in scenes
    ]


def _write_image(
    folder: Path,
    path: str,
    scene: Scene,
    source: str,
    settings: Settings,
    wrong: Sequence[Mapping[str, str]] = (),
) -> ImageRow:
    data = png_bytes(render(scene, settings.image_size))
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return ImageRow(scene, source, path, hashlib.sha256(data).hexdigest(), tuple(wrong))


def _is_wrong(settings: Settings, source: str, split: str, scene: Scene, *names: str | int) -> bool:
    if split != "train":
        return False
    return unit(settings.seed, "wrong", source, scene.scene_id, *names) < settings.wrong_share


def _given_answer(
    question: Question,
    record: str,
    source: str,
    split: str,
    scene: Scene,
    settings: Settings,
    wrong: list[dict[str, str]],
) -> str:
    """Return the answer as annotated; a deliberate error is noted in ``wrong``."""
    if not _is_wrong(settings, source, split, scene, record):
        return question.answer
    rng = generator(settings.seed, "wrong answer", source, scene.scene_id, record)
    given = wrong_answer(question, rng)
    wrong.append({"record": record, "given": given, "true": question.answer})
    return given


def _change_words(change: Change) -> str:
    """Spell a change for the table of deliberate errors."""
    ends = ("" if t is None else f"{t.color} {t.shape}" for t in (change.before, change.after))
    return f"{change.kind}: {' -> '.join(ends)}"


def _llava_turns(scene: Scene, wording: str, rng: np.random.Generator) -> list[tuple[str, str]]:
    turns = []
    for question in make_questions(scene, rng, KINDS, 1 + int(rng.integers(4))):
        if rng.random() < _VERIFY_SHARE:
            claim = question.answer
            if rng.random() < 0.5:
                claim = language.other_answer(question, rng)
            turns.append(language.verify(scene, question, claim, wording, rng))
        else:
            turns.append(language.exchange(scene, question, wording, rng))
    # Half of these ask for absence, which takes many to learn.
    for question in make_questions(scene, rng, ("exist",), 1):
        turns.append(language.exchange(scene, question, wording, rng))
    if len(scene.things) == 1:
        (thing,) = scene.things
        turns.append(language.classify(rng, wording, f"{thing.color} {thing.shape}", "object"))
    return turns


def _with_image(turns: Sequence[tuple[str, str]], rng: np.random.Generator) -> list[dict[str, str]]:
    """Spell turns as messages, the image token before or behind the first request."""
    (first, answer), *rest = turns
    first = f"<image>\n{first}" if rng.random() < 0.5 else f"{first}\n<image>"
    return _messages([(first, answer), *rest])


def _messages(turns: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [
        {"from": speaker, "value": text}
        for turn in turns
        for speaker, text in zip(("human", "gpt"), turn, strict=True)
    ]
