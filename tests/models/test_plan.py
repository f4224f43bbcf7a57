"""`pf plan`: figures of the shipped profiles, against the paper's and against real training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml

from polite_flamingo.core.params import Params, check_params
from polite_flamingo.core.profiles import profile_text
from polite_flamingo.models.factory import create_geometry
from polite_flamingo.models.flamingo import set_trainable
from polite_flamingo.models.footprint import count_step
from polite_flamingo.models.plan import Hardware, Plan, make_plan, render

PROFILES = Path(__file__).parents[2] / "profiles"


def params(name: str) -> Params:
    return check_params(yaml.safe_load(profile_text(PROFILES, name)), name)


@pytest.fixture(scope="module")
def nano() -> Plan:
    return make_plan(params("nano"), Hardware())


def test_nano_adds_up(nano: Plan) -> None:
    assert 1.5e6 < sum(nano.parameters.values()) < 3.5e6
    assert [stage.name for stage in nano.stages] == [
        "train_rewriter",
        "tune stage1",
        "tune stage2",
        "tune stage3",
    ]
    # Rank 32 on q, k, v, o (128 x 128) and gate, up, down (128 x 352) of four layers; embeddings.
    lora = 4 * 32 * (4 * 256 + 3 * 480)
    assert nano.stages[0].trainable == lora + 1536 * 128
    assert nano.stages[1].trainable == lora // 2
    assert "2.306 M" in render(nano)


def test_openflamingo_9b_has_the_papers_parameters() -> None:
    # A rank-64 LoRA on all linears of LLaMA-7B, computed by hand; no count of operations needed.
    model = create_geometry("openflamingo-9b")
    from polite_flamingo.models.checkpoints import add_lora

    add_lora(model, 64, 16)
    lora = set_trainable(model, ["lora"])
    assert lora == 32 * 64 * (4 * 2 * 4096 + 3 * (4096 + 11008)) == 159_907_840
    embeddings = model.lm.get_input_embeddings().weight.numel()
    assert round((lora + embeddings) / 1e9, 3) == 0.291
    assert round(set_trainable(model, ["perceiver", "cross_attention_attn"]) / 1e9, 3) == 0.105
    assert all(parameter.is_meta for parameter in model.parameters())


def test_smollm2_has_135_million() -> None:
    model = create_geometry("smollm2")
    assert sum(p.numel() for p in model.lm.parameters()) == 134_515_008 + 3 * 576


def test_kept_activations_are_those_of_a_real_step() -> None:
    real = create_geometry("micro", device="cpu").train()
    meta = create_geometry("micro").train()
    parts = ["perceiver", "cross_attention", "lm"]
    for model in (real, meta):
        set_trainable(model, parts)
    counted = count_step(meta, 32, 2)
    kept: dict[int, int] = {}
    weights = {p.untyped_storage().data_ptr() for p in real.parameters()}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.zeros(1, 32, dtype=torch.int64)
    tokens = real.encode_images(torch.zeros(2, 3, 32, 32)).unsqueeze(0).detach()
    mask = torch.ones(1, 32, 2, dtype=torch.bool)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        hidden = real.hidden_states(ids, None, real.encode_media(tokens), mask)
        logits = real.head(hidden).float()
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten())
    assert loss.requires_grad
    # Attention on a CPU keeps a little more than a fused kernel's inputs and output.
    assert counted.activations == pytest.approx(sum(kept.values()), rel=0.15)


def test_operations_are_six_a_parameter_and_token_where_all_is_trained() -> None:
    model = create_geometry("nano").train()
    set_trainable(model, ["lm"])
    length = 64
    counted = count_step(model, length, 0)
    lm = sum(p.numel() for p in model.lm.parameters())
    ffn = sum(p.numel() for n, p in model.cross_attention.named_parameters() if ".ff." in n)
    # The FFN of a gated block is computed without an image too: 2 forward, 2 backward, frozen.
    assert counted.flops == pytest.approx(length * (6 * lm + 4 * ffn), rel=0.1)


def test_measured_throughput_and_less_memory(tmp_path: Path, nano: Plan) -> None:
    row = {"model": "nano", "stage": "training", "tokens_per_second": 1000.0, "device": "2 cores"}
    (tmp_path / "training.json").write_text(json.dumps({"throughput": [row]}))
    (tmp_path / "list.json").write_text("[]")
    other = make_plan(params("nano"), Hardware(memory=0.5), tmp_path)
    # What was measured stands before what is assumed.
    assert other.stages[1].hours == pytest.approx(40 * 16 * 256 / 1000 / 3600)
    assert other.stages[1].measured.startswith("training.json")
    assert nano.stages[1].measured == ""
    for less, more in zip(other.stages, nano.stages, strict=True):
        assert less.max_batch[0] < more.max_batch[0]
        assert less.max_batch[0] < less.max_batch[1]
