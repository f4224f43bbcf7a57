from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.configs import config_names, dump_config, load_config
from polite_flamingo.models.flamingo import build_flamingo
from polite_flamingo.models.lm import build_lm, build_tokenizer


@pytest.mark.parametrize("name", config_names())
def test_every_shipped_config_loads_and_round_trips(name: str, tmp_path: Path) -> None:
    config = load_config(name)
    assert config.name == name
    path = tmp_path / "copy.yaml"
    path.write_text(dump_config(config))
    assert load_config(path) == config


def test_known_names() -> None:
    assert config_names() == ["micro", "nano", "openflamingo-9b", "smollm2", "smollm2-nano-clip"]


def test_nano_is_nano(tokenizer: PreTrainedTokenizerBase) -> None:
    config = load_config("nano")
    lm = build_lm(config.lm, config.tokenizer.vocab_size)
    model = build_flamingo(config, tokenizer, lm=lm)
    assert 1.5e6 < sum(p.numel() for p in model.parameters()) < 3.5e6
    assert len(model.cross_attention) == 4
    assert model.encode_images(torch.zeros(1, 3, 64, 64)).shape == (1, 64, 128)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nfoo: 1\n", "Field required|Unexpected"),
        ("- 1\n", "expected a mapping"),
        ("a: [\n", "not YAML"),
    ],
)
def test_bad_configs_are_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        load_config(path)
    assert "\n" not in str(error.value)


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match="micro, nano"):
        load_config("huge")


@pytest.mark.parametrize(
    "source", ["wheel:no-such-package", "nowhere/model.gguf", "no_such_folder"]
)
def test_absent_language_models_are_one_clear_error(source: str) -> None:
    config = load_config("nano")
    lm = dataclasses.replace(config.lm, source=source)
    with pytest.raises(UserError):
        build_lm(lm, 300)
    lm_tokenizer = dataclasses.replace(config.tokenizer, source="lm")
    with pytest.raises(UserError):
        build_tokenizer(dataclasses.replace(config, lm=lm, tokenizer=lm_tokenizer))


def test_new_weights_depend_on_the_seed_only(tokenizer: PreTrainedTokenizerBase) -> None:
    config = load_config("micro")
    torch.manual_seed(1)
    first = build_flamingo(config, tokenizer, seed=4).state_dict()
    torch.manual_seed(2)
    same = build_flamingo(config, tokenizer, seed=4).state_dict()
    other = build_flamingo(config, tokenizer, seed=5).state_dict()
    assert all(torch.equal(first[n], same[n]) for n in first)
    assert not torch.equal(first["perceiver.latents"], other["perceiver.latents"])
    assert not torch.equal(first["lm.lm_head.weight"], other["lm.lm_head.weight"])
