"""Tar shards: what goes in comes out in any order, and only once the writer has finished."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.images import CheckedImage, check_image, png_bytes
from polite_flamingo.core.shards import ImageStore, ShardWriter


def image(number: int) -> CheckedImage:
    from PIL import Image

    return check_image(png_bytes(Image.new("RGB", (4 + number, 3), (number, 0, 200))))


IMAGES = [image(number) for number in range(7)]


def write(folder: Path, images: list[CheckedImage], shard_size: int = 3) -> None:
    with ShardWriter(folder, shard_size) as writer:
        for item in images:
            writer.add(item.image_id, item.data, item.ext, item.width, item.height)


def test_images_are_read_in_any_order(tmp_path: Path) -> None:
    write(tmp_path, IMAGES)
    assert len(list(tmp_path.glob("shard-*.tar"))) == 3
    store = ImageStore(tmp_path)
    assert store.ids() == [item.image_id for item in IMAGES]
    for item in [*reversed(IMAGES), IMAGES[2], IMAGES[6]]:
        assert store.read(item.image_id) == item.data
    decoded = store.open(IMAGES[5].image_id)
    assert (decoded.size, decoded.mode) == ((9, 3), "RGB")
    assert decoded.getpixel((0, 0)) == (5, 0, 200)


@given(
    st.lists(st.binary(min_size=1, max_size=1500), unique=True, max_size=8),
    st.integers(1, 4),
    st.randoms(),
)
def test_bytes_of_every_length_come_back(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], size: int, order: object
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    with ShardWriter(folder, size) as writer:
        for number, data in enumerate(contents):
            writer.add(f"{number:064d}", data, "png", 1, 1)
    store = ImageStore(folder)
    assert len(store) == len(contents)
    places = list(range(len(contents)))
    order.shuffle(places)  # type: ignore[attr-defined]
    for place in places:
        assert store.read(f"{place:064d}") == contents[place]


def test_any_tar_reader_reads_the_shards(tmp_path: Path) -> None:
    write(tmp_path, IMAGES)
    found = {}
    for path in sorted(tmp_path.glob("shard-*.tar")):
        with tarfile.open(path) as shard:
            for member in shard.getmembers():
                content = shard.extractfile(member)
                assert content is not None
                found[member.name] = content.read()
    assert found == {f"{item.image_id}.png": item.data for item in IMAGES}


def test_an_image_added_twice_is_stored_once(tmp_path: Path) -> None:
    write(tmp_path, [*IMAGES[:2], *IMAGES[:2], IMAGES[2]])
    assert ImageStore(tmp_path).ids() == [item.image_id for item in IMAGES[:3]]
    assert len(list(tmp_path.glob("shard-*.tar"))) == 1


def test_equal_images_in_equal_order_give_equal_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        write(tmp_path / name, IMAGES)
        contents.append({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()})
    assert contents[0] == contents[1]


def test_an_unknown_id_is_a_key_error(tmp_path: Path) -> None:
    write(tmp_path, IMAGES[:1])
    store = ImageStore(tmp_path)
    assert IMAGES[0].image_id in store and IMAGES[1].image_id not in store
    with pytest.raises(KeyError):
        store.read(IMAGES[1].image_id)


def test_no_images_make_an_empty_store(tmp_path: Path) -> None:
    write(tmp_path, [])
    assert ImageStore(tmp_path).ids() == []


KILLED = """
import os, sys
from pathlib import Path
from polite_flamingo.core.shards import ShardWriter
with ShardWriter(Path(sys.argv[1]), 2) as writer:
    for number in range(5):
        writer.add(f"{number:064d}", b"x" * 700, "png", 1, 1)
    os._exit(9)
"""


def test_a_killed_write_is_not_visible(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 9
    assert list(tmp_path.glob("shard-*.tar"))
    with pytest.raises(UserError, match=r"index\.parquet is missing"):
        ImageStore(tmp_path)
    write(tmp_path, IMAGES)
    assert ImageStore(tmp_path).read(IMAGES[6].image_id) == IMAGES[6].data


def test_a_failed_write_is_not_visible(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), ShardWriter(tmp_path, 2) as writer:
        writer.add(IMAGES[0].image_id, IMAGES[0].data, "png", 1, 1)
        _ = 1 / 0
    with pytest.raises(UserError):
        ImageStore(tmp_path)
