from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
)

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.configs import MaskMode, ModelConfig
from polite_flamingo.models.decoding import Decoding, draw
from polite_flamingo.models.flamingo import Flamingo, build_flamingo
from polite_flamingo.models.generate import generate, generate_candidates
from polite_flamingo.models.masking import media_mask
from polite_flamingo.models.prompt import Encoded
from polite_flamingo.models.streaming import stream
from polite_flamingo.models.tokenizer import encode_texts

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


@pytest.mark.parametrize("family", ["opt", "gpt_neox", "gpt2", "mpt", "qwen2"])
def test_other_language_models_agree_too(
    family: str, config: ModelConfig, tokenizer: PreTrainedTokenizerBase
) -> None:
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64}
    others = {
        "opt": {"ffn_dim": 64, "word_embed_proj_dim": 32},
        "mpt": {"max_seq_len": 64, "expansion_ratio": 2},
        "gpt2": {"n_inner": 64},
        "qwen2": {"intermediate_size": 64, "num_key_value_heads": 1},
    }
    settings = AutoConfig.for_model(
        family,
        vocab_size=len(tokenizer),
        hidden_size=32,
        **({"n_layers": 2, "n_heads": 2} if family == "mpt" else sizes),
        **others.get(family, {"intermediate_size": 64}),
    )
    lm = AutoModelForCausalLM.from_config(settings)
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


def many(model: Flamingo, count: int) -> tuple[list[Encoded], list[torch.Tensor | None]]:
    """Mixed prompts of 3 to 30 tokens with 0 to 4 images among their text."""
    rng = np.random.default_rng(11)
    encoded: list[Encoded] = []
    tokens: list[torch.Tensor | None] = []
    for row in range(count):
        ids = rng.integers(0, 200, rng.integers(6, 31))
        images = int(rng.integers(0, 5))
        ids[rng.choice(len(ids), images, replace=False)] = model.special.image
        encoded.append(Encoded(ids, np.zeros(len(ids), dtype=bool), images))
        seed = torch.Generator().manual_seed(row)
        tokens.append(torch.randn(images, 16, 32, generator=seed) if images else None)
    return encoded, tokens


def test_two_hundred_mixed_prompts_in_batches_equal_single_ones(model: Flamingo) -> None:
    encoded, tokens = many(model, 200)
    batched = generate(model, encoded, tokens, 5, batch_size=64)
    single = [
        generate(model, [prompt], [images], 5)[0]
        for prompt, images in zip(encoded, tokens, strict=True)
    ]
    assert batched == single
    assert len({result.tokens for result in batched}) > 100


def test_draws_depend_on_the_samples_name_only(model: Flamingo) -> None:
    encoded, tokens = many(model, 24)
    names = [f"sample/{number}" for number in range(24)]
    decoding = Decoding(max_new_tokens=6, temperature=0.9, top_p=0.95, top_k=50, returns=3, seed=5)
    batched = generate_candidates(model, encoded, tokens, decoding, sample_ids=names)
    order = list(range(24))[::-1]
    shuffled = generate_candidates(
        model,
        [encoded[place] for place in order],
        [tokens[place] for place in order],
        decoding,
        batch_size=7,
        sample_ids=[names[place] for place in order],
    )
    assert [shuffled[place] for place in order] == batched
    assert sum(len({result.tokens for result in row}) == 3 for row in batched) > 20
    # Fewer returns are the first of more.
    two = dataclasses.replace(decoding, returns=2)
    assert generate_candidates(model, encoded, tokens, two, sample_ids=names) == [
        row[:2] for row in batched
    ]
    other = dataclasses.replace(decoding, seed=6)
    assert generate_candidates(model, encoded, tokens, other, sample_ids=names) != batched
    # Hardly any temperature is greedy.
    cold = dataclasses.replace(decoding, temperature=1e-4, returns=1)
    first = [row[0] for row in generate_candidates(model, encoded, tokens, cold)]
    assert first == generate(model, encoded, tokens, 6)


def test_draws_follow_the_distribution() -> None:
    logits = torch.tensor([1.0, -torch.inf, 0.0, 2.0, -1.0])
    uniform = (torch.arange(10_000, dtype=torch.float64) + 0.5) / 10_000
    drawn = draw(logits.expand(10_000, -1), uniform).bincount(minlength=5) / 10_000
    assert torch.allclose(drawn, logits.softmax(-1), atol=2e-4)
    edges = draw(logits.expand(2, -1), torch.tensor([0.0, 1.0 - 1e-16], dtype=torch.float64))
    assert edges.tolist() == [0, 4]


