"""Why something sealed cannot be given back."""

from __future__ import annotations


class SealError(Exception):
    """A seal cannot be made or opened; the message says why."""


class WrongPasscodeError(SealError):
    """The passcode is not the one that the seal was made with."""


class TamperedError(SealError):
    """The seal, what it is bound to, or the picture is not what it was."""
