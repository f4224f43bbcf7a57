"""How annotators put questions, rationales and changes: forms with slots, as data.

{x}, {y}: singular without article; {a}: with a/an; {xs}, {ys}: plural; {rel}: relation.
"""

from __future__ import annotations

from collections.abc import Mapping

# {x}, {y}: singular without article; {a}: with a/an; {xs}, {ys}: plural; {rel}: relation.
QUESTION_FORMS: Mapping[str, tuple[str, ...]] = {
    "color": (
        "what color is the {x}?",
        "what is the color of the {x}?",
        "what colour is the {x}?",
        "color of the {x}?",
        "which color does the {x} have?",
        "the {x} is what color?",
        "what color does the {x} have?",
    ),
    "shape": (
        "what is the {x}?",
        "what shape is the {x}?",
        "what is the shape of the {x}?",
        "which shape is the {x}?",
        "what kind of shape is the {x}?",
        "shape of the {x}?",
        "what shape does the {x} have?",
    ),
    "size": (
        "what size is the {x}?",
        "how big is the {x}?",
        "is the {x} small or large?",
        "what is the size of the {x}?",
        "size of the {x}?",
        "is the {x} large or small?",
    ),
    "texture": (
        "what texture does the {x} have?",
        "what is the texture of the {x}?",
        "is the {x} plain, striped or dotted?",
        "what pattern is on the {x}?",
        "texture of the {x}?",
        "what pattern does the {x} have?",
    ),
    "exist": (
        "is there {a}?",
        "is there {a} in the image?",
        "does the image contain {a}?",
        "is {a} present?",
        "is {a} in the image?",
        "does the picture show {a}?",
        "are there any {xs}?",
        "any {xs} in the image?",
    ),
    "count": (
        "how many {xs} are there?",
        "how many {xs} are in the image?",
        "how many {xs} can be seen?",
        "how many {xs}?",
        "number of {xs}?",
        "how many {xs} does the image contain?",
    ),
    "relation": (
        "is the {x} {rel} the {y}?",
        "is the {x} placed {rel} the {y}?",
        "is the {x} located {rel} the {y}?",
        "does the {x} lie {rel} the {y}?",
        "can the {x} be found {rel} the {y}?",
        "{x} {rel} the {y}?",
    ),
    "position": (
        "where is the {x}?",
        "where in the image is the {x}?",
        "in which part of the image is the {x}?",
        "which part of the image holds the {x}?",
        "where is the {x} located?",
        "position of the {x}?",
    ),
    "compare": (
        "are there more {xs} than {ys}?",
        "are there more {xs} than {ys} in the image?",
        "is the number of {xs} greater than the number of {ys}?",
        "more {xs} than {ys}?",
        "do the {xs} outnumber the {ys}?",
        "does the image have more {xs} than {ys}?",
    ),
}


# "the only thing": questions that need no description, as easy-VQA asks them.
BARE_SHAPE_FORMS = (
    "what shape is present?",
    "what shape is in the image?",
    "what shape does the image contain?",
    "what is the shape?",
    "which shape is shown?",
    "what shape is the object?",
)


# Only ever asked in the test pool: unseen wordings.
TEST_QUESTION_FORMS: Mapping[str, tuple[str, ...]] = {
    "color": ("name the color of the {x}.", "the {x} has which color?"),
    "shape": ("name the shape of the {x}.", "state the shape of the {x}."),
    "size": ("how large is the {x}?", "which size does the {x} have?"),
    "texture": ("which pattern fills the {x}?", "is the {x} dotted, striped or plain?"),
    "exist": ("can {a} be seen?", "does {a} appear here?"),
    "count": ("what is the total of {xs}?", "the image has how many {xs}?"),
    "relation": ("does the {x} sit {rel} the {y}?", "would you say the {x} is {rel} the {y}?"),
    "position": ("whereabouts is the {x}?", "in what region of the image is the {x}?"),
    "compare": (
        "are the {xs} more numerous than the {ys}?",
        "does the image show more {xs} than {ys}?",
    ),
}


