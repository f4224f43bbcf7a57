"""The report's figures as SVG bytes, drawn from plain numbers; equal input, equal bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

# A mean with the bounds of its interval: (value, low, high).
Point = tuple[float, float, float]

COLORS = {
    "pf": "#2557d6",
    "raw": "#d97706",
    "kept": "#0f9d77",
    "style": "#7c3aed",
    "muted": "#94a3b8",
}
INK, SOFT, GRID = "#0f172a", "#64748b", "#e2e8f0"
# Drop reasons: distinct from the green of `kept`, warm to cool in the order of the filters.
_DROPS = ("#475569", "#94a3b8", "#f59e0b", "#ef4444", "#a855f7", "#3b82f6", "#14b8a6", "#b45309")
_STYLE: Any = {
    # Ids inside the SVG come from this salt instead of a random one.
    "svg.hashsalt": "polite-flamingo",
    # Glyphs as paths: the page looks the same whatever fonts the reader has.
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": GRID,
    "axes.labelcolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


def _canvas(width: float, height: float, columns: int = 1) -> tuple[Any, Any]:
    """A figure (inches) without the global pyplot state, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, columns)
    return figure, axes


def _svg(figure: Any) -> bytes:
    buffer = io.BytesIO()
    # No date and no library version: they would change the bytes of an equal figure.
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _styled() -> Any:
    from matplotlib import rc_context

    return rc_context(_STYLE)


def reward_histogram(
    edges: Sequence[float], shares: Mapping[str, Sequence[float]], colors: Mapping[str, str]
) -> bytes:
    """Reward distributions, one outlined step a set.

    `edges` has one more value than each list of `shares` (share of the set in the bin, 0..1);
    `colors` maps a set's name to a key of COLORS. Returns SVG.
    """
    with _styled():
        figure, axes = _canvas(8.2, 3.1)
        for name, heights in shares.items():
            color = COLORS[colors.get(name, "muted")]
            # Empty bins are gaps: no line along the axis.
            steps = [height or float("nan") for height in heights]
            axes.stairs(steps, edges, color=color, linewidth=1.8, label=name)
            axes.stairs(steps, edges, color=color, fill=True, alpha=0.10)
        axes.set_xlabel("reward (higher is more polite)")
        axes.set_ylabel("share of responses")
        axes.yaxis.set_major_formatter(_percent())
        axes.set_ylim(bottom=0)
        axes.grid(axis="x", visible=False)
        axes.legend(loc="upper center", ncols=max(1, len(shares)), bbox_to_anchor=(0.5, 1.17))
        return _svg(figure)


def u_shape(
    accuracy: Mapping[str, Sequence[Point | None]],
    reward: Mapping[str, Sequence[Point | None]],
    colors: Mapping[str, str],
) -> bytes:
    """Accuracy (0..1, left) and mean reward (right), a line a system, with its intervals.

    Four points each: before tuning, after stages 1, 2, 3; None where a system was not measured.
    Returns SVG.
    """
    with _styled():
        figure, (left, right) = _canvas(8.2, 3.1, columns=2)
        for axes, lines, title in (
            (left, accuracy, "Accuracy, in-domain test"),
            (right, reward, "Mean reward, all test samples"),
        ):
            ends = {name: points[-1][0] for name, points in lines.items() if points[-1]}
            top = max(ends, key=lambda name: ends[name], default="")
            for place, (name, line) in enumerate(lines.items()):
                points = [(stage, point) for stage, point in enumerate(line) if point]
                if not points:
                    continue
                color = COLORS[colors.get(name, "muted")]
                # Systems stand side by side: equal values stay legible.
                x = [stage + 0.07 * (place - (len(lines) - 1) / 2) for stage, _ in points]
                y = [value for _, (value, _, _) in points]
                # A mean may lie a rounding beyond its bound.
                below = [max(0.0, value - low) for _, (value, low, _) in points]
                above = [max(0.0, high - value) for _, (value, _, high) in points]
                axes.errorbar(
                    x, y, yerr=[below, above], color=color, marker="o", markersize=5, lw=2,
                    elinewidth=1.2, capsize=3, label=name,
                )  # fmt: skip
                text = f"{y[-1]:.1%}" if axes is left else f"{y[-1]:+.2f}"
                # One label above its point, the other below: equal ends stay legible.
                lift = 3 if name == top else -9
                axes.annotate(
                    text, (x[-1], y[-1]), (8, lift), textcoords="offset points", color=color
                )
            axes.set_title(title)
            axes.set_xticks(
                [0, 1, 2, 3],
                ["base\nuntuned", "stage 1\nfollow", "stage 2\nsee", "stage 3\nrecover"],
            )
            axes.set_xlim(-0.25, 3.75)
            axes.margins(y=0.18)
            axes.grid(axis="x", visible=False)
        left.yaxis.set_major_formatter(_percent())
        # Where nothing has a short answer only the reward is measured.
        handles, labels = right.get_legend_handles_labels()
        if labels:
            figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        return _svg(figure)


