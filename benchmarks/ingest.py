"""Ingest against the plain way: a generated VQA-v2 pair and a folder of small JPEGs.

    python benchmarks/ingest.py --records 1000000 --images 100000 --work runs/benchmark

Each way runs in a process of its own, so that its peak memory is its own. Ours is the whole of
`pf ingest` (checks, ids, instructions, samples, rejects, shards); the plain way is `json.load` of both
files and a dict, and a loop that opens each image with Pillow and writes it into a tar file. Prints
one JSON object: records/s, images/s, peak memory in MiB, ratios (ours by plain).
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import resource
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

CONFIDENCE = ("yes", "maybe", "no")
WORDS = ("cat", "dog", "red", "blue", "two", "left", "tree", "yes", "no", "bus", "frisbee", "sky")


def make_pair(root: Path, records: int) -> None:
    """Write the official pair of files, 500 bytes a question and 900 bytes of answers."""
    root.mkdir(parents=True, exist_ok=True)
    head = '{"info": {}, "license": {}, "data_subtype": "train2014", '
    with (root / "v2_OpenEnded_mscoco_train2014_questions.json").open("w") as file:
        file.write(head + '"task_type": "Open-Ended", "questions": [')
        for number in range(records):
            question = {
                "image_id": number // 5,
                "question": f"What is the {WORDS[number % 12]} next to the {WORDS[number % 7]}?",
                "question_id": number // 5 * 1000 + number % 5,
            }
            file.write((", " if number else "") + json.dumps(question))
        file.write("]}")
    with (root / "v2_mscoco_train2014_annotations.json").open("w") as file:
        file.write(head + '"annotations": [')
        for number in range(records):
            answers = [
                {
                    "answer": WORDS[(number + (place > 6)) % 12],
                    "answer_confidence": CONFIDENCE[place % 3],
                    "answer_id": place + 1,
                }
                for place in range(10)
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
    """Write small JPEGs, all different, and COCO captions, one an image."""
    from PIL import Image, ImageDraw

    folder = root / "train2014"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "annotations").mkdir(exist_ok=True)
    for number in range(images):
        picture = Image.effect_noise((128, 96), 20 + number % 60).convert("RGB")
        pen = ImageDraw.Draw(picture)
        pen.rectangle((number % 90, number % 50, number % 90 + 30, number % 50 + 30), fill="red")
        pen.text((4, 4), str(number), fill="white")
        picture.save(folder / f"{number:012d}.jpg", quality=80)
    tree = {
        "images": [
            {"id": number, "file_name": f"{number:012d}.jpg", "width": 128, "height": 96}
            for number in range(images)
        ],
        "annotations": [
            {"id": number, "image_id": number, "caption": f"A red square, number {number}."}
            for number in range(images)
        ],
    }
    (root / "annotations/captions_train2014.json").write_text(json.dumps(tree))


def ours(work: Path, source: str, with_images: bool, workers: int) -> int:
    """Ingest a source whole; return how many samples it gave."""
    from polite_flamingo.core.params import IngestParams, SplitLimits
    from polite_flamingo.stages.ingest import ingest_into

    out = work / f"out_{source}"
    params = IngestParams(
        sources=[source],
        limits={source: SplitLimits(test=0)},
        shard_size=10_000,
        data_root=str(work / "raw"),
        mode="images" if with_images else "annotations-only",
        workers=workers,
    )
    stats = ingest_into(params, 0, work, work / "runs", out / "samples", out / "images")
    shutil.rmtree(out)
    return int(stats[source]["samples"]["train"])


def plain_pair(work: Path) -> int:
    """Read both files whole, join them in a dict and write the answers as JSON Lines."""
    root = work / "raw/vqa_v2"
    questions = json.loads((root / "v2_OpenEnded_mscoco_train2014_questions.json").read_text())
    annotations = json.loads((root / "v2_mscoco_train2014_annotations.json").read_text())
    by_id = {value["question_id"]: value for value in annotations["annotations"]}
    with (work / "plain.jsonl").open("w") as file:
        for value in questions["questions"]:
            told = by_id[value["question_id"]]
            row = {"question": value["question"], "answer": told["multiple_choice_answer"]}
            file.write(json.dumps(row | {"image": value["image_id"]}) + "\n")
    (work / "plain.jsonl").unlink()
    return len(questions["questions"])


def plain_images(work: Path) -> int:
    """Open, decode and store each image in turn."""
    from PIL import Image

    root = work / "raw/coco_2014"
    tree = json.loads((root / "annotations/captions_train2014.json").read_text())
    with tarfile.open(work / "plain.tar", "w") as archive:
        for value in tree["images"]:
            data = (root / "train2014" / value["file_name"]).read_bytes()
            with Image.open(io.BytesIO(data)) as image:
                image.convert("RGB")
            member = tarfile.TarInfo(value["file_name"])
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    (work / "plain.tar").unlink()
    return len(tree["images"])


def measured(run: Callable[..., int], *arguments: Any) -> dict[str, float]:
    """Run in a process of its own; return count, seconds, rate and peak memory (MiB).

    The peak is that of the process and, added, of the largest of its workers times their number.
    """
    context = multiprocessing.get_context("spawn")
    # An executor: the workers of a Pool may have no workers of their own.
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_timed, run, arguments).result()


def _timed(run: Callable[..., int], arguments: tuple[Any, ...]) -> dict[str, float]:
    started = time.perf_counter()
    count = run(*arguments)
    seconds = time.perf_counter() - started
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    workers = arguments[-1] if isinstance(arguments[-1], int) else 0
    return {
        "count": count,
        "seconds": round(seconds, 2),
        "per_second": round(count / seconds, 1),
        "peak_mib": round(own + workers * worker, 1),
    }


def compare(work: Path, records: int, images: int, workers: int) -> Iterator[tuple[str, Any]]:
    """Yield each measurement with its name, then the ratios."""
    make_pair(work / "raw/vqa_v2", records)
    make_images(work / "raw/coco_2014", images)
    runs: dict[str, tuple[Any, ...]] = {
        "records_ours": (ours, work, "vqa_v2", False, 1),
        "records_plain": (plain_pair, work),
        "images_ours": (ours, work, "coco_2014", True, workers),
        "images_plain": (plain_images, work),
    }
    found = {}
    for name, (run, *arguments) in runs.items():
        found[name] = measured(run, *arguments)
        yield name, found[name]
    for kind in ("records", "images"):
        mine, plain = found[f"{kind}_ours"], found[f"{kind}_plain"]
        yield f"{kind}_ratio", round(mine["per_second"] / plain["per_second"], 3)
        yield f"{kind}_peak_ratio", round(mine["peak_mib"] / plain["peak_mib"], 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("runs/benchmark_ingest"))
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    found = dict(compare(options.work.resolve(), options.records, options.images, options.workers))
    print(json.dumps(found, indent=2))
    shutil.rmtree(options.work)


if __name__ == "__main__":
    main()
