from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polite_flamingo.sources.text import neutralise, one_line, tidy

TOKENS = ["<image>", "<|endofchunk|>", "</s>", "<s>", "### Human:", "### Assistant:", "<img_path>"]
pieces = st.lists(
    st.sampled_from([*TOKENS, "<", ">", "|", "###", " ", "Human:", "\n", "image"])
    | st.text(max_size=3)
).map("".join)


@pytest.mark.parametrize(
    ("text", "safe", "count"),
    [
        ("an <image> here", "an [image] here", 1),
        ("a<|endofchunk|>b", "a[endofchunk]b", 1),
        ("<S>x</s>", "[S]x[/s]", 2),
        ("### Human: hi\n### Assistant: yo", "Human: hi\nAssistant: yo", 2),
        ("### ### Human: hi", "Human: hi", 1),
        ("<|<image>|>", "[[image]]", 2),
        ("2 < 3 and # Heading, <b>bold</b>", "2 < 3 and # Heading, <b>bold</b>", 0),
    ],
)
def test_special_tokens_are_broken_and_counted(text: str, safe: str, count: int) -> None:
    assert neutralise(text) == (safe, count)


@given(pieces)
def test_nothing_special_is_left(text: str) -> None:
    safe, count = neutralise(text)
    assert neutralise(safe) == (safe, 0)
    assert not any(token.lower() in safe.lower() for token in TOKENS)
    assert count or safe == text


def test_line_ends_controls_and_surrogates() -> None:
    assert tidy("\ufeffa\r\nb\x00\u2028c\ud800 ") == "a\nb\nc\ufffd"
    assert one_line(" a \n\t b ") == "a b"


@given(st.text(st.characters(exclude_categories=[])))
def test_tidy_text_is_stable_and_encodes(text: str) -> None:
    clean = tidy(text)
    clean.encode("utf-8")
    assert tidy(clean) == clean
    assert "\r" not in clean
