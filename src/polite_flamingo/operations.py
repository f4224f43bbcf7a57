"""Commands of ``pf`` that keep versions and models: release, diff, reproduce, promote, rollback."""

from __future__ import annotations

import argparse
import os
from typing import Any

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import load_params


def add_commands(commands: Any) -> None:
    """Add them to argparse's subparsers."""
    quality = commands.add_parser(
        "data-quality", help="the data gate on the data at hand; a summary in runs/data_quality.md"
    )
    quality.set_defaults(command=_data_quality)

    release = commands.add_parser(
        "release", help="record, tag and push what lies here as a version"
    )
    release.add_argument("tag")
    _add_uri(release)
    release.set_defaults(command=_release)

    releases = commands.add_parser("releases", help="list the versions")
    releases.set_defaults(command=_releases)

    diff = commands.add_parser("diff", help="rows, parameters, metrics and code of two versions")
    diff.add_argument("first")
    diff.add_argument("second")
    diff.set_defaults(command=_diff)

    reproduce = commands.add_parser("reproduce", help="build a version again, compare every hash")
    reproduce.add_argument("tag")
    reproduce.add_argument(
        "--environment",
        choices=["lock", "here"],
        default="lock",
        help="install the version's lock with uv (default), or use the environment at hand",
    )
    reproduce.set_defaults(command=_reproduce)

    promote = commands.add_parser("promote", help="make a model version the champion, by the gates")
    promote.add_argument("model")
    promote.add_argument("version", help="a number, or the alias `candidate`")
    promote.add_argument("--why", default="", help="kept in the log")
    promote.add_argument(
        "--override", default="", metavar="REASON", help="in spite of failed gates"
    )
    _add_uri(promote)
    promote.set_defaults(command=_promote)

    rollback = commands.add_parser("rollback", help="make the previous champion the champion again")
    rollback.add_argument("model")
    rollback.add_argument("--why", default="", help="kept in the log")
    _add_uri(rollback)
    rollback.set_defaults(command=_rollback)

    aliases = commands.add_parser(
        "aliases", help="the log of decisions; whether it explains aliases"
    )
    aliases.add_argument("model", nargs="*", help="default: both models")
    aliases.add_argument("--restore", action="store_true", help="set them to what the log says")
    _add_uri(aliases)
    aliases.set_defaults(command=_aliases)


def _add_uri(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--uri",
        default=os.environ.get("MLFLOW_TRACKING_URI", ""),
        help="MLflow's store (default: runs/mlflow.db)",
    )


def _data_quality(options: argparse.Namespace) -> None:
    from polite_flamingo.stages.validate import data_quality

    data_quality(load_params(options.root / "params.yaml"), Layout(options.root))


def _release(options: argparse.Namespace) -> None:
    from polite_flamingo.stages.versions import release

    params = load_params(options.root / "params.yaml")
    release(params, Layout(options.root), options.tag, options.uri or None)


def _releases(options: argparse.Namespace) -> None:
    from polite_flamingo.stages.versions import listing

    print(listing(options.root))


def _diff(options: argparse.Namespace) -> None:
    from polite_flamingo.release.diff import difference

    print(difference(options.root, options.first, options.second))


def _reproduce(options: argparse.Namespace) -> None:
    from polite_flamingo.release import manifest, reproduce

    found = reproduce.reproduce(options.root, options.tag, options.environment == "lock")
    released = manifest.read(options.root, options.tag).machine
    print(reproduce.report(found, released, manifest.this_machine()))
    different = sum(not each.equal for each in found)
    if different:
        raise UserError(f"{options.tag} is not reproduced: {different} outs differ")


def _promote(options: argparse.Namespace) -> None:
    from polite_flamingo.stages.promotion import promote

    params = load_params(options.root / "params.yaml")
    promote(
        params,
        Layout(options.root),
        options.model,
        options.version,
        uri=options.uri or None,
        why=options.why,
        override=options.override,
    )


def _rollback(options: argparse.Namespace) -> None:
    from polite_flamingo.stages.promotion import rollback

    rollback(Layout(options.root), options.model, uri=options.uri or None, why=options.why)


def _aliases(options: argparse.Namespace) -> None:
    from polite_flamingo.stages.promotion import show_aliases

    show_aliases(Layout(options.root), options.model, options.uri or None, options.restore)
