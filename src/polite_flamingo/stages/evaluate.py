"""Stage `evaluate`: base and every tuned model answer the test sets; all texts are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from polite_flamingo.core.journal import account, atomic_dir, content_key, progress, work_dir
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.sample import Sample
from polite_flamingo.core.tables import read_json, read_samples, read_table, write_json, write_table

if TYPE_CHECKING:
    import pyarrow as pa

    from polite_flamingo.evaluation.run import Respond


def evaluate(params: Params, paths: Layout) -> None:
    """Write data/evaluation: responses, ratings, checks of the rewrites, and metrics.json."""
    import pyarrow as pa

    from polite_flamingo.evaluation import rewrites, run, summary, truth, win_rates
    from polite_flamingo.filters.decide import FILTERS

    settings = params.evaluate
    sources = sorted({*params.rewrite.sources, *settings.sources, *settings.held_out})
    samples = {s.sample_id: s for s in read_samples(paths.samples, sources)}
    scenes = read_table(paths.scenes)
    wrong = truth.wrong_annotations(scenes)
    counts = {**settings.sources, **settings.held_out}
    test = run.choose_test(list(samples.values()), counts, settings.seed)
    answer = truth.answer_reader(samples.values())
    responses = _responses(params, paths, test, answer)

    candidates = read_table(paths.rewrites / "candidates.parquet")
    decisions = read_table(paths.filtered / "decisions.parquet")
    style = read_samples(paths.samples, params.tune.style_sources, "train")
    texts = rewrites.rated_texts(candidates, decisions, style, test)
    ratings = _ratings(params, paths, responses, texts, samples)
    checks = rewrites.check_rewrites(
        candidates,
        read_table(paths.filtered / "scores.parquet"),
        decisions,
        samples,
        win_rates.rewards_by_model(ratings.to_pylist()),
        truth.truth_teller(truth.scenes_by_image(scenes), wrong, answer),
        answer,
        wrong,
    )
    calibration = read_json(paths.thresholds)
    metrics = summary.build_metrics(
        samples=samples,
        candidates=candidates,
        decisions=decisions,
        checks=checks,
        rejected=read_json(paths.rewrites / "stats.json")["rejected"],
        style=style,
        responses=responses,
        ratings=ratings,
        judges=_judges(paths),
        held_out=list(settings.held_out),
        filters=FILTERS,
        thresholds={
            **calibration["thresholds"],
            "unchanged": calibration["thresholds"]["change"],
            "too_short": params.filter.min_words,
            "too_long": params.filter.max_words,
        },
        planted=calibration,
        seed=settings.seed,
        resamples=settings.bootstrap,
    )
    with atomic_dir(paths.evaluation) as folder:
        write_table(folder / "responses.parquet", pa.table(responses))
        write_table(folder / "ratings.parquet", ratings)
        write_table(folder / "checks.parquet", checks)
        write_json(folder / "metrics.json", metrics)


def _responses(params: Params, paths: Layout, test: Sequence[Sample], answer: Any) -> pa.Table:
    """Answers of all models and controls; done ones are kept in the work directory."""
    import pyarrow as pa

    from polite_flamingo.evaluation import run
    from polite_flamingo.evaluation.controls import CONTROLS
    from polite_flamingo.evaluation.summary import BASE, FINAL, STAGES, VARIANTS
    from polite_flamingo.models.checkpoints import from_pretrained

    settings = params.evaluate
    clever = paths.root / "models/clever"
    key = content_key(
        paths.samples, paths.scenes, paths.flamingo, clever, asdict(settings), params.threads
    )
    work = work_dir(paths.runs, "evaluate", key)
    folders = {
        BASE: paths.flamingo,
        **{f"{v}-stage{stage}": paths.clever(v, stage) for v in VARIANTS for stage in STAGES},
    }
    wanted = [sample.sample_id for sample in test]
    tables = []
    for name, folder in progress(folders.items(), desc="answers", unit="model"):
        model, tokenizer = from_pretrained(folder)
        respond = _responder(model, tokenizer, params, paths)
        # The final model is also asked with blank images and with others' images.
        controls: tuple[run.Control, ...] = ("", *CONTROLS) if name == FINAL else ("",)
        for control in controls:
            table = run.run(name, control, test, respond, answer, settings.seed, work)
            account("evaluate", wanted, table["sample_id"].to_pylist())
            tables.append(table)
    return pa.concat_tables(tables)


def _responder(model: Any, tokenizer: Any, params: Params, paths: Layout) -> Respond:
    """Greedy answers of a chat model to single-turn prompts."""
    import torch

    from polite_flamingo.core.images import blank
    from polite_flamingo.core.sample import Turn
    from polite_flamingo.core.shards import ImageStore
    from polite_flamingo.evaluation.run import BLANK
    from polite_flamingo.models.generate import generate
    from polite_flamingo.models.prompt import encode_prompt
    from polite_flamingo.models.tokenizer import decode
    from polite_flamingo.models.vision import preprocess
    from polite_flamingo.training.visual_tokens import compute_tokens, visual_tokens

    vision = model.config.vision
    visual = visual_tokens(model.vision, vision, ImageStore(paths.images), paths.runs)
    pixels = preprocess(blank(vision.image_size), vision)
    nothing = compute_tokens(model.vision, pixels[None])[0]

    def tokens(images: Sequence[str]) -> torch.Tensor | None:
        if not images:
            return None
        return torch.stack([nothing if image == BLANK else visual.of(image) for image in images])

    def respond(instructions: Sequence[str], images: Sequence[Sequence[str]]) -> list[str]:
        prompts = [
            encode_prompt(tokenizer, [Turn(instruction, "")], [len(shown)], model.config.prompt)
            for instruction, shown in zip(instructions, images, strict=True)
        ]
        results = generate(
            model,
            prompts,
            [tokens(shown) for shown in images],
            params.evaluate.max_new_tokens,
            params.evaluate.batch_size,
        )
        return [decode(tokenizer, result.tokens) for result in results]

    return respond


def _ratings(
    params: Params,
    paths: Layout,
    responses: pa.Table,
    texts: Sequence[Mapping[str, str]],
    samples: Mapping[str, Sample],
) -> pa.Table:
    """Reward of every text; Rouge-L and STS of captions against their references."""
    import pyarrow as pa

    from polite_flamingo.evaluation.metrics import rouge_l
    from polite_flamingo.judges import reward, similarity

    size = params.filter.batch_size
    rows: list[dict[str, Any]] = [
        {
            **{k: row[k] for k in ("model", "control", "sample_id", "instruction")},
            "text": row["response"],
        }
        for row in responses.to_pylist()
    ]
    described = [
        (row, samples[row["sample_id"]].references)
        for row in rows
        if samples[row["sample_id"]].task in ("captioning", "change_captioning")
        and samples[row["sample_id"]].references
    ]
    sts_model = similarity.load(params.judges.similarity)
    cosines = similarity.similarity(
        sts_model,
        [row["text"] for row, _ in described],
        [" ".join(references) for _, references in described],
        size,
    )
    for (row, references), cosine in zip(described, cosines.tolist(), strict=True):
        row |= {"rouge_l": rouge_l(row["text"], references), "sts": cosine}
    rows += [dict(row) for row in texts]
    judge = reward.load(paths.judges / "reward", params.judges.reward.max_length)
    rewards = reward.reward(
        judge, [row["instruction"] for row in rows], [row["text"] for row in rows], size
    )
    schema = pa.schema(
        [
            ("model", pa.string()),
            ("control", pa.string()),
            ("sample_id", pa.string()),
            ("reward", pa.float64()),
            ("rouge_l", pa.float64()),
            ("sts", pa.float64()),
        ]
    )
    records = [
        {
            "model": row["model"],
            "control": row["control"],
            "sample_id": row["sample_id"],
            "reward": float(value),
            "rouge_l": row.get("rouge_l"),
            "sts": row.get("sts"),
        }
        for row, value in zip(rows, rewards, strict=True)
    ]
    return pa.Table.from_pylist(records, schema=schema)


def _judges(paths: Layout) -> dict[str, dict[str, Any]]:
    """Each judge's figures on scenes and wordings it has not seen."""
    found = {}
    for name in ("nli", "reward", "clipscore"):
        path = paths.judges / name / "metrics.json"
        if path.is_file():
            figures = read_json(path)
            found[name] = {**figures, "n": figures.get("pairs")}
    return found
