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


def build(params: EncoderParams, tokenizer: PreTrainedTokenizerBase) -> CrossEncoder:
    """Make an untrained NLI model over ``cross_encoder.pair_tokenizer(..., uncased=True)``."""
    return cross_encoder.build(params, tokenizer, LABELS)


def load(source: Path | str, max_length: int | None = None) -> CrossEncoder:
    """Load an NLI model: a folder or a hub name (``cross-encoder/nli-deberta-v3-base``)."""
    return cross_encoder.load(source, max_length)


def save(model: CrossEncoder, folder: Path) -> None:
    """Write the model in transformers' format (safetensors)."""
    cross_encoder.save(model, folder)


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
    logits = cross_encoder.score(
        model,
        [premise for premise, _ in pairs],
        [hypothesis for _, hypothesis in pairs],
        batch_size,
    )
    return logits[:, _columns(model)]


def _columns(model: CrossEncoder) -> list[int]:
    # Published models differ in the order of their labels; unnamed ones follow the cross-encoders'.
    names = [str(name).lower() for _, name in sorted(model.network.config.id2label.items())]
    return [names.index(label) for label in LABELS] if set(LABELS) <= set(names) else [0, 1, 2]
