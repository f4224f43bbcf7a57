from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.factory import create_geometry, create_model
from polite_flamingo.models.flamingo import Flamingo, part_parameters
from polite_flamingo.models.tokenizer import save_tokenizer


def count(model: Flamingo, part: str) -> float:
    return sum(parameter.numel() for parameter in part_parameters(model, part).values())


def test_a_model_by_name_depends_on_its_seed(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    save_tokenizer(tokenizer, tmp_path)
    first, same_tokenizer = create_model("micro", tmp_path, seed=3)
    second, _ = create_model("micro", tmp_path, seed=3)
    other, _ = create_model("micro", tmp_path, seed=4)
    assert same_tokenizer.get_vocab() == tokenizer.get_vocab() and not first.training
    assert torch.equal(first.perceiver.latents, second.perceiver.latents)
    assert not torch.equal(first.perceiver.latents, other.perceiver.latents)
    with pytest.raises(UserError, match="no model config"):
        create_model("huge")
    with pytest.raises(UserError, match="no trained tokenizer"):
        create_model("micro")


def test_the_papers_geometry_takes_no_memory() -> None:
    model = create_geometry("openflamingo-9b")
    assert all(parameter.is_meta for parameter in model.parameters())
    assert list(model.cross_attention) == ["3", "7", "11", "15", "19", "23", "27", "31"]
    assert 8.2e9 < sum(parameter.numel() for parameter in model.parameters()) < 8.5e9
    assert round(count(model, "lm") / 1e9, 2) == 6.74
    # METHOD section 6: what stage 2 trains.
    trained = count(model, "perceiver") + count(model, "cross_attention_attn")
    assert round(trained / 1e9, 3) == 0.105


def test_a_geometry_on_a_device_runs(tokenizer: PreTrainedTokenizerBase) -> None:
    before = torch.get_default_dtype()
    model = create_geometry("micro", "cpu", torch.bfloat16)
    assert torch.get_default_dtype() == before
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    ids = torch.tensor([[5, model.special.image, 7, 8]])
    images = torch.randn(1, 1, 3, 32, 32, dtype=torch.bfloat16)
    with torch.inference_mode():
        assert torch.isfinite(model(ids, images=images).logits).all()


def test_smollm2_is_135m() -> None:
    assert round(count(create_geometry("smollm2"), "lm") / 1e6) == 135
