"""Train (or resolve) the judges and measure them on scenes and wordings they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import atomic_dir, content_key
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import EncoderParams, FitPlan, Params
from polite_flamingo.core.seeds import derive, generator
from polite_flamingo.core.tables import read_jsonl, read_samples, write_json
from polite_flamingo.stages.training import train

if TYPE_CHECKING:
    import numpy as np

    from polite_flamingo.judges.cross_encoder import CrossEncoder

TRAIN = "train"
# Wrong captions each test image's own caption is compared with.
_RIVALS = 5


def judges_nli(params: Params, paths: Layout) -> None:
    """Train the NLI judge on the judges' scenes -> models/judges/nli."""
    from polite_flamingo.judges import cross_encoder, entailment

    settings = params.judges.nli
    if settings.source == TRAIN:
        tokenizer = cross_encoder.pair_tokenizer(paths.tokenizer, uncased=True)
        model = entailment.build(settings, tokenizer)
        examples = _labelled(paths, "nli_judges")
        pairs = entailment.encode(model, [(row["premise"], row["hypothesis"]) for row in examples])
        labels = [row["label"] for row in examples]
        batches = _bucketed([len(ids) for ids, _ in pairs], settings)

        def batch(step: int) -> dict[str, Any]:
            chosen = batches(step)
            rng = generator(settings.seed, "judges_nli", step)
            rows, names = [pairs[i] for i in chosen], [labels[i] for i in chosen]
            return entailment.batch(model, rows, names, rng)

        curve = _train(
            paths,
            "judges_nli",
            "nli_judges",
            settings,
            model,
            entailment.loss,
            batch,
            params.threads,
        )
    else:
        model, curve = entailment.load(settings.source, settings.max_length), {}
    with atomic_dir(paths.judges / "nli") as folder:
        entailment.save(model, folder)
        write_json(folder / "curve.json", curve)
        write_json(folder / "metrics.json", _nli_metrics(model, _labelled(paths, "nli_test")))


def _nli_metrics(model: CrossEncoder, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    from polite_flamingo.judges import entailment

    logits = entailment.entailment_logits(
        model, [(row["premise"], row["hypothesis"]) for row in rows]
    )
    guesses = [entailment.LABELS[number] for number in logits.argmax(axis=1)]
    pairs = [(row["label"], guess) for row, guess in zip(rows, guesses, strict=True)]
    return {
        "pairs": len(rows),
        "accuracy": _mean([label == guess for label, guess in pairs]),
        "recall": {
            name: _mean([guess == name for label, guess in pairs if label == name])
            for name in entailment.LABELS
        },
    }


def judges_reward(params: Params, paths: Layout) -> None:
    """Train the reward judge on preferred and rejected responses -> models/judges/reward."""
    from polite_flamingo.judges import cross_encoder, reward

    settings = params.judges.reward
    if settings.source == TRAIN:
        tokenizer = cross_encoder.pair_tokenizer(paths.tokenizer, uncased=False)
        model = reward.build(settings, tokenizer)
        rows = _labelled(paths, "preferences_judges")
        chosen = cross_encoder.encode(model, *_columns(rows, "instruction", "chosen"))
        rejected = cross_encoder.encode(model, *_columns(rows, "instruction", "rejected"))
        lengths = [max(len(a[0]), len(b[0])) for a, b in zip(chosen, rejected, strict=True)]
        batches = _bucketed(lengths, settings)

        def batch(step: int) -> dict[str, Any]:
            places = batches(step)
            return reward.batch(model, [chosen[i] for i in places], [rejected[i] for i in places])

        data, threads = "preferences_judges", params.threads
        curve = _train(paths, "judges_reward", data, settings, model, reward.loss, batch, threads)
    else:
        model, curve = reward.load(settings.source, settings.max_length), {}
    with atomic_dir(paths.judges / "reward") as folder:
        reward.save(model, folder)
        write_json(folder / "curve.json", curve)
        metrics = _reward_metrics(model, _labelled(paths, "preferences_test"))
        write_json(folder / "metrics.json", metrics)


def _reward_metrics(model: CrossEncoder, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    from polite_flamingo.judges import reward

    chosen = reward.reward(model, *_columns(rows, "instruction", "chosen"))
    rejected = reward.reward(model, *_columns(rows, "instruction", "rejected"))
    right = chosen > rejected
    kinds = [row["kind"] for row in rows]
    return {
        "pairs": len(rows),
        "accuracy": _mean(right),
        "accuracy_by_kind": {
            kind: _mean([won for won, name in zip(right, kinds, strict=True) if name == kind])
            for kind in sorted(set(kinds))
        },
    }


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


def _columns(
    rows: Sequence[dict[str, Any]], first: str, second: str
) -> tuple[list[str], list[str]]:
    return [row[first] for row in rows], [row[second] for row in rows]


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


def _mean(values: Any) -> float:
    return sum(map(float, values)) / max(1, len(values))
