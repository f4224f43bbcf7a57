"""Profiles: changes to another profile, written out whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import check_params
from polite_flamingo.core.profiles import about, names, profile_text

SHIPPED = Path(__file__).parents[2] / "profiles"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of profiles with nano in it."""
    write(tmp_path, "nano", (SHIPPED / "nano.yaml").read_text(encoding="utf-8"))
    return tmp_path


def write(folder: Path, name: str, content: Any) -> None:
    text = content if isinstance(content, str) else yaml.safe_dump(content)
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def tree(folder: Path, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(profile_text(folder, name))
    return loaded


def test_profiles_are_listed_by_name_with_what_they_are_for(folder: Path) -> None:
    write(folder, "mini", "# Smaller still.\nextends: nano\n")
    (folder / "notes.txt").touch()
    assert names(folder) == ["mini", "nano"]
    assert about(folder, "mini") == "Smaller still."


@pytest.mark.parametrize("name", names(SHIPPED))
def test_every_shipped_profile_says_what_it_is_for(name: str) -> None:
    assert (SHIPPED / f"{name}.yaml").read_text().startswith("# ")
    assert len(about(SHIPPED, name)) > 10


def test_a_whole_profile_is_written_as_it_is(folder: Path) -> None:
    assert profile_text(folder, "nano") == (folder / "nano.yaml").read_text(encoding="utf-8")


def test_changes_are_merged_key_by_key_and_lists_replaced(folder: Path) -> None:
    changes = {
        "extends": "nano",
        "profile": "mini",
        "threads": 1,
        "base": {"clip": {"steps": 7}},
        "ingest": {"sources": ["digits"]},
        "rewrite": {"limits": {"digits": 5}},
    }
    write(folder, "mini", changes)
    nano, mini = tree(folder, "nano"), tree(folder, "mini")
    assert mini["base"]["clip"] == nano["base"]["clip"] | {"steps": 7}
    assert mini["ingest"] == nano["ingest"] | {"sources": ["digits"]}
    assert mini["rewrite"]["limits"] == nano["rewrite"]["limits"] | {"digits": 5}
    touched = {"profile", "threads", "base", "ingest", "rewrite"}
    assert {key: mini[key] for key in mini if key not in touched} == {
        key: nano[key] for key in nano if key not in touched
    }
    assert "extends" not in mini


def test_a_profile_may_extend_one_that_extends_another(folder: Path) -> None:
    write(folder, "a", {"extends": "nano", "profile": "a", "threads": 1, "seed": 7})
    write(folder, "b", {"extends": "a", "profile": "b", "seed": 8})
    found = tree(folder, "b")
    assert (found["profile"], found["threads"], found["seed"]) == ("b", 1, 8)


@pytest.mark.parametrize("name", names(SHIPPED))
def test_a_written_profile_is_a_whole_one(tmp_path: Path, name: str) -> None:
    text = profile_text(SHIPPED, name)
    write(tmp_path, name, text)
    assert profile_text(tmp_path, name) == text
    assert about(tmp_path, name) == about(SHIPPED, name)
    assert check_params(yaml.safe_load(text), name).profile == name


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"extends": "gone"}, "no profile 'gone'; there are: bad, nano"),
        ({"extends": "bad"}, "profiles/bad.yaml: `extends` leads back to itself"),
        ({"extends": "nano", "threads": "two"}, "profiles/bad.yaml: threads: Input should be"),
        ({"extends": "nano", "thread": 2}, "profiles/bad.yaml: thread: Unexpected"),
        ({"profile": "bad"}, "profiles/bad.yaml: [a-z]+: Field required"),
        ("a: [1\nb: {", "profiles/bad.yaml: not YAML"),
        ("- nano\n", "profiles/bad.yaml: expected a mapping"),
        ("", "profiles/bad.yaml: expected a mapping"),
    ],
)
def test_a_wrong_profile_is_one_line(folder: Path, content: Any, said: str) -> None:
    write(folder, "bad", content)
    with pytest.raises(UserError, match=said) as caught:
        profile_text(folder, "bad")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("base", ["a: [1\nb: {", "- nano\n", ""])
def test_a_wrong_profile_is_named_where_another_extends_it(folder: Path, base: str) -> None:
    write(folder, "base", base)
    write(folder, "mini", {"extends": "base"})
    with pytest.raises(UserError, match=r"profiles/base\.yaml: "):
        profile_text(folder, "mini")


def test_profiles_that_extend_each_other_are_a_user_error(folder: Path) -> None:
    write(folder, "a", {"extends": "b"})
    write(folder, "b", {"extends": "a"})
    with pytest.raises(UserError, match="leads back to itself"):
        profile_text(folder, "a")


def test_an_empty_profile_can_be_listed(folder: Path) -> None:
    write(folder, "bad", "")
    assert about(folder, "bad") == ""


def test_an_unknown_profile_names_the_known_ones(folder: Path) -> None:
    with pytest.raises(UserError, match="no profile 'micro'; there are: nano"):
        profile_text(folder, "micro")


def test_the_9b_profile_takes_nothing_from_nano() -> None:
    found = tree(SHIPPED, "openflamingo-9b")
    assert "extends" not in yaml.safe_load((SHIPPED / "openflamingo-9b.yaml").read_text())
    named = [
        *found["ingest"]["sources"],
        *found["rewrite"]["sources"],
        *found["distort"]["sources"],
        *found["tune"]["style_sources"],
        *found["tune"]["text_sources"],
        *found["evaluate"]["sources"],
        *found["evaluate"]["held_out"],
    ]
    assert not [name for name in named if name.startswith(("shapes", "easy", "digits"))]
    assert set(named) <= set(found["ingest"]["sources"])
    assert "plain" not in found["base"] and "alignment_weights" not in found["base"]
    judges = found["judges"]
    assert "train" not in (judges["nli"]["source"], judges["reward"]["source"])
