"""The one error a user is meant to read."""

from __future__ import annotations


class UserError(Exception):
    """A bad parameter or a missing file: one line that says what to do.

    The CLI prints it without a traceback and exits with status 2, which orchestrators read as
    "do not retry".
    """
