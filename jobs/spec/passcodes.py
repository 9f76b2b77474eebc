"""The passcode of a job that seals: where it comes from, and that it goes nowhere else."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from jobs.spec.anonymize import AnonymizeSettings
from jobs.spec.variables import expand

MIN_LENGTH = 8
MOST_LENGTH = 1 << 16
"""Characters of a file's first line that are read."""


class PasscodeError(Exception):
    """There is no passcode where one should be; the message never repeats it."""


def check_passcode_file(_text: str, uri: str) -> None:
    """Refuse what cannot be a file of this machine.

    Args:
        _text: as in the job file.
        uri: made absolute.

    Raises:
        ValueError: a URL.
    """
    if "://" in uri or "::" in uri:
        raise ValueError("found a URL, expected a file of the machine that starts the run")


def passcode_of(settings: AnonymizeSettings, environment: Mapping[str, str] | None = None) -> str | None:
    """The passcode that a job names.

    Args:
        settings: of the restorer.
        environment: variables; those of this process when None.

    Returns:
        The passcode; None where the job seals nothing.

    Raises:
        PasscodeError: the file cannot be read, or the passcode is one that should not seal anything (`fit_to_seal`).
        UnsetVariableError: the variable is not set.
    """
    if settings.passcode is not None:
        known = os.environ if environment is None else environment
        return fit_to_seal(expand(settings.passcode, known), f"the variable in {settings.passcode}")
    if settings.passcode_file is not None:
        return fit_to_seal(read_passcode(settings.passcode_file), f"{settings.passcode_file}: the first line")
    return None


def read_passcode(path: str | Path) -> str:
    """The first line of a file, without the mark that some editors put before UTF-8.

    Raises:
        PasscodeError: it cannot be read.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline=None) as file:
            return file.readline(MOST_LENGTH).removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PasscodeError(f"{path}: the passcode cannot be read ({type(error).__name__})") from error


def fit_to_seal(text: str, what: str) -> str:
    """A passcode that can be typed again, as it is.

    Args:
        text: the passcode.
        what: where it comes from, for the message.

    Raises:
        PasscodeError: it is shorter than 8 characters (in NFC, as it is used), begins or ends with white space, holds
            what cannot be typed, or is no Unicode text.
    """
    length = len(unicodedata.normalize("NFC", text))
    if length < MIN_LENGTH:
        raise PasscodeError(f"{what} has {length} characters: expected a passcode of at least {MIN_LENGTH}")
    if text != text.strip():
        raise PasscodeError(f"{what} begins or ends with white space, which gets lost when it is typed: take it away")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise PasscodeError(f"{what} holds control characters, or is not UTF-8: expected what can be typed")
    return text
