"""ELEVATER's fifteen subsets in their native layouts, by their catalogue entries."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from source_layouts import entry, read, read_entry, reasons, write, write_image

VOC = "<annotation><size><width>9</width><height>9</height></size>%s</annotation>"
BOX = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox>"


def told(samples: list[Any]) -> list[str]:
    return [sample.turns[0].response for sample in samples]


def test_cifar(tmp_path: Path) -> None:
    pixels = np.arange(2 * 3072, dtype=np.uint32).reshape(2, 3072).astype(np.uint8)
    root = tmp_path / "cifar-10-batches-py"
    root.mkdir()
    meta = {"label_names": ["airplane", "automobile"], "num_vis": 3072}
    (root / "batches.meta").write_bytes(pickle.dumps(meta, protocol=2))
    batch = {"batch_label": "b", "labels": [1, 7], "data": pixels, "filenames": ["a", "b"]}
    for number in range(1, 6):
        (root / f"data_batch_{number}").write_bytes(pickle.dumps(batch, protocol=2))
    (root / "data_batch_5").write_bytes(b"\x80\x02broken")
    samples, rejects = read_entry("cifar10", tmp_path)
    assert told(samples) == ["a photo of a automobile."] * 4
    assert sorted(reasons(rejects)) == ["bad_structure", *["unknown_class"] * 4]
    # Planes of red, green and blue: the first pixel of each.
    root = tmp_path / "cifar-100-python"
    root.mkdir()
    names = {"fine_label_names": ["apple", "sea_lake"], "coarse_label_names": ["x"]}
    (root / "meta").write_bytes(pickle.dumps(names, protocol=2))
    fine = {"data": pixels, "fine_labels": [0, 1], "coarse_labels": [0, 0]}
    (root / "train").write_bytes(pickle.dumps(fine, protocol=2))
    samples, _ = read_entry("cifar100", tmp_path)
    assert [sample.answer for sample in samples] == ["apple", "sea lake"]


@pytest.mark.parametrize("zipped", [False, True])
def test_mnist(tmp_path: Path, zipped: bool) -> None:
    pixels = struct.pack(">IIII", 2051, 2, 28, 28) + bytes(2 * 784)
    labels = struct.pack(">II", 2049, 3) + bytes([7, 0, 1])
    root = tmp_path / "mnist"
    root.mkdir()
    for name, data in (("train-images-idx3-ubyte", pixels), ("train-labels-idx1-ubyte", labels)):
        path = root / (f"{name}.gz" if zipped else name)
        path.write_bytes(gzip.compress(data) if zipped else data)
    samples, rejects = read_entry("mnist", tmp_path)
    assert told(samples) == ["a handwritten digit seven.", "a handwritten digit zero."]
    assert reasons(rejects) == ["truncated"]


def test_fer2013_finds_its_columns_by_name(tmp_path: Path) -> None:
    good = " ".join(["7"] * 2304)
    lines = f"Usage,emotion,pixels\nTraining,3,{good}\nPrivateTest,3,{good}\nTraining,3,1 2\n"
    write(tmp_path / "fer2013/fer2013.csv", lines + f"Training,9,{good}\n")
    samples, rejects = read_entry("fer2013", tmp_path)
    assert told(samples) == ["a photo of a face that looks happy."]
    assert reasons(rejects) == ["bad_row", "unknown_class"]


def test_folders_of_classes_are_split_by_hash(tmp_path: Path) -> None:
    for number in range(20):
        write_image(tmp_path / f"eurosat/2750/SeaLake/SeaLake_{number}.jpg")
    train, _ = read_entry("eurosat", tmp_path)
    test, _ = read_entry("eurosat", tmp_path, "test")
    assert {s.turns[0].response for s in train} == {"a satellite photo of lake or sea."}
    names = [s.sample_id.rpartition("/")[2] for s in (*train, *test)]
    assert len(names) == len(set(names)) == 20
    assert test
    write_image(tmp_path / "caltech101/101_ObjectCategories/BACKGROUND_Google/image_0001.jpg")
    write_image(tmp_path / "caltech101/101_ObjectCategories/crocodile_head/image_0001.jpg")
    both = [s for split in ("train", "test") for s in read_entry("caltech101", tmp_path, split)[0]]
    assert told(both) == ["a photo of a crocodile head."]
    write_image(tmp_path / "resisc45/NWPU-RESISC45/golf_course/golf_course_001.jpg")
    both = [s for split in ("train", "test") for s in read_entry("resisc45", tmp_path, split)[0]]
    assert [s.answer for s in both] == ["golf course"]


def test_lists_of_paths_and_labels(tmp_path: Path) -> None:
    write(tmp_path / "food-101/meta/train.txt", "apple_pie/1005649\nbad\n")
    write_image(tmp_path / "food-101/images/apple_pie/1005649.jpg")
    samples, rejects = read_entry("food101", tmp_path)
    assert told(samples) == ["a photo of apple pie, a kind of food."]
    assert reasons(rejects) == ["bad_line"]
    write(tmp_path / "dtd/labels/train1.txt", "banded/banded_0002.jpg\n")
    write(tmp_path / "dtd/labels/val1.txt", "banded/banded_0003.jpg\n")
    for number in (2, 3):
        write_image(tmp_path / f"dtd/images/banded/banded_000{number}.jpg")
    samples, _ = read_entry("dtd", tmp_path)
    assert [s.sample_id for s in samples] == [
        "dtd/train/banded/banded_0002",
        "dtd/train/banded/banded_0003",
    ]
    root = tmp_path / "fgvc-aircraft-2013b/data"
    write(root / "images_variant_trainval.txt", "0034309 F/A-18 Hornet\r\n0034310\r\n")
    write_image(root / "images/0034309.jpg")
    samples, rejects = read_entry("fgvc_aircraft", tmp_path)
    assert [s.answer for s in samples] == ["F/A-18 Hornet"]
    assert reasons(rejects) == ["bad_line"]
    lines = "#Image CLASS-ID\nyorkshire_terrier_100 37 2 25\nx\n"
    write(tmp_path / "oxford_pets/annotations/trainval.txt", lines)
    write_image(tmp_path / "oxford_pets/images/yorkshire_terrier_100.jpg")
    samples, rejects = read_entry("oxford_pets", tmp_path)
    assert told(samples) == ["a photo of a yorkshire terrier, a breed of pet."]
    assert reasons(rejects) == ["bad_line"]


def test_gtsrb(tmp_path: Path) -> None:
    head = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\r\n"
    root = tmp_path / "GTSRB/Final_Training/Images/00014"
    write(root / "GT-00014.csv", head + "00000_00000.ppm;8;8;1;1;7;7;14\r\n0.ppm;8\r\n")
    Image.new("RGB", (8, 8)).save(root / "00000_00000.ppm")
    samples, rejects = read_entry("gtsrb", tmp_path)
    assert [s.answer for s in samples] == ["stop"]
    assert reasons(rejects) == ["bad_row"]
    write(tmp_path / "GTSRB/GT-final_test.csv", head + "00000.ppm;8;8;1;1;7;7;13\r\n")
    write_image(tmp_path / "GTSRB/Final_Test/Images/00000.ppm")
    samples, _ = read_entry("gtsrb", tmp_path, "test")
    assert [s.answer for s in samples] == ["give way"]


def test_flowers_and_cars(tmp_path: Path) -> None:
    root = tmp_path / "flowers102"
    root.mkdir()
    savemat(root / "imagelabels.mat", {"labels": np.array([[77, 1]])})
    ids = {"trnid": np.array([[1]]), "valid": np.array([[9]]), "tstid": np.array([[2]])}
    savemat(root / "setid.mat", ids)
    write_image(root / "jpg/image_00001.jpg")
    samples, rejects = read_entry("flowers102", tmp_path)
    assert told(samples) == ["a photo of a passion flower, a type of flower."]
    assert reasons(rejects) == ["bad_index"]
    root = tmp_path / "stanford_cars/devkit"
    root.mkdir(parents=True)
    names = np.array([["AM General Hummer SUV 2000", "Acura RL Sedan 2012"]], dtype=object)
    savemat(root / "cars_meta.mat", {"class_names": names})
    kinds = [("bbox_x1", object), ("class", object), ("fname", object)]
    rows = np.array([[(1, 2, "00001.jpg"), (1, 9, "00002.jpg")]], dtype=kinds)
    savemat(root / "cars_train_annos.mat", {"annotations": rows})
    write_image(tmp_path / "stanford_cars/cars_train/00001.jpg")
    samples, rejects = read_entry("stanford_cars", tmp_path)
    assert [s.answer for s in samples] == ["Acura RL Sedan 2012"]
    assert reasons(rejects) == ["no_answer"]
    (root / "cars_train_annos.mat").write_bytes(b"no matlab file")
    assert reasons(read_entry("stanford_cars", tmp_path)[1]) == ["bad_structure"]


def test_voc2007_names_every_class_of_the_image(tmp_path: Path) -> None:
    root = tmp_path / "VOCdevkit/VOC2007"
    things = "".join(f"<object><name>{name}</name>{BOX}</object>" for name in ("dog", "cat", "dog"))
    write(root / "Annotations/000005.xml", VOC % things)
    write(root / "ImageSets/Main/trainval.txt", "000005\n")
    write_image(root / "JPEGImages/000005.jpg")
    samples, _ = read_entry("voc2007", tmp_path)
    assert told(samples) == ["a photo that shows: dog and cat."]


@pytest.mark.parametrize(
    "knowledge",
    [
        {"Apple pie": ["", "A pie with apples."], "x": 1},
        [{"classname": "apple pie", "def_wiki": " ", "gpt3": ["A pie with apples."]}, None],
        "apple pie\tA pie with apples.\n",
    ],
)
def test_external_knowledge_follows_the_template(tmp_path: Path, knowledge: Any) -> None:
    write(tmp_path / "food-101/meta/train.txt", "apple_pie/1\n")
    write_image(tmp_path / "food-101/images/apple_pie/1.jpg")
    write(tmp_path / "food-101/knowledge.json", knowledge)
    (sample,), _ = read_entry("food101", tmp_path)
    assert sample.turns[0].response == "a photo of apple pie, a kind of food. A pie with apples."
    assert sample.answer == "apple pie"


@pytest.mark.parametrize("packed", [True, False])
def test_elevater_toolkit_layout(tmp_path: Path, packed: bool) -> None:
    source = entry(
        "elevater",
        {"index": "train.txt", "names": "labels.txt", "images": "."},
        task="classification",
        pool="classification",
        options={"template": "a photo of a {name}."},
    )
    root = tmp_path / "tiny"
    lines = "train.zip@a/x y.png 1,0\ntrain.zip@a/b.png 5\n"
    write(root / "train.txt", lines + ("train.zip@a/gone.png 0\n"))
    write(root / "labels.txt", "dog\ncat\n")
    image = io.BytesIO()
    Image.new("RGB", (8, 8)).save(image, format="PNG")
    if packed:
        with zipfile.ZipFile(root / "train.zip", "w") as archive:
            archive.writestr("a/x y.png", image.getvalue())
    else:
        write_image(root / "a/x y.png")
    samples, rejects = read(source, tmp_path)
    assert told(samples) == ["a photo of a cat and dog."]
    assert reasons(rejects) == ["unknown_class", "missing_image"]
