from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from polite_flamingo.core.errors import UserError
from polite_flamingo.models.configs import load_config
from polite_flamingo.models.tokenizer import (
    clip_texts,
    decode,
    encode_texts,
    load_tokenizer,
    save_tokenizer,
    special_ids,
    train_tokenizer,
)


def test_special_tokens_are_appended_in_openflamingos_order(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    last = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer) - 5, len(tokenizer))))
    assert last == ["<s>", "</s>", "<|endofchunk|>", "<image>", "<PAD>"]


def test_training_is_deterministic_and_order_free(texts: list[str], tmp_path: Path) -> None:
    style = load_config("micro").prompt
    for name, given_texts in {"a": texts, "b": texts[::-1]}.items():
        save_tokenizer(train_tokenizer(iter(given_texts), 400, style), tmp_path / name)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        contents = {(tmp_path / name / file).read_bytes() for name in "ab"}
        assert len(contents) == 1


def test_save_load_round_trip(tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path / "once")
    loaded = load_tokenizer(tmp_path / "once")
    assert special_ids(loaded) == special_ids(tokenizer)
    assert loaded.get_vocab() == tokenizer.get_vocab()
    save_tokenizer(loaded, tmp_path / "twice")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "once" / file).read_bytes() == (tmp_path / "twice" / file).read_bytes()
    plain = AutoTokenizer.from_pretrained(tmp_path / "once")
    assert plain("a red circle")["input_ids"] == tokenizer("a red circle")["input_ids"]


def test_digits_are_single_tokens(tokenizer: PreTrainedTokenizerBase) -> None:
    tokens = tokenizer.convert_ids_to_tokens(encode_texts(tokenizer, ["11 1110"])[0])
    assert [token for token in tokens if any(c.isdigit() for c in token)] == list("111110")


@given(text=st.text(max_size=60) | st.sampled_from(["<image>", "a</s>b<|endofchunk|><PAD> <s>"]))
def test_any_text_survives_and_never_becomes_a_special_token(
    tokenizer: PreTrainedTokenizerBase, text: str
) -> None:
    (ids,) = encode_texts(tokenizer, [text])
    assert not set(ids) & set(tokenizer.all_special_ids)
    assert tokenizer.decode(ids) == text


def test_clip_texts_always_end_with_eos(tokenizer: PreTrainedTokenizerBase) -> None:
    rows = clip_texts(tokenizer, ["red", "red " * 100], 16)
    special = special_ids(tokenizer)
    assert rows.shape == (2, 16)
    assert (rows == special.eos).sum(1).tolist() == [1, 1]
    assert rows[1, -1] == special.eos
    assert decode(tokenizer, rows[0].tolist()) == "red"


def test_missing_tokenizer_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no tokenizer at .*/nothing: run `dvc repro`"):
        load_tokenizer(tmp_path / "nothing")


@pytest.mark.parametrize("folder", [Path("models/tokenizer"), Path("tokenizer")])
def test_a_path_is_never_taken_for_a_hub_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", _asks_the_hub)
    with pytest.raises(UserError, match=f"no tokenizer at {folder}: "):
        load_tokenizer(folder)


def _asks_the_hub(*_: object, **__: object) -> None:
    raise AssertionError("the hub was asked")
