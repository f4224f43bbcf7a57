"""Polite responses made to look like raw annotations: the rewriter's training pairs."""

from __future__ import annotations


class Undistorted(Exception):
    """A text that a strategy could not distort; ``reason`` is a slug, ``detail`` says more."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
