from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.sample import Turn
from polite_flamingo.models.configs import ModelConfig
from polite_flamingo.models.prompt import (
    Encoded,
    Mark,
    concatenate,
    encode_interleaved,
    encode_pair,
    encode_prompt,
    encode_turns,
    pad,
)
from polite_flamingo.models.tokenizer import special_ids

TEXT = st.text(max_size=30) | st.just("<image></s>")
TURNS = st.lists(st.tuples(st.builds(Turn, TEXT, TEXT), st.integers(0, 3)), min_size=1, max_size=3)


def responses(tokenizer: PreTrainedTokenizerBase, encoded: Encoded) -> str:
    return tokenizer.decode(encoded.input_ids[encoded.loss_mask])


def test_the_prompt_as_written(tokenizer: PreTrainedTokenizerBase, config: ModelConfig) -> None:
    turns = [Turn("What differs?", "The circle."), Turn("Sure?", "Yes.")]
    encoded = encode_turns(tokenizer, turns, [2, 0], config.prompt, draft="yes")
    assert tokenizer.decode(encoded.input_ids) == (
        "<s>A polite assistant.\n### Human:<image><image> What differs?<|endofchunk|>"
        "\n### Assistant: The circle.</s>### Human: Sure?"
        "\n### Assistant: (Drafted Response) yes\n(Revised Response) Yes.</s>"
    )
    assert encoded.image_count == 2


@given(drawn=TURNS, draft=st.none() | TEXT)
def test_loss_mask_decodes_to_the_responses(
    tokenizer: PreTrainedTokenizerBase,
    config: ModelConfig,
    drawn: list[tuple[Turn, int]],
    draft: str | None,
) -> None:
    turns, images = [turn for turn, _ in drawn], [count for _, count in drawn]
    encoded = encode_turns(tokenizer, turns, images, config.prompt, draft)
    expected = "".join(f" {turn.response}</s>" for turn in turns)
    assert responses(tokenizer, encoded) == expected
    special = special_ids(tokenizer)
    assert (encoded.input_ids == special.image).sum() == sum(images) == encoded.image_count
    assert (encoded.input_ids == special.eos).sum() == len(turns)

    prompt = encode_prompt(tokenizer, turns, images, config.prompt, draft)
    assert np.array_equal(prompt.input_ids, encoded.input_ids[: len(prompt)])
    rest = tokenizer.decode(encoded.input_ids[len(prompt) :])
    assert rest == f" {turns[-1].response}</s>"


def test_later_conversations_carry_no_system_sentence(
    tokenizer: PreTrainedTokenizerBase, config: ModelConfig
) -> None:
    first = encode_turns(tokenizer, [Turn("A?", "a")], [1], config.prompt)
    later = encode_turns(tokenizer, [Turn("B?", "b")], [1], config.prompt, first=False)
    packed = concatenate([first, later])
    text = tokenizer.decode(packed.input_ids)
    assert text.count("<s>") == text.count(config.prompt.system) == 1
    assert packed.image_count == 2
    assert responses(tokenizer, packed) == " a</s> b</s>"


def test_images_may_stand_after_the_instruction(
    tokenizer: PreTrainedTokenizerBase, config: ModelConfig
) -> None:
    style = dataclasses.replace(config.prompt, images="after")
    prompt = encode_prompt(tokenizer, [Turn("What?", "")], [1], style)
    assert "What?<image><|endofchunk|>\n### Assistant:" in tokenizer.decode(prompt.input_ids)


def test_padding_sides(tokenizer: PreTrainedTokenizerBase, config: ModelConfig) -> None:
    long = encode_turns(tokenizer, [Turn("A long question?", "answer")], [0], config.prompt)
    short = encode_turns(tokenizer, [Turn("A?", "a")], [0], config.prompt)
    pad_id = special_ids(tokenizer).pad
    for left in (False, True):
        batch = pad([short, long], pad_id, left)
        assert batch.input_ids.shape == (2, len(long))
        kept = batch.input_ids[0][batch.attention_mask[0]]
        assert kept.tolist() == short.input_ids.tolist()
        assert batch.loss_mask[0].sum() == short.loss_mask.sum()
        assert bool(batch.attention_mask[0, -1]) is left
        assert (batch.input_ids[0][~batch.attention_mask[0]] == pad_id).all()


def test_image_counts_must_match_turns(
    tokenizer: PreTrainedTokenizerBase, config: ModelConfig
) -> None:
    with pytest.raises(ValueError, match="1 turns but 2"):
        encode_turns(tokenizer, [Turn("A?", "a")], [1, 0], config.prompt)


def test_pairs_learn_the_second_texts_and_the_end(
    tokenizer: PreTrainedTokenizerBase, config: ModelConfig
) -> None:
    texts = [("", "A red circle."), ("Color?", "red")]
    pair = encode_pair(tokenizer, texts, 1, config.prompt)
    whole = "<s><image> A red circle. Color? red<|endofchunk|>"
    assert tokenizer.decode(pair.input_ids) == whole
    assert responses(tokenizer, pair) == " A red circle. red<|endofchunk|>"
    assert pair.image_count == 1
    assert (
        encode_pair(tokenizer, texts, 0, config.prompt).input_ids[-1] == special_ids(tokenizer).eos
    )


def test_images_within_an_instruction(
    tokenizer: PreTrainedTokenizerBase, config: ModelConfig
) -> None:
    style = dataclasses.replace(config.prompt, images="inline")
    turn = Turn("compare <image> with <image>, please", "")
    ids = encode_prompt(tokenizer, [turn], [2], style).input_ids.tolist()
    special = special_ids(tokenizer)
    places = [place for place, token in enumerate(ids) if token == special.image]
    assert len(places) == 2 and places[1] > places[0] + 1
    assert tokenizer.decode(ids[places[0] + 1 : places[1]]).strip() == "with"
    assert ids.index(special.endofchunk) > places[1]
    with pytest.raises(ValueError, match="2 image places, but 1"):
        encode_prompt(tokenizer, [turn], [1], style)


def test_interleaved_few_shot_prompts(tokenizer: PreTrainedTokenizerBase) -> None:
    special = special_ids(tokenizer)
    parts = [Mark.IMAGE, "a <image> star", Mark.END_OF_CHUNK, Mark.IMAGE, "a"]
    found = encode_interleaved(tokenizer, parts)
    ids = found.input_ids.tolist()
    assert found.image_count == 2 == ids.count(special.image) and not found.loss_mask.any()
    assert ids[0] == special.image and ids.count(special.endofchunk) == 1
    assert tokenizer.decode(ids[1 : ids.index(special.endofchunk)]) == "a <image> star"
    assert encode_interleaved(tokenizer, parts, bos=True).input_ids.tolist() == [special.bos, *ids]
