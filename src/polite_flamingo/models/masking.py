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
