from __future__ import annotations

from dataclasses import replace

import pytest

from polite_flamingo.core.boxes import BOX_ANNOUNCEMENT
from polite_flamingo.core.sample import Box, Sample, Turn
from polite_flamingo.distortion import Undistorted
from polite_flamingo.distortion.annotations import (
    Annotation,
    annotation_of,
    asks_description,
    draft_from,
    index_annotations,
)

BOX = Box("dog", 0.1, 0.25, 0.5, 1.0)
CAPTIONED = Sample(
    sample_id="coco/train/1",
    source="coco",
    split="train",
    task="captioning",
    images=("image-1",),
    turns=(Turn("Describe.", "a dog"),),
    references=("a dog .", "one dog"),
    boxes=(BOX,),
)
POLITE = Sample(
    sample_id="llava/train/1",
    source="llava",
    split="train",
    task="conversation",
    images=("image-1",),
    turns=(Turn("Describe the image in detail.", "A charming dog rests here."),),
)


def test_the_draft_has_captions_then_announced_boxes() -> None:
    draft = draft_from(Annotation(("a dog .", " one dog "), (BOX, replace(BOX, name="cat"))))
    assert draft == (
        "a dog .\none dog\n\n"
        f"{BOX_ANNOUNCEMENT}\n"
        "dog: [0.100, 0.250, 0.500, 1.000]\n"
        "cat: [0.100, 0.250, 0.500, 1.000]"
    )


def test_five_captions_at_most_and_boxes_only_where_there_are_some() -> None:
    assert draft_from(Annotation(tuple("abcdefg"), ())) == "a\nb\nc\nd\ne"


def test_no_caption_is_reported() -> None:
    with pytest.raises(Undistorted) as error:
        draft_from(Annotation((" ",), (BOX,)))
    assert error.value.reason == "no_captions"


def test_an_annotation_is_found_by_image() -> None:
    index = index_annotations([CAPTIONED, CAPTIONED, replace(CAPTIONED, task="vqa")])
    assert index == {"image-1": Annotation(("a dog .", "one dog"), (BOX,))}
    assert annotation_of(POLITE, index) == index["image-1"]
    assert annotation_of(replace(POLITE, images=("other",)), index) is None
    assert annotation_of(replace(POLITE, images=()), index) is None
    own = replace(POLITE, references=("mine",))
    assert annotation_of(own, index) == Annotation(("mine",), ())


@pytest.mark.parametrize(
    ("instruction", "wanted"),
    [
        ("Describe the image in detail.", True),
        ("Can you give me a detailed description of this picture?", True),
        ("What do you see in this photo?", True),
        ("Please tell me about the scene.", True),
        ("What color is the dog?", False),
        ("Is there a dog in the image?", False),
        ("Why is the dog wet?", False),
    ],
)
def test_only_requests_for_a_description_are_taken(instruction: str, wanted: bool) -> None:
    assert asks_description(Turn(instruction, "x")) is wanted