def win_rate_heat_map(models: Sequence[str], rates: Sequence[Sequence[float | None]]) -> bytes:
    """Win rate of the row's system over the column's (0..1, None left empty). Returns SVG."""
    from matplotlib.colors import LinearSegmentedColormap

    scale = LinearSegmentedColormap.from_list(
        "win", [COLORS["raw"], "#f8fafc", COLORS["pf"]], N=256
    )
    with _styled():
        side = 0.62 * len(models) + 1.9
        figure, axes = _canvas(side + 0.5, side * 0.82)
        grid = [[float("nan") if rate is None else rate for rate in row] for row in rates]
        axes.imshow(grid, cmap=scale, vmin=0, vmax=1, aspect="auto")
        for row, line in enumerate(rates):
            for column, rate in enumerate(line):
                if rate is not None:
                    strong = abs(rate - 0.5) > 0.33
                    axes.text(
                        column, row, f"{rate:.0%}", ha="center", va="center",
                        color="white" if strong else INK, fontsize=9,
                    )  # fmt: skip
        axes.set_xticks(range(len(models)), models, rotation=35, ha="right")
        axes.set_yticks(range(len(models)), models)
        axes.tick_params(length=0, labelcolor=INK)
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_title("row beats column, by reward")
        return _svg(figure)


def filter_funnel(
    sources: Sequence[str], kept: Sequence[int], dropped: Mapping[str, Sequence[int]]
) -> bytes:
    """One bar a source: share kept, then the share each reason dropped first.

    `kept` and each list of `dropped` are aligned with `sources`. Returns SVG.
    """
    with _styled():
        figure, axes = _canvas(8.2, 0.42 * len(sources) + 1.3)
        totals = [
            max(1, own + sum(counts[place] for counts in dropped.values()))
            for place, own in enumerate(kept)
        ]
        start = [0.0] * len(sources)
        parts = [("kept", kept, COLORS["kept"])]
        parts += [
            (name, counts, _DROPS[place % len(_DROPS)])
            for place, (name, counts) in enumerate(dropped.items())
        ]
        for name, counts, color in parts:
            shares = [count / total for count, total in zip(counts, totals, strict=True)]
            axes.barh(range(len(sources)), shares, left=start, color=color, height=0.64, label=name)
            for place, share in enumerate(shares):
                if share >= 0.06:
                    axes.text(
                        start[place] + share / 2, place, f"{share:.0%}", ha="center",
                        va="center", color="white", fontsize=8,
                    )  # fmt: skip
            start = [left + share for left, share in zip(start, shares, strict=True)]
        labels = [f"{name} ({total:,})" for name, total in zip(sources, totals, strict=True)]
        axes.set_yticks(range(len(sources)), labels)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(_percent())
        axes.grid(axis="y", visible=False)
        figure.legend(loc="outside lower center", ncols=min(6, len(parts)))
        return _svg(figure)


def _percent() -> Any:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(xmax=1)
