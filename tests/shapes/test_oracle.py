from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.shapes.oracle import claims, judge
from polite_flamingo.shapes.reading.asked import read_question
from polite_flamingo.shapes.reading.claims import attributes
from polite_flamingo.shapes.scene import Scene, Thing

# A small red circle top left, a large striped blue square at the right, two stars at the bottom.
SCENE = Scene(
    "test-0",
    "test",
    "light blue",
    (
        Thing("circle", "red", "small", "plain", (0.05, 0.05, 0.25, 0.25)),
        Thing("square", "blue", "large", "striped", (0.65, 0.35, 0.98, 0.68)),
        Thing("star", "green", "small", "dotted", (0.05, 0.75, 0.25, 0.95)),
        Thing("star", "yellow", "small", "plain", (0.40, 0.75, 0.60, 0.95)),
    ),
)

TRUE = [
    "The circle is red.",
    "The red shape is a circle.",
    "There is a small red circle.",
    "I can see a big blue square with stripes.",
    "The picture shows two stars.",
    "There are exactly two stars, one circle and one square.",
    "You'll find a red circle in the upper left corner.",
    "In the top left corner there is a red circle.",
    "The circle sits at the top left of the image.",
    "The circle is on the left side.",
    "The square is to the right of the circle.",
    "The red circle lies above the green star.",
    "Below the circle, there is a green star.",
    "The blue square isn't below the stars.",
    "There are more stars than squares.",
    "Stars outnumber circles.",
    "There are as many circles as squares.",
    "The number of stars is greater than the number of circles.",
    "There is no triangle in this picture.",
    "The image doesn't contain any crosses or triangles.",
    "No purple shapes are visible.",
    "Neither a cross nor a triangle is present.",
    "A cross is nowhere in the image; triangles are missing.",
    "The square has a striped texture.",
    "The colour of the square is blue.",
    "The square's color is blue and its texture is striped.",
    "The circle is small, red and plain.",
    "The circle is not blue.",
    "I count four shapes in total.",
    "There are at least three shapes.",
    "There are fewer than six objects here.",
    "red circle top left, blue square right, two stars",
    "The background is light blue.",
    "It's a light blue background with four objects.",
    "A square that is striped is visible.",
    "The stars are small.",
    "Green and yellow stars can be seen.",
    "The green star is to the left of the yellow star. It is dotted.",
    "Happy to help! The circle you asked about appears to be red.",
    "I think there are two stars, a circle, and a square.",
    "It is not true that the circle is blue.",
    "I don't think there is a triangle.",
    "A triangle can't be seen.",
    "There are no crosses and two stars.",
    "There are two stars: one is on the left and one is at the bottom.",
    "There are two stars in two colors.",
    "The circle is in the top left because the middle of the circle lies there.",
    "The number of stars is larger than the number of pluses.",
]

FALSE = [
    "The circle is blue.",
    "The circle isn't red.",
    "There is a red square.",
    "There is a triangle.",
    "The image shows three stars.",
    "There are no stars.",
    "The picture does not contain a circle.",
    "No red circle is visible.",
    "The circle is in the bottom right corner.",
    "The square is to the left of the circle.",
    "The circle is below the green star.",
    "The circle is not above the green star.",
    "There are more squares than stars.",
    "There are fewer stars than circles.",
    "There are as many stars as circles.",
    "The square is plain.",
    "The triangle is red.",
    "The red circle is large and dotted.",
    "There is a pink circle.",
    "A hexagon can be seen.",
    "The background is pink.",
    "There is a small red circle and a small blue square.",
    "The circle is red, and the square is yellow.",
    "red circle top left, blue triangle right",
    "There are five shapes.",
    "At most three objects are shown.",
    "The circle is absent.",
    "A star is above the red circle.",
    "The square lacks nothing but the circle has stripes.",
    "The star is to the right of the square.",
    "It is not correct that the circle is red.",
    "I don't believe that there is a square.",
    "A square cannot be seen.",
    "There are no stars and two circles.",
]

