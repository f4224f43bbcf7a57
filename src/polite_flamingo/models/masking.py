"""Which images a text position may attend (OPENFLAMINGO, "Masking")."""

from __future__ import annotations

import torch
from torch import Tensor

from polite_flamingo.models.configs import MaskMode


def media_mask(
    input_ids: Tensor, image_token_id: int, mode: MaskMode, eos_token_id: int | None = None
) -> Tensor:
    """Mask [B, T, M] bool of the images each position attends; M = most images of a row.

    - ``immediate``: the latest image at or before the position (OpenFlamingo's default);
    - ``previous``: every image at or before the position;
    - ``next``: an ``<image>`` token attends its image, text the next image, text after the last
      image none (the Polite Flamingo release);
    - ``group``: the images at or before the position that belong to the latest turn with images.
      Images are of one turn when no EOS, which ends every response, stands between them.

    Rows with fewer images, and padding, see nothing of the images they lack.
    """
    is_image = input_ids == image_token_id
    time = is_image.cumsum(-1)  # images at or before a position
    count = int(time[:, -1].max()) if time.numel() else 0
    number = torch.arange(1, count + 1, device=input_ids.device)
    before = time[:, :, None] >= number
    if mode == "previous":
        return before
    if mode == "immediate":
        return time[:, :, None] == number
    if mode == "next":
        upcoming = torch.where(is_image, time, time + 1)
        return (upcoming[:, :, None] == number) & (number <= time[:, -1, None])[:, None]
    if eos_token_id is None:
        raise ValueError("the mask mode 'group' needs eos_token_id")
    # The turn of an image is the number of EOS tokens before it.
    turn = (input_ids == eos_token_id).cumsum(-1)
    image_turn = torch.full((input_ids.shape[0], count), -1, device=input_ids.device)
    rows, places = is_image.nonzero(as_tuple=True)
    image_turn[rows, time[rows, places] - 1] = turn[rows, places]
    latest = torch.where(is_image, turn, -1).cummax(-1).values
    return before & (image_turn[:, None] == latest[:, :, None])


def decoding_mask(
    input_ids: Tensor, image_token_id: int, mode: MaskMode, eos_token_id: int | None = None
) -> Tensor:
    """Mask [B, 1, M] bool of the images that text generated after ``input_ids`` attends.

    In the mode ``next`` that is none: there is no image to come.
    """
    text = input_ids.new_full((len(input_ids), 1), -1)
    longer = torch.cat([input_ids, text], dim=1)
    return media_mask(longer, image_token_id, mode, eos_token_id)[:, -1:]


def block_attention_mask(blocks: Tensor) -> Tensor:
    """Mask [B, 1, T, T] bool of causal attention within each block of ``blocks`` [B, T] int.

    Neighbours of one number are a block; padding is one too, so that no row attends nothing.
    """
    same = blocks[:, :, None] == blocks[:, None, :]
    return same.tril().unsqueeze(1)


def block_positions(blocks: Tensor) -> Tensor:
    """Position ids [B, T] that start at zero in every block of ``blocks`` [B, T]."""
    places = torch.arange(blocks.shape[1], device=blocks.device).expand_as(blocks)
    starts = torch.ones_like(blocks, dtype=torch.bool)
    starts[:, 1:] = blocks[:, 1:] != blocks[:, :-1]
    return places - torch.where(starts, places, 0).cummax(-1).values


def within_blocks(mask: Tensor, blocks: Tensor, is_image: Tensor) -> Tensor:
    """Narrow a media mask [B, T, M] to the images of each position's own block.

    ``is_image`` [B, T] bool tells where the image tokens are.
    """
    image_block = torch.full((len(mask), mask.shape[-1]), -2, device=mask.device)
    rows, places = is_image.nonzero(as_tuple=True)
    image_block[rows, is_image.cumsum(-1)[rows, places] - 1] = blocks[rows, places]
    return mask & (image_block[:, None, :] == blocks[:, :, None])
