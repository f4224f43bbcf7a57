from __future__ import annotations

import copy
import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import open_clip
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.checkpoints import (
    add_lora,
    from_pretrained,
    load_clip,
    load_lm,
    load_lora,
    load_part,
    merge_lora,
    save_clip,
    save_lm,
    save_lora,
    save_pretrained,
    unmerge_lora,
)
from polite_flamingo.models.configs import ModelConfig
from polite_flamingo.models.flamingo import Flamingo, build_flamingo, part_parameters, set_trainable
from polite_flamingo.models.tokenizer import clip_texts, special_ids
from polite_flamingo.models.vision import build_clip


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def trained_lora(model: Flamingo) -> Flamingo:
    add_lora(model, rank=4, alpha=8, seed=3)
    with torch.no_grad():
        for parameter in part_parameters(model, "lora").values():
            parameter.normal_(std=0.1)
    return model


Logits = Callable[[Flamingo], torch.Tensor]


@pytest.fixture
def logits(batch: Callable[[Flamingo], tuple[torch.Tensor, torch.Tensor]]) -> Logits:
    def compute(model: Flamingo) -> torch.Tensor:
        ids, tokens = batch(model)
        with torch.inference_mode():
            return model(ids, visual_tokens=tokens).logits

    return compute


@pytest.mark.parametrize("lora", [False, True])
def test_round_trip_is_exact_and_bytes_are_reproducible(
    model: Flamingo, tokenizer: PreTrainedTokenizerBase, tmp_path: Path, lora: bool, logits: Logits
) -> None:
    if lora:
        trained_lora(model)
    save_pretrained(model, tokenizer, tmp_path / "once")
    loaded, same_tokenizer = from_pretrained(tmp_path / "once")
    assert not loaded.training
    assert torch.equal(logits(loaded), logits(model))
    save_pretrained(loaded, same_tokenizer, tmp_path / "twice")
    assert digests(tmp_path / "once") == digests(tmp_path / "twice")
    assert (tmp_path / "once" / "lora").is_dir() is lora


