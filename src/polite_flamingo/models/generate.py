"""Generation: batched, cached, and equal to generating every prompt alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import (
    Cache,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.generation.streamers import BaseStreamer

from polite_flamingo.models.cache import prompt_cache, reserve, select_rows
from polite_flamingo.models.cross_attention import Visibility, visibility
from polite_flamingo.models.decoding import (
    Decoding,
    draw,
    repetition_processors,
    sampling_warpers,
    uniforms,
)
from polite_flamingo.models.flamingo import Flamingo, Media, positions
from polite_flamingo.models.lm import takes_ready_masks
from polite_flamingo.models.masking import decoding_mask, media_mask
from polite_flamingo.models.prompt import Encoded, pad
from polite_flamingo.models.ragged import skipping, spans

# Finished rows are taken out of a batch once they are this share of it.
_PRUNE_SHARE = 0.2
# Prompts of a batch are computed in groups of which none is longer than this times the shortest.
_GROUP_SPREAD = 1.25
_GROUP_ROWS = 8
# How often a GPU is asked whether rows have finished: asking waits for it.
_STEPS_BETWEEN_CHECKS = 8
# The hooks read the images from the model: two generations at once would mix them up.
_ONE_AT_A_TIME = threading.RLock()


@dataclass(frozen=True)
class GenerateResult:
    """Generated tokens without EOS; ``stopped`` tells whether EOS (or a stop) was reached."""

    tokens: tuple[int, ...]
    stopped: bool


def generate(
    model: Flamingo,
    prompts: Sequence[Encoded],
    visual_tokens: Sequence[Tensor | None],
    max_new_tokens: int,
    batch_size: int = 128,
    suppress: Sequence[int] | None = None,
) -> list[GenerateResult]:
    """Continue every prompt greedily until EOS or ``max_new_tokens``; results in input order.

    The short form of `generate_candidates`, which see for the arguments.
    """
    banned = None if suppress is None else tuple(suppress)
    decoding = Decoding(max_new_tokens=max_new_tokens, suppress=banned)
    return [
        found[0]
        for found in generate_candidates(model, prompts, visual_tokens, decoding, batch_size)
    ]


@torch.inference_mode()
def generate_candidates(
    model: Flamingo,
    prompts: Sequence[Encoded],
    visual_tokens: Sequence[Tensor | None],
    decoding: Decoding,
    batch_size: int = 128,
    sample_ids: Sequence[str | int] | None = None,
    prefixes: Sequence[Sequence[int]] | None = None,
    stopping: StoppingCriteriaList | None = None,
    streamer: BaseStreamer | None = None,
) -> list[list[GenerateResult]]:
    """Continue every prompt; ``decoding.returns`` results each, in input order.

    ``visual_tokens[i]`` [m_i, N, D] are the patch tokens of prompt i's images (None: no image);
    cross-attention keys and values are computed once for each such tensor, however many prompts
    share it. New tokens attend what text after the prompt attends. Prompts are batched by length,
    ``batch_size`` rows (returns and beams count) at a time; a result does not depend on its
    neighbours. ``sample_ids`` seed the draws (default: the place in ``prompts``). ``prefixes[i]``
    are tokens the response is made to begin with; they are part of the result. ``stopping`` are
    transformers' criteria, which see the response so far; a row that meets them ends there.
    ``streamer`` gets the new tokens of a single prompt one by one.
    """
    for prompt, tokens in zip(prompts, visual_tokens, strict=True):
        given = 0 if tokens is None else len(tokens)
        if given != prompt.image_count:
            raise ValueError(f"a prompt with {prompt.image_count} images was given {given}")
    if streamer is not None and (len(prompts) != 1 or decoding.width > 1):
        raise ValueError("only one prompt with one greedy or sampled return can be streamed")
    names = list(range(len(prompts))) if sample_ids is None else list(sample_ids)
    forced = [()] * len(prompts) if prefixes is None else [tuple(prefix) for prefix in prefixes]
    full = [_extended(*pair) for pair in zip(prompts, forced, strict=True)]
    order = sorted(range(len(full)), key=lambda index: (len(full[index]), index))
    results: dict[int, list[GenerateResult]] = {}
    with _ONE_AT_A_TIME:
        was_training = model.training
        model.eval()
        size = max(1, batch_size // decoding.width)
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            batch = _Batch(
                model,
                [full[index] for index in chosen],
                [visual_tokens[index] for index in chosen],
                [forced[index] for index in chosen],
                [names[index] for index in chosen],
            )
            run = _beam_search if decoding.beams > 1 else _one_by_one
            rows = run(batch, decoding, stopping or StoppingCriteriaList(), streamer)
            for place, index in enumerate(chosen):
                results[index] = rows[place * decoding.returns : (place + 1) * decoding.returns]
        model.train(was_training)
    return [results[index] for index in range(len(prompts))]


def _extended(prompt: Encoded, prefix: Sequence[int]) -> Encoded:
    if not prefix:
        return prompt
    return Encoded(
        np.concatenate([prompt.input_ids, np.array(prefix, dtype=np.int64)]),
        np.concatenate([prompt.loss_mask, np.zeros(len(prefix), dtype=bool)]),
        prompt.image_count,
    )


class _Batch:
    """Prompts of one batch, padded on the left, with what their tokens and new tokens attend."""

    def __init__(
        self,
        model: Flamingo,
        prompts: Sequence[Encoded],
        visual_tokens: Sequence[Tensor | None],
        prefixes: Sequence[Sequence[int]],
        names: Sequence[str | int],
    ) -> None:
        special, mode = model.special, model.config.media_mask
        device = next(model.parameters()).device
        padded = pad(prompts, special.pad, left=True)
        self.model = model
        self.lengths = [len(prompt) for prompt in prompts]
        self.names = names
        self.ids = padded.input_ids.to(device)
        self.attention = padded.attention_mask.to(device)
        self.prompt_mask = media_mask(self.ids, special.image, mode, special.eos)
        self.new_mask = decoding_mask(self.ids, special.image, mode, special.eos)
        self.media = _media(model, visual_tokens, self.prompt_mask, device)
        # The forced beginnings of the responses, padded on the left.
        self.forced = max(len(prefix) for prefix in prefixes)
        self.response = self.ids.new_full((len(prompts), self.forced), special.pad)
        for row, prefix in zip(self.response, prefixes, strict=True):
            if prefix:
                row[-len(prefix) :] = torch.tensor(prefix, device=device)
        self.prefixes = prefixes

    def groups(self) -> Iterator[slice]:
        """Neighbouring rows of nearly one length: prompts sorted by length, little padding."""
        first = 0
        for row, length in enumerate(self.lengths):
            long = length > _GROUP_SPREAD * self.lengths[first]
            if long and row - first >= _GROUP_ROWS:
                yield slice(first, row)
                first = row
        yield slice(first, len(self.lengths))


def _media(
    model: Flamingo, visual_tokens: Sequence[Tensor | None], visible: Tensor, device: torch.device
) -> Media | None:
    """Keys and values of a batch's images, rows padded to the most images of a row.

    Rows that share one tensor of visual tokens share its computation.
    """
    given = [tokens for tokens in visual_tokens if tokens is not None and len(tokens)]
    if not given:
        return None
    sets: dict[int, int] = {}  # identity of a tensor -> its row among the different ones
    rows: list[int] = []
    different: list[int] = []
    for place, tokens in enumerate(visual_tokens):
        identity = id(tokens) if tokens is not None and len(tokens) else 0
        if identity not in sets:
            sets[identity] = len(different)
            different.append(place)
        rows.append(sets[identity])
    padded = given[0].new_zeros(len(different), visible.shape[-1], *given[0].shape[1:])
    used = torch.zeros(padded.shape[:2], dtype=torch.bool, device=device)
    for row, place in enumerate(different):
        tokens = visual_tokens[place]
        if tokens is not None:
            padded[row, : len(tokens)] = tokens
    seen = visible.any(1)
    for place, row in enumerate(rows):
        used[row] |= seen[place]
    media = model.encode_media(padded.to(device), used)
    if len(different) == len(rows):
        return media
    return media.select(torch.tensor(rows, device=device))


def _one_by_one(
    batch: _Batch, decoding: Decoding, stopping: StoppingCriteriaList, streamer: BaseStreamer | None
) -> list[GenerateResult]:
    """Greedy decoding or sampling: a token of every row at a step."""
    model, special = batch.model, batch.model.special
    device, length = batch.ids.device, batch.ids.shape[1]
    steps, forced, eos = decoding.max_new_tokens, batch.forced, special.eos
    cache = reserve(int(model.lm.config.num_hidden_layers), len(batch.ids), length + steps)
    hidden = torch.cat([_prompt(batch, rows, cache) for rows in batch.groups()])

    # From here on a prompt has a row for each of its returns.
    rows = torch.arange(len(batch.ids), device=device).repeat_interleave(decoding.returns)
    media, visible = _new_media(batch)
    response, attention, ids = batch.response, batch.attention, batch.ids
    if decoding.returns > 1:
        select_rows(cache, rows)
        media, visible = _select(media, visible, rows)
        hidden, response, attention, ids = (x[rows] for x in (hidden, response, attention, ids))
    position = positions(attention)[:, -1:]
    masks = None if bool(attention.all()) else functional.pad(attention, (0, steps), value=True)
    ready = takes_ready_masks(model.lm)
    lengths = [tokens for tokens in batch.lengths for _ in range(decoding.returns)]
    groups = spans(lengths, length, steps) if ready and masks is not None else ()
    response = functional.pad(response, (0, steps), value=eos)
    alive = torch.arange(len(rows), device=device)  # rows of the answer the batch still holds
    running = torch.ones(len(rows), dtype=torch.bool, device=device)
    halted = torch.zeros_like(running)
    blocked = torch.tensor(decoding.suppressed(special), dtype=torch.int64, device=device)
    processors, warpers = repetition_processors(decoding), sampling_warpers(decoding)
    chance = uniforms(decoding, batch.names).to(device) if decoding.temperature > 0 else None
    between = 1 if device.type == "cpu" or streamer is not None else _STEPS_BETWEEN_CHECKS
    if streamer is not None and forced:
        streamer.put(response[0, :forced].cpu())
    for step in range(steps):
        scores = model.head(hidden).index_fill_(-1, blocked, -torch.inf)
        if step < decoding.min_new_tokens:
            scores[:, eos] = -torch.inf
        # transformers asks for LongTensor, which no tensor's static type is.
        seen: Any = response[alive, : forced + step] if processors or warpers else response
        if processors:
            seen = torch.cat([ids, seen[:, forced:]], 1) if decoding.penalize_prompt else seen
            scores = processors(seen, scores)
        if chance is None:
            new = scores.argmax(-1)
        else:
            new = draw(warpers(seen, scores), chance[alive, step])
        new = torch.where(running, new, eos)
        response[alive, forced + step] = new
        running = running & (new != eos)
        if streamer is not None and bool(running[0]):
            streamer.put(new.cpu())
        if stopping:
            met = stopping(response[alive, : forced + step + 1], scores).to(device) & running
            halted[alive] |= met
            running = running & ~met
        if step + 1 == steps:
            break
        position = position + 1
        if step % between == 0:
            left = int(running.sum())
            if left == 0:
                break
            if left <= (1 - _PRUNE_SHARE) * len(running):
                keep = running.nonzero(as_tuple=True)[0]
                select_rows(cache, keep)
                media, visible = _select(media, visible, keep)
                new, position, ids = new[keep], position[keep], ids[keep]
                masks = None if masks is None else masks[keep]
                alive, running = alive[keep], running[keep]
                if groups:
                    lengths = [lengths[row] for row in keep.tolist()]
                    groups = spans(lengths, length, steps)
        mask = None if masks is None else masks[:, : length + step + 1]
        if mask is not None and ready:
            mask = mask[:, None, None]
        with skipping(model.lm, groups):
            hidden = model.hidden_states(new[:, None], mask, media, visible, position, cache)[:, -1]
    if streamer is not None:
        streamer.end()
    prefixes = [prefix for prefix in batch.prefixes for _ in range(decoding.returns)]
    return [
        _result(prefix, row[forced:], eos, halt)
        for prefix, row, halt in zip(prefixes, response.tolist(), halted.tolist(), strict=True)
    ]


def _prompt(batch: _Batch, rows: slice, cache: Cache) -> Tensor:
    """Compute the prompts of some rows into the cache; the hidden states [rows, D] at their ends."""
    model = batch.model
    length = batch.lengths[rows.stop - 1]
    ids, attention = batch.ids[rows, -length:], batch.attention[rows, -length:]
    media, visible = None, None
    if batch.media is not None:
        mask = batch.prompt_mask[rows, -length:]
        used = mask.any(1).any(0).nonzero()
        if len(used):
            images = int(used[-1]) + 1
            media = batch.media.part(rows, images, model.config.perceiver.latents)
            visible = visibility(mask[..., :images], model.config.perceiver.latents)
    return model.hidden_states(
        ids,
        attention,
        media,
        visible,
        positions(attention),
        prompt_cache(cache, rows.start, batch.ids.shape[1]),
    )[:, -1]


def _new_media(batch: _Batch) -> tuple[Media | None, Visibility | None]:
    """What new tokens attend; None where no row's new tokens attend any image."""
    if batch.media is None:
        return None, None
    return batch.media.attended(batch.new_mask[:, 0], batch.model.config.perceiver.latents)


