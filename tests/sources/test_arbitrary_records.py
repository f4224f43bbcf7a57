"""Missing files are user errors; whatever the records are, none raises and none vanishes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from minimal_sets import (
    ALPACA,
    AOKVQA,
    CLEVR,
    COCO,
    EASY_VQA,
    GRID3D,
    LLAVA,
    SHAREGPT,
    SPOTDIFF,
    VSR,
    alpaca,
    aokvqa,
    clevr,
    coco,
    easy_vqa,
    grid3d,
    llava,
    sharegpt,
    spotdiff,
    vsr,
)
from source_layouts import read, write

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.sample import rejects_to_table, samples_to_table
from polite_flamingo.sources.catalogue import Entry

FIXTURES: list[tuple[Entry, Callable[[Path], None], str]] = [
    (COCO, coco, "captions"),
    (COCO, coco, "instances"),
    (AOKVQA, aokvqa, "annotations"),
    (CLEVR, clevr, "questions"),
    (SPOTDIFF, spotdiff, "annotations"),
    (LLAVA, llava, "conversation"),
    (SHAREGPT, sharegpt, "conversations"),
    (ALPACA, alpaca, "records"),
    (VSR, vsr, "annotations"),
    (GRID3D, grid3d, "questions"),
    (GRID3D, grid3d, "indices"),
    (EASY_VQA, easy_vqa, "questions"),
]


NAMED = [f"{source.adapter}-{role}" for source, _, role in FIXTURES]


@pytest.mark.parametrize(("source", "make", "role"), FIXTURES, ids=NAMED)
def test_a_missing_file_is_one_line_that_says_what_to_do(
    tmp_path: Path, source: Entry, make: Callable[[Path], None], role: str
) -> None:
    make(tmp_path / "tiny")
    name = source.files["train"][role]
    (tmp_path / "tiny" / name).unlink()
    with pytest.raises(UserError, match=f"tiny: missing {name}"):
        read(source, tmp_path)


@pytest.mark.parametrize(("source", "make", "role"), FIXTURES, ids=NAMED)
def test_a_missing_image_folder_is_a_user_error(
    tmp_path: Path, source: Entry, make: Callable[[Path], None], role: str
) -> None:
    make(tmp_path / "tiny")
    if "images" not in source.files["train"]:
        pytest.skip("text only")
    shutil.rmtree(tmp_path / "tiny" / source.files["train"]["images"])
    with pytest.raises(UserError, match="missing"):
        read(source, tmp_path)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 100)
    | st.floats(allow_nan=True)
    | st.text(max_size=8)
    | st.sampled_from(["<image>", "\x00", "\ud800", "human", "gpt", "../../x", "a.jpg", "True"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


# Members of the fixtures: arbitrary values under the right names reach further into an adapter.
KEYS = [
    "id",
    "image_id",
    "image",
    "img_id",
    "img_idx",
    "question_id",
    "question_index",
    "question",
    "answer",
    "choices",
    "task",
    "correct_choice_idx",
    "rationales",
    "direct_answers",
    "caption",
    "label",
    "relation",
    "conversations",
    "from",
    "value",
    "instruction",
    "input",
    "output",
    "sentences",
    "file_name",
    "width",
    "height",
    "bbox",
    "category_id",
    "name",
    "program",
    "image_filename",
    "iscrowd",
]


RECORDS = st.lists(
    JSON
    | st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8)
    | st.fixed_dictionaries(
        {"id": st.integers(0, 3)},
        optional={
            "conversations": st.lists(
                st.dictionaries(st.sampled_from(["from", "value"]), JSON), max_size=4
            )
        },
    ),
    max_size=4,
)


def records_in(source: Entry, role: str, value: Any) -> int | None:
    """Count the records of a drawn file, where each must end as one sample or one reject."""
    if source.adapter in ("coco", "llava") or role == "indices":
        return None
    if source.adapter == "grid3d":
        return 3
    if source.adapter == "clevr":
        return len(value["questions"]) if isinstance(value["questions"], list) else 1
    return len(value)


@pytest.mark.parametrize(("source", "make", "role"), FIXTURES, ids=NAMED)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_arbitrary_records_never_raise_or_vanish(
    tmp_path: Path, source: Entry, make: Callable[[Path], None], role: str, data: st.DataObject
) -> None:
    if not (tmp_path / "tiny").exists():
        make(tmp_path / "tiny")
    value: Any
    if source.adapter in ("coco", "clevr"):
        names = ("images", "annotations", "categories", "questions")
        value = {name: data.draw(RECORDS | JSON) for name in names}
    else:
        value = data.draw(RECORDS)
    write(tmp_path / "tiny" / source.files["train"][role], value)
    samples, rejects = read(source, tmp_path)
    expected = records_in(source, role, value)
    assert expected is None or len(samples) + len(rejects) == expected
    samples_to_table(samples)
    rejects_to_table(rejects)
