"""Captioning and change-captioning sets in their official layouts, by their catalogue entries."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from source_layouts import read_entry, reasons, write, write_image

from polite_flamingo.core.boxes import BOX_ANNOUNCEMENT
from polite_flamingo.sources.catalogue import find_entry
from polite_flamingo.sources.image_files import ImageFolder
from polite_flamingo.sources.read import read_records
from polite_flamingo.sources.record import Record


def karpathy(name: str, split: str, *captions: str, **more: Any) -> dict[str, Any]:
    sentences = [{"tokens": c.split(), "raw": c, "imgid": 0, "sentid": 0} for c in captions]
    return {"filename": name, "imgid": 0, "split": split, "sentences": sentences, **more}


@pytest.mark.parametrize(
    ("source", "file", "folder", "suffix"),
    [
        ("flickr30k", "flickr30k/dataset_flickr30k.json", "flickr30k/flickr30k-images", "jpg"),
        ("rsicd", "rsicd/dataset_rsicd.json", "rsicd/RSICD_images", "jpg"),
        ("rsitmd", "rsitmd/dataset_RSITMD.json", "rsitmd/images", "tif"),
        ("ucm_captions", "UCM_captions/dataset.json", "UCM_captions/imgs", "tif"),
    ],
)
def test_karpathy_sets(tmp_path: Path, source: str, file: str, folder: str, suffix: str) -> None:
    images = [
        karpathy(f"a_1.{suffix}", "train", "Two planes .", "Two planes .", " ", "a field"),
        karpathy(f"b_1.{suffix}", "test", "a pier"),
        karpathy(f"c_1.{suffix}", "val", " "),
        karpathy(f"d_1.{suffix}", "other", "x"),
    ]
    write(tmp_path / file, {"images": images, "dataset": source})
    for name in ("a_1", "b_1", "c_1"):
        write_image(tmp_path / folder / f"{name}.{suffix}")
    train, rejects = read_entry(source, tmp_path)
    assert [(s.sample_id, s.turns[0].response) for s in train] == [
        (f"{source}/train/a_1", "Two planes.\na field")
    ]
    assert reasons(rejects) == ["empty_response", "bad_split"]
    (test,), none = read_entry(source, tmp_path, "test")
    assert (test.references, none) == (("a pier",), [])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "results_20130124.token",
            "7.jpg#0\ta dog \r\n7.jpg#1\ta | dog\r\n8.jpg#0\ta cat\r\nx y\r\n",
        ),
        (
            "results.csv",
            "image_name| comment_number| comment\n7.jpg| 0| a dog\n7.jpg| 1| a | dog\n"
            "8.jpg| 0| a cat\n7.jpg| 4   a dog runs\n",
        ),
    ],
)
def test_flickr30k_of_other_layouts(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path / "flickr30k" / name, "\ufeff" + text)
    write(tmp_path / "flickr30k/train.txt", "7\n")
    write(tmp_path / "flickr30k/test.txt", "8\n")
    write_image(tmp_path / "flickr30k/flickr30k_images/flickr30k_images/7.jpg")
    (sample,), rejects = read_entry("flickr30k", tmp_path)
    assert sample.sample_id == "flickr30k/train/7"
    assert sample.references == ("a dog", "a | dog")
    assert reasons(rejects) == ["bad_line"]
    # What is no line of any image is told once, not once a split.
    _, rejects = read_entry("flickr30k", tmp_path, "test")
    assert reasons(rejects) in ([], ["missing_image"])


def test_textcaps_is_one_record_an_image(tmp_path: Path) -> None:
    references = ["a sign ", "a red sign", "a sign", "stop", "x"]
    record = {"image_id": "00a1", "image_path": "train/00a1.jpg", "reference_strs": references}
    data = [record | {"caption_id": n, "caption_str": references[n]} for n in range(5)]
    data.append({"image_id": "00b2", "caption_str": "<image> b", "caption_id": 9})
    write(tmp_path / "textcaps/TextCaps_0.1_train.json", {"dataset_name": "textcaps", "data": data})
    write_image(tmp_path / "textcaps/train_images/00a1.jpg")
    write_image(tmp_path / "textcaps/train_images/00b2.jpg")
    samples, rejects = read_entry("textcaps", tmp_path)
    assert [s.references for s in samples] == [
        ("a sign", "a red sign", "stop", "x"),
        ("[image] b",),
    ]
    assert not rejects


def test_image2paragraph(tmp_path: Path) -> None:
    url = "https://cs.stanford.edu/people/rak248/VG_100K_2/7.jpg"
    record = {"url": url, "image_id": 7, "paragraph": "A man.  He runs. "}
    other = record | {"image_id": 8, "url": url.replace("7.jpg", "8.jpg")}
    write(tmp_path / "image2paragraph/paragraphs_v1.json", [record, other, record, {"url": url}])
    for split, ids in (("train", [7]), ("val", [9]), ("test", [8])):
        write(tmp_path / f"image2paragraph/{split}_split.json", ids)
    write_image(tmp_path / "visual_genome/VG_100K_2/7.jpg")
    samples, rejects = read_entry("image2paragraph", tmp_path)
    assert [(s.sample_id, s.turns[0].response) for s in samples] == [
        ("image2paragraph/train/7", "A man. He runs.")
    ]
    assert reasons(rejects) == ["duplicate_id", "bad_id"]


def test_cc3m_with_and_without_a_map(tmp_path: Path) -> None:
    lines = (
        "an angler fishes .\thttp://h/a.jpg\nno tab\n \thttp://h/b.jpg\na dog\thttp://h/c.jpg?x\n"
    )
    write(tmp_path / "cc3m/Train_GCC-training.tsv", lines)
    write_image(tmp_path / "cc3m/train_images/000000000.jpg")
    write_image(tmp_path / "cc3m/train_images/000000003.jpg")
    samples, rejects = read_entry("cc3m", tmp_path)
    assert [s.turns[0].response for s in samples] == ["an angler fishes .", "a dog"]
    assert reasons(rejects) == ["bad_line", "empty_caption"]
    write(tmp_path / "cc3m/train_images.tsv", "http://h/c.jpg?x\t../../x.jpg\n")
    samples, rejects = read_entry("cc3m", tmp_path)
    assert reasons(rejects) == ["bad_line", "empty_caption", "path_escape"]


REGION = {"annotation_id": 5, "image_id": 3, "refexp_ids": [1, 2]}
REFEXPS = [{"refexp_id": 1, "raw": "the left dog"}, {"refexp_id": 2, "raw": "dog "}]
UNC = {
    "ref_id": 0,
    "ann_id": 5,
    "image_id": 3,
    "split": "train",
    "file_name": "COCO_train2014_000000000003_5.jpg",
    "sentences": [{"raw": "the left dog", "sent_id": 0}, {"raw": "dog", "sent_id": 1}],
}


@pytest.mark.parametrize("layout", ["lists", "aligned", "unc"])
def test_refcocog_is_drawn_on_the_image(tmp_path: Path, layout: str) -> None:
    root = tmp_path / "refcocog"
    if layout == "lists":
        tree: Any = {"annotations": [REGION, REGION | {"annotation_id": 6}], "refexps": REFEXPS}
        write(root / "google_refexp_train_201511.json", tree)
    elif layout == "aligned":
        tree = {
            "images": {"3": {}},
            "annotations": {"5": REGION, "6": REGION | {"annotation_id": 6}},
            "refexps": {str(value["refexp_id"]): value for value in REFEXPS},
        }
        write(root / "google_refexp_train_201511_coco_aligned.json", tree)
    else:
        (root).mkdir(parents=True)
        refs = [UNC, UNC | {"ann_id": 6}, UNC | {"split": "test"}]
        (root / "refs(umd).p").write_bytes(pickle.dumps(refs, protocol=2))
    boxes = [{"id": 5, "image_id": 3, "bbox": [10.0, 10.0, 30.0, 20.0], "category_id": 1}]
    write(root / "instances.json", {"images": [], "annotations": boxes, "categories": []})
    image = root / "train2014/COCO_train2014_000000000003.jpg"
    image.parent.mkdir()
    Image.new("RGB", (100, 80), (0, 0, 0)).save(image)
    (sample,), rejects = read_entry("refcocog", tmp_path)
    assert reasons(rejects) == ["unknown_region"]
    if layout == "aligned":
        tree["annotations"] = {"5": REGION | {"bbox": boxes[0]["bbox"]}}
        write(root / "google_refexp_train_201511_coco_aligned.json", tree)
        (root / "instances.json").rename(root / "none.json")
        assert read_entry("refcocog", tmp_path) == ([sample], [])
        (root / "none.json").rename(root / "instances.json")
        tree["annotations"]["6"] = REGION | {"annotation_id": 6}
        write(root / "google_refexp_train_201511_coco_aligned.json", tree)
    assert sample.sample_id == "refcocog/train/5"
    assert sample.references == ("the left dog", "dog")
    # Shape and colour follow from the id alone.
    assert "green circle" in sample.turns[0].instruction
    (record, _) = read_records(find_entry("refcocog"), tmp_path, "train")
    assert isinstance(record, Record)
    checked = ImageFolder(image.parent).check(record.images[0])
    with Image.open(image) as plain:
        assert checked.image_id != ImageFolder(image.parent).check(image.name).image_id
        assert (checked.width, checked.height) == plain.size


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "refcocog"
    root.mkdir()
    (root / "refs(umd).p").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    write(root / "instances.json", {"annotations": []})
    (root / "train2014").mkdir()
    samples, rejects = read_entry("refcocog", tmp_path)
    assert not samples
    assert reasons(rejects) == ["bad_structure"]
    assert "posix" in rejects[0].detail or "os.system" in rejects[0].detail


VOC = """<annotation><filename>00001.jpg</filename><size><width>800</width><height>400</height>
<depth>3</depth></size>%s</annotation>"""
THING = """<object><name>%s</name><bndbox><xmin>%s</xmin><ymin>100</ymin><xmax>200</xmax>
<ymax>200</ymax></bndbox></object>"""
TURNED = """<object><name>ship</name><robndbox><x_left_top>80</x_left_top><y_left_top>40</y_left_top>
<x_right_top>160</x_right_top><y_right_top>20</y_right_top><x_right_bottom>240</x_right_bottom>
<y_right_bottom>80</y_right_bottom><x_left_bottom>100</x_left_bottom>
<y_left_bottom>120</y_left_bottom></robndbox></object>"""


def test_dior_and_hrrsd_become_box_paragraphs(tmp_path: Path) -> None:
    folder = tmp_path / "DIOR/Annotations/Horizontal Bounding Boxes"
    write(folder / "00001.xml", VOC % (THING % ("golffield", 80) + TURNED + THING % ("ship", "?")))
    write(folder / "00002.xml", VOC % "")
    write(folder / "00003.xml", "<annotation><size>")
    write(tmp_path / "DIOR/ImageSets/Main/train.txt", "00001\r\n00002\n")
    write(tmp_path / "DIOR/ImageSets/Main/val.txt", "00003\n00004\n")
    write_image(tmp_path / "DIOR/JPEGImages-trainval/00001.jpg")
    (sample,), rejects = read_entry("dior", tmp_path)
    assert sample.turns[0].response == (
        f"{BOX_ANNOUNCEMENT}\ngolffield: [0.100, 0.250, 0.250, 0.500]"
        "\nship: [0.100, 0.050, 0.300, 0.300]"
    )
    assert reasons(rejects) == ["no_objects", "bad_xml", "missing_annotation"]

    write(tmp_path / "HRRSD/OPT2017/Annotations/00001.xml", VOC % (THING % ("T junction", 0)))
    write(tmp_path / "HRRSD/OPT2017/ImageSets/Main/trainval.txt", "00001\n")
    write_image(tmp_path / "HRRSD/OPT2017/JPEGImages/00001.jpg")
    (sample,), _ = read_entry("hrrsd", tmp_path)
    assert [box.name for box in sample.boxes] == ["T junction"]


def test_without_its_size_in_the_xml_an_image_is_measured(tmp_path: Path) -> None:
    # The image is 8 pixels wide and high.
    thing = "<object><name>ship</name><bndbox><xmin>2</xmin><ymin>0</ymin><xmax>4</xmax>"
    text = f"<annotation>{thing}<ymax>8</ymax></bndbox></object></annotation>"
    write(tmp_path / "HRRSD/Annotations/00001.xml", text)
    write(tmp_path / "HRRSD/ImageSets/Main/trainval.txt", "00001\n")
    write_image(tmp_path / "HRRSD/JPEGImages/00001.jpg")
    (sample,), _ = read_entry("hrrsd", tmp_path)
    assert sample.turns[0].response == f"{BOX_ANNOUNCEMENT}\nship: [0.250, 0.000, 0.500, 1.000]"


def test_dota_boxes_enclose_the_quadrilaterals(tmp_path: Path) -> None:
    lines = (
        "imagesource:GoogleEarth\ngsd:null\n"
        "2 1 6 2.0 5 6 1 5 large-vehicle 0\n2 1 6 2 5 6 1 5 ship 1\n2 1 6 2 x 6 1 5 ship 1\n"
    )
    write(tmp_path / "DOTA/train/labelTxt/P0001.txt", lines)
    write(tmp_path / "DOTA/train/labelTxt/P0002.txt", "")
    write_image(tmp_path / "DOTA/train/images/P0001.png")
    (sample,), rejects = read_entry("dota", tmp_path)
    # The image is 8 pixels wide and high.
    assert sample.turns[0].response == (
        f"{BOX_ANNOUNCEMENT}\nlarge-vehicle: [0.125, 0.125, 0.750, 0.750]"
        "\nship: [0.125, 0.125, 0.750, 0.750]"
    )
    assert reasons(rejects) == ["no_objects"]


def test_levircc_has_a_before_and_an_after(tmp_path: Path) -> None:
    images = [
        karpathy("train_000001.png", "train", " a road is built .", " a road .", changeflag=1),
        karpathy("test_000001.png", "test", " there is no difference .", changeflag=0),
    ]
    root = tmp_path / "Levir-CC-dataset"
    write(root / "LevirCCcaptions.json", {"images": images})
    write_image(root / "images/train/A/train_000001.png", (1, 1, 1))
    write_image(root / "images/train/B/train_000001.png", (2, 2, 2))
    (sample,), rejects = read_entry("levir_cc", tmp_path)
    assert not rejects
    assert sample.turns[0].response == "a road is built.\na road."
    assert len(set(sample.images)) == 2
    assert sample.extra["changed"] == "1"


def test_image_editing_requests(tmp_path: Path) -> None:
    root = tmp_path / "image_editing_requests"
    record = {"img0": "a.jpg", "img1": "b.jpg", "sents": ["remove the man", " "], "uid": "Z_2"}
    write(
        root / "dataset/adobe/train.json",
        json.dumps([record, record | {"uid": "Z_3", "sents": []}]),
    )
    write_image(root / "images/a.jpg", (1, 1, 1))
    write_image(root / "images/b.jpg", (2, 2, 2))
    (sample,), rejects = read_entry("image_editing_requests", tmp_path)
    assert (sample.sample_id, len(sample.images)) == ("image_editing_requests/train/Z_2", 2)
    assert sample.turns[0].response == "remove the man"
    assert reasons(rejects) == ["empty_response"]
