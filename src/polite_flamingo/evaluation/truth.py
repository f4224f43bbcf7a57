"""Ground truth for checks: what an answer says, and whether a text is true of its image."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

import pyarrow as pa

from polite_flamingo.core.sample import Sample
from polite_flamingo.evaluation.answers import extract_answer
from polite_flamingo.shapes.oracle import judge
from polite_flamingo.shapes.scene import Scene, from_json

# Is the text true of the sample's images? None: it claims nothing that can be checked.
Truth = Callable[[Sample, str], bool | None]
# The short answer that the text gives to the sample's question; None: it gives none.
Answer = Callable[[Sample, str], str | None]

ANSWERABLE = ("vqa", "vqa_rationale", "classification")


def scenes_by_image(scenes: pa.Table) -> dict[str, Scene]:
    """Scene graphs by image id, from data/scenes/scenes.parquet."""
    rows = scenes.select(["image_sha256", "graph"]).to_pylist()
    return {row["image_sha256"]: from_json(row["graph"]) for row in rows}


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
        return _extract(text, _question(sample), answers)

    return answer


def same_answer(sample: Sample, given: str | None, expected: str) -> bool:
    """Whether two answers to the sample's question mean the same ("3" and "three")."""
    if given is None:
        return False
    question = _question(sample)
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


def truth_teller(scenes: Mapping[str, Scene], wrong: Mapping[str, str], answer: Answer) -> Truth:
    """Tell whether a text is true: by the label, and for Shapes by the scene graph.

    `scenes` is `scenes_by_image`, `wrong` is `wrong_annotations`. To a question the text has to
    give the true answer (for a wrong annotation the one recorded beside it); where no answer can
    be read from it, a true claim about the scene does. A claim that is false of the scene makes
    any text false. A text on a picture without a question is true if it claims something true and
    nothing false, and None if it claims nothing. Texts about two pictures are None: the oracle
    reads one scene.
    """

    def truth(sample: Sample, text: str) -> bool | None:
        scene = scenes.get(sample.images[0]) if len(sample.images) == 1 else None
        asks = sample.answer is not None and sample.task in ANSWERABLE
        if scene is None:
            return is_correct(sample, text, answer)
        verdict = judge(scene, text, _question(sample) if asks else None)
        truths = [judged.truth for judged in verdict.claims]
        if False in truths:
            return False
        if asks:
            given = answer(sample, text)
            expected = wrong.get(sample.sample_id, str(sample.answer))
            return verdict.factual if given is None else same_answer(sample, given, expected)
        return True if True in truths else None

    return truth


def _question(sample: Sample) -> str:
    # The question itself, where an adapter keeps it apart from the instruction around it.
    return sample.extra.get("question", sample.turns[0].instruction)
