"""What the pipeline promises, on the micro profile: outs, accounts, same bits, kill -9."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from micro_workspace import REPOSITORY, hashes, new_workspace, run_stage

from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.shards import ImageStore
from polite_flamingo.core.tables import read_json, read_samples, read_table

Workspace = tuple[Params, Layout]


def test_every_out_that_dvc_expects_is_there(micro: Workspace) -> None:
    stages = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
    for name, stage in stages.items():
        variants = stage.get("matrix", {}).get("variant", [""])
        outs = [*stage["outs"], *(next(iter(m)) for m in stage.get("metrics", []))]
        for out in outs:
            for variant in variants:
                path = micro[1].root / out.replace("${item.variant}", variant)
                assert path.exists(), f"{name}: {path}"


def test_headline_figures_are_numbers_and_no_timing_is_among_them(micro: Workspace) -> None:
    headline = read_json(micro[1].reports / "metrics.json")["headline"]
    for key in (
        "easyvqa_accuracy",
        "easyvqa_blind_accuracy",
        "kept_share",
        "tax_accuracy_gap_stage3",
    ):
        assert isinstance(headline[key], (int, float)), key
    assert not [key for key in headline if "second" in key or "time" in key]
    page = (micro[1].reports / "index.html").read_text()
    assert page.count("<img") >= 40 and "http://" not in page.replace("http://www.w3.org", "")


def test_every_raw_id_is_kept_dropped_rejected_or_capped(micro: Workspace) -> None:
    params, paths = micro
    given = {s.sample_id for s in read_samples(paths.samples, params.rewrite.sources, "train")}
    candidates = set(read_table(paths.rewrites / "candidates.parquet")["sample_id"].to_pylist())
    stats = read_json(paths.rewrites / "stats.json")
    assert candidates <= given
    assert len(given) == len(candidates) + sum(stats["capped"].values()) + sum(
        stats["rejected"].values()
    )
    decided = read_table(paths.filtered / "decisions.parquet").to_pylist()
    kept = read_table(paths.filtered / "kept.parquet")["parent_id"].to_pylist()
    assert {row["sample_id"] for row in decided} == candidates
    assert sorted(kept) == sorted(r["sample_id"] for r in decided if r["decision"] == "kept")


def test_every_image_of_a_sample_is_in_the_shards(micro: Workspace) -> None:
    store = ImageStore(micro[1].images)
    samples = read_samples(micro[1].samples)
    assert all(image in store for sample in samples for image in sample.images)
    webdataset = {name for name in (p.name for p in micro[1].images.iterdir())}
    assert "shard-00000.tar" in webdataset


@pytest.mark.parametrize(
    "call", [("generate",), ("ingest",), ("base_clip",), ("base_flamingo",), ("distort",)]
)
def test_a_rebuild_gives_the_same_bytes(copy_of: Path, call: tuple[str, ...]) -> None:
    before = hashes(copy_of)
    params, paths = new_workspace(copy_of)
    for out in {
        "generate": [paths.shapes, paths.scenes],
        "ingest": [paths.samples, paths.images],
        "base_clip": [paths.clip],
        "base_flamingo": [paths.flamingo],
        "distort": [paths.pairs],
    }[call[0]]:
        shutil.rmtree(out) if out.is_dir() else out.unlink()
    run_stage(call, params, paths)
    assert hashes(copy_of) == before


def test_scenes_are_not_needed_to_distort(copy_of: Path) -> None:
    """The scripted shortener works on text alone."""
    before = hashes(copy_of)
    params, paths = new_workspace(copy_of)
    shutil.rmtree(paths.scenes.parent)
    shutil.rmtree(paths.raw)
    shutil.rmtree(paths.pairs)
    run_stage(("distort",), params, paths)
    after = hashes(copy_of)
    assert after == {name: before[name] for name in after}


@pytest.mark.parametrize(
    ("call", "out", "sign"),
    [
        (("base_lm",), "models/lm", "base_lm/*/last.ckpt"),
        (("base_flamingo",), "models/flamingo", "base_flamingo_plain/*/last.ckpt"),
        (("judges_clipscore",), "models/judges/clipscore", "judges_clipscore/*/last.ckpt"),
        (("judges_reward",), "models/judges/reward", "judges_reward/*/last.ckpt"),
        (("train_rewriter",), "models/rewriter", "train_rewriter/*/last.ckpt"),
        (("tune", "pf", "2"), "models/clever/pf/stage2", "tune_pf_2/*/last.ckpt"),
        (("rewrite",), "data/rewrites", "rewrite/*/candidates-00001.parquet"),
    ],
)
def test_a_stage_killed_with_9_goes_on_to_the_same_bytes(
    copy_of: Path, call: tuple[str, ...], out: str, sign: str
) -> None:
    command = [sys.executable, "-m", "polite_flamingo", "stage", *call]
    if "candidates" not in sign:
        # The reference is a process like the killed one: another's arithmetic may differ in bits
        # (other models were trained in this one before).
        shutil.rmtree(copy_of / out)
        subprocess.run(command, cwd=copy_of, check=True, capture_output=True)
    before = hashes(copy_of)
    shutil.rmtree(copy_of / out)
    process = subprocess.Popen(command, cwd=copy_of, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    work = copy_of / "runs/work"
    while not list(work.glob(sign)) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL, "it was killed while it worked"
    assert not (copy_of / out).exists(), "nothing half-written is visible"
    progress = {p: p.stat().st_mtime_ns for p in work.glob(sign.replace("00001", "00000"))}
    assert progress, "the progress outlives the process"
    if "candidates" in sign:
        # In this process: the command clears its progress away once the outs are whole.
        run_stage(call, *new_workspace(copy_of))
        again = {path: path.stat().st_mtime_ns for path in progress}
        assert again == progress, "finished shards are not done twice"
    else:
        subprocess.run(command, cwd=copy_of, check=True, capture_output=True)
        assert not (work / sign.split("/")[0]).exists(), "progress goes once the outs are whole"
    assert hashes(copy_of) == before


def test_a_wrong_parameter_is_one_clear_line(copy_of: Path) -> None:
    text = (copy_of / "params.yaml").read_text().replace("shard_size: 64", "shard_size: many")
    (copy_of / "params.yaml").write_text(text)
    result = subprocess.run(
        [sys.executable, "-m", "polite_flamingo", "stage", "rewrite"],
        cwd=copy_of,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1 and "rewrite.shard_size" in result.stderr


def test_a_corrupt_image_and_a_cut_line_are_rejected_with_a_reason(copy_of: Path) -> None:
    params, paths = new_workspace(copy_of)
    victim = sorted((paths.shapes / "shapes_coco/train2014").glob("*.png"))[0]
    victim.write_bytes(victim.read_bytes()[:60])
    cut = paths.shapes / "shapes_vsr/splits/random/test.jsonl"
    cut.write_bytes(cut.read_bytes()[:-20])
    run_stage(("ingest",), params, paths)
    rejects = read_table(paths.samples / "rejects.parquet").to_pylist()
    reasons = {row["source"]: row["reason"] for row in rejects}
    assert set(reasons) == {"shapes_coco", "shapes_vsr"}
    assert all(row["position"] and row["detail"] for row in rejects)