def _select(
    media: Media | None, visible: Visibility | None, rows: Tensor
) -> tuple[Media | None, Visibility | None]:
    return (
        None if media is None else media.select(rows),
        None if visible is None else visible.select(rows),
    )


def _result(
    prefix: Sequence[int], row: Sequence[int], eos: int, halted: bool = False
) -> GenerateResult:
    stopped = eos in row
    tokens = row[: row.index(eos)] if stopped else row
    return GenerateResult((*prefix, *tokens), stopped or halted)


# --- beam search: transformers' own, with our images ----------------------------------------


class _ResponseProcessor(LogitsProcessor):
    """Shows the processors what `_one_by_one` shows them."""

    def __init__(self, batch: _Batch, decoding: Decoding) -> None:
        self.processors = repetition_processors(decoding)
        self.response = batch.response.repeat_interleave(decoding.beams, 0)
        self.length = batch.ids.shape[1]
        self.whole = decoding.penalize_prompt

    def __call__(self, input_ids: Any, scores: Any) -> Tensor:
        if not self.whole:
            input_ids = torch.cat([self.response, input_ids[:, self.length :]], 1)
        return self.processors(input_ids, scores)


class _ResponseCriteria(StoppingCriteria):
    def __init__(self, batch: _Batch, decoding: Decoding, criteria: StoppingCriteriaList) -> None:
        self.criteria = criteria
        self.response = batch.response.repeat_interleave(decoding.beams, 0)
        self.length = batch.ids.shape[1]

    def __call__(self, input_ids: Tensor, scores: Tensor, **_: Any) -> Tensor:
        seen = torch.cat([self.response, input_ids[:, self.length :]], 1)
        return self.criteria(seen, scores)


