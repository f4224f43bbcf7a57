"""A registered model answers rows as the pipeline would, or says what is wrong with a row."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.images import check_image, png_bytes
from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.core.shards import ImageStore, ShardWriter
from polite_flamingo.core.tables import write_json
from polite_flamingo.models.checkpoints import save_pretrained
from polite_flamingo.models.flamingo import Flamingo
from polite_flamingo.rewriting.rewriters import polite_flamingo
from polite_flamingo.serving.predict import (
    Predictor,
    Settings,
    _load_pyfunc,
    read_image,
    read_request,
)
from polite_flamingo.training.visual_tokens import visual_tokens

NEW = 6


def picture(seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture
def stored(
    tmp_path: Path, micro_flamingo: Flamingo, micro_tokenizer: PreTrainedTokenizerBase
) -> Path:
    """What `pf publish` stores of a model."""
    save_pretrained(micro_flamingo, micro_tokenizer, tmp_path / "stored/model")
    return tmp_path / "stored"


def load(stored: Path, role: str) -> Predictor:
    write_json(stored / "settings.json", {"role": role, "max_new_tokens": NEW, "batch_size": 2})
    return _load_pyfunc(str(stored))


ROWS = [
    {"instruction": "What color is the circle?", "draft": "red", "images": [encoded(picture(0))]},
    {"instruction": "What is large?", "draft": "There are 3 things.", "images": []},
    {"instruction": "What?", "draft": "no", "images": [encoded(picture(n)) for n in (1, 0)]},
]


def test_the_served_rewriter_says_what_the_pipelines_rewriter_says(
    tmp_path: Path,
    stored: Path,
    micro_flamingo: Flamingo,
    micro_tokenizer: PreTrainedTokenizerBase,
) -> None:
    checked = [check_image(png_bytes(picture(number))) for number in range(2)]
    with ShardWriter(tmp_path / "images", 10) as writer:
        for image in checked:
            writer.add(image.image_id, image.data, image.ext, image.width, image.height)
    store = ImageStore(tmp_path / "images")
    visual = visual_tokens(micro_flamingo.vision, micro_flamingo.config.vision, store, tmp_path)
    rewriter = polite_flamingo(micro_flamingo, micro_tokenizer, visual, 2, NEW)
    ids = [image.image_id for image in checked]
    shown = [(ids[0],), (), (ids[1], ids[0])]
    samples = [
        Sample(
            f"s/{place}",
            "s",
            "train",
            "vqa",
            images,
            (Turn(str(row["instruction"]), str(row["draft"])),),
        )
        for place, (row, images) in enumerate(zip(ROWS, shown, strict=True))
    ]
    served = load(stored, "rewriter").predict(pd.DataFrame(ROWS))
    expected = [rewrite.text for rewrite in rewriter(samples)]
    assert served["response"].tolist() == expected
    assert len(set(expected)) > 1


def test_a_response_stands_in_the_row_of_its_request(stored: Path) -> None:
    rows = [{name: row[name] for name in ("instruction", "images")} for row in ROWS]
    predictor = load(stored, "chat")
    frame = pd.DataFrame(rows, index=[7, 3, 5])
    found = predictor.predict(frame)
    assert found.columns.tolist() == ["response"]
    assert found.index.tolist() == [7, 3, 5]
    turned = predictor.predict(frame.iloc[::-1])
    assert turned["response"].to_dict() == found["response"].to_dict()


def test_images_may_be_left_out_or_come_as_an_array(stored: Path) -> None:
    predictor = load(stored, "chat")
    texts = [{"instruction": "What is large?"}]
    listed = [{"instruction": "What is large?", "images": []}]
    assert predictor.predict(pd.DataFrame(texts)).equals(predictor.predict(pd.DataFrame(listed)))
    row = {"instruction": "W", "images": np.array(ROWS[2]["images"], dtype=object)}
    assert len(read_request(row, 0, "chat").images) == 2
    row = {"instruction": "W", "images": ROWS[0]["images"][0]}
    assert len(read_request(row, 0, "chat").images) == 1
    assert read_request(row | {"images": ""}, 0, "chat").images == ()


@pytest.mark.parametrize("draft", [None, float("nan"), "", "  "])
def test_a_missing_draft_is_none(draft: object) -> None:
    row = {"instruction": "What?", "draft": draft, "images": None}
    assert read_request(row, 0, "chat").images == ()
    with pytest.raises(UserError, match="row 4: the rewriter needs a draft"):
        read_request(row, 4, "rewriter")


@pytest.mark.parametrize("instruction", [None, "", " \n", 3, float("nan")])
def test_an_instruction_is_needed(instruction: object) -> None:
    with pytest.raises(UserError, match="row 2: give an instruction"):
        read_request({"instruction": instruction, "draft": "x"}, 2, "rewriter")


def test_a_chat_model_takes_no_draft() -> None:
    with pytest.raises(UserError, match="row 1: a chat model takes no draft"):
        read_request({"instruction": "What?", "draft": "x"}, 1, "chat")


def test_an_image_is_read_as_ingest_reads_it() -> None:
    clear = Image.new("RGBA", (3, 2), (255, 0, 0, 0))
    read = read_image(encoded(clear), 0)
    assert (read.mode, read.size) == ("RGB", (3, 2))
    assert read.getpixel((0, 0)) == (255, 255, 255)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read_image(encoded(picture(0), exif=exif), 0).size == (20, 24)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("!", "row 3: an image is not base64"),
        ("aGk", "row 3: an image is not base64"),
        ("é", "row 3: an image is not base64"),
        (None, "row 3: an image is not base64"),
        (7, "row 3: an image is not base64"),
        ("", "row 3: an image cannot be read"),
        ("aGk=", "row 3: an image cannot be read"),
        (encoded(picture(0))[:200], "row 3: an image cannot be read"),
    ],
)
def test_a_bad_image_is_one_line_that_names_its_row(image: Any, said: str) -> None:
    row = {"instruction": "What?", "images": [encoded(picture(0)), image]}
    with pytest.raises(UserError, match=said) as caught:
        read_request(row, 3, "chat")
    assert "\n" not in str(caught.value) and "0x" not in str(caught.value)


def test_nothing_is_loaded_for_a_bad_request_and_a_missing_model_is_a_user_error(
    tmp_path: Path,
) -> None:
    predictor = Predictor(tmp_path / "gone", Settings(role="chat", max_new_tokens=NEW))
    with pytest.raises(UserError, match="row 0: give an instruction"):
        predictor.predict(pd.DataFrame([{"instruction": ""}]))
    with pytest.raises(UserError, match="is no model folder"):
        predictor.predict(pd.DataFrame([{"instruction": "What?"}]))
    with pytest.raises(UserError, match=r"settings\.json is missing"):
        _load_pyfunc(str(tmp_path))
