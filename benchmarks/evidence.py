"""``python benchmarks/evidence.py``: docs/evidence.md from benchmarks/results/seeds/summary.json."""

from __future__ import annotations

import sys
from pathlib import Path

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.tables import atomic_file, read_json
from polite_flamingo.reports.evidence import markdown


def write_evidence(root: Path) -> None:
    """Write docs/evidence.md of a repository from its summary of seeds."""
    with atomic_file(root / "docs/evidence.md") as temporary:
        temporary.write_text(markdown(read_json(Layout(root).seeds_summary)), encoding="utf-8")


if __name__ == "__main__":
    try:
        write_evidence(Path(__file__).resolve().parents[1])
    except UserError as error:
        sys.exit(f"evidence: {error}")
