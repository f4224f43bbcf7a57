"""CLIPScore: does a text speak of its image? 100 x cosine (METHOD section 5, arXiv 2104.08718).

The tower is never the rewriter's: the judge has weights and scenes of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from PIL import Image
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.checkpoints import load_clip, save_clip
from polite_flamingo.models.configs import VisionConfig
from polite_flamingo.models.tokenizer import clip_texts, special_ids
from polite_flamingo.models.vision import build_clip, preprocess

# Sentences of a paragraph that count, as in the paper.
MAX_SENTENCES = 10
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+")
# Images decoded to pixels at once.
_IMAGE_BATCH = 128


class ClipTower(nn.Module):
    """An open_clip model with what it needs to read images and texts."""

    def __init__(
        self, clip: Any, vision: VisionConfig, tokenizer: PreTrainedTokenizerBase | Any
    ) -> None:
        super().__init__()
        self.clip = clip
        self.vision = vision
        self.tokenizer = tokenizer
        self.criterion = open_clip.ClipLoss()


def build(vision: VisionConfig, tokenizer: PreTrainedTokenizerBase, seed: int) -> ClipTower:
    """Make an untrained tower of a model config's ``vision`` part, weights from ``seed``."""
    special = special_ids(tokenizer)
    clip = build_clip(vision, len(tokenizer), special.eos, special.pad, seed)
    return ClipTower(clip.eval(), vision, tokenizer)


def load(source: Path | str) -> ClipTower:
    """Load a folder that :func:`save` wrote, or ``NAME/PRETRAINED`` of open_clip.

    The paper's is ``ViT-L-14-336/openai``. UserError where there is none. A ``Path`` is a folder.
    """
    if isinstance(source, Path) and not source.is_dir():
        raise UserError(f"no CLIP in {source}: run `dvc repro` to make it")
    if Path(source).is_dir():
        return ClipTower(*load_clip(Path(source)))
    name, _, pretrained = str(source).rpartition("/")
    try:
        clip = open_clip.create_model(name, pretrained=pretrained).eval()
        tokenizer = open_clip.get_tokenizer(name)
    except Exception as error:  # open_clip raises many kinds, all of them "not found"
        raise UserError(
            f"no CLIP in {source}: run the stage judges_clipscore (dvc repro), or name one of "
            "open_clip as NAME/PRETRAINED and allow downloads"
        ) from error
    facts = open_clip.get_model_preprocess_cfg(clip)
    size = facts["size"]
    vision = VisionConfig(
        source=name,
        pretrained=pretrained,
        image_size=size if isinstance(size, int) else size[0],
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
    )
    return ClipTower(clip, vision, tokenizer)


def save(model: ClipTower, folder: Path) -> None:
    """Write a tower that :func:`build` made, in open_clip's local format (safetensors)."""
    save_clip(model.clip, model.vision, model.tokenizer, folder)


def pixels(model: ClipTower, images: Sequence[Image.Image]) -> Tensor:
    """Preprocessed images: float32 [n, 3, size, size]."""
    return torch.stack([preprocess(image, model.vision) for image in images])


def tokens(model: ClipTower, texts: Sequence[str]) -> Tensor:
    """Token ids of texts, cut to the tower's context: int64 [n, context]."""
    if isinstance(model.tokenizer, PreTrainedTokenizerBase):
        return clip_texts(model.tokenizer, texts, int(model.clip.context_length))
    ids: Tensor = model.tokenizer(list(texts))
    return ids


def shifted(pixels: Tensor, offsets: np.ndarray) -> Tensor:
    """Shift each image by its offset [n, 2] in pixels (down, right); the border repeats."""
    reach = int(np.abs(offsets).max(initial=0))
    if reach == 0:
        return pixels
    height, width = pixels.shape[-2:]
    padded = nn.functional.pad(pixels, (reach,) * 4, mode="replicate")
    starts = (reach - offsets).tolist()
    return torch.stack(
        [
            image[:, top : top + height, left : left + width]
            for image, (top, left) in zip(padded, starts, strict=True)
        ]
    )


def loss(model: nn.Module, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """Contrastive loss of a batch ``pixels`` [n, 3, s, s], ``tokens`` [n, context], both ways."""
    images, texts, scale = model.clip(batch["pixels"], batch["tokens"])[:3]  # type: ignore[operator]
    # As in CLIP's own training, the temperature never falls below 1/100.
    value: Tensor = model.criterion(images, texts, scale.clamp(max=100.0))  # type: ignore[operator]
    matched = (images @ texts.T).argmax(-1) == torch.arange(len(images), device=images.device)
    return value, {"accuracy": matched.float().mean()}


@torch.inference_mode()
def embed_images(model: ClipTower, images: Sequence[Image.Image]) -> np.ndarray:
    """Unit vectors of images: [n, d] float32."""
    device = next(model.parameters()).device
    model.eval()
    parts = [
        model.clip.encode_image(
            pixels(model, images[at : at + _IMAGE_BATCH]).to(device), normalize=True
        )
        for at in range(0, len(images), _IMAGE_BATCH)
    ]
    return torch.cat(parts).float().cpu().numpy()


@torch.inference_mode()
def embed_texts(model: ClipTower, texts: Sequence[str], batch_size: int = 128) -> np.ndarray:
    """Unit vectors of texts: [n, d] float32. Every distinct text is encoded once."""
    device = next(model.parameters()).device
    model.eval()
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    distinct = list(places)
    parts = [
        model.clip.encode_text(
            tokens(model, distinct[at : at + batch_size]).to(device), normalize=True
        )
        for at in range(0, len(distinct), batch_size)
    ]
    return torch.cat(parts).float().cpu().numpy()[[places[text] for text in texts]]


def clip_scores(
    model: ClipTower, images: Sequence[Image.Image], texts: Sequence[str], batch_size: int = 128
) -> np.ndarray:
    """100 x cosine of each image with its text: [n] float32. The same image object is seen once."""
    if len(images) != len(texts):
        raise ValueError(f"{len(images)} images for {len(texts)} texts")
    if not texts:
        return np.zeros(0, dtype=np.float32)
    places = {key: place for place, key in enumerate(dict.fromkeys(id(image) for image in images))}
    by_key = {id(image): image for image in images}
    seen = embed_images(model, [by_key[key] for key in places])
    left = seen[[places[id(image)] for image in images]]
    return 100.0 * np.einsum("nd,nd->n", left, embed_texts(model, texts, batch_size))


def sentences(paragraph: str) -> list[str]:
    """The first sentences of a paragraph, at most :data:`MAX_SENTENCES`; never empty."""
    parts = [part for part in _SENTENCE_END.split(paragraph.strip()) if part]
    return parts[:MAX_SENTENCES] or [paragraph]


def paragraph_scores(
    model: ClipTower,
    images: Sequence[Image.Image],
    texts: Sequence[Sequence[str]],
    batch_size: int = 128,
) -> list[list[float]]:
    """One score a paragraph: the mean of its sentences' CLIPScores.

    ``texts[i]`` are the paragraphs about ``images[i]``.
    """
    if len(images) != len(texts):
        raise ValueError(f"{len(images)} images for {len(texts)} texts")
    split = [[sentences(paragraph) for paragraph in text] for text in texts]
    flat = [
        (image, sentence)
        for image, text in zip(images, split, strict=True)
        for paragraph in text
        for sentence in paragraph
    ]
    values = iter(
        clip_scores(model, [i for i, _ in flat], [s for _, s in flat], batch_size).tolist()
    )
    return [
        [float(np.mean([next(values) for _ in paragraph])) for paragraph in text] for text in split
    ]
