"""Ages and moments as they are given on the command line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from jobs.errors import CommandError
from jobs.exits import Exit
from pipeline.marks import clock

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_AGE = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def age(text: str, option: str = "--older-than") -> float:
    """Seconds of `90s`, `30m`, `24h`, `7d` or `0`.

    Raises:
        CommandError: it is none.
    """
    if text == "0":
        return 0.0
    found = _AGE.fullmatch(text)
    if found is None:
        raise CommandError(f"{option} {text}: found no age; write a number and s, m, h or d, such as 24h", Exit.USAGE)
    return float(found[1]) * _UNITS[found[2]]


def moment(text: str, option: str) -> str:
    """ISO 8601, UTC, of a date, a moment or an age; a moment without a zone is one of UTC.

    Raises:
        CommandError: it is none.
    """
    if _AGE.fullmatch(text):
        when = datetime.fromtimestamp(clock(), timezone.utc) - timedelta(seconds=age(text, option))
        return when.isoformat(timespec="milliseconds")
    try:
        when = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise CommandError(
            f"{option} {text}: found no moment; write a date such as 2026-11-01, a moment such as 2026-11-01T22:00, or "
            "an age such as 7d",
            Exit.USAGE,
        ) from None
    return (
        (when if when.tzinfo else when.replace(tzinfo=timezone.utc))
        .astimezone(timezone.utc)
        .isoformat(timespec="milliseconds")
    )
