"""Ground truth for checks: what an answer says, and whether a text is true of its image."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache, lru_cache

import pyarrow as pa

from polite_flamingo.core.sample import Sample
from polite_flamingo.evaluation.answers import extract_answer
from polite_flamingo.shapes import oracle
from polite_flamingo.shapes.scene import Scene, from_json
from polite_flamingo.sources.catalogue import shipped_pools

# Does the text say what the images show? None: nobody knows what these images show.
Truth = Callable[[Sample, str], bool | None]
# Does the text say what the first text (a draft) says? None: there is no way to tell for this
# sample; a text that cannot be read is unfaithful.
Faithful = Callable[[Sample, str, str], bool | None]
# The short answer that the text gives to the sample's question; None: it gives none.
Answer = Callable[[Sample, str], str | None]

ANSWERABLE = ("vqa", "vqa_rationale", "classification")


# What RefCOCOg's samples keep of the region that is drawn.
_REGION = "region"


def scenes_by_image(
    scenes: pa.Table, origins: Mapping[str, Collection[str]] | None = None
) -> dict[str, Scene]:
    """Scene graphs by image id, from data/scenes/scenes.parquet.

    `origins` (core/shards.py) are the files that changed images were made from: they show the same.
    """
    rows = scenes.select(["image_sha256", "graph"]).to_pylist()
    found = {row["image_sha256"]: from_json(row["graph"]) for row in rows}
    for image, files in (origins or {}).items():
        shown = [found[file] for file in sorted(files) if file in found]
        if image not in found and shown and all(scene == shown[0] for scene in shown):
            found[image] = shown[0]
    return found


def marked_things(scenes: pa.Table) -> dict[str, int]:
    """Which thing of its scene a drawn box or arrow marks, by sample id.

    From the column `marked` of data/scenes/scenes.parquet.
    """
    if "marked" not in scenes.column_names:
        return {}
    return {
        f"{row['source']}/{split}/{record}": place
        for row in scenes.select(["source", "marked"]).to_pylist()
        for record, place in json.loads(row["marked"]).items()
        # Records are numbered through both splits.
        for split in ("train", "test")
    }


def wrong_annotations(scenes: pa.Table) -> dict[str, str]:
    """The true value of each raw annotation that is deliberately wrong, by sample id.

    From the column `wrong` of data/scenes/scenes.parquet; only train samples are wrong.
    """
    return {
        f"{row['source']}/train/{error['record']}": error["true"]
        for row in scenes.select(["source", "wrong"]).to_pylist()
        for error in json.loads(row["wrong"])
    }


def answer_reader(samples: Iterable[Sample]) -> Answer:
    """Read the short answer out of a text, among all answers that the sample's source has.

    `samples` are those of all sources to be read, every split. A sample with choices is read
    among its own choices.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        if sample.answer is not None:
            known[sample.source].add(sample.answer)
    vocabulary = {source: tuple(sorted(answers)) for source, answers in known.items()}

    def answer(sample: Sample, text: str) -> str | None:
        answers = vocabulary.get(sample.source, ())
        if "choices" in sample.extra:
            answers = tuple(json.loads(sample.extra["choices"]))
        return _extract(text, question_of(sample), answers)

    return answer


def same_answer(sample: Sample, given: str | None, expected: str) -> bool:
    """Whether two answers to the sample's question mean the same ("3" and "three")."""
    if given is None:
        return False
    question = question_of(sample)
    return given == expected or _extract(given, question, (expected,)) == expected


# Reading takes 2 ms, and real sets repeat themselves: easy-VQA has 107 questions.
@lru_cache(maxsize=1 << 16)
def _extract(text: str, question: str, answers: tuple[str, ...]) -> str | None:
    return extract_answer(text, question, answers)


def is_correct(sample: Sample, text: str, answer: Answer) -> bool | None:
    """Whether a response gives the sample's answer; None if the sample has no short answer.

    A response that gives no answer, or two, is wrong.
    """
    if sample.answer is None or sample.task not in ANSWERABLE:
        return None
    return same_answer(sample, answer(sample, text), sample.answer)


