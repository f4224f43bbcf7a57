"""Exchanges about a lost attachment: the answer says what its note says."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from polite_flamingo.core.seeds import generator
from polite_flamingo.shapes import attachments
from polite_flamingo.shapes.notes import notes
from polite_flamingo.shapes.scene import COLORS, SHAPES, ObjectLimits, make_scene, region
from polite_flamingo.shapes.wordings import NUMBERS

SCENES = [make_scene(5, "style", index, ObjectLimits(1, 4)) for index in range(60)]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


@pytest.mark.parametrize("kind", attachments.KINDS_OF_NOTE)
def test_exchanges_are_clean_and_seeded(kind: str) -> None:
    for scene in SCENES:
        request, answer = attachments.exchange(scene, "A", generator(1, scene.scene_id), kind)
        again = attachments.exchange(scene, "A", generator(1, scene.scene_id), kind)
        assert (request, answer) == again
        assert "{" not in request + answer and "  " not in answer
        assert answer[0].isupper() and answer[-1] in ".!?"


def test_a_label_stands_in_the_answer() -> None:
    for seed in range(200):
        request, answer = attachments.exchange(SCENES[0], "A", generator(2, seed), "label")
        named = [word for word in words(request) if word in NUMBERS[:10]]
        digits = re.findall(r"[0-9]", request)
        for label in (*named, *(NUMBERS[int(digit)] for digit in digits)):
            assert label in words(answer) or label == "one", (request, answer)


def test_short_notes_name_any_answer() -> None:
    found: Counter[str] = Counter()
    for turn in range(10):
        for scene in SCENES:
            rng = generator(3, scene.scene_id, turn)
            request, answer = attachments.exchange(scene, "A", rng, "short")
            note = words(re.sub(r"\n.*", "", request.split(": ")[-1]))
            found.update(note[:1])
            if note and note[0] in COLORS and len(note) == 1:
                assert note[0] in words(answer)
    assert {*COLORS, *SHAPES, "yes", "no", "small", "large", "striped"} <= set(found)


def test_descriptions_restate_each_fact_of_the_captions() -> None:
    for scene in SCENES:
        told = notes(scene, generator(4, scene.scene_id))
        text = attachments.restate(told, "A", generator(5, scene.scene_id))
        said = words(text)
        for note in told:
            for fact in note.facts:
                values = [fact.subject.color, fact.subject.shape, fact.subject.size]
                for value in filter(None, values):
                    assert value in said or f"{value}s" in said or f"{value}es" in said, text
                if fact.kind in ("place", "ground"):
                    assert fact.value in text
                if fact.kind == "place":
                    assert fact.thing is not None and region(fact.thing) == fact.value
                if fact.kind == "count":
                    assert NUMBERS[int(fact.value)] in said
                if fact.kind == "absent":
                    assert set(said) & {"no", "not", "cannot", "none", "zero"}, text


def test_changes_name_what_changed() -> None:
    for scene in SCENES:
        request, answer = attachments.exchange(scene, "A", generator(6, scene.scene_id), "change")
        note = words(re.sub(r"\n.*", "", request.split(": ")[-1]))
        # A slip of the pen may hide a colour in the note, not in the answer.
        assert {*note} & {*COLORS} <= {*words(answer)}
