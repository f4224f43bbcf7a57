"""`pf sources`, `pf ingest` and `pf stats`, and the page on sources."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from source_layouts import write, write_image

from polite_flamingo.cli import main
from polite_flamingo.core.tables import read_json, read_samples
from polite_flamingo.sources.statistics import bucket_start, lengths, median_bucket

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    saved = dict(os.environ)
    (tmp_path / "params.yaml").write_text((ROOT / "profiles/nano.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    os.environ.clear()
    os.environ.update(saved)


def spotdiff(root: Path, records: int = 3) -> None:
    found = [{"img_id": str(n), "sentences": [f"<image> change {n}"]} for n in range(records)]
    write(root / "data/annotations/train.json", [*found, {"img_id": "x"}])
    write(root / "data/annotations/test.json", found[:1])
    for number in range(records):
        write_image(root / f"resized_images/{number}.png", (number, 0, 0))
        write_image(root / f"resized_images/{number}_2.png", (number, 0, 1))


def state(out: str, name: str) -> str:
    (line,) = [line for line in out.splitlines() if line.split()[:1] == [name]]
    return line.split()[1]


def test_the_list_tells_present_partial_and_absent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spotdiff(tmp_path / "raw/spot_the_diff")
    write(tmp_path / "raw/vqa_v2/v2_OpenEnded_mscoco_train2014_questions.json", {})
    # Images of COCO alone are no A-OKVQA.
    write_image(tmp_path / "raw/coco_2017/train2017/000000000001.jpg")
    assert main(["sources", "--root", "raw"]) == 0
    out = capsys.readouterr().out
    assert state(out, "spot_the_diff") == "present"
    assert state(out, "vqa_v2") == "partial"
    assert state(out, "aokvqa") == "absent"
    assert state(out, "gtsrb") == "absent"


def test_check_says_what_is_missing_and_where_it_belongs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spotdiff(tmp_path / "raw/spot_the_diff")
    assert main(["sources", "check", "spot_the_diff", "--root", "raw"]) == 0
    (tmp_path / "raw/spot_the_diff/data/annotations/test.json").unlink()
    capsys.readouterr()
    assert main(["sources", "check", "spot_the_diff", "--root", "raw"]) == 2
    told = capsys.readouterr()
    assert "MISSING  test annotations" in told.out
    assert "put it at raw/spot_the_diff/data/annotations/test.json" in told.out
    assert told.err == "pf: spot_the_diff: 1 files or folders are missing, listed above\n"
    assert main(["sources", "check", "spot_the_dif", "--root", "raw"]) == 2
    assert "did you mean 'spot_the_diff'" in capsys.readouterr().err


def test_files_may_lie_right_in_the_folder_that_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spotdiff(tmp_path / "unpacked")
    assert main(["sources", "check", "spot_the_diff", "--root", "unpacked"]) == 0
    assert main(["ingest", "spot_the_diff", "--root", "unpacked", "--out", "out"]) == 0
    assert len(read_samples(tmp_path / "out/samples", ["spot_the_diff"])) == 4


def test_ingest_and_stats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spotdiff(tmp_path / "data/raw/spot_the_diff")
    assert main(["ingest", "spot_the_diff", "--limit", "1"]) == 0
    stats = read_json(tmp_path / "data/ingested/samples/stats.json")["spot_the_diff"]
    assert stats["samples"] == {"train": 1, "test": 1}
    assert (stats["capped"], stats["rejects"]) == (2, {"bad_sentences": 1})
    assert stats["notes"] == {"special_tokens": 2}
    capsys.readouterr()
    given = ["stats", "--samples", "data/ingested/samples", "--page", "reports/sources.html"]
    assert main(given) == 0
    out = capsys.readouterr().out
    assert state(out, "spot_the_diff") == "1"
    assert "bad_sentences: 1" in out
    assert "3-4: 100.0%" in out
    page = (tmp_path / "reports/sources.html").read_text()
    assert "bad_sentences" in page
    assert "<script" not in page and "http" not in page
    assert main(["stats", "--samples", "nowhere"]) == 2
    assert "pf ingest NAME" in capsys.readouterr().err


def test_a_missing_file_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", "gqa", "--root", "raw"]) == 2
    err = capsys.readouterr().err
    assert "gqa: missing questions1.2/train_balanced_questions.json" in err
    assert err.count("\n") == 1


def test_lengths_are_in_order() -> None:
    stats = {"response_words": {"513+": 1, "3-4": 2, "1": 2, "9-16": 1}}
    assert [name for name, _ in lengths(stats)] == ["1", "3-4", "9-16", "513+"]
    assert median_bucket(stats) == "3-4"
    assert median_bucket({"response_words": {}}) == "-"
    assert bucket_start("513+") == 513
