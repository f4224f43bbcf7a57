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
    "gqa": {"question"},
    "grid3d": {"question"},
    "nlvr2": {"caption"},
    "ocrvqa": {"question"},
    "pointqa": {"question", "place"},
    "refcocog": {"shape", "color"},
    "scienceqa": {"question", "choices"},
    "textvqa": {"question"},
    "vqa": {"question"},
    "vqae": {"question"},
    "vsr": {"caption"},
}
# The data sets of METHOD section 4 and those held out, by what the catalogue calls them.
WANTED = """
coco_2014 flickr30k textcaps image2paragraph cc3m refcocog rsicd rsitmd ucm_captions dior dota hrrsd
fer2013 cifar10 cifar100 eurosat mnist voc2007 oxford_pets gtsrb resisc45 dtd fgvc_aircraft food101
caltech101 flowers102 stanford_cars spot_the_diff image_editing_requests levir_cc aokvqa vqa_e
scienceqa vqa_v2 clevr gqa textvqa ocr_vqa pointqa_local llava_instruct ultrachat sharegpt oasst1
alpaca_gpt4 gpteacher instruction_wild pf_1m okvqa vsr grid_3d nlvr2
""".split()
CATALOGUE = load_catalogue()
POOLS = load_pools()


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
    asked = {field for item in POOLS[entry.pool] for field in re.findall(r"\{(\w+)\}", item.text)}
    assert asked <= FIELDS.get(entry.adapter, set())
    # A question that is not in its instruction could not be answered.
    needed = "caption" if entry.adapter in ("vsr", "nlvr2") else "question"
    if needed in FIELDS.get(entry.adapter, ()):
        assert all("{" + needed + "}" in item.text for item in POOLS[entry.pool])


def test_pools_are_rich_enough() -> None:
    used = {entry.pool for entry in CATALOGUE.values() if entry.pool}
    for name in used:
        texts = [item.text for item in POOLS[name]]
        assert len(set(texts)) == len(texts)
        # The pools of nano are frozen: more phrasings would be other samples.
        assert len(texts) >= 20 or name.startswith("nano_")


def test_the_catalogue_has_every_data_set_of_the_paper() -> None:
    assert set(WANTED) <= set(CATALOGUE)
    assert {name for name in WANTED if CATALOGUE[name].held_out} == {
        "okvqa",
        "vsr",
        "grid_3d",
        "nlvr2",
    }
    elevater = [entry for entry in CATALOGUE.values() if entry.group == "ELEVATER-IC"]
    assert len(elevater) == 15
    assert all(entry.class_cap == 32 for entry in elevater)
    # Counts of METHOD section 4; ELEVATER's is by class.
    assert sum(CATALOGUE[name].cap or 0 for name in ("rsicd", "rsitmd", "ucm_captions")) == 13551
    pointing = [entry.cap or 0 for entry in CATALOGUE.values() if entry.group == "PointQA"]
    assert sum(pointing) == 67282


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
