"""Floor 6: the stages, one plain function each; dvc.yaml runs them through ``pf stage NAME``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params

Stage = Callable[[Params, Layout], None]

# Name on the command line -> module and function, in the order of the pipeline. Modules are
# imported only when their stage runs.
STAGES = {
    "generate": "generate:generate",
    "ingest": "ingest:ingest",
    "base_tokenizer": "base:base_tokenizer",
    "base_clip": "base:base_clip",
    "base_lm": "base:base_lm",
    "base_flamingo": "base:base_flamingo",
    "judges_nli": "judges:judges_nli",
    "judges_reward": "judges:judges_reward",
    "judges_report": "judges:judges_report",
    "judges_clipscore": "judges:judges_clipscore",
    "calibrate": "calibrate:calibrate",
    "distort": "distort:distort",
    "train_rewriter": "train_rewriter:train_rewriter",
    "rewrite": "rewrite:rewrite",
    "filter": "filter:filter_rewrites",
    "validate": "validate:validate",
    "tune": "tune:tune",
    "evaluate": "evaluate:evaluate",
    "report": "report:report",
}


def resolve(name: str, arguments: Sequence[str] = ()) -> Stage:
    """Import a stage; ``arguments`` select the member of a family (``tune pf 2``)."""
    module, function = STAGES[name].split(":")
    run = getattr(import_module(f"polite_flamingo.stages.{module}"), function)
    if name == "tune":
        if (
            len(arguments) != 2
            or arguments[0] not in ("pf", "raw")
            or arguments[1] not in ("1", "2", "3")
        ):
            raise UserError("tune takes a variant (pf, raw) and a stage (1, 2, 3)")
        return partial(run, variant=arguments[0], stage=int(arguments[1]))
    if arguments:
        raise UserError(f"stage {name} takes no arguments, got {' '.join(arguments)}")
    return run  # type: ignore[no-any-return]
