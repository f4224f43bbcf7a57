"""What the page says in words about this run's figures, and how it prints numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

# Typographic signs by name: in source they look like a hyphen.
DASH, MINUS = "\u2013", "\u2212"
NOT_MEASURED = "not measured"

FILTER_NAMES = {
    "unfinished": "unfinished",
    "too_short": "too short",
    "too_long": "too long",
    "repetition": "repetition",
    "boxes": "boxes",
    "unchanged": "unchanged",
    "sts": "STS",
    "clipscore": "CLIPScore",
    "nli": "NLI",
    "nli_lines": "NLI, line by line",
    "echo": "echo of the question",
    "lost": "lost facts",
    "foreign": "foreign facts",
    "clipscore_paragraph": "CLIPScore (a paragraph)",
}


def percent(value: float | None, digits: int = 1) -> str:
    """A share as a percentage; an en dash for None."""
    return DASH if value is None else f"{value * 100:.{digits}f} %"


def signed(value: float | None, digits: int = 2) -> str:
    """A number with its sign; an en dash for None."""
    return DASH if value is None else f"{value:+.{digits}f}".replace("-", MINUS)


def number(value: float | None, digits: int = 2) -> str:
    """A plain number (thousands separated); an en dash for None."""
    if value is None:
        return DASH
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"
    return text.replace("-", MINUS)


def filter_name(name: str) -> str:
    """A filter (or a fault) as the page calls it."""
    return FILTER_NAMES.get(name, name.replace("_", " "))


def listed(names: Sequence[str]) -> str:
    """Names as a list in a sentence."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def u_shape_sentence(finding: Row) -> str:
    """Whether the reward of the PF-tuned model falls after stage 2 and rises after stage 3."""
    if finding["shows"] is None:
        return "Whether the U shows was not measured in this run."
    changes = (
        f"from stage 1 to 2 the reward {_moved(finding['to_stage2'])}, "
        f"from 2 to 3 it {_moved(finding['to_stage3'])}"
    )
    verb = "shows" if finding["shows"] else "does not show"
    return f"The U {verb} in this run (PF-tuned, changes on the same samples): {changes}."


def _moved(change: Row) -> str:
    verb = "rises" if change["low"] > 0 else "falls" if change["high"] < 0 else "stays"
    bounds = f"{signed(change['low'])} to {signed(change['high'])}"
    within = " within its interval" if verb == "stays" else ""
    return f"{verb}{within} ({signed(change['mean'])}; {bounds})"


def tax_sentence(findings: Row) -> str:
    """Whether PF-tuned beats raw-tuned by reward after stage 2 and after stage 3."""
    said = []
    for stage in (2, 3):
        finding = findings[f"tax_stage{stage}"]
        rate, side = finding["win_rate"], finding["side"]
        if rate is None:
            said.append(f"after stage {stage} it was not measured")
            continue
        verb = {1: "shows", 0: "does not show", -1: "is the other way round"}[side]
        where = {1: "above 50 %", 0: "which holds 50 %", -1: "below 50 %"}[side]
        said.append(
            f"after stage {stage} it {verb}: PF-tuned beats raw-tuned by reward on "
            f"{percent(rate['mean'])} of the samples "
            f"({percent(rate['low'])} to {percent(rate['high'])}, {where})"
        )
    return f"The alignment tax in this run: {'; '.join(said)}."


def filters_sentence(filters: Sequence[Row], faults: Sequence[Row]) -> str:
    """Which filters drop nothing here, and which planted faults the filters catch too few of."""
    idle = [filter_name(row["filter"]) for row in filters if not row["failed"]]
    said = []
    if idle:
        said.append(f"These filters drop nothing here: {listed(idle)}.")
    for row in filters:
        if row["shortened"]:
            said.append(
                f"{filter_name(row['filter'])} took a paragraph from {number(row['shortened'])} "
                f"kept rewrite{'s' if row['shortened'] != 1 else ''}."
            )
    weak = [
        f"{filter_name(r['fault'])} ({percent(r['recall'])} caught)" for r in faults if r["weak"]
    ]
    if weak:
        said.append(f"Weak, all filters together, on planted faults: {listed(weak)}.")
    elif faults:
        said.append("No planted fault is caught too rarely.")
    return " ".join(said)