NOTHING = [
    "",
    "What a lovely picture!",
    "I'm sorry, I can't tell.",
    "I'm not sure whether there is a triangle.",
    "The circle may be red or blue.",
    "If there were a cross, I would tell you.",
    "Let me know if you need anything else.",
    "It is hard to say how many triangles there are.",
    "Thank you for asking!",
    "asdf qwer 12.5 %$",
]

QUESTIONS = [
    ("What color is the circle?", "red", True),
    ("What color is the circle?", "Blue.", False),
    ("What color is the circle?", "It's red!", True),
    ("Is there a triangle?", "No.", True),
    ("Is there a triangle?", "Yes, of course.", False),
    ("Is there no triangle?", "Yes.", True),
    ("How many stars are there?", "2", True),
    ("How many stars are there?", "I can count three of them.", False),
    ("How many triangles are there?", "None.", True),
    ("Where is the red circle?", "top left", True),
    ("Where is the red circle?", "It is at the bottom right.", False),
    ("What shape is the blue thing?", "It's a square.", True),
    ("What shape is the blue thing?", "a star", False),
    ("Is the circle above the green star?", "Yes, it is above the green star.", True),
    ("Is the circle above the green star?", "no", False),
    ("Are there more stars than squares?", "yes", True),
    ("What is the texture of the square?", "The square is striped.", True),
    ("How big is the circle?", "tiny", True),
    ("Is the square red?", "No, the square is blue.", True),
    ("Is the square red?", "No, the square is green.", False),
    ("Is it true that the square is blue?", "Yes, it is.", True),
    ("The square is blue. Is this true?", "No, this is false.", False),
    ("True or false: there are three stars.", "False.", True),
    ("Does this sentence fit the picture? 'A cross is shown.'", "No.", True),
    ("Is the square plain, striped or dotted?", "Striped.", True),
    ("Is the square plain, striped or dotted?", "It looks dotted.", False),
    ("Which part of the image holds the square?", "on the right", True),
]


@pytest.mark.parametrize("text", TRUE)
def test_what_the_scene_shows_is_factual(text: str) -> None:
    verdict = judge(SCENE, text)
    assert verdict.claims
    assert all(entry.truth is True for entry in verdict.claims), verdict
    assert verdict.factual


@pytest.mark.parametrize("text", FALSE)
def test_what_the_scene_contradicts_is_not_factual(text: str) -> None:
    verdict = judge(SCENE, text)
    assert any(entry.truth is False for entry in verdict.claims), verdict
    assert not verdict.factual


@pytest.mark.parametrize("text", NOTHING)
def test_text_without_a_claim_is_not_factual(text: str) -> None:
    verdict = judge(SCENE, text)
    assert verdict.claims == ()
    assert not verdict.factual


@pytest.mark.parametrize(("question", "text", "factual"), QUESTIONS)
def test_short_answers_are_claims_about_what_was_asked(
    question: str, text: str, factual: bool
) -> None:
    verdict = judge(SCENE, text, question)
    assert verdict.claims
    assert verdict.factual is factual, verdict


def test_a_phrase_that_fits_several_unlike_things_settles_nothing() -> None:
    verdict = judge(SCENE, "The star is green.")
    assert [entry.truth for entry in verdict.claims] == [None]
    assert not verdict.factual


def test_each_claim_is_listed_with_its_own_truth() -> None:
    verdict = judge(SCENE, "There is a red circle. There are three squares.")
    assert [(e.claim.kind, e.claim.number, e.truth) for e in verdict.claims] == [
        ("exist", "", True),
        ("count", "=3", False),
    ]


