"""The training benchmark: every way learns the same tokens, and the ratio is split without a rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import training
from PIL import Image
from training import WAYS, Bench, batches, compare, summary, table
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.models.configs import ModelConfig
from polite_flamingo.models.flamingo import Flamingo, set_trainable
from polite_flamingo.models.vision import patch_tokens, preprocess
from polite_flamingo.training.conversations import chat_example
from polite_flamingo.training.visual_tokens import VisualTokens


class Pictures:
    """Six plain pictures by id."""

    def open(self, image_id: str) -> Image.Image:
        return Image.new("RGB", (20, 20), (40 * int(image_id), 100, 200))


@pytest.fixture
def bench(
    micro_flamingo: Flamingo,
    micro_tokenizer: PreTrainedTokenizerBase,
    micro_config: ModelConfig,
    one_thread: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Bench:
    monkeypatch.setattr(training, "PEAK_SIZES", (64,))
    set_trainable(micro_flamingo, ["perceiver", "cross_attention_attn"])
    samples = [
        Sample(
            f"s/{number}",
            "s",
            "train",
            "vqa",
            (str(number % 6),) if number % 3 else (),
            (Turn("what is it?", "red " * (1 + number % 5)),),
        )
        for number in range(12)
    ]
    ids = [str(number) for number in range(6)]
    pixels = torch.stack([preprocess(Pictures().open(one), micro_config.vision) for one in ids])
    with torch.no_grad():
        tokens = patch_tokens(micro_flamingo.vision, pixels)
    first = [chat_example(micro_tokenizer, micro_config, one, first=True) for one in samples]
    trained = [p for p in micro_flamingo.parameters() if p.requires_grad]
    return Bench(
        model=micro_flamingo.train(),
        optimizer=torch.optim.SGD(trained, lr=1e-4),
        first=first,
        later=[chat_example(micro_tokenizer, micro_config, one, first=False) for one in samples],
        store=Pictures(),  # type: ignore[arg-type]
        cached=VisualTokens(ids, tokens.numpy()),
        pad=micro_flamingo.special.pad,
        batch_size=4,
        learned=sum(int(example.text.loss_mask.sum()) for example in first),
    )


def test_every_way_learns_the_same_and_the_ratio_is_split(bench: Bench) -> None:
    seconds, highest = compare(bench, rounds=1)
    assert highest > 0
    found = summary(bench, seconds, highest)
    assert set(found["ways"]) == set(WAYS)
    product = found["ratio_from_cached_tokens"] * found["ratio_from_packing"]
    assert product == pytest.approx(found["ratio"], rel=0.1)
    assert found["ways"]["packed, cached"]["padding"] < 0.5
    assert found["share_of_peak"] > 0 and "of processor time" in table("micro", found)


def test_the_tower_in_the_loop_learns_from_the_same_tokens(bench: Bench) -> None:
    for cached, tower in (("padded, cached", "padded, tower"), ("packed, cached", "packed, tower")):
        (examples, *_), (same, *_) = batches(bench, cached), batches(bench, tower)
        assert [e.images for e in examples] == [e.images for e in same]
        batch, none = training._batch(bench, examples, tower=False)
        _, images = training._batch(bench, same, tower=True)
        assert none is None and images is not None and batch.visual_tokens is not None
        with torch.no_grad():
            again = bench.model.encode_images(images.flatten(0, 1)).unflatten(0, images.shape[:2])
        for row, example in enumerate(examples):
            count = len(example.images)
            assert torch.allclose(again[row, :count], batch.visual_tokens[row, :count], atol=1e-4)
    assert np.isclose(training.padding(bench, "padded, cached"), training.padding(bench, WAYS[0]))


def test_another_count_of_tokens_is_an_error(bench: Bench) -> None:
    bench.learned += 1
    with pytest.raises(RuntimeError, match="learned"):
        training.run(bench, WAYS[0])


def test_an_empty_workspace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="dvc repro filter"):
        training.prepare("nano", tmp_path, 4, 2, tmp_path)
