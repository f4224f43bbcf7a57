"""The encoder under NLI and reward: a pair of texts in, logits out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, normalizers, processors
from torch import Tensor, nn
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    ElectraConfig,
    ElectraForSequenceClassification,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import progress
from polite_flamingo.core.params import EncoderParams
from polite_flamingo.core.seeds import derive
from polite_flamingo.judges.alignment import (
    AlignmentConfig,
    AlignmentForSequenceClassification,
)

_PAD, _CLS, _SEP = "[PAD]", "[CLS]", "[SEP]"

_SEGMENTS = 2
# What two bits more say: whether the other text holds a token, and whether the answer does.
_MARKS = 4
_BARS = ("Ġ|", "|")
# How a token is written: small, with a capital, in capitals, at the start of a line.
_CASES = 4
# Standard deviation of fresh weights.
_SPREAD = 0.05

Encoded = tuple[list[int], list[int]]  # token ids, segment ids


class CrossEncoder(nn.Module):
    """A sequence classifier with its tokenizer; ``network`` is a plain transformers model."""

    def __init__(self, network: Any, tokenizer: PreTrainedTokenizerBase, max_length: int) -> None:
        super().__init__()
        self.network = network
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.stems = _stems(tokenizer)
        # The bar between question and answer, if the tokenizer has one.
        self.bar = next(
            (tokenizer.get_vocab()[b] for b in _BARS if b in tokenizer.get_vocab()), None
        )

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Logits [batch, labels] of :func:`collate`'s tensors."""
        logits: Tensor = self.network(**inputs).logits
        return logits


def pair_tokenizer(folder: Path, uncased: bool) -> PreTrainedTokenizerFast:
    """Make a pair tokenizer (``[CLS] a [SEP] b [SEP]``) from the project's BPE in ``folder``.

    ``uncased`` gives a word the same tokens wherever it stands (lower case, with a leading space at
    the start of a text or line too): a small NLI model must match words between two texts; a reward
    model must see the capitals.
    """
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise UserError(f"{file} is missing: run the stage base_tokenizer (dvc repro)")
    state = json.loads(file.read_text(encoding="utf-8"))
    # The language model's own template and limits have no place here.
    state.update(post_processor=None, truncation=None, padding=None)
    bpe = Tokenizer.from_str(json.dumps(state))
    bpe.add_special_tokens([_PAD, _CLS, _SEP])
    if uncased:
        bpe.normalizer = normalizers.Sequence(
            [
                normalizers.NFKC(),
                normalizers.Lowercase(),
                normalizers.Replace("\n", " "),
                normalizers.Strip(),
                normalizers.Prepend(" "),
            ]
        )
    ids = {token: bpe.token_to_id(token) for token in (_CLS, _SEP)}
    bpe.post_processor = processors.TemplateProcessing(
        single=f"{_CLS} $A {_SEP}",
        pair=f"{_CLS} $A {_SEP} $B:1 {_SEP}:1",
        special_tokens=list(ids.items()),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token=_PAD,
        cls_token=_CLS,
        sep_token=_SEP,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def build(
    params: EncoderParams,
    tokenizer: PreTrainedTokenizerBase,
    labels: Sequence[str],
    vectors: np.ndarray | None = None,
    cased: bool = False,
) -> CrossEncoder:
    """Make an untrained encoder of ``params`` with one logit a label; seeded by ``params.seed``.

    ``vectors`` [vocabulary, word_size]: word vectors that stay as they are. ``cased``: tokens are
    marked by how they are written, for a tokenizer that does not tell (:func:`encode`).
    """
    facts: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": params.hidden_size,
        "embedding_size": params.word_size if vectors is not None else params.hidden_size,
        "max_position_embeddings": params.max_length,
        "type_vocab_size": _MARKS * _SEGMENTS * (_CASES if cased else 1),
        "initializer_range": _SPREAD,
        "pad_token_id": tokenizer.pad_token_id,
        "num_labels": len(labels),
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(params.seed, "judges", *labels))
        network = _network(params, facts)
    # Stored with the model: how it wants its tokens marked.
    network.config.overlap_marks = True
    network.config.case_marks = cased
    if vectors is not None:
        table = network.get_input_embeddings().weight
        # On the scale of the marks that are added to them.
        scaled = vectors * (2 * _SPREAD / vectors.std())
        table.data[: len(scaled)] = torch.from_numpy(scaled.astype(np.float32))
        table.requires_grad_(False)
    return CrossEncoder(network.eval(), tokenizer, params.max_length)


