"""`pf promote`, `pf rollback`, `pf aliases`: who is champion, by the gates, in the log."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.release import evidence, gates, workspace
from polite_flamingo.release.gates import Gate
from polite_flamingo.release.manifest import table
from polite_flamingo.stages.publish import example_row, promotions_copy
from polite_flamingo.tracking import promotions, registry, runs
from polite_flamingo.tracking.promotions import CHAMPION, PREVIOUS

MODELS = {evidence.REWRITER: "rewriter", evidence.CHAT: "chat"}


@dataclass(frozen=True)
class Proposal:
    """A version, the champion it would replace ("" for none), and what the gates say."""

    model: str
    version: str
    champion: str
    gates: tuple[Gate, ...]

    @property
    def failed(self) -> list[str]:
        return gates.failed(self.gates)


def propose(
    params: Params, paths: Layout, model: str, version: str, uri: str | None = None
) -> Proposal:
    """Compare a version (a number or an alias) with the champion; changes nothing.

    Raises UserError for an unknown model or version, and where an alias was moved past us.
    """
    uri, client = _registry(paths, model, uri)
    with runs.one_line(uri):
        promotions.check(client, model)
        number = promotions.resolve(client, model, version)
        champion = promotions.standing(client, model).get(CHAMPION, "")
        if number == champion:
            raise UserError(f"version {number} is the champion of {model} already")
        with tempfile.TemporaryDirectory() as scratch:
            own, other = (
                _evidence(uri, model, each, Path(scratch) / each) for each in (number, champion)
            )
        own, other = _judged(params, paths, own, other)
        sizes = [
            registry.size_of(uri, model, each) if each else None for each in (number, champion)
        ]
        seconds = registry.seconds_to_answer(
            uri,
            model,
            [each for each in (number, champion) if each],
            example_row(MODELS[model]),
            params.promote.requests,
        )
    found = gates.judge(
        params.promote,
        own,
        other,
        (sizes[0], sizes[1]),
        (seconds.get(number), seconds.get(champion)),
        first=not champion,
    )
    return Proposal(model, number, champion, tuple(found))


def promote(
    params: Params,
    paths: Layout,
    model: str,
    version: str,
    uri: str | None = None,
    why: str = "",
    override: str = "",
    who: str = "",
) -> Proposal:
    """Print the decision table and make the version champion (and the champion previous).

    Raises UserError where a gate failed and no ``override`` says why that is right; that, too, is in
    the log.
    """
    proposal = propose(params, paths, model, version, uri)
    print(describe(proposal))
    settle(paths, proposal, uri, why, override, who)
    return proposal


def settle(
    paths: Layout,
    proposal: Proposal,
    uri: str | None = None,
    why: str = "",
    override: str = "",
    who: str = "",
) -> None:
    """Carry a proposal out, or log that it is refused and raise UserError."""
    model, version = proposal.model, proposal.version
    uri, client = _registry(paths, model, uri)
    refused = bool(proposal.failed) and not override.strip()
    with runs.one_line(uri):
        promotions.check(client, model)
        aliases = promotions.standing(client, model)
        if aliases.get(CHAMPION, "") != proposal.champion:
            raise UserError(f"{model} has another champion by now: run `pf promote` again")
        if not refused:
            aliases[CHAMPION] = version
            if proposal.champion:
                aliases[PREVIOUS] = proposal.champion
        promotions.decide(
            client,
            model,
            "refuse" if refused else "promote",
            version,
            aliases,
            who=who or workspace.who(paths.root),
            why=why or ("gates failed" if refused else "gates passed"),
            override=override.strip() if proposal.failed else "",
            numbers=[gate.to_json() for gate in proposal.gates],
            copy=promotions_copy(paths),
        )
    if refused:
        raise UserError(
            f"{model} version {version} is refused by: {', '.join(proposal.failed)} "
            "(`--override REASON` promotes it all the same, and is logged)"
        )
    print(f"{model}: champion is version {version}, previous {proposal.champion or 'none'}")


def rollback(
    paths: Layout, model: str, uri: str | None = None, why: str = "", who: str = ""
) -> None:
    """Make the previous champion the champion again, and the one before it the previous one."""
    uri, client = _registry(paths, model, uri)
    with runs.one_line(uri):
        promotions.check(client, model)
        stack = promotions.champions(promotions.read(client, model))
        if len(stack) < 2:
            raise UserError(f"{model} has no previous champion to go back to")
        promotions.resolve(client, model, stack[-2])
        aliases = promotions.standing(client, model)
        aliases[CHAMPION] = stack[-2]
        aliases.pop(PREVIOUS, None)
        if len(stack) > 2:
            aliases |= promotions.existing(client, model, {PREVIOUS: stack[-3]})
        promotions.decide(
            client,
            model,
            "rollback",
            stack[-2],
            aliases,
            who=who or workspace.who(paths.root),
            why=why or f"version {stack[-1]} is taken back",
            copy=promotions_copy(paths),
        )
    print(f"{model}: champion is version {stack[-2]} again (it was {stack[-1]})")


def show_aliases(
    paths: Layout, models: Sequence[str] = (), uri: str | None = None, restore: bool = False
) -> None:
    """Print the log of decisions; raise UserError where it does not explain an alias.

    ``restore`` sets such aliases to what the log says, which is logged as well.
    """
    strange: list[str] = []
    for model in models or MODELS:
        store, client = _registry(paths, model, uri)
        with runs.one_line(store):
            if not client.search_registered_models(f"name = '{model}'"):
                print(f"{model}: not registered yet (`pf publish`)")
                continue
            log, lines = promotions.read(client, model), promotions.unexplained(client, model)
            if restore and lines:
                promotions.decide(
                    client,
                    model,
                    "restore",
                    "",
                    promotions.existing(client, model, log[-1].aliases) if log else {},
                    who=workspace.who(paths.root),
                    why="; ".join(lines),
                    copy=promotions_copy(paths),
                )
                print(f"{model}: restored ({'; '.join(lines)})")
                log, lines = promotions.read(client, model), []
            strange += lines
            print(f"{model}: {_aliases(promotions.standing(client, model))}")
        if log:
            print(log_table(log))
    if strange:
        raise UserError(f"{'; '.join(strange)} (`pf aliases --restore` sets it back)")


def describe(proposal: Proposal) -> str:
    """The decision table under a line that says what is compared."""
    against = f"champion version {proposal.champion}" if proposal.champion else "no champion yet"
    head = f"{proposal.model}: version {proposal.version} against {against}"
    return f"{head}\n{gates.decision_table(proposal.gates)}"


def log_table(log: Sequence[promotions.Decision]) -> str:
    """The log as a table."""
    rows = [
        (
            each.when,
            each.action,
            each.version,
            _aliases(each.aliases),
            each.who,
            each.why + (f" (override: {each.override})" if each.override else ""),
        )
        for each in log
    ]
    return table(("when", "action", "version", "aliases after it", "who", "why"), rows)


def _aliases(aliases: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in aliases.items()) or "no aliases"


def _registry(paths: Layout, model: str, uri: str | None) -> tuple[str, Any]:
    if model not in MODELS:
        raise UserError(f"no model {model!r}; there are: {', '.join(MODELS)}")
    uri = uri or runs.default_uri(paths.runs)
    runs.require()
    runs.init(uri, paths.runs / "mlartifacts")
    return uri, runs.connect(uri)


def _evidence(uri: str, model: str, version: str, folder: Path) -> evidence.Evidence | None:
    found = registry.get_evidence(uri, model, version, folder) if version else None
    return evidence.read(found) if found else None


def _judged(
    params: Params, paths: Layout, own: evidence.Evidence | None, other: evidence.Evidence | None
) -> tuple[evidence.Evidence | None, evidence.Evidence | None]:
    """Both sides' texts judged by one judge, this workspace's: rewards of two judges don't compare.

    Where no judge is at hand the noted rewards stand.
    """
    folder = next(
        (f for name in ("report_reward", "reward") if (f := paths.judges / name).is_dir()), None
    )
    if folder is None or own is None or other is None:
        return own, other
    from polite_flamingo.judges import reward

    judge = reward.load(folder, params.judges.reward.max_length)
    sides = []
    shared = sorted(own.texts.keys() & other.texts.keys())
    for side in (own, other):
        asked = [side.texts[question] for question in shared]
        instructions, texts = [a for a, _ in asked], [b for _, b in asked]
        scores = reward.reward(judge, instructions, texts, params.filter.batch_size).tolist()
        rewards = dict(zip(shared, scores, strict=True))
        sides.append(replace(side, values={**side.values, evidence.REWARD: rewards}))
    return sides[0], sides[1]
