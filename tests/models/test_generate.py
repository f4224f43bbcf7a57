from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerBase

from polite_flamingo.models.configs import MaskMode, ModelConfig
from polite_flamingo.models.flamingo import Flamingo, build_flamingo
from polite_flamingo.models.generate import generate
from polite_flamingo.models.masking import media_mask
from polite_flamingo.models.prompt import Encoded

NEW = 10


def prompts(model: Flamingo) -> tuple[list[Encoded], list[torch.Tensor | None]]:
    """Seven prompts of mixed lengths with 0, 1 or 2 images."""
    rng = np.random.default_rng(3)
    encoded: list[Encoded] = []
    tokens: list[torch.Tensor | None] = []
    for row, images in enumerate((0, 1, 2, 1, 0, 2, 1)):
        ids = rng.integers(0, 200, 6 + 3 * row)
        ids[1 : 1 + images] = model.special.image
        encoded.append(Encoded(ids, np.zeros(len(ids), dtype=bool), images))
        seed = torch.Generator().manual_seed(row)
        tokens.append(torch.randn(images, 16, 32, generator=seed) if images else None)
    return encoded, tokens


def slow(model: Flamingo, prompt: Encoded, tokens: torch.Tensor | None) -> tuple[list[int], bool]:
    """Greedy decoding without any cache: the whole forward again for every token."""
    special = model.special
    ids = torch.from_numpy(prompt.input_ids)[None]
    new: list[int] = []
    while len(new) < NEW:
        mask = media_mask(ids, special.image, model.config.media_mask, special.eos)
        if new:
            # New tokens attend what the prompt's last token attends.
            mask[:, len(prompt) :] = mask[:, len(prompt) - 1 : len(prompt)]
        visual = None if tokens is None else tokens[None]
        with torch.no_grad():
            logits = model(ids, visual_tokens=visual, media_mask=mask).logits[0, -1]
        logits[[special.image, special.endofchunk, special.pad]] = -torch.inf
        token = int(logits.argmax())
        if token == special.eos:
            return new, True
        new.append(token)
        ids = torch.cat([ids, torch.tensor([[token]])], 1)
    return new, False


@pytest.mark.parametrize("mode", ["group", "immediate", "next", "previous"])
def test_cached_batched_single_and_uncached_agree(model: Flamingo, mode: MaskMode) -> None:
    model.config = dataclasses.replace(model.config, media_mask=mode)
    encoded, tokens = prompts(model)
    batched = generate(model, encoded, tokens, NEW)
    in_threes = generate(model, encoded, tokens, NEW, batch_size=3)
    assert batched == in_threes
    for prompt, images, result in zip(encoded, tokens, batched, strict=True):
        assert generate(model, [prompt], [images], NEW) == [result]
        assert slow(model, prompt, images) == (list(result.tokens), result.stopped)


@pytest.mark.parametrize("family", ["opt", "gpt_neox"])
def test_other_language_models_agree_too(
    family: str, config: ModelConfig, tokenizer: PreTrainedTokenizerBase
) -> None:
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64}
    feed_forward = {"opt": {"ffn_dim": 64, "word_embed_proj_dim": 32}}
    settings = AutoConfig.for_model(
        family,
        vocab_size=len(tokenizer),
        hidden_size=32,
        **sizes,
        **feed_forward.get(family, {"intermediate_size": 64}),
    )
    lm = AutoModelForCausalLM.from_config(settings, attn_implementation="sdpa")
    model = build_flamingo(config, tokenizer, lm=lm).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("_gate"):
                parameter.fill_(0.8)
            elif parameter.ndim == 2 and not name.startswith("vision."):
                parameter.mul_(4.0)
    encoded, tokens = prompts(model)
    batched = generate(model, encoded, tokens, NEW)
    assert len({result.tokens for result in batched}) > 1
    for prompt, images, result in zip(encoded, tokens, batched, strict=True):
        assert slow(model, prompt, images) == (list(result.tokens), result.stopped)


def test_rows_stop_on_their_own(model: Flamingo) -> None:
    encoded, tokens = prompts(model)
    model.config = dataclasses.replace(model.config, media_mask="immediate")
    free = generate(model, encoded, tokens, NEW)
    # Make a token that some rows generate early the EOS: rows then stop at different steps.
    eos = free[2].tokens[2]
    model.special = dataclasses.replace(model.special, eos=eos)
    batched = generate(model, encoded, tokens, NEW)
    assert any(result.stopped for result in batched)
    for prompt, images, result in zip(encoded, tokens, batched, strict=True):
        assert slow(model, prompt, images) == (list(result.tokens), result.stopped)
        assert eos not in result.tokens
        assert result.stopped or len(result.tokens) == NEW


def test_images_matter(model: Flamingo) -> None:
    encoded, tokens = prompts(model)
    other = [None if images is None else -images for images in tokens]
    pairs = zip(
        generate(model, encoded, tokens, NEW), generate(model, encoded, other, NEW), strict=True
    )
    changed = [a != b for a, b in pairs]
    assert any(changed)
    assert not any(c for c, images in zip(changed, tokens, strict=True) if images is None)


def test_suppressed_tokens_never_come(model: Flamingo) -> None:
    encoded, tokens = prompts(model)
    free = generate(model, encoded, tokens, NEW)
    banned = sorted({token for result in free for token in result.tokens})
    assert banned
    limited = generate(model, encoded, tokens, NEW, suppress=banned)
    assert not {token for result in limited for token in result.tokens} & set(banned)


def test_wrong_image_count_and_empty_input(model: Flamingo) -> None:
    encoded, _ = prompts(model)
    with pytest.raises(ValueError, match="with 1 images was given 0"):
        generate(model, encoded[1:2], [None], NEW)
    assert generate(model, [], [], NEW) == []


def test_mode_is_restored(model: Flamingo) -> None:
    encoded, tokens = prompts(model)
    model.train()
    generate(model, encoded[:1], tokens[:1], 2)
    assert model.training
