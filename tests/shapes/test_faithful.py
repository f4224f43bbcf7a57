"""Rewrites against their drafts, with and without the scene."""

from __future__ import annotations

import pytest

from polite_flamingo.shapes.oracle import faithful, faithful_of_region, judge_response
from polite_flamingo.shapes.scene import ObjectLimits, Scene, Thing, make_scene, make_variant

CASES = [
    ("What color is the circle?", "red", "The circle is red.", True),
    ("What color is the circle?", "red", "The circle is blue.", False),
    ("What color is the circle?", "red", "The small circle is red.", False),
    ("What color is the circle?", "red", "It looks like the circle in the image is red!", True),
    ("What color is the circle?", "red", "The circle is red and there is a star.", False),
    ("What color is the circle?", "red", "Certainly! Happy to help.", False),
    ("what color is the circle?", "gray", "You can see a grey circle in the picture.", True),
    ("is there a circle?", "yes", "Yes, there is a circle.", True),
    ("is there a circle?", "yes", "A circle can be seen in the image.", True),
    ("is there a circle?", "no", "There is no circle in the image.", True),
    ("is there a circle?", "no", "Yes, there is a circle.", False),
    ("is there a circle?", "no", "No, there isn't a circle in the image.", True),
    ("how many stars are there?", "3", "There are three stars.", True),
    ("how many stars are there?", "3", "There are 4 stars.", False),
    ("how many stars are there?", "0", "There are no stars in the picture.", True),
    ("how many stars are there?", "1", "There is one star.", True),
    ("how many stars are there?", "1", "There is a single star in the image.", True),
    ("where is the star?", "top left", "The star is in the upper left corner.", True),
    ("where is the star?", "top left", "The star is at the bottom.", False),
    ("Is the star above the square?", "yes", "Yes, the star is above the square.", True),
    ("Is the star above the square?", "yes", "Indeed, the square is below the star.", True),
    ("Is the star above the square?", "no", "No, the star is not above the square.", True),
    ("Is the star above the square?", "no", "No, the star isn't above it.", True),
    ("Are there more stars than squares?", "yes", "Yes, stars outnumber squares.", True),
    (
        "Are there more stars than squares?",
        "no",
        "No, there are not more stars than squares.",
        True,
    ),
    ("Are there more stars than squares?", "no", "Yes, there are more stars.", False),
    ("What digit is this?", "seven", "This is a handwritten seven.", True),
    (
        "What digit is this?",
        'a photo of the number: "7".',
        "This looks like the digit seven.",
        True,
    ),
    ("What digit is this?", "7", "This is a nine, not a seven.", False),
    ("What digit is this?", "seven", "It could be seven or nine.", False),
    ("What shape is the red thing?", "circle", "The red thing is a circle.", True),
    ("What shape is the red thing?", "circle", "It is a round shape.", True),
    (
        None,
        "red circle and two stars\na circle that is red\ntwo stars with a red circle",
        "The image shows a red circle and two stars.",
        True,
    ),
    (None, "red circle and two stars", "The image shows a red circle and three stars.", False),
    (None, "red circle and two stars", "The image shows a red circle.", False),
    (
        None,
        "red circle and two stars",
        "The image shows a red circle and two stars. There is also a blue square.",
        False,
    ),
    (
        None,
        "small red circle: [0.050, 0.050, 0.250, 0.250]\nblue square: [0.650, 0.350, 0.980, 0.680]",
        "There is a small red circle in the top left and a blue square on the right.",
        True,
    ),
    (
        None,
        "small red circle: [0.050, 0.050, 0.250, 0.250]\nblue square: [0.650, 0.350, 0.980, 0.680]",
        "There is a small red circle in the bottom left and a blue square on the right.",
        False,
    ),
    (
        "What changed between the two images?",
        "the red circle is gone",
        "In the second image, the red circle has been removed.",
        True,
    ),
    (
        "What changed between the two images?",
        "the red circle is gone",
        "In the second image, the blue circle has been removed.",
        False,
    ),
    (
        "What changed between the two images?",
        "the red circle is gone",
        "A red circle has been added.",
        False,
    ),
    (
        "What changed between the two images?",
        "red circle now blue",
        "The red circle has turned blue in the second picture.",
        True,
    ),
    (
        "What changed between the two images?",
        "red circle now blue",
        "The circle changed its color from red to blue.",
        True,
    ),
    (
        "What changed between the two images?",
        "red circle now blue",
        "The blue circle turned red.",
        False,
    ),
    (
        "What changed between the two images?",
        "star moved from top to bottom left",
        "The star has moved from the top to the bottom left corner.",
        True,
    ),
    (
        "What changed between the two images?",
        "star moved from top to bottom left",
        "The star has moved from the bottom left to the top.",
        False,
    ),
    (
        "What changed between the two images?",
        "new green star",
        "A green star has appeared in the second image.",
        True,
    ),
    (
        "What changed between the two images?",
        "no difference",
        "The two images look identical.",
        True,
    ),
    (
        "What changed between the two images?",
        "there is a green star now",
        "There is now a green star in the second image.",
        True,
    ),
]

SCENE = Scene(
    "test-2",
    "test",
    "white",
    (
        Thing("circle", "red", "small", "plain", (0.05, 0.05, 0.25, 0.25)),
        Thing("square", "blue", "large", "striped", (0.65, 0.35, 0.98, 0.68)),
        Thing("star", "green", "small", "dotted", (0.05, 0.75, 0.25, 0.95)),
        Thing("star", "yellow", "small", "plain", (0.40, 0.75, 0.60, 0.95)),
    ),
)


