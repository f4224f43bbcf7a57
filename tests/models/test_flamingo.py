from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional
from transformers import (
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.configs import ModelConfig
from polite_flamingo.models.cross_attention import GatedCrossAttention, visibility
from polite_flamingo.models.flamingo import (
    PARTS,
    Flamingo,
    build_flamingo,
    part_parameters,
    set_trainable,
)
from polite_flamingo.models.lm import build_lm

Batch = Callable[[Flamingo], tuple[torch.Tensor, torch.Tensor]]


def test_language_model_keeps_its_keys(config: ModelConfig, model: Flamingo) -> None:
    alone = build_lm(config.lm, model.lm.config.vocab_size)
    assert set(model.lm.state_dict()) == set(alone.state_dict())


def test_closed_gates_are_the_language_model_alone(closed: Flamingo, batch: Batch) -> None:
    ids, tokens = batch(closed)
    alone = closed.lm(input_ids=ids).logits
    assert torch.equal(closed(ids, visual_tokens=tokens).logits, alone)


def test_open_gates_change_what_sees_an_image_only(model: Flamingo, batch: Batch) -> None:
    ids, tokens = batch(model)
    before = model(ids, visual_tokens=tokens).logits
    after = model(ids, visual_tokens=tokens + 1.0 * torch.randn_like(tokens)).logits
    changed = (before != after).any(-1)
    assert not changed[0, :2].any() and changed[0, 2:].all()
    assert not changed[1, :6].any() and changed[1, 6:].all()
    assert not changed[2].any()


def test_a_blind_row_gets_exactly_zero_attention() -> None:
    block = GatedCrossAttention(8, 6, heads=2, dim_head=4, ff_mult=2)
    torch.nn.init.ones_(block.attn_gate)
    x = torch.randn(2, 3, 8)
    mask = torch.tensor([[[False], [True], [False]], [[False], [False], [False]]])
    keys_values = block.attn.keys_values(torch.randn(2, 1, 5, 6))
    out = block.attn(x, keys_values, visibility(mask, 5))
    assert (out[~mask[..., 0]] == 0).all()
    assert (out[mask[..., 0]] != 0).all()
    out.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in block.attn.parameters() if p.grad is not None)


def test_cross_attention_equals_its_formula() -> None:
    block = GatedCrossAttention(8, 6, heads=2, dim_head=4, ff_mult=2)
    with torch.no_grad():
        block.attn_gate.fill_(0.3)
        block.ff_gate.fill_(-0.7)
    x, media = torch.randn(1, 3, 8), torch.randn(1, 2, 5, 6)
    mask = torch.tensor([[[True, False], [True, True], [False, True]]])
    got = block(x, block.attn.keys_values(media), visibility(mask, 5))

    attn = block.attn
    query = attn.to_q(attn.norm(x))[0].view(3, 2, 4)
    keys, values = attn.to_kv(media.view(1, 10, 6))[0].chunk(2, -1)
    scores = torch.einsum("thd,shd->hts", query, keys.view(10, 2, 4)) / 2.0
    scores = scores.masked_fill(~mask[0].repeat_interleave(5, -1), -torch.inf)
    mixed = torch.einsum("hts,shd->thd", scores.softmax(-1), values.view(10, 2, 4))
    out = x + attn.to_out(mixed.reshape(1, 3, 8)) * torch.tanh(torch.tensor(0.3))
    hidden = functional.gelu(functional.linear(block.ff[0](out), block.ff[1].weight))
    out = out + functional.linear(hidden, block.ff[3].weight) * torch.tanh(torch.tensor(-0.7))
    assert torch.allclose(got, out, atol=1e-6)


def test_parameter_names_are_openflamingos(model: Flamingo) -> None:
    names = set(model.cross_attention["0"].state_dict())
    assert names == {
        "attn_gate",
        "ff_gate",
        *(f"attn.{n}" for n in ("norm.weight", "norm.bias", "to_q.weight", "to_kv.weight")),
        "attn.to_out.weight",
        *(f"ff.{n}" for n in ("0.weight", "0.bias", "1.weight", "3.weight")),
    }
    attention = ("norm_media", "norm_latents", "to_q", "to_kv", "to_out")
    perceiver = set(model.perceiver.state_dict())
    assert {"latents", "norm.weight", "norm.bias"} <= perceiver
    assert {f"layers.0.0.{n}.weight" for n in attention} <= perceiver
    assert {f"layers.0.1.{n}.weight" for n in (0, 1, 3)} <= perceiver


def test_padding_changes_nothing(model: Flamingo, batch: Batch) -> None:
    ids, tokens = batch(model)
    pad = torch.full((3, 4), model.special.pad)
    real, none = torch.ones(3, 20, dtype=torch.bool), torch.zeros(3, 4, dtype=torch.bool)
    plain = model(ids, visual_tokens=tokens).logits
    right = model(torch.cat([ids, pad], 1), torch.cat([real, none], 1), tokens).logits[:, :20]
    left = model(torch.cat([pad, ids], 1), torch.cat([none, real], 1), tokens).logits[:, 4:]
    assert torch.allclose(plain, right, atol=1e-4)
    assert torch.allclose(plain, left, atol=1e-4)


def test_unused_images_do_not_matter(model: Flamingo, batch: Batch) -> None:
    ids, tokens = batch(model)
    spoiled = tokens.clone()
    spoiled[1, 1] = spoiled[2] = torch.nan
    clean = model(ids, visual_tokens=tokens).logits
    assert torch.allclose(clean, model(ids, visual_tokens=spoiled).logits, atol=1e-5)