def _beam_search(
    batch: _Batch, decoding: Decoding, stopping: StoppingCriteriaList, _: BaseStreamer | None
) -> list[GenerateResult]:
    model, special = batch.model, batch.model.special
    latents = model.config.perceiver.latents
    rows = torch.arange(len(batch.ids), device=batch.ids.device).repeat_interleave(decoding.beams)
    prompt, new = None, None
    if batch.media is not None:
        seen = visibility(batch.prompt_mask, latents)
        prompt = (batch.media.select(rows), seen.select(rows))
        new = _select(*_new_media(batch), rows)
    config = GenerationConfig(
        max_new_tokens=decoding.max_new_tokens,
        min_new_tokens=decoding.min_new_tokens or None,
        num_beams=decoding.beams,
        num_return_sequences=decoding.returns,
        length_penalty=decoding.length_penalty,
        do_sample=False,
        suppress_tokens=decoding.suppressed(special) or None,
        bos_token_id=special.bos,
        eos_token_id=special.eos,
        pad_token_id=special.pad,
    )
    with model.attending(prompt or (None, None), new or (None, None)):
        sequences: Any = model.lm.generate(  # type: ignore[operator]
            batch.ids,
            attention_mask=batch.attention.long(),
            generation_config=config,
            logits_processor=LogitsProcessorList([_ResponseProcessor(batch, decoding)]),
            stopping_criteria=StoppingCriteriaList(
                [_ResponseCriteria(batch, decoding, stopping)] if stopping else []
            ),
        )
    results = []
    for place, row in enumerate(sequences[:, batch.ids.shape[1] :].tolist()):
        # A beam that met a criterion has no EOS, but padding to the longest.
        halted = special.pad in row
        row = row[: row.index(special.pad)] if halted else row
        prefix = batch.prefixes[place // decoding.returns]
        results.append(_result(prefix, row, special.eos, halted))
    return results
