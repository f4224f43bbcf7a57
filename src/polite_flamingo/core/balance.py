"""Draw questions so that each of their answers comes as often as the others.

To "is there a red shape?" the answer is mostly no; a model that may say so without looking never
learns to look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence


def answer_weights(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Sampling weight of each (question, answer): a question's answers weigh the same in all."""
    counts = Counter(pairs)
    asked: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for (question, _), count in counts.items():
        asked[question] += count
        kinds[question] += 1
    return {
        (question, answer): asked[question] / (kinds[question] * count)
        for (question, answer), count in counts.items()
    }


def weighted_choice(draws: Sequence[float], weights: Sequence[float], number: int) -> list[int]:
    """Places of ``number`` items drawn without replacement by weight, likeliest first.

    ``draws`` are uniform in [0, 1), one an item; a larger ``number`` only adds (Efraimidis and
    Spirakis 2006: the largest of u^(1/w)).
    """
    keys = [draw ** (1 / weight) for draw, weight in zip(draws, weights, strict=True)]
    return sorted(range(len(keys)), key=lambda place: -keys[place])[:number]