def test_loss_is_the_cross_entropy_of_the_masked_tokens(model: Flamingo, batch: Batch) -> None:
    ids, tokens = batch(model)
    mask = torch.zeros(3, 20, dtype=torch.bool)
    mask[0, 10:12] = mask[2, 19] = True
    output = model(ids, visual_tokens=tokens, loss_mask=mask)
    full = model(ids, visual_tokens=tokens).logits
    rows = torch.stack([full[0, 9], full[0, 10], full[2, 18]])
    targets = torch.stack([ids[0, 10], ids[0, 11], ids[2, 19]])
    assert torch.allclose(output.logits, rows, atol=1e-4)
    assert torch.allclose(output.loss, functional.cross_entropy(rows, targets), atol=1e-4)


def test_images_go_through_the_tower(model: Flamingo, batch: Batch) -> None:
    ids, _ = batch(model)
    images = torch.randn(3, 2, 3, 32, 32)
    tokens = model.encode_images(images.flatten(0, 1)).unflatten(0, (3, 2))
    assert tokens.shape == (3, 2, 16, 32)
    got = model(ids, images=images).logits
    assert torch.allclose(got, model(ids, visual_tokens=tokens).logits, atol=1e-5)


def test_wrong_image_counts_are_refused(model: Flamingo, batch: Batch) -> None:
    ids, tokens = batch(model)
    with pytest.raises(ValueError, match="no images were given"):
        model(ids)
    with pytest.raises(ValueError, match="2 <image> tokens in a row, but 1"):
        model(ids, visual_tokens=tokens[:, :1])


def test_training_learns_and_only_chosen_parts_move(closed: Flamingo, batch: Batch) -> None:
    ids, tokens = batch(closed)
    mask = torch.zeros(3, 20, dtype=torch.bool)
    mask[:, 10:] = True
    count = set_trainable(closed, ["perceiver", "cross_attention"])
    assert count == sum(p.numel() for p in closed.parameters() if p.requires_grad) > 0
    before = {n: p.clone() for n, p in closed.named_parameters()}
    optimizer = torch.optim.Adam([p for p in closed.parameters() if p.requires_grad], lr=1e-2)
    closed.train()
    assert not closed.vision.training
    losses = []
    for _ in range(20):
        loss = closed(ids, visual_tokens=tokens, loss_mask=mask).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    moved = {n for n, p in closed.named_parameters() if not torch.equal(p, before[n])}
    assert moved and all(n.startswith(("perceiver.", "cross_attention.")) for n in moved)


def test_gradient_checkpointing_gives_the_same_gradients(model: Flamingo, batch: Batch) -> None:
    ids, tokens = batch(model)
    mask = torch.zeros(3, 20, dtype=torch.bool)
    mask[:, 10:] = True
    grads = []
    for checkpointed in (False, True):
        twin = copy.deepcopy(model).train()
        if checkpointed:
            twin.lm.gradient_checkpointing_enable({"use_reentrant": False})
        twin(ids, visual_tokens=tokens, loss_mask=mask).loss.backward()
        grads.append({n: p.grad for n, p in twin.named_parameters() if p.grad is not None})
    assert grads[0].keys() == grads[1].keys()
    assert all(torch.allclose(grads[0][n], grads[1][n], atol=1e-5) for n in grads[0])


def test_parts(model: Flamingo) -> None:
    names = {part: set(part_parameters(model, part)) for part in PARTS}
    assert names["lora"] == set()
    assert names["embeddings"] == {"lm.model.embed_tokens.weight"}
    assert names["embeddings"] < names["lm"]
    assert names["cross_attention_attn"] < names["cross_attention"]
    assert not any(".ff" in name for name in names["cross_attention_attn"])
    whole = names["vision"] | names["perceiver"] | names["cross_attention"] | names["lm"]
    assert whole == {name for name, _ in model.named_parameters()}
    with pytest.raises(UserError, match="no part 'lora'"):
        set_trainable(model, ["lora"])
    with pytest.raises(UserError, match="unknown model part"):
        set_trainable(model, ["head"])


def _opt(vocab: int) -> PreTrainedModel:
    return OPTForCausalLM(
        OPTConfig(
            vocab_size=vocab,
            hidden_size=32,
            ffn_dim=64,
            num_hidden_layers=4,
            num_attention_heads=2,
            max_position_embeddings=64,
            word_embed_proj_dim=32,
            dropout=0.0,
        )
    )


def _neox(vocab: int) -> PreTrainedModel:
    return GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=vocab,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=4,
            num_attention_heads=2,
            max_position_embeddings=64,
        )
    )


@pytest.mark.parametrize("family", [_opt, _neox])
def test_other_language_models(
    family: type, config: ModelConfig, tokenizer: PreTrainedTokenizerBase, batch: Batch
) -> None:
    sparse = dataclasses.replace(config.cross_attention, every=2)
    config = dataclasses.replace(config, cross_attention=sparse)
    model = build_flamingo(config, tokenizer, lm=family(len(tokenizer))).eval()
    assert list(model.cross_attention) == ["1", "3"]
    ids, tokens = batch(model)
    alone = model.lm(input_ids=ids).logits
    assert torch.allclose(model(ids, visual_tokens=tokens).logits, alone, atol=1e-6)
    with torch.no_grad():
        model.cross_attention["3"].attn_gate.fill_(1.0)
    seeing = model(ids, visual_tokens=tokens).logits
    assert torch.allclose(seeing[2], alone[2], atol=1e-6)
    assert not torch.allclose(seeing[0, 3:], alone[0, 3:], atol=1e-6)