def log_probability(
    model: Flamingo, prompt: Encoded, tokens: torch.Tensor | None, new: tuple[int, ...]
) -> float:
    """Sum over the new tokens, by whole forwards."""
    ids = torch.tensor([[*prompt.input_ids.tolist(), *new]])
    special = model.special
    mask = media_mask(ids, special.image, model.config.media_mask, special.eos)
    mask[:, len(prompt) :] = mask[:, len(prompt) - 1 : len(prompt)]
    visual = None if tokens is None else tokens[None]
    with torch.no_grad():
        logits = model(ids, visual_tokens=visual, media_mask=mask).logits[0].log_softmax(-1)
    places = range(len(prompt) - 1, len(prompt) - 1 + len(new))
    return sum(float(logits[place, token]) for place, token in zip(places, new, strict=True))


def test_beams_find_likelier_responses_than_greedy(model: Flamingo) -> None:
    with torch.no_grad():
        model.lm.get_output_embeddings().weight.mul_(0.3)  # greedy is no longer nearly certain
    encoded, tokens = prompts(model)
    decoding = Decoding(max_new_tokens=4, beams=5, returns=2)
    found = generate_candidates(model, encoded, tokens, decoding)
    greedy = generate(model, encoded, tokens, 4)
    better = 0
    for prompt, images, rows, one in zip(encoded, tokens, found, greedy, strict=True):
        assert len(rows) == 2 and rows[0] != rows[1]
        if any(len(result.tokens) < 4 for result in (*rows, one)):
            continue
        best, second = (log_probability(model, prompt, images, row.tokens) for row in rows)
        line = log_probability(model, prompt, images, one.tokens)
        assert best >= second - 1e-4 and best >= line - 1e-4
        better += best > line + 1e-3
    assert better
    for place in range(len(encoded)):
        alone = generate_candidates(model, [encoded[place]], [tokens[place]], decoding)
        assert alone == [found[place]]
    other = [None if images is None else -images for images in tokens]
    assert generate_candidates(model, encoded, other, decoding) != found


@pytest.mark.parametrize("beams", [1, 3])
def test_repetition_controls_look_at_the_response(model: Flamingo, beams: int) -> None:
    encoded, tokens = prompts(model)
    free = Decoding(max_new_tokens=NEW, beams=beams)
    no_repeats = dataclasses.replace(free, no_repeat_ngram=1)
    found = [row[0].tokens for row in generate_candidates(model, encoded, tokens, no_repeats)]
    assert all(len(set(row)) == len(row) for row in found)
    drafts = [set(prompt.input_ids.tolist()) for prompt in encoded]
    assert any(set(row) & draft for row, draft in zip(found, drafts, strict=True))
    everything = dataclasses.replace(no_repeats, penalize_prompt=True)
    for row, draft in zip(
        generate_candidates(model, encoded, tokens, everything), drafts, strict=True
    ):
        assert not set(row[0].tokens) & draft
    strong = dataclasses.replace(free, repetition_penalty=50.0)
    plain = generate_candidates(model, encoded, tokens, free)
    assert generate_candidates(model, encoded, tokens, strong) != plain


@pytest.mark.parametrize("beams", [1, 2])
def test_forced_prefixes(model: Flamingo, beams: int) -> None:
    encoded, tokens = prompts(model)
    prefixes = [[7, 9], [], [11], [], [30, 31, 32], [], []]
    decoding = Decoding(max_new_tokens=4, beams=beams, no_repeat_ngram=1)
    found = generate_candidates(model, encoded, tokens, decoding, prefixes=prefixes)
    for place, (prefix, (result,)) in enumerate(zip(prefixes, found, strict=True)):
        assert result.tokens[: len(prefix)] == tuple(prefix)
        assert len(result.tokens) == len(prefix) + 4 or result.stopped
        assert len(set(result.tokens)) == len(result.tokens)  # the prefix counts as said
        alone = generate_candidates(
            model, [encoded[place]], [tokens[place]], decoding, prefixes=[prefix]
        )
        assert alone == [[result]]
    if beams == 1:
        ids = np.append(encoded[0].input_ids, [7, 9])
        longer = Encoded(ids, np.zeros(len(ids), dtype=bool), 0)
        plain = Decoding(max_new_tokens=4)
        forced = generate_candidates(model, encoded[:1], [None], plain, prefixes=[[7, 9]])[0][0]
        assert forced.tokens == (7, 9, *generate(model, [longer], [None], 4)[0].tokens)


class _After(StoppingCriteria):
    def __init__(self, token: int) -> None:
        self.token = token

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: object) -> torch.Tensor:
        return input_ids[:, -1] == self.token


