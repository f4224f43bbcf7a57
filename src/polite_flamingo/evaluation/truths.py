"""What is true of a sample: its label, or its scene through the oracle."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from polite_flamingo.core.sample import Sample
from polite_flamingo.evaluation.answers import extract_answer
from polite_flamingo.evaluation.rewrites import ANSWERABLE, Answer, Truth
from polite_flamingo.shapes.oracle import judge
from polite_flamingo.shapes.scene import Scene, from_json


class Scenes:
    """The graphs of the Shapes scenes by image id, and which images were annotated wrongly."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.graphs: dict[str, Scene] = {}
        self.wrong: set[str] = set()
        for row in rows:
            self.graphs[row["image_sha256"]] = from_json(row["graph"])
            if json.loads(row["wrong"]):
                self.wrong.add(row["image_sha256"])

    def of(self, sample: Sample) -> Scene | None:
        """The scene of a sample with one Shapes image, else None."""
        return self.graphs.get(sample.images[0]) if len(sample.images) == 1 else None

    def annotated_wrongly(self, sample: Sample) -> bool:
        """Whether something said of the sample's images is deliberately wrong."""
        return any(image in self.wrong for image in sample.images)


def vocabularies(samples: Iterable[Sample]) -> dict[str, list[str]]:
    """The short answers that occur in each source: what `extract_answer` chooses from."""
    found: dict[str, set[str]] = {}
    for sample in samples:
        if sample.answer is not None:
            found.setdefault(sample.source, set()).add(sample.answer)
    return {source: sorted(answers) for source, answers in found.items()}


def make_answer(answers: Mapping[str, Sequence[str]]) -> Answer:
    """The short answer a text gives to the sample's question, out of its source's answers."""

    def answer(sample: Sample, text: str) -> str | None:
        known = answers.get(sample.source)
        return extract_answer(text, question_of(sample), known) if known else None

    return answer


def make_truth(answer: Answer, scenes: Scenes) -> Truth:
    """Is a text true of the sample's image?

    A Shapes text is judged against its scene (no claim false, one true). A text about a real
    image must give the label's answer; none or two answers count as wrong. None where there is
    neither a scene nor a label (two images, text only).
    """

    def truth(sample: Sample, text: str) -> bool | None:
        scene = scenes.of(sample)
        if scene is not None:
            return judge(scene, text, question_of(sample)).factual
        if sample.answer is not None and sample.task in ANSWERABLE:
            return answer(sample, text) == sample.answer
        return None

    return truth


def question_of(sample: Sample) -> str:
    """The question itself, where the instruction wraps one (choices, a request for brevity)."""
    return sample.extra.get("question", sample.turns[0].instruction)