def faithfulness(
    scenes: Mapping[str, Scene], answer: Answer, marked: Mapping[str, int] | None = None
) -> Faithful:
    """Tell whether a text says what a draft says: the oracle for Shapes, else by their answers.

    What the draft says need not be true; what the text adds to it must be, of the scene.
    A draft that cannot be read makes every rewrite of it unfaithful: unknown is never right.
    """

    def faithful(sample: Sample, draft: str, text: str) -> bool | None:
        if sample.images and all(image in scenes for image in sample.images):
            shown = _shown(sample, scenes, marked)
            if _REGION in sample.extra:
                return oracle.faithful_of_region(draft, text, shown) is True
            return _says(_asked(sample), draft, text, shown) is True
        if sample.task not in ANSWERABLE:
            return None
        meant = answer(sample, draft)
        return meant is not None and same_answer(sample, answer(sample, text), meant)

    return faithful


def truth_teller(
    scenes: Mapping[str, Scene],
    wrong: Mapping[str, str],
    answer: Answer,
    marked: Mapping[str, int] | None = None,
) -> Truth:
    """Tell whether a text is true: by the label, and for Shapes by the scene graph.

    `scenes` is `scenes_by_image`, `wrong` is `wrong_annotations`. Of one Shapes scene the oracle
    judges (of two what changed between them): no claim false, none of the draft's true claims
    missing, at least one claim read; a question must also be given its true answer (for a wrong
    annotation the one recorded beside it), if an answer can be read. What cannot be read is not
    true. `marked` is `marked_things`: what is said of a marked thing is judged as if it were alone,
    so that "it" is that thing, and a word about another one is not true of it.
    """

    def truth(sample: Sample, text: str) -> bool | None:
        if not (sample.images and all(image in scenes for image in sample.images)):
            return is_correct(sample, text, answer)
        draft = sample.turns[0].response
        first, *others = _shown(sample, scenes, marked)
        asks = sample.answer is not None and sample.task in ANSWERABLE
        question = _asked(sample) if asks or _REGION in sample.extra else None
        after = others[0] if others else None
        if not oracle.judge_response(first, text, draft, question, after).factual:
            return False
        given = answer(sample, text) if asks else None
        expected = wrong.get(sample.sample_id, str(sample.answer))
        return given is None or same_answer(sample, given, expected)

    return truth


def _shown(
    sample: Sample, scenes: Mapping[str, Scene], marked: Mapping[str, int] | None
) -> tuple[Scene, ...]:
    shown = tuple(scenes[image] for image in sample.images)
    if marked is None or sample.sample_id not in marked:
        return shown
    first, *others = shown
    return replace(first, things=(first.things[marked[sample.sample_id]],)), *others


def _asked(sample: Sample) -> str | None:
    """What a sample asks; None where it asks for a description."""
    if sample.task in ANSWERABLE:
        return question_of(sample)
    return oracle.REGION_QUESTION if _REGION in sample.extra else None


# The oracle reads a few hundred texts a second, and samples repeat each other.
@lru_cache(maxsize=1 << 16)
def _says(question: str | None, draft: str, text: str, scenes: tuple[Scene, ...]) -> bool | None:
    return oracle.faithful(question, draft, text, scenes)


def question_of(sample: Sample) -> str:
    """The question itself, without the words an instruction pool puts around it."""
    if "question" in sample.extra:
        return sample.extra["question"]
    instruction = sample.turns[0].instruction
    for before, after in _wrappings():
        if instruction.startswith(before) and instruction.endswith(after):
            return instruction[len(before) : len(instruction) - len(after)]
    return instruction


@cache
def _wrappings() -> tuple[tuple[str, str], ...]:
    """What the pools' phrasings have before and after a bare question, longest first."""
    found = set()
    for phrasing in (each for pool in shipped_pools().values() for each in pool):
        before, placeholder, after = phrasing.text.partition("{question}")
        if placeholder and "{" not in before + after and before + after:
            found.add((before, after))
    return tuple(sorted(found, key=lambda pair: (-len("".join(pair)), pair)))
