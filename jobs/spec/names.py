"""The name of a job, whatever its kind."""

from __future__ import annotations

import re

NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
NAME_PATTERN = "^(?!\\.+$)[A-Za-z0-9._-]{1,100}$"

BUILT_IN = ("classic", "none", "inversion", "completion", "anonymize")
"""Restorers that a job names by what they do; every other name is one of a model with weights."""


def check_name(name: str) -> str:
    """A name that may stand in paths, logs and URLs.

    Raises:
        ValueError: says what is expected.
    """
    if not NAME.fullmatch(name) or not name.strip("."):
        raise ValueError("expected up to 100 of the characters A-Z a-z 0-9 . _ -")
    return name
