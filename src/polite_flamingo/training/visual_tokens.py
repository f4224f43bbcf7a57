"""Patch tokens of a frozen image tower: computed once for a set of images, kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from polite_flamingo.core.journal import content_key, progress, work_dir
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import read_json, write_json
from polite_flamingo.models.configs import VisionConfig
from polite_flamingo.models.vision import patch_tokens, preprocess

# Every batch has this size (the last one is filled up), so that an image's tokens do not depend
# on which images it is computed with.
_BATCH = 64


class VisualTokens:
    """Look-up of patch tokens [N, D] by image id, memory-mapped."""

    def __init__(self, ids: Sequence[str], array: np.ndarray) -> None:
        self.rows = {image_id: row for row, image_id in enumerate(ids)}
        self.array = array

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D) of one image."""
        return tuple(self.array.shape[1:])

    def of(self, image_id: str) -> Tensor:
        """Tokens [N, D] float32 of an image; KeyError for an unknown id."""
        return torch.from_numpy(np.array(self.array[self.rows[image_id]]))

    def stack(self, images: Sequence[str]) -> Tensor | None:
        """Tokens [M, N, D] of a prompt's images, None for no image."""
        return torch.stack([self.of(image) for image in images]) if images else None


def visual_tokens(
    vision: nn.Module, config: VisionConfig, store: ImageStore, runs: Path
) -> VisualTokens:
    """Tokens of every image in ``store`` under a frozen tower; reused if ``runs`` has them."""
    ids = sorted(store.ids())
    names = hashlib.sha256("".join(ids).encode()).hexdigest()
    key = content_key(
        _tower_hash(vision), names, config.image_size, {"mean": config.mean, "std": config.std}
    )
    work = work_dir(runs, "visual_tokens", key)
    done = work / "done.json"
    path = work / "tokens.npy"
    if not done.is_file():
        _compute(vision, config, store, ids, path)
        write_json(done, {"images": len(ids)})
    if read_json(done)["images"] != len(ids):
        raise RuntimeError(f"{work} is damaged: remove it")
    return VisualTokens(ids, np.load(path, mmap_mode="r"))


def compute_tokens(vision: nn.Module, pixels: Tensor) -> Tensor:
    """Tokens [B, N, D] of preprocessed images [B, 3, H, W], in batches of one fixed size."""
    device = next(vision.parameters()).device
    parts = []
    vision.eval()
    with torch.inference_mode():
        for start in range(0, len(pixels), _BATCH):
            part = pixels[start : start + _BATCH]
            filled = torch.cat([part, part.new_zeros(_BATCH - len(part), *part.shape[1:])])
            parts.append(patch_tokens(vision, filled.to(device))[: len(part)].float().cpu())
    return torch.cat(parts)


def _compute(
    vision: nn.Module, config: VisionConfig, store: ImageStore, ids: Sequence[str], path: Path
) -> None:
    array: np.memmap | None = None
    starts = range(0, len(ids), _BATCH)
    for start in progress(starts, desc="visual tokens", unit="batch"):
        part = ids[start : start + _BATCH]
        pixels = torch.stack([preprocess(store.open(image_id), config) for image_id in part])
        tokens = compute_tokens(vision, pixels).numpy()
        if array is None:
            shape = (len(ids), *tokens.shape[1:])
            array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        array[start : start + len(part)] = tokens
    if array is not None:
        array.flush()


def _tower_hash(vision: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(vision.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
