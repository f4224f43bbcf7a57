"""Bootstrap intervals: of means over samples, drawn by image, and over pairs of question and draft."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from polite_flamingo.core.sample import Sample
from polite_flamingo.core.tables import rounded
from polite_flamingo.evaluation import metrics
from polite_flamingo.evaluation.metrics import Interval


class SampleBootstrap:
    """Bootstrap means over samples, drawn by image: questions on one image hang together."""

    def __init__(self, samples: Mapping[str, Sample], seed: int, resamples: int) -> None:
        self._samples, self._seed, self._resamples = samples, seed, resamples

    def mean(self, name: str, values: Sequence[tuple[str, float]]) -> Interval | None:
        """Interval of (sample id, value) pairs; None for no pairs."""
        if not values:
            return None
        clusters = []
        for sample_id, _ in values:
            sample = self._samples.get(sample_id)
            clusters.append("+".join(sample.images) or sample_id if sample else sample_id)
        return metrics.bootstrap(
            [float(value) for _, value in values], self._seed, name, clusters, self._resamples
        )

    def over_pairs(self, name: str, rows: Iterable[Mapping[str, Any]], key: str) -> Interval | None:
        """Macro-average of ``key`` over the rows' pairs, pairs drawn; None where no row has it."""
        means = pair_means(rows, key)
        if not means:
            return None
        return metrics.bootstrap(list(means.values()), self._seed, name, resamples=self._resamples)

    def by_pair(self, name: str, values: Sequence[tuple[str, float]]) -> Interval | None:
        """Plain mean of (pair, value) entries, pairs drawn whole; None for no entries."""
        if not values:
            return None
        return metrics.bootstrap(
            [float(value) for _, value in values],
            self._seed,
            name,
            [pair for pair, _ in values],
            self._resamples,
        )

    def gap(
        self, name: str, own: Mapping[str, float], other: Mapping[str, float]
    ) -> Interval | None:
        """Paired interval of own minus other on the sample ids that both hold; None for none."""
        return self.mean(name, [(key, own[key] - other[key]) for key in sorted(own.keys() & other)])


def pair_means(rows: Iterable[Mapping[str, Any]], key: str) -> dict[str, float]:
    """Mean of ``key`` within each distinct (question, draft) pair, where it is not null.

    Real sets repeat themselves (easy-VQA has 107 questions): rewrites of one pair are no
    independent evidence.
    """
    found: dict[str, list[float]] = {}
    for row in rows:
        if row[key] is not None:
            found.setdefault(row["pair"], []).append(float(row[key]))
    return {pair: sum(values) / len(values) for pair, values in sorted(found.items())}


def as_json(interval: Interval | None) -> dict[str, Any] | None:
    """An interval as a JSON value: mean, low, high, n."""
    return (
        None if interval is None else {"mean": interval.mean, **interval.bounds(), "n": interval.n}
    )


def side_of(interval: Interval | None, value: float = 0.0) -> int | None:
    """1 if the whole interval lies above `value`, -1 if below, 0 if it holds it; None for none.

    Compared as it is written, with six digits: what the page prints is what was decided on.
    """
    if interval is None:
        return None
    low, high = rounded([interval.low, interval.high])
    return int(low > value) - int(high < value)
