"""OpenFlamingo's checkpoints: read, refused, compared with what open-flamingo computed, written."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import load_file

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.checkpoints import from_pretrained, has_lora
from polite_flamingo.models.conversion import convert, export
from polite_flamingo.models.flamingo import part_parameters
from polite_flamingo.models.openflamingo import from_openflamingo, read_checkpoint, to_openflamingo

ROOT = Path(__file__).parents[2]
FIXTURES = Path(__file__).parent / "fixtures/openflamingo"
NAMES = ("llama-v2", "neox-v1", "opt-v2-previous")


@pytest.fixture(scope="module")
def parity() -> ModuleType:
    """The benchmark's comparison: the fixtures are its dumps."""
    path = ROOT / "benchmarks/openflamingo_parity/compare.py"
    spec = importlib.util.spec_from_file_location("openflamingo_parity_compare", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_logits_gradients_and_greedy_tokens_are_open_flamingos(
    parity: ModuleType, name: str, tmp_path: Path
) -> None:
    found = parity.compare(FIXTURES / name, tmp_path / "model")
    assert found.logits < 1e-4
    assert found.gradients < 1e-3
    assert found.gradients_compared > 30
    assert found.greedy_equal and found.greedy_tokens == 24
    assert found.faults == 0


def test_the_other_masking_gives_other_logits(parity: ModuleType, tmp_path: Path) -> None:
    # The control: the comparison does see a mask that is wrong.
    parity.MASKS = parity.MASKS | {"v1": "immediate"}
    try:
        found = parity.compare(FIXTURES / "neox-v1", tmp_path / "model")
    finally:
        parity.MASKS["v1"] = "next"
    assert found.logits > 1e-2


def test_copies_buffers_wrappers_and_text_tower_are_ignored(parity: ModuleType) -> None:
    stored = load_file(FIXTURES / "neox-v1/checkpoint.safetensors")
    plain = from_openflamingo(stored)
    layer = "gpt_neox.layers.1."
    extra = {
        f"lang_encoder.old_decoder_blocks.{name.removeprefix(f'lang_encoder.{layer}').replace('decoder_layer.', '1.', 1)}": t
        for name, t in stored.items()
        if f"{layer}decoder_layer." in name
    }
    extra |= {
        f"lang_encoder.gated_cross_attn_layers.1.{name.rpartition('gated_cross_attn_layer.')[2]}": t
        for name, t in stored.items()
        if f"{layer}gated_cross_attn_layer." in name
    }
    extra["lang_encoder.gpt_neox.layers.1.decoder_layer.attention.rotary_emb.inv_freq"] = (
        torch.ones(2)
    )
    extra["vision_encoder.token_embedding.weight"] = torch.ones(2)
    noisy = from_openflamingo({f"module.{n}": t for n, t in (stored | extra).items()})
    assert noisy.weights.keys() == plain.weights.keys()
    new = extra.keys() - stored.keys()
    assert len(noisy.ignored) == len(plain.ignored) + len(new) > 20


def test_names_go_there_and_back() -> None:
    # v2 as it is; v1 stores the whole CLIP, which v2 does not.
    for name in ("llama-v2", "opt-v2-previous"):
        stored = load_file(FIXTURES / name / "checkpoint.safetensors")
        assert to_openflamingo(from_openflamingo(stored).weights).keys() == stored.keys()


def training_checkpoint(parity: ModuleType, folder: Path) -> Path:
    """A v2 training checkpoint: only what was trained, as train.py saves it."""
    stored = load_file(FIXTURES / "llama-v2/checkpoint.safetensors")
    kept = {
        f"module.{name}": tensor
        for name, tensor in stored.items()
        if name.startswith("perceiver.") or "gated_cross" in name or "embed_tokens" in name
    }
    path = folder / "checkpoint_0.pt"
    torch.save({"epoch": 0, "model_state_dict": kept}, path)
    return path


def test_a_training_checkpoint_holds_what_was_trained_and_names_another_geometry(
    parity: ModuleType, tmp_path: Path
) -> None:
    config = parity.model_config(FIXTURES / "llama-v2")
    # As with a published tower: not in the file, not built here.
    named = dataclasses.replace(config.vision, source="ViT-B-32", pretrained="openai", clip={})
    config = dataclasses.replace(config, vision=named)
    stored = load_file(FIXTURES / "llama-v2/checkpoint.safetensors")
    path = training_checkpoint(parity, tmp_path)
    with pytest.raises(UserError, match="visual width 24 instead of 768"):
        convert([path], tmp_path / "model", config)
    assert not (tmp_path / "model").exists()
    found = read_checkpoint(path)
    assert len(found.weights) < len(stored)
    assert not any(".layers." in name for name in found.weights if name.startswith("lm."))


def test_lora_of_a_release_becomes_an_adapter(parity: ModuleType, tmp_path: Path) -> None:
    stored = load_file(FIXTURES / "llama-v2/checkpoint.safetensors")
    generator = torch.Generator().manual_seed(0)
    lora = {}
    for layer in range(4):
        stem = f"lang_encoder.model.layers.{layer}.decoder_layer.self_attn.q_proj"
        lora[f"{stem}.lora_A.default.weight"] = torch.randn(3, 32, generator=generator)
        lora[f"{stem}.lora_B.default.weight"] = torch.randn(32, 3, generator=generator)
    torch.save(lora, tmp_path / "rewriter.pt")
    base = FIXTURES / "llama-v2/checkpoint.safetensors"
    config = parity.model_config(FIXTURES / "llama-v2")
    with pytest.raises(UserError, match="it has LoRA: give the OpenFlamingo checkpoint"):
        convert([tmp_path / "rewriter.pt"], tmp_path / "model", config)
    report = convert([base, tmp_path / "rewriter.pt"], tmp_path / "model", config, lora_alpha=6.0)
    assert not (report.missing or report.unexpected or report.wrong_shape)
    assert len(report.loaded) == len(stored) + len(lora)
    model, _ = from_pretrained(tmp_path / "model")
    assert has_lora(model)
    own = part_parameters(model, "lora")["lm.model.layers.2.self_attn.q_proj.lora_A.default.weight"]
    theirs = lora[
        "lang_encoder.model.layers.2.decoder_layer.self_attn.q_proj.lora_A.default.weight"
    ]
    assert torch.equal(own, theirs)
    # W + alpha / rank * B A, seen through the layer.
    layer = model.lm.get_submodule("model.layers.2.self_attn.q_proj")
    x = torch.randn(1, 32, generator=generator)
    up = lora["lang_encoder.model.layers.2.decoder_layer.self_attn.q_proj.lora_B.default.weight"]
    expected = layer.base_layer(x) + 2.0 * x @ theirs.T @ up.T  # type: ignore[operator]
    assert torch.allclose(layer(x), expected, atol=1e-4)


class _Code:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("code of a checkpoint ran",))


