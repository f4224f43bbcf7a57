"""Tokenizers: a byte-level BPE trained here, or a pretrained one with Flamingo's tokens added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.tables import write_json
from polite_flamingo.models.configs import PromptStyle

BOS, EOS = "<s>", "</s>"
ENDOFCHUNK, IMAGE, PAD = "<|endofchunk|>", "<image>", "<PAD>"


@dataclass(frozen=True)
class SpecialIds:
    """Token ids the model must know."""

    image: int
    endofchunk: int
    pad: int
    eos: int
    bos: int | None


def train_tokenizer(
    texts: Iterable[str], vocab_size: int, style: PromptStyle | None = None
) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE with single digits; ``vocab_size`` counts the special tokens too.

    The fixed strings of a prompt ``style`` (system sentence, roles, markers) become one token
    each: they stand in every example, and took a third of its tokens as text. Equal texts (in any
    order) give equal tokenizers. A small corpus may give a smaller vocabulary.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = [BOS, EOS, ENDOFCHUNK, IMAGE, PAD]
    fixed: list[str] = []
    if style is not None:
        fixed = [style.system, style.human, style.assistant, style.draft, style.revised]
        fixed = list(dict.fromkeys(text for text in fixed if text))
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - len(special) - len(fixed),
        min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    # Not special: a decoded prompt still shows them.
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in fixed])
    return _wrap(tokenizer, special)


def _wrap(tokenizer: Tokenizer, added: Sequence[str]) -> PreTrainedTokenizerFast:
    tokenizer.add_special_tokens(list(added))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        additional_special_tokens=[ENDOFCHUNK, IMAGE],
        clean_up_tokenization_spaces=False,
    )


def load_tokenizer(source: str | Path, **options: Any) -> PreTrainedTokenizerBase:
    """Load a tokenizer folder or hub name and append Flamingo's tokens that it lacks.

    Order of appending: ``<|endofchunk|>``, ``<image>``, ``<PAD>`` (OpenFlamingo's). ``options``
    go to ``AutoTokenizer`` (``gguf_file``). A ``Path`` is a folder, never a hub name.
    """
    if isinstance(source, Path) and not source.is_dir():
        raise UserError(f"no tokenizer at {source}: run `dvc repro` to make it")
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(source), **options)
    except (OSError, ValueError) as error:
        raise UserError(
            f"no tokenizer at {source}: give a folder with tokenizer.json or a reachable hub name"
        ) from error
    if not tokenizer.is_fast:
        raise UserError(f"the tokenizer {source} has no fast version: convert it to tokenizer.json")
    known = tokenizer.get_vocab()
    missing = [token for token in (ENDOFCHUNK, IMAGE) if token not in known]
    if missing:
        tokenizer.add_special_tokens(
            {"additional_special_tokens": missing}, replace_extra_special_tokens=False
        )
    if PAD not in known:
        tokenizer.add_special_tokens({"pad_token": PAD})
    if tokenizer.eos_token_id is None:
        raise UserError(f"the tokenizer {source} has no EOS token: add one to its config")
    return tokenizer


def save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write ``tokenizer.json`` and ``tokenizer_config.json``: equal bytes for equal tokenizers."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    named = {"bos_token": tokenizer.bos_token, "eos_token": tokenizer.eos_token}
    write_json(
        folder / "tokenizer_config.json",
        {
            **{name: token for name, token in named.items() if token is not None},
            "pad_token": tokenizer.pad_token,
            "additional_special_tokens": [ENDOFCHUNK, IMAGE],
            "clean_up_tokenization_spaces": False,
            "tokenizer_class": "PreTrainedTokenizerFast",
        },
    )


def special_ids(tokenizer: PreTrainedTokenizerBase) -> SpecialIds:
    """Ids of Flamingo's tokens in a tokenizer from this module."""
    vocabulary = tokenizer.get_added_vocab()
    return SpecialIds(
        image=vocabulary[IMAGE],
        endofchunk=vocabulary[ENDOFCHUNK],
        pad=vocabulary[PAD],
        eos=tokenizer.eos_token_id,
        bos=tokenizer.bos_token_id,
    )


def encode_texts(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of plain texts: a special token spelled in a text is just its characters."""
    if not texts:
        return []
    return tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True)["input_ids"]


def decode(tokenizer: PreTrainedTokenizerBase, tokens: Sequence[int]) -> str:
    """Text of generated tokens, without special tokens and outer white space."""
    return str(tokenizer.decode(list(tokens), skip_special_tokens=True)).strip()


def clip_texts(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], context_length: int
) -> Tensor:
    """Texts for open_clip's text tower: [n, context_length] int64, ``<s> text </s> <PAD>...``.

    Texts that do not fit are cut; EOS always stands.
    """
    special = special_ids(tokenizer)
    start = [] if special.bos is None else [special.bos]
    rows = torch.full((len(texts), context_length), special.pad, dtype=torch.int64)
    for row, ids in zip(rows, encode_texts(tokenizer, texts), strict=True):
        kept = [*start, *ids[: context_length - 1 - len(start)], special.eos]
        row[: len(kept)] = torch.tensor(kept)
    return rows
