"""What real files are like: images of every kind, encodings, and whatever an adapter may meet."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from source_layouts import entry, read, reasons, write, write_image

from polite_flamingo.core.images import check_image
from polite_flamingo.core.sample import Reject, Sample, rejects_to_table, samples_to_table
from polite_flamingo.sources.catalogue import Entry, load_catalogue
from polite_flamingo.sources.json_lists import read_list, read_mapping
from polite_flamingo.sources.read import read_source
from polite_flamingo.sources.shelf import Shelf
from polite_flamingo.sources.text_files import read_lines, read_rows


def encoded(mode: str, kind: str, **given: Any) -> bytes:
    buffer = io.BytesIO()
    if mode == "I;16":
        levels = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
        Image.fromarray(levels).save(buffer, format=kind, **given)
    else:
        Image.new(mode, (8, 4), 255 if mode in "LP1" else None).save(buffer, format=kind, **given)  # type: ignore[arg-type]
    return buffer.getvalue()


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded("RGB", "JPEG", exif=exif)


def animated() -> bytes:
    frames = [Image.new("RGB", (8, 4), (n, 0, 0)) for n in (10, 20)]
    buffer = io.BytesIO()
    frames[0].save(buffer, format="GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (encoded("RGBA", "PNG"), (8, 4)),
        (encoded("LA", "PNG"), (8, 4)),
        (encoded("P", "PNG"), (8, 4)),
        (encoded("CMYK", "JPEG"), (8, 4)),
        (encoded("CMYK", "TIFF"), (8, 4)),
        (encoded("I;16", "PNG"), (8, 8)),
        (encoded("I;16", "TIFF"), (8, 8)),
        (encoded("1", "TIFF"), (8, 4)),
        (encoded("RGB", "BMP"), (8, 4)),
        (encoded("RGB", "WEBP"), (8, 4)),
        (rotated(), (4, 8)),
        (animated(), (8, 4)),
    ],
)
def test_every_kind_of_image_is_stored_as_plain_rgb(data: bytes, size: tuple[int, int]) -> None:
    checked = check_image(data)
    assert (checked.width, checked.height) == size
    with Image.open(io.BytesIO(checked.data)) as image:
        assert (image.mode, image.size, getattr(image, "n_frames", 1)) == ("RGB", size, 1)
        assert image.getexif().get(0x0112, 1) == 1


RECORDS = [{"id": 1, "text": "naïve"}, {"id": "2", "text": "zwei"}]


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "gzip", "crlf", "indented"])
def test_files_are_read_whatever_their_dress(tmp_path: Path, lines: bool, coding: str) -> None:
    indent = 1 if coding == "indented" and not lines else None
    text = json.dumps(RECORDS, ensure_ascii=False, indent=indent)
    if lines:
        text = "\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS)
    if coding == "crlf":
        text = text.replace("\n", "\r\n").replace(", ", ",\r\n" if not lines else ", ")
    plain = "utf-8" if coding in ("gzip", "crlf", "indented") else coding
    data = text.encode(plain)
    path = tmp_path / "x.json"
    path.write_bytes(gzip.compress(data) if coding == "gzip" else data)
    assert [item.value for item in read_list(path)] == RECORDS


def test_wrong_bytes_are_replaced_and_counted(tmp_path: Path) -> None:
    source = entry("alpaca", {"records": "a.json"}, task="text", pool="")
    data = b'[{"instruction":"caf\xe9?","output":"ok <|endofchunk|></s>"},{"instruction":"x","output":"y"}]'
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/a.json").write_bytes(data)
    samples, rejects = read(source, tmp_path)
    assert not rejects
    assert samples[0].turns[0].instruction == "caf\ufffd?"
    assert samples[0].turns[0].response == "ok [endofchunk][/s]"


def test_numbers_that_ijson_refuses_are_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('[{"a": 1}, {"a": NaN}, {"a": 123456789012345678901234567890}, {"b": 2}]')
    assert [item.value.get("b") for item in read_list(path)] == [None, None, None, 2]
    path.write_text('{"k": {"a": NaN}, "l": {"a": 2}}')
    assert [key for key, _ in read_mapping(path)] == ["k", "l"]


def test_a_gzip_file_that_breaks_off(tmp_path: Path) -> None:
    many = [{"id": n, "text": "x" * 50} for n in range(5000)]
    data = gzip.compress("\n".join(map(json.dumps, many)).encode())
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(data[: len(data) // 2])
    items = list(read_list(path))
    assert items[0].value == many[0]
    assert items[-1].value.reason == "truncated"
    assert list(read_lines(path))


@pytest.mark.parametrize("limit", [3, 1000])
def test_a_shelf_is_the_same_in_memory_and_on_disk(limit: int) -> None:
    shelf = Shelf(limit)
    for number in range(20):
        shelf.add(str(number % 7), {"n": number})
    assert [value["n"] for value in shelf.get("3")] == [3, 10, 17]
    assert [value["n"] for value in shelf.take("5")] == [5, 12, 19]
    shelf.add("9", None)
    assert shelf.get("5") == []
    assert [key for key, _ in shelf.items()] == ["0", "1", "2", "3", "4", "6", "9"]
    assert [key for key, _ in shelf.unused()] == ["0", "1", "2", "4", "6", "9"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text('a,|"\t\r\n\0', max_size=40).map(str.encode))
def test_rows_of_any_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(data)
    list(read_rows(path, ","))
    list(read_rows(path, "\t", quoted=False))
    list(read_lines(path))


# --- No input makes an adapter raise anything but a reject ---------------------------------------

KEYS = """
images annotations data questions refexps categories id image_id img_id imgid question_id question
answer answers multiple_choice_answer explanation choices correct_choice_idx rationales caption label
conversations from value sentences raw tokens split filename filepath changeflag reference_strs
caption_str url paragraph refexp_ids annotation_id refexp_id bbox category_id file_name width height
points point x y ans general_question img0 img1 sents uid identifier sentence directory imageId image
fullAnswer types imageURL title hint solution instruction input output response original
message_tree_id message_id parent_id tree_state prompt role text replies deleted rank lang iscrowd
ann_id train test questions image_filename question_index program img_idx task relation
""".split()
ODD = """train test a 1 <image> ../../x a-1-0-0 human gpt prompter assistant ready_for_export
<img_path>a<img_path> http://[ //""".split()
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 60)
    | st.floats(allow_nan=True)
    | st.text(max_size=6)
    | st.sampled_from([*ODD, "\x00", "\ud800"])
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
        | st.dictionaries(st.sampled_from(["1", "2", "a"]), inner, max_size=3)
    ),
    max_leaves=25,
)
TEXTS = st.lists(
    st.sampled_from(["a/b.jpg", "1 2", "1", "x1 1 1", "a_1 1 1 1", "\t", ";", ",", " ", "#0\tdog"])
    | st.sampled_from(["1 1 2 1 2 2 1 2 ship 0", "gsd:null", "\r\n", "Filename;ClassId", "a;3"])
    | st.sampled_from(
        ["emotion,pixels,Usage", "3,1 2 3,Training", "train.zip@a.png 0", "<a>", "\0"]
    )
    | st.text(max_size=5),
    max_size=8,
).map("\n".join)
# One source of each adapter: the first of the catalogue, and one of our own.
SOURCES: dict[str, Entry] = {}
for _entry in load_catalogue().values():
    if not _entry.root.startswith("package:") and not _entry.name.startswith("shapes"):
        SOURCES.setdefault(_entry.adapter, _entry)
