from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params, load_params
from polite_flamingo.core.sample import Box, Sample, Turn, samples_to_table
from polite_flamingo.core.tables import read_json, read_table, write_table
from polite_flamingo.stages.distort import distort

SOURCES = ["llava", "chat"]


@pytest.fixture(scope="module")
def params() -> Params:
    nano = load_params(Path(__file__).parents[2] / "profiles/nano.yaml")
    wanted = replace(
        nano.distort,
        seed=1,
        sources=SOURCES,
        caption_sources=["coco"],
        variants=2,
        shares={"llm_instructed": 0.5, "noise": 0.3, "annotations": 0.2},
    )
    return replace(nano, distort=wanted)


def workspace(root: Path, number: int = 40) -> Layout:
    paths = Layout(root)
    colors = ("red", "blue", "green", "teal")
    llava, chat, coco = [], [], []
    for place in range(number):
        color = colors[place % 4]
        llava.append(
            Sample(
                f"llava/train/{place}",
                "llava",
                "train",
                "conversation",
                (f"image-{place}",),
                (
                    Turn("Describe the image.", f"The image shows a small {color} star. Enjoy!"),
                    Turn("What color is the star?", f"The star is a lovely {color}."),
                ),
            )
        )
        chat.append(
            Sample(
                f"chat/train/{place}",
                "chat",
                "train",
                "text",
                (),
                (Turn("Give a tip.", f"Of course! You can wear {color} clothes. They are nice."),),
            )
        )
        coco.append(
            Sample(
                f"coco/train/{place}",
                "coco",
                "train",
                "captioning",
                (f"image-{place}",),
                (Turn("Caption it.", f"a {color} star"),),
                (f"a {color} star",),
                (Box("star", 0, 0, 0.5, 0.5),),
            )
        )
    chat.append(replace(chat[0], sample_id="chat/test/0", split="test"))
    for name, samples in (("llava", llava), ("chat", chat), ("coco", coco)):
        write_table(paths.samples / f"{name}.parquet", samples_to_table(samples))
    return paths


def outputs(paths: Layout) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(paths.pairs.iterdir())}


def test_every_train_turn_is_accounted_for(params: Params, tmp_path: Path) -> None:
    paths = workspace(tmp_path)
    distort(params, paths)
    pairs = read_table(paths.pairs / "pairs.parquet").to_pylist()
    rejects = read_table(paths.pairs / "rejects.parquet").to_pylist()
    stats = read_json(paths.pairs / "stats.json")
    assert len(pairs) + len(rejects) == 2 * (40 * 2 + 40)
    assert len(pairs) > 0.7 * 240
    assert not any(pair["parent_id"] == "chat/test/0" for pair in pairs)
    assert stats["pairs"] == len(pairs) and stats["rejected"] == len(rejects)
    assert sum(stats["by_reject_reason"].values()) == len(rejects)
    for strategy in ("llm_instructed", "noise", "annotations"):
        assert stats["by_strategy"][strategy]["pairs"] > 0
    assert stats["by_strategy"]["noise"]["mean_length_ratio"] < 1.1
    boxed = [pair for pair in pairs if pair["strategy"] == "annotations"]
    assert all("star: [0.000, 0.000, 0.500, 0.500]" in pair["draft"] for pair in boxed)


def test_the_stage_reads_samples_only(params: Params, tmp_path: Path) -> None:
    with_scenes = workspace(tmp_path / "a")
    with_scenes.scenes.parent.mkdir(parents=True)
    with_scenes.scenes.write_bytes(b"secret")
    with_scenes.images.mkdir(parents=True)
    distort(params, with_scenes)
    without = workspace(tmp_path / "b")
    distort(params, without)
    assert outputs(without) == outputs(with_scenes)


def test_a_killed_run_goes_on_and_ends_alike(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from polite_flamingo.stages import distort as stage

    monkeypatch.setattr(stage, "_SHARD", 16)
    whole = workspace(tmp_path / "whole")
    distort(params, whole)
    cut = workspace(tmp_path / "cut")
    calls = 0
    inner = stage.mixing.distort_sample

    def dies(sample: Sample, mixture: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 50:
            raise KeyboardInterrupt
        return inner(sample, mixture)  # type: ignore[arg-type]

    monkeypatch.setattr(stage.mixing, "distort_sample", dies)
    with pytest.raises(KeyboardInterrupt):
        distort(params, cut)
    assert not cut.pairs.exists()
    distort(params, cut)
    # Three shards of 16 were finished; the 49 calls before the kill did not count again.
    assert calls == 50 + 80 - 48
    assert outputs(cut) == outputs(whole)


def test_a_finished_run_is_not_reused_for_other_samples(params: Params, tmp_path: Path) -> None:
    distort(params, workspace(tmp_path, 8))
    distort(params, workspace(tmp_path, 12))
    stats = read_json(tmp_path / "data/pairs/stats.json")
    assert stats["pairs"] + stats["rejected"] == 2 * 36


def test_wrong_sources_are_one_line_errors(params: Params, tmp_path: Path) -> None:
    paths = workspace(tmp_path, 2)
    nothing = replace(params, distort=replace(params.distort, sources=[]))
    with pytest.raises(UserError, match=r"distort\.sources"):
        distort(nothing, paths)
    shutil.rmtree(paths.samples)
    with pytest.raises(UserError, match="missing"):
        distort(params, paths)


def test_the_stage_imports_nothing_heavy() -> None:
    code = (
        "import sys, polite_flamingo.stages.distort\n"
        "heavy = {'torch', 'nlpaug', 'transformers', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
