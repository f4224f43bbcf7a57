"""The language model's key-value cache: transformers' cache with its final size reserved."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers import Cache
from transformers.cache_utils import DynamicLayer


class ReservedLayer(DynamicLayer):
    """One layer's keys and values [rows, heads, capacity, dim]: a step writes, and copies nothing.

    The prompts come first, through `PromptLayer`; they end at one column, so rows are padded on
    the left.
    """

    def __init__(self, rows: int, capacity: int) -> None:
        super().__init__()
        self.rows = rows
        self.capacity = capacity
        self.stored = 0

    def write_prompts(self, keys: Tensor, values: Tensor, first: int, end: int) -> None:
        """Store the prompts of some rows, from row ``first`` on, so that they end at ``end``."""
        if not self.is_initialized:
            self.lazy_initialization(keys, values)
            shape = (self.rows, keys.shape[1], self.capacity)
            self._keys = keys.new_empty(*shape, keys.shape[-1])
            self._values = values.new_empty(*shape, values.shape[-1])
        rows, start = slice(first, first + len(keys)), end - keys.shape[-2]
        for stored, new in ((self._keys, keys), (self._values, values)):
            # Attention multiplies what a mask hides by zero, and NaN times zero is NaN.
            stored[rows, :, :start] = 0
            stored[rows, :, start:end] = new
        self.stored = end
        self._view()

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> Any:
        new = slice(self.stored, self.stored + key_states.shape[-2])
        self._keys[:, :, new] = key_states
        self._values[:, :, new] = value_states
        self.stored = new.stop
        return self._view()

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep (or repeat) rows."""
        self._keys, self._values = self._keys[indices], self._values[indices]
        self._view()

    def _view(self) -> tuple[Tensor, Tensor]:
        self.keys = self._keys[:, :, : self.stored]
        self.values = self._values[:, :, : self.stored]
        return self.keys, self.values


class PromptLayer(DynamicLayer):
    """Takes the keys and values of some rows' prompts into their place in a `ReservedLayer`."""

    def __init__(self, target: ReservedLayer, first: int, end: int) -> None:
        super().__init__()
        self.target = target
        self.first = first
        self.end = end

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> Any:
        self.target.write_prompts(key_states, value_states, self.first, self.end)
        return key_states, value_states


def reserve(layers: int, rows: int, capacity: int) -> Cache:
    """An empty cache for ``rows`` of up to ``capacity`` tokens."""
    return Cache(layers=[ReservedLayer(rows, capacity) for _ in range(layers)])


def prompt_cache(cache: Cache, first: int, end: int) -> Cache:
    """The cache to compute prompts with, which go to ``cache`` from row ``first`` on."""
    layers: Any = cache.layers
    return Cache(layers=[PromptLayer(layer, first, end) for layer in layers])


def select_rows(cache: Cache, rows: Tensor) -> None:
    """Keep (or repeat) rows of a cache, in place."""
    cache.batch_select_indices(rows)
