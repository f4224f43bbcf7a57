"""Classification sets whose images are files: folders, lists of paths, lists of labels, tables."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.formats.classes import class_record, in_split, read_knowledge
from polite_flamingo.sources.json_lists import Broken, Item
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    as_id,
    convert,
    file_items,
    locate,
    option,
)
from polite_flamingo.sources.text import one_line
from polite_flamingo.sources.text_files import read_lines, read_rows

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".ppm", ".bmp", ".webp", ".gif"})


def read_class_folders(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read ``<class>/<image>`` below the image folder (EuroSAT, Resisc45, Caltech101).

    Where both our splits have the same folder, a fifth by hash of the path is test. Option ``skip``
    names a folder that is no class.
    """
    folder = locate(entry, root, split, "images")
    shared = len({entry.paths(own, "images") for own in entry.files}) < len(entry.files)
    skip = option(entry, split, "skip")

    def found() -> Iterator[Item]:
        number = 0
        for own in sorted(path for path in folder.iterdir() if path.is_dir()):
            if own.name == skip:
                continue
            for path in sorted(own.iterdir()):
                name = f"{own.name}/{path.name}"
                if path.suffix.lower() not in _SUFFIXES:
                    continue
                if not shared or in_split(entry, split, name.rpartition(".")[0]):
                    yield Item(name, number, (name, own.name))
                    number += 1

    yield from _labelled(root, entry, split, found())


