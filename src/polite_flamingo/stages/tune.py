"""Stage `tune`: Clever Flamingo in three U-shaped stages, on PF data or on raw annotations."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from polite_flamingo.core.journal import account, content_key
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params, TuneParams, TuneStage
from polite_flamingo.core.sample import Sample, table_to_samples
from polite_flamingo.core.seeds import derive, unit
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import read_samples, read_table, write_json
from polite_flamingo.stages.training import train

Variant = Literal["pf", "raw"]

# Images in one context (METHOD section 6).
_MAX_IMAGES = 10


def tune(params: Params, paths: Layout, variant: Variant, stage: int) -> None:
    """One stage of tuning -> models/clever/VARIANT/stageN.

    Stages 1 and 3: all text-only and polite style data and a tenth of the visual data, LoRA.
    Stage 2: all visual data, perceiver and cross-attention. ``raw`` sees the same samples as
    ``pf``, with the annotations as they were instead of the rewrites.
    """
    from polite_flamingo.models.checkpoints import add_lora, from_pretrained, save_pretrained
    from polite_flamingo.models.flamingo import set_trainable
    from polite_flamingo.training.conversations import packed_batches
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
    samples = tuning_samples(paths, settings, plan, variant)
    visual = visual_tokens(model.vision, model.config.vision, ImageStore(paths.images), paths.runs)
    batch, too_long = packed_batches(
        tokenizer,
        model.config,
        samples,
        visual,
        plan.fit.batch_size,
        plan.max_length,
        _MAX_IMAGES,
        seed,
        settings.pack,
    )
    key = content_key(
        paths.samples, paths.filtered, start, asdict(settings), variant, stage, params.threads
    )
    name = f"tune_stage{stage}@{variant}"
    curve = train(paths, name, key, asdict(plan), model, flamingo_loss, batch, plan.fit, seed)
    folder = paths.clever(variant, stage)
    save_pretrained(model, tokenizer, folder)
    write_json(folder / "curve.json", curve)
    write_json(
        folder / "metrics.json",
        {
            "samples": len(samples),
            "samples_too_long": len(too_long),
            "parameters_trained": trainable,
            "final_loss": curve["loss"][-1],
        },
    )


def tuning_samples(
    paths: Layout, settings: TuneParams, plan: TuneStage, variant: Variant
) -> list[Sample]:
    """The samples of a stage, in a fixed order."""
    kept = table_to_samples(read_table(paths.filtered / "kept.parquet"))
    chosen = [
        sample
        for sample in kept
        if unit(settings.seed, "share", sample.parent_id or sample.sample_id) < plan.share
    ]
    if variant == "raw":
        wanted = [sample.parent_id or sample.sample_id for sample in chosen]
        raw = read_samples(paths.samples, sorted({s.source for s in kept}), "train")
        by_id = {sample.sample_id: sample for sample in raw}
        chosen = [by_id[identity] for identity in wanted]
        account("tune raw", wanted, [sample.sample_id for sample in chosen])
    others = list(settings.style_sources)
    if plan.text_only:
        others += settings.text_sources
    return chosen + read_samples(paths.samples, others, "train")
