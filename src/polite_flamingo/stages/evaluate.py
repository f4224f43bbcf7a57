"""Stage `evaluate`: base and every tuned model answer the test sets; all texts are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polite_flamingo.core.journal import account, atomic_dir, content_key, progress, work_dir
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.sample import Sample
from polite_flamingo.core.shards import read_origins
from polite_flamingo.core.tables import read_json, read_samples, read_table, write_json, write_table

if TYPE_CHECKING:
    import pyarrow as pa

    from polite_flamingo.evaluation.run import Respond
    from polite_flamingo.judges.cross_encoder import CrossEncoder

# Judges of which a second model reports what the first one's choices are worth.
REPORTING = ("nli", "reward")


def evaluate(params: Params, paths: Layout) -> None:
    """Write data/evaluation: responses, controls, ratings, checks of the rewrites, metrics.json.

    Figures are the reporting judges' where there are any; what the judges that filtered say of
    the same texts stands beside them under names of its own.
    """
    import pyarrow as pa

    from polite_flamingo.evaluation import (
        rewriter_controls,
        rewrites,
        run,
        summary,
        truth,
        unseen,
        win_rates,
    )
    from polite_flamingo.filters.decide import FILTERS
    from polite_flamingo.shapes.scene import scene_hash

    settings = params.evaluate
    sources = sorted({*params.rewrite.sources, *settings.sources, *settings.held_out})
    samples = {s.sample_id: s for s in read_samples(paths.samples, sources)}
    scene_rows = read_table(paths.scenes)
    origins = read_origins(paths.images)
    scenes = truth.scenes_by_image(scene_rows, origins)
    kin = {image: scene_hash(scene) for image, scene in scenes.items()}
    wrong = truth.wrong_annotations(scene_rows)
    counts = {**settings.sources, **settings.held_out}
    test = run.choose_test(list(samples.values()), counts, settings.seed)
    answer = truth.answer_reader(samples.values())
    marked = truth.marked_things(scene_rows)
    faithful = truth.faithfulness(scenes, answer, marked)
    true = truth.truth_teller(scenes, wrong, answer, marked)
    work = _work(params, paths)
    responses = _responses(params, paths, test, answer, kin, work)

    candidates = read_table(paths.rewrites / "candidates.parquet")
    decisions = read_table(paths.filtered / "decisions.parquet")
    scores = read_table(paths.filtered / "scores.parquet")
    controls = _rewriter_controls(params, paths, candidates, samples, kin, work)
    style = read_samples(paths.samples, params.tune.style_sources, "train")
    texts = rewrites.rated_texts(candidates, decisions, style, test)
    texts += [
        {
            "model": rewriter_controls.rated_as(row["system"]),
            "control": "",
            "sample_id": row["sample_id"],
            "instruction": samples[row["sample_id"]].turns[0].instruction,
            "text": row["text"],
        }
        for row in controls.to_pylist()
    ]
    ratings = _ratings(params, paths, responses, texts, samples)
    rewards = win_rates.rewards_by_model(ratings.to_pylist())
    filter_rewards = win_rates.rewards_by_model(ratings.to_pylist(), judge="filter_reward")
    checks = rewrites.check_rewrites(
        candidates,
        scores,
        decisions,
        samples,
        rewards,
        true,
        faithful,
        wrong,
        filter_rewards,
        _contradictions(params, paths, candidates, decisions, scores),
    )
    checked = rewriter_controls.check_controls(
        controls, samples, rewards, filter_rewards, true, faithful, wrong
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
        rewriter=checked,
        unseen=unseen.unseen_samples(test, scene_rows, origins),
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
    metrics["reported_by"] = {name: reporting_judge(paths, name).name for name in REPORTING}
    with atomic_dir(paths.evaluation) as folder:
        write_table(folder / "responses.parquet", pa.table(responses))
        write_table(folder / "controls.parquet", checked)
        write_table(folder / "ratings.parquet", ratings)
        write_table(folder / "checks.parquet", checks)
        write_json(folder / "metrics.json", metrics)


def reporting_judge(paths: Layout, name: str) -> Path:
    """The judge that reports: another model than the one that filters, where one is trained."""
    own = paths.judges / f"report_{name}"
    return own if own.is_dir() else paths.judges / name


def _work(params: Params, paths: Layout) -> Path:
    """Where the texts of killed runs are kept."""
    key = content_key(
        paths.samples,
        paths.scenes,
        paths.flamingo,
        paths.root / "models/clever",
        paths.rewriter,
        paths.rewrites / "candidates.parquet",
        asdict(params.evaluate),
        asdict(params.rewrite),
        params.threads,
    )
    return work_dir(paths.runs, "evaluate", key)


def _responses(
    params: Params,
    paths: Layout,
    test: Sequence[Sample],
    answer: Any,
    kin: Mapping[str, str],
    work: Path,
) -> pa.Table:
    """Answers of all models and controls; done ones are kept in the work directory."""
    import pyarrow as pa

    from polite_flamingo.evaluation import run
    from polite_flamingo.evaluation.controls import CONTROLS
    from polite_flamingo.evaluation.summary import BASE, FINAL, STAGES, VARIANTS
    from polite_flamingo.models.checkpoints import from_pretrained

    settings = params.evaluate
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
            table = run.run(name, control, test, respond, answer, settings.seed, work, kin)
            account("evaluate", wanted, table["sample_id"].to_pylist())
            tables.append(table)
    return pa.concat_tables(tables)


def _rewriter_controls(
    params: Params,
    paths: Layout,
    candidates: pa.Table,
    samples: Mapping[str, Sample],
    kin: Mapping[str, str],
    work: Path,
) -> pa.Table:
    """The same drafts through the rewriter, blind, misled, unchanged and through a template."""
    import numpy as np
    import pyarrow as pa

    from polite_flamingo.core.images import blank
    from polite_flamingo.core.shards import ImageStore
    from polite_flamingo.evaluation import rewriter_controls as systems
    from polite_flamingo.evaluation.run import BLANK, Control, control_images
    from polite_flamingo.models.checkpoints import from_pretrained
    from polite_flamingo.models.vision import preprocess
    from polite_flamingo.rewriting.rewriters import polite_flamingo, template
    from polite_flamingo.training.visual_tokens import (
        VisualTokens,
        compute_tokens,
        visual_tokens,
    )

    settings = params.evaluate
    ids = systems.choose_drafts(candidates, settings.rewriter_controls, settings.seed)
    chosen = [samples[sample_id] for sample_id in ids]
    own = {
        row["sample_id"]: row["rewrite"] for row in candidates.to_pylist() if row["candidate"] == 0
    }
    tables = [
        systems.texts_of(systems.REWRITER, ids, [own[sample_id] for sample_id in ids]),
        systems.texts_of("draft", ids, [sample.turns[0].response for sample in chosen]),
        systems.texts_of("template", ids, [made.text for made in template(chosen)]),
    ]

    def shown(control: Control) -> pa.Table:
        images = control_images(chosen, control, settings.seed, kin)
        model, tokenizer = from_pretrained(paths.rewriter)
        vision = model.config.vision
        visual = visual_tokens(model.vision, vision, ImageStore(paths.images), paths.runs)
        pixels = preprocess(blank(vision.image_size), vision)
        needed = sorted({image for row in images for image in row} - {BLANK})
        tokens = [visual.of(image).numpy() for image in needed]
        tokens.append(compute_tokens(model.vision, pixels[None])[0].numpy())
        rewriter = polite_flamingo(
            model,
            tokenizer,
            VisualTokens([*needed, BLANK], np.stack(tokens)),
            params.rewrite.batch_size,
            params.rewrite.max_new_tokens,
        )
        misled = [replace(s, images=row) for s, row in zip(chosen, images, strict=True)]
        return systems.texts_of(control, ids, [made.text for made in rewriter(misled)])

    controls: tuple[Control, ...] = ("blank", "shuffled")
    for control in progress(controls, desc="rewriter controls", unit="control"):
        path = work / f"rewriter-{control}.parquet"
        tables.append(systems.kept_or_made(path, partial(shown, control)))
    return pa.concat_tables(tables)


def _contradictions(
    params: Params, paths: Layout, candidates: pa.Table, decisions: pa.Table, scores: pa.Table
) -> dict[str, dict[str, bool]]:
    """Which kept outputs the NLI judges take for contradictions of their drafts (argmax)."""
    from polite_flamingo.evaluation.rewrites import kept_outputs, output_key
    from polite_flamingo.filters.decide import applies, contradiction_margin
    from polite_flamingo.judges import entailment

    outputs = kept_outputs(decisions)
    rows = [
        row
        for row in candidates.to_pylist()
        if applies("nli", row["task"]) and (row["sample_id"], row["candidate"]) in outputs
    ]
    keys = [output_key(row["sample_id"], row["candidate"]) for row in rows]
    model = entailment.load(reporting_judge(paths, "nli"))
    pairs = [
        (
            entailment.vqa_premise(outputs[row["sample_id"], row["candidate"]], row["instruction"]),
            entailment.vqa_hypothesis(row["draft"], row["instruction"]),
        )
        for row in rows
    ]
    logits = entailment.entailment_logits(model, pairs, params.filter.batch_size).tolist()
    filtered = {
        output_key(row["sample_id"], row["candidate"]): contradiction_margin(row["nli"]) > 0
        for row in scores.to_pylist()
        if row["nli"] is not None
    }
    return {
        "report": {
            key: contradiction_margin((row[0], row[1], row[2])) > 0
            for key, row in zip(keys, logits, strict=True)
        },
        "filter": {key: filtered[key] for key in keys if key in filtered},
    }


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
    """Reward of every text by both judges; Rouge-L and STS of captions by their references.

    What the filter stage has scored itself is not scored again: drafts and rewrites have the
    filtering judge's reward in its scores.
    """
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
    length = params.judges.reward.max_length
    judges = {
        "reward": reward.load(reporting_judge(paths, "reward")),
        "filter_reward": reward.load(paths.judges / "reward", length),
    }
    scored: dict[str, Sequence[str]] = {"reward": (), "filter_reward": ("draft", "rewrite")}
    rewards = {
        column: _rewards(judge, rows, scored[column], size) for column, judge in judges.items()
    }
    schema = pa.schema(
        [
            ("model", pa.string()),
            ("control", pa.string()),
            ("sample_id", pa.string()),
            ("reward", pa.float64()),
            ("filter_reward", pa.float64()),
            ("rouge_l", pa.float64()),
            ("sts", pa.float64()),
        ]
    )
    records = [
        {
            "model": row["model"],
            "control": row["control"],
            "sample_id": row["sample_id"],
            "reward": rewards["reward"][place],
            "filter_reward": rewards["filter_reward"][place],
            "rouge_l": row.get("rouge_l"),
            "sts": row.get("sts"),
        }
        for place, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(records, schema=schema)


def _rewards(
    judge: CrossEncoder, rows: Sequence[Mapping[str, Any]], skip: Sequence[str], size: int
) -> list[float | None]:
    """Rewards of texts by a judge; none for the models to skip."""
    from polite_flamingo.judges import reward

    places = [place for place, row in enumerate(rows) if row["model"] not in skip]
    instructions = [rows[place]["instruction"] for place in places]
    texts = [rows[place]["text"] for place in places]
    found: list[float | None] = [None] * len(rows)
    values = reward.reward(judge, instructions, texts, size)
    for place, value in zip(places, values.tolist(), strict=True):
        found[place] = value
    return found


def _judges(paths: Layout) -> dict[str, dict[str, Any]]:
    """Each judge's figures on scenes and wordings it has not seen."""
    found = {}
    for name in ("nli", "reward", "clipscore", "report_nli", "report_reward"):
        path = paths.judges / name / "metrics.json"
        if path.is_file():
            figures = read_json(path)
            found[name] = {**figures, "n": figures.get("pairs")}
    return found
