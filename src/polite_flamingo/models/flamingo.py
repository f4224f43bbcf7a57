"""Flamingo: gated cross-attention hooked around the layers of a causal language model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Cache, PreTrainedModel, PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.seeds import derive
from polite_flamingo.models.configs import ModelConfig
from polite_flamingo.models.cross_attention import (
    GatedCrossAttention,
    KeysValues,
    Visibility,
    visibility,
)
from polite_flamingo.models.lm import build_lm, decoder_layers, whole_mask
from polite_flamingo.models.masking import block_attention_mask, block_positions, within_blocks
from polite_flamingo.models.masking import media_mask as make_media_mask
from polite_flamingo.models.perceiver import PerceiverResampler
from polite_flamingo.models.tokenizer import SpecialIds, special_ids
from polite_flamingo.models.vision import build_vision, patch_tokens, visual_width

PARTS = (
    "vision",
    "perceiver",
    "cross_attention",
    "cross_attention_attn",
    "lm",
    "embeddings",
    "lora",
)


@dataclass(frozen=True)
class Output:
    """``logits`` [B, T, V], or [K, V] at the K predicted tokens when a loss was asked for."""

    logits: Tensor
    loss: Tensor | None = None


@dataclass(frozen=True)
class Media:
    """Keys and values of a batch's images for every cross-attention block: computed once."""

    keys_values: dict[str, KeysValues]

    def select(self, rows: Tensor) -> Media:
        """Keep (or repeat) some rows of the batch."""
        return Media({name: (k[rows], v[rows]) for name, (k, v) in self.keys_values.items()})

    def part(self, rows: slice, images: int, latents: int) -> Media:
        """The first ``images`` images of neighbouring rows: views, no copies."""
        end = images * latents
        return Media(
            {
                name: (k[rows, :, :end], v[rows, :, :end])
                for name, (k, v) in self.keys_values.items()
            }
        )

    def attended(self, mask: Tensor, latents: int) -> tuple[Media | None, Visibility | None]:
        """Only the images that ``mask`` [B, M] bool shows, for tokens that all see those.

        Returns them with their `Visibility` [B, 1, ...]; (None, None) if nobody sees any.
        """
        most = int(mask.sum(1).max())
        if most == 0:
            return None, None
        media = self
        if most < mask.shape[1]:
            chosen = mask.int().argsort(dim=1, descending=True, stable=True)[:, :most]
            mask = mask.gather(1, chosen)
            rows = torch.arange(len(mask), device=mask.device)[:, None]

            def gathered(x: Tensor) -> Tensor:
                return x.unflatten(2, (-1, latents))[rows, :, chosen].transpose(1, 2).flatten(2, 3)

            media = Media({n: (gathered(k), gathered(v)) for n, (k, v) in self.keys_values.items()})
        if bool(mask.all()):
            return media, Visibility(None, None)
        return media, visibility(mask[:, None], latents)


Attended = tuple[Media | None, Visibility | None]


