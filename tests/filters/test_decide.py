from __future__ import annotations

from dataclasses import replace

import pytest

from polite_flamingo.filters.decide import Scores, Thresholds, applies, decide

THRESHOLDS = Thresholds(
    min_words=3, max_words=20, change=0.9, repetition=0.5, sts=0.4, clipscore=17.0, nli=0.0,
    nli_lines=0.0, echo=0.5, lost=0.3, foreign=0.6,
)  # fmt: skip
TEXT = "There is a red circle in the image."
GOOD = Scores(
    length=8,
    change=0.3,
    repetition=0.0,
    boxes=False,
    stopped=True,
    sts=0.8,
    clipscore=(25.0,),
    nli=(-2.0, 3.0, 0.0),
)
NAN = float("nan")


@pytest.mark.parametrize(
    "task", ["captioning", "change_captioning", "vqa", "vqa_rationale", "classification"]
)
def test_a_good_rewrite_is_kept_as_it_is(task: str) -> None:
    decision = decide(task, f" {TEXT}\n", GOOD, THRESHOLDS)
    assert (decision.decision, decision.reason, decision.filters) == ("kept", "", ())
    assert decision.output == TEXT


@pytest.mark.parametrize(
    ("task", "change", "filters"),
    [
        ("vqa", {"stopped": False}, ("unfinished",)),
        ("vqa", {"length": 2}, ("too_short",)),
        ("vqa", {"length": 3}, ()),
        ("vqa", {"length": 20}, ()),
        ("vqa", {"length": 21}, ("too_long",)),
        ("vqa", {"repetition": 0.5}, ("repetition",)),
        ("vqa", {"boxes": True}, ("boxes",)),
        ("vqa", {"change": 0.9}, ("unchanged",)),
        ("vqa", {"change": 0.89}, ()),
        ("vqa", {"stopped": False, "length": 99}, ("too_long", "unfinished")),
        ("vqa", {"ended": False}, ("unfinished",)),
        ("vqa", {"echo": 0.5}, ("echo",)),
        ("captioning", {"lost": 0.3}, ("lost",)),
        ("captioning", {"lost": 0.29}, ()),
        ("change_captioning", {"foreign": 0.6}, ("foreign",)),
        # STS speaks on captions, one image or two.
        ("captioning", {"sts": 0.39}, ("sts",)),
        ("captioning", {"sts": 0.40}, ()),
        ("change_captioning", {"sts": 0.39}, ("sts",)),
        ("vqa", {"sts": 0.1}, ()),
        ("classification", {"sts": 0.1}, ()),
        # CLIPScore speaks on captions of one image.
        ("captioning", {"clipscore": (16.9,)}, ("clipscore",)),
        ("captioning", {"clipscore": (17.0,)}, ()),
        ("change_captioning", {"clipscore": (1.0,)}, ()),
        ("vqa", {"clipscore": (1.0,)}, ()),
        # NLI speaks on questions: dropped when entailment is not the most likely label.
        ("vqa", {"nli": (2.0, 1.0, 1.5)}, ("nli",)),
        ("vqa_rationale", {"nli": (2.0, 1.0, 1.5)}, ("nli",)),
        ("classification", {"nli": (2.0, 1.0, 1.5)}, ("nli",)),
        ("vqa", {"nli": (2.0, 1.0, 2.5)}, ("nli",)),
        ("vqa", {"nli": (1.0, 2.0, 1.5)}, ()),
        # Of captions and changes a line is left out at times: only contradiction counts.
        ("captioning", {"nli": (9.0, 0.0, 0.0)}, ("nli_lines",)),
        ("change_captioning", {"nli": (1.0, 0.0, 2.0)}, ()),
        ("captioning", {"nli": None}, ("nli_lines",)),
        # What could not be scored is not kept.
        ("captioning", {"sts": None}, ("sts",)),
        ("captioning", {"sts": NAN}, ("sts",)),
        ("captioning", {"clipscore": None}, ("clipscore",)),
        ("captioning", {"clipscore": (NAN,)}, ("clipscore",)),
        ("vqa", {"nli": None}, ("nli",)),
        ("vqa", {"nli": (NAN, 0.0, 0.0)}, ("nli",)),
        ("vqa", {"repetition": NAN}, ("repetition",)),
    ],
)
def test_filters(task: str, change: dict[str, object], filters: tuple[str, ...]) -> None:
    scores = replace(GOOD, **change)  # type: ignore[arg-type]
    decision = decide(task, TEXT, scores, THRESHOLDS)
    assert decision.filters == filters
    assert decision.decision == ("dropped" if filters else "kept")
    assert decision.reason == (filters[0] if filters else "")


def test_a_hallucinated_paragraph_is_removed_and_the_rest_kept() -> None:
    text = "There is a red circle.\n\nA dog sleeps on the sofa.\nThe background is pale."
    scores = replace(GOOD, length=15, clipscore=(25.0, 9.0, 18.0))
    decision = decide("captioning", text, scores, THRESHOLDS)
    assert decision.decision == "kept"
    assert decision.output == "There is a red circle.\n\nThe background is pale."


def test_length_is_that_of_what_remains() -> None:
    text = "Look here.\n\nA dog sleeps on the big sofa."
    scores = replace(GOOD, length=9, clipscore=(25.0, 9.0))
    assert decide("captioning", text, scores, THRESHOLDS).filters == ("too_short",)
    long = "There is a red circle.\n\n" + "dog " * 30
    scores = replace(GOOD, length=35, clipscore=(25.0, 9.0))
    assert decide("captioning", long, scores, THRESHOLDS).decision == "kept"


def test_no_paragraph_left_is_dropped_by_clipscore() -> None:
    decision = decide("captioning", "One two three.\nFour five six.", replace(
        GOOD, length=6, clipscore=(1.0, 2.0)), THRESHOLDS)  # fmt: skip
    assert (decision.reason, decision.filters, decision.output) == ("clipscore", ("clipscore",), "")


def test_scores_of_another_text_are_a_defect() -> None:
    with pytest.raises(ValueError, match="2 CLIPScores for 1 paragraphs"):
        decide("captioning", TEXT, replace(GOOD, clipscore=(20.0, 20.0)), THRESHOLDS)


def test_every_judge_speaks_on_some_rewritten_task() -> None:
    assert [task for task in ("captioning", "vqa", "text") if applies("clipscore", task)] == [
        "captioning"
    ]
    assert not applies("nli", "captioning")
    assert not applies("sts", "conversation")
