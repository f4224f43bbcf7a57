"""Run the suites with Great Expectations: one process, Data Docs, one line a failure."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import progress
from polite_flamingo.core.tables import rounded
from polite_flamingo.quality.suites import Rule, Suite

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = 3
EXAMPLE_CHARACTERS = 60


@dataclass(frozen=True)
class Finding:
    """What one rule saw: ``observed`` is a count of bad rows, a number, or what is missing."""

    suite: str
    rule: Rule
    success: bool
    observed: Any
    line: str = ""


@dataclass(frozen=True)
class GateResult:
    """All findings in the order of the rules, the rows per suite, and the Data Docs page."""

    findings: tuple[Finding, ...]
    rows: Mapping[str, int] = field(default_factory=dict)
    docs: Path = Path()

    @property
    def failures(self) -> tuple[str, ...]:
        """One readable line for each failed expectation."""
        return tuple(finding.line for finding in self.findings if not finding.success)

    @property
    def success(self) -> bool:
        return not self.failures

    def to_json(self) -> dict[str, Any]:
        """Plain values without times, ids or paths: equal tables give equal JSON."""
        suites: dict[str, list[dict[str, Any]]] = {name: [] for name in self.rows}
        for finding in self.findings:
            suites[finding.suite].append(
                {
                    "expectation": finding.rule.expect,
                    "column": finding.rule.column,
                    "rule": finding.rule.says,
                    "success": finding.success,
                    "observed": rounded(finding.observed, 4),
                }
            )
        return {"success": self.success, "rows": dict(self.rows), "suites": suites}


def run(tables: Mapping[str, pd.DataFrame], suites: Sequence[Suite], docs: Path) -> GateResult:
    """Check each suite on the table of its name; write fresh Data Docs into the folder ``docs``.

    Raises UserError where a table is missing or Great Expectations is not installed.
    """
    for suite in suites:
        if suite.name not in tables:
            raise UserError(f"quality gate: no table for the suite {suite.name!r}")
    context = _context(docs)
    import great_expectations as gx

    source = context.data_sources.add_pandas("tables")
    findings: list[Finding] = []
    for suite in progress(suites, total=len(suites), desc="validate", unit="suite"):
        table = tables[suite.name]
        batch = source.add_dataframe_asset(suite.name).add_batch_definition_whole_dataframe("all")
        expectations = [_expectation(gx, rule, place) for place, rule in enumerate(suite.rules)]
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(
                name=suite.name,
                data=batch,
                suite=context.suites.add(
                    gx.ExpectationSuite(name=suite.name, expectations=expectations)
                ),
            )
        )
        outcome = definition.run(batch_parameters={"dataframe": table}, result_format="SUMMARY")
        # Great Expectations returns results in an order of its own; the rule's place is in meta.
        results = {r.expectation_config.meta["place"]: r for r in outcome.results}
        findings += [
            _finding(suite.name, rule, results[place], set(table.columns))
            for place, rule in enumerate(suite.rules)
        ]
    context.build_data_docs()
    rows = {suite.name: len(tables[suite.name]) for suite in suites}
    return GateResult(tuple(findings), rows, docs / "index.html")


def _context(docs: Path) -> Any:
    """An in-memory GX context whose only site is the (emptied) folder ``docs``."""
    # Great Expectations reads this once, when it is imported.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    try:
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig
    except ImportError as error:
        raise UserError(
            "the data gate needs Great Expectations: pip install 'polite-flamingo[quality]'"
        ) from error
    shutil.rmtree(docs, ignore_errors=True)
    docs.mkdir(parents=True)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    for name in list(context.variables.data_docs_sites or {}):
        context.delete_data_docs_site(name)
    site: Any = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(docs.resolve()),
        },
    }
    context.add_data_docs_site("data_docs", site)
    return context


def _expectation(gx: Any, rule: Rule, place: int) -> Any:
    name = "".join(part.capitalize() for part in rule.expect.split("_"))
    kind = getattr(gx.expectations, name, None)
    if kind is None:
        raise UserError(f"quality gate: Great Expectations has no expectation {rule.expect!r}")
    column = {"column": rule.column} if rule.column else {}
    return kind(**column, **rule.options, meta={"place": place}, notes=rule.says)


def _finding(suite: str, rule: Rule, result: Any, columns: set[str]) -> Finding:
    name = f"{suite}.{rule.column}" if rule.column else suite
    seen: Mapping[str, Any] = result.result or {}
    if rule.column and rule.column not in columns:
        line = f"{name}: the column is missing (needed to tell: {rule.says})"
        return Finding(suite, rule, False, None, line)
    if not seen:
        words = " ".join(_exception_message(result.exception_info).split())
        return Finding(suite, rule, False, None, f"{name}: could not be checked: {words[:200]}")
    if "unexpected_count" in seen:
        # A missing value is as wrong as a bad one, and GX leaves it out of every map rule.
        holes = int(seen.get("missing_count") or 0) if rule.column else 0
        bad = int(seen["unexpected_count"]) + holes
        line = f"{name}: {bad:,} of {int(seen['element_count']):,} rows {rule.says} (expected none)"
        return Finding(suite, rule, bad == 0, bad, line + _examples(seen, holes))
    if "column_set" in rule.options or "value_set" in rule.options:
        details = seen.get("details", {}).get("mismatched", {})
        missing = sorted(map(str, seen.get("partial_missing_list") or details.get("missing", ())))
        line = f"{name}: {rule.says}: {', '.join(missing)}"
        return Finding(suite, rule, bool(result.success), missing, line)
    observed = seen.get("observed_value")
    shown = "nothing" if observed is None else f"{observed:,.4g}"
    if isinstance(observed, int):
        shown = f"{observed:,}"
    line = f"{name}: {rule.says}: {shown} (expected {_bounds(rule.options)})"
    return Finding(suite, rule, bool(result.success), observed, line)


def _examples(seen: Mapping[str, Any], holes: int) -> str:
    values = seen.get("partial_unexpected_list") or []
    texts = dict.fromkeys(_shown(value) for value in values)
    shown = [text for text in texts if text not in {"0", "1", "''"}][:EXAMPLES]
    empty = f"; {holes:,} missing" if holes else ""
    return (f", such as {', '.join(shown)}" if shown else "") + empty


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(_shown(item) for item in value.values()) + ")"
    text = str(value) if not isinstance(value, str) else repr(value)
    return text if len(text) <= EXAMPLE_CHARACTERS else text[: EXAMPLE_CHARACTERS - 1] + "…"


def _bounds(options: Mapping[str, Any]) -> str:
    low, high = options.get("min_value"), options.get("max_value")
    if low is not None and high is not None:
        return f"{low:,} to {high:,}"
    return f"at least {low:,}" if low is not None else f"at most {high:,}"


def _exception_message(info: Mapping[str, Any]) -> str:
    """GX nests exceptions one level deep when a metric failed, and not when a rule did."""
    if "exception_message" in info:
        return str(info["exception_message"])
    return "; ".join(sorted({str(each.get("exception_message", "")) for each in info.values()}))
