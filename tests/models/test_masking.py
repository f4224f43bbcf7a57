from __future__ import annotations

import pytest
import torch
from torch import Tensor

from polite_flamingo.models.configs import MaskMode
from polite_flamingo.models.masking import media_mask

# I image, E end of a response, t text.
SEQUENCE = "tItItEtIIt"


def ids(text: str) -> Tensor:
    return torch.tensor([["tIE".index(letter) for letter in text]])


def shown(mask: Tensor) -> list[str]:
    """One string per image: 1 where a position sees it."""
    return ["".join(str(int(value)) for value in column) for column in mask[0].T]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("immediate", ["0110000000", "0001111000", "0000000100", "0000000011"]),
        ("previous", ["0111111111", "0001111111", "0000000111", "0000000011"]),
        ("next", ["1100000000", "0011000000", "0000111100", "0000000010"]),
        ("group", ["0111111000", "0001111000", "0000000111", "0000000011"]),
    ],
)
def test_modes_by_hand(mode: MaskMode, expected: list[str]) -> None:
    assert shown(media_mask(ids(SEQUENCE), 1, mode, 2)) == expected


def test_rows_with_fewer_images_are_blind_for_the_missing_ones() -> None:
    batch = torch.cat([ids("tIIt"), ids("tIEt"), ids("tttt")])
    for mode in ("immediate", "previous", "next", "group"):
        mask = media_mask(batch, 1, mode, 2)
        assert mask.shape == (3, 4, 2)
        assert not mask[1, :, 1].any()
        assert not mask[2].any()


def test_left_padding_shifts_the_mask_and_nothing_else() -> None:
    for mode in ("immediate", "previous", "group"):
        plain = media_mask(ids(SEQUENCE), 1, mode, 2)
        padded = media_mask(ids("ttt" + SEQUENCE), 1, mode, 2)
        assert torch.equal(padded[:, 3:], plain)


def test_text_only_has_no_images() -> None:
    assert media_mask(ids("ttEt"), 1, "group", 2).shape == (1, 4, 0)