# CLEVR's generated English: capitals, full words.
CLEVR_FORMS: Mapping[str, tuple[str, ...]] = {
    "color": (
        "What color is the {x}?",
        "What is the color of the {x}?",
        "There is a {x}; what color is it?",
        "The {x} has what color?",
        "What color is the {x} in the picture?",
        "There is a {x}; what is its color?",
    ),
    "shape": (
        "What is the shape of the {x}?",
        "What shape is the {x}?",
        "There is a {x}; what shape is it?",
        "The {x} has what shape?",
        "What shape is the {x} in the picture?",
        "There is a {x}; what is its shape?",
    ),
    "size": (
        "What size is the {x}?",
        "What is the size of the {x}?",
        "There is a {x}; what size is it?",
        "How big is the {x}?",
        "The {x} has what size?",
        "There is a {x}; how big is it?",
    ),
    "texture": (
        "What texture does the {x} have?",
        "What is the texture of the {x}?",
        "There is a {x}; what is its texture?",
        "The {x} has what texture?",
        "What is the {x} covered with?",
        "There is a {x}; what texture does it have?",
    ),
    "exist": (
        "Are there any {xs}?",
        "Is there a {x}?",
        "Are any {xs} visible?",
        "Is a {x} visible?",
        "Are there any {xs} in the picture?",
        "Is there a {x} in the picture?",
    ),
    "count": (
        "How many {xs} are there?",
        "What number of {xs} are there?",
        "How many {xs} are visible?",
        "What number of {xs} are visible?",
        "How many {xs} are in the picture?",
        "What number of {xs} are in the picture?",
    ),
    "relation": (
        "Is the {x} {rel} the {y}?",
        "There is a {x}; is it {rel} the {y}?",
        "Is the {x} that is visible {rel} the {y}?",
        "Is there a {x} {rel} the {y}?",
        "There is a {y}; is the {x} {rel} it?",
        "Is a {x} {rel} the {y}?",
    ),
    "compare": (
        "Are there more {xs} than {ys}?",
        "Is the number of {xs} greater than the number of {ys}?",
        "Are there more {xs} than {ys} in the picture?",
        "Is the count of {xs} greater than the count of {ys}?",
        "Is the number of {xs} higher than that of {ys}?",
        "Are more {xs} visible than {ys}?",
    ),
}


TEST_CLEVR_FORMS: Mapping[str, tuple[str, ...]] = {
    "color": ("What is the {x}'s color?",),
    "shape": ("What is the {x}'s shape?",),
    "size": ("What is the {x}'s size?",),
    "texture": ("What is the {x}'s texture?",),
    "exist": ("Does the picture have any {xs}?",),
    "count": ("The picture has how many {xs}?",),
    "relation": ("Is the position of the {x} {rel} the {y}?",),
    "compare": ("Does the picture have more {xs} than {ys}?",),
}


RATIONALE_FORMS: Mapping[str, tuple[str, ...]] = {
    "color": (
        "it was painted {answer}.",
        "all of it looks {answer}",
        "{answer} is what fills the {x}",
        "only one {x} and its {answer}",
        "{answer} paint on it.",
    ),
    "shape": (
        "outline of a {answer}.",
        "it looks like a {answer}",
        "corners and edges match a {answer}",
        "drawn like a {answer}.",
        "has the form of a {answer}",
    ),
    "count": (
        "counted {answer} of them.",
        "{answer} in total",
        "counting the {xs} gives {answer}",
        "only {answer} match.",
        "{answer} seen, no others",
    ),
    "position": (
        "it was put {place}.",
        "drawn {place}",
        "{place}, away from the rest",
        "spot is {place}.",
        "you find it {place}",
    ),
    "texture": (
        "surface is {answer}.",
        "its fill looks {answer}",
        "{answer} inside",
        "the {x} was drawn {answer}.",
        "close up it is {answer}",
    ),
}


CHANGE_FORMS: Mapping[str, tuple[str, ...]] = {
    "color": (
        "the {x} is now {color}",
        "{x} turned {color}",
        "{x} changed to {color}",
        "the {x} became {color}",
        "{x} has {color} color now",
    ),
    "removed": (
        "the {x} is gone",
        "{x} is missing",
        "{x} not there anymore",
        "no more {x}",
        "the {x} {place} has disappeared",
    ),
    "added": (
        "there is a new {y}",
        "{a} appeared {there}",
        "{y} was added",
        "new {y} {there}",
        "now {a} {there}",
    ),
    "moved": (
        "the {x} moved to another spot",
        "{x} is now {there}",
        "{x} shifted, was {place}",
        "the {x} moved, it is {there} now",
        "{x} has a different position",
    ),
    "none": (
        "there are no differences",
        "no difference",
        "both images are the same",
        "nothing changed",
    ),
}

TEST_GRID3D_FORMS = (
    "can {a} be spotted ?",
    "would you find {a} here ?",
    "so many {xs} , how many exactly ?",
    "of {xs} , how many does one see ?",
)
