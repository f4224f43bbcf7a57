"""COCO captions with instances: all captions of an image as one draft, boxes behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
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
    locate_optional,
    mapping,
    noted,
    reject,
)
from polite_flamingo.sources.shelf import Shelf


def read_coco(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``captions_*.json`` and, where the entry names it, ``instances_*.json``.

    One record an image (METHOD section 4): captions one a line, then a paragraph of boxes. Crowd
    boxes are left out. Images are joined by id and found by ``file_name``.
    """
    path = locate(entry, root, split, "captions")
    captions = Shelf()
    images: list[Item] = []
    members = read_members(path, ("annotations", "images"))
    for member, item in members:
        if member == "images":
            images.append(item)
            break
        try:
            image_id, caption = _annotation(item, "caption")
            captions.add(image_id, [item.position, caption])
        except BadRecord as error:
            yield reject(entry, split, item.position, error.reason, str(error))

    boxes = Shelf()
    if "instances" in entry.files[split]:
        instances = (locate_optional if "instances" in entry.optional else locate)(
            entry, root, split, "instances"
        )
        if instances is not None:
            yield from _read_instances(instances, entry, split, boxes)

    def identify(item: Item) -> str:
        return as_id(mapping(item.value).get("id"))

    def build(item: Item, image_id: str) -> Record:
        image = mapping(item.value)
        lines, left_out = lines_in(caption for _, caption in captions.get(image_id))
        if not lines:
            raise BadRecord("empty_response", "the image has no caption that is not blank")
        drawn, bad = _boxes(boxes.get(image_id), image)
        return Record(
            native_id=image_id,
            position=item.position,
            images=(line_of(image, "file_name"),),
            response=append_boxes("\n".join(lines), drawn),
            references=tuple(lines),
            boxes=drawn,
            notes=noted(captions_left_out=left_out, bad_boxes=bad),
        )

    rest = (item for _, item in members)
    yield from convert(entry, split, chain(images, rest), identify, build)
    for image_id, values in captions.unused():
        detail = f"{len(values)} captions of an image that is not in the list"
        yield reject(entry, split, values[0][0], "unknown_image", detail, image_id)


def _read_instances(path: Path, entry: Entry, split: str, boxes: Shelf) -> Iterator[Reject]:
    """Put ``[category name, [x, y, width, height]]`` by image id into ``boxes``; yield rejects."""
    names: dict[str, str] = {}
    for member, item in read_members(path, ("categories", "annotations")):
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
                category_id = as_id(annotation.get("category_id"))
                boxes.add(image_id, [names.get(category_id, ""), box])
        except BadRecord as error:
            yield reject(entry, split, item.position, error.reason, str(error))


def _object(item: Item) -> Mapping[str, Any]:
    if isinstance(item.value, Broken):
        raise BadRecord(item.value.reason, item.value.detail)
    return mapping(item.value)


def _annotation(item: Item, key: str) -> tuple[str, object]:
    annotation = _object(item)
    return as_id(annotation.get("image_id"), "image_id"), annotation.get(key)


def _boxes(found: list[list[Any]], image: Mapping[str, Any]) -> tuple[tuple[Box, ...], int]:
    """Normalise boxes by the image's size; also return how many could not be used."""
    width, height = image.get("width"), image.get("height")
    boxes: list[Box] = []
    for name, corners in found:
        box = from_xywh(name, corners, width, height) if name else None  # type: ignore[arg-type]
        if box is not None:
            boxes.append(box)
    return tuple(boxes), len(found) - len(boxes)