def test_files_name_no_path(
    model: Flamingo, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    save_pretrained(trained_lora(model), tokenizer, tmp_path / "once")
    loaded, same_tokenizer = from_pretrained(tmp_path / "once")
    save_pretrained(loaded, same_tokenizer, tmp_path / "twice")
    for path in (tmp_path / "twice").rglob("*"):
        assert path.is_dir() or str(tmp_path).encode() not in path.read_bytes()


def test_a_foreign_language_model_is_not_stored_but_its_embeddings_are(
    model: Flamingo, tokenizer: PreTrainedTokenizerBase, tmp_path: Path, logits: Logits
) -> None:
    save_lm(model.lm, tokenizer, tmp_path / "lm")
    lm = dataclasses.replace(model.config.lm, source=str(tmp_path / "lm"))
    model.config = dataclasses.replace(model.config, lm=lm)
    with torch.no_grad():
        model.lm.get_input_embeddings().weight.mul_(1.5)
    trained_lora(model)
    save_pretrained(model, tokenizer, tmp_path / "small")
    save_pretrained(model, tokenizer, tmp_path / "full", full=True)
    sizes = {n: (tmp_path / n / "model.safetensors").stat().st_size for n in ("small", "full")}
    assert sizes["small"] < sizes["full"]
    for name in sizes:
        assert torch.equal(logits(from_pretrained(tmp_path / name)[0]), logits(model))


def test_load_part_reports_in_classes(
    model: Flamingo, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    save_pretrained(model, tokenizer, tmp_path / "saved")
    fresh = build_flamingo(model.config, tokenizer, seed=9)
    before = fresh.lm.model.embed_tokens.weight.clone()
    report = load_part(fresh, tmp_path / "saved", ["perceiver", "cross_attention"])
    assert set(report.loaded) == {
        n for n in fresh.state_dict() if n.startswith(("perceiver.", "cross_attention."))
    }
    assert not report.absent and not report.unexpected and not report.mismatched
    assert torch.equal(fresh.perceiver.latents, model.perceiver.latents)
    assert torch.equal(fresh.lm.model.embed_tokens.weight, before)


def test_missing_folders_are_one_clear_error(model: Flamingo, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no model folder"):
        from_pretrained(tmp_path)
    with pytest.raises(UserError, match="holds no LoRA"):
        load_lora(model, tmp_path)
    with pytest.raises(UserError, match="run the stage"):
        load_clip(tmp_path)


def test_new_lora_changes_nothing_and_depends_on_its_seed(model: Flamingo, logits: Logits) -> None:
    plain = logits(model)
    twins = [copy.deepcopy(model) for _ in range(3)]
    for twin, seed in zip(twins, (3, 3, 4), strict=True):
        add_lora(twin, rank=4, alpha=8, seed=seed)
        assert torch.equal(logits(twin), plain)
    first, same, other = (part_parameters(twin, "lora") for twin in twins)
    assert len(first) == 2 * 7 * 2  # two layers, seven linears, A and B
    assert all(torch.equal(first[n], same[n]) for n in first)
    assert not all(torch.equal(first[n], other[n]) for n in first)
    assert set_trainable(twins[0], ["lora"]) == sum(p.numel() for p in first.values())
    with pytest.raises(UserError, match="has a LoRA already"):
        add_lora(twins[0], rank=2, alpha=2)


def test_lora_is_a_peft_adapter_and_merges(
    model: Flamingo, tokenizer: PreTrainedTokenizerBase, tmp_path: Path, logits: Logits
) -> None:
    base = copy.deepcopy(model)
    save_lm(base.lm, tokenizer, tmp_path / "lm")
    trained_lora(model)
    save_lora(model, tmp_path / "lora")
    ids = torch.arange(12)[None]
    expected = model.lm(ids).logits
    foreign = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(tmp_path / "lm"), str(tmp_path / "lora")
    )
    assert torch.allclose(foreign(ids).logits, expected, atol=1e-5)

    load_lora(base, tmp_path / "lora")
    assert torch.equal(logits(base), logits(model))
    assert any(p.requires_grad for p in part_parameters(base, "lora").values())
    tuned = logits(model)
    merge_lora(model)
    assert not part_parameters(model, "lora")
    assert torch.allclose(logits(model), tuned, atol=1e-3)
    add_lora(model, rank=2, alpha=2)
    merge_lora(base)
    base.lm.model.layers[0].mlp.up_proj = torch.nn.Linear(64, 96, bias=False)
    with pytest.raises(UserError, match="made for another"):
        load_lora(base, tmp_path / "lora")


def test_a_lora_merges_and_unmerges(
    model: Flamingo, tokenizer: PreTrainedTokenizerBase, tmp_path: Path, logits: Logits
) -> None:
    trained_lora(model)
    tuned = logits(model)
    weights = {n: p.clone() for n, p in model.named_parameters()}
    merge_lora(model, unload=False)
    merged = model.lm.model.layers[0].mlp.up_proj.get_base_layer().weight
    before = weights["lm.model.layers.0.mlp.up_proj.base_layer.weight"]
    assert not torch.allclose(merged, before, atol=1e-3)
    assert torch.allclose(logits(model), tuned, atol=1e-3)
    with pytest.raises(UserError, match="unmerge it first"):
        save_pretrained(model, tokenizer, tmp_path / "twice")
    with pytest.raises(UserError, match="unmerge it first"):
        merge_lora(model)
    unmerge_lora(model)
    assert weights.keys() == {n for n, _ in model.named_parameters()}
    assert all(torch.allclose(p, weights[n], atol=1e-5) for n, p in model.named_parameters())
    assert torch.allclose(logits(model), tuned, atol=1e-3)
    save_pretrained(model, tokenizer, tmp_path / "once")


@pytest.mark.parametrize("safe", [True, False])
def test_an_adapter_of_peft_loads_and_trains_on(
    model: Flamingo, tmp_path: Path, safe: bool, batch: Callable[..., tuple[torch.Tensor, ...]]
) -> None:
    config = LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "up_proj"], use_rslora=True)
    plain = copy.deepcopy(model)
    foreign = get_peft_model(copy.deepcopy(model.lm), config)
    with torch.no_grad():
        for name, parameter in foreign.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1)
    foreign.save_pretrained(tmp_path)
    if not safe:
        torch.save(
            load_file(tmp_path / "adapter_model.safetensors"), tmp_path / "adapter_model.bin"
        )
        (tmp_path / "adapter_model.safetensors").unlink()
    load_lora(model, tmp_path)
    ids, tokens = batch(model)
    assert torch.allclose(model.lm(ids).logits, foreign(ids).logits, atol=1e-5)

    def step(trained: Flamingo) -> dict[str, torch.Tensor]:
        set_trainable(trained, ["lora"])
        mask = torch.ones_like(ids, dtype=torch.bool)
        parameters = part_parameters(trained, "lora")
        optimizer = torch.optim.SGD(parameters.values(), lr=0.1)
        trained(ids, visual_tokens=tokens, loss_mask=mask).loss.backward()
        optimizer.step()
        return {name: parameter.detach() for name, parameter in parameters.items()}

    # Trained on after a save and a load: the same as without.
    save_lora(model, tmp_path / "again")
    load_lora(plain, tmp_path / "again")
    expected, got = step(model.eval()), step(plain.eval())
    assert expected.keys() == got.keys()
    assert all(torch.equal(expected[name], got[name]) for name in expected)


def test_language_model_round_trip(
    model: Flamingo, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    ids = torch.arange(12)[None]
    save_lm(model.lm, tokenizer, tmp_path / "once")
    loaded = load_lm(tmp_path / "once")
    assert torch.equal(loaded(ids).logits, model.lm(ids).logits)
    save_lm(loaded, tokenizer, tmp_path / "twice")
    assert digests(tmp_path / "once") == digests(tmp_path / "twice")


def test_clip_round_trip_and_open_clips_own_loader(
    config: ModelConfig, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    special = special_ids(tokenizer)
    clip = build_clip(config.vision, len(tokenizer), special.eos, special.pad, seed=2).eval()
    save_clip(clip, config.vision, tokenizer, tmp_path / "once")
    loaded, vision, same_tokenizer = load_clip(tmp_path / "once")
    own = open_clip.create_model(f"local-dir:{tmp_path / 'once'}").eval()
    images, texts = torch.randn(2, 3, 32, 32), clip_texts(tokenizer, ["red", "a blue star"], 32)
    expected = clip(images, texts)
    for model in (loaded, own):
        for got, wanted in zip(model(images, texts), expected, strict=True):
            assert torch.equal(got, wanted)
    save_clip(loaded, vision, same_tokenizer, tmp_path / "twice")
    assert digests(tmp_path / "once") == digests(tmp_path / "twice")
