"""What a batch computes, and how often."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerBase

from polite_flamingo.models import ragged
from polite_flamingo.models.configs import ModelConfig
from polite_flamingo.models.decoding import Decoding
from polite_flamingo.models.flamingo import Flamingo, build_flamingo
from polite_flamingo.models.generate import generate, generate_candidates
from polite_flamingo.models.prompt import Encoded

NEW = 6


def ladder(model: Flamingo, count: int) -> tuple[list[Encoded], list[torch.Tensor | None]]:
    """Prompts of 5 to 90 tokens in random order, with 0 to 2 images."""
    rng = np.random.default_rng(2)
    lengths = np.geomspace(5, 90, count).astype(int)
    rng.shuffle(lengths)
    encoded: list[Encoded] = []
    tokens: list[torch.Tensor | None] = []
    for row, length in enumerate(lengths):
        ids, images = rng.integers(0, 200, length), row % 3
        ids[1 : 1 + images] = model.special.image
        encoded.append(Encoded(ids, np.zeros(length, dtype=bool), images))
        seed = torch.Generator().manual_seed(row)
        tokens.append(torch.randn(images, 16, 32, generator=seed) if images else None)
    return encoded, tokens


def other(family: str, config: ModelConfig, tokenizer: PreTrainedTokenizerBase) -> Flamingo:
    """A Flamingo around a language model of another family (llama: with grouped queries)."""
    sizes: dict[str, Any] = {
        "llama": {"num_key_value_heads": 1, "intermediate_size": 64},
        "opt": {"ffn_dim": 64, "word_embed_proj_dim": 32},
        "gpt_neox": {"intermediate_size": 64},
        "gpt2": {"n_inner": 64},
    }
    settings = AutoConfig.for_model(
        family,
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=128,
        **sizes[family],
    )
    with torch.random.fork_rng():
        torch.manual_seed(4)
        model = build_flamingo(config, tokenizer, lm=AutoModelForCausalLM.from_config(settings))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("_gate"):
                parameter.fill_(0.8)
            elif parameter.ndim == 2 and not name.startswith("vision."):
                parameter.mul_(4.0)
    return model.eval()


@pytest.mark.parametrize("family", ["llama", "opt", "gpt_neox", "gpt2"])
def test_rows_that_skip_their_padding_equal_single_ones(
    family: str,
    config: ModelConfig,
    tokenizer: PreTrainedTokenizerBase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = other(family, config, tokenizer)
    encoded, tokens = ladder(model, 40)
    widths: list[int] = []
    plain = ragged.sdpa_attention_forward

    def watched(module: Any, query: Any, key: torch.Tensor, *rest: Any, **options: Any) -> Any:
        widths.append(key.shape[2])
        return plain(module, query, key, *rest, **options)

    monkeypatch.setattr(ragged, "sdpa_attention_forward", watched)
    batched = generate(model, encoded, tokens, NEW)
    assert min(widths) < 30 < 90 < max(widths)
    assert len({result.tokens for result in batched}) > 20
    assert model.lm.config._attn_implementation == "sdpa"
    for prompt, images, result in zip(encoded, tokens, batched, strict=True):
        assert generate(model, [prompt], [images], NEW) == [result]


def test_several_returns_and_finished_rows_keep_their_groups(model: Flamingo) -> None:
    encoded, tokens = ladder(model, 40)
    # With a temperature this high rows end at different steps.
    decoding = Decoding(max_new_tokens=12, temperature=3.0, returns=2, seed=1)
    model.special = type(model.special)(**{**vars(model.special), "eos": 7})
    ends = dict.fromkeys(range(200, model.lm.config.vocab_size), 0)
    decoding = Decoding(**{**vars(decoding), "suppress": tuple(ends)})
    with torch.no_grad():
        model.lm.get_output_embeddings().weight[7] *= 3.0
    names = list(range(40))
    batched = generate_candidates(model, encoded, tokens, decoding, 80, names)
    lengths = {len(result.tokens) for row in batched for result in row if result.stopped}
    assert len(lengths) > 3
    for place in range(0, 40, 3):
        alone = generate_candidates(
            model, [encoded[place]], [tokens[place]], decoding, sample_ids=[names[place]]
        )
        assert alone == [batched[place]]


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=150), st.integers(1, 64), st.integers(0, 9)
)
def test_groups_hold_every_row_and_all_it_attends(
    lengths: list[int], steps: int, more: int
) -> None:
    lengths = sorted(lengths)
    end = lengths[-1] + more
    groups = ragged.spans(lengths, end, steps)
    rows = [row for part, _ in groups for row in range(part.start, part.stop)]
    assert rows == list(range(len(lengths)))
    for part, first in groups:
        assert first == end - max(lengths[part])
    assert all(part.stop - part.start >= 8 for part, _ in groups[:-1])


def test_batches_hold_prompts_of_like_lengths(model: Flamingo) -> None:
    encoded, tokens = ladder(model, 40)
    heads: list[int] = []
    model.perceiver.register_forward_pre_hook(lambda *_: heads.append(0))
    shapes: list[torch.Size] = []
    model.lm.base_model.register_forward_pre_hook(
        lambda _, args, kwargs: shapes.append(kwargs["input_ids"].shape), with_kwargs=True
    )
    generate(model, encoded, tokens, 1, batch_size=8)
    wanted = sorted(len(prompt) for prompt in encoded)
    # One new token needs no further step: the prompts alone, each batch as wide as its longest.
    assert [shape[1] for shape in shapes] == wanted[7::8]
    assert all(shape[0] == 8 for shape in shapes)


def test_keys_and_values_of_images_are_computed_once(model: Flamingo) -> None:
    encoded, tokens = ladder(model, 12)
    calls: dict[str, int] = {}
    for name, block in model.cross_attention.items():

        def count(*_: Any, name: str = name) -> None:
            calls[name] = calls.get(name, 0) + 1

        block.attn.to_kv.register_forward_pre_hook(count)
    for decoding in (
        Decoding(max_new_tokens=NEW),
        Decoding(max_new_tokens=NEW, temperature=1.0, returns=3),
        Decoding(max_new_tokens=NEW, beams=3, returns=2),
    ):
        calls.clear()
        generate_candidates(model, encoded, tokens, decoding)
        assert calls == dict.fromkeys(model.cross_attention, 1)