def _network(params: EncoderParams, facts: dict[str, Any]) -> Any:
    if params.architecture == "alignment":
        return AlignmentForSequenceClassification(AlignmentConfig(rounds=params.layers, **facts))
    return ElectraForSequenceClassification(
        ElectraConfig(
            num_hidden_layers=params.layers,
            num_attention_heads=params.heads,
            # Twice the width, not four times: half the arithmetic, no loss at this size.
            intermediate_size=2 * params.hidden_size,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            **facts,
        )
    )


def load(source: Path | str, max_length: int | None = None) -> CrossEncoder:
    """Load a trained encoder with its tokenizer: a folder (ours or any other) or a hub name.

    A ``Path`` is a folder, never a hub name.
    """
    if isinstance(source, Path) and not source.is_dir():
        raise UserError(f"no judge in {source}: run `dvc repro` to make it")
    try:
        network = AutoModelForSequenceClassification.from_pretrained(str(source))
        tokenizer = AutoTokenizer.from_pretrained(str(source))
    except (OSError, ValueError) as error:
        raise UserError(
            f"no judge in {source}: run its stage (dvc repro), or name a reachable hub model"
        ) from error
    positions = int(getattr(network.config, "max_position_embeddings", 0)) or 512
    return CrossEncoder(network.eval(), tokenizer, min(max_length or positions, positions))


def save(model: CrossEncoder, folder: Path) -> None:
    """Write config, safetensors weights and tokenizer: a folder any transformers code can load."""
    folder.mkdir(parents=True, exist_ok=True)
    model.network.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)


def encode(model: CrossEncoder, first: Sequence[str], second: Sequence[str]) -> list[Encoded]:
    """Tokenise pairs, cut to ``max_length`` (the longer text gives way): ids and segments."""
    if not first:
        return []
    marks = _marks(model)
    encoded = model.tokenizer(
        list(first),
        list(second),
        truncation="longest_first",
        max_length=model.max_length,
        return_token_type_ids=True,
        return_attention_mask=False,
        return_offsets_mapping="case" in marks,
        # "[SEP]" or "<image>" spelled in a text is just its characters.
        split_special_tokens=True,
    )
    rows = list(zip(encoded["input_ids"], encoded["token_type_ids"], strict=True))
    if "overlap" in marks:
        bar = model.bar if "answer" in marks else None
        rows = [(ids, _with_overlap(ids, segs, model.stems, bar)) for ids, segs in rows]
    if "case" in marks:
        rows = [
            (ids, _with_case((a, b), segments, offsets))
            for a, b, (ids, segments), offsets in zip(
                first, second, rows, encoded["offset_mapping"], strict=True
            )
        ]
    return rows


def _marks(model: CrossEncoder) -> tuple[str, ...]:
    config = model.network.config
    return tuple(
        name for name in ("overlap", "answer", "case") if getattr(config, f"{name}_marks", False)
    )


def _with_case(
    texts: tuple[str, str], segments: list[int], offsets: list[tuple[int, int]]
) -> list[int]:
    """Add 8, 16 or 24 to the segment ids of tokens with a capital, in capitals, after a new line."""
    marked = []
    for segment, (start, end) in zip(segments, offsets, strict=True):
        text = texts[segment % _SEGMENTS]
        token = text[start:end]
        case = 0
        if text[max(0, start - 1) : start] == "\n":
            case = 3
        elif token[:1].isupper():
            case = 2 if len(token) > 1 and token.isupper() else 1
        marked.append(segment + _MARKS * _SEGMENTS * case)
    return marked


