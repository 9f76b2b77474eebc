"""The passcode of a job that seals: where it comes from, and that it goes nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from jobs.spec.anonymize import AnonymizeSettings
from jobs.spec.variables import expand

MIN_LENGTH = 8


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
        PasscodeError: the file cannot be read, or the passcode is shorter than 8 characters.
        UnsetVariableError: the variable is not set.
    """
    if settings.passcode is not None:
        known = os.environ if environment is None else environment
        return _long_enough(expand(settings.passcode, known), f"the variable in {settings.passcode}")
    if settings.passcode_file is not None:
        return read_passcode(settings.passcode_file)
    return None


def read_passcode(path: str | Path) -> str:
    """The first line of a file.

    Raises:
        PasscodeError: it cannot be read, or is shorter than 8 characters.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PasscodeError(f"{path}: the passcode cannot be read ({type(error).__name__})") from error
    return _long_enough(lines[0] if lines else "", f"{path}: the first line")


def _long_enough(text: str, what: str) -> str:
    if len(text) < MIN_LENGTH:
        raise PasscodeError(f"{what} has {len(text)} characters: expected a passcode of at least {MIN_LENGTH}")
    return text
