"""Stage `train_rewriter`: Polite Flamingo, LoRA on the base Flamingo (METHOD section 3)."""

from __future__ import annotations

from dataclasses import asdict

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import content_key, progress
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.seeds import derive
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import read_table, write_json
from polite_flamingo.stages.training import train


def train_rewriter(params: Params, paths: Layout) -> None:
    """Learn to undo the distortion: pairs -> models/rewriter (adapter, embeddings, curve)."""
    import torch

    from polite_flamingo.models.checkpoints import add_lora, from_pretrained, save_pretrained
    from polite_flamingo.models.flamingo import set_trainable
    from polite_flamingo.training.conversations import bucketed_batches, rewriting_example
    from polite_flamingo.training.examples import flamingo_loss
    from polite_flamingo.training.visual_tokens import visual_tokens

    settings = params.train_rewriter
    seed = derive(settings.seed, "train_rewriter")
    model, tokenizer = from_pretrained(paths.flamingo)
    add_lora(model, settings.lora.rank, settings.lora.alpha, settings.lora.dropout, seed=seed)
    parts = ["lora", "embeddings"] if settings.tune_embeddings else ["lora"]
    set_trainable(model, parts)
    visual = visual_tokens(model.vision, model.config.vision, ImageStore(paths.images), paths.runs)
    splits: dict[str, list] = {"train": [], "val": []}
    too_long = 0
    rows = read_table(paths.pairs / "pairs.parquet").to_pylist()
    for row in progress(rows, desc="tokens", unit="pair"):
        example = rewriting_example(tokenizer, model.config, row)
        if len(example) > settings.max_length:
            too_long += 1
        else:
            splits[row["split"]].append(example)
    if not splits["train"]:
        raise UserError("no training pairs of at most train_rewriter.max_length tokens: raise it")
    pad = model.special.pad
    batch = bucketed_batches(splits["train"], visual, pad, settings.fit.batch_size, seed)
    key = content_key(paths.pairs, paths.flamingo, asdict(settings), params.threads)
    shown, plan = asdict(settings), settings.fit
    curve = train(paths, "train_rewriter", key, shown, model, flamingo_loss, batch, plan, seed)
    val = bucketed_batches(splits["val"], visual, pad, settings.fit.batch_size, seed)
    batches = max(1, len(splits["val"]) // settings.fit.batch_size)
    with torch.inference_mode():
        losses = [float(flamingo_loss(model, val(step))) for step in range(batches)]
    save_pretrained(model, tokenizer, paths.rewriter)
    write_json(paths.rewriter / "curve.json", curve)
    write_json(
        paths.rewriter / "metrics.json",
        {
            "pairs_train": len(splits["train"]),
            "pairs_val": len(splits["val"]),
            "pairs_too_long": too_long,
            "val_loss": sum(losses) / len(losses),
        },
    )
