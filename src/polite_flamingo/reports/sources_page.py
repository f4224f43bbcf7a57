"""The page on sources: what was ingested and what was not, and why. No script, no address outside."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
       color: #1b1f24; background: #fff; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d8dee4;
         vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.bar { display: inline-block; height: .7em; background: #4878a8; }
small { color: #57606a; }
"""
Stats = Mapping[str, Mapping[str, Any]]


def render_sources(stats: Stats, profile: str) -> str:
    """Render the statistics of ``data/samples/stats.json`` as one HTML page."""
    overview = "".join(_row(name, own) for name, own in stats.items())
    details = "".join(_details(name, own) for name, own in stats.items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Sources, {escape(profile)}'
        f"</title><style>{_STYLE}</style><h1>Sources</h1>"
        f"<p>What became of every source in profile <b>{escape(profile)}</b>. A record is a sample, a "
        "reject with a reason, or left out by a cap.</p><table><tr><th>source"
        + "".join(
            f'<th class="n">{title}'
            for title in ("train", "test", "images", "capped", "rejects", "with boxes")
        )
        + f"</tr>{overview}</table>{details}</html>\n"
    )


def _row(name: str, own: Mapping[str, Any]) -> str:
    samples = sum(own["samples"].values())
    boxes = own["with_boxes"] / samples if samples else 0.0
    figures = (
        own["samples"].get("train", 0),
        own["samples"].get("test", 0),
        own["images"],
        own["capped"],
        sum(own["rejects"].values()),
    )
    cells = "".join(f'<td class="n">{figure:,}' for figure in figures)
    return (
        f'<tr><td><a href="#{escape(name)}">{escape(name)}</a>{cells}<td class="n">{boxes:.1%}</tr>'
    )


def _details(name: str, own: Mapping[str, Any]) -> str:
    words = sorted(
        own["response_words"].items(), key=lambda item: int(item[0].rstrip("+").split("-")[0])
    )
    total = sum(count for _, count in words) or 1
    bars = "".join(
        f'<tr><td>{escape(bucket)}<td class="n">{count:,}<td>'
        f'<span class="bar" style="width:{count / total * 20:.2f}rem"></span> '
        f"<small>{count / total:.1%}</small></tr>"
        for bucket, count in words
    )
    told = "".join(
        f'<tr><td>{escape(kind)}<td>{escape(reason)}<td class="n">{count:,}</tr>'
        for kind, counts in (("reject", own["rejects"]), ("note", own["notes"]))
        for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    lengths = f'<tr><th>words of a response<th class="n">responses<th></tr>{bars}' if bars else ""
    reasons = f'<tr><th>kind<th>reason<th class="n">records</tr>{told}' if told else ""
    return (
        f'<h2 id="{escape(name)}">{escape(name)}</h2><table>{lengths}</table>'
        f"<table>{reasons}</table>"
    )