def test_criteria_stop_rows_one_by_one(model: Flamingo) -> None:
    encoded, tokens = prompts(model)
    free = generate(model, encoded, tokens, NEW)
    token = free[0].tokens[3]
    decoding = Decoding(max_new_tokens=NEW)
    found = generate_candidates(
        model, encoded, tokens, decoding, stopping=StoppingCriteriaList([_After(token)])
    )
    for (result,), whole in zip(found, free, strict=True):
        if token in whole.tokens:
            assert result.tokens == whole.tokens[: whole.tokens.index(token) + 1] and result.stopped
        else:
            assert result == whole


def test_no_end_before_the_least_tokens(model: Flamingo) -> None:
    encoded, tokens = prompts(model)
    free = generate(model, encoded, tokens, NEW)
    model.special = dataclasses.replace(model.special, eos=free[2].tokens[1])
    short = generate(model, encoded, tokens, NEW)[2]
    decoding = Decoding(max_new_tokens=NEW, min_new_tokens=6)
    long = generate_candidates(model, encoded, tokens, decoding)
    assert len(short.tokens) < 6 and all(len(row[0].tokens) >= 6 for row in long)


def test_images_are_computed_once(model: Flamingo) -> None:
    encoded, tokens = prompts(model)
    asked: list[int] = []
    model.perceiver.register_forward_pre_hook(lambda _, args: asked.append(len(args[0])))
    generate(model, encoded, tokens, NEW)
    assert asked == [sum(prompt.image_count for prompt in encoded)]
    asked.clear()
    decoding = Decoding(max_new_tokens=3, temperature=1.0, returns=4)
    generate_candidates(model, [encoded[2]] * 5, [tokens[2]] * 5, decoding)
    assert asked == [2]


def test_text_after_the_last_image_sees_none_in_the_release(model: Flamingo) -> None:
    model.config = dataclasses.replace(model.config, media_mask="next")
    ids = np.array([5, 6, model.special.image])
    prompt = Encoded(ids, np.zeros(3, dtype=bool), 1)
    images = torch.randn(1, 16, 32, generator=torch.Generator().manual_seed(1))
    mask = torch.zeros(1, 8, 1, dtype=torch.bool)
    mask[0, :3] = True
    wanted = list(ids)
    for _ in range(5):
        row = torch.tensor([wanted])
        with torch.no_grad():
            visual = images[None]
            seen = mask[:, : len(wanted)]
            logits = model(row, visual_tokens=visual, media_mask=seen).logits[0, -1]
        logits[[model.special.image, model.special.endofchunk, model.special.pad]] = -torch.inf
        wanted.append(int(logits.argmax()))
    assert generate(model, [prompt], [images], 5)[0].tokens == tuple(wanted[3:])


@pytest.mark.parametrize(
    "settings",
    [
        {"max_new_tokens": 0},
        {"max_new_tokens": 4, "returns": 2},
        {"max_new_tokens": 4, "beams": 2, "temperature": 1.0},
        {"max_new_tokens": 4, "min_new_tokens": 5},
        {"max_new_tokens": 4, "temperature": -1.0},
    ],
)
def test_contradictory_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(UserError):
        Decoding(**settings)


def test_a_stream_is_the_response(model: Flamingo, tokenizer: PreTrainedTokenizerBase) -> None:
    encoded, tokens = prompts(model)
    decoding = Decoding(max_new_tokens=NEW)
    prefix = encode_texts(tokenizer, ["a blue star"])[0]
    whole = generate_candidates(model, encoded[2:3], tokens[2:3], decoding, prefixes=[prefix])
    pieces = list(stream(model, tokenizer, encoded[2], tokens[2], decoding, prefix=prefix))
    assert pieces[0] == "a blue "  # the last word may grow
    assert "".join(pieces) == tokenizer.decode(whole[0][0].tokens, skip_special_tokens=True)


def test_an_abandoned_stream_stops_and_errors_arrive(
    model: Flamingo, tokenizer: PreTrainedTokenizerBase
) -> None:
    encoded, tokens = prompts(model)
    endless = Decoding(max_new_tokens=400, min_new_tokens=400)
    steps: list[int] = []
    model.lm.base_model.register_forward_pre_hook(lambda *_: steps.append(1))
    pieces = stream(model, tokenizer, encoded[0], tokens[0], endless)
    next(pieces)
    pieces.close()
    assert len(steps) < 400
    with pytest.raises(ValueError, match="with 1 images was given 0"):
        list(stream(model, tokenizer, encoded[1], None, endless))
