"""The image files of a source: found below their folder, decoded, named by their content."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path, PureWindowsPath

from polite_flamingo.core.images import BadImage, CheckedImage, check_image
from polite_flamingo.sources.record import BadRecord

# Copies of a data set may hold its images in another format under the same stem.
_OTHER_SUFFIXES = (".jpg", ".png", ".jpeg", ".JPG")
_RECENT = 8


class ImageFiles:
    """Images of one split, each decoded once however many records share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._verdicts: dict[str, str | BadRecord] = {}
        self._recent = lru_cache(maxsize=_RECENT)(self._check)

    def identify(self, image: str | bytes) -> str:
        """Return the id of an image (a path below the folder, or bytes).

        Raises BadRecord with reason ``path_escape``, ``missing_image`` or ``corrupt_image``.
        """
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

    def load(self, image: str | bytes) -> CheckedImage:
        """Return the bytes of an image; raises as :meth:`identify`."""
        return self._recent(image)

    def _check(self, image: str | bytes) -> CheckedImage:
        data = image if isinstance(image, bytes) else self._read(image)
        try:
            return check_image(data)
        except BadImage as error:
            name = "image bytes" if isinstance(image, bytes) else image
            raise BadRecord("corrupt_image", f"{name}: {error}") from error

    def _read(self, name: str) -> bytes:
        path = self.folder / _inside(name)
        for candidate in (path, *(path.with_suffix(other) for other in _OTHER_SUFFIXES)):
            try:
                return candidate.read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise BadRecord("missing_image", f"{name}: {error.strerror}") from error
        raise BadRecord("missing_image", f"{name} is not in {self.folder.name}")


def _inside(name: str) -> str:
    """Return a record's path if it stays below its folder by name; else BadRecord.

    Links are followed: a data root is often made of links to where the images really are.
    """
    # Windows rules see drives and backslashes as well, so no spelling of ".." slips through.
    path = PureWindowsPath(name)
    if path.anchor or ".." in path.parts or "\0" in name:
        raise BadRecord("path_escape", f"{name!r} leaves the image folder")
    if not path.name:
        raise BadRecord("missing_image", f"{name!r} names no file")
    return path.as_posix()