def test_pickled_code_is_never_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"perceiver.latents": torch.ones(1), "evil": _Code()}, tmp_path / "bad.pt")
    with pytest.raises(UserError, match="never run") as caught:
        read_checkpoint(tmp_path / "bad.pt")
    assert "\n" not in str(caught.value)
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "damaged"), (b"no archive", "never run|damaged"), (None, "is missing")],
)
def test_files_that_are_none_are_one_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "x.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        read_checkpoint(path)
    assert "\n" not in str(caught.value)


def test_other_state_dicts_are_no_openflamingo(tmp_path: Path) -> None:
    torch.save({"conv.weight": torch.ones(2)}, tmp_path / "x.pt")
    with pytest.raises(UserError, match="no perceiver and no cross-attention"):
        read_checkpoint(tmp_path / "x.pt")


def test_an_incomplete_file_is_refused(parity: ModuleType, tmp_path: Path) -> None:
    stored = load_file(FIXTURES / "llama-v2/checkpoint.safetensors")
    del stored["perceiver.layers.1.0.to_q.weight"]
    torch.save(stored, tmp_path / "x.pt")
    with pytest.raises(UserError, match=r"1 weights missing.*perceiver\.layers\.1\.0\.to_q"):
        convert([tmp_path / "x.pt"], tmp_path / "m", parity.model_config(FIXTURES / "llama-v2"))


def test_sizes_that_open_flamingo_cannot_have_are_not_exported(
    parity: ModuleType, tmp_path: Path
) -> None:
    parity.load(FIXTURES / "llama-v2", tmp_path / "model")
    with pytest.raises(UserError, match=r"latents 4 \(fixed: 64\)"):
        export(tmp_path / "model", tmp_path / "x.pt")
    with pytest.raises(UserError, match=r"is a \.pt file"):
        export(tmp_path / "model", tmp_path / "folder")


def test_the_command_converts_and_reports(
    parity: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from polite_flamingo.cli import main
    from polite_flamingo.models.configs import dump_config

    dump = FIXTURES / "neox-v1"
    config = tmp_path / "parity.yaml"
    config.write_text(dump_config(parity.model_config(dump)))
    source, target = str(dump / "checkpoint.safetensors"), str(tmp_path / "model")
    assert main(["convert", source, target, "--config", str(config), "--lm", str(dump / "lm")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["loaded", "from", "ignored"]
    assert lines[-1] == f"written: {target}"
    model, _ = from_pretrained(Path(target))
    assert model.config.media_mask == "next"
    assert main(["convert", str(tmp_path / "no.pt"), target]) == 2
    assert (
        capsys.readouterr().err
        == f"pf: {tmp_path / 'no.pt'} is missing: give a checkpoint file or a folder with one\n"
    )


def test_an_export_reads_back_as_the_same_model(parity: ModuleType, tmp_path: Path) -> None:
    # open-flamingo's own sizes around a tiny language model; the benchmark loads such a file there.
    from transformers import AutoConfig, AutoModelForCausalLM

    from polite_flamingo.models.checkpoints import add_lora, merge_lora, save_pretrained
    from polite_flamingo.models.configs import CrossAttentionConfig, PerceiverConfig
    from polite_flamingo.models.flamingo import build_flamingo
    from polite_flamingo.models.tokenizer import load_tokenizer

    block = {"heads": 8, "dim_head": 64, "ff_mult": 4}
    config = dataclasses.replace(
        parity.model_config(FIXTURES / "llama-v2"),
        perceiver=PerceiverConfig(latents=64, depth=6, **block),
        cross_attention=CrossAttentionConfig(every=2, **block),
    )
    folder = FIXTURES / "llama-v2/lm"
    tokenizer = load_tokenizer(folder)
    settings = AutoConfig.from_pretrained(folder)
    settings.vocab_size = len(tokenizer)
    lm = AutoModelForCausalLM.from_config(settings)
    model = build_flamingo(config, tokenizer, lm=lm, seed=3)
    add_lora(model, 2, 4)
    for name, parameter in part_parameters(model, "lora").items():
        if ".lora_B." in name:
            torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(1))
    save_pretrained(model, tokenizer, tmp_path / "ours", full=True)
    notes = export(tmp_path / "ours", tmp_path / "theirs.pt")
    assert any("merged" in note for note in notes)
    convert([tmp_path / "theirs.pt"], tmp_path / "again", config)
    again, _ = from_pretrained(tmp_path / "again")
    merge_lora(model)
    own = model.state_dict()
    for name, tensor in again.state_dict().items():
        assert torch.equal(tensor, own[name]), name