SOURCES["table"] = entry(
    "table",
    {"records": "t.jsonl", "images": "."},
    options={"columns": {"image": "image", "question": "question", "answer": "answer"}},
)
SOURCES["elevater"] = entry(
    "elevater",
    {"index": "train.txt", "names": "labels.txt", "images": "."},
    task="classification",
    pool="classification",
    options={"template": "a {name}."},
)
FOLDERS = {
    "voc": "00001.xml",
    "dota": "P0001.txt",
    "class_folders": "a/1.jpg",
    "gtsrb": "a/GT-a.csv",
}


def fill(source: Entry, root: Path, split: str, data: st.DataObject) -> None:
    """Write something drawn where each file of a source is expected."""
    for role in source.files[split]:
        path = root / source.root / source.paths(split, role)[0]
        folder = role == "images" or (role == "annotations" and source.adapter in FOLDERS)
        if folder and role != "images" and source.adapter == "gtsrb":
            folder = split == "train"
        content = data.draw(TREES | TEXTS | st.binary(max_size=30), label=role)
        if role == "images":
            path.mkdir(parents=True, exist_ok=True)
            continue
        if folder:
            path = path / FOLDERS[source.adapter]
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content)
            path.write_bytes(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("adapter", sorted(SOURCES))
@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_input_makes_an_adapter_raise(tmp_path: Path, adapter: str, data: st.DataObject) -> None:
    source = SOURCES[adapter]
    for split in source.files:
        fill(source, tmp_path, split, data)
        found = list(read_source(source, tmp_path, split))
        samples_to_table([item for item in found if isinstance(item, Sample)])
        rejects = [item for item in found if isinstance(item, Reject)]
        rejects_to_table(rejects)
        assert all(item.position and item.reason for item in rejects)


def test_an_image_of_a_pair_that_is_bad_rejects_the_pair(tmp_path: Path) -> None:
    source = entry(
        "spotdiff",
        {"annotations": "a.json", "images": "i"},
        task="change_captioning",
        pool="change_captioning",
    )
    write(tmp_path / "tiny/a.json", [{"img_id": 1, "sentences": ["x"]}])
    write_image(tmp_path / "tiny/i/1.png")
    write(tmp_path / "tiny/i/1_2.png", "no image")
    samples, rejects = read(source, tmp_path)
    assert not samples
    assert reasons(rejects) == ["corrupt_image"]
