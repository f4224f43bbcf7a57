"""What one training step computes and keeps, counted on the meta device: no weights, no memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from polite_flamingo.models.flamingo import Flamingo
from polite_flamingo.models.vision import patch_tokens


@dataclass(frozen=True)
class Footprint:
    """One sequence's cost: ``flops`` of forward and backward, ``activations`` kept for backward
    (bytes), the part of them that the head and the loss keep, and the text's share in LM layers."""

    flops: float
    activations: int
    head: int


def count_step(model: Flamingo, length: int, images: int, backward: bool = True) -> Footprint:
    """Count forward and backward of one sequence of ``length`` tokens with ``images`` images.

    ``model`` is on the meta device with its trainable parts set, in the type it is trained in.
    Every token is predicted (an upper bound of the head's cost); patch tokens come from the cache
    (`training.visual_tokens`). Attention is counted as a fused kernel that keeps no score matrix,
    over the whole square as is usual. Without ``backward`` only the forward's flops are counted.
    """
    parameter = next(model.lm.parameters())
    ids = torch.zeros(1, length, dtype=torch.int64, device="meta")
    tokens = _visual_tokens(model, images, parameter.dtype)
    mask = torch.ones(1, length, images, dtype=torch.bool, device="meta") if images else None
    # Given whole, so that transformers asks nothing of positions that have no values here.
    causal = torch.ones(1, 1, length, length, dtype=torch.bool, device="meta")
    kept = _Kept(model)
    attention = _FusedAttention()
    with FlopCounterMode(display=False) as counter, attention:
        with torch.autograd.graph.saved_tensors_hooks(kept.pack, lambda tensor: tensor):
            media = model.encode_media(tokens) if tokens is not None else None
            hidden = model.hidden_states(ids, causal, media, mask)
            before = kept.bytes
            logits = model.head(hidden).float()
            loss = functional.cross_entropy(logits.flatten(0, 1), ids.flatten())
        if backward:
            loss.backward()
    model.zero_grad(set_to_none=True)
    flops = counter.get_total_flops() + attention.flops
    return Footprint(float(flops), kept.bytes, kept.bytes - before)


def _visual_tokens(model: Flamingo, images: int, dtype: torch.dtype) -> Tensor | None:
    if not images:
        return None
    side = model.config.vision.image_size
    with torch.no_grad():
        pixels = torch.empty(images, 3, side, side, device="meta", dtype=dtype)
        return patch_tokens(model.vision.eval(), pixels).unsqueeze(0).detach()


class _Kept:
    """Adds up what autograd keeps, every storage once, weights not at all."""

    def __init__(self, model: nn.Module) -> None:
        every = [*model.parameters(), *model.buffers()]
        self.seen = {tensor.untyped_storage()._cdata for tensor in every}
        self.alive: list[Tensor] = []  # a freed storage's address could be given out again
        self.bytes = 0

    def pack(self, tensor: Tensor) -> Tensor:
        place = tensor.untyped_storage()._cdata
        if place not in self.seen:
            self.seen.add(place)
            self.alive.append(tensor)
            self.bytes += tensor.untyped_storage().nbytes()
        return tensor


class _FusedAttention(TorchFunctionMode):
    """Stands in for scaled_dot_product_attention: counts its work, keeps what flash attention does."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0.0

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is not functional.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        named = dict(zip(("query", "key", "value"), args, strict=False)) | (kwargs or {})
        query, key, value = named["query"], named["key"], named["value"]
        forward = 4.0 * query.numel() * key.shape[-2]
        # Backward: five products instead of two.
        needed = torch.is_grad_enabled() and any(t.requires_grad for t in (query, key, value))
        self.flops += forward * (3.5 if needed else 1.0)
        return _Attention.apply(query, key, value)


class _Attention(torch.autograd.Function):
    """Shapes of an attention: output like the query, gradients like the inputs."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        out = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, out)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value, _ = ctx.saved_tensors
        return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)