class Flamingo(nn.Module):
    """Image tower, perceiver resampler, gated cross-attention and a causal LM.

    The blocks stand in ``cross_attention`` (keyed by the LM layer they precede) and act through
    forward pre-hooks, so the LM keeps its own state-dict keys, and works on its own when called
    outside of this model.
    """

    def __init__(
        self,
        config: ModelConfig,
        lm: PreTrainedModel,
        vision: nn.Module,
        special: SpecialIds,
    ) -> None:
        super().__init__()
        self.config = config
        self.special = special
        self.vision = vision
        width = visual_width(vision)
        perceiver, cross = config.perceiver, config.cross_attention
        self.perceiver = PerceiverResampler(
            width,
            perceiver.latents,
            perceiver.depth,
            perceiver.heads,
            perceiver.dim_head,
            perceiver.ff_mult,
        )
        self.lm = lm
        hidden = int(lm.config.hidden_size)
        self.cross_attention = nn.ModuleDict()
        for index, layer in enumerate(decoder_layers(lm)):
            if (index + 1) % cross.every:
                continue
            name = str(index)
            self.cross_attention[name] = GatedCrossAttention(
                hidden, width, cross.heads, cross.dim_head, cross.ff_mult
            )
            layer.register_forward_pre_hook(partial(self._attend, name), with_kwargs=True)
        # What a forward attends; of two, the second is for single tokens that follow.
        self._current: tuple[Attended, ...] | None = None

    def _attend(
        self, name: str, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Pre-hook of an LM layer: pass its input through the gated block first."""
        if self._current is None:
            return args, kwargs
        hidden = args[0] if args else kwargs["hidden_states"]
        media, visible = self._current[-1 if hidden.shape[1] == 1 else 0]
        block = self.cross_attention[name]
        hidden = block(hidden, media.keys_values[name] if media else None, visible)
        if args:
            return (hidden, *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": hidden}

    @contextmanager
    def attending(self, prompt: Attended, new: Attended) -> Iterator[None]:
        """Let the language model, called on its own (``lm.generate``), see images.

        ``prompt`` for calls with several tokens, ``new`` for those with one.
        """
        self._current = (prompt, new)
        try:
            yield
        finally:
            self._current = None

    def train(self, mode: bool = True) -> Flamingo:
        """Like any module, but a frozen image tower stays in evaluation mode (batch norm)."""
        super().train(mode)
        if not any(parameter.requires_grad for parameter in self.vision.parameters()):
            self.vision.eval()
        return self

    def encode_images(self, images: Tensor) -> Tensor:
        """Images [B, 3, H, W] -> patch tokens [B, N, D] of the image tower."""
        return patch_tokens(self.vision, images)

    def encode_media(self, visual_tokens: Tensor, used: Tensor | None = None) -> Media:
        """Patch tokens [B, M, N, D] -> keys and values for every block.

        ``used`` [B, M] bool: images some text sees; the perceiver skips the others (padding).
        """
        batch, count = visual_tokens.shape[:2]
        flat = visual_tokens.flatten(0, 1)
        if used is None or bool(used.all()):
            latents = self.perceiver(flat)
        else:
            wanted = used.flatten().nonzero(as_tuple=True)[0]
            found = self.perceiver(flat[wanted])
            latents = found.new_zeros(flat.shape[0], *found.shape[1:])
            latents = latents.index_copy(0, wanted, found)
        latents = latents.unflatten(0, (batch, count))
        keys_values = {}
        for name, block in self.cross_attention.items():
            assert isinstance(block, GatedCrossAttention)
            keys_values[name] = block.attn.keys_values(latents)
        return Media(keys_values)

    def hidden_states(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None,
        media: Media | None,
        media_mask: Tensor | Visibility | None,
        position_ids: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        """Last hidden states [B, T, D] of the LM with its cross-attention.

        ``media_mask`` [B, T, M] for the T new tokens, or made ready; ``attention_mask``
        [B, past + T], or [B, 1, T, past + T] made ready where `takes_ready_masks`.
        """
        visible = None
        if isinstance(media_mask, Visibility):
            visible = media_mask
        elif media is not None and media_mask is not None:
            visible = visibility(media_mask, self.config.perceiver.latents)
        self._current = ((media, visible),)
        try:
            return self.lm.base_model(
                input_ids=input_ids,
                attention_mask=attention_mask,
                position_ids=position_ids,
                past_key_values=cache,
                use_cache=cache is not None,
            ).last_hidden_state
        finally:
            # With gradient checkpointing the layers run again in the backward pass.
            if not (self.training and self.lm.is_activation_checkpointing):
                self._current = None

    def head(self, hidden: Tensor) -> Tensor:
        """Hidden states [..., D] -> logits [..., V]."""
        return self.lm.get_output_embeddings()(hidden)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        visual_tokens: Tensor | None = None,
        media_mask: Tensor | None = None,
        loss_mask: Tensor | None = None,
        images: Tensor | None = None,
        position_ids: Tensor | None = None,
        blocks: Tensor | None = None,
    ) -> Output:
        """Logits, and the mean cross-entropy of the tokens in ``loss_mask``.

        ``input_ids`` [B, T] int64; ``attention_mask`` [B, T] (padding left or right);
        ``visual_tokens`` [B, M, N, D] from `encode_images`, or ``images`` [B, M, 3, H, W], with any
        values where a row has fewer images; ``media_mask`` [B, T, M] bool (default: the config's
        mode). ``loss_mask`` [B, T] bool marks tokens to predict; then the LM head runs on those
        positions only and ``logits`` is [K, V] in row order. Text-only batches pass no images.
        ``blocks`` [B, T] int: every run of one number is a conversation of its own that attends no
        other's text and images, as if it stood in a row of its own; padding has a number too, and
        ``attention_mask`` is not needed.
        """
        if images is not None:
            visual_tokens = self.encode_images(images.flatten(0, 1)).unflatten(0, images.shape[:2])
        media = None
        if visual_tokens is not None and visual_tokens.shape[1]:
            if media_mask is None:
                media_mask = make_media_mask(
                    input_ids, self.special.image, self.config.media_mask, self.special.eos
                )
            if blocks is not None:
                is_image = input_ids == self.special.image
                media_mask = within_blocks(media_mask, blocks, is_image)
            media_mask = _fit(media_mask, visual_tokens.shape[1])
            media = self.encode_media(visual_tokens, media_mask.any(1))
        elif bool((input_ids == self.special.image).any()):
            raise ValueError("input_ids have <image> tokens, but no images were given")
        if blocks is not None:
            attention_mask = whole_mask(self.lm, block_attention_mask(blocks))
            position_ids = block_positions(blocks)
        elif attention_mask is not None and _right_padded(attention_mask):
            # Causal attention never looks right: without a mask it is the same, and faster.
            attention_mask = None
        if attention_mask is not None and position_ids is None:
            position_ids = positions(attention_mask)
        hidden = self.hidden_states(input_ids, attention_mask, media, media_mask, position_ids)
        if loss_mask is None:
            return Output(self.head(hidden))
        target = loss_mask[:, 1:]
        logits = self.head(hidden[:, :-1][target])
        return Output(logits, functional.cross_entropy(logits.float(), input_ids[:, 1:][target]))


def _fit(media_mask: Tensor, count: int) -> Tensor:
    """Widen a mask to the number of images given; more ``<image>`` tokens than images is wrong."""
    missing = count - media_mask.shape[-1]
    if missing < 0:
        raise ValueError(f"{media_mask.shape[-1]} <image> tokens in a row, but {count} images")
    return functional.pad(media_mask, (0, missing)) if missing else media_mask


def positions(attention_mask: Tensor) -> Tensor:
    """Position ids [B, T] that count real tokens only, whichever side the padding is on."""
    return (attention_mask.long().cumsum(-1) - 1).clamp(min=0)


def _right_padded(attention_mask: Tensor) -> bool:
    mask = attention_mask.bool()
    return not bool((mask[:, 1:] & ~mask[:, :-1]).any())


def build_flamingo(
    config: ModelConfig,
    tokenizer: PreTrainedTokenizerBase,
    lm: PreTrainedModel | None = None,
    vision: nn.Module | None = None,
    seed: int = 0,
) -> Flamingo:
    """Put a Flamingo together; parts that are not given are built or found by the config.

    New weights (perceiver and cross-attention always) depend on ``seed`` only.
    """
    lm = lm if lm is not None else build_lm(config.lm, len(tokenizer), seed)
    vision = vision if vision is not None else build_vision(config.vision, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "connector"))
        return Flamingo(config, lm, vision, special_ids(tokenizer))


def part_parameters(model: Flamingo, part: str) -> dict[str, nn.Parameter]:
    """Parameters of one part of `PARTS`, by their name in the model.

    ``cross_attention_attn``: attention weights and their gates, without the FFN (METHOD section 6,
    stage 2). ``lm``: the language model with its embeddings, without LoRA. ``embeddings``: input
    and output embeddings.
    """
    named = dict(model.named_parameters())
    if part == "embeddings":
        tables = [model.lm.get_input_embeddings().weight, model.lm.get_output_embeddings().weight]
        return {n: p for n, p in named.items() if any(p is table for table in tables)}
    if part == "lora":
        return {n: p for n, p in named.items() if ".lora_" in n}
    if part == "lm":
        return {n: p for n, p in named.items() if n.startswith("lm.") and ".lora_" not in n}
    if part == "cross_attention_attn":
        return {
            n: p
            for n, p in named.items()
            if n.startswith("cross_attention.") and n.split(".")[2] in ("attn", "attn_gate")
        }
    if part in PARTS:
        return {n: p for n, p in named.items() if n.startswith(f"{part}.")}
    raise UserError(f"unknown model part {part!r}: use some of {', '.join(PARTS)}")


def set_trainable(model: Flamingo, parts: Sequence[str]) -> int:
    """Let exactly these parts have gradients; returns their number of parameters.

    Raises UserError for an unknown part, and for one the model does not have (``lora``).
    """
    chosen: dict[str, nn.Parameter] = {}
    for part in parts:
        found = part_parameters(model, part)
        if not found:
            raise UserError(f"the model has no part {part!r}: add it before training it")
        chosen |= found
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for parameter in chosen.values():
        parameter.requires_grad_(True)
    return sum(parameter.numel() for parameter in chosen.values())