@pytest.mark.parametrize(("question", "draft", "response", "expected"), CASES)
def test_a_rewrite_says_what_its_draft_says_and_no_more(
    question: str | None, draft: str, response: str, expected: bool
) -> None:
    assert faithful(question, draft, response) is expected


@pytest.mark.parametrize(
    ("question", "draft", "response", "expected"),
    [
        ("What color is the circle?", "red", "The small circle is red.", True),
        ("What color is the circle?", "red", "The circle is red. The circle is small.", True),
        ("What color is the circle?", "red", "The large circle is red.", False),
        (
            "What color is the circle?",
            "red",
            "The circle is red, and there are two crosses.",
            False,
        ),
        # A wrong draft is said too, or the rewrite is not faithful.
        ("What color is the circle?", "blue", "The circle is blue.", True),
        ("What color is the circle?", "blue", "The small circle is red.", False),
        (None, "red circle and two stars", "There is a red circle, a square and two stars.", True),
        (None, "red circle and two stars", "There is a red circle and a blue square.", False),
    ],
)
def test_what_a_rewrite_adds_is_true_of_the_scene(
    question: str | None, draft: str, response: str, expected: bool
) -> None:
    assert faithful(question, draft, response, (SCENE,)) is expected


def test_what_a_rewrite_adds_about_a_change_is_true_of_both_scenes() -> None:
    after = Scene("test-2", "test", "white", SCENE.things[1:])
    asked, draft = "What changed?", "the circle is gone"
    for text, expected in (
        ("The small red circle has been removed.", True),
        ("The large red circle has been removed.", False),
        ("The blue square has been removed.", False),
    ):
        assert faithful(asked, draft, text, (SCENE, after)) is expected
        assert faithful(asked, draft, text) is False


def test_a_draft_that_cannot_be_read_settles_nothing() -> None:
    assert faithful(None, "qwer asdf", "The circle is red.") is None
    assert faithful("What color is the circle?", "", "The circle is red.") is None


@pytest.mark.parametrize(
    ("question", "draft", "response", "factual"),
    [
        ("What color is the circle?", "red", "The circle is red.", True),
        # A wrong draft may be put right.
        ("What color is the circle?", "blue", "The circle is red.", True),
        ("What color is the circle?", "blue", "The circle is blue.", False),
        # True, and yet not what the draft truly says.
        ("What color is the circle?", "red", "The square is blue.", False),
        # Unknown never counts as right.
        ("What color is the circle?", "red", "What a lovely picture!", False),
        ("What color is the circle?", "red", "I can't tell.", False),
        ("How large is the star?", "small", "The star is small.", True),
        ("What color is the star?", "green", "The star is green.", False),
        (None, "red circle, two stars", "There is a red circle and there are two stars.", True),
        (None, "red circle, two stars", "There is a red circle.", False),
        (None, "red circle, two stars", "There is a red circle and three stars.", False),
        (None, "red circle, three stars", "There is a red circle and two stars.", True),
    ],
)
def test_factual_needs_every_true_claim_of_the_draft(
    question: str | None, draft: str, response: str, factual: bool
) -> None:
    assert judge_response(SCENE, response, draft, question).factual is factual


def test_what_is_missing_is_listed() -> None:
    verdict = judge_response(SCENE, "There is a red circle.", "red circle, two stars")
    assert [claim.number for claim in verdict.missing] == ["=2"]


def _tell(index: int) -> tuple[Scene, Scene, str, str]:
    before = make_scene(3, "test", index, ObjectLimits(2, 5))
    after, change = make_variant(before, 3)
    thing = change.before or change.after
    assert thing is not None
    name = f"{thing.size} {thing.texture} {thing.color} {thing.shape}"
    if change.kind == "removed":
        return before, after, f"The {name} has been removed.", f"A {name} has been added."
    if change.kind == "added":
        return before, after, f"A {name} has appeared.", f"The {name} has disappeared."
    if change.kind == "color":
        assert change.after is not None
        other = "red" if "red" not in (thing.color, change.after.color) else "blue"
        if other in (thing.color, change.after.color):
            other = "green"
        return (
            before,
            after,
            f"The {name} has turned {change.after.color}.",
            f"The {name} has turned {other}.",
        )
    return before, after, f"The {name} has moved.", f"The {name} has been removed."


@pytest.mark.parametrize("index", range(40))
def test_changes_are_judged_against_two_scenes(index: int) -> None:
    before, after, true, false = _tell(index)
    assert judge_response(before, true, true, after=after).factual
    assert not judge_response(before, false, true, after=after).factual
    assert not judge_response(before, "The images are identical.", true, after=after).factual
    assert judge_response(before, "Nothing has changed.", "no change", after=before).factual


@pytest.mark.parametrize(
    ("names", "text", "expected"),
    [
        ("the red circle", "It is a red circle.", True),
        ("the red circle\nlarge circle", "There is a large red circle.", True),
        ("large square\nblack thing", "It is a large black square.", True),
        ("black thing", "It is something black.", True),
        # Less than the names say, more, something else, nothing.
        ("the red circle\nlarge circle", "It is a red circle.", False),
        ("the red circle", "It is a striped red circle.", False),
        ("the red circle\nlarge circle", "It is a small red circle.", False),
        ("the red circle", "There is a red circle next to a star.", False),
        ("the red circle", "It is not a red circle.", False),
        ("the red circle", "I can see that well.", False),
        # Names that say nothing that is known.
        ("the thing", "It is a circle.", None),
        ("the wibble\nred circle", "It is a red circle.", None),
        ("", "It is a red circle.", None),
    ],
)
def test_a_marked_thing_is_called_what_all_its_names_say(
    names: str, text: str, expected: bool | None
) -> None:
    assert faithful_of_region(names, text) is expected
    if expected is not None:
        assert faithful_of_region(names, names) is True
