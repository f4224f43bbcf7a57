"""Bootstrap intervals of means over samples, drawn by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    def gap(
        self, name: str, own: Mapping[str, float], other: Mapping[str, float]
    ) -> Interval | None:
        """Paired interval of own minus other on the sample ids that both hold; None for none."""
        return self.mean(name, [(key, own[key] - other[key]) for key in sorted(own.keys() & other)])


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
