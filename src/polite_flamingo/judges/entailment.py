"""NLI: does a rewrite keep what the annotation says? (METHOD section 5)"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.params import EncoderParams
from polite_flamingo.judges import cross_encoder
from polite_flamingo.judges.cross_encoder import CrossEncoder, Encoded

# The order of every logits array of this project, and of the released data set's records.
LABELS = ("contradiction", "entailment", "neutral")


def vqa_premise(rewrite: str, question: str) -> str:
    """Premise of the VQA check: the rewritten answer in the paper's template."""
    return f'"{rewrite.strip()}" is the answer to the question: "{question.strip()}"'


def vqa_hypothesis(original: str, question: str) -> str:
    """Hypothesis of the VQA check: the original answer in the same template."""
    return vqa_premise(original, question)


# Random tokens put into a premise while training, as a share of its length.
STRANGE_WORDS = 0.25
_LINK = '" is the answer to the question: "'


def build(params: EncoderParams, tokenizer: PreTrainedTokenizerBase) -> CrossEncoder:
    """Make an untrained NLI model over ``cross_encoder.pair_tokenizer(..., uncased=True)``."""
    model = cross_encoder.build(params, tokenizer, LABELS)
    # Stored with the model, like the tokenizer: how it wants its pairs.
    model.network.config.question_once = True
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
    said, link, question = premise.partition(_LINK)
    original, other_link, asked = hypothesis.partition(_LINK)
    if not (link and other_link) or question != asked:
        return premise, hypothesis
    asked, original = asked.removesuffix('"'), original.removeprefix('"')
    return said.removeprefix('"'), f"{asked} | {original}"


def batch(
    model: CrossEncoder,
    rows: Sequence[Encoded],
    labels: Sequence[str],
    rng: np.random.Generator | None = None,
) -> dict[str, Any]:
    """Make a training batch of encoded (premise, hypothesis) pairs and their label names.

    With ``rng``, random tokens are put into the premises: words that training never shows must not
    look like a contradiction.
    """
    if rng is not None:
        rows = [_with_strange_words(model, row, rng) for row in rows]
    numbers = [LABELS.index(label) for label in labels]
    return {"inputs": cross_encoder.collate(model, rows), "labels": torch.tensor(numbers)}


def _with_strange_words(model: CrossEncoder, row: Encoded, rng: np.random.Generator) -> Encoded:
    """Put random tokens between a premise's words, or as a phrase before or after them."""
    ids, segments = row
    end = ids.index(model.tokenizer.sep_token_id)
    room = model.max_length - len(ids)
    number = min(int(rng.binomial(end, STRANGE_WORDS)), max(0, room))
    present = set(ids)
    drawn = rng.integers(len(model.tokenizer), size=number).tolist()
    strange = [token for token in drawn if token not in present]
    where = rng.random()
    if where < 0.5:
        places = np.sort(rng.integers(1, end + 1, size=len(strange)))
    else:
        places = np.full(len(strange), 1 if where < 0.8 else end)
    mixed = np.insert(np.array(ids), places, strange).tolist()
    return mixed, np.insert(np.array(segments), places, 0).tolist()


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
