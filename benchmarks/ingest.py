"""Ingest against the plain way: a generated VQA-v2 pair and a folder of small JPEGs.

    python benchmarks/ingest.py --records 1000000 --images 100000 --rounds 2

Both ways do the same useful work: parse, join by id, majority of ten answers, decode every image
whole, name it by its SHA-256, store its bytes in tar shards with an index, write the samples as
Parquet. The plain way is a script of `json.load`, a dict and a loop over Pillow that takes the
files to be right. Ours is the whole of `pf ingest`: text checked and neutralised, ids unique,
instructions, accounting, rejects, resume by part.

The ways run in turn, each in a process of its own. The peak memory is the sum of the resident
memory of its process tree, looked at ten times a second; pages that processes share count several
times. Prints a table and writes benchmarks/results/ingest.json.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

RESULT = Path(__file__).parent / "results" / "ingest.json"
QUESTIONS = "v2_OpenEnded_mscoco_train2014_questions.json"
ANNOTATIONS = "v2_mscoco_train2014_annotations.json"
CONFIDENCE = ("yes", "maybe", "no")
WORDS = ("cat", "dog", "red", "blue", "two", "left", "tree", "yes", "no", "bus", "frisbee", "sky")
SHARD = 10_000
SAMPLING_SECONDS = 0.1


def make_pair(root: Path, records: int) -> None:
    """Write the official pair of files: 90 bytes a question, 790 an annotation of ten answers."""
    root.mkdir(parents=True, exist_ok=True)
    head = '{"info": {}, "license": {}, "data_subtype": "train2014", '
    with (root / QUESTIONS).open("w") as file:
        file.write(head + '"task_type": "Open-Ended", "questions": [')
        for number in range(records):
            question = {
                "image_id": number // 5,
                "question": f"What is the {WORDS[number % 12]} next to the {WORDS[number % 7]}?",
                "question_id": number // 5 * 1000 + number % 5,
            }
            file.write((", " if number else "") + json.dumps(question))
        file.write("]}")
    with (root / ANNOTATIONS).open("w") as file:
        file.write(head + '"annotations": [')
        for number in range(records):
            # Six of ten agree; every second question has them all agree.
            answers = [
                {
                    "answer": WORDS[(number + (place > 6) * (number % 2)) % 12],
                    "answer_confidence": CONFIDENCE[place % 3],
                    "answer_id": place,
                }
                for place in range(1, 11)
            ]
            annotation = {
                "question_type": "what is the",
                "multiple_choice_answer": answers[0]["answer"],
                "answers": answers,
                "image_id": number // 5,
                "answer_type": "other",
                "question_id": number // 5 * 1000 + number % 5,
            }
            file.write((", " if number else "") + json.dumps(annotation))
        file.write("]}")


def make_images(root: Path, images: int) -> None:
    """Write JPEGs of 160 x 120 pixels, all different, and COCO captions, one an image."""
    import numpy as np
    from PIL import Image

    folder = root / "train2014"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "annotations").mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (60, 80, 3), np.uint8))
    wide = np.asarray(coarse.resize((1600, 1200), Image.Resampling.BICUBIC)) // 8 * 7
    for number in range(images):
        # A cutting of coarse colours with a fine grain compresses about as photographs do.
        top, left = random.integers(0, 1080), random.integers(0, 1440)
        grain = random.integers(0, 24, (120, 160, 1), np.uint8)
        picture = Image.fromarray(wide[top : top + 120, left : left + 160] + grain)
        picture.save(folder / f"{number:012d}.jpg", quality=85)
    tree = {
        "images": [
            {"id": number, "file_name": f"{number:012d}.jpg", "width": 160, "height": 120}
            for number in range(images)
        ],
        "annotations": [
            {"id": number, "image_id": number, "caption": f"A blurred picture, number {number}."}
            for number in range(images)
        ],
    }
    (root / "annotations/captions_train2014.json").write_text(json.dumps(tree))


def ours(work: Path, source: str, with_images: bool, workers: int) -> int:
    """Ingest a source whole; return how many samples it gave."""
    from polite_flamingo.core.params import IngestParams, SplitLimits
    from polite_flamingo.stages.ingest import ingest_into

    params = IngestParams(
        sources=[source],
        limits={source: SplitLimits(test=0)},
        shard_size=SHARD,
        data_root=str(work / "raw"),
        mode="images" if with_images else "annotations-only",
        workers=workers,
    )
    out = work / "out"
    stats = ingest_into(params, 0, work, work / "runs", out / "samples", out / "images")
    return int(stats[source]["samples"]["train"])


def plain_records(work: Path) -> int:
    """Load both files whole, join them by a dict, take majorities, write one Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = work / "raw/vqa_v2"
    with (root / QUESTIONS).open() as file:
        questions = json.load(file)["questions"]
    with (root / ANNOTATIONS).open() as file:
        annotations = json.load(file)["annotations"]
    by_id = {value["question_id"]: value for value in annotations}
    rows = []
    for value in questions:
        told = by_id[value["question_id"]]
        counts = Counter(given["answer"].strip() for given in told["answers"])
        answer, most = counts.most_common(1)[0]
        extra = {
            "answer_share": f"{most / len(told['answers']):.3f}",
            "direct_answers": json.dumps(dict(counts)),
            "question_type": told["question_type"],
            "answer_type": told["answer_type"],
        }
        rows.append(
            {
                "sample_id": f"vqa_v2/train/{value['question_id']}",
                "image": f"COCO_train2014_{value['image_id']:012d}.jpg",
                "question": value["question"].strip(),
                "answer": answer,
                "extra": json.dumps(extra),
            }
        )
    out = work / "out"
    out.mkdir()
    pq.write_table(pa.Table.from_pylist(rows), out / "samples.parquet", compression="zstd")
    return len(rows)