@pytest.mark.parametrize(
    ("text", "background", "color"),
    [
        ("two circles on cream", "cream", None),
        ("a red circle on light blue", "light blue", "red"),
        ("The image shows one red circle on light green.", "light green", "red"),
        ("a circle on a pink ground", "pink", None),
        ("red circle on lavender, two stars", "lavender", "red"),
        ("There is a small red circle on white!", "white", "red"),
        ("You can see a blue circle on light blue.", "light blue", "blue"),
        ("a red circle on a cream background", "cream", "red"),
    ],
)
def test_what_things_stand_on_is_the_background_and_not_their_colour(
    text: str, background: str, color: str | None
) -> None:
    found = claims(text)
    assert [claim.value for claim in found if claim.quantifier == "background"] == [background]
    things = [attributes(claim.subject) for claim in found if claim.quantifier != "background"]
    circles = [thing for thing in things if thing.get("shape") == "circle"]
    assert [circle.get("color") for circle in circles] == [color]


@pytest.mark.parametrize(
    ("text", "factual"),
    [
        ("a red circle on light blue", True),
        ("two stars on light blue", True),
        ("a red circle on cream", False),
        ("a blue circle on light blue", False),
        ("two stars on pink", False),
    ],
)
def test_a_thing_on_a_colour_is_true_of_thing_and_background(text: str, factual: bool) -> None:
    assert judge(SCENE, text).factual is factual


def test_a_thing_on_a_coloured_thing_says_nothing_of_the_background() -> None:
    found = claims("There is a red circle on the blue square.")
    assert not [claim for claim in found if claim.quantifier == "background"]


def test_a_list_of_colours_is_a_list_of_things() -> None:
    found = claims("There are red and blue circles.")
    assert [attributes(claim.subject) for claim in found] == [
        {"color": "red", "shape": "circle"},
        {"color": "blue", "shape": "circle"},
    ]


@pytest.mark.parametrize(
    ("question", "kind", "subject", "negated"),
    [
        ("what color is the shape?", "attribute", {}, False),
        (
            "What is the color of the small star?",
            "attribute",
            {"shape": "star", "size": "small"},
            False,
        ),
        ("which shape is in the image?", "which", {}, False),
        ("what is the teal shape?", "attribute", {"color": "teal"}, False),
        ("is there not a black shape?", "yes", {"color": "black"}, True),
        ("isn't there a black shape?", "yes", {"color": "black"}, False),
        ("is no circle present?", "yes", {"shape": "circle"}, True),
        ("Do you see any dotted crosses?", "yes", {"shape": "cross", "texture": "dotted"}, False),
        ("How many gray objects can you count?", "count", {"color": "gray"}, False),
        ("Can you count the stars?", "count", {"shape": "star"}, False),
        ("Where in the picture is the star?", "where", {"shape": "star"}, False),
        ("Can you tell me where the star is?", "where", {"shape": "star"}, False),
        ("Is the star red or green?", "choice", {"shape": "star"}, False),
        ("What is left of the star?", "which", {}, False),
    ],
)
def test_questions_are_read(
    question: str, kind: str, subject: dict[str, str], negated: bool
) -> None:
    query = read_question(question)
    assert query is not None
    assert query.noun is not None
    assert (query.kind, attributes(query.noun.of), query.negated) == (kind, subject, negated)


def test_a_question_about_something_else_is_not_read() -> None:
    assert read_question("Who wrote this poem?") is None
    assert read_question("") is None


_WORDS = st.sampled_from(
    "the a no not is are there red blue circle stars square or and , . yes above left of top two "
    "striped it that with more than without image contain background ? color 3 only one".split()
)


@given(st.lists(_WORDS, max_size=14).map(" ".join), st.booleans())
def test_any_string_of_known_words_is_judged(text: str, asked: bool) -> None:
    verdict = judge(SCENE, text, text if asked else None)
    assert verdict.factual == (
        any(entry.truth for entry in verdict.claims)
        and not any(entry.truth is False for entry in verdict.claims)
    )


@given(st.text(max_size=60))
def test_any_text_is_judged(text: str) -> None:
    judge(SCENE, text, text)
