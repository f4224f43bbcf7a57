"""Stage `tune`: Clever Flamingo in three U-shaped stages, on PF data or on raw annotations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Literal

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import account, atomic_dir, content_key, progress
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params, TuneParams, TuneStage
from polite_flamingo.core.sample import Reject, Sample, rejects_to_table, table_to_samples
from polite_flamingo.core.seeds import derive, unit
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import read_samples, read_table, write_json, write_table
from polite_flamingo.stages.training import train

Variant = Literal["pf", "raw"]


def tune(params: Params, paths: Layout, variant: Variant, stage: int) -> None:
    """One stage of tuning -> models/clever/VARIANT/stageN.

    Stages 1 and 3: all text-only and polite style data and a tenth of the visual data, LoRA.
    Stage 2: all visual data, perceiver and cross-attention. ``raw`` sees the same samples as
    ``pf``, with the annotations as they were instead of the rewrites.
    """
    from polite_flamingo.models.checkpoints import add_lora, from_pretrained, save_pretrained
    from polite_flamingo.models.flamingo import set_trainable
    from polite_flamingo.training.conversations import chat_example, packed_batches
    from polite_flamingo.training.examples import flamingo_loss
    from polite_flamingo.training.visual_tokens import visual_tokens

    settings = params.tune
    plan: TuneStage = getattr(settings, f"stage{stage}")
    # Both variants have the same random choices: they differ in their responses alone.
    seed = derive(settings.seed, "tune", stage)
    start = paths.flamingo if stage == 1 else paths.clever(variant, stage - 1)
    model, tokenizer = from_pretrained(start)
    if stage == 1:
        lora = settings.lora
        add_lora(model, lora.rank, lora.alpha, lora.dropout, seed=derive(settings.seed, "lora"))
    trainable = set_trainable(model, plan.parts)
    samples, rejects = _fitting(
        tuning_samples(paths, settings, plan, variant),
        tuning_samples(paths, settings, plan, "raw" if variant == "pf" else "pf"),
        lambda sample: len(chat_example(tokenizer, model.config, sample, first=True)),
        plan,
    )
    visual = visual_tokens(model.vision, model.config.vision, ImageStore(paths.images), paths.runs)
    batch = packed_batches(
        tokenizer,
        model.config,
        samples,
        visual,
        plan.fit.batch_size,
        plan.max_length,
        plan.max_images,
        seed,
        settings.pack,
        settings.attention,
        least_images=int(plan.fit.devices > 1),
    )
    key = content_key(
        paths.samples, paths.filtered, start, asdict(settings), variant, stage, params.threads
    )
    name = f"tune_{variant}_{stage}"
    curve = train(paths, name, key, asdict(plan), model, flamingo_loss, batch, plan.fit, seed)
    folder = paths.clever(variant, stage)
    with atomic_dir(folder) as work:
        save_pretrained(model, tokenizer, work)
        write_table(work / "rejects.parquet", rejects_to_table(rejects))
        write_json(work / "curve.json", curve)
        write_json(
            work / "metrics.json",
            {
                "samples": len(samples),
                "samples_rejected": len(rejects),
                "parameters_trained": trainable,
                "final_loss": curve["loss"][-1],
            },
        )


def _fitting(
    samples: list[Sample], others: list[Sample], length: Callable[[Sample], int], plan: TuneStage
) -> tuple[list[Sample], list[Reject]]:
    """Samples that fit a context in both variants, so that both see the same; rejects of the rest."""
    kept: list[Sample] = []
    rejects: list[Reject] = []
    pairs = zip(samples, others, strict=True)
    for sample, other in progress(pairs, total=len(samples), desc="lengths", unit="sample"):
        # Polite style and text-only samples are the same in both.
        tokens = length(sample) if sample == other else max(length(sample), length(other))
        if tokens <= plan.max_length and len(sample.images) <= plan.max_images:
            kept.append(sample)
            continue
        reason = "too_long" if tokens > plan.max_length else "too_many_images"
        detail = f"{tokens} tokens, {len(sample.images)} images"
        rejects.append(Reject("tune", sample.source, sample.sample_id, "", reason, detail))
    account(
        "tune",
        [sample.sample_id for sample in samples],
        [sample.sample_id for sample in kept],
        [reject.sample_id for reject in rejects],
    )
    if not kept:
        raise UserError(f"tune: no sample fits {plan.max_length} tokens: raise max_length")
    return kept, rejects


def tuning_samples(
    paths: Layout, settings: TuneParams, plan: TuneStage, variant: Variant
) -> list[Sample]:
    """The samples of a stage, in a fixed order."""
    kept = table_to_samples(read_table(paths.filtered / "kept.parquet"))

    def drawn(sample: Sample, share: float) -> bool:
        return unit(settings.seed, "share", sample.parent_id or sample.sample_id) < share

    chosen = [sample for sample in kept if drawn(sample, plan.share)]
    if variant == "raw":
        wanted = [sample.parent_id or sample.sample_id for sample in chosen]
        raw = read_samples(paths.samples, sorted({s.source for s in kept}), "train")
        by_id = {sample.sample_id: sample for sample in raw}
        chosen = [by_id[identity] for identity in wanted]
        account("tune raw", wanted, [sample.sample_id for sample in chosen])
    style = read_samples(paths.samples, settings.style_sources, "train")
    others = [sample for sample in style if drawn(sample, plan.style_share)]
    if plan.text_only:
        others += read_samples(paths.samples, settings.text_sources, "train")
    return chosen + others
