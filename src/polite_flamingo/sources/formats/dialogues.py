"""Text-only dialogues of other layouts: UltraChat and OASST-1; and the released PF-1M."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from polite_flamingo.core.sample import Reject, Turn
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Broken, Item, read_list
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    as_id,
    convert,
    locate,
    mapping,
    reject,
    sequence,
    text_of,
)
from polite_flamingo.sources.shelf import Shelf
from polite_flamingo.sources.text import tidy

_IMAGE_MARK = re.compile(r"<img_path>(.*?)<img_path>", re.DOTALL)
_ASKING, _ANSWERING = "prompter", "assistant"
# Answers to answers to answers ...: longer threads are cut.
_DEEPEST = 200


def read_ultrachat(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read JSON Lines ``{id, data: [user, assistant, user ...]}`` of every role that is there."""
    for path in _record_files(root, entry, split):
        # The files count their ids anew.
        def identify(item: Item, stem: str = path.stem) -> str:
            return as_id(f"{stem}-{as_id(mapping(item.value).get('id'))}")

        yield from convert(entry, split, read_list(path), identify, _ultrachat)


def _ultrachat(item: Item, native_id: str) -> Record:
    messages = sequence(mapping(item.value), "data")
    texts = [tidy(text) if isinstance(text, str) else "" for text in messages]
    # What follows a blank message may speak of it.
    whole = texts.index("") if "" in texts else len(texts)
    texts = texts[: whole - whole % 2]
    if not texts:
        raise BadRecord("no_turns", "no message of a user with an answer")
    left_out = len(messages) - len(texts)
    return Record(
        native_id=native_id,
        position=item.position,
        turns=tuple(Turn(a, b) for a, b in zip(texts[::2], texts[1::2], strict=True)),
        notes={"messages_left_out": left_out} if left_out else {},
    )


def read_oasst(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read OASST-1's trees or its flat messages; one dialogue a tree, along the best-ranked replies.

    Deleted messages and those of trees that are not ready for export are left out.
    """
    path = locate(entry, root, split, "records")
    flat = Shelf()
    trees = 0
    for item in read_list(path):
        value = item.value
        if isinstance(value, Mapping) and not isinstance(value, Broken) and "prompt" not in value:
            try:
                tree = as_id(value.get("message_tree_id"), "message_tree_id")
                flat.add(tree, [item.position, dict(value)])
            except BadRecord as error:
                yield reject(entry, split, item.position, error.reason, str(error))
            continue
        trees += 1
        yield from convert(entry, split, [item], _tree_id, _tree_record)
    for tree, rows in flat.items():
        position = rows[0][0]
        value = {"message_tree_id": tree, "prompt": _grow([row for _, row in rows])}
        yield from convert(entry, split, [Item(position, 0, value)], _tree_id, _tree_record)


def _tree_id(item: Item) -> str:
    return as_id(mapping(item.value).get("message_tree_id"), "message_tree_id")


def _tree_record(item: Item, native_id: str) -> Record:
    tree = mapping(item.value)
    state = tree.get("tree_state")
    if state not in (None, "ready_for_export"):
        raise BadRecord("not_ready", f"tree_state is {str(state)[:40]!r}")
    texts: list[str] = []
    node: Any = tree.get("prompt")
    lang = node.get("lang") if isinstance(node, Mapping) else None
    for role in [_ASKING, _ANSWERING] * (_DEEPEST // 2):
        if not isinstance(node, Mapping) or node.get("role") != role or node.get("deleted") is True:
            break
        text = text_of(node, "text")
        if not text:
            break
        texts.append(text)
        replies = node.get("replies")
        node = _best(replies if isinstance(replies, list) else [])
    texts = texts[: len(texts) - len(texts) % 2]
    if not texts:
        raise BadRecord("no_turns", "no prompt with an answer")
    return Record(
        native_id=native_id,
        position=item.position,
        turns=tuple(Turn(a, b) for a, b in zip(texts[::2], texts[1::2], strict=True)),
        extra={"lang": lang} if isinstance(lang, str) else {},
    )


def _best(replies: Sequence[Any]) -> Any:
    """Return the reply people ranked first; of those without a rank the first."""
    known = [
        reply
        for reply in replies
        if isinstance(reply, Mapping) and reply.get("deleted") is not True
    ]

    def rank(reply: Mapping[str, Any]) -> float:
        value = reply.get("rank")
        return float(value) if isinstance(value, (int, float)) and value == value else 1e9

    return min(known, key=rank, default=None)


def _grow(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Put the flat messages of a tree under each other; return its prompt."""
    by_id = {row["message_id"]: row for row in rows if isinstance(row.get("message_id"), str)}
    prompt = None
    for row in by_id.values():
        row["replies"] = []
    for row in by_id.values():
        parent = row.get("parent_id")
        if parent is None or parent == "":
            prompt = prompt or row
        elif isinstance(parent, str) and parent in by_id and by_id[parent] is not row:
            by_id[parent]["replies"].append(row)
    return prompt


def read_pf1m(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read the released PF-1M: lists of ``{input, output, original, ...}``, a file or a folder.

    ``<img_path>path<img_path>`` in the input are its images; the text without them is the
    instruction. What the draft was and its scores are kept in ``extra``.
    """
    for path in _record_files(root, entry, split):

        def identify(item: Item, stem: str = path.stem) -> str:
            return as_id(f"{stem}-{item.number}")

        yield from convert(entry, split, read_list(path), identify, _pf1m)


def _pf1m(item: Item, native_id: str) -> Record:
    record = mapping(item.value)
    asked = "\n".join(
        text_of(record, key) for key in ("instruction", "input") if record.get(key) is not None
    )
    images = tuple(" ".join(path.split()) for path in _IMAGE_MARK.findall(asked))
    instruction = _IMAGE_MARK.sub("", asked).strip()
    output = text_of(record, "output")
    if not instruction:
        raise BadRecord("empty_instruction", "input is blank")
    if not output:
        raise BadRecord("empty_response", "output is blank")
    original = text_of(record, "original") if isinstance(record.get("original"), str) else ""
    scores = {
        name: f"{float(record[name]):.6g}"
        for name in ("rouge_score", "reward", "sts_similarity")
        if isinstance(record.get(name), (int, float))
    }
    return Record(
        native_id=native_id,
        position=item.position,
        images=images,
        turns=(Turn(instruction, output),),
        references=(original,) if original else (),
        extra={**({"original": original} if original else {}), **scores},
    )


def _record_files(root: Path, entry: Entry, split: str) -> Iterator[Path]:
    for role in entry.files[split]:
        if role == "images" or (
            role in entry.optional
            and not any((root / p).exists() for p in entry.paths(split, role))
        ):
            continue
        path = locate(entry, root, split, role)
        yield from sorted(path.rglob("*.json*")) if path.is_dir() else [path]
