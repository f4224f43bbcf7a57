"""Train (or resolve) the judges and measure them on scenes and wordings they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import atomic_dir, content_key
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import EncoderParams, FitPlan, Params
from polite_flamingo.core.seeds import derive, generator
from polite_flamingo.core.tables import read_jsonl, read_samples, write_json
from polite_flamingo.stages import judge_metrics
from polite_flamingo.stages.training import train

if TYPE_CHECKING:
    import numpy as np

    from polite_flamingo.judges.cross_encoder import CrossEncoder

TRAIN = "train"
# Wrong captions each test image's own caption is compared with.
_RIVALS = 5


def judges_nli(params: Params, paths: Layout) -> None:
    """Train the NLI judge that filters on the judges' scenes -> models/judges/nli."""
    _nli(params, paths, params.judges.nli, "judges_nli", "judges")


def judges_reward(params: Params, paths: Layout) -> None:
    """Train the reward judge that chooses on the judges' scenes -> models/judges/reward."""
    _reward(params, paths, params.judges.reward, "judges_reward", "judges")


def judges_report(params: Params, paths: Layout) -> None:
    """Train the judges that only report, on scenes of their own -> models/judges/report_*."""
    _nli(params, paths, params.judges.report_nli, "judges_report_nli", "reporting")
    _reward(params, paths, params.judges.report_reward, "judges_report_reward", "reporting")


def _nli(params: Params, paths: Layout, settings: EncoderParams, stage: str, pool: str) -> None:
    from polite_flamingo.judges import augment, cross_encoder, entailment, word_vectors

    rows = _labelled(paths, f"nli_{pool}")
    if settings.source == TRAIN:
        if settings.words:
            tokenizer, vectors = word_vectors.load(settings.words, settings.word_size)
            near = augment.nearest_words(tokenizer, vectors, [row["premise"] for row in rows])
            model = entailment.build(settings, tokenizer, vectors)
        else:
            near = {}
            tokenizer = cross_encoder.pair_tokenizer(paths.tokenizer, uncased=True)
            model = entailment.build(settings, tokenizer)
        pairs = [(row["premise"], row["hypothesis"]) for row in rows]
        labels = [row["label"] for row in rows]
        groups = augment.groups_of([hypothesis for _, hypothesis in pairs])
        lengths = [len(ids) for ids, _ in entailment.encode(model, pairs)]
        batches = _bucketed(lengths, settings)

        def batch(step: int) -> dict[str, Any]:
            rng = generator(settings.seed, stage, step)
            chosen = batches(step)
            varied = [
                entailment.varied(
                    pairs[i],
                    labels[i],
                    {labels[k]: pairs[k][0] for k in groups[i] if k != i},
                    near,
                    rng,
                )
                for i in chosen
            ]
            encoded = entailment.encode(model, varied)
            return entailment.batch(model, encoded, [labels[i] for i in chosen])

        data, threads = f"nli_{pool}", params.threads
        curve = _train(paths, stage, data, settings, model, entailment.loss, batch, threads)
    else:
        model, curve = entailment.load(settings.source, settings.max_length), {}
    test, tricks = _labelled(paths, "nli_test"), _labelled(paths, "adversarial")
    metrics = {
        **judge_metrics.nli(model, test),
        "adversarial": judge_metrics.nli_adversarial(model, tricks),
        "controls": judge_metrics.nli_controls(model, rows, test),
    }
    _save(paths.judges / stage.removeprefix("judges_"), model, curve, metrics)


def _reward(params: Params, paths: Layout, settings: EncoderParams, stage: str, pool: str) -> None:
    from polite_flamingo.judges import augment, cross_encoder, reward, word_vectors

    if settings.source == TRAIN:
        rows = _labelled(paths, f"preferences_{pool}")
        texts = [(row["instruction"], row["chosen"], row["rejected"]) for row in rows]
        if settings.words:
            tokenizer, vectors = word_vectors.load(settings.words, settings.word_size)
            near = augment.nearest_words(tokenizer, vectors, [t for three in texts for t in three])
            model = reward.build(settings, tokenizer, vectors)
        else:
            near = {}
            tokenizer = cross_encoder.pair_tokenizer(paths.tokenizer, uncased=False)
            model = reward.build(settings, tokenizer)
        lengths = [len(asked) + max(len(good), len(bad)) for asked, good, bad in texts]
        batches = _bucketed(lengths, settings)

        def batch(step: int) -> dict[str, Any]:
            rng = generator(settings.seed, stage, step)
            varied = [reward.varied(texts[i], near, rng) for i in batches(step)]
            asked, good, bad = (list(part) for part in zip(*varied, strict=True))
            chosen = cross_encoder.encode(model, asked, good)
            return reward.batch(model, chosen, cross_encoder.encode(model, asked, bad))

        data, threads = f"preferences_{pool}", params.threads
        curve = _train(paths, stage, data, settings, model, reward.loss, batch, threads)
    else:
        model, curve = reward.load(settings.source, settings.max_length), {}
    metrics = {
        **judge_metrics.reward(model, _labelled(paths, "preferences_test")),
        "adversarial": judge_metrics.reward_adversarial(model, _labelled(paths, "adversarial")),
    }
    _save(paths.judges / stage.removeprefix("judges_"), model, curve, metrics)


