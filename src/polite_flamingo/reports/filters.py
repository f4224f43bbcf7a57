"""The filters' trade-off as a figure: planted faults caught against good rewrites lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polite_flamingo.reports import sentences
from polite_flamingo.reports.figures import COLORS, _canvas, _percent, _styled, _svg

_LINES = ("#2557d6", "#d97706", "#0f9d77", "#7c3aed", "#ef4444", "#3b82f6", "#14b8a6", "#b45309")
# Beyond this share of good rewrites nobody would go.
_MOST_LOST = 0.2


def filter_curves(trade_off: Mapping[str, Any], max_good_lost: float, min_recall: float) -> bytes:
    """Left all filters together, right each on the faults it is there for. Returns SVG.

    ``trade_off`` as of ``evaluation.filtering.trade_off``; the other two are the gate's floors,
    drawn as dashed lines.
    """
    with _styled():
        figure, (left, right) = _canvas(8.2, 3.4, 2)
        points = trade_off["all"]
        lost = [point["good_lost"] for point in points]
        for key, name, color in (
            ("bad_caught", "all planted faults", COLORS["pf"]),
            ("worst_recall", "the fault caught least", COLORS["raw"]),
        ):
            left.plot(lost, [p[key] for p in points], marker="o", ms=3, color=color, label=name)
        chosen = trade_off["chosen"]
        if chosen["good_lost"] is not None:
            left.plot(
                [chosen["good_lost"]], [chosen["bad_caught"]], marker="*", ms=11, ls="",
                color=COLORS["kept"], label="as chosen",
            )  # fmt: skip
        left.set_title("all filters")
        for place, (name, own) in enumerate(trade_off["filters"].items()):
            shown = sorted(
                (p["good_lost"], p["recall"]) for p in own if p["good_lost"] <= _MOST_LOST
            )
            right.plot(
                [x for x, _ in shown], [y for _, y in shown], marker=".", ms=4,
                color=_LINES[place % len(_LINES)],
                ls="-" if place < len(_LINES) else "--", label=sentences.filter_name(name),
            )  # fmt: skip
        right.set_title("each on the faults it is there for")
        for axes in (left, right):
            axes.axvline(max_good_lost, color=COLORS["muted"], ls="--", lw=0.8)
            axes.axhline(min_recall, color=COLORS["muted"], ls="--", lw=0.8)
            axes.set_xlim(-0.003, _MOST_LOST)
            axes.set_ylim(-0.02, 1.02)
            axes.set_xlabel("good rewrites lost")
            axes.set_ylabel("planted faults caught")
            axes.xaxis.set_major_formatter(_percent())
            axes.yaxis.set_major_formatter(_percent())
            axes.legend(loc="lower right", fontsize=7)
        return _svg(figure)
