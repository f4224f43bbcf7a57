"""The report as one HTML page: no script, no address outside it, images inside it."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polite_flamingo.reports import evidence, figures, sentences
from polite_flamingo.reports.evidence import figure_text as headline_text
from polite_flamingo.reports.sentences import DASH, NOT_MEASURED, number, percent, signed

Row = Mapping[str, Any]

# A stored image longer than this is scaled down for the gallery.
THUMBNAIL = 256

SET_NAMES = {
    "raw": "raw annotations",
    "rewritten": "rewritten",
    "kept": "kept",
    "style": "polite style",
}
SET_COLORS = {"raw": "raw", "rewritten": "muted", "kept": "kept", "style": "style"}
VARIANT_NAMES = {"pf": "tuned on PF data", "raw": "tuned on raw annotations"}
JUDGE_NAMES = {
    "nli": "NLI",
    "reward": "Reward",
    "clipscore": "CLIPScore",
    "sts": "STS",
    "similarity": "STS",
    "report_nli": "NLI, reporting",
    "report_reward": "Reward, reporting",
}

MEANINGS = {
    "easyvqa_accuracy": "easy-VQA test questions answered right after stage 3",
    "easyvqa_blind_accuracy": "the same with the image replaced by a blank one",
    "digits_accuracy": "digits test images named right after stage 3",
    "digits_blind_accuracy": "the same with the image replaced by a blank one",
    "rewrite_win_rate": "kept outputs whose reward beats that of their own draft, ties half",
    "kept_share": "rewrites that pass every filter",
    "rewrite_win_rate_filter_judge": "the same by the reward judge that filtered",
    "kept_faithful": "kept outputs that say what their draft says, over (question, draft) pairs",
    "kept_factual": "kept outputs that are true of their images, over (question, draft) pairs",
    "kept_factual_right_drafts": "the same where the draft is right",
    "all_factual": "the same over all rewrites, before filtering",
    "beats_template_reward": "whether the rewriter's reward is above a template's on the same drafts, beyond the interval",
    "beats_template_diversity": "whether the rewriter has more distinct 1-grams and 2-grams and less self-BLEU than a template",
    "tax_win_rate_filter_judge": "PF-tuned beats raw-tuned after stage 2 by the reward judge that filtered",
    "tax_win_rate_stage3_filter_judge": "the same after stage 3",
    "tax_win_rate": "test samples on which PF-tuned beats raw-tuned by reward after stage 2",
    "tax_win_rate_stage3": "the same after stage 3",
    "tax_accuracy_gap": "in-domain accuracy of PF-tuned minus raw-tuned after stage 2",
    "tax_accuracy_gap_stage3": "the same after stage 3",
    "nli_accuracy": "accuracy of the NLI judge on held-out examples",
    "report_nli_accuracy": "accuracy of the NLI judge that only reports",
    "report_reward_accuracy": "held-out pairs that the reward judge that only reports orders right",
    "reward_accuracy": "held-out pairs that the reward judge orders right",
    **{
        f"stage{stage}_{figure}": text.format(stage)
        for stage in (1, 2, 3)
        for figure, text in (
            ("accuracy", "in-domain accuracy of PF-tuned after stage {}"),
            ("reward", "mean reward of PF-tuned after stage {}"),
        )
    },
}

# 975,782 of 1.17 M rewrites (METHOD section 4).
PAPER_KEPT_SHARE = 0.834
# What a guess scores: three NLI labels, two orders of a pair, own caption against another's.
CHANCE = {
    "nli": 1 / 3,
    "reward": 1 / 2,
    "clipscore": 1 / 2,
    "report_nli": 1 / 3,
    "report_reward": 1 / 2,
}


@dataclass(frozen=True)
class Card:
    """A headline figure and the control that belongs beside it.

    `control` is a headline key, a constant, or a judge whose figures hold its own `control` (else
    CHANCE); `control_name` says what it is.
    """

    key: str
    title: str
    control: str | float
    control_name: str


CARDS = (
    Card("easyvqa_accuracy", "easy-VQA accuracy", "easyvqa_blind_accuracy", "blank image"),
    Card("digits_accuracy", "Digits accuracy", "digits_blind_accuracy", "blank image"),
    Card("kept_share", "Rewrites kept", PAPER_KEPT_SHARE, "paper, PF-1M"),
    Card("kept_faithful", "Kept rewrites faithful", evidence.least("kept_faithful"), "target"),
    Card("kept_factual", "Kept rewrites true", "all_factual", "before filters"),
    Card(
        "kept_factual_right_drafts",
        "True, draft right",
        evidence.least("kept_factual_right_drafts"),
        "target",
    ),
    Card("rewrite_win_rate", "Beat their draft", 0.5, "no preference"),
    Card("stage3_reward", "Reward, stage 3", "stage2_reward", "stage 2"),
    Card("tax_win_rate", "PF beats raw, stage 2", 0.5, "no tax"),
    Card("tax_win_rate_stage3", "PF beats raw, stage 3", 0.5, "no tax"),
    Card("tax_accuracy_gap", "Accuracy gap, stage 2", 0.0, "PF = raw"),
    Card("tax_accuracy_gap_stage3", "Accuracy gap, stage 3", 0.0, "PF = raw"),
    Card("nli_accuracy", "NLI judge", "nli", "chance"),
    Card("reward_accuracy", "Reward judge", "reward", "chance"),
)


def stage_model(variant: str, stage: int) -> str:
    """The model of a variant after a stage; stage 0 is the base, before any tuning."""
    return f"{variant}-stage{stage}" if stage else "base"


def entailment_text(logits: Sequence[float] | None) -> str:
    """The likeliest of contradiction, entailment, neutral and its probability, from logits."""
    if not logits:
        return DASH
    top = max(logits)
    weights = [math.exp(logit - top) for logit in logits]
    best = max(range(len(weights)), key=weights.__getitem__)
    name = ("contradiction", "entailment", "neutral")[best]
    return f"{name} {weights[best] / sum(weights):.0%}"


def data_uri(data: bytes, kind: str) -> str:
    """Bytes as a data URI of media type `kind`."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def image_uri(data: bytes) -> str:
    """A stored image as a data URI, scaled down if an edge is longer than THUMBNAIL pixels."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        if max(image.size) <= THUMBNAIL and image.format in ("PNG", "JPEG"):
            return data_uri(data, f"image/{image.format.lower()}")
        small = image.convert("RGB")
        small.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = io.BytesIO()
    small.save(buffer, format="PNG")
    return data_uri(buffer.getvalue(), "image/png")


def removed_marks(rewrite: str, output: str) -> list[tuple[str, bool]]:
    """The paragraphs of a rewrite with whether the filters removed each from the output."""
    left = [part.strip() for part in output.splitlines() if part.strip()]
    marks = []
    for part in (line.strip() for line in rewrite.splitlines()):
        if part:
            kept = part in left
            if kept:
                left.remove(part)
            marks.append((part, not kept))
    return marks


def _cards(metrics: Row) -> list[dict[str, Any]]:
    headline, intervals = metrics["headline"], metrics["intervals"]
    cards = []
    for card in CARDS:
        if card.key not in headline:
            continue
        measured = headline[card.key] is not None
        control: float | None
        name = card.control_name
        if isinstance(card.control, float):
            control = card.control
        elif card.control in metrics["judges"]:
            control = metrics["judges"][card.control].get("control", CHANCE[card.control])
            name = metrics["judges"][card.control].get("control_name", name)
        else:
            control = headline.get(card.control)
        bounds = intervals.get(card.key)
        cards.append(
            {
                "key": card.key,
                "title": card.title,
                "value": headline_text(card.key, headline[card.key]) if measured else NOT_MEASURED,
                "measured": measured,
                "interval": " to ".join(
                    headline_text(card.key, bounds[side]).removesuffix(" %").removesuffix(" pts")
                    for side in ("low", "high")
                )
                if bounds
                else "",
                "control": headline_text(card.key, control),
                "control_name": name,
                "meaning": MEANINGS[card.key],
            }
        )
    return cards


def _charts(metrics: Row) -> dict[str, str]:
    """The figures as data URIs; one without data is left out."""
    drawn: dict[str, bytes] = {}
    rewards = metrics["rewards"]
    if rewards["edges"]:
        drawn["rewards"] = figures.reward_histogram(
            rewards["edges"],
            {SET_NAMES[name]: rewards["sets"][name]["shares"] for name in SET_NAMES},
            {SET_NAMES[name]: SET_COLORS[name] for name in SET_NAMES},
        )
    lines = {
        figure: {
            label: [_point(metrics["stages"], variant, stage, figure) for stage in (0, 1, 2, 3)]
            for variant, label in VARIANT_NAMES.items()
        }
        for figure in ("accuracy", "reward")
    }
    drawn["stages"] = figures.u_shape(
        lines["accuracy"], lines["reward"], {label: key for key, label in VARIANT_NAMES.items()}
    )
    matrix = metrics["win_rates"]
    if len(matrix["models"]) > 1:
        drawn["wins"] = figures.win_rate_heat_map(matrix["models"], matrix["rates"])
    rows = metrics["funnel"]
    if rows:
        reasons = {part["reason"]: index for index, part in enumerate(rows[0]["dropped"])}
        dropped = {
            sentences.filter_name(reason): [row["dropped"][index]["count"] for row in rows]
            for reason, index in reasons.items()
        }
        if any(row["rejected"] for row in rows):
            dropped = {"not rewritten": [row["rejected"] for row in rows], **dropped}
        drawn["funnel"] = figures.filter_funnel(
            [row["source"] for row in rows], [row["kept"] for row in rows], dropped
        )
    return {name: data_uri(svg, "image/svg+xml") for name, svg in drawn.items()}


def _point(stages: Row, variant: str, stage: int, figure: str) -> figures.Point | None:
    own = stages[stage_model(variant, stage)]
    value, bounds = own[figure], own["intervals"].get(figure)
    if value is None:
        return None
    return (value, bounds["low"], bounds["high"]) if bounds else (value, value, value)


def adversarial_rows(judges: Row) -> list[dict[str, Any]]:
    """One row a judge and adversarial set.

    Keys: judge, set, accuracy, pairs, accepted (share of the better texts that the NLI takes; these
    are None where not told), required (False: not this judge's business).
    """
    rows = []
    for judge, own in sorted(judges.items()):
        for name, found in sorted((own.get("adversarial") or {}).items()):
            told = found if isinstance(found, Mapping) else {"accuracy": found}
            sizes = [told[key] for key in ("n", "pairs") if key in told]
            rows.append(
                {
                    "judge": judge,
                    "set": name.replace("_", " "),
                    "accuracy": told.get("accuracy"),
                    "pairs": sizes[0] if sizes else None,
                    "accepted": told.get("accepted"),
                    "required": told.get("required", True),
                }
            )
    return rows


def _gallery(rows: Sequence[Row], image: Callable[[str], bytes]) -> list[dict[str, Any]]:
    return [
        {
            **row,
            "pictures": [image_uri(image(image_id)) for image_id in row["images"]],
            "paragraphs": removed_marks(row["rewrite"], row["output"])
            if row["decision"] == "kept"
            else [(part, False) for part in row["rewrite"].splitlines() if part.strip()],
        }
        for row in rows
    ]


def render(
    metrics: Row,
    gallery: Sequence[Row],
    image: Callable[[str], bytes],
    profile: str,
    seeds: Row | None = None,
    curves: bytes | None = None,
) -> str:
    """The whole page as HTML text.

    `metrics` is data/evaluation/metrics.json, `seeds` is benchmarks/results/seeds/summary.json and
    `curves` the figure of `filters.filter_curves` (None: not there). Rows of `gallery` hold
    sample_id, candidate, source, task, images, instruction, draft, rewrite, output, decision,
    reason, draft_factual, factual, output_factual, faithful, draft_reward, reward, output_reward,
    length, change, sts, clipscore, nli (null where a score does not apply). `image` gives the
    stored bytes of an image id. Equal input gives equal text.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("polite_flamingo.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "signed": signed,
        "number": number,
        "filter_name": sentences.filter_name,
        "entailment": entailment_text,
    }
    return environment.get_template("page.html.j2").render(
        metrics=metrics,
        profile=profile,
        cards=_cards(metrics),
        evidence=evidence.headline_rows(metrics),
        seeds=(seeds or {}).get("seeds", []),
        seed_rows=evidence.seed_rows(seeds),
        adversarial=adversarial_rows(metrics["judges"]),
        charts=_charts(metrics)
        | ({"filters": data_uri(curves, "image/svg+xml")} if curves else {}),
        gallery=_gallery(gallery, image),
        u_shape=sentences.u_shape_sentence(metrics["findings"]["u_shape"]),
        tax=sentences.tax_sentence(metrics["findings"]),
        filters=sentences.filters_sentence(metrics["filters"], metrics["faults"]),
        headline=[
            {
                "key": key,
                "text": NOT_MEASURED if value is None else headline_text(key, value),
                "bounds": [
                    headline_text(key, metrics["intervals"][key][side]) for side in ("low", "high")
                ]
                if key in metrics["intervals"]
                else [],
                "meaning": MEANINGS.get(key, ""),
            }
            for key, value in sorted(metrics["headline"].items())
        ],
        set_names=SET_NAMES,
        judge_names=JUDGE_NAMES,
        system_names=evidence.SYSTEMS,
        chance=CHANCE,
    )
