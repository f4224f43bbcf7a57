"""The log of decisions, in a real registry: what it explains, and what was moved past it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient

from polite_flamingo.core.errors import UserError
from polite_flamingo.tracking import promotions, runs
from polite_flamingo.tracking.promotions import Decision, champions


@pytest.fixture
def model(store: tuple[str, Path], request: pytest.FixtureRequest) -> tuple[Any, str]:
    """A registered model with three versions, and no aliases."""
    runs.init(*store)
    client = runs.connect(store[0])
    name = f"m-{abs(hash(request.node.name))}"
    client.create_registered_model(name)
    for number in range(3):
        client.create_model_version(name, "file:/x", tags={promotions.KEY_TAG: f"k{number + 1}"})
    return client, name


def decide(client: Any, name: str, action: promotions.Action, **aliases: str) -> Decision:
    version = aliases.get("champion", "")
    return promotions.decide(client, name, action, version, aliases, who="Ada", why="because")


def test_a_decision_moves_the_aliases_and_is_kept(model: tuple[Any, str], tmp_path: Path) -> None:
    client, name = model
    copy = tmp_path / "runs/log.jsonl"
    promotions.decide(
        client,
        name,
        "publish",
        "1",
        {"candidate": "1", "champion": "1"},
        who="Ada",
        why="first",
        numbers=[{"gate": "size", "candidate": 1.5}],
        copy=copy,
    )
    decide(client, name, "promote", champion="2", previous="1")
    log = promotions.read(client, name)
    assert [(d.number, d.action, d.who, d.why) for d in log] == [
        (0, "publish", "Ada", "first"),
        (1, "promote", "Ada", "because"),
    ]
    assert log[0].numbers == [{"gate": "size", "candidate": 1.5}]
    assert promotions.standing(client, name) == {"champion": "2", "previous": "1"}
    assert json.loads(copy.read_text())["aliases"] == {"candidate": "1", "champion": "1"}
    promotions.check(client, name)


def test_an_alias_that_anyone_moved_is_told_and_not_loaded(
    model: tuple[Any, str],
    store: tuple[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, name = model
    decide(client, name, "publish", champion="1", candidate="2")
    MlflowClient(store[0], store[0]).set_registered_model_alias(name, "champion", "3")
    assert promotions.unexplained(client, name) == [
        f"{name}@champion is version 3, but the log of decisions says version 1"
    ]
    with pytest.raises(UserError, match=r"moved past `pf promote`.*--restore") as caught:
        promotions.check(client, name)
    assert "\n" not in str(caught.value)
    monkeypatch.setattr(mlflow, "get_registry_uri", lambda: store[0])
    with pytest.raises(UserError, match="champion is version 3"):
        promotions.check_loadable(name, "k3")
    # Another version, an unknown model and an unknown version are none of its business.
    for known, key in ((name, "k2"), (name, "k9"), ("nobody", "k1")):
        promotions.check_loadable(known, key)
    promotions.apply(client, name, promotions.read(client, name)[-1].aliases)
    promotions.check_loadable(name, "k1")
    # A registry that is not there is not made.
    monkeypatch.setattr(mlflow, "get_registry_uri", lambda: f"sqlite:///{tmp_path}/none.db")
    promotions.check_loadable(name, "k3")
    assert not (tmp_path / "none.db").exists()


def test_an_alias_without_any_log_is_unexplained(model: tuple[Any, str]) -> None:
    client, name = model
    client.set_registered_model_alias(name, "champion", "1")
    with pytest.raises(UserError, match="says unset"):
        promotions.check(client, name)
    # Aliases of other names are the team's own.
    promotions.apply(client, name, {})
    client.set_registered_model_alias(name, "demo", "1")
    promotions.check(client, name)


@pytest.mark.parametrize("change", ["edit", "drop", "rubbish"])
def test_a_log_that_was_changed_is_told(model: tuple[Any, str], change: str) -> None:
    client, name = model
    for champion in ("1", "2", "3"):
        decide(client, name, "promote", champion=champion)
    tag = f"{promotions.TAG}000001"
    if change == "drop":
        client.delete_registered_model_tag(name, tag)
    else:
        row = json.loads(client.get_registered_model(name).tags[tag])
        text = json.dumps({**row, "who": "Mallory"}) if change == "edit" else "{}"
        client.set_registered_model_tag(name, tag, text)
    with pytest.raises(UserError, match="the log of decisions was changed"):
        promotions.check(client, name)


def test_a_kill_between_log_and_alias_is_found(
    model: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, name = model
    decide(client, name, "publish", champion="1")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(promotions, "apply", killed)
    with pytest.raises(KeyboardInterrupt):
        decide(client, name, "promote", champion="2", previous="1")
    assert promotions.standing(client, name) == {"champion": "1"}
    assert len(promotions.unexplained(client, name)) == 2


def test_a_version_is_found_by_number_and_by_alias(model: tuple[Any, str]) -> None:
    client, name = model
    decide(client, name, "publish", candidate="2")
    assert promotions.resolve(client, name, "3") == "3"
    assert promotions.resolve(client, name, "candidate") == "2"
    for unknown in ("9", "champion", "x y"):
        with pytest.raises(UserError, match=f"has no version '{unknown}'"):
            promotions.resolve(client, name, unknown)


def test_champions_are_a_stack_that_a_rollback_pops() -> None:
    def log(*moves: tuple[promotions.Action, str]) -> list[Decision]:
        return [
            Decision(n, "m", action, champion, {"champion": champion}, "", "", "")
            for n, (action, champion) in enumerate(moves)
        ]

    assert champions([]) == []
    promoted = log(("publish", "1"), ("promote", "2"), ("refuse", "2"), ("promote", "3"))
    assert champions(promoted) == ["1", "2", "3"]
    assert champions([*promoted, *log(("rollback", "2"))]) == ["1", "2"]
    again = log(("rollback", "2"), ("promote", "4"), ("rollback", "2"), ("rollback", "1"))
    assert champions([*promoted, *again]) == ["1"]
