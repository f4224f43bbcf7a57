"""Text of annotations as it must be before it meets a prompt."""

from __future__ import annotations

import re

# Control characters that are no whitespace, byte-order marks inside text, lone surrogates (JSON's
# "\ud800" gives one, and UTF-8 has no bytes for it).
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufeff]")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Most texts need none of the repairs: one search tells.
_DIRTY = re.compile("[\x00-\x08\x0b\x0c\r\x0e-\x1f\x7f\ufeff\u2028\u2029\x85\ud800-\udfff]|\n{3}")
_BLANK_RUN = re.compile(r"\n{3,}")

# Strings that mean something to the prompt, the tokenizer or the released records.
_TOKEN = re.compile(
    r"<\|([^<>|\s]{1,40})\|>|<(/?(?:s|image|unk|pad|bos|eos|mask|img_path))>", re.IGNORECASE
)
_ROLE = re.compile(r"(?:#{3,}\s*)+(human|assistant|system|user)(?=\s*:)", re.IGNORECASE)


def tidy(text: str) -> str:
    """Make line ends LF, drop control characters, strip; spaces inside stay as annotated."""
    # What is printable holds no white space but the plain one, and nothing to repair.
    if text.isprintable() or not _DIRTY.search(text):
        return text.strip()
    text = _LINE_END.sub("\n", _CONTROL.sub("", text))
    text = _SURROGATE.sub("\ufffd", text)
    return _BLANK_RUN.sub("\n\n", text).strip()


def one_line(text: str) -> str:
    """Tidy a caption, question or name and join it to one line with single spaces."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(tidy(text).split())


def are_clean(texts: list[str]) -> bool:
    """Tell texts that :func:`tidy` and :func:`neutralise` would leave as they are (almost all are).

    One with a replacement character does not count: those are counted.
    """
    whole = "".join(texts)
    return (
        "<" not in whole
        and "#" not in whole
        and "\ufffd" not in whole
        and (whole.isprintable() or not any(map(_DIRTY.search, texts)))
        and list(map(str.strip, texts)) == texts
    )


def neutralise(text: str) -> tuple[str, int]:
    """Break special tokens in a text; return it with the number of tokens found.

    ``<image>`` becomes ``[image]``, ``<|endofchunk|>`` ``[endofchunk]``, ``</s>`` ``[/s]`` and
    ``### Human:`` ``Human:``: a person still reads them, no tokenizer or prompt parser does.
    """
    if "<" not in text and "#" not in text:
        return text, 0
    text, found = _ROLE.subn(r"\1", text)
    # A token inside a token shows only when the inner one is broken: look again until none is left.
    while True:
        text, tokens = _TOKEN.subn(lambda match: f"[{match[1] or match[2]}]", text)
        if not tokens:
            return text, found
        found += tokens
