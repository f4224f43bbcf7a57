"""Questions about a drawn region: RefCOCOg (box or circle) and PointQA (arrow)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.drawing import arrow, region
from polite_flamingo.sources.json_lists import (
    Broken,
    Item,
    read_mapping,
    read_members,
)
from polite_flamingo.sources.pickles import BadPickle, read_pickle
from polite_flamingo.sources.record import (
    BadRecord,
    ImageRef,
    Record,
    answer_of,
    as_id,
    as_number_id,
    convert,
    line_of,
    lines_in,
    locate,
    mapping,
    noted,
    option,
    read_ids,
    sample_id,
    sequence,
)
from polite_flamingo.sources.shelf import Shelf
from polite_flamingo.sources.text import one_line

_QUESTIONS = ("question", "general_question", "super_question", "obj_question")


def read_refcocog(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read Google's ``google_refexp_*.json`` (lists, or aligned: objects by id) or UNC's ``refs*.p``.

    One record a region; the draft is what people called it. Boxes that the file lacks come from
    COCO's instances (role ``instances``) by annotation id. Image names are option ``image_name`` of the image's number.
    """
    image_name = option(entry, split, "image_name", "COCO_train2014_{:012d}.jpg")
    path = locate(entry, root, split, "annotations")
    if path.suffix == ".p" or path.name.endswith(".p.gz"):
        items = _unc_items(path, split)
    else:
        items = _google_items(path)
    # A hundred thousand regions at most: the boxes are looked up in a second file.
    waiting = list(items)
    boxes: dict[str, tuple[object, Any]] = {}
    without = [item for item in waiting if not isinstance(item.value, Broken) and not item.value[3]]
    if without:
        boxes = _boxes(locate(entry, root, split, "instances"), without)

    def build(item: Item, native_id: str) -> Record:
        image_id, expressions, box = item.value[1:]
        lines, left_out = lines_in(expressions)
        if not lines:
            raise BadRecord("empty_response", "the region has no expression that is not blank")
        own = (image_id, box) if box else boxes.get(native_id)
        if own is None:
            raise BadRecord("unknown_region", "the instances have no such annotation")
        number = as_number_id(image_id if image_id is not None else own[0], "image_id")
        drawn = region(
            image_name.format(number), _corners(own[1]), sample_id(entry, split, native_id)
        )
        return Record(
            native_id=native_id,
            position=item.position,
            images=(drawn,),
            response="\n".join(lines),
            fields={"shape": drawn.shape, "color": drawn.color},
            references=tuple(lines),
            extra={"region": ",".join(f"{value:g}" for value in drawn.place)},
            notes=noted(expressions_left_out=left_out),
        )

    yield from convert(
        entry, split, iter(waiting), lambda item: as_id(item.value[0], "annotation_id"), build
    )


def _google_items(path: Path) -> Iterator[Item]:
    """Yield ``(annotation id, image id, expressions)`` of a Google file of either layout."""
    expressions = Shelf()
    for item in _members(path, "refexps"):
        value = item.value
        if isinstance(value, Mapping) and isinstance(value.get("refexp_id"), (int, str)):
            expressions.add(str(value["refexp_id"]), value.get("raw"))
        elif isinstance(value, Broken):
            yield item
    for item in _members(path, "annotations"):
        try:
            if isinstance(item.value, Broken):
                raise BadRecord(item.value.reason, item.value.detail)
            record = mapping(item.value)
            texts = [
                text for key in sequence(record, "refexp_ids") for text in expressions.get(str(key))
            ]
            value = (
                record.get("annotation_id"),
                record.get("image_id"),
                texts,
                record.get("bbox"),
            )
            yield item._replace(value=value)
        except BadRecord as error:
            yield item._replace(value=Broken(error.reason, str(error)))


def _members(path: Path, name: str) -> Iterator[Item]:
    """Yield the values of a member that is a list, or an object by id (the aligned layout)."""
    for member, item in read_members(path, (name,)):
        absent = isinstance(item.value, Broken) and item.value.reason == "bad_structure"
        if not absent:
            yield item
            continue
        values = list(read_mapping(path, member))
        yield from (value for _, value in values) if values else (item,)


