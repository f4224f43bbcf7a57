from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import FitPlan
from polite_flamingo.judges import clipscore
from polite_flamingo.models.configs import load_config
from polite_flamingo.models.tokenizer import load_tokenizer
from polite_flamingo.training.fit import fit

COLORS = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (20, 160, 40), "black": (0, 0, 0)}


@pytest.fixture(scope="module")
def tower(tokenizer_folder: Path) -> clipscore.ClipTower:
    vision = load_config("micro").vision
    return clipscore.build(vision, load_tokenizer(tokenizer_folder), seed=3)


@pytest.fixture(scope="module")
def images(tower: clipscore.ClipTower) -> list[Image.Image]:
    return [Image.new("RGB", (tower.vision.image_size,) * 2, color) for color in COLORS.values()]


def test_training_matches_images_and_captions(
    tokenizer_folder: Path, images: list[Image.Image], tmp_path: Path
) -> None:
    tower = clipscore.build(load_config("micro").vision, load_tokenizer(tokenizer_folder), seed=3)
    captions = [f"The image is {name}." for name in COLORS]
    batch = {
        "pixels": clipscore.pixels(tower, images),
        "tokens": clipscore.tokens(tower, captions),
    }
    plan = FitPlan(steps=40, batch_size=4, learning_rate=3e-3, warmup=5)
    history = fit(tower, clipscore.loss, lambda step: batch, plan, tmp_path, 0)
    assert history["loss"][-1] < history["loss"][0] / 2
    clipscore.save(tower, tmp_path / "clip")
    again = clipscore.load(tmp_path / "clip")
    own = clipscore.clip_scores(again, images, captions)
    np.testing.assert_allclose(own, clipscore.clip_scores(tower, images, captions), atol=1e-3)
    wrong = clipscore.clip_scores(again, images, captions[1:] + captions[:1])
    assert (own > wrong).all()


def test_scores_are_100_cosines_and_seeded(
    tower: clipscore.ClipTower, images: list[Image.Image], tokenizer_folder: Path
) -> None:
    texts = ["a red star", "a blue star", "a red star", "green"]
    scores = clipscore.clip_scores(tower, images, texts)
    assert scores.shape == (4,) and (np.abs(scores) <= 100.0001).all()
    cosine = clipscore.embed_images(tower, images[:1]) @ clipscore.embed_texts(tower, texts[:1]).T
    assert scores[0] == pytest.approx(100 * cosine[0, 0], abs=1e-3)
    vision = load_config("micro").vision
    other = clipscore.build(vision, load_tokenizer(tokenizer_folder), seed=4)
    assert not np.allclose(scores, clipscore.clip_scores(other, images, texts))
    assert clipscore.clip_scores(tower, [], []).shape == (0,)


def test_a_paragraph_is_the_mean_of_its_sentences(
    tower: clipscore.ClipTower, images: list[Image.Image]
) -> None:
    texts = [["It is red. It is blue.", "A star!"], [], ["yes"]]
    found = clipscore.paragraph_scores(tower, images[:3], texts)
    assert [len(values) for values in found] == [2, 0, 1]
    two = clipscore.clip_scores(tower, [images[0]] * 2, ["It is red.", "It is blue."])
    assert found[0][0] == pytest.approx(float(two.mean()), abs=1e-3)


def test_at_most_ten_sentences_count() -> None:
    assert clipscore.sentences("One. Two! Three? four") == ["One.", "Two!", "Three?", "four"]
    assert clipscore.sentences("It is 3.5 wide.") == ["It is 3.5 wide."]
    assert len(clipscore.sentences("A star. " * 30)) == clipscore.MAX_SENTENCES
    assert clipscore.sentences(" ") == [" "]


def test_shifting_moves_pixels_and_repeats_the_border() -> None:
    pixels = torch.arange(2 * 3 * 4 * 4, dtype=torch.float32).reshape(2, 3, 4, 4)
    moved = clipscore.shifted(pixels, np.array([[1, 0], [0, -2]]))
    assert torch.equal(moved[0, :, 1:], pixels[0, :, :-1])
    assert torch.equal(moved[0, :, 0], pixels[0, :, 0])
    assert torch.equal(moved[1, :, :, :2], pixels[1, :, :, 2:])
    assert torch.equal(moved[1, :, :, 3], pixels[1, :, :, 3])
    assert torch.equal(clipscore.shifted(pixels, np.zeros((2, 2), dtype=int)), pixels)


def test_an_unknown_tower_is_said() -> None:
    with pytest.raises(UserError, match="NAME/PRETRAINED"):
        clipscore.load("NoSuchTower/nowhere")


def test_a_folder_that_is_not_there_is_never_taken_for_a_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no CLIP in .*/clipscore: run `dvc repro`"):
        clipscore.load(tmp_path / "clipscore")
