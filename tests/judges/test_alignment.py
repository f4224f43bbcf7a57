from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from polite_flamingo.core.params import EncoderParams
from polite_flamingo.judges import cross_encoder, entailment
from polite_flamingo.judges.alignment import AlignmentForSequenceClassification
from polite_flamingo.training.fit import fit
from polite_flamingo.training.order import batch_indices


@pytest.fixture(scope="module")
def aligning(settings: EncoderParams) -> EncoderParams:
    return replace(settings, architecture="alignment", layers=1)


def test_it_loads_like_any_other_judge(
    tokenizer_folder: Path, aligning: EncoderParams, tmp_path: Path
) -> None:
    tokenizer = cross_encoder.pair_tokenizer(tokenizer_folder, uncased=True)
    model = entailment.build(aligning, tokenizer)
    entailment.save(model, tmp_path / "nli")
    again = entailment.load(tmp_path / "nli")
    assert isinstance(again.network, AlignmentForSequenceClassification)
    pairs = [("The circle is red.", "red"), ("", "a star"), ("I can see it well.", "")]
    found = entailment.entailment_logits(again, pairs)
    np.testing.assert_array_equal(found, entailment.entailment_logits(model, pairs))
    # Padding has no say.
    alone = np.concatenate([entailment.entailment_logits(again, [pair]) for pair in pairs])
    np.testing.assert_allclose(found, alone, atol=1e-5)


def test_it_learns_whether_two_texts_agree(
    tokenizer_folder: Path, aligning: EncoderParams, tmp_path: Path
) -> None:
    colors = ("red", "blue", "green", "yellow", "black")
    rows = [
        (f"the circle is {a}", f"{b}", "entailment" if a == b else "contradiction")
        for a in colors
        for b in (a, a, a, a, *colors)
    ]
    tokenizer = cross_encoder.pair_tokenizer(tokenizer_folder, uncased=True)
    model = entailment.build(aligning, tokenizer)
    encoded = entailment.encode(model, [row[:2] for row in rows])

    def batch(step: int) -> dict[str, object]:
        chosen = batch_indices(len(rows), 32, 0, step)
        return entailment.batch(model, [encoded[i] for i in chosen], [rows[i][2] for i in chosen])

    fit(model, entailment.loss, batch, aligning.fit, tmp_path, 0)
    guesses = entailment.entailment_logits(model, [row[:2] for row in rows]).argmax(1)
    right = [entailment.LABELS[g] == row[2] for g, row in zip(guesses, rows, strict=True)]
    assert np.mean(right) > 0.95