def _unc_items(path: Path, split: str) -> Iterator[Item]:
    try:
        refs = read_pickle(path)
    except BadPickle as error:
        yield Item(path.name, 0, Broken("bad_structure", str(error)))
        return
    if not isinstance(refs, list):
        yield Item(path.name, 0, Broken("bad_structure", "the pickle holds no list"))
        return
    for number, ref in enumerate(refs):
        item = Item(f"{path.name}#{number}", number, None)
        try:
            record = mapping(ref)
            ours = record.get("split") == "test"
            if ours != (split == "test"):
                continue
            texts = [mapping(value).get("raw") for value in sequence(record, "sentences")]
            value = (record.get("ann_id"), record.get("image_id"), texts, None)
            yield item._replace(value=value)
        except BadRecord as error:
            yield item._replace(value=Broken(error.reason, str(error)))


def _boxes(path: Path, items: list[Item]) -> dict[str, tuple[object, Any]]:
    """Return image id and ``[x, y, width, height]`` of the annotations that the items name."""
    wanted = {str(item.value[0]) for item in items if not isinstance(item.value, Broken)}
    found: dict[str, tuple[object, Any]] = {}
    for _, item in read_members(path, ("annotations",)):
        value = item.value
        if isinstance(value, Mapping) and not isinstance(value, Broken):
            key = str(value.get("id"))
            if key in wanted:
                found[key] = (value.get("image_id"), value.get("bbox"))
    return found


def _corners(box: Any) -> tuple[float, float, float, float]:
    if not isinstance(box, list) or len(box) != 4:
        raise BadRecord("bad_bbox", "bbox is no list of four numbers")
    x, y, width, height = (_finite(value) for value in box)
    if width <= 0 or height <= 0:
        raise BadRecord("bad_bbox", "the box has no area")
    return x, y, x + width, y + height


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e6:
        raise BadRecord("bad_number", f"{str(value)[:40]!r} is no coordinate")
    if value != value:
        raise BadRecord("bad_number", "a coordinate is NaN")
    return float(value)


def read_pointqa(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read PointQA: ``{image id: [{question, points or point, answer}]}``, keys in any case.

    One record a point, with an arrow drawn to it; a question without a point (Verbal) has the plain
    image. Role ``ids`` lists the images of our split. Ids are ``<image id>-<question>[-<point>]``.
    """
    ids = set(read_ids(locate(entry, root, split, "ids")))
    if "more_ids" in entry.files[split]:
        ids |= set(read_ids(locate(entry, root, split, "more_ids")))
    suffix = option(entry, split, "suffix", ".jpg")

    def found() -> Iterator[Item]:
        for key, item in read_mapping(locate(entry, root, split, "annotations")):
            if isinstance(item.value, Broken):
                yield item
                continue
            if key.strip() not in ids:
                continue
            if not isinstance(item.value, list):
                yield item._replace(value=Broken("bad_structure", f"{key[:40]} holds no list"))
                continue
            for number, value in enumerate(item.value):
                position = f"{item.position}/{number}"
                if not isinstance(value, Mapping):
                    detail = f"expected an object, got {type(value).__name__}"
                    yield Item(position, number, Broken("not_an_object", detail))
                    continue
                record = {str(name).lower(): part for name, part in value.items()}
                points = record.get("points")
                if isinstance(points, list):
                    for place, point in enumerate(points):
                        name = f"{key}-{number}-{place}"
                        yield Item(f"{position}/{place}", place, (key, name, record, point))
                else:
                    point = record.get("point")
                    yield Item(position, number, (key, f"{key}-{number}", record, point))

    def build(item: Item, native_id: str) -> Record:
        key, _, record, point = item.value
        asked = next((name for name in _QUESTIONS if isinstance(record.get(name), str)), "question")
        question = line_of(record, asked)
        name = f"{as_id(key, 'image id')}{suffix}"
        image: ImageRef = name
        fields = {"question": question, "place": ""}
        told: Mapping[str, Any] = record
        if point is not None:
            where = {str(part).lower(): value for part, value in mapping(point).items()}
            told = {**record, **({"ans": where["ans"]} if "ans" in where else {})}
            place = (_finite(where.get("x")), _finite(where.get("y")))
            drawn = arrow(name, place, sample_id(entry, split, native_id))
            image, fields["place"] = drawn, f"Look at where the {drawn.color} arrow points."
        answer = answer_of(told, "ans" if "ans" in told else "answer")
        return Record(
            native_id=native_id,
            position=item.position,
            images=(image,),
            response=answer,
            fields=fields,
            references=(answer,),
            answer=answer,
            extra={"question": question},
        )

    def identify(item: Item) -> str:
        return as_id(one_line(item.value[1]))

    yield from convert(entry, split, found(), identify, build)
