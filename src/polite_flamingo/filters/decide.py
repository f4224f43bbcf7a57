"""Scores and thresholds -> a decision (METHOD section 5). Pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass

from polite_flamingo.filters import rules

# In the order in which they are named as a reason.
FILTERS = (
    "too_short",
    "too_long",
    "repetition",
    "boxes",
    "unchanged",
    "unfinished",
    "echo",
    "lost",
    "foreign",
    "sts",
    "clipscore",
    "nli",
    "nli_lines",
)
# Which judge speaks on which task; the other filters are for all tasks.
TASKS = {
    "sts": frozenset({"captioning", "change_captioning"}),
    "clipscore": frozenset({"captioning"}),
    "nli": frozenset({"vqa", "vqa_rationale", "classification"}),
    "nli_lines": frozenset({"captioning", "change_captioning"}),
}


@dataclass(frozen=True)
class Thresholds:
    """A rewrite is dropped below ``min_words``, ``sts`` and ``clipscore`` (the latter by paragraph)
    and above ``max_words``; at or above the others.

    ``nli`` is a margin of logits, not entailed: the larger of contradiction and neutral minus
    entailment (the paper drops on contradiction only; courtesy without an answer is neutral).
    ``nli_lines`` is a margin too, the worst line's: contradiction minus the larger of the others.
    """

    min_words: int
    max_words: int
    change: float
    repetition: float
    sts: float
    clipscore: float
    nli: float
    nli_lines: float
    echo: float
    lost: float
    foreign: float


@dataclass(frozen=True)
class Scores:
    """What is known about one rewrite; None (or empty) where a judge does not speak on the task.

    ``length`` in words, ``change``, ``repetition``, ``echo``, ``lost`` and ``foreign`` (see
    ``rules`` and ``facts``) 0..1, ``stopped``: with an end token, ``ended``: as a sentence ends,
    ``sts`` a cosine, ``clipscore`` 100 x cosine a paragraph, ``nli`` the logits (contradiction,
    entailment, neutral) of the annotation, or of the line of it that is contradicted most.
    """

    length: int
    change: float
    repetition: float
    boxes: bool
    stopped: bool
    ended: bool = True
    echo: float = 0.0
    lost: float = 0.0
    foreign: float = 0.0
    sts: float | None = None
    clipscore: tuple[float, ...] | None = None
    nli: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Decision:
    """``filters`` lists every filter that fails, ``reason`` is the first one ("" when kept).

    ``output`` is the rewrite without the paragraphs that CLIPScore removes.
    """

    decision: str
    reason: str
    filters: tuple[str, ...]
    output: str


def applies(judge: str, task: str) -> bool:
    """Tell whether a judge's score (sts, clipscore, nli) decides about rewrites of a task."""
    return task in TASKS[judge]


def contradiction_margin(logits: tuple[float, float, float]) -> float:
    """Logit of contradiction minus the larger of the other two; above 0 = argmax."""
    contradiction, entailment, neutral = logits
    return contradiction - max(entailment, neutral)


def unsupported_margin(logits: tuple[float, float, float]) -> float:
    """Larger logit of contradiction and neutral, minus entailment; above 0 = not entailed."""
    contradiction, entailment, neutral = logits
    return max(contradiction, neutral) - entailment


def decide(task: str, rewrite: str, scores: Scores, thresholds: Thresholds) -> Decision:
    """Decide about one rewrite.

    A missing or NaN score that the task needs fails its filter: what was not checked is not kept.
    """
    output = rewrite.strip()
    kept_all = True
    if applies("clipscore", task):
        output, kept_all = _without_poor_paragraphs(output, scores.clipscore, thresholds.clipscore)
    length = scores.length if kept_all else rules.word_count(output)
    passed = {
        "unfinished": scores.stopped and scores.ended,
        # A text whose every paragraph was removed is CLIPScore's to drop, not the length's.
        "too_short": length >= thresholds.min_words or (not output and not kept_all),
        "too_long": length <= thresholds.max_words,
        "repetition": scores.repetition < thresholds.repetition,
        "boxes": not scores.boxes,
        "unchanged": scores.change < thresholds.change,
        "sts": scores.sts is not None and scores.sts >= thresholds.sts,
        "clipscore": bool(output),
        "echo": scores.echo < thresholds.echo,
        "lost": scores.lost < thresholds.lost,
        "foreign": scores.foreign < thresholds.foreign,
        "nli": scores.nli is not None and unsupported_margin(scores.nli) < thresholds.nli,
        "nli_lines": scores.nli is not None
        and contradiction_margin(scores.nli) < thresholds.nli_lines,
    }
    failed = tuple(
        name for name in FILTERS if not passed[name] and (name not in TASKS or applies(name, task))
    )
    return Decision(
        decision="dropped" if failed else "kept",
        reason=failed[0] if failed else "",
        filters=failed,
        output=output,
    )


def _without_poor_paragraphs(
    text: str, values: tuple[float, ...] | None, threshold: float
) -> tuple[str, bool]:
    parts = rules.paragraphs(text)
    values = values if values is not None else (math.nan,) * len(parts)
    if len(values) != len(parts):
        raise ValueError(f"{len(values)} CLIPScores for {len(parts)} paragraphs")
    good = [part for part, value in zip(parts, values, strict=True) if value >= threshold]
    if len(good) == len(parts):
        return text, True
    return rules.join_paragraphs(good), False
