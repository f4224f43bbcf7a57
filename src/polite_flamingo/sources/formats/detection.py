"""Detection sets: VOC XML (DIOR, HRRSD, VOC 2007) and DOTA's text files."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from polite_flamingo.core.boxes import append_boxes, from_corners
from polite_flamingo.core.sample import Box, Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.formats.classes import class_record, read_knowledge
from polite_flamingo.sources.image_files import ImageFolder, inside
from polite_flamingo.sources.json_lists import Item
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    as_id,
    convert,
    locate,
    locate_optional,
    noted,
    option,
    read_ids,
)
from polite_flamingo.sources.text import one_line
from polite_flamingo.sources.text_files import read_lines

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
# Annotations are small; what is larger is none (and no entity can blow it up).
_XML_BYTES = 4 << 20
Named = tuple[str, tuple[float, float, float, float]]


def read_voc(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``<id>.xml`` of the images that the roles ``ids`` and ``more_ids`` list.

    The draft is the boxes' paragraph; with option ``classes`` it is the classes of the objects, as a
    classification. Corners of ``robndbox`` become the box that holds them. Option ``suffix`` is that
    of the images, whose headers tell the size where the XML does not.
    """
    folder = locate(entry, root, split, "annotations")
    pictures = _pictures(root, entry, split)
    suffix = option(entry, split, "suffix", ".jpg")
    as_classes = option(entry, split, "classes", "False") == "True"
    knowledge = read_knowledge(root, entry, split)

    def build(item: Item, native_id: str) -> Record:
        path = folder / f"{inside(native_id)}.xml"
        found, size, bad = _read_xml(path)
        image = f"{native_id}{suffix}"
        if as_classes:
            names = list(dict.fromkeys(name for name, _ in found))
            if not names:
                raise BadRecord("no_objects", "the image has no object with a name")
            return class_record(entry, split, native_id, path.name, image, names, knowledge)
        if size is None and pictures is not None:
            size = pictures.size(image)
        return _box_record(native_id, path.name, image, found, size, bad)

    yield from convert(entry, split, _listed(root, entry, split), _own_id, build)


def read_dota(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``labelTxt/*.txt``: corners of quadrilaterals in pixels, which become enclosing boxes.

    The files do not tell the size of the image: it is read from the image's header, and without one
    (annotations only) the draft names the objects and has no boxes.
    """
    folder = locate(entry, root, split, "annotations")
    pictures = _pictures(root, entry, split)
    suffix = option(entry, split, "suffix", ".png")
    items = (
        Item(path.name, number, path.stem)
        for number, path in enumerate(sorted(folder.glob("*.txt")))
    )

    def build(item: Item, native_id: str) -> Record:
        found, bad = _read_quadrilaterals(folder / f"{native_id}.txt")
        image = f"{native_id}{suffix}"
        size = None if pictures is None else pictures.size(image)
        return _box_record(native_id, item.position, image, found, size, bad)

    yield from convert(entry, split, items, _own_id, build)


def _pictures(root: Path, entry: Entry, split: str) -> ImageFolder | None:
    images = locate_optional(entry, root, split, "images")
    return None if images is None else ImageFolder(images, entry.image_folders)


def _listed(root: Path, entry: Entry, split: str) -> Iterator[Item]:
    number = 0
    for role in ("ids", "more_ids"):
        if role not in entry.files[split]:
            continue
        path = locate(entry, root, split, role)
        for name in read_ids(path):
            yield Item(f"{path.name}#{number}", number, name)
            number += 1


def _own_id(item: Item) -> str:
    return as_id(PurePosixPath(item.value).name.removesuffix(".xml"))


def _read_xml(path: Path) -> tuple[list[Named], tuple[float, float] | None, int]:
    """Return the named boxes in pixels, the image's size and how many boxes have no corners."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadRecord("missing_annotation", f"{path.name}: {error.strerror}") from error
    if len(data) > _XML_BYTES or b"<!ENTITY" in data:
        raise BadRecord("bad_xml", f"{path.name} is too large or defines entities")
    try:
        tree = ElementTree.fromstring(data)
    # A wrong encoding in the XML declaration is a LookupError.
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise BadRecord("bad_xml", f"{path.name}: {error}") from error
    width, height = (_number(tree.findtext(f"size/{side}")) for side in ("width", "height"))
    found: list[Named] = []
    bad = 0
    for thing in tree.iter("object"):
        name = one_line(thing.findtext("name") or "")
        corners = _corners(thing)
        if name and corners is not None:
            found.append((name, corners))
        else:
            bad += 1
    size = (width, height) if width and height else None
    return found, size, bad


def _corners(thing: ElementTree.Element) -> tuple[float, float, float, float] | None:
    box = thing.find("bndbox")
    if box is not None:
        values = [_number(box.findtext(corner)) for corner in _CORNERS]
        if all(value is not None for value in values):
            return tuple(values)  # type: ignore[return-value]
    turned = thing.find("robndbox")
    if turned is None:
        return None
    xs = [_number(part.text) for part in turned if part.tag.startswith("x_")]
    ys = [_number(part.text) for part in turned if part.tag.startswith("y_")]
    return enclosing([x for x in xs if x is not None], [y for y in ys if y is not None])


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def enclosing(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float, float, float] | None:
    """Return the box around the corners of a polygon (at least three), else None."""
    if len(xs) < 3 or len(xs) != len(ys):
        return None
    return min(xs), min(ys), max(xs), max(ys)


def _read_quadrilaterals(path: Path) -> tuple[list[Named], int]:
    found: list[Named] = []
    bad = 0
    for _, line in read_lines(path):
        # The two lines of the header: `imagesource:GoogleEarth` and `gsd:0.14`.
        if ":" in line.split()[0]:
            continue
        *numbers, name, last = ["", "", *line.split()]
        # Some copies leave the difficulty out.
        if not last.isdigit():
            numbers, name = [*numbers, name], last
        values = [_number(text) for text in numbers if text]
        box = None
        if len(values) == 8 and None not in values:
            box = enclosing(values[0::2], values[1::2])  # type: ignore[arg-type]
        if box is not None and name:
            found.append((name, box))
        else:
            bad += 1
    return found, bad


def _box_record(
    native_id: str,
    position: str,
    image: str,
    found: list[Named],
    size: tuple[float, float] | None,
    bad: int,
) -> Record:
    if not found:
        raise BadRecord("no_objects", f"no object with a name and corners ({bad} without)")
    boxes: list[Box] = []
    if size is not None:
        made = [from_corners(name, corners, *size) for name, corners in found]
        boxes = [box for box in made if box is not None]
        if not boxes:
            raise BadRecord("bad_boxes", "no box lies on the image")
        bad += len(found) - len(boxes)
    counts = Counter(name for name, _ in found)
    text = (
        append_boxes("", boxes)
        if boxes
        else ", ".join(f"{count} {name}" if count > 1 else name for name, count in counts.items())
    )
    return Record(
        native_id=native_id,
        position=position,
        images=(image,),
        response=text.strip(),
        boxes=tuple(boxes),
        extra={"classes": ", ".join(counts)},
        notes=noted(bad_boxes=bad, boxes_without_size=len(found) if size is None else 0),
    )
