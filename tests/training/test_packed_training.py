"""Packed contexts: what is learned of them, and that blocks are as if each stood alone."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import PackAttention
from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.models.configs import MaskMode, ModelConfig
from polite_flamingo.models.flamingo import Flamingo, build_flamingo
from polite_flamingo.models.tokenizer import special_ids
from polite_flamingo.training.conversations import chat_example, packed_batches
from polite_flamingo.training.examples import Example, collate, flamingo_loss, join
from polite_flamingo.training.visual_tokens import VisualTokens

IMAGES = [f"image-{number}" for number in range(4)]
VISUAL = VisualTokens(
    IMAGES, np.random.default_rng(0).normal(size=(len(IMAGES), 16, 32)).astype(np.float32)
)
MODES: list[MaskMode] = ["immediate", "previous", "next", "group"]
ATTENTION: list[PackAttention] = ["full", "block_diagonal"]

# Any characters, and what a prompt is made of.
TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["</s>", "<image>", "<|endofchunk|>", "### Assistant:", "\n### Human:", "", " ", "a  b"]
    ),
)
TURNS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3)
CONVERSATIONS = st.lists(st.tuples(TURNS, st.integers(0, 2)), min_size=1, max_size=6)


@pytest.fixture(autouse=True)
def _single(one_thread: None) -> None:
    """Every test here runs on one thread."""


def chat(number: int, turns: list[tuple[str, str]], images: int) -> Sample:
    said = tuple(Turn(asked, answered) for asked, answered in turns)
    return Sample(f"s/{number}", "s", "train", "vqa", tuple(IMAGES[:images]), said)


@pytest.mark.parametrize("attention", ATTENTION)
@settings(max_examples=60)
@given(conversations=CONVERSATIONS, seed=st.integers(0, 9))
def test_the_unmasked_tokens_are_the_responses(
    micro_tokenizer: PreTrainedTokenizerBase,
    micro_config: ModelConfig,
    attention: PackAttention,
    conversations: list[tuple[list[tuple[str, str]], int]],
    seed: int,
) -> None:
    samples = [chat(number, *what) for number, what in enumerate(conversations)]
    batch = packed_batches(
        micro_tokenizer, micro_config, samples, VISUAL, 1, 2000, 3, seed, True, attention
    )
    eos = special_ids(micro_tokenizer).eos
    # Responses of each sample; an equal one may come from another sample.
    expected = Counter(tuple(turn.response for turn in sample.turns) for sample in samples)
    found: Counter[tuple[str, ...]] = Counter()
    step = 0
    while found.total() < expected.total():
        packed = batch(step)
        step += 1
        learned = packed.input_ids[0][packed.loss_mask[0]].tolist()
        assert learned[-1] == eos, "every response ends in EOS, and nothing stands after it"
        said: list[str] = []
        while learned:
            end = learned.index(eos)
            text = micro_tokenizer.decode(learned[:end], clean_up_tokenization_spaces=False)
            assert text.startswith(" ")
            said.append(text[1:])
            learned = learned[end + 1 :]
        while said:
            # Contexts hold whole samples: take the one these responses begin with.
            sizes = [n for n in (1, 2, 3) if expected[tuple(said[:n])] > found[tuple(said[:n])]]
            assert sizes, f"{said} is no sample's"
            found[tuple(said[: sizes[-1]])] += 1
            said = said[sizes[-1] :]
    assert found == expected


def decoder(family: str, vocabulary: int) -> PreTrainedModel:
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 256}
    others = {
        "opt": {"ffn_dim": 64, "word_embed_proj_dim": 32, "dropout": 0.0},
        "mpt": {"max_seq_len": 256, "expansion_ratio": 2},
        "gpt2": {"n_inner": 64},
        "qwen2": {"intermediate_size": 64, "num_key_value_heads": 1},
    }
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        family,
        vocab_size=vocabulary,
        hidden_size=32,
        **({"n_layers": 2, "n_heads": 2} if family == "mpt" else sizes),
        **others.get(family, {"intermediate_size": 64}),
    )
    return AutoModelForCausalLM.from_config(config)


def excited(model: Flamingo) -> Flamingo:
    """Open gates and large weights: inputs change outputs."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("_gate"):
                parameter.fill_(0.8)
            elif parameter.ndim == 2 and not name.startswith("vision."):
                parameter.mul_(2.0)
    return model.eval()


