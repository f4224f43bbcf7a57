"""NLI: does a rewrite keep what the annotation says? (METHOD section 5)"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.params import EncoderParams
from polite_flamingo.judges import augment, cross_encoder
from polite_flamingo.judges.cross_encoder import CrossEncoder, Encoded
from polite_flamingo.shapes.wordings import NUMBERS

# The order of every logits array of this project, and of the released data set's records.
LABELS = ("contradiction", "entailment", "neutral")


def vqa_premise(rewrite: str, question: str) -> str:
    """Premise of the VQA check: the rewritten answer in the paper's template."""
    return f'"{rewrite.strip()}" is the answer to the question: "{question.strip()}"'


def vqa_hypothesis(original: str, question: str) -> str:
    """Hypothesis of the VQA check: the original answer in the same template."""
    return vqa_premise(original, question)


# Shares of the training examples that are varied in each way, and the most words changed or lost.
_COMPOSED, _REWORDED, _DRESSED, _PERMUTED = 0.2, 0.6, 0.5, 0.7
_MOST_REWORDED, _MOST_LOST = 0.6, 0.15
_DIGITS = re.compile(r"\b(?:10|[0-9])\b")
_LINK = '" is the answer to the question: "'


def build(
    params: EncoderParams, tokenizer: PreTrainedTokenizerBase, vectors: np.ndarray | None = None
) -> CrossEncoder:
    """Make an untrained NLI model over an uncased tokenizer: ``cross_encoder.pair_tokenizer`` or,
    with word vectors, that of ``word_vectors.load``.
    """
    model = cross_encoder.build(params, tokenizer, LABELS, vectors)
    # Stored with the model, like the tokenizer: how it wants its pairs.
    model.network.config.question_once = True
    model.network.config.answer_marks = True
    return model


def load(source: Path | str, max_length: int | None = None) -> CrossEncoder:
    """Load an NLI model: a folder or a hub name (``cross-encoder/nli-deberta-v3-base``)."""
    return cross_encoder.load(source, max_length)


def save(model: CrossEncoder, folder: Path) -> None:
    """Write the model in transformers' format (safetensors)."""
    cross_encoder.save(model, folder)


def encode(model: CrossEncoder, pairs: Sequence[tuple[str, str]]) -> list[Encoded]:
    """Tokenise (premise, hypothesis) pairs for :func:`batch`."""
    return cross_encoder.encode(model, *_texts(model, pairs))


def _texts(model: CrossEncoder, pairs: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    if getattr(model.network.config, "question_once", False):
        pairs = [_question_once(premise, hypothesis) for premise, hypothesis in pairs]
    return [premise for premise, _ in pairs], [hypothesis for _, hypothesis in pairs]


def _question_once(premise: str, hypothesis: str) -> tuple[str, str]:
    # The template says the question twice; a model trained here reads (rewrite, question + answer):
    # half the tokens, and words that match no longer do so because the question does.
    parts = split(premise, hypothesis)
    if parts is None:
        return premise, hypothesis
    # "2" and "two" are one word.
    said, asked, original = (_DIGITS.sub(lambda m: NUMBERS[int(m[0])], part) for part in parts)
    return said, f"{asked} | {original}"


def split(premise: str, hypothesis: str) -> tuple[str, str, str] | None:
    """Take a pair of the VQA check apart: rewrite, question, original; None for other pairs."""
    said, link, question = premise.partition(_LINK)
    original, other_link, asked = hypothesis.partition(_LINK)
    if not (link and other_link) or question != asked:
        return None
    return said.removeprefix('"'), asked.removesuffix('"'), original.removeprefix('"')


def varied(
    pair: tuple[str, str],
    label: str,
    others: Mapping[str, str],
    near: augment.Nearest,
    rng: np.random.Generator,
) -> tuple[str, str]:
    """Word and fill a training pair otherwise, so that its label stays.

    ``others``: label -> premise of the other examples of its question, ``near``: words that may
    stand for others (``augment.nearest_words``).
    """
    parts = split(*pair)
    said, asked, original = parts or (pair[0], "", pair[1])
    if rng.random() < _COMPOSED:
        company = {name: (split(text, pair[1]) or (text,))[0] for name, text in others.items()}
        said = augment.composed(label, said, company, rng)
    if rng.random() < _REWORDED:
        share, lost = rng.random() * _MOST_REWORDED, rng.random() * _MOST_LOST
        (said,) = augment.reword([said], near, rng, share, lost)
    if rng.random() < _DRESSED:
        said = augment.dressed(said, rng)
    if rng.random() < _PERMUTED:
        said, asked, original = augment.permute((said, asked, original), rng)
    if parts is None:
        return said, original
    return vqa_premise(said, asked), vqa_hypothesis(original, asked)


def batch(model: CrossEncoder, rows: Sequence[Encoded], labels: Sequence[str]) -> dict[str, Any]:
    """Make a training batch of encoded (premise, hypothesis) pairs and their label names."""
    numbers = [LABELS.index(label) for label in labels]
    return {"inputs": cross_encoder.collate(model, rows), "labels": torch.tensor(numbers)}


def loss(model: nn.Module, batch: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
    """Cross-entropy of a :func:`batch`, with its accuracy."""
    logits = model(batch["inputs"])
    correct = logits.argmax(-1) == batch["labels"]
    return nn.functional.cross_entropy(logits, batch["labels"]), {
        "accuracy": correct.float().mean()
    }


def entailment_logits(
    model: CrossEncoder, pairs: Sequence[tuple[str, str]], batch_size: int = 128
) -> np.ndarray:
    """Logits of (premise, hypothesis) pairs: [n, 3] in the order of :data:`LABELS`."""
    logits = cross_encoder.score(model, *_texts(model, pairs), batch_size)
    return logits[:, _columns(model)]


def _columns(model: CrossEncoder) -> list[int]:
    # Published models differ in the order of their labels; unnamed ones follow the cross-encoders'.
    names = [str(name).lower() for _, name in sorted(model.network.config.id2label.items())]
    return [names.index(label) for label in LABELS] if set(LABELS) <= set(names) else [0, 1, 2]
