"""What read.py adds to every adapter: instructions, ids, image checks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from source_layouts import entry, read, reasons, write, write_image

from polite_flamingo.core.errors import UserError
from polite_flamingo.sources.catalogue import Phrasing
from polite_flamingo.sources.read import choose_phrasing, fill, read_source

VSR = entry("vsr", {"annotations": "t.jsonl", "images": "images"}, pool="verification")


def vsr(root: Path, *names: str) -> None:
    lines = [json.dumps({"image": n, "caption": f"<image> {n}", "label": 1}) for n in names]
    write(root / "tiny/t.jsonl", "\n".join(lines))
    write_image(root / "tiny/images/a.png")


@pytest.mark.parametrize(
    "name",
    ["../secret.png", "/etc/passwd", "x/../../secret.png", "..\\secret.png", "C:\\secret.png"],
)
def test_a_path_out_of_the_folder_is_rejected(tmp_path: Path, name: str) -> None:
    vsr(tmp_path, name, "a.png")
    write_image(tmp_path / "tiny/secret.png")
    samples, rejects = read(VSR, tmp_path)
    assert reasons(rejects) == ["path_escape"]
    assert len(samples) == 1


def test_missing_and_corrupt_images_are_rejected_with_their_record(tmp_path: Path) -> None:
    vsr(tmp_path, "a.png", "gone.png", "cut.png", "empty.png", "folder", "n" * 300, "a.jpg")
    good = (tmp_path / "tiny/images/a.png").read_bytes()
    (tmp_path / "tiny/images/cut.png").write_bytes(good[: len(good) // 2])
    (tmp_path / "tiny/images/empty.png").write_bytes(b"")
    (tmp_path / "tiny/images/folder").mkdir()
    samples, rejects = read(VSR, tmp_path)
    assert [sample.sample_id for sample in samples] == ["tiny/train/a-1", "tiny/train/a-7"]
    assert samples[0].images == samples[1].images
    assert [(r.sample_id, r.reason) for r in rejects[:4]] == [
        ("tiny/train/gone-2", "missing_image"),
        ("tiny/train/cut-3", "corrupt_image"),
        ("tiny/train/empty-4", "corrupt_image"),
        ("tiny/train/folder-5", "missing_image"),
    ]
    assert len(rejects) == 5


@pytest.mark.parametrize("place", range(4, 70, 3))
def test_a_flipped_byte_never_raises(tmp_path: Path, place: int) -> None:
    vsr(tmp_path, "a.png")
    path = tmp_path / "tiny/images/a.png"
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(bytes(data))
    samples, rejects = read(VSR, tmp_path)
    assert len(samples) + len(rejects) == 1
    assert reasons(rejects) in ([], ["corrupt_image"])


def test_special_tokens_never_reach_an_instruction(tmp_path: Path) -> None:
    vsr(tmp_path, "a.png")
    (sample,), _ = read(VSR, tmp_path)
    assert "<image>" not in sample.turns[0].instruction
    assert "[image] a.png" in sample.turns[0].instruction


def test_an_instruction_depends_on_seed_and_id_only(tmp_path: Path) -> None:
    vsr(tmp_path, *["a.png"] * 40)
    first = list(read_source(VSR, tmp_path, "train", seed=1))
    assert first == list(read_source(VSR, tmp_path, "train", seed=1))
    assert first != list(read_source(VSR, tmp_path, "train", seed=2))


def test_weights_are_shares() -> None:
    pool = (Phrasing(text="a", weight=9), Phrasing(text="b"))
    drawn = [choose_phrasing(pool, 0, str(number)) for number in range(1000)]
    assert 850 < drawn.count("a") < 950


def test_fields_are_filled_once() -> None:
    assert fill("{a} {b}", {"a": "{b}", "b": "{a}{x}"}) == "{b} {a}{x}"


def test_a_pool_that_asks_for_what_is_not_there_is_a_user_error(tmp_path: Path) -> None:
    vsr(tmp_path, "a.png")
    wrong = entry("vsr", {"annotations": "t.jsonl", "images": "images"}, pool="vqa")
    with pytest.raises(UserError, match="question"):
        read(wrong, tmp_path)


def test_an_unknown_split_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no split 'test'"):
        list(read_source(VSR, tmp_path, "test"))