def read_class_paths(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read lists of ``class/image`` paths, with suffix (DTD) or without (Food-101), a path a line.

    Roles ``ids`` and ``more_ids``; option ``suffix`` is added to names that have none.
    """
    suffix = option(entry, split, "suffix", ".jpg")

    def parse(line: str) -> tuple[str, str]:
        path = PurePosixPath(line.split()[0])
        if len(path.parts) < 2:
            raise BadRecord("bad_line", f"{line[:80]!r} is no class/image")
        name = str(path) if path.suffix.lower() in _SUFFIXES else f"{path}{suffix}"
        return name, path.parent.name

    yield from _labelled(root, entry, split, _parsed(root, entry, split, parse))


def read_class_lines(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read lists of ``image class`` lines (FGVC-Aircraft); the class may hold spaces and slashes.

    Roles ``ids`` and ``more_ids``; option ``suffix`` is added to the names.
    """
    suffix = option(entry, split, "suffix", ".jpg")

    def parse(line: str) -> tuple[str, str]:
        image, _, label = line.strip().partition(" ")
        if not label.strip():
            raise BadRecord("bad_line", f"{line[:80]!r} has no class")
        return f"{image}{suffix}", one_line(label)

    yield from _labelled(root, entry, split, _parsed(root, entry, split, parse))


def read_pets(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read Oxford Pets: ``Abyssinian_100 1 1 1``; the breed is the name without its number."""

    def parse(line: str) -> tuple[str, str]:
        name = line.split()[0]
        breed, _, number = name.rpartition("_")
        if not breed or not number.isdigit():
            raise BadRecord("bad_line", f"{line[:80]!r} is no breed_number")
        return f"{name}.jpg", breed

    lines = _parsed(root, entry, split, parse, comment="#")
    yield from _labelled(root, entry, split, lines)


def read_gtsrb(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read GTSRB: ``GT-*.csv`` with ``;`` and a header that names ``Filename`` and ``ClassId``.

    Role ``annotations`` is one table (test) or the folder of folders of train, each with its own.
    """
    path = locate(entry, root, split, "annotations")
    tables = sorted(path.rglob("GT-*.csv")) if path.is_dir() else [path]

    def found() -> Iterator[Item]:
        number = 0
        for table in tables:
            folder = table.parent.relative_to(path).as_posix() if path.is_dir() else ""
            columns: dict[str, int] | None = None
            for line, row in read_rows(table, ";"):
                if columns is None:
                    columns = {name.lower(): place for place, name in enumerate(row)}
                    continue
                position = f"{table.name}:{line}"
                try:
                    name, label = row[columns["filename"]], row[columns["classid"]]
                    value: Any = (str(PurePosixPath(folder) / name), label)
                except (KeyError, IndexError):
                    value = Broken("bad_row", "no Filename and ClassId")
                yield Item(position, number, value)
                number += 1

    yield from _labelled(root, entry, split, found())


def read_mat(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read MATLAB labels: Flowers-102 (``imagelabels``, ``setid``), Stanford Cars (``annos``).

    Role ``annotations`` with ``ids`` (Flowers) or ``names`` (Cars); needs SciPy (extra ``data``).
    """
    if "ids" in entry.files[split]:
        items = _flowers(
            locate(entry, root, split, "annotations"),
            locate(entry, root, split, "ids"),
            option(entry, split, "sets"),
        )
    else:
        items = _cars(
            locate(entry, root, split, "annotations"), locate(entry, root, split, "names")
        )
    yield from _labelled(root, entry, split, items)


def read_elevater(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read the toolkit's own copy: lines ``train.zip@path label[,label]`` and ``labels.txt``.

    Roles ``index`` and ``names``. Images are read from the zip, or from its unpacked folder.
    """
    index = locate(entry, root, split, "index")
    names = [line.strip() for _, line in read_lines(locate(entry, root, split, "names"))]
    knowledge = read_knowledge(root, entry, split)
    archives: dict[str, zipfile.ZipFile | None] = {}

    def build(item: Item, native_id: str) -> Record:
        place, _, labels = item.value.strip().rpartition(" ")
        archive, _, inner = place.rpartition("@")
        try:
            chosen = [names[int(label)] for label in labels.split(",") if int(label) >= 0]
        except (ValueError, IndexError) as error:
            raise BadRecord("unknown_class", f"{labels[:40]!r} of {len(names)}") from error
        if not chosen or not inner:
            raise BadRecord("bad_line", "expected archive@path and labels")
        image = _zipped(index.parent, archive, inner, archives)
        return class_record(entry, split, native_id, item.position, image, chosen, knowledge)

    def identify(item: Item) -> str:
        return as_id(item.value.strip().rpartition(" ")[0].rpartition("@")[2])

    try:
        yield from convert(entry, split, file_items(index), identify, build)
    finally:
        for archive in archives.values():
            if archive is not None:
                archive.close()


def _zipped(
    folder: Path, archive: str, inner: str, archives: dict[str, zipfile.ZipFile | None]
) -> str | bytes:
    name = PurePosixPath(archive).name
    if name not in archives:
        path = folder / name
        archives[name] = (
            zipfile.ZipFile(path) if name and path.is_file() and zipfile.is_zipfile(path) else None
        )
    opened = archives[name]
    if opened is None:
        return inner
    try:
        return opened.read(inner)
    # A member that is missing, encrypted, damaged or packed in an unknown way.
    except (KeyError, RuntimeError, zipfile.BadZipFile, NotImplementedError, OSError) as error:
        raise BadRecord("missing_image", f"{inner} is not in {name}: {error}") from error


def _parsed(
    root: Path,
    entry: Entry,
    split: str,
    parse: Callable[[str], tuple[str, str]],
    comment: str = "",
) -> Iterator[Item]:
    for role in ("ids", "more_ids"):
        if role not in entry.files[split]:
            continue
        for item in file_items(locate(entry, root, split, role)):
            if comment and item.value.lstrip().startswith(comment):
                continue
            try:
                yield item._replace(value=parse(item.value))
            except BadRecord as error:
                yield item._replace(value=Broken(error.reason, str(error)))


def _labelled(
    root: Path, entry: Entry, split: str, items: Iterator[Item]
) -> Iterator[Record | Reject]:
    """Turn ``(image, class)`` items into records; the native id is the image's path and stem."""
    knowledge = read_knowledge(root, entry, split)

    def build(item: Item, native_id: str) -> Record:
        image, label = item.value
        return class_record(entry, split, native_id, item.position, image, [label], knowledge)

    def identify(item: Item) -> str:
        return as_id(str(PurePosixPath(item.value[0]).with_suffix("")))

    yield from convert(entry, split, items, identify, build)


def _flowers(labels: Path, sets: Path, wanted: str) -> Iterator[Item]:
    """Yield image and class (0-based) of the sets named in ``wanted`` (trnid, valid, tstid)."""
    try:
        classes = _loadmat(labels)["labels"].ravel()
        setid = _loadmat(sets)
        numbers = [int(n) for name in wanted.split(",") for n in setid[name.strip()].ravel()]
    except (BadRecord, KeyError, ValueError, TypeError, AttributeError) as error:
        yield Item(labels.name, 0, Broken("bad_structure", f"not as expected: {error}"))
        return
    for place, number in enumerate(numbers):
        if not 1 <= number <= len(classes):
            value: Any = Broken("bad_index", f"image {number} of {len(classes)}")
        else:
            value = (f"image_{number:05d}.jpg", str(int(classes[number - 1]) - 1))
        yield Item(f"{sets.name}#{place}", place, value)


def _cars(annotations: Path, names: Path) -> Iterator[Item]:
    try:
        classes = [str(value[0]) for value in _loadmat(names)["class_names"].ravel()]
        rows = _loadmat(annotations)["annotations"].ravel()
    except (BadRecord, KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        yield Item(annotations.name, 0, Broken("bad_structure", f"not as expected: {error}"))
        return
    for place, row in enumerate(rows):
        try:
            label = int(row["class"].ravel()[0])
            name = PurePosixPath(str(row["fname"].ravel()[0])).name
            if not 1 <= label <= len(classes):
                raise ValueError(f"class {label} of {len(classes)}")
            value: Any = (name, classes[label - 1])
        # The official test annotations have no class.
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            value = Broken("no_answer", f"no file name and class: {error}")
        yield Item(f"{annotations.name}#{place}", place, value)


def _loadmat(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat

    try:
        return loadmat(path)  # type: ignore[no-any-return]
    # SciPy's readers raise whatever damaged bytes lead to.
    except Exception as error:
        raise BadRecord("bad_structure", f"{path.name}: {type(error).__name__}: {error}") from error
