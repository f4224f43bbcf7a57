"""Write scenes as RefCOCOg, PointQA and NLVR2: questions about a region, a point, two images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from polite_flamingo.core.seeds import generator
from polite_flamingo.core.tables import write_json, write_jsonl
from polite_flamingo.shapes.questions import Phrase, refer
from polite_flamingo.shapes.render import png_bytes, render
from polite_flamingo.shapes.scene import COLORS, SHAPES, Scene, Thing, pick
from polite_flamingo.shapes.spelling import with_article
from polite_flamingo.shapes.writers import ImageRow, Scenes, Settings

_FIRST = {"train": 1, "test": 500_001}
_OFFICIAL = {"train": "train", "test": "val"}
_EXPRESSIONS = 2
_POINTS = 3
_ASKED = {"color": "What color is this?", "shape": "What shape is this?"}
# Draws until a statement of the wanted truth is given up.
_TRIES = 40


def write_refcocog(folder: Path, source: str, scenes: Scenes, settings: Settings) -> list[ImageRow]:
    """Write Google's RefCOCOg: what two people call one thing of each scene, and the instances."""
    rows: list[ImageRow] = []
    images: list[dict[str, Any]] = []
    objects: list[dict[str, Any]] = []
    size = settings.image_size
    for split, first in _FIRST.items():
        annotations, refexps = [], []
        for image_id, scene in enumerate(scenes.get(split, ()), first):
            rng = generator(settings.seed, source, split, scene.scene_id)
            name = f"COCO_train2014_{image_id:012d}.jpg"
            images.append({"id": image_id, "file_name": name, "width": size, "height": size})
            chosen = int(rng.integers(len(scene.things)))
            objects += [
                _instance(image_id, 100 * image_id + place, thing, size)
                for place, thing in enumerate(scene.things)
            ]
            numbers = [10 * image_id + place for place in range(_EXPRESSIONS)]
            region = {"annotation_id": 100 * image_id + chosen, "image_id": image_id}
            annotations.append({**region, "refexp_ids": numbers})
            for number in numbers:
                raw = _expression(scene, scene.things[chosen], rng)
                refexps.append({"refexp_id": number, "raw": raw, "tokens": raw.split()})
            marked = {str(region["annotation_id"]): chosen}
            rows.append(_store(folder, f"train2014/{name}", scene, source, size, marked))
        write_json(
            folder / f"google_refexp_{_OFFICIAL[split]}_201511.json",
            {"annotations": annotations, "refexps": refexps},
        )
    categories = [
        {"id": number, "name": shape, "supercategory": "shape"}
        for number, shape in enumerate(SHAPES, 1)
    ]
    tree = {"images": images, "annotations": objects, "categories": categories}
    write_json(folder / "annotations/instances_train2014.json", tree)
    return rows


def write_pointqa(folder: Path, source: str, scenes: Scenes, settings: Settings) -> list[ImageRow]:
    """Write PointQA's LocalQA: one question a scene, asked about up to three points.

    A point is the middle of a thing that nothing else lies on there.
    """
    rows: list[ImageRow] = []
    dataset: dict[str, list[dict[str, Any]]] = {}
    for split, first in _FIRST.items():
        ids = []
        for number, scene in enumerate(scenes.get(split, ()), first):
            rng = generator(settings.seed, source, split, scene.scene_id)
            fact = pick(sorted(_ASKED), rng)
            open_ones = _open_things(scene)
            order = rng.permutation(len(open_ones))[:_POINTS]
            places = [open_ones[int(place)] for place in order]
            things = [scene.things[place] for place in places]
            points = [
                {
                    "x": round(thing.center[0] * settings.image_size),
                    "y": round(thing.center[1] * settings.image_size),
                    "ans": getattr(thing, fact),
                }
                for thing in things
            ]
            answers = [point["ans"] for point in points]
            record = {"img_id": number, "question": _ASKED[fact], "all_ans": answers}
            dataset[str(number)] = [{**record, "all_objs": [], "points": points}]
            ids.append(str(number))
            path = f"images/{number}.jpg"
            marked = {f"{number}-0-{point}": place for point, place in enumerate(places)}
            rows.append(_store(folder, path, scene, source, settings.image_size, marked))
        name = "train" if split == "train" else "testdev"
        write_json(folder / f"localqa_{name}_imgs.json", ids)
    write_json(folder / "localqa_dataset.json", dataset)
    return rows


