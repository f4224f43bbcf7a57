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


def test_another_tower_or_other_images_are_computed_anew(
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
    more = store(tmp_path / "more", range(4))
    found = visual_tokens(tower, micro_config.vision, more, runs)
    assert set(found.rows) == set(more.ids())
    assert torch.equal(found.of(image_id), old)


def test_a_killed_computation_starts_again(
    tmp_path: Path, tower: nn.Module, micro_config: ModelConfig
) -> None:
    images = store(tmp_path / "images", range(3))
    whole = visual_tokens(tower, micro_config.vision, images, tmp_path / "runs")
    expected = {image_id: whole.of(image_id) for image_id in images.ids()}
    (tokens,) = (tmp_path / "runs").rglob("tokens.npy")
    # As a kill leaves it: the file at its full size, rows still empty, nothing marked as done.
    np.save(tokens, np.zeros_like(np.load(tokens)))
    (tokens.parent / "done.json").unlink()
    again = visual_tokens(tower, micro_config.vision, images, tmp_path / "runs")
    for image_id, value in expected.items():
        assert torch.equal(again.of(image_id), value)


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
