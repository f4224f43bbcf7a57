"""A registered model behind MLflow's pyfunc interface: instruction, draft and images to a response.

MLflow calls :func:`_load_pyfunc` with the folder that ``pf publish`` stored: ``model/`` as
``models.checkpoints`` writes it, and ``settings.json``.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass as checked

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.images import BadImage, check_image
from polite_flamingo.core.sample import Turn
from polite_flamingo.core.tables import read_json

if TYPE_CHECKING:
    import pandas as pd
    from PIL.Image import Image


@checked(frozen=True, config=ConfigDict(extra="forbid"))
class Settings:
    """How a registered model answers: a rewriter needs a draft, a chat model takes none.

    ``name`` and ``key`` say which version it is (``tracking.promotions``).
    """

    role: Literal["rewriter", "chat"]
    max_new_tokens: int
    batch_size: int = 16
    name: str = ""
    key: str = ""


@dataclass(frozen=True)
class Request:
    """One row of the input."""

    instruction: str
    draft: str
    images: tuple[Image, ...]


class Predictor:
    """Answers data frames; the weights are loaded with the first one."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self._loaded: Any = None

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One ``response`` a row of ``instruction``, ``draft`` (optional) and ``images`` (base64).

        Raises UserError naming the row: an image that cannot be read, a rewriter's draft that is
        missing, a draft given to a chat model.
        """
        import pandas as pd

        rows = frame.to_dict("records")
        requests = [read_request(row, n, self.settings.role) for n, row in enumerate(rows)]
        return pd.DataFrame({"response": self.answer(requests)}, index=frame.index)

    def answer(self, requests: Sequence[Request]) -> list[str]:
        """Greedy responses in the order of the requests."""
        import torch

        from polite_flamingo.models.checkpoints import from_pretrained
        from polite_flamingo.models.generate import generate
        from polite_flamingo.models.prompt import encode_prompt
        from polite_flamingo.models.tokenizer import decode
        from polite_flamingo.models.vision import preprocess
        from polite_flamingo.training.visual_tokens import compute_tokens

        if self._loaded is None:
            self._loaded = from_pretrained(self.folder)
        model, tokenizer = self._loaded
        config = model.config
        prompts, tokens = [], []
        for request in requests:
            draft = request.draft if self.settings.role == "rewriter" else None
            turns = [Turn(request.instruction, "")]
            images = [preprocess(image, config.vision) for image in request.images]
            prompts.append(encode_prompt(tokenizer, turns, [len(images)], config.prompt, draft))
            tokens.append(compute_tokens(model.vision, torch.stack(images)) if images else None)
        results = generate(
            model, prompts, tokens, self.settings.max_new_tokens, self.settings.batch_size
        )
        return [decode(tokenizer, result.tokens) for result in results]


def read_request(row: dict[Any, Any], number: int, role: str) -> Request:
    """Check one row; raises UserError that names it."""
    instruction, draft, images = (row.get(name) for name in ("instruction", "draft", "images"))
    given = draft if isinstance(draft, str) else ""
    if not isinstance(instruction, str) or not instruction.strip():
        raise UserError(f"row {number}: give an instruction")
    if role == "rewriter" and not given.strip():
        raise UserError(f"row {number}: the rewriter needs a draft")
    if role == "chat" and given.strip():
        raise UserError(f"row {number}: a chat model takes no draft; leave it out")
    # No images arrive as an empty list, array or string, or as a missing value; one may stand alone.
    if isinstance(images, str):
        images = [images] if images.strip() else []
    encoded = [] if images is None or isinstance(images, float) else list(images)
    return Request(instruction, given, tuple(read_image(text, number) for text in encoded))


def read_image(text: str, row: int) -> Image:
    """Decode a base64 image as ingest would have taken it; raises UserError naming the row."""
    from PIL import Image

    try:
        image = check_image(base64.b64decode(text, validate=True))
    except (TypeError, ValueError) as error:
        raise UserError(f"row {row}: an image is not base64: {error}") from error
    except BadImage as error:
        raise UserError(f"row {row}: an image cannot be read: {error}") from error
    return Image.open(BytesIO(image.data)).convert("RGB")


def _load_pyfunc(path: str) -> Predictor:
    folder = Path(path)
    settings = TypeAdapter(Settings).validate_python(read_json(folder / "settings.json"))
    if settings.key:
        from polite_flamingo.tracking.promotions import check_loadable

        check_loadable(settings.name, settings.key)
    return Predictor(folder / "model", settings)
