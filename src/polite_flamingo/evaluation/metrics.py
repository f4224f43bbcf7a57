"""Text metrics, accuracy and bootstrap intervals, on plain values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from polite_flamingo.core.seeds import generator

_WORD = re.compile(r"[a-z0-9]+")
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Resamples drawn at once: bounds the index matrix at some 16 MB whatever the sample count.
_CELLS = 2_000_000


@dataclass(frozen=True)
class Interval:
    """A mean over `n` values with its bootstrap interval [low, high]."""

    mean: float
    low: float
    high: float
    n: int

    def bounds(self) -> dict[str, float]:
        """The two bounds as a JSON value."""
        return {"low": self.low, "high": self.high}


def words(text: str) -> list[str]:
    """Lower-case alphanumeric tokens, the tokenization of Rouge without its stemmer."""
    return _WORD.findall(text.lower())


@lru_cache(maxsize=1)
def _rouge_scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], use_stemmer=False)


@lru_cache(maxsize=65_536)
def _rouge_l(text: str, reference: str) -> float:
    return float(_rouge_scorer().score(reference, text)["rougeL"].fmeasure)


def rouge_l(text: str, references: Sequence[str]) -> float | None:
    """Rouge-L F1 (0..1) against the best-matching reference; None without references.

    Lin 2004, the package `rouge-score` without stemming; METHOD section 7 (captioning).
    """
    return max((_rouge_l(text, reference) for reference in references), default=None)


def accuracy_of(rows: Iterable[Mapping[str, Any]]) -> float | None:
    """Share of rows with a true `correct`; rows where it is null have no short answer.

    None if no row can be scored.
    """
    marks = [bool(row["correct"]) for row in rows if row["correct"] is not None]
    return sum(marks) / len(marks) if marks else None


def mean_of(values: Iterable[float | bool | None]) -> float | None:
    """Mean of the values that are not None; None if there is none."""
    present = [float(value) for value in values if value is not None]
    return float(np.mean(present)) if present else None


def spread(values: Iterable[float | None]) -> dict[str, float | int | None]:
    """Count, mean and quantiles (keys n, mean, p05 .. p95) of the values that are not None."""
    present = np.array([value for value in values if value is not None], dtype=np.float64)
    summary: dict[str, float | int | None] = {
        "n": len(present),
        "mean": float(present.mean()) if len(present) else None,
    }
    for quantile in _QUANTILES:
        key = f"p{round(quantile * 100):02d}"
        summary[key] = float(np.quantile(present, quantile)) if len(present) else None
    return summary


def bootstrap(
    values: Sequence[float],
    seed: int,
    name: str,
    clusters: Sequence[str] | None = None,
    resamples: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Mean of `values` with a percentile bootstrap interval, the same on every run.

    `clusters` (one label a value, such as the image) are drawn whole, because questions about
    one image are not independent. The random state derives from (seed, "bootstrap", name).
    For paired data pass the differences. Raises ValueError on no values.
    """
    if len(values) == 0:
        raise ValueError(f"no values to bootstrap for {name}")
    data = np.asarray(values, dtype=np.float64)
    if clusters is None:
        sums: np.ndarray[Any, Any] = data
        sizes: np.ndarray[Any, Any] = np.ones_like(data)
    else:
        _, index = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
        sums, sizes = (
            np.bincount(index, weights=data),
            np.bincount(index, weights=np.ones_like(data)),
        )
    rng = generator(seed, "bootstrap", name)
    means: list[np.ndarray[Any, Any]] = []
    block = max(1, _CELLS // len(sums))
    for start in range(0, resamples, block):
        drawn = rng.integers(0, len(sums), size=(min(block, resamples - start), len(sums)))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return Interval(mean=float(data.mean()), low=float(low), high=float(high), n=len(data))


def distinct_n(texts: Iterable[str], n: int) -> float | None:
    """Distinct n-grams over all n-grams of the texts (Li et al. 2016); None without any."""
    total, seen = 0, set()
    for text in texts:
        tokens = words(text)
        grams = list(zip(*(tokens[start:] for start in range(n)), strict=False))
        total += len(grams)
        seen.update(grams)
    return len(seen) / total if total else None


def self_bleu(texts: Sequence[str], seed: int, size: int = 100) -> float | None:
    """Mean BLEU-4 of each text against the others (Zhu et al. 2018), 1 = all alike.

    Over at most `size` texts, drawn without replacement from (seed, "self_bleu"), since the
    cost grows with the square. None for fewer than two texts.
    """
    if len(texts) < 2:
        return None
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    if len(texts) > size:
        drawn = generator(seed, "self_bleu").choice(len(texts), size=size, replace=False)
        texts = [texts[int(index)] for index in sorted(drawn)]
    tokens = [words(text) for text in texts]
    smooth = SmoothingFunction().method1
    scores = [
        sentence_bleu(tokens[:place] + tokens[place + 1 :], own, smoothing_function=smooth)
        for place, own in enumerate(tokens)
    ]
    return float(np.mean(scores))
