from __future__ import annotations

import re
from pathlib import Path

import pytest

from polite_flamingo.core.errors import UserError
from polite_flamingo.sources.catalogue import (
    dataset_root,
    find_entry,
    load_catalogue,
    load_pools,
)
from polite_flamingo.sources.formats import ADAPTERS

# What the adapters put into a record's fields.
FIELDS = {
    "aokvqa": {"question", "choices"},
    "clevr": {"question"},
    "easy_vqa": {"question"},
    "grid3d": {"question"},
    "vsr": {"caption"},
}
CATALOGUE = load_catalogue()


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_shipped_entry_is_complete(name: str) -> None:
    entry = CATALOGUE[name]
    assert entry.name == name
    assert entry.adapter in ADAPTERS
    assert all((entry.category, entry.licence, entry.home, entry.citation))
    assert not entry.held_out or set(entry.files) == {"test"}
    if entry.task in ("conversation", "text"):
        assert not entry.pool
        return
    asked = {
        field for item in load_pools()[entry.pool] for field in re.findall(r"\{(\w+)\}", item.text)
    }
    assert asked <= FIELDS.get(entry.adapter, set())
    # A question that is not in its instruction could not be answered.
    needed = "caption" if entry.adapter == "vsr" else "question"
    if entry.adapter in FIELDS:
        assert all("{" + needed + "}" in item.text for item in load_pools()[entry.pool])


def test_pools_are_rich_enough() -> None:
    pools = load_pools()
    for name in (
        "captioning",
        "detailed_captioning",
        "classification",
        "change_captioning",
        "verification",
    ):
        texts = [item.text for item in pools[name]]
        assert len(set(texts)) == len(texts) >= 12


def test_an_unknown_source_suggests_a_known_one() -> None:
    with pytest.raises(UserError, match="did you mean 'shapes_coco'"):
        find_entry("shape_coco")


def test_a_bad_entry_names_its_place(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text("mine: {category: x, adapter: coco, wrong: 1}\n")
    with pytest.raises(UserError, match=r"catalogue\.yaml: mine\."):
        load_catalogue(path)
    path.write_text("mine: [unclosed")
    with pytest.raises(UserError, match="not YAML"):
        load_catalogue(path)


def test_a_missing_folder_says_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"coco_2014: missing annotations/captions_train2014\.json"):
        dataset_root(find_entry("coco_2014"), tmp_path)


def test_a_missing_package_names_its_extra(tmp_path: Path) -> None:
    import dataclasses

    entry = dataclasses.replace(find_entry("easy_vqa"), root="package:no_such_package_here")
    with pytest.raises(UserError, match=r"polite-flamingo\[data\]"):
        dataset_root(entry, tmp_path)
