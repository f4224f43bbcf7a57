from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import EncoderParams
from polite_flamingo.judges import cross_encoder
from polite_flamingo.judges.cross_encoder import CrossEncoder

LABELS = ("one", "two")


@pytest.fixture(scope="module")
def model(tokenizer_folder: Path, settings: EncoderParams) -> CrossEncoder:
    tokenizer = cross_encoder.pair_tokenizer(tokenizer_folder, uncased=True)
    return cross_encoder.build(settings, tokenizer, LABELS)


def test_a_pair_is_framed_and_segmented(model: CrossEncoder) -> None:
    (ids, segments), = cross_encoder.encode(model, ["red."], ["a blue star?"])  # fmt: skip
    tokens = model.tokenizer.convert_ids_to_tokens(ids)
    assert tokens[0] == "[CLS]" and tokens[-1] == "[SEP]" and tokens.count("[SEP]") == 2
    sides = [segment % 2 for segment in segments]
    assert sides == sorted(sides) and set(sides) == {0, 1}
    assert sides.index(1) == tokens.index("[SEP]") + 1


def test_tokens_of_both_texts_are_marked(model: CrossEncoder) -> None:
    pair = cross_encoder.encode(model, ["Red circle"], ["a red star"])
    ((ids, segments),) = pair
    marked = [
        (token, segment)
        for token, segment in zip(model.tokenizer.convert_ids_to_tokens(ids), segments, strict=True)
        if token in ("Ġred", "Ġcircle", "Ġstar")
    ]
    assert marked == [("Ġred", 2), ("Ġcircle", 0), ("Ġred", 3), ("Ġstar", 1)]
    # The plain segments of other models stay as they are.
    model.network.config.overlap_marks = False
    ((_, plain),) = cross_encoder.encode(model, ["Red circle"], ["a red star"])
    model.network.config.type_vocab_size = 1
    (encoded,) = cross_encoder.encode(model, ["red"], ["red"])
    unused = cross_encoder.collate(model, [encoded])["token_type_ids"]
    model.network.config.type_vocab_size = 8
    model.network.config.overlap_marks = True
    assert set(plain) == {0, 1}
    assert not unused.any()


def test_uncased_gives_a_word_the_same_tokens_everywhere(tokenizer_folder: Path) -> None:
    uncased = cross_encoder.pair_tokenizer(tokenizer_folder, uncased=True)
    cased = cross_encoder.pair_tokenizer(tokenizer_folder, uncased=False)

    def word(tokenizer: object, text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]  # type: ignore[operator, no-any-return]

    assert word(uncased, "Circle") == word(uncased, " circle") == word(uncased, "circle")
    assert word(uncased, "star\nCircle")[-1:] == word(uncased, "circle")
    assert word(cased, "Circle") != word(cased, "circle")


def test_special_tokens_spelled_in_a_text_are_characters(model: CrossEncoder) -> None:
    (ids, _), = cross_encoder.encode(model, ["[SEP] <image> </s>"], ["x"])  # fmt: skip
    assert ids.count(model.tokenizer.sep_token_id) == 2
    assert model.tokenizer.convert_tokens_to_ids("<image>") not in ids


@pytest.mark.parametrize("text", ["", " ", "\n", "é", "３", "a\r\nb", "日本", '"x"', "\u0301a"])
def test_any_text_is_encoded(model: CrossEncoder, text: str) -> None:
    assert np.isfinite(cross_encoder.score(model, [text], [text])).all()


def test_long_pairs_are_cut_to_the_positions_there_are(model: CrossEncoder) -> None:
    (ids, _), = cross_encoder.encode(model, ["red circle " * 100], ["blue"])  # fmt: skip
    assert len(ids) == 64
    assert "Ġblue" in model.tokenizer.convert_ids_to_tokens(ids)
    assert cross_encoder.score(model, ["red circle " * 100], ["blue"]).shape == (1, 2)


def test_a_score_depends_on_its_pair_alone(model: CrossEncoder) -> None:
    first = ["red", "a long text about a circle and a star", "blue", "red", ""]
    second = ["blue", "yes", "green square", "blue", ""]
    together = cross_encoder.score(model, first, second, batch_size=2)
    alone = np.concatenate(
        [cross_encoder.score(model, [a], [b]) for a, b in zip(first, second, strict=True)]
    )
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert (together[0] == together[3]).all()
    assert np.abs(together[0] - together[2]).max() > 1e-4
    assert cross_encoder.score(model, [], []).shape == (0, 2)


def test_saved_and_loaded_scores_are_equal(model: CrossEncoder, tmp_path: Path) -> None:
    cross_encoder.save(model, tmp_path / "judge")
    assert (tmp_path / "judge" / "model.safetensors").is_file()
    again = cross_encoder.load(tmp_path / "judge")
    assert again.max_length == 64
    pair = (["The Circle is red."], ['"Red" circle?'])
    assert cross_encoder.encode(again, *pair) == cross_encoder.encode(model, *pair)
    np.testing.assert_array_equal(
        cross_encoder.score(again, *pair), cross_encoder.score(model, *pair)
    )


def test_building_is_seeded_and_leaves_the_random_state(
    model: CrossEncoder, settings: EncoderParams
) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    twin = cross_encoder.build(settings, model.tokenizer, LABELS)
    assert torch.rand(1) == expected
    for left, right in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(left, right)


def test_a_missing_judge_or_tokenizer_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no judge in .*/nothing: run `dvc repro`"):
        cross_encoder.load(tmp_path / "nothing")
    with pytest.raises(UserError, match="base_tokenizer"):
        cross_encoder.pair_tokenizer(tmp_path, uncased=True)
