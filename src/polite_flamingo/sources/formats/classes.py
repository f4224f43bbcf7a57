"""Classification sets (ELEVATER-IC): what their records have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.seeds import unit
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.json_lists import Broken, first_sign, read_list, read_mapping
from polite_flamingo.sources.record import (
    BadRecord,
    ImageRef,
    Record,
    locate_optional,
)
from polite_flamingo.sources.text import one_line
from polite_flamingo.sources.text_files import read_rows

# Sets without an official split: this share of their files, by hash of the id, is test for good.
_TEST_SHARE = 0.2
_SPLIT_SEED = 0
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Fields of ELEVATER's knowledge files, in the order we tell them.
_KNOWLEDGE = ("def_wiki", "def_wn", "gpt3", "knowledge", "text")
_NAME = ("classname", "class_name", "name", "class")
Knowledge = Mapping[str, str]


def class_record(
    entry: Entry,
    split: str,
    native_id: str,
    position: str,
    image: ImageRef,
    labels: Sequence[str],
    knowledge: Knowledge,
) -> Record:
    """Make the record of an image and its classes.

    The draft is option ``template`` with the classes in ``{name}``, and behind it what the external
    knowledge file says of them (METHOD section 4).
    """
    names = [class_name(entry, label) for label in labels]
    told = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    draft = template_of(entry).replace("{name}", told)
    known = [knowledge[name.lower()] for name in names if name.lower() in knowledge]
    return Record(
        native_id=native_id,
        position=position,
        images=(image,),
        response=" ".join([draft, *known]),
        references=(draft,),
        answer=", ".join(names),
        extra={"class": ", ".join(labels)},
    )


def template_of(entry: Entry) -> str:
    """Return the prompt template of a classification set; a missing one is a UserError."""
    template = str(entry.options.get("template", ""))
    if "{name}" not in template:
        raise UserError(f"{entry.name}: option template must hold {{name}}")
    return template


def class_name(entry: Entry, label: str) -> str:
    """Return a class as a person would say it: by option ``names``, else its own words."""
    listed = entry.options.get("names")
    names = _class_names()[listed] if isinstance(listed, str) else listed
    if isinstance(names, list):
        if not (label.isdigit() and int(label) < len(names)):
            raise BadRecord("unknown_class", f"class {label[:40]!r} of {len(names)}")
        return str(names[int(label)])
    if isinstance(names, Mapping) and label in names:
        return str(names[label])
    name = one_line(_CAMEL.sub(" ", label.replace("_", " ")))
    if not name:
        raise BadRecord("unknown_class", "the class has no name")
    return name


def read_knowledge(root: Path, entry: Entry, split: str) -> Knowledge:
    """Read role ``knowledge``, if its file is there: sentences on classes, by lower-case name.

    A JSON object ``{class: text or [texts]}``, ELEVATER's JSON list ``[{classname, def_wiki, def_wn,
    gpt3: [texts]}]``, or lines ``class<TAB>text``. The first text of a class is taken.
    """
    path = locate_optional(entry, root, split, "knowledge")
    if path is None:
        return {}
    told: dict[str, str] = {}
    sign = first_sign(path)
    if sign == "{":
        pairs: Iterator[tuple[Any, Any]] = ((key, item.value) for key, item in read_mapping(path))
    elif sign == "[":
        pairs = (_elevater(item.value) for item in read_list(path))
    else:
        pairs = ((row[0], row[1:]) for _, row in read_rows(path, "\t", quoted=False))
    for key, value in pairs:
        text = _first_text(value)
        if isinstance(key, str) and text:
            told.setdefault(one_line(key).lower(), text)
    return told


def in_split(entry: Entry, split: str, native_id: str) -> bool:
    """Tell whether an image of a set without an official split belongs to ours."""
    return (unit(_SPLIT_SEED, entry.name, native_id) < _TEST_SHARE) == (split == "test")


def _elevater(value: Any) -> tuple[Any, Any]:
    if isinstance(value, Broken) or not isinstance(value, Mapping):
        return None, None
    name = next((value[key] for key in _NAME if isinstance(value.get(key), str)), None)
    return name, [_first_text(value.get(key)) for key in _KNOWLEDGE]


def _first_text(value: Any) -> str:
    texts = value if isinstance(value, list) else [value]
    return next((one_line(text) for text in texts if isinstance(text, str) and text.strip()), "")


@cache
def _class_names() -> Mapping[str, Any]:
    text = (files("polite_flamingo.sources") / "class_names.yaml").read_text(encoding="utf-8")
    tree: Mapping[str, Any] = yaml.safe_load(text)
    return tree
