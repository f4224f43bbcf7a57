"""Stage `rewrite`: every raw annotation through Polite Flamingo, in resumable shards."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from polite_flamingo.core.journal import account, atomic_dir, content_key, work_dir
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.sample import Reject, rejects_to_table
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import read_samples, write_json, write_table


def rewrite(params: Params, paths: Layout) -> None:
    """Raw train samples -> data/rewrites (candidates, rejects, stats); every id accounted for."""
    from polite_flamingo.models.checkpoints import from_pretrained
    from polite_flamingo.rewriting.rewriters import polite_flamingo
    from polite_flamingo.rewriting.run import choose, run
    from polite_flamingo.training.visual_tokens import visual_tokens

    settings = params.rewrite
    given = read_samples(paths.samples, settings.sources, "train")
    chosen = choose(given, settings.limits, params.seed)
    model, tokenizer = from_pretrained(paths.rewriter)
    store = ImageStore(paths.images)
    samples, rejects = [], []
    for sample in chosen:
        if all(image in store for image in sample.images):
            samples.append(sample)
        else:
            rejects.append(
                Reject("rewrite", sample.source, sample.sample_id, "", "missing_image", "no shard")
            )
    visual = visual_tokens(model.vision, model.config.vision, store, paths.runs)
    rewriter = polite_flamingo(
        model, tokenizer, visual, settings.batch_size, settings.max_new_tokens
    )
    key = content_key(paths.samples, paths.rewriter, asdict(settings), params.seed, params.threads)
    work = work_dir(paths.runs, "rewrite", key)
    candidates = run(samples, rewriter, settings.shard_size, work)
    taken = {sample.sample_id for sample in chosen}
    capped = [sample.sample_id for sample in given if sample.sample_id not in taken]
    account(
        "rewrite",
        [sample.sample_id for sample in given],
        candidates.column("sample_id").to_pylist(),
        [reject.sample_id for reject in rejects],
        capped,
    )
    with atomic_dir(paths.rewrites) as folder:
        write_table(folder / "candidates.parquet", candidates)
        write_table(folder / "rejects.parquet", rejects_to_table(rejects))
        write_json(
            folder / "stats.json",
            {
                "ids_in": dict(Counter(sample.source for sample in given)),
                "rewritten": dict(Counter(candidates.column("source").to_pylist())),
                "rejected": dict(Counter(reject.source for reject in rejects)),
                "capped": dict(Counter(sample_id.split("/")[0] for sample_id in capped)),
            },
        )
