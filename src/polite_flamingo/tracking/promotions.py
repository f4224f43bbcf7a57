"""The log of decisions on aliases: append-only, kept where the aliases are, and what it explains.

MLflow lets anyone move an alias and keeps no history. So every decision of ours is a numbered tag
of the registered model that holds the hash of the one before it; an alias that differs from what the
last decision set was moved past us, and nothing of ours loads it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from polite_flamingo.core.errors import UserError
from polite_flamingo.tracking import runs

CANDIDATE, CHAMPION, PREVIOUS = "candidate", "champion", "previous"
ALIASES = (CANDIDATE, CHAMPION, PREVIOUS)
TAG = "pf.decision."
# What a model's outs hash is kept under, on its version.
KEY_TAG = "pf.outs_hash"

Action = Literal["publish", "promote", "refuse", "rollback", "restore"]


@dataclass(frozen=True)
class Decision:
    """One row of the log: ``aliases`` is how all of ours stand after it, ``numbers`` why."""

    number: int
    model: str
    action: Action
    version: str
    aliases: dict[str, str]
    who: str
    when: str
    why: str
    override: str = ""
    numbers: list[dict[str, Any]] = field(default_factory=list)
    before: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the row, which the next one holds."""
        return hashlib.sha256(_text(self).encode()).hexdigest()


def read(client: Any, model: str) -> list[Decision]:
    """The decisions on a model in order; [] for a model without any.

    Raises UserError where a row was changed, or one is missing between others.
    """
    rows = {}
    for name, value in client.get_registered_model(model).tags.items():
        if name.startswith(TAG):
            try:
                rows[name] = TypeAdapter(Decision).validate_json(value)
            except ValidationError as error:
                raise UserError(f"{model}: the log of decisions was changed ({name})") from error
    log = [rows[name] for name in sorted(rows)]
    before = ""
    for place, decision in enumerate(log):
        if (decision.number, decision.before, decision.model) != (place, before, model):
            raise UserError(
                f"{model}: the log of decisions was changed: row {decision.number} does not follow "
                "from the one before it"
            )
        before = decision.digest
    return log


def standing(client: Any, model: str) -> dict[str, str]:
    """How our aliases stand in the registry."""
    found = client.get_registered_model(model).aliases
    return {name: str(found[name]) for name in ALIASES if name in found}


def unexplained(client: Any, model: str) -> list[str]:
    """A line for each alias that is not what the log says; the log's own faults raise UserError."""
    log = read(client, model)
    said, found = (log[-1].aliases if log else {}), standing(client, model)
    return [
        f"{model}@{alias} is {_version(found.get(alias))}, "
        f"but the log of decisions says {_version(said.get(alias))}"
        for alias in ALIASES
        if said.get(alias) != found.get(alias)
    ]


def check(client: Any, model: str) -> None:
    """Raise UserError unless the log explains every alias of ours."""
    lines = unexplained(client, model)
    if lines:
        raise UserError(
            f"{'; '.join(lines)}: it was moved past `pf promote`; see `pf aliases {model}`, and "
            f"`pf aliases {model} --restore` sets it back"
        )


def check_loadable(model: str, key: str) -> None:
    """Raise UserError where the version made from ``key`` bears an alias that no decision gave it.

    Called by what loads a registered model, which is told a folder and no alias: the registry is
    asked that MLflow is set to. Silent where there is none, or it does not know the version.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    uri = mlflow.get_registry_uri()
    database = runs.database(uri)
    if database is not None and not database.is_file():
        return
    client = mlflow.MlflowClient(registry_uri=uri)
    try:
        version = find_version(client, model, key)
        if version is None:
            return
        log, found = read(client, model), standing(client, model)
    except MlflowException:
        return
    said = log[-1].aliases if log else {}
    for alias in (CHAMPION, PREVIOUS):
        if found.get(alias) == version and said.get(alias) != version:
            check(client, model)


def resolve(client: Any, model: str, version: str) -> str:
    """A version's number from a number or an alias; raises UserError where there is none."""
    from mlflow.exceptions import MlflowException

    try:
        if version.isdigit():
            return str(client.get_model_version(model, version).version)
        return str(client.get_model_version_by_alias(model, version).version)
    except MlflowException as error:
        raise UserError(
            f"{model} has no version {version!r} in this registry: `pf publish` brings one in"
        ) from error


def existing(client: Any, model: str, aliases: Mapping[str, str]) -> dict[str, str]:
    """Those of the aliases whose versions were not deleted in MLflow."""
    there = {str(v.version) for v in client.search_model_versions(f"name = '{model}'")}
    return {alias: version for alias, version in aliases.items() if version in there}


def find_version(client: Any, name: str, key: str) -> str | None:
    """The version of a registered model made from the outs ``key``, or None."""
    found = client.search_model_versions(f"name = '{name}'")
    return next((str(v.version) for v in found if v.tags.get(KEY_TAG) == key), None)


def decide(
    client: Any,
    model: str,
    action: Action,
    version: str,
    aliases: Mapping[str, str],
    who: str,
    why: str,
    override: str = "",
    numbers: Sequence[Mapping[str, Any]] = (),
    copy: Path | None = None,
) -> Decision:
    """Write a decision into the log, then set the aliases to what it says; ``copy``: a JSONL file.

    A kill between the two leaves aliases that the log does not explain, never a champion without a
    row. Raises UserError where another decision came in meanwhile; no alias is moved then.
    """
    log = read(client, model)
    decision = Decision(
        number=len(log),
        model=model,
        action=action,
        version=version,
        aliases={name: aliases[name] for name in ALIASES if name in aliases},
        who=who,
        when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        why=why,
        override=override,
        numbers=[dict(row) for row in numbers],
        before=log[-1].digest if log else "",
    )
    client.set_registered_model_tag(model, f"{TAG}{decision.number:06d}", _text(decision))
    if copy is not None:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with copy.open("a", encoding="utf-8") as lines:
            lines.write(_text(decision) + "\n")
    # A registry has no compare-and-set: of two that wrote the same row, one finds the other's.
    if read(client, model)[-1:] != [decision]:
        raise UserError(f"{model}: another decision came in at the same time: look, then try again")
    apply(client, model, decision.aliases)
    return decision


def apply(client: Any, model: str, aliases: Mapping[str, str]) -> None:
    """Make our aliases stand as given; others are left alone."""
    found = standing(client, model)
    for alias in ALIASES:
        if alias in aliases and found.get(alias) != aliases[alias]:
            client.set_registered_model_alias(model, alias, aliases[alias])
        elif alias not in aliases and alias in found:
            client.delete_registered_model_alias(model, alias)


def champions(log: Sequence[Decision]) -> list[str]:
    """Champions in the order they came, without those rolled back; the last one is on."""
    stack: list[str] = []
    for decision in log:
        champion = decision.aliases.get(CHAMPION)
        if decision.action == "rollback" and stack:
            stack.pop()
        if champion and (not stack or stack[-1] != champion):
            stack.append(champion)
    return stack


def _text(decision: Decision) -> str:
    return json.dumps(asdict(decision), sort_keys=True, ensure_ascii=False)


def _version(number: str | None) -> str:
    return f"version {number}" if number else "unset"