def three(tokenizer: PreTrainedTokenizerBase, config: ModelConfig) -> list[Example]:
    """Two images, none, one: the text after an image must not see it from another conversation."""
    samples = [
        chat(0, [("what is red?", "the square."), ("and blue?", "the small circle.")], 2),
        chat(1, [("say hello", "There are 3 large things.")], 0),
        chat(2, [("what is this?", "a green square.")], 1),
    ]
    examples = [chat_example(tokenizer, config, sample, first=True) for sample in samples]
    examples[2] = Example(examples[2].text, (IMAGES[3],))
    return examples


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("family", ["llama", "opt", "gpt_neox", "gpt2", "mpt", "qwen2"])
def test_blocks_give_the_logits_and_gradients_of_separate_rows(
    micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig, family: str, mode: MaskMode
) -> None:
    config = dataclasses.replace(micro_config, media_mask=mode)
    lm = decoder(family, len(micro_tokenizer)) if family != "llama" else None
    model = excited(build_flamingo(config, micro_tokenizer, lm=lm))
    examples = three(micro_tokenizer, config)
    pad = special_ids(micro_tokenizer).pad
    # A second, shorter row, so that the first meets padding too.
    rows = [join(examples, apart=True), join(examples[1:2], apart=True)]
    packed = collate(rows, VISUAL, pad)
    assert packed.blocks is not None and packed.visual_tokens is not None
    whole = model(packed.input_ids, visual_tokens=packed.visual_tokens, blocks=packed.blocks).logits
    start = 0
    for example in examples:
        row = collate([example], VISUAL, pad)
        alone = model(row.input_ids, visual_tokens=row.visual_tokens).logits[0]
        part = whole[0, start : start + len(example)]
        torch.testing.assert_close(part, alone, atol=1e-5, rtol=1e-5)
        start += len(example)
    torch.testing.assert_close(
        whole[1, : len(examples[1])],
        whole[0, len(examples[0]) : len(examples[0]) + len(examples[1])],
        atol=1e-5,
        rtol=1e-5,
    )
    gradients = []
    for batch in (collate(rows[:1], VISUAL, pad), collate(examples, VISUAL, pad)):
        model.zero_grad()
        flamingo_loss(model, batch).backward()
        gradients.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], atol=1e-5, rtol=1e-3, msg=name)


def test_full_attention_sees_the_earlier_turns(
    micro_flamingo: Flamingo, micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig
) -> None:
    examples = three(micro_tokenizer, micro_config)
    pad = special_ids(micro_tokenizer).pad
    logits = []
    for apart in (False, True):
        batch = collate([join(examples, apart)], VISUAL, pad)
        assert (batch.blocks is not None) == apart
        logits.append(
            micro_flamingo(
                batch.input_ids, visual_tokens=batch.visual_tokens, blocks=batch.blocks
            ).logits[0]
        )
    first = len(examples[0])
    torch.testing.assert_close(logits[0][:first], logits[1][:first], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(logits[0][first:], logits[1][first:], atol=1e-2)


def test_each_turn_sees_its_own_images_with_full_attention(
    micro_flamingo: Flamingo, micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig
) -> None:
    examples = three(micro_tokenizer, micro_config)
    batch = collate([join(examples)], VISUAL, special_ids(micro_tokenizer).pad)
    assert batch.visual_tokens is not None
    last = len(examples[0]) + len(examples[1])

    def logits(image: int) -> torch.Tensor:
        tokens = batch.visual_tokens.clone()  # type: ignore[union-attr]
        tokens[0, image] = tokens[0, image].flip(0, 1)
        with torch.no_grad():
            return micro_flamingo(batch.input_ids, visual_tokens=tokens).logits[0]

    with torch.no_grad():
        same = micro_flamingo(batch.input_ids, visual_tokens=batch.visual_tokens).logits[0]
    # The third conversation's image changes nothing before it, and changes what comes after.
    assert torch.equal(logits(2)[:last], same[:last])
    assert not torch.allclose(logits(2)[last:], same[last:], atol=1e-3)


def test_block_diagonal_batches_hold_whole_conversations(
    micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig
) -> None:
    samples = [chat(number, [(f"what is {number}?", "red")], number % 2) for number in range(12)]
    batch = packed_batches(
        micro_tokenizer, micro_config, samples, VISUAL, 2, 120, 3, 0, True, "block_diagonal"
    )(0)
    assert batch.blocks is not None
    assert batch.input_ids.shape[1] <= 120
    bos = special_ids(micro_tokenizer).bos
    for ids, blocks, attended in zip(
        batch.input_ids, batch.blocks, batch.attention_mask, strict=True
    ):
        assert ((blocks >= 0) == attended).all()
        count = int(blocks.max()) + 1
        assert count > 1 and int((ids == bos).sum()) == count
        text = micro_tokenizer.decode(ids[attended])
        assert text.count("A polite assistant.") == count


def test_a_window_shorter_than_the_row_is_refused(
    micro_tokenizer: PreTrainedTokenizerBase, micro_config: ModelConfig
) -> None:
    settings = AutoConfig.for_model(
        "mistral",
        vocab_size=len(micro_tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        sliding_window=8,
    )
    model = build_flamingo(
        micro_config, micro_tokenizer, lm=AutoModelForCausalLM.from_config(settings)
    )
    ids = torch.full((1, 20), 7)
    with pytest.raises(UserError, match="attends 8 tokens at most"):
        model(ids, blocks=torch.zeros_like(ids))
