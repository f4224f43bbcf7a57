"""The whole pipeline at micro size, once a session, in this process (imports cost once)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from micro_workspace import ORDER, new_workspace, run_stage

from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params


@pytest.fixture(scope="session")
def micro(tmp_path_factory: pytest.TempPathFactory) -> tuple[Params, Layout]:
    """A workspace in which every stage ran."""
    import torch

    params, paths = new_workspace(tmp_path_factory.mktemp("micro"))
    torch.set_num_threads(params.threads)
    for call in ORDER:
        run_stage(call, params, paths)
    return params, paths


@pytest.fixture
def copy_of(micro: tuple[Params, Layout], tmp_path: Path) -> Path:
    """A copy of the finished workspace, without its progress."""
    root = tmp_path / "copy"
    shutil.copytree(micro[1].root, root, ignore=shutil.ignore_patterns("runs"))
    return root
