"""`pf release`: check, publish, record, tag and push one version of data and models."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.tables import read_json
from polite_flamingo.release import manifest, workspace
from polite_flamingo.stages.publish import publish, published
from polite_flamingo.tracking import registry


def release(params: Params, paths: Layout, tag: str, uri: str | None = None) -> manifest.Manifest:
    """Release what lies in the workspace as ``tag``.

    Refuses (UserError) a tag that is taken, a dirty tree, raw data without a version, a stale
    pipeline and a failed data gate. Else publishes to MLflow at ``uri``, pushes to the default DVC
    remote (if there is one), commits releases/TAG.json and tags that commit. What is done twice
    after a kill adds nothing; the commit and the tag come last.
    """
    root = paths.root
    manifest.check_tag(root, tag)
    check_releasable(paths)
    commit = workspace.git(root, "rev-parse", "HEAD").strip()
    publish(params, paths, uri)
    made = published(paths, uri)
    result = manifest.Manifest(
        tag=tag,
        commit=commit,
        date=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        profile=params.profile,
        lock_sha256=manifest.sha256(root / manifest.LOCK),
        environment_sha256=manifest.sha256(root / manifest.ENVIRONMENT),
        outs=manifest.lock_outs(root / manifest.LOCK),
        machine=manifest.this_machine(),
        runs=made.runs,
        models=made.models,
        metrics=_metrics(paths),
        rows=dict(read_json(paths.gate).get("rows", {})),
    )
    pushed = _push(root)
    registry.tag_versions(made.uri, made.models, {f"{registry.RELEASE_TAG}{tag}": commit})
    path = manifest.write(root, result).relative_to(root).as_posix()
    try:
        workspace.git(root, "add", "--", path)
        workspace.git(root, "commit", "--quiet", "-m", f"Release {tag}", "--", path)
        workspace.git(root, "tag", "--annotate", "-m", f"Release {tag}", tag)
    except UserError:
        # Half a release is none: the next try starts anew.
        workspace.command(["git", "rm", "--quiet", "--cached", "--", path], root)
        (root / path).unlink(missing_ok=True)
        raise
    print(f"{tag}: {path} is committed and tagged; {pushed}")
    return result


def check_releasable(paths: Layout) -> None:
    """Raise UserError with one line that says what to do, where the workspace is no release."""
    root = paths.root
    dirt = workspace.dirt(root)
    if dirt:
        more = f" and {len(dirt) - 3} more" if len(dirt) > 3 else ""
        raise UserError(f"the tree is dirty: commit or remove {', '.join(dirt[:3])}{more}")
    loose = unversioned(paths)
    if loose:
        raise UserError(f"raw data without a version: `dvc add {' '.join(loose)}`, then commit")
    stale = workspace.stale(root)
    if stale:
        name, reason = next(iter(stale.items()))
        more = f" and {len(stale) - 1} more" if len(stale) > 1 else ""
        raise UserError(
            f"the pipeline is stale: run `dvc repro` and commit ({name}: {reason}{more})"
        )
    if not paths.gate.is_file() or not read_json(paths.gate).get("success"):
        raise UserError(f"the data gate has not passed ({paths.gate}): run `make data-quality`")


def unversioned(paths: Layout) -> list[str]:
    """Folders and files of data/raw that neither a stage nor DVC nor git has a version of."""
    root = paths.root
    if not paths.raw.is_dir():
        return []
    drawn = {path for outs in manifest.lock_outs(root / manifest.LOCK).values() for path in outs}
    loose = []
    for entry in sorted(paths.raw.iterdir()):
        name = entry.relative_to(root).as_posix()
        known = entry.name == ".gitignore" or entry.suffix == ".dvc" or name in drawn
        if known or (paths.raw / f"{entry.name}.dvc").is_file():
            continue
        if not workspace.git(root, "ls-files", "--", name):
            loose.append(name)
    return loose


def listing(root: Path) -> str:
    """The table of `pf releases`."""
    rows = [
        (
            each.tag,
            each.date,
            each.commit[:9],
            each.profile,
            ", ".join(f"{name} {version}" for name, version in each.models.items()),
            *(each.metrics.get("headline", {}).get(name) for name in SHOWN),
        )
        for each in manifest.releases(root)
    ]
    if not rows:
        return "no releases yet: `pf release TAG` makes one"
    return manifest.table(("tag", "date", "commit", "profile", "models", *SHOWN), rows)


SHOWN = ("kept_share", "kept_factual", "stage3_accuracy", "tax_win_rate_stage3")


def _metrics(paths: Layout) -> dict[str, Any]:
    figures = read_json(paths.reports / "metrics.json")
    return {name: figures[name] for name in ("headline", "intervals") if name in figures}


def _push(root: Path) -> str:
    remotes = workspace.remotes(root)
    default = workspace.command([*workspace.DVC, "remote", "default"], root).stdout.strip()
    if not remotes:
        return "there is no DVC remote to push to"
    if default not in remotes:
        return "no DVC remote is the default one (`dvc remote default NAME`): nothing was pushed"
    workspace.dvc(root, "push", "--quiet", what="the data could not be pushed: `dvc push` says")
    return f"data is pushed to {default}"
