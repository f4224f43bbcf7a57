"""``pf``: a thin face over stages, profiles and the registry."""

from __future__ import annotations

import argparse
import ctypes
import errno
import logging
import os
import re
import select
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from polite_flamingo import operations
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.journal import clear_work
from polite_flamingo.core.layout import Layout, check_workspace
from polite_flamingo.core.params import load_params

# Set before any library is imported: nothing calls home and nothing is fetched behind our back.
_QUIET = {
    "DO_NOT_TRACK": "true",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "TOKENIZERS_PARALLELISM": "false",
}

# What a light install leaves out: module -> extra of pyproject.toml.
_EXTRAS = {
    "easy_vqa": "data",
    "scipy": "data",
    "sklearn": "data",
    "torch": "models",
    "torchvision": "models",
    "transformers": "models",
    "tokenizers": "models",
    "safetensors": "models",
    "peft": "models",
    "open_clip": "models",
    "timm": "models",
    "lightning": "models",
    "sentence_transformers": "judges",
    "rouge_score": "judges",
    "nlpaug": "distortion",
    "mlflow": "mlflow",
    "great_expectations": "quality",
    "jinja2": "report",
    "matplotlib": "report",
}

# What the machine, not the code, denies: rights, a read-only disk, space.
_DENIED = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
)
INTERRUPTED = 130
# As a shell tells of SIGPIPE.
UNREAD = 141

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 on success.

    2 and one line on stderr on what a user can mend: a UserError, a missing extra, a full disk or
    one that may not be written to. 130 and one line on Ctrl-C. 141 without a word where nobody reads
    on (`pf sources | head`).
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    _keep_memory()
    parser = _parser()
    options = parser.parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        if command not in _ANYWHERE:
            check_workspace(options.root)
        command(options)
        sys.stdout.flush()
    except BrokenPipeError:
        if not _is_unread():
            raise
        return UNREAD
    except (KeyboardInterrupt, SystemExit) as error:
        # Lightning turns Ctrl-C into an exit of its own.
        if not isinstance(error, KeyboardInterrupt) and not isinstance(
            error.__context__, KeyboardInterrupt
        ):
            raise
        # Past the ^C, or a bar that stopped half-way.
        start = "\n" if sys.stderr.isatty() else ""
        print(f"{start}pf: interrupted; run again to go on", file=sys.stderr)
        return INTERRUPTED
    except UserError as error:
        print(f"pf: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        module = (error.name or "").split(".")[0]
        if module not in _EXTRAS:
            raise
        extra = f"polite-flamingo[{_EXTRAS[module]}]"
        print(f"pf: {module} is not installed: pip install '{extra}'", file=sys.stderr)
        return 2
    except Exception as error:
        said = _denied(error)
        if said is None:
            raise
        print(f"pf: {said}: mend that and run again", file=sys.stderr)
        return 2
    return 0


def _is_unread() -> bool:
    """Whether the reader of our output has left; then what is still to be written goes nowhere."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    left = any(event & select.POLLERR for _, event in output.poll(0))
    if left:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return left


def _denied(error: BaseException | None) -> str | None:
    """What the machine denied us, None where the error is of another kind.

    What is written in Rust (safetensors, tokenizers) tells the number of an error in its text only.
    """
    while error is not None:
        text = " ".join(str(error).split())
        told = re.search(r"\(os error (\d+)\)", text)
        number = error.errno if isinstance(error, OSError) else int(told[1]) if told else None
        if number in _DENIED:
            return text
        error = error.__cause__
    return None


def run() -> None:
    """The command `pf`. Leaves at once: taking torch and its modules down is 2 seconds a stage."""
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _keep_memory() -> None:
    """Let glibc keep freed memory: it would give every large tensor back and fault it in again.

    An eighth of a training step on a CPU. Does nothing with another C library.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1 << 30)
        mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)


