"""Batches of conversations: padding, images in their places, loss on the responses alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.models.configs import ModelConfig
from polite_flamingo.models.flamingo import Flamingo
from polite_flamingo.models.tokenizer import special_ids
from polite_flamingo.training.conversations import (
    bucketed_batches,
    chat_example,
    packed_batches,
    rewriting_example,
)
from polite_flamingo.training.examples import (
    Example,
    FlamingoBatch,
    balanced_loss,
    collate,
    flamingo_loss,
    join,
)
from polite_flamingo.training.visual_tokens import VisualTokens

IMAGES = [f"image-{number}" for number in range(4)]
VISUAL = VisualTokens(
    IMAGES, np.random.default_rng(0).normal(size=(len(IMAGES), 16, 32)).astype(np.float32)
)

Learned = Callable[[FlamingoBatch], list[str]]


@pytest.fixture
def learned(micro_tokenizer: PreTrainedTokenizerBase) -> Learned:
    """Text that each row of a batch is trained to say."""

    def decode(batch: FlamingoBatch) -> list[str]:
        assert not (batch.loss_mask & ~batch.attention_mask).any(), "no loss on padding"
        rows = zip(batch.input_ids, batch.loss_mask, strict=True)
        return [micro_tokenizer.decode(ids[mask]) for ids, mask in rows]

    return decode


@pytest.fixture
def pad(micro_tokenizer: PreTrainedTokenizerBase) -> int:
    return special_ids(micro_tokenizer).pad


def chat(number: int, images: int = 1, turns: int = 1) -> Sample:
    said = [Turn(f"what is {number}-{turn}?", f"it is {number} of {turn}") for turn in range(turns)]
    return Sample(f"s/{number}", "s", "train", "vqa", tuple(IMAGES[:images]), tuple(said))


def responses(sample: Sample) -> str:
    return "".join(f" {turn.response}</s>" for turn in sample.turns)


# --- collate ---


def test_shorter_rows_are_padded_at_the_end(
    micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig, pad: int
) -> None:
    samples = [chat(0, turns=3), chat(1), chat(2, images=0)]
    examples = [chat_example(micro_tokenizer, micro_config, s, first=True) for s in samples]
    batch = collate(examples, VISUAL, pad)
    assert batch.input_ids.shape == (3, max(map(len, examples)))
    for row, example in enumerate(examples):
        length = len(example)
        assert batch.input_ids[row, :length].tolist() == example.text.input_ids.tolist()
        assert (batch.input_ids[row, length:] == pad).all()
        assert batch.attention_mask[row].tolist() == [
            place < length for place in range(batch.input_ids.shape[1])
        ]


def test_images_stand_in_order_and_missing_ones_are_zero(
    micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig, pad: int
) -> None:
    samples = [chat(0, images=2), chat(1, images=0), chat(2, images=1)]
    examples = [chat_example(micro_tokenizer, micro_config, s, first=True) for s in samples]
    examples[2] = Example(examples[2].text, (IMAGES[3],))
    tokens = collate(examples, VISUAL, pad).visual_tokens
    assert tokens is not None and tokens.shape == (3, 2, 16, 32)
    assert torch.equal(tokens[0, 0], VISUAL.of(IMAGES[0]))
    assert torch.equal(tokens[0, 1], VISUAL.of(IMAGES[1]))
    assert torch.equal(tokens[2, 0], VISUAL.of(IMAGES[3]))
    assert not tokens[1].any() and not tokens[2, 1].any()


def test_a_batch_of_text_has_no_visual_tokens(
    micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig, pad: int
) -> None:
    example = chat_example(micro_tokenizer, micro_config, chat(0, images=0), first=True)
    assert collate([example, example], VISUAL, pad).visual_tokens is None


def test_an_unknown_image_is_a_key_error(
    micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig, pad: int
) -> None:
    example = chat_example(micro_tokenizer, micro_config, chat(0), first=True)
    with pytest.raises(KeyError):
        collate([Example(example.text, ("unknown",))], VISUAL, pad)


# --- what is learned ---


def test_the_chat_model_learns_every_response(
    micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig, pad: int, learned: Learned
) -> None:
    samples = [chat(0, turns=3), chat(1, images=2), chat(2, images=0)]
    examples = [chat_example(micro_tokenizer, micro_config, s, first=True) for s in samples]
    assert learned(collate(examples, VISUAL, pad)) == [responses(s) for s in samples]


def test_the_rewriter_learns_the_response_and_not_its_draft(
    micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig, pad: int, learned: Learned
) -> None:
    pair = {
        "instruction": "what color is it?",
        "draft": "RED",
        "response": "It is red, thank you.",
        "images": [IMAGES[1]],
    }
    example = rewriting_example(micro_tokenizer, micro_config, pair)
    batch = collate([example], VISUAL, pad)
    assert learned(batch) == [" It is red, thank you.</s>"]
    assert example.images == (IMAGES[1],)
    text = micro_tokenizer.decode(batch.input_ids[0])
    assert "<image> what color is it?" in text and "RED" in text


def test_joined_examples_are_turns_of_one_conversation(
    micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig, pad: int, learned: Learned
) -> None:
    samples = [chat(0, images=1), chat(1, images=0), chat(2, images=2)]
    parts = [
        chat_example(micro_tokenizer, micro_config, sample, first=place == 0)
        for place, sample in enumerate(samples)
    ]
    whole = join(parts)
    assert len(whole) == sum(map(len, parts))
    assert whole.images == (IMAGES[0], IMAGES[0], IMAGES[1])
    batch = collate([whole], VISUAL, pad)
    assert learned(batch) == ["".join(map(responses, samples))]
    text = micro_tokenizer.decode(batch.input_ids[0])
    assert text.count("A polite assistant.") == text.count("<s>") == 1


# --- batches by step ---


def test_bucketed_batches_show_every_example_once_an_epoch(
    micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig, pad: int, learned: Learned
) -> None:
    samples = [chat(number, images=number % 3) for number in range(12)]
    examples = [chat_example(micro_tokenizer, micro_config, s, first=True) for s in samples]
    batch = bucketed_batches(examples, VISUAL, pad, 4, seed=1)
    for epoch in range(2):
        said = [text for step in range(3) for text in learned(batch(3 * epoch + step))]
        assert Counter(said) == Counter(map(responses, samples))
    again = bucketed_batches(examples, VISUAL, pad, 4, seed=1)
    assert torch.equal(again(5).input_ids, batch(5).input_ids)


@pytest.mark.parametrize("pack", [True, False])
def test_packed_batches_show_every_sample_once_an_epoch(
    micro_tokenizer: PreTrainedTokenizerBase,
    micro_config: ModelConfig,
    learned: Learned,
    pack: bool,
) -> None:
    samples = [chat(number, images=number % 2, turns=1 + number % 3) for number in range(14)]

    def batches(seed: int) -> Callable[[int], FlamingoBatch]:
        return packed_batches(micro_tokenizer, micro_config, samples, VISUAL, 1, 200, 2, seed, pack)

    batch = batches(seed=3)
    rows: list[str] = []
    while sum(row.count("</s>") for row in rows) < sum(len(s.turns) for s in samples):
        step = batch(len(rows))
        assert step.input_ids.shape[1] <= 200
        assert step.visual_tokens is None or step.visual_tokens.shape[1] <= 2
        rows += learned(step)
    said = [text for row in rows for text in row.split("</s>") if text]
    assert Counter(said) == Counter(f" {t.response}" for s in samples for t in s.turns)
    assert (len(rows) < len(samples)) == pack
    resumed = batches(seed=3)
    last = len(rows) - 1
    assert torch.equal(resumed(last).input_ids, batch(last).input_ids)


@pytest.mark.parametrize("misfit", [chat(1, turns=20), chat(2, images=3)])
def test_a_sample_that_fits_no_context_is_refused(
    micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig, misfit: Sample
) -> None:
    batch = packed_batches(
        micro_tokenizer, micro_config, [chat(0), misfit], VISUAL, 2, 100, 2, 0, pack=False
    )
    with pytest.raises(ValueError, match="sample 1"):
        batch(0)


# --- losses ---


def test_the_balanced_loss_weighs_a_sequence_by_the_root_of_its_length(
    micro_flamingo: Flamingo,
    micro_tokenizer: PreTrainedTokenizerBase,
    micro_config: ModelConfig,
    pad: int,
) -> None:
    turns = [Turn("what?", "red"), Turn("what?", "There are 3 large things, it is blue. " * 3)]
    examples = [
        chat_example(
            micro_tokenizer,
            micro_config,
            Sample("s/1", "s", "train", "vqa", (image,), (turn,)),
            first=True,
        )
        for turn, image in zip(turns, IMAGES, strict=False)
    ]
    with torch.no_grad():
        alone = [flamingo_loss(micro_flamingo, collate([one], VISUAL, pad)) for one in examples]
        both = collate(examples, VISUAL, pad)
        balanced, plain = (loss(micro_flamingo, both) for loss in (balanced_loss, flamingo_loss))
    counts = [int(one.text.loss_mask.sum()) for one in examples]
    by_root = sum(float(a) * n**0.5 for a, n in zip(alone, counts, strict=True)) / 2
    assert float(balanced) == pytest.approx(by_root, rel=1e-4)
    by_token = sum(float(a) * n for a, n in zip(alone, counts, strict=True)) / sum(counts)
    assert float(plain) == pytest.approx(by_token, rel=1e-4)
    assert abs(float(plain) - float(balanced)) > 1e-2
