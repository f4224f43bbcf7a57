"""COCO captions with instances: all captions of an image as one draft, boxes behind them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from polite_flamingo.core.boxes import append_boxes, from_xywh
from polite_flamingo.core.sample import Box, Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Broken, Item, read_members
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    as_id,
    convert,
    line_of,
    lines_in,
    locate,
    mapping,
    noted,
    reject,
)


def read_coco(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``captions_*.json`` and, where the entry names it, ``instances_*.json``.

    One record an image (METHOD section 4): captions one a line, then a paragraph of boxes. Crowd
    boxes are left out. Images are joined by id and found by ``file_name``.
    """
    path = locate(entry, root, split, "captions")
    images: list[Item] = []
    known: set[str] = set()
    captions: dict[str, list[object]] = defaultdict(list)
    captions_at: dict[str, str] = {}
    for member, item in read_members(path, ("images", "annotations")):
        if member == "images":
            images.append(item)
            continue
        try:
            image_id, caption = _annotation(item, "caption")
            captions[image_id].append(caption)
            captions_at.setdefault(image_id, item.position)
        except BadRecord as error:
            yield reject(entry, split, item.position, error.reason, str(error))

    boxes: dict[str, list[tuple[str, list[Any]]]] = {}
    if "instances" in entry.files[split]:
        boxes = yield from _read_instances(root, entry, split)

    def identify(item: Item) -> str:
        known.add(image_id := as_id(mapping(item.value).get("id")))
        return image_id

    def build(item: Item, image_id: str) -> Record:
        image = mapping(item.value)
        lines, left_out = lines_in(captions.get(image_id, ()))
        if not lines:
            raise BadRecord("empty_response", "the image has no caption that is not blank")
        drawn, bad = _boxes(boxes.get(image_id, []), image)
        return Record(
            native_id=image_id,
            position=item.position,
            images=(line_of(image, "file_name"),),
            response=append_boxes("\n".join(lines), drawn),
            references=tuple(lines),
            boxes=drawn,
            notes=noted(captions_left_out=left_out, bad_boxes=bad),
        )

    yield from convert(entry, split, images, identify, build)
    for image_id, position in captions_at.items():
        if image_id not in known:
            detail = f"{len(captions[image_id])} captions of an image that is not in the list"
            yield reject(entry, split, position, "unknown_image", detail, image_id)


def _read_instances(
    root: Path, entry: Entry, split: str
) -> Generator[Reject, None, dict[str, list[tuple[str, list[Any]]]]]:
    """Yield rejects; return ``(category name, [x, y, width, height])`` pairs by image id."""
    names: dict[str, str] = {}
    found: list[tuple[str, str, list[Any]]] = []
    path = locate(entry, root, split, "instances")
    for member, item in read_members(path, ("annotations", "categories")):
        try:
            if member == "categories":
                category = _object(item)
                names[as_id(category.get("id"))] = line_of(category, "name")
                continue
            image_id, box = _annotation(item, "bbox")
            annotation = mapping(item.value)
            if not isinstance(box, list):
                raise BadRecord("bad_bbox", "bbox is not a list")
            if annotation.get("iscrowd") != 1:
                found.append((image_id, as_id(annotation.get("category_id")), box))
        except BadRecord as error:
            yield reject(entry, split, item.position, error.reason, str(error))
    boxes: dict[str, list[tuple[str, list[Any]]]] = defaultdict(list)
    for image_id, category_id, box in found:
        boxes[image_id].append((names.get(category_id, ""), box))
    return boxes


def _object(item: Item) -> Mapping[str, Any]:
    if isinstance(item.value, Broken):
        raise BadRecord(item.value.reason, item.value.detail)
    return mapping(item.value)


def _annotation(item: Item, key: str) -> tuple[str, object]:
    annotation = _object(item)
    return as_id(annotation.get("image_id"), "image_id"), annotation.get(key)


def _boxes(
    found: list[tuple[str, list[Any]]], image: Mapping[str, Any]
) -> tuple[tuple[Box, ...], int]:
    """Normalise boxes by the image's size; also return how many could not be used."""
    width, height = image.get("width"), image.get("height")
    boxes: list[Box] = []
    for name, corners in found:
        box = from_xywh(name, corners, width, height) if name else None  # type: ignore[arg-type]
        if box is not None:
            boxes.append(box)
    return tuple(boxes), len(found) - len(boxes)
