"""Patch tokens of a frozen image tower: computed once for a set of images, kept on disk."""

from __future__ import annotations

import hashlib
import inspect
import os
import shutil
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from polite_flamingo.core.journal import content_key, progress
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import atomic_file, read_json, write_json
from polite_flamingo.models.configs import VisionConfig
from polite_flamingo.models.vision import patch_tokens, preprocess

# Every batch has this size (the last one is filled up), so that an image's tokens do not depend
# on which images it is computed with.
_BATCH = 64
# Images of a file: what a kill can cost.
_PART = 1024
# Towers whose caches are kept.
_TOWERS = 3


class VisualTokens:
    """Look-up of patch tokens [N, D] by image id, memory-mapped."""

    def __init__(self, ids: Sequence[str], *parts: np.ndarray) -> None:
        """``parts`` hold the tokens of ``ids`` one behind the other, each [images, N, D]."""
        self.rows = {image_id: row for row, image_id in enumerate(ids)}
        self.parts = parts
        self.ends = list(accumulate(len(part) for part in parts))

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D) of one image."""
        return tuple(self.parts[0].shape[1:])

    def of(self, image_id: str) -> Tensor:
        """Tokens [N, D] float32 of an image; KeyError for an unknown id."""
        row = self.rows[image_id]
        part = bisect_right(self.ends, row)
        start = self.ends[part - 1] if part else 0
        return torch.from_numpy(np.array(self.parts[part][row - start]))

    def stack(self, images: Sequence[str]) -> Tensor | None:
        """Tokens [M, N, D] of a prompt's images, None for no image."""
        return torch.stack([self.of(image) for image in images]) if images else None


def visual_tokens(
    vision: nn.Module,
    config: VisionConfig,
    store: ImageStore,
    runs: Path,
    images: Iterable[str] | None = None,
) -> VisualTokens:
    """Tokens of the images of ``store`` (or of some of them) under a frozen tower.

    An image's tokens are kept in ``runs`` under its id (a hash of its content) and a hash of tower,
    vision config and the code that computes them: each is computed once, whatever else there is in
    the store. A killed computation goes on where it was.
    """
    wanted = sorted(set(store.ids() if images is None else images))
    folder = _folder(vision, config, runs)
    known = {image_id for path in _lists(folder) for image_id in read_json(path)}
    _compute(vision, config, store, [i for i in wanted if i not in known], folder)
    ids: list[str] = []
    parts: list[np.ndarray] = []
    for path in _lists(folder):
        ids += read_json(path)
        parts.append(np.load(path.with_suffix(".npy"), mmap_mode="r"))
    tokens = VisualTokens(ids, *parts)
    tokens.rows = {image_id: tokens.rows[image_id] for image_id in wanted}
    return tokens


def _folder(vision: nn.Module, config: VisionConfig, runs: Path) -> Path:
    """The cache of a tower; of all towers but the last few used, the caches are removed."""
    code = [Path(__file__), Path(inspect.getfile(preprocess))]
    settings: dict[str, object] = {"vision": asdict(config), "torch": torch.__version__}
    key = content_key(_tower_hash(vision), settings, *code)
    parent = runs / "visual_tokens"
    folder = parent / key
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    others = sorted(parent.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for old in others[:-_TOWERS]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _lists(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


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
    vision: nn.Module, config: VisionConfig, store: ImageStore, ids: Sequence[str], folder: Path
) -> None:
    starts = range(0, len(ids), _PART)
    for start in progress(starts, desc="visual tokens", unit=f"{_PART} images"):
        part = ids[start : start + _PART]
        name = hashlib.sha256("".join(part).encode()).hexdigest()[:16]
        array: np.memmap | None = None
        with atomic_file(folder / f"{name}.npy") as path:
            for at in range(0, len(part), _BATCH):
                batch = part[at : at + _BATCH]
                pixels = torch.stack([preprocess(store.open(one), config) for one in batch])
                tokens = compute_tokens(vision, pixels).numpy()
                if array is None:
                    shape = (len(part), *tokens.shape[1:])
                    array = np.lib.format.open_memmap(path, "w+", np.float32, shape)
                array[at : at + len(batch)] = tokens
            assert array is not None
            array.flush()
        # Last: a part counts once its list is there.
        write_json(folder / f"{name}.json", list(part))


def _tower_hash(vision: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(vision.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
