"""Where everything lies in a workspace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from polite_flamingo.core.errors import UserError

# A folder with one of these is a workspace.
_SIGNS = ("dvc.yaml", "params.yaml", "profiles")


def check_workspace(root: Path) -> None:
    """Raise UserError where ``root`` is no workspace: every other hint would lead nowhere there."""
    if not any((root / sign).exists() for sign in _SIGNS):
        raise UserError(
            f"{root.resolve()} is no workspace (no dvc.yaml, no params.yaml): "
            "cd to your clone of polite-flamingo, or name it with --root"
        )


@dataclass(frozen=True)
class Layout:
    """Paths of the data, models and reports under a workspace root (where dvc.yaml is).

    ``mlflow_uri`` is the team's tracking server, if there is one (else a database in ``runs``).
    """

    root: Path = Path(".")
    mlflow_uri: str | None = None

    @property
    def raw(self) -> Path:
        return self.root / "data/raw"

    @property
    def shapes(self) -> Path:
        return self.raw / "shapes"

    @property
    def scenes(self) -> Path:
        return self.root / "data/scenes/scenes.parquet"

    @property
    def samples(self) -> Path:
        return self.root / "data/samples"

    @property
    def images(self) -> Path:
        return self.root / "data/images"

    @property
    def tokenizer(self) -> Path:
        return self.root / "models/tokenizer"

    @property
    def clip(self) -> Path:
        return self.root / "models/clip"

    @property
    def lm(self) -> Path:
        return self.root / "models/lm"

    @property
    def flamingo(self) -> Path:
        return self.root / "models/flamingo"

    @property
    def judges(self) -> Path:
        return self.root / "models/judges"

    @property
    def thresholds(self) -> Path:
        return self.judges / "thresholds.json"

    @property
    def pairs(self) -> Path:
        return self.root / "data/pairs"

    @property
    def rewriter(self) -> Path:
        return self.root / "models/rewriter"

    @property
    def rewrites(self) -> Path:
        return self.root / "data/rewrites"

    @property
    def filtered(self) -> Path:
        return self.root / "data/filtered"

    @property
    def gate(self) -> Path:
        return self.root / "data/quality/gate.json"

    @property
    def evaluation(self) -> Path:
        return self.root / "data/evaluation"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def seeds_summary(self) -> Path:
        """Figures over several seeds, written by benchmarks/seeds.py."""
        return self.root / "benchmarks/results/seeds/summary.json"

    @property
    def runs(self) -> Path:
        """Untracked: progress of killed stages, timings, MLflow, Prefect, Data Docs."""
        return self.root / "runs"

    def clever(self, variant: str, stage: int) -> Path:
        """Folder of Clever Flamingo tuned on ``variant`` (pf or raw) after stage 1, 2 or 3."""
        return self.root / f"models/clever/{variant}/stage{stage}"
