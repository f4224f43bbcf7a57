"""Which test samples a model answers, what it is shown, and that nothing is asked twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.evaluation.run import (
    BLANK,
    RESPONSE_SCHEMA,
    choose_test,
    control_images,
    run,
)
from polite_flamingo.evaluation.truth import answer_reader


def sample(
    number: int,
    source: str = "a",
    split: str = "test",
    task: str = "vqa",
    answer: str | None = "red",
    images: int = 1,
) -> Sample:
    return Sample(
        f"{source}/{split}/{number:03d}",
        source,
        split,
        task,
        tuple(f"{source}-{number}-{place}" for place in range(images)),
        (Turn("What color is the circle?", "red"),),
        answer=answer,
    )


SAMPLES = st.lists(st.sampled_from("abc"), max_size=20).map(
    lambda sources: [sample(number, source) for number, source in enumerate(sources)]
)


# --- which samples ---


@given(SAMPLES, st.dictionaries(st.sampled_from("abcd"), st.integers(0, 9)), st.integers(0, 3))
def test_at_most_so_many_of_each_named_source(
    samples: list[Sample], counts: dict[str, int], seed: int
) -> None:
    chosen = choose_test(samples, counts, seed)
    assert len(set(one.sample_id for one in chosen)) == len(chosen)
    there = Counter(one.source for one in samples)
    assert Counter(one.source for one in chosen) == Counter(
        {source: min(count, there[source]) for source, count in counts.items()}
    )
    assert chosen == choose_test(samples[::-1], counts, seed), "file order does not matter"


def test_train_samples_are_never_asked() -> None:
    samples = [sample(1), sample(2, split="train")]
    assert choose_test(samples, {"a": 9}, 0) == samples[:1]


def test_another_seed_asks_others() -> None:
    samples = [sample(number) for number in range(50)]
    assert choose_test(samples, {"a": 9}, 0) != choose_test(samples, {"a": 9}, 1)


# --- what is shown ---


def test_without_a_control_samples_keep_their_images() -> None:
    samples = [sample(1), sample(2, images=0), sample(3, images=2)]
    assert control_images(samples, "", 0) == [one.images for one in samples]


def test_blank_shows_as_many_blank_images() -> None:
    samples = [sample(1), sample(2, images=0), sample(3, images=2)]
    assert control_images(samples, "blank", 0) == [(BLANK,), (), (BLANK, BLANK)]


IMAGES = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("pqrst")), max_size=20).map(
    lambda rows: [
        replace(sample(number, source), images=(image,))
        for number, (source, image) in enumerate(rows)
    ]
)


@given(IMAGES, st.integers(0, 5), st.booleans())
def test_shuffled_never_shows_a_sample_what_it_is_about(
    samples: list[Sample], seed: int, alike: bool
) -> None:
    # Questions share pictures, and two pictures may show one scene.
    kin = {"p": "scene", "q": "scene"} if alike else {}
    shown = control_images(samples, "shuffled", seed, kin)
    for one, images in zip(samples, shown, strict=True):
        own = {kin.get(image, image) for image in one.images}
        of_source = {other.images for other in samples if other.source == one.source}
        assert not own & {kin.get(image, image) for image in images}
        others = [rest for rest in of_source if not own & {kin.get(i, i) for i in rest}]
        assert images in others if others else images == (BLANK,)
    assert control_images(samples, "shuffled", seed, kin) == shown


def test_shuffled_shows_every_picture_where_each_is_asked_once() -> None:
    samples = [sample(number) for number in range(9)]
    shown = control_images(samples, "shuffled", 0)
    assert sorted(shown) == sorted(one.images for one in samples)


# --- the run ---

ANSWERED = [
    sample(1),
    sample(2, answer="blue"),
    sample(3, answer="blue"),
    sample(4, answer=None),
    sample(5, "c", task="captioning", answer="red"),
]
RESPONSES = ["It is red.", "The circle is blue.", "It is red.", "It is red.", "A red circle."]
ANSWER = answer_reader(ANSWERED)


def test_responses_are_scored_where_there_is_a_short_answer(tmp_path: Path) -> None:
    asked: list[tuple[list[str], list[tuple[str, ...]]]] = []

    def respond(instructions: Sequence[str], images: Sequence[Sequence[str]]) -> list[str]:
        asked.append((list(instructions), [tuple(each) for each in images]))
        return RESPONSES

    table = run("pf-stage3", "", ANSWERED, respond, ANSWER, 0, tmp_path)
    assert table.schema == RESPONSE_SCHEMA
    rows = table.to_pylist()
    assert [row["sample_id"] for row in rows] == [one.sample_id for one in ANSWERED]
    assert [row["response"] for row in rows] == RESPONSES
    assert [row["correct"] for row in rows] == [True, True, False, None, None]
    assert [row["answer"] for row in rows] == ["red", "blue", "red", None, None]
    assert {(row["model"], row["control"]) for row in rows} == {("pf-stage3", "")}
    assert asked == [(["What color is the circle?"] * 5, [one.images for one in ANSWERED])]


def test_no_answer_and_two_answers_are_wrong(tmp_path: Path) -> None:
    said = ["What a nice picture.", "It is red or blue.", "", "", ""]
    table = run("m", "", ANSWERED, lambda *_: said, ANSWER, 0, tmp_path)
    assert table.column("correct").to_pylist()[:3] == [False] * 3
    assert table.column("answer").to_pylist()[:3] == [None] * 3


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    calls: list[str] = []

    def respond(instructions: Sequence[str], images: Sequence[Sequence[str]]) -> list[str]:
        calls.append(images[0][0])
        return [f"It is {images[0][0]}."] * len(instructions)

    first = run("m", "", ANSWERED, respond, ANSWER, 0, tmp_path)
    assert run("m", "", ANSWERED, respond, ANSWER, 0, tmp_path).equals(first)
    assert calls == ["a-1-0"]
    run("m", "blank", ANSWERED, respond, ANSWER, 0, tmp_path)
    run("other", "", ANSWERED, respond, ANSWER, 0, tmp_path)
    assert calls == ["a-1-0", BLANK, "a-1-0"], "each model and control has its own answers"


def test_a_failed_run_leaves_nothing_to_go_on_from(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        run("m", "", ANSWERED, lambda *_: RESPONSES[:2], ANSWER, 0, tmp_path)
    assert list(tmp_path.iterdir()) == []