def _with_overlap(
    ids: list[int], segments: list[int], stems: Sequence[int], bar: int | None
) -> list[int]:
    """Mark tokens whose stem the other text holds too: segment ids 2 and 3 instead of 0 and 1.

    The exact-match feature of reading comprehension (arXiv 1704.00051). A small encoder doesn't
    find out by itself that two tokens are equal, and the feature knows words it never saw. Where
    the second text is "question | answer" (``bar`` is its bar), 4 more marks the answer and what
    it shares with the first text: to repeat the question is not to give the answer.
    """
    split = len(ids)
    if bar is not None and bar in ids:
        split = len(ids) - 1 - ids[::-1].index(bar)
    sides: tuple[set[int], ...] = (set(), set())
    answer = set()
    for place, (token, segment) in enumerate(zip(ids, segments, strict=True)):
        sides[segment].add(stems[token])
        if segment and place > split:
            answer.add(stems[token])
    shared = sides[0] & sides[1]
    return [
        segment
        + _SEGMENTS * (stems[token] in shared)
        + 2 * _SEGMENTS * (place > split if segment else stems[token] in answer)
        for place, (token, segment) in enumerate(zip(ids, segments, strict=True))
    ]


def _stems(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Map each token id to one that all forms of its word share (no plural s)."""
    first: dict[str, int] = {}
    stems = list(range(len(tokenizer)))
    for token, number in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]):
        if token.lstrip("Ġ").isalpha() and len(token) > len("Ġthe"):
            word = token.lower().rstrip("s").removesuffix("e").rstrip("s")
            stems[number] = first.setdefault(word, number)
    return stems


def collate(model: CrossEncoder, rows: Sequence[Encoded]) -> dict[str, Tensor]:
    """Pad pairs on the right: input_ids, token_type_ids, attention_mask, each [n, tokens]."""
    width = max(len(ids) for ids, _ in rows)
    ids = np.full((len(rows), width), model.tokenizer.pad_token_id, dtype=np.int64)
    segments = np.zeros((len(rows), width), dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for row, (tokens, types) in enumerate(rows):
        ids[row, : len(tokens)] = tokens
        segments[row, : len(tokens)] = types
        mask[row, : len(tokens)] = 1
    arrays = {"input_ids": ids, "token_type_ids": segments, "attention_mask": mask}
    if getattr(model.network.config, "type_vocab_size", _SEGMENTS) < _SEGMENTS:
        # RoBERTa and DeBERTa-v3 tell the texts apart by separators alone.
        arrays["token_type_ids"][:] = 0
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


@torch.inference_mode()
def score(
    model: CrossEncoder,
    first: Sequence[str],
    second: Sequence[str],
    batch_size: int = 128,
) -> np.ndarray:
    """Logits of every pair: [n, labels] float32.

    Distinct pairs are computed once, sorted by length so that little is padded.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} texts against {len(second)}")
    labels = int(model.network.config.num_labels)
    if not first:
        return np.zeros((0, labels), dtype=np.float32)
    places = {
        pair: place for place, pair in enumerate(dict.fromkeys(zip(first, second, strict=True)))
    }
    rows = encode(model, [pair[0] for pair in places], [pair[1] for pair in places])
    order = sorted(range(len(rows)), key=lambda row: len(rows[row][0]))
    device = next(model.parameters()).device
    logits = np.empty((len(rows), labels), dtype=np.float32)
    model.eval()
    for start in progress(range(0, len(rows), batch_size), desc="pairs", unit="batch"):
        part = order[start : start + batch_size]
        inputs = {
            name: tensor.to(device)
            for name, tensor in collate(model, [rows[i] for i in part]).items()
        }
        logits[part] = model(inputs).float().cpu().numpy()
    return logits[[places[pair] for pair in zip(first, second, strict=True)]]
