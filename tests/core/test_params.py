"""Parameters: every profile loads, and a mistake is one line that names the parameter."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import Params, SplitLimits, check_params, load_params
from polite_flamingo.core.profiles import names, profile_text

ROOT = Path(__file__).parents[2]
PROFILES = ROOT / "profiles"
NANO: dict[str, Any] = yaml.safe_load((PROFILES / "nano.yaml").read_text(encoding="utf-8"))
MISSING = object()


def changed(path: str, value: Any) -> dict[str, Any]:
    """Nano's parameters with one of them set, or taken out."""
    tree = copy.deepcopy(NANO)
    *parents, last = path.split(".")
    node = tree
    for name in parents:
        node = node[name]
    if value is MISSING:
        del node[last]
    else:
        node[last] = value
    return tree


def line(tree: Any) -> str:
    """The message about wrong parameters: one line."""
    with pytest.raises(UserError) as caught:
        check_params(tree, "params.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", names(PROFILES))
def test_every_profile_loads_under_its_own_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "params.yaml").write_text(profile_text(PROFILES, name), encoding="utf-8")
    params = load_params(tmp_path / "params.yaml")
    assert isinstance(params, Params)
    assert params.profile == name


def test_params_yaml_is_the_nano_profile() -> None:
    assert (ROOT / "params.yaml").read_text() == (PROFILES / "nano.yaml").read_text()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("thread", 2),
        ("rewrite.batchsize", 3),
        ("tune.stage1.fit.step", 3),
        ("ingest.limits.easy_vqa.valid", 3),
        ("distort.llm.temperature", 0.5),
    ],
)
def test_an_unknown_key_is_named(path: str, value: object) -> None:
    assert line(changed(path, value)).startswith(f"params.yaml: {path}: Unexpected")


@pytest.mark.parametrize(
    ("path", "typo", "meant"),
    [
        ("seed", "sead", "seed"),
        ("tune.stage1.fit.steps", "step", "steps"),
        ("base.flamingo.gate_rate", "gate_rat", "gate_rate"),
        ("base.plain.warmup", "warm_up", "warmup"),
        ("ingest.limits.easy_vqa.test", "tests", "test"),
    ],
)
def test_a_misspelt_key_is_named_before_the_one_it_leaves_missing(
    path: str, typo: str, meant: str
) -> None:
    tree = changed(path, MISSING)
    *parents, _ = path.split(".")
    node = tree
    for name in parents:
        node = node[name]
    node[typo] = 1
    place = ".".join([*parents, typo])
    said = line(tree)
    assert said.startswith(f"params.yaml: {place}: Unexpected")
    assert f"got 1; did you mean {meant}?" in said


def test_a_key_like_no_other_gets_no_suggestion() -> None:
    assert line(changed("zzz", 1)).endswith("got 1")


@pytest.mark.parametrize(
    "path",
    [
        "seed",
        "generate.wrong_share",
        "generate.counts.shapes_coco.train",
        "ingest.limits.easy_vqa.test",
        "base.pair_sources.digits",
        "base.plain.steps",
        "rewrite.limits.digits",
        "evaluate.sources.digits",
    ],
)
def test_true_is_no_number(path: str) -> None:
    assert line(changed(path, True)) == (
        f"params.yaml: {path}: Input should be a valid number, got True"
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("threads", "two"),
        ("threads", 2.5),
        ("threads", "1\n2"),
        ("generate", 3),
        ("generate", None),
        ("generate.counts.shapes_coco", 5),
        ("ingest.sources", "easy_vqa"),
        ("ingest.limits", None),
        ("ingest.limits.easy_vqa.test", "all"),
        ("base.clip.precision", "fp16"),
        ("distort.llm.kind", "chatgpt"),
        ("tune.stage2.parts", "perceiver"),
    ],
)
def test_a_wrong_type_is_named_with_what_was_given(path: str, value: object) -> None:
    said = line(changed(path, value))
    assert said.startswith(f"params.yaml: {path}: Input should be ")
    assert said.endswith(f", got {value!r}")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("threads", 0),
        ("generate.wrong_share", 1.5),
        ("base.clip.steps", 0),
        ("judges.nli.fit.learning_rate", 0),
        ("ingest.limits.easy_vqa.test", -1),
        ("distort.val_share", 1),
        ("tune.stage1.share", 0),
        ("report.gallery", 3),
    ],
)
def test_a_number_out_of_range_is_named(path: str, value: object) -> None:
    assert line(changed(path, value)).startswith(f"params.yaml: {path}: Input should be ")


@pytest.mark.parametrize("path", ["seed", "distort", "generate.seed", "tune.stage3.fit.steps"])
def test_a_missing_key_is_named(path: str) -> None:
    assert line(changed(path, MISSING)) == f"params.yaml: {path}: Field required"


def test_a_weight_of_a_source_that_no_pair_is_of_is_named() -> None:
    said = line(changed("base.alignment_weights", {"digit": 2.0}))
    assert "digit not in pair_sources" in said


def test_several_mistakes_are_counted() -> None:
    tree = changed("threads", "two") | {"extra": 1, "more": 2}
    assert line(tree).endswith("(and 2 more)")


@pytest.mark.parametrize("tree", [None, [], "nano", 3])
def test_what_is_no_mapping_is_a_user_error(tree: Any) -> None:
    assert line(tree) == "params.yaml: expected a mapping of parameters"


def test_files_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    for text, said in (
        (None, "is missing: copy one with `pf profile use nano`"),
        ("a: [1\nb: {", "not YAML"),
        ("", "expected a mapping"),
        ("seed: 1\n", r": \w+: Field required \(and 15 more\)"),
    ):
        if text is not None:
            path.write_text(text)
        with pytest.raises(UserError, match=said) as caught:
            load_params(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)


def test_an_absent_limit_of_a_split_is_no_limit() -> None:
    limits = check_params(changed("ingest.limits", {"a": {"train": 0}, "b": {"test": None}}), "")
    assert limits.ingest.limits == {
        "a": SplitLimits(train=0, test=None),
        "b": SplitLimits(train=None, test=None),
    }
