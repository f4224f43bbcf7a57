"""The only place that writes the Flamingo prompt (METHOD section 3).

First turn:  [BOS] SYSTEM HUMAN <image>... instruction <|endofchunk|> ASSISTANT response EOS
Later turns: HUMAN <image>... instruction <|endofchunk|> ASSISTANT response EOS
Rewriter:    ... ASSISTANT DRAFT draft REVISED response EOS
Few-shot:    <image> text <|endofchunk|> <image> text ... (`encode_interleaved`)
Base pairs:  [BOS] <image>... given text ... <|endofchunk|> (as OpenFlamingo was aligned)
Plain text:  [BOS] text EOS
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.sample import Turn
from polite_flamingo.models.configs import PromptStyle
from polite_flamingo.models.tokenizer import IMAGE, encode_texts, special_ids


class Mark(Enum):
    """What stands between the texts of an interleaved prompt."""

    IMAGE = "image"
    END_OF_CHUNK = "end of chunk"
    EOS = "end of sequence"


@dataclass(frozen=True, eq=False)
class Encoded:
    """A prompt as tokens: ``input_ids`` [T] int64, ``loss_mask`` [T] bool, its number of images.

    ``loss_mask`` is True at the tokens to be predicted: responses and their EOS.
    """

    input_ids: np.ndarray
    loss_mask: np.ndarray
    image_count: int

    def __len__(self) -> int:
        return len(self.input_ids)


@dataclass(frozen=True, eq=False)
class PaddedBatch:
    """Encoded prompts of one length: ``input_ids`` int64 and two bool masks, each [B, T]."""

    input_ids: Tensor
    attention_mask: Tensor
    loss_mask: Tensor


def encode_turns(
    tokenizer: PreTrainedTokenizerBase,
    turns: Sequence[Turn],
    images_per_turn: Sequence[int],
    style: PromptStyle,
    draft: str | None = None,
    first: bool = True,
) -> Encoded:
    """Encode a conversation for training: loss on every response and its EOS, on nothing else.

    ``images_per_turn`` counts the images of each turn. ``draft`` is the drafted response of the
    last turn (the rewriter's input). ``first=False`` leaves out BOS and system sentence, so that
    the result can follow another conversation (`concatenate`).
    """
    return _encode(tokenizer, turns, images_per_turn, style, draft, first, answered=True)


def encode_prompt(
    tokenizer: PreTrainedTokenizerBase,
    turns: Sequence[Turn],
    images_per_turn: Sequence[int],
    style: PromptStyle,
    draft: str | None = None,
) -> Encoded:
    """Encode a conversation up to where the last turn's response is to be generated.

    The last turn's response is ignored: the result is exactly the beginning of `encode_turns`.
    """
    return _encode(tokenizer, turns, images_per_turn, style, draft, first=True, answered=False)


def encode_pair(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[tuple[str, str]],
    images: int,
    style: PromptStyle,
) -> Encoded:
    """Encode image-text pairs of a base model: ``images`` images, then (given, learned) texts.

    Loss on the learned texts (a caption, an answer) and on ``<|endofchunk|>``, not on what is
    given (a question); an empty given text is left out.
    """
    special = special_ids(tokenizer)
    ids = [special.bos] if style.bos and special.bos is not None else []
    ids += [special.image] * images
    predicted = [False] * len(ids)
    flat = [style.lead + text for pair in texts for text in pair]
    for place, tokens in enumerate(encode_texts(tokenizer, flat)):
        if place % 2 == 0 and not texts[place // 2][0]:
            continue
        ids += tokens
        predicted += [place % 2 == 1] * len(tokens)
    end = special.endofchunk if images else special.eos
    return Encoded(np.array([*ids, end], dtype=np.int64), np.array([*predicted, True]), images)


def _encode(
    tokenizer: PreTrainedTokenizerBase,
    turns: Sequence[Turn],
    images_per_turn: Sequence[int],
    style: PromptStyle,
    draft: str | None,
    first: bool,
    answered: bool,
) -> Encoded:
    if len(turns) != len(images_per_turn) or not turns:
        raise ValueError(f"{len(turns)} turns but {len(images_per_turn)} image counts")
    special = special_ids(tokenizer)
    fixed = _fixed_pieces(tokenizer, style)
    texts = [style.lead + text for turn in turns for text in (turn.instruction, turn.response)]
    texts.append(style.lead + (draft or ""))
    encoded = encode_texts(tokenizer, texts)
    ids: list[int] = []
    predicted: list[bool] = []

    def write(tokens: Sequence[int], loss: bool = False) -> None:
        ids.extend(tokens)
        predicted.extend([loss] * len(tokens))

    if first:
        if style.bos and special.bos is not None:
            write([special.bos])
        write(fixed["system"])
    for index, images in enumerate(images_per_turn):
        last = index == len(turns) - 1
        write(fixed["human"])
        if style.images == "before":
            write([special.image] * images)
        if style.images == "inline":
            write(_inline(tokenizer, turns[index].instruction, images, style))
        else:
            write(encoded[2 * index])
        if style.images == "after":
            write([special.image] * images)
        if images:
            write([special.endofchunk])
        write(fixed["assistant"])
        if last and draft is not None:
            write(fixed["draft"])
            write(encoded[-1])
            write(fixed["revised"])
        if answered or not last:
            write([*encoded[2 * index + 1], special.eos], loss=True)
    found = ids.count(special.image)
    if found != sum(images_per_turn):
        # Only a tokenizer that ignores split_special_tokens can do this.
        raise ValueError(f"{found} <image> tokens for {sum(images_per_turn)} images")
    return Encoded(np.array(ids, dtype=np.int64), np.array(predicted), found)


def _inline(
    tokenizer: PreTrainedTokenizerBase, instruction: str, images: int, style: PromptStyle
) -> list[int]:
    """An instruction with its images where it says ``<image>``."""
    texts = [text.strip() for text in instruction.split(IMAGE)]
    if len(texts) != images + 1:
        raise ValueError(f"an instruction with {len(texts) - 1} image places, but {images} images")
    image = special_ids(tokenizer).image
    ids: list[int] = []
    for place, tokens in enumerate(encode_texts(tokenizer, [style.lead + text for text in texts])):
        ids += ([image] if place else []) + (list(tokens) if texts[place] else [])
    return ids


def encode_interleaved(
    tokenizer: PreTrainedTokenizerBase, parts: Sequence[str | Mark], bos: bool = False
) -> Encoded:
    """Encode any order of texts, images and ends, as they are: few-shot prompts of a base model.

    OpenFlamingo's: ``[IMAGE, "Output: a cat", END_OF_CHUNK, IMAGE, "Output:"]``. Special tokens
    spelled in a text are characters. No loss anywhere.
    """
    special = special_ids(tokenizer)
    marks = {
        Mark.IMAGE: special.image,
        Mark.END_OF_CHUNK: special.endofchunk,
        Mark.EOS: special.eos,
    }
    encoded = iter(encode_texts(tokenizer, [part for part in parts if isinstance(part, str)]))
    ids = [special.bos] if bos and special.bos is not None else []
    for part in parts:
        ids += next(encoded) if isinstance(part, str) else [marks[part]]
    array = np.array(ids, dtype=np.int64)
    return Encoded(array, np.zeros(len(ids), dtype=bool), parts.count(Mark.IMAGE))


@lru_cache(maxsize=64)
def _fixed_pieces(tokenizer: PreTrainedTokenizerBase, style: PromptStyle) -> dict[str, list[int]]:
    names = ("system", "human", "assistant", "draft", "revised")
    pieces = encode_texts(tokenizer, [getattr(style, name) for name in names])
    return dict(zip(names, pieces, strict=True))


def concatenate(parts: Sequence[Encoded]) -> Encoded:
    """One sequence of several conversations (multi-turn augmentation): later ones ``first=False``.

    Images follow in the order of the parts.
    """
    return Encoded(
        np.concatenate([part.input_ids for part in parts]),
        np.concatenate([part.loss_mask for part in parts]),
        sum(part.image_count for part in parts),
    )


def pad(prompts: Sequence[Encoded], pad_id: int, left: bool = False) -> PaddedBatch:
    """Pad prompts to the longest: right for training, left for generation."""
    shape = (len(prompts), max(len(prompt) for prompt in prompts))
    ids = torch.full(shape, pad_id, dtype=torch.int64)
    attention = torch.zeros(shape, dtype=torch.bool)
    loss = torch.zeros(shape, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        place = slice(shape[1] - len(prompt), None) if left else slice(len(prompt))
        ids[row, place] = torch.from_numpy(prompt.input_ids)
        attention[row, place] = True
        loss[row, place] = torch.from_numpy(prompt.loss_mask)
    return PaddedBatch(ids, attention, loss)
