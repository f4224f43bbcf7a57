"""ShareGPT: text-only conversations; and the turns of conversations for formats like it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from polite_flamingo.core.sample import Reject, Turn
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Item, read_list
from polite_flamingo.sources.record import (
    BadRecord,
    Record,
    as_id,
    convert,
    locate,
    mapping,
    sequence,
    text_of,
)

# Who speaks, by the names that occur in files of this form; system messages are left out.
_ROLES = {
    "human": "human",
    "user": "human",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "system": "",
}


def read_sharegpt(root: Path, entry: Entry, split: str) -> Iterator[Record | Reject]:
    """Read a list of ``{id, conversations: [{from, value}]}``."""

    def build(item: Item, native_id: str) -> Record:
        turns, notes = read_turns(mapping(item.value))
        return Record(native_id=native_id, position=item.position, turns=turns, notes=notes)

    def identify(item: Item) -> str:
        return as_id(mapping(item.value).get("id"))

    path = locate(entry, root, split, "conversations")
    yield from convert(entry, split, read_list(path), identify, build)


def read_turns(record: Mapping[str, Any]) -> tuple[tuple[Turn, ...], dict[str, int]]:
    """Return the turns of ``conversations`` and counts of what was left out.

    Messages before the first human one, system messages and a last question without answer are
    left out; messages of one speaker in a row are joined; a blank message ends the conversation,
    since what follows may speak of it. BadRecord where no turn is left.
    """
    notes: Counter[str] = Counter()
    messages: list[tuple[str, str]] = []
    conversation = sequence(record, "conversations")
    for place, value in enumerate(conversation):
        message = mapping(value)
        speaker = message.get("from")
        role = _ROLES.get(speaker.strip().lower()) if isinstance(speaker, str) else None
        if role is None:
            raise BadRecord("unknown_role", f"message {place} is from {str(speaker)[:40]!r}")
        if not role or (role == "assistant" and not messages):
            notes["messages_left_out"] += 1
            continue
        text = text_of(message, "value")
        if not text:
            notes["messages_left_out"] += len(conversation) - place
            break
        if messages and messages[-1][0] == role:
            messages[-1] = (role, f"{messages[-1][1]}\n\n{text}")
            notes["messages_joined"] += 1
        else:
            messages.append((role, text))
    if len(messages) % 2:
        messages.pop()
        notes["messages_left_out"] += 1
    if not messages:
        raise BadRecord("no_turns", "no human message with an answer")
    turns = tuple(
        Turn(asked[1], answered[1])
        for asked, answered in zip(messages[::2], messages[1::2], strict=True)
    )
    return turns, dict(notes)