def plain_images(work: Path) -> int:
    """Load the captions whole; open, decode, hash and store each image in turn."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image

    root = work / "raw/coco_2014"
    with (root / "annotations/captions_train2014.json").open() as file:
        tree = json.load(file)
    captions: dict[int, list[str]] = {}
    for value in tree["annotations"]:
        captions.setdefault(value["image_id"], []).append(value["caption"].strip())
    out = work / "out"
    out.mkdir()
    rows, index = [], []
    for start in range(0, len(tree["images"]), SHARD):
        shard = f"shard-{start // SHARD:05d}.tar"
        with tarfile.open(out / shard, "w") as archive:
            for value in tree["images"][start : start + SHARD]:
                data = (root / "train2014" / value["file_name"]).read_bytes()
                with Image.open(io.BytesIO(data)) as image:
                    image.load()
                    width, height = image.size
                identity = hashlib.sha256(data).hexdigest()
                member = tarfile.TarInfo(f"{identity}.jpg")
                member.size = len(data)
                index.append(
                    {
                        "image_id": identity,
                        "shard": shard,
                        "offset": archive.offset + tarfile.BLOCKSIZE,
                        "size": len(data),
                        "width": width,
                        "height": height,
                    }
                )
                archive.addfile(member, io.BytesIO(data))
                text = "\n".join(captions[value["id"]])
                rows.append({"sample_id": value["id"], "image": identity, "response": text})
    pq.write_table(pa.Table.from_pylist(rows), out / "samples.parquet", compression="zstd")
    pq.write_table(pa.Table.from_pylist(index), out / "index.parquet", compression="zstd")
    return len(rows)


WAYS: dict[str, dict[str, Callable[[Path, int], int]]] = {
    "records": {
        "ours": lambda work, workers: ours(work, "vqa_v2", False, workers),
        "plain": lambda work, workers: plain_records(work),
    },
    "images": {
        "ours": lambda work, workers: ours(work, "coco_2014", True, workers),
        "plain": lambda work, workers: plain_images(work),
    },
}


def run_one(work: Path, kind: str, way: str, workers: int) -> None:
    """Do one thing in this process; print its count and seconds, of the clock and of the CPU."""
    started = time.perf_counter()
    count = WAYS[kind][way](work, workers)
    seconds = time.perf_counter() - started
    print(json.dumps({"count": count, "seconds": seconds, "cpu_seconds": sum(os.times()[:4])}))


def measure(work: Path, kind: str, way: str, workers: int) -> dict[str, float]:
    """Run one way in a process of its own; see what its whole tree holds and what others use."""
    import psutil

    command = [sys.executable, __file__, "--work", str(work), "--workers", str(workers)]
    busy, started = _busy_seconds(), time.perf_counter()
    with subprocess.Popen(
        [*command, "--only", kind, way], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        root = psutil.Process(process.pid)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _resident(root))
            time.sleep(SAMPLING_SECONDS)
        assert process.stdout is not None
        told = json.loads(process.stdout.read())
    wall = time.perf_counter() - started
    others = (_busy_seconds() - busy - told["cpu_seconds"]) / wall
    shutil.rmtree(work / "out")
    return {
        "count": told["count"],
        "seconds": round(told["seconds"], 2),
        "per_second": round(told["count"] / told["seconds"], 1),
        "cpu_seconds": round(told["cpu_seconds"], 2),
        "peak_mib": round(peak / 2**20, 1),
        "cores_of_others": round(max(0.0, others), 2),
    }


def _resident(root: Any) -> int:
    import psutil

    total = 0
    for process in (root, *_children(root)):
        try:
            total += process.memory_info().rss
        except psutil.Error:  # It has just ended.
            continue
    return total


def _children(root: Any) -> list[Any]:
    import psutil

    try:
        return list(root.children(recursive=True))
    except psutil.Error:
        return []


def _busy_seconds() -> float:
    """CPU seconds that the machine has spent on anything since it started."""
    import psutil

    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def compare(work: Path, rounds: int, workers: int) -> Iterator[dict[str, Any]]:
    """Run both ways of both kinds in turn; after each round yield the medians over those so far."""
    runs: dict[tuple[str, str], list[dict[str, float]]] = {}
    for number in range(rounds):
        for kind, ways in WAYS.items():
            # Whoever is first warms the files for the other.
            for way in list(ways)[:: -1 if number % 2 else 1]:
                runs.setdefault((kind, way), []).append(measure(work, kind, way, workers))
                print(kind, way, runs[kind, way][-1], file=sys.stderr, flush=True)
        yield {kind: _figures({way: runs[kind, way] for way in WAYS[kind]}) for kind in WAYS}


def _figures(runs: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    found: dict[str, Any] = {way: {**_medians(own), "rounds": own} for way, own in runs.items()}
    found["ratio"] = {
        name: round(found["ours"][name] / found["plain"][name], 3)
        for name in ("per_second", "cpu_seconds", "peak_mib")
    }
    return found


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    figures = {name: round(statistics.median(run[name] for run in runs), 2) for name in runs[0]}
    return {**figures, "peak_mib": max(run["peak_mib"] for run in runs)}


def table(found: dict[str, Any]) -> str:
    """Write the figures as a Markdown table."""
    lines = [
        "| | ours | plain | ours / plain |",
        "|---|---|---|---|",
    ]
    named = {
        "per_second": "{kind}/s",
        "cpu_seconds": "CPU seconds, {kind}",
        "peak_mib": "peak memory (MiB), {kind}",
    }
    for kind in WAYS:
        for name, title in named.items():
            mine, other = (found[kind][way][name] for way in ("ours", "plain"))
            lines.append(
                f"| {title.format(kind=kind)} | {mine:,.0f} | {other:,.0f} "
                f"| {found[kind]['ratio'][name]:.2f} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Make the files, measure both ways in turn, write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("runs/benchmark_ingest"))
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--only", nargs=2, metavar=("KIND", "WAY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        kind, way = options.only
        run_one(options.work, kind, way, options.workers)
        return
    work = options.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    make_pair(work / "raw/vqa_v2", options.records)
    make_images(work / "raw/coco_2014", options.images)
    found: dict[str, Any] = {
        "records": options.records,
        "images": options.images,
        "workers": options.workers,
        "machine": {"cores": os.cpu_count(), "processor": platform.processor() or "unknown"},
        "load_before": round(os.getloadavg()[0], 2),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for figures in compare(work, options.rounds, options.workers):
        found["figures"] = figures
        options.out.write_text(json.dumps(found, indent=1) + "\n")
    print(table(found["figures"]))
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
