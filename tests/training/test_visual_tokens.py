"""Patch tokens of a frozen tower: each image's own, computed once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from polite_flamingo.core.images import check_image, png_bytes
from polite_flamingo.core.shards import ImageStore, ShardWriter
from polite_flamingo.models.configs import ModelConfig
from polite_flamingo.models.vision import build_vision, patch_tokens, preprocess
from polite_flamingo.training import visual_tokens as module
from polite_flamingo.training.visual_tokens import VisualTokens, compute_tokens, visual_tokens


@pytest.fixture(autouse=True)
def _single(one_thread: None) -> None:
    """Every test here runs on one thread."""


@pytest.fixture
def tower(micro_config: ModelConfig) -> nn.Module:
    return build_vision(micro_config.vision, seed=1).eval()


def store(folder: Path, numbers: range) -> ImageStore:
    """Noise pictures, one a number."""
    with ShardWriter(folder, 40) as writer:
        for number in numbers:
            pixels = np.random.default_rng(number).integers(0, 256, (20, 24, 3), dtype=np.uint8)
            image = check_image(png_bytes(Image.fromarray(pixels)))
            writer.add(image.image_id, image.data, image.ext, image.width, image.height)
    return ImageStore(folder)


def test_every_image_has_the_tokens_of_its_pixels(
    tmp_path: Path, tower: nn.Module, micro_config: ModelConfig
) -> None:
    images = store(tmp_path / "images", range(5))
    found = visual_tokens(tower, micro_config.vision, images, tmp_path / "runs")
    assert found.shape == (16, 32)
    for image_id in images.ids():
        pixels = preprocess(images.open(image_id), micro_config.vision)
        with torch.no_grad():
            expected = patch_tokens(tower, pixels[None])[0]
        assert torch.allclose(found.of(image_id), expected, atol=1e-5)
    first, second = images.ids()[:2]
    assert not torch.allclose(found.of(first), found.of(second), atol=1e-2)


def test_tokens_do_not_depend_on_which_other_images_are_computed(
    tmp_path: Path, tower: nn.Module, micro_config: ModelConfig
) -> None:
    # 70 images are more than a batch; three of them stand at other places of another one.
    many = store(tmp_path / "many", range(70))
    few = store(tmp_path / "few", range(30, 33))
    of_many = visual_tokens(tower, micro_config.vision, many, tmp_path / "runs-many")
    of_few = visual_tokens(tower, micro_config.vision, few, tmp_path / "runs-few")
    for image_id in few.ids():
        assert torch.equal(of_few.of(image_id), of_many.of(image_id))


@pytest.mark.parametrize("count", [1, 63, 64, 65])
def test_any_number_of_images_is_computed(tower: nn.Module, count: int) -> None:
    pixels = torch.randn(65, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(compute_tokens(tower, pixels[:count]), compute_tokens(tower, pixels)[:count])


def test_the_second_time_nothing_is_computed(
    tmp_path: Path, tower: nn.Module, micro_config: ModelConfig
) -> None:
    images = store(tmp_path / "images", range(3))
    first = visual_tokens(tower, micro_config.vision, images, tmp_path / "runs")
    for shard in (tmp_path / "images").glob("*.tar"):
        shard.unlink()
    reread = ImageStore(tmp_path / "images")
    again = visual_tokens(tower, micro_config.vision, reread, tmp_path / "runs")
    for image_id in images.ids():
        assert torch.equal(again.of(image_id), first.of(image_id))


def test_another_tower_is_computed_anew_and_new_images_alone(
    tmp_path: Path, tower: nn.Module, micro_config: ModelConfig
) -> None:
    images = store(tmp_path / "images", range(3))
    runs = tmp_path / "runs"
    (image_id, *_) = images.ids()
    old = visual_tokens(tower, micro_config.vision, images, runs).of(image_id)
    other = build_vision(micro_config.vision, seed=2).eval()
    assert not torch.equal(
        visual_tokens(other, micro_config.vision, images, runs).of(image_id), old
    )
    more = store(tmp_path / "more", range(1, 5))
    opened: list[str] = []

    class Watched(ImageStore):
        def open(self, image_id: str) -> Image.Image:
            opened.append(image_id)
            return super().open(image_id)

    watched = Watched(tmp_path / "more")
    found = visual_tokens(tower, micro_config.vision, watched, runs)
    assert set(found.rows) == set(more.ids())
    assert set(opened) == set(more.ids()) - set(images.ids()) and len(opened) == 2
    alone = visual_tokens(tower, micro_config.vision, more, tmp_path / "alone")
    for one in more.ids():
        assert torch.equal(found.of(one), alone.of(one))
    assert all(isinstance(part, np.memmap) for part in found.parts)
    # Only what is asked for is computed.
    few = visual_tokens(tower, micro_config.vision, images, tmp_path / "few", [image_id])
    assert set(few.rows) == {image_id} and torch.equal(few.of(image_id), old)


def test_caches_of_towers_long_unused_are_removed(
    tmp_path: Path, tower: nn.Module, micro_config: ModelConfig
) -> None:
    images = store(tmp_path / "images", range(1))
    for seed in range(5):
        other = build_vision(micro_config.vision, seed=seed).eval()
        visual_tokens(other, micro_config.vision, images, tmp_path / "runs")
    assert len(list((tmp_path / "runs/visual_tokens").iterdir())) == 3


def test_a_killed_computation_goes_on(
    tmp_path: Path, tower: nn.Module, micro_config: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH", 2)
    monkeypatch.setattr(module, "_PART", 2)
    images = store(tmp_path / "images", range(5))
    whole = visual_tokens(tower, micro_config.vision, images, tmp_path / "whole")
    runs = tmp_path / "runs"
    opened: list[str] = []

    class Killed(Exception):
        pass

    class Dying(ImageStore):
        dies_at = 4

        def open(self, image_id: str) -> Image.Image:
            opened.append(image_id)
            if len(opened) == self.dies_at:
                raise Killed
            return super().open(image_id)

    dying = Dying(tmp_path / "images")
    with pytest.raises(Killed):
        visual_tokens(tower, micro_config.vision, dying, runs)
    opened.clear()
    dying.dies_at = 0
    again = visual_tokens(tower, micro_config.vision, dying, runs)
    assert len(opened) == 3, "the first part's two images are not computed again"
    for image_id in images.ids():
        assert torch.equal(again.of(image_id), whole.of(image_id))


def test_tokens_are_looked_up_by_id() -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    tokens = VisualTokens(["a", "b"], array)
    assert torch.equal(tokens.of("b"), torch.from_numpy(array[1]))
    stacked = tokens.stack(["b", "a", "b"])
    assert stacked is not None and torch.equal(stacked, torch.from_numpy(array[[1, 0, 1]]))
    assert tokens.stack([]) is None
    with pytest.raises(KeyError):
        tokens.of("c")
    tokens.of("a").zero_()
    assert tokens.of("a").any(), "what is handed out is a copy"
