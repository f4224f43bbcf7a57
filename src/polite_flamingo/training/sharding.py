"""Fully sharded training of a Flamingo (FSDP2): which modules are gathered as one.

Parameters, gradients and optimizer state are split over the devices; a unit's weights are gathered
only while it runs (Zhao et al. 2023, arXiv 2304.11277).
"""

from __future__ import annotations

import copy

import torch
from lightning.pytorch.strategies import ModelParallelStrategy
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.cross_attention import GatedCrossAttention
from polite_flamingo.models.flamingo import Flamingo
from polite_flamingo.models.lm import decoder_layers


def sharded_strategy(devices: int) -> ModelParallelStrategy:
    """Lightning's strategy for `shard`: all devices shard, checkpoints are whole single files."""
    return ModelParallelStrategy(
        data_parallel_size=devices, tensor_parallel_size=1, save_distributed_checkpoint=False
    )


def units(model: nn.Module) -> list[nn.Module]:
    """The modules that are gathered one at a time, in the order they run; the rest is one unit.

    Each decoder layer, perceiver and, of a cross-attention block, attention (its keys and values
    are made before the block runs) and the block's rest. Raises UserError for another model.
    """
    if not isinstance(model, Flamingo):
        raise UserError(
            f"strategy fsdp shards the Flamingo, not a {type(model).__name__}: use strategy auto"
        )
    found: list[nn.Module] = [model.perceiver]
    for block in model.cross_attention.values():
        assert isinstance(block, GatedCrossAttention)
        found += [block.attn, block]
    return [*found, *decoder_layers(model.lm)]


def shard(model: nn.Module, mesh: DeviceMesh) -> None:
    """Shard ``model`` over the mesh in place, one unit each of `units`."""
    for module in units(model):
        fully_shard(module, mesh=mesh)
    assert isinstance(model, Flamingo)
    for block in model.cross_attention.values():
        assert isinstance(block, GatedCrossAttention)
        register_fsdp_forward_method(block.attn, "keys_values")
    fully_shard(model, mesh=mesh)


def same_weights(model: nn.Module) -> nn.Module:
    """A copy of a model's modules around the same parameters and buffers: to be sharded.

    Sharding changes modules for good; the given model stays what it is.
    """
    tensors = [*model.parameters(), *model.buffers()]
    return copy.deepcopy(model, {id(tensor): tensor for tensor in tensors})


@torch.no_grad()
def gather_trained(sharded: nn.Module, model: nn.Module) -> None:
    """Copy what was trained of the sharded copy into ``model``; every process has to call it."""
    own = dict(model.named_parameters())
    for name, parameter in sharded.named_parameters():
        if parameter.requires_grad:
            whole: Tensor = parameter
            if isinstance(parameter, DTensor):
                whole = parameter.full_tensor()
            own[name].copy_(whole)