def write_nlvr2(folder: Path, source: str, scenes: Scenes, settings: Settings) -> list[ImageRow]:
    """Write NLVR2: a true and a false sentence on each pair of scenes; test only.

    A last scene without a partner is left out.
    """
    rows: list[ImageRow] = []
    records = []
    made = iter(scenes.get("test", ()))
    for number, (left, right) in enumerate(zip(made, made, strict=False)):
        rng = generator(settings.seed, source, left.scene_id, right.scene_id)
        for side, scene in enumerate((left, right)):
            path = f"images/test1/test1-{number}-0-img{side}.png"
            rows.append(_store(folder, path, scene, source, settings.image_size))
        first = bool(rng.integers(2))
        for place, wanted in enumerate((first, not first)):
            sentence, label = _statement(left, right, wanted, rng)
            records.append(
                {
                    "sentence": sentence,
                    "left_url": "",
                    "right_url": "",
                    "label": str(label),
                    "identifier": f"test1-{number}-0-{place}",
                    "writer": 1,
                    "validation": {},
                    "extra_validations": {},
                    "synset": "shape",
                    "query": "shapes",
                }
            )
    write_jsonl(folder / "data/test1.json", records)
    return rows


def _statement(
    left: Scene, right: Scene, wanted: bool, rng: np.random.Generator
) -> tuple[str, bool]:
    """Draw a sentence about two scenes that is (or is not) true; the last draw where none is."""
    label, sentence = not wanted, ""
    for _ in range(_TRIES):
        # Things that are there make sentences that are not plainly false.
        thing = pick([*left.things, *right.things], rng)
        phrase = Phrase(
            shape=thing.shape if rng.random() < 0.6 else str(pick(SHAPES, rng)),
            color=thing.color if rng.random() < 0.6 else str(pick(list(COLORS), rng)),
        )
        counts = [sum(phrase.matches(own) for own in scene.things) for scene in (left, right)]
        name = f"{phrase.color} {phrase.shape}"
        one = with_article(name)
        kind = int(rng.integers(4))
        if kind == 0:
            sentence, label = f"There is {one} in both images.", all(counts)
        elif kind == 1:
            sentence, label = f"The left image shows {one}.", counts[0] > 0
        elif kind == 2:
            sentence, label = f"Only the right image has {one}.", counts[0] == 0 < counts[1]
        else:
            number = int(rng.integers(1, 3))
            words = f"{number} {name}{'' if number == 1 else 'es' if name.endswith('s') else 's'}"
            sentence = f"The two images hold exactly {words} in all."
            label = sum(counts) == number
        if label == wanted:
            break
    return sentence, label


def _expression(scene: Scene, thing: Thing, rng: np.random.Generator) -> str:
    """Call a thing by what sets it apart from the others, in lower case as people type."""
    phrase = refer(scene, thing, rng) or Phrase(shape=thing.shape, color=thing.color)
    words = [word for word in (phrase.size, phrase.texture, phrase.color) if word is not None]
    article = "the " if rng.random() < 0.5 else ""
    # A thing that is alone needs no words; "thing" would say nothing of it.
    noun = phrase.shape or ("thing" if words else thing.shape)
    return f"{article}{' '.join([*words, noun])}"


def _open_things(scene: Scene) -> list[int]:
    """Places of the things in whose middle no later thing's box lies; the last thing always is."""
    return [
        place
        for place, thing in enumerate(scene.things)
        if not any(_holds(later.box, thing.center) for later in scene.things[place + 1 :])
    ]


def _holds(box: tuple[float, float, float, float], point: tuple[float, float]) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def _instance(image_id: int, number: int, thing: Thing, size: int) -> dict[str, Any]:
    x1, y1, x2, y2 = (value * size for value in thing.box)
    return {
        "id": number,
        "image_id": image_id,
        "category_id": list(SHAPES).index(thing.shape) + 1,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": (x2 - x1) * (y2 - y1),
        "iscrowd": 0,
    }


def _store(
    folder: Path,
    path: str,
    scene: Scene,
    source: str,
    size: int,
    marked: Mapping[str, int] | None = None,
) -> ImageRow:
    """Write an image: PNG data under the official name, so that colours stay exact."""
    data = png_bytes(render(scene, size))
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return ImageRow(scene, source, path, hashlib.sha256(data).hexdigest(), marked=marked or {})
