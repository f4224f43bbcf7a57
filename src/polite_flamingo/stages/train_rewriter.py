"""Stage `train_rewriter`: Polite Flamingo, LoRA on the base Flamingo (METHOD section 3)."""

from __future__ import annotations

from dataclasses import asdict

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import account, atomic_dir, content_key, progress
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.sample import Reject, rejects_to_table
from polite_flamingo.core.seeds import derive
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import read_table, write_json, write_table
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
    learned: list[str] = []
    rejects: list[Reject] = []
    rows = read_table(paths.pairs / "pairs.parquet").to_pylist()
    for row in progress(rows, desc="tokens", unit="pair"):
        example = rewriting_example(tokenizer, model.config, row)
        if len(example) > settings.max_length:
            detail = f"{len(example)} tokens, {row['strategy']}"
            rejects.append(
                Reject("train_rewriter", row["source"], row["pair_id"], "", "too_long", detail)
            )
        else:
            splits[row["split"]].append(example)
            learned.append(row["pair_id"])
    account(
        "train_rewriter",
        [row["pair_id"] for row in rows],
        learned,
        [reject.sample_id for reject in rejects],
    )
    if not splits["train"]:
        raise UserError("no training pairs of at most train_rewriter.max_length tokens: raise it")
    pad = model.special.pad
    batch = bucketed_batches(
        splits["train"],
        visual,
        pad,
        settings.fit.batch_size,
        seed,
        least_images=int(settings.fit.devices > 1),
    )
    key = content_key(paths.pairs, paths.flamingo, asdict(settings), params.threads)
    shown, plan = asdict(settings), settings.fit
    curve = train(paths, "train_rewriter", key, shown, model, flamingo_loss, batch, plan, seed)
    losses: list[float] = []
    if splits["val"]:
        val = bucketed_batches(splits["val"], visual, pad, plan.batch_size, seed)
        batches = max(1, len(splits["val"]) // plan.batch_size)
        with torch.inference_mode():
            losses = [float(flamingo_loss(model, val(step))) for step in range(batches)]
    with atomic_dir(paths.rewriter) as folder:
        save_pretrained(model, tokenizer, folder)
        write_table(folder / "rejects.parquet", rejects_to_table(rejects))
        write_json(folder / "curve.json", curve)
        write_json(
            folder / "metrics.json",
            {
                "pairs_train": len(splits["train"]),
                "pairs_val": len(splits["val"]),
                "pairs_too_long": len(rejects),
                "val_loss": sum(losses) / len(losses) if losses else None,
            },
        )
