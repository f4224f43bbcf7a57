"""The gate's outcome as Markdown: what a reviewer of data reads on a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from polite_flamingo.quality.gate import GateResult

# A comment on GitHub has at most 65536 characters.
MAX_LINES, MAX_CHARACTERS = 40, 600


def markdown(result: GateResult | None, failures: Sequence[str]) -> str:
    """Verdict, failures (the first 40), a table of the suites, the means that have bounds.

    ``result`` is None where the tables could not be read; ``failures`` then says why.
    """
    verdict = "passed" if not failures else f"failed: {len(failures)} findings"
    parts = [f"## {'✅' if not failures else '❌'} Data quality: {verdict}"]
    if failures:
        shown = [f"- {_cell(line)}" for line in failures[:MAX_LINES]]
        more = len(failures) - MAX_LINES
        parts.append("\n".join([*shown, *([f"- and {more} more"] if more > 0 else [])]))
    if result is not None:
        parts += [_suites(result), _figures(result), "Details: Data Docs (`runs/data_docs`)."]
    return "\n\n".join(part for part in parts if part) + "\n"


def _suites(result: GateResult) -> str:
    rows = []
    for name, count in result.rows.items():
        findings = [finding for finding in result.findings if finding.suite == name]
        bad = sum(not finding.success for finding in findings)
        mark = "✅" if not bad else f"❌ {bad}"
        rows.append(f"| {name} | {count:,} | {len(findings)} | {mark} |")
    return "\n".join(["| table | rows | expectations | |", "| --- | ---: | ---: | --- |", *rows])


def _figures(result: GateResult) -> str:
    rows = []
    for finding in result.findings:
        if finding.rule.expect != "expect_column_mean_to_be_between":
            continue
        options = finding.rule.options
        bounds = [
            f"{word} {options[key]:g}"
            for word, key in (("at least", "min_value"), ("at most", "max_value"))
            if options.get(key) is not None
        ]
        value = "nothing" if finding.observed is None else f"{finding.observed:.4g}"
        mark = "✅" if finding.success else "❌"
        rows.append(f"| {_cell(finding.rule.says)} | {value} | {', '.join(bounds)} | {mark} |")
    if not rows:
        return ""
    return "\n".join(["| figure | value | bound | |", "| --- | ---: | --- | --- |", *rows])


def _cell(text: str) -> str:
    plain = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return plain if len(plain) <= MAX_CHARACTERS else plain[: MAX_CHARACTERS - 1] + "…"
