"""Greedy generation: batched, cached, and equal to generating every prompt alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import Cache
from transformers.cache_utils import DynamicLayer

from polite_flamingo.models.flamingo import Flamingo, Media, positions
from polite_flamingo.models.masking import media_mask
from polite_flamingo.models.prompt import Encoded, pad

# Finished rows are taken out of a batch once they are this share of it.
_PRUNE_SHARE = 0.2


@dataclass(frozen=True)
class GenerateResult:
    """Generated tokens without EOS; ``stopped`` tells whether EOS was reached."""

    tokens: tuple[int, ...]
    stopped: bool


class _Preallocated(DynamicLayer):
    """A layer of transformers' cache with its final size reserved: no copy at every step."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.capacity = capacity
        self.stored = 0

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> Any:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            shape = (*key_states.shape[:2], self.capacity)
            self._keys = key_states.new_empty(*shape, key_states.shape[-1])
            self._values = value_states.new_empty(*shape, value_states.shape[-1])
        new = slice(self.stored, self.stored + key_states.shape[-2])
        self._keys[:, :, new] = key_states
        self._values[:, :, new] = value_states
        self.stored = new.stop
        return self._view()

    def batch_select_indices(self, indices: Tensor) -> None:
        self._keys, self._values = self._keys[indices], self._values[indices]
        self._view()

    def _view(self) -> tuple[Tensor, Tensor]:
        self.keys = self._keys[:, :, : self.stored]
        self.values = self._values[:, :, : self.stored]
        return self.keys, self.values


@torch.inference_mode()
def generate(
    model: Flamingo,
    prompts: Sequence[Encoded],
    visual_tokens: Sequence[Tensor | None],
    max_new_tokens: int,
    batch_size: int = 128,
    suppress: Sequence[int] | None = None,
) -> list[GenerateResult]:
    """Continue every prompt greedily until EOS or ``max_new_tokens``; results in input order.

    ``visual_tokens[i]`` [m_i, N, D] are the patch tokens of prompt i's images (None: no image);
    their cross-attention keys and values are computed once. New tokens attend what the prompt's
    last token attends. ``suppress`` lists tokens never generated (default: ``<image>``,
    ``<|endofchunk|>`` and ``<PAD>``). Prompts are batched by length; a result does not depend on
    its neighbours.
    """
    special = model.special
    if suppress is None:
        suppress = [special.image, special.endofchunk, special.pad]
    for prompt, tokens in zip(prompts, visual_tokens, strict=True):
        given = 0 if tokens is None else len(tokens)
        if given != prompt.image_count:
            raise ValueError(f"a prompt with {prompt.image_count} images was given {given}")
    order = sorted(range(len(prompts)), key=lambda index: (len(prompts[index]), index))
    results: dict[int, GenerateResult] = {}
    was_training = model.training
    model.eval()
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        batch = _generate_batch(
            model,
            [prompts[index] for index in chosen],
            [visual_tokens[index] for index in chosen],
            max_new_tokens,
            suppress,
        )
        results.update(zip(chosen, batch, strict=True))
    model.train(was_training)
    return [results[index] for index in range(len(prompts))]


def _generate_batch(
    model: Flamingo,
    prompts: Sequence[Encoded],
    visual_tokens: Sequence[Tensor | None],
    max_new_tokens: int,
    suppress: Sequence[int],
) -> list[GenerateResult]:
    special = model.special
    device = next(model.parameters()).device
    batch = pad(prompts, special.pad, left=True)
    ids = batch.input_ids.to(device)
    rows, length = ids.shape
    capacity = length + max_new_tokens
    attention = torch.ones(rows, capacity, dtype=torch.bool, device=device)
    attention[:, :length] = batch.attention_mask.to(device)
    position = positions(attention[:, :length])
    visible = media_mask(ids, special.image, model.config.media_mask, special.eos)
    media = _media(model, visual_tokens, visible, device)
    cache = Cache(
        layers=[_Preallocated(capacity) for _ in range(model.lm.config.num_hidden_layers)]
    )
    generated = torch.full((rows, max_new_tokens), special.eos, dtype=torch.int64, device=device)
    alive = torch.arange(rows, device=device)  # rows of the answer that the batch still holds
    running = torch.ones(rows, dtype=torch.bool, device=device)
    blocked = torch.tensor(list(suppress), dtype=torch.int64, device=device)
    for step in range(max_new_tokens):
        hidden = model.hidden_states(
            ids,
            attention[:, : length + step],
            media,
            visible,
            position,
            cache,
        )
        logits = model.head(hidden[:, -1])
        new = logits.index_fill_(-1, blocked, -torch.inf).argmax(-1)
        new = torch.where(running, new, special.eos)
        generated[alive, step] = new
        running = running & (new != special.eos)
        left = int(running.sum())
        if left == 0:
            break
        ids, position, visible = new[:, None], position[:, -1:] + 1, visible[:, -1:]
        if left <= (1 - _PRUNE_SHARE) * len(running):
            keep = running.nonzero(as_tuple=True)[0]
            cache.batch_select_indices(keep)
            media = media.select(keep) if media is not None else None
            ids, position, visible = ids[keep], position[keep], visible[keep]
            attention, alive, running = attention[keep], alive[keep], running[keep]
    results = []
    for row in generated.tolist():
        stopped = special.eos in row
        tokens = row[: row.index(special.eos)] if stopped else row
        results.append(GenerateResult(tuple(tokens), stopped))
    return results


def _media(
    model: Flamingo, visual_tokens: Sequence[Tensor | None], visible: Tensor, device: torch.device
) -> Media | None:
    """Keys and values of a batch's images, rows padded to the most images of a row."""
    given = [tokens for tokens in visual_tokens if tokens is not None and len(tokens)]
    if not given:
        return None
    padded = given[0].new_zeros(len(visual_tokens), visible.shape[-1], *given[0].shape[1:])
    for row, tokens in zip(padded, visual_tokens, strict=True):
        if tokens is not None:
            row[: len(tokens)] = tokens
    return model.encode_media(padded.to(device), visible.any(1))
