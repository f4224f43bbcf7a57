"""The gates of a promotion: candidate against champion, one row a gate, bounds from params.yaml."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from polite_flamingo.core.params import PromoteParams
from polite_flamingo.evaluation.metrics import Interval, bootstrap
from polite_flamingo.evaluation.win_rates import wins
from polite_flamingo.release.evidence import ACCURACY, FACTUAL, REWARD, Evidence
from polite_flamingo.release.manifest import table

# Of fewer shared questions nothing is concluded.
MIN_SHARED = 10
SEED, RESAMPLES = 0, 2000


@dataclass(frozen=True)
class Gate:
    """One row of the decision table; ``champion`` is None where there is none to compare with."""

    name: str
    candidate: float | None
    champion: float | None
    compared: str
    bound: str
    passed: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def judge(
    params: PromoteParams,
    candidate: Evidence | None,
    champion: Evidence | None,
    sizes: tuple[int | None, int | None],
    seconds: tuple[float | None, float | None],
    first: bool,
) -> list[Gate]:
    """All gates. ``first``: there is no champion, so only the data gate can fail.

    ``sizes`` in bytes and ``seconds`` are the candidate's and the champion's; None: not known, which
    fails a gate that must compare.
    """
    return [
        Gate(
            "data gate",
            None if candidate is None else float(candidate.gate),
            None,
            "",
            "passed",
            candidate is not None and candidate.gate,
        ),
        _drop("accuracy", ACCURACY, candidate, champion, params.max_accuracy_drop, first),
        _politeness(candidate, champion, params.min_win_rate, first),
        _drop("factuality", FACTUAL, candidate, champion, params.max_factual_drop, first),
        _ratio("size (MB)", sizes, 1e-6, params.max_size_ratio, first),
        _ratio("latency (s)", seconds, 1.0, params.max_latency_ratio, first),
    ]


def failed(gates: Sequence[Gate]) -> list[str]:
    """Names of the gates that did not pass."""
    return [gate.name for gate in gates if not gate.passed]


def decision_table(gates: Sequence[Gate]) -> str:
    """The table that `pf promote` prints."""
    rows = [
        (g.name, g.candidate, g.champion, g.compared, g.bound, "pass" if g.passed else "FAIL")
        for g in gates
    ]
    return table(("gate", "candidate", "champion", "compared", "bound", ""), rows)


def difference(
    name: str, own: Mapping[str, float], other: Mapping[str, float]
) -> tuple[Interval | None, str]:
    """Own minus other with its interval, and how it was found.

    Paired where at least half of the smaller side is shared; else of two independent means (half
    widths add in squares). None where a side is too small.
    """
    shared = sorted(own.keys() & other.keys())
    smaller = min(len(own), len(other))
    if smaller < MIN_SHARED:
        return None, f"{smaller} answers are too few"
    if len(shared) >= max(MIN_SHARED, smaller / 2):
        values = [own[key] - other[key] for key in shared]
        return bootstrap(values, SEED, name, resamples=RESAMPLES), f"paired, {len(shared)}"
    mine, theirs = (
        bootstrap([side[key] for key in sorted(side)], SEED, f"{name}/{place}", resamples=RESAMPLES)
        for place, side in enumerate((own, other))
    )
    half = math.hypot((mine.high - mine.low) / 2, (theirs.high - theirs.low) / 2)
    mean = mine.mean - theirs.mean
    return Interval(mean, mean - half, mean + half, smaller), f"unpaired, {smaller}"


def _drop(
    name: str,
    figure: str,
    candidate: Evidence | None,
    champion: Evidence | None,
    most: float,
    first: bool,
) -> Gate:
    own = dict(candidate.values.get(figure, {})) if candidate else {}
    other = dict(champion.values.get(figure, {})) if champion else {}
    found, how = difference(name, own, other) if not first else (None, "no champion yet")
    passed = first if found is None else not (found.mean < -most and found.high < 0)
    compared = how if found is None else f"{_interval(found, '+.3f')} {how}"
    return Gate(name, _mean(own), _mean(other), compared, f"drop <= {most:g}", passed)


def _politeness(
    candidate: Evidence | None, champion: Evidence | None, least: float, first: bool
) -> Gate:
    own = dict(candidate.values.get(REWARD, {})) if candidate else {}
    other = dict(champion.values.get(REWARD, {})) if champion else {}
    rates = wins(own, other)
    bound = f"win rate >= {least:g}"
    if first or len(rates) < MIN_SHARED:
        how = "no champion yet" if first else f"{len(rates)} shared questions are too few"
        return Gate("politeness", _mean(own), _mean(other), how, bound, first)
    found = bootstrap(list(rates.values()), SEED, "politeness", resamples=RESAMPLES)
    passed = not (found.mean < least and found.high < least)
    compared = f"{_interval(found, '.3f')} wins, {found.n}"
    return Gate("politeness", _mean(own), _mean(other), compared, bound, passed)


def _ratio(
    name: str,
    values: tuple[float | None, float | None],
    unit: float,
    most: float,
    first: bool,
) -> Gate:
    own, other = (None if value is None else value * unit for value in values)
    bound = f"ratio <= {most:g}"
    if first or not own or not other:
        how = "no champion yet" if first else "not known"
        return Gate(name, own, other, how, bound, first)
    return Gate(name, own, other, f"{own / other:.3f}", bound, own / other <= most)


def _mean(values: Mapping[str, float]) -> float | None:
    return sum(values.values()) / len(values) if values else None


def _interval(found: Interval, form: str) -> str:
    return f"{found.mean:{form}} [{found.low:{form}}, {found.high:{form}}]"
