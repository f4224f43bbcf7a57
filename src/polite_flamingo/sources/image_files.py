"""The image files of a source: found below their folder, decoded, named by their content."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PureWindowsPath

from PIL import Image

from polite_flamingo.core.images import BadImage, CheckedImage, check_image, png_bytes
from polite_flamingo.sources.drawing import Drawn, OutsideImage, draw
from polite_flamingo.sources.record import BadRecord, ImageRef

# Copies of a data set may hold its images in another format under the same stem.
_OTHER_SUFFIXES = (
    ".jpg",
    ".png",
    ".jpeg",
    ".JPG",
    ".tif",
    ".tiff",
    ".gif",
    ".JPEG",
    ".PNG",
)
# Names that need no second look: no drive, no backslash, no part that starts with a dot.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_RECENT = 8
_JPEG_QUALITY = 95


@dataclass(frozen=True)
class ImageFolder:
    """Where the images of a split are, and how they are kept; workers get a copy.

    ``inner``: folders below ``folder`` that are searched in turn. ``max_side``: longest side in
    pixels of what is kept (0: as it is).
    """

    folder: Path
    inner: tuple[str, ...] = ("",)
    max_side: int = 0

    def check(self, image: ImageRef) -> CheckedImage:
        """Decode an image, draw on it where that is asked for, shrink it where it is too large.

        What is drawn on, shrunk or re-encoded keeps the hash of the file as its ``origin``.
        Raises BadRecord ``path_escape``, ``missing_image``, ``corrupt_image`` or ``bad_region``.
        """
        name = image.path if isinstance(image, Drawn) else image
        data = name if isinstance(name, bytes) else self._read(name)
        try:
            checked = check_image(data)
            if isinstance(image, Drawn):
                with Image.open(io.BytesIO(checked.data)) as picture:
                    checked = check_image(png_bytes(draw(picture, image)))
            kept = self._shrunk(checked)
            if kept.data is data:
                return kept
            return replace(kept, origin=hashlib.sha256(data).hexdigest())
        except BadImage as error:
            shown = "image bytes" if isinstance(name, bytes) else name
            raise BadRecord("corrupt_image", f"{shown}: {error}") from error
        except OutsideImage as error:
            raise BadRecord("bad_region", str(error)) from error

    def find(self, name: str) -> Path:
        """Return the file of an image; BadRecord where it is missing or outside the folder."""
        path = Path(inside(name))
        for inner in self.inner:
            first = self.folder / inner / path
            try:
                if first.is_file():
                    return first
                for other in _OTHER_SUFFIXES:
                    candidate = first.with_suffix(other)
                    if candidate.is_file():
                        return candidate
            # A name that is too long for any file.
            except OSError as error:
                raise BadRecord("missing_image", f"{name}: {error.strerror}") from error
        raise BadRecord("missing_image", f"{name} is not in {self.folder.name}")

    def size(self, name: str) -> tuple[int, int] | None:
        """Return width and height from an image's header; None where it can't be read."""
        try:
            with Image.open(self.find(name)) as image:
                return image.size
        # Pillow raises much for a damaged header; the image's own check will name the fault.
        except Exception:
            return None

    def _read(self, name: str) -> bytes:
        try:
            return self.find(name).read_bytes()
        except OSError as error:
            raise BadRecord("missing_image", f"{name}: {error.strerror}") from error

    def _shrunk(self, checked: CheckedImage) -> CheckedImage:
        if not self.max_side or max(checked.width, checked.height) <= self.max_side:
            return checked
        with Image.open(io.BytesIO(checked.data)) as image:
            scale = self.max_side / max(image.size)
            size = tuple(max(1, round(side * scale)) for side in image.size)
            small = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)  # type: ignore[arg-type]
        if checked.ext == "png":
            return check_image(png_bytes(small))
        buffer = io.BytesIO()
        small.save(buffer, format="JPEG", quality=_JPEG_QUALITY)
        return check_image(buffer.getvalue())


class ImageFiles:
    """Images of one split, each decoded once however many records share it."""

    def __init__(self, folder: ImageFolder) -> None:
        self.folder = folder
        self._verdicts: dict[ImageRef, str | BadRecord] = {}
        self._recent = lru_cache(maxsize=_RECENT)(folder.check)

    def identify(self, image: ImageRef) -> str:
        """Return the id of an image; raises BadRecord as :meth:`ImageFolder.check`."""
        if isinstance(image, bytes):
            return self._recent(image).image_id
        if image not in self._verdicts:
            try:
                self._verdicts[image] = self._recent(image).image_id
            except BadRecord as error:
                self._verdicts[image] = error
        verdict = self._verdicts[image]
        if isinstance(verdict, BadRecord):
            raise BadRecord(verdict.reason, str(verdict))
        return verdict


def inside(name: str) -> str:
    """Return a record's path if it stays below its folder by name; else BadRecord.

    Links are followed: a data root is often made of links to where the images really are.
    """
    if _PLAIN_PATH.fullmatch(name):
        return name
    # Windows rules see drives and backslashes as well, so no spelling of ".." slips through.
    path = PureWindowsPath(name)
    if path.anchor or ".." in path.parts or "\0" in name:
        raise BadRecord("path_escape", f"{name!r} leaves the image folder")
    if not path.name:
        raise BadRecord("missing_image", f"{name!r} names no file")
    return path.as_posix()


def planned_path(image: ImageRef, folder: str, position: str) -> str:
    """Name an image that is not read: its path below the data root, or where its bytes stand."""
    if isinstance(image, bytes):
        return f"{folder}#{position}"
    path = inside(image.path if isinstance(image, Drawn) else image)
    return f"{folder}/{path}" if folder not in ("", ".") else path