class _Parser(argparse.ArgumentParser):
    """A parser, and of each command one, that says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (`{self.prog} --help` tells more)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="pf", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("."), help="workspace (default: here)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    stage = commands.add_parser("stage", help="run one stage of the pipeline here (dvc.yaml does)")
    stage.add_argument("name")
    stage.add_argument("arguments", nargs="*", help="e.g. `tune pf 2`")
    stage.set_defaults(command=_stage)

    profile = commands.add_parser("profile", help="list the profiles, or write one to params.yaml")
    profile.add_argument("action", choices=["list", "use", "show"])
    profile.add_argument("name", nargs="?", help="of `use` and `show`")
    profile.set_defaults(command=_profile, usage=profile.error)

    publish = commands.add_parser("publish", help="bring runs and model versions into MLflow")
    publish.add_argument("--uri", default=os.environ.get("MLFLOW_TRACKING_URI", ""))
    publish.set_defaults(command=_publish)

    convert = commands.add_parser(
        "convert", help="read a checkpoint of OpenFlamingo, Polite or Clever Flamingo, or write one"
    )
    convert.add_argument(
        "source",
        nargs="+",
        type=Path,
        help="checkpoint file or folder; several are laid over each other (base, then its LoRA)",
    )
    convert.add_argument(
        "target", type=Path, help="model folder; with --to openflamingo a .pt file"
    )
    convert.add_argument("--to", choices=["ours", "openflamingo"], default="ours")
    convert.add_argument(
        "--config", default="openflamingo-9b", help="model config: a shipped name or a .yaml path"
    )
    convert.add_argument("--lm", help="language model to use instead of the config's")
    convert.add_argument("--media-mask", choices=["immediate", "previous", "next", "group"])
    convert.add_argument("--lora-alpha", type=float, default=16.0, help="no checkpoint states it")
    convert.set_defaults(command=_convert)

    plan = commands.add_parser(
        "plan", help="parameters, memory and hours of a profile's trainings, without any weights"
    )
    plan.add_argument("profile", nargs="?", help="default: params.yaml")
    plan.add_argument("--gpus", type=int, default=1)
    plan.add_argument("--gpu-memory", type=float, default=40.0, help="GiB of each (default: 40)")
    plan.add_argument(
        "--tflops", type=float, default=312.0, help="peak of each (default: A100 bf16)"
    )
    plan.add_argument("--utilisation", type=float, default=0.35, help="share of the peak reached")
    plan.add_argument("--json", action="store_true", help="print the figures as JSON")
    plan.set_defaults(command=_plan)

    operations.add_commands(commands)

    sources = commands.add_parser("sources", help="list the source data sets, or check one's files")
    sources.add_argument("action", choices=["list", "check"], nargs="?", default="list")
    sources.add_argument("name", nargs="?", help="of `check`")
    _add_data_root(sources)
    sources.set_defaults(command=_sources, usage=sources.error)

    ingest = commands.add_parser("ingest", help="read some sources into a folder of their own")
    ingest.add_argument("names", nargs="+", metavar="NAME")
    _add_data_root(ingest)
    ingest.add_argument("--out", type=Path, help="where to (default: data/ingested)")
    ingest.add_argument("--annotations-only", action="store_true", help="read no image, keep paths")
    ingest.add_argument("--all", action="store_true", help="no cap: every sample")
    ingest.add_argument("--limit", type=int, help="at most so many samples a source and split")
    ingest.add_argument("--max-side", type=int, help="shrink images to so many pixels (0: not)")
    ingest.add_argument("--allow-missing", action="store_true", help="however many images lack")
    ingest.set_defaults(command=_ingest)

    stats = commands.add_parser("stats", help="what became of every source that was ingested")
    stats.add_argument("--samples", type=Path, help="folder (default: data/samples)")
    stats.add_argument("--page", type=Path, help="write it as an HTML page, too")
    stats.set_defaults(command=_stats)

    timings = commands.add_parser("timings", help="where the time of the last runs went")
    timings.set_defaults(command=_timings)
    return parser


def _stage(options: argparse.Namespace) -> None:
    from polite_flamingo.stages import STAGES, resolve

    if options.name not in STAGES:
        raise UserError(f"no stage {options.name!r}; there are: {', '.join(STAGES)}")
    params = load_params(options.root / "params.yaml")
    paths = Layout(options.root, os.environ.get("MLFLOW_TRACKING_URI"))
    # Read by torch when it is imported: its bits depend on the number of threads.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(params.threads)
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    run = resolve(options.name, options.arguments)
    started = time.time()
    print(f"[{' '.join([options.name, *options.arguments])}] {params.profile}", flush=True)
    run(params, paths)
    clear_work(paths.runs, "_".join([options.name, *options.arguments]))
    _record(paths, " ".join([options.name, *options.arguments]), started)


def _record(paths: Layout, stage: str, started: float) -> None:
    import json

    paths.runs.mkdir(exist_ok=True)
    row = {"stage": stage, "started": round(started, 1), "seconds": round(time.time() - started, 1)}
    with (paths.runs / "timings.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")


def _add_data_root(parser: argparse.ArgumentParser) -> None:
    # Not `root`, which is the workspace's.
    parser.add_argument("--root", dest="data_root", type=Path, help="data root (default: params)")


def _data_root(options: argparse.Namespace) -> Path:
    if options.data_root is not None:
        return Path(options.data_root)
    return options.root / load_params(options.root / "params.yaml").ingest.data_root  # type: ignore[no-any-return]


def _sources(options: argparse.Namespace) -> None:
    from polite_flamingo.sources.catalogue import shipped_catalogue
    from polite_flamingo.sources.own import find_source
    from polite_flamingo.sources.presence import count_missing, missing_lines, state_of

    params = options.root / "params.yaml"
    own = load_params(params).ingest.own if params.is_file() else {}
    root = _data_root(options)
    if options.action == "list":
        print(f"data root: {root}")
        print(f"{'source':<24}{'state':<10}{'category':<24}{'cap':>8}  licence")
        for name in [*shipped_catalogue(), *own]:
            entry = find_source(name, own)
            cap = f"{entry.class_cap}/class" if entry.class_cap else f"{entry.cap or '-'}"
            category = entry.category + (", held out" if entry.held_out else "")
            print(f"{name:<24}{state_of(entry, root):<10}{category:<24}{cap:>8}  {entry.licence}")
        return
    if options.name is None:
        options.usage("check needs the NAME of a source; see `pf sources`")
    entry = find_source(options.name, own)
    print(f"{entry.name}: {state_of(entry, root)} (from {entry.home})")
    print("\n".join(missing_lines(entry, root)))
    missing = count_missing(entry, root)
    if missing:
        raise UserError(f"{entry.name}: {missing} files or folders are missing, listed above")


def _ingest(options: argparse.Namespace) -> None:
    from dataclasses import replace

    from polite_flamingo.core.params import SplitLimits
    from polite_flamingo.sources.statistics import stats_lines
    from polite_flamingo.stages.ingest import ingest_into

    params = load_params(options.root / "params.yaml")
    given = params.ingest
    if options.limit is not None and options.limit < 0:
        raise UserError(f"--limit {options.limit}: expected 0 or more")
    if options.max_side is not None and options.max_side < 0:
        raise UserError(f"--max-side {options.max_side}: expected 0 (kept as they are) or more")
    limits = {name: limit for name, limit in given.limits.items() if name in options.names}
    if options.all or options.limit is not None:
        limits = dict.fromkeys(options.names, SplitLimits(train=options.limit, test=options.limit))
    given = replace(
        given,
        sources=options.names,
        limits=limits,
        mode="annotations-only" if options.annotations_only else given.mode,
        max_side=given.max_side if options.max_side is None else options.max_side,
        max_missing_images=1.0 if options.allow_missing else given.max_missing_images,
        data_root=str(_data_root(options).resolve()),
    )
    paths = Layout(options.root)
    out = options.out or options.root / "data/ingested"
    work = paths.runs / "ingested"
    stats = ingest_into(given, params.seed, options.root, work, out / "samples", out / "images")
    print("\n".join(stats_lines(stats)))
    print(f"samples and images are in {out}")


def _stats(options: argparse.Namespace) -> None:
    from polite_flamingo.core.tables import atomic_file, read_json
    from polite_flamingo.reports.sources_page import render_sources
    from polite_flamingo.sources.statistics import stats_lines

    folder = options.samples or Layout(options.root).samples
    if not (folder / "stats.json").is_file():
        raise UserError(
            f"{folder}/stats.json is missing: run `pf stage ingest` or `pf ingest NAME`"
        )
    stats = read_json(folder / "stats.json")
    print("\n".join(stats_lines(stats)))
    if options.page is not None:
        with atomic_file(options.page) as temporary:
            temporary.write_text(render_sources(stats, str(folder)), encoding="utf-8")
        print(f"page: {options.page}")


def _timings(options: argparse.Namespace) -> None:
    from polite_flamingo.core.tables import read_jsonl
    from polite_flamingo.stages import STAGES

    record = Layout(options.root).runs / "timings.jsonl"
    if not record.is_file():
        print("no stage ran here yet: all outs came from the cache")
        return
    rows = read_jsonl(record)
    last = {row["stage"]: row["seconds"] for row in rows}
    order = {name: place for place, name in enumerate(STAGES)}
    total = sum(last.values())
    print(f"{'stage':<22}{'seconds':>9}{'share':>8}")
    for stage in sorted(last, key=lambda name: (order.get(name.split()[0], 99), name)):
        print(f"{stage:<22}{last[stage]:>9.1f}{last[stage] / max(total, 1e-9):>8.1%}")
    print(f"{'total':<22}{total:>9.1f}")


def _profile(options: argparse.Namespace) -> None:
    from polite_flamingo.core.profiles import about, is_profile, names, profile_text
    from polite_flamingo.core.tables import atomic_file

    folder = options.root / "profiles"
    if options.action == "list":
        if not names(folder):
            raise UserError(f"no profiles in {folder}: cd to your clone of polite-flamingo")
        for name in names(folder):
            print(f"{name:<18}{about(folder, name)}")
        return
    if options.name is None:
        options.usage(f"{options.action} needs the NAME of a profile; see `pf profile list`")
    text = profile_text(folder, options.name)
    if options.action == "show":
        print(text, end="")
        return
    path, kept = options.root / "params.yaml", Layout(options.root).runs / "params.replaced.yaml"
    before = path.read_text(encoding="utf-8") if path.is_file() else text
    edited = before != text and not is_profile(folder, before)
    for target, content in ((kept, before), (path, text)) if edited else ((path, text),):
        with atomic_file(target) as temporary:
            temporary.write_text(content, encoding="utf-8")
    print(f"params.yaml is now the profile {options.name}")
    if edited:
        print(f"it held edits; they are kept in {kept}")


def _convert(options: argparse.Namespace) -> None:
    from dataclasses import replace

    from polite_flamingo.models.configs import load_config
    from polite_flamingo.models.conversion import convert, export

    if options.to == "openflamingo":
        if len(options.source) != 1:
            raise UserError("--to openflamingo takes one model folder and a .pt file")
        notes = export(options.source[0], options.target)
    else:
        config = load_config(options.config)
        if options.lm:
            config = replace(config, lm=replace(config.lm, source=options.lm, sha256=""))
        if options.media_mask:
            config = replace(config, media_mask=options.media_mask)
        notes = convert(options.source, options.target, config, options.lora_alpha).lines()
    print("\n".join([*notes, f"written: {options.target}"]))


def _plan(options: argparse.Namespace) -> None:
    import json
    from dataclasses import asdict

    import yaml

    from polite_flamingo.core.params import check_params
    from polite_flamingo.core.profiles import profile_text
    from polite_flamingo.models.plan import Hardware, make_plan, render

    if options.profile:
        text = profile_text(options.root / "profiles", options.profile)
        params = check_params(yaml.safe_load(text), options.profile)
    else:
        params = load_params(options.root / "params.yaml")
    if options.gpus < 1 or min(options.gpu_memory, options.tflops, options.utilisation) <= 0:
        raise UserError("--gpus, --gpu-memory, --tflops and --utilisation must be above 0")
    hardware = Hardware(options.gpus, options.gpu_memory, options.tflops, options.utilisation)
    plan = make_plan(params, hardware, options.root / "benchmarks/results")
    print(json.dumps(asdict(plan), indent=1) if options.json else render(plan))


def _publish(options: argparse.Namespace) -> None:
    from polite_flamingo.stages.publish import publish

    publish(load_params(options.root / "params.yaml"), Layout(options.root), options.uri or None)


# Commands that need no workspace.
_ANYWHERE = (_convert,)


if __name__ == "__main__":
    sys.exit(main())