def _save(place: Path, model: CrossEncoder, curve: dict[str, Any], metrics: dict[str, Any]) -> None:
    from polite_flamingo.judges import cross_encoder

    with atomic_dir(place) as folder:
        cross_encoder.save(model, folder)
        write_json(folder / "curve.json", curve)
        write_json(folder / "metrics.json", metrics)


def judges_clipscore(params: Params, paths: Layout) -> None:
    """Train the CLIPScore tower, never the rewriter's own -> models/judges/clipscore."""
    from polite_flamingo.core.shards import ImageStore
    from polite_flamingo.judges import clipscore
    from polite_flamingo.models.configs import load_config
    from polite_flamingo.models.tokenizer import load_tokenizer
    from polite_flamingo.training.order import batch_indices

    settings = params.judges.clipscore
    if settings.source != TRAIN:
        # A published tower is named, not copied; its own evaluation is not ours to repeat.
        clipscore.load(settings.source)
        with atomic_dir(paths.judges / "clipscore") as folder:
            write_json(folder / "source.json", {"source": settings.source})
        return
    store = ImageStore(paths.images)
    samples = read_samples(paths.samples, settings.sources)
    seen, unseen = ([s for s in samples if s.split == split] for split in ("train", "test"))
    if not seen or len(unseen) < 2:
        raise UserError(f"judges.clipscore.sources: no samples of {settings.sources} to learn from")
    vision = load_config(settings.model).vision
    model = clipscore.build(vision, load_tokenizer(paths.tokenizer), settings.seed)
    pixels = clipscore.pixels(model, [store.open(sample.images[0]) for sample in seen])
    captions = [clipscore.tokens(model, sample.references) for sample in seen]

    def batch(step: int) -> dict[str, Any]:
        import torch

        places = batch_indices(len(seen), settings.fit.batch_size, settings.seed, step)
        rng = generator(settings.seed, "judges_clipscore", step)
        reach = params.base.clip_shift
        offsets = rng.integers(-reach, reach + 1, size=(len(places), 2))
        texts = [captions[i][int(rng.integers(len(captions[i])))] for i in places]
        return {
            "pixels": clipscore.shifted(pixels[torch.from_numpy(places)], offsets),
            "tokens": torch.stack(texts),
        }

    key = content_key(
        *(paths.samples / f"{source}.parquet" for source in settings.sources),
        paths.images / "index.parquet",
        paths.tokenizer,
        {"settings": _plain(settings), "shift": params.base.clip_shift},
        params.threads,
    )
    shown, plan = _plain(settings), settings.fit
    curve = train(
        paths, "judges_clipscore", key, shown, model, clipscore.loss, batch, plan, settings.seed
    )
    images = clipscore.embed_images(model, [store.open(sample.images[0]) for sample in unseen])
    texts = clipscore.embed_texts(model, [sample.references[0] for sample in unseen])
    with atomic_dir(paths.judges / "clipscore") as folder:
        clipscore.save(model, folder)
        write_json(folder / "curve.json", curve)
        write_json(folder / "metrics.json", _clip_metrics(images, texts))


def _clip_metrics(images: np.ndarray, texts: np.ndarray) -> dict[str, Any]:
    """Share of images whose own caption scores above another's (_RIVALS shuffled captions each)."""
    import numpy as np

    scores = 100.0 * images @ texts.T
    own = np.diagonal(scores)
    count = len(own)
    rng = generator(derive(0, "rivals"), count)
    places = np.arange(count)
    # A rotation gives each image another's caption.
    rivals = [
        scores[places, (places + shift) % count]
        for shift in rng.permutation(np.arange(1, count))[:_RIVALS]
    ]
    return {
        "images": count,
        "accuracy": float(np.mean([own > rival for rival in rivals])),
        "mean_own": float(own.mean()),
        "mean_shuffled": float(np.mean(rivals)),
    }


def _labelled(paths: Layout, name: str) -> list[Any]:
    rows = read_jsonl(paths.shapes / "judges" / f"{name}.jsonl")
    if not rows:
        raise UserError(f"judges/{name}.jsonl is empty: raise generate.judge_examples")
    return rows


def _bucketed(lengths: Sequence[int], settings: EncoderParams) -> Callable[[int], np.ndarray]:
    from polite_flamingo.training.order import bucketed_epoch, by_step

    plan: FitPlan = settings.fit
    return by_step(lambda epoch: bucketed_epoch(lengths, plan.batch_size, settings.seed, epoch))


def _train(
    paths: Layout,
    stage: str,
    data: str,
    settings: EncoderParams,
    model: CrossEncoder,
    loss: Any,
    batch: Callable[[int], Any],
    threads: int,
) -> dict[str, Any]:
    shown = _plain(settings)
    key = content_key(
        paths.shapes / "judges" / f"{data}.jsonl", paths.tokenizer, {"settings": shown}, threads
    )
    return train(paths, stage, key, shown, model, loss, batch, settings.fit, settings.seed)


def _plain(settings: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(settings)
