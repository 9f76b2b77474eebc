"""Values as a reader sees them: numbers with units, and foreign text made harmless."""

from __future__ import annotations

import math
import unicodedata
from itertools import accumulate

from jobs.report import limits

_LEGIT_FORMAT = "\u200c\u200d"  # joiners that Persian and Indian scripts need
NOTHING = "\N{EN DASH}"
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


def visible(text: str) -> str:
    """Write out characters that would be invisible, change the reading direction or break the file.

    Controls, bidirectional marks, lone surrogates (from undecodable file names), line breaks and unassigned characters
    become their number, as in `[U+202E]` (their categories: Unicode Standard, section 4.5).

    Args:
        text: anything.

    Returns:
        Text that can be encoded as UTF-8 and stays on one line.
    """
    return text if text.isprintable() else "".join(map(_sign, text))


def clip(text: str, limit: int = limits.MESSAGE_CHARS) -> str:
    """Cut long text at its end and say how much is missing.

    Args:
        text: anything.
        limit: visible characters to keep.

    Returns:
        Visible text of at most `limit` characters, and the note when it was cut.
    """
    head = _fitting(text, limit)
    if len(head) == len(text):
        return visible(text)
    return f"{visible(head)} … ({count(len(text) - len(head))} more characters)"


def clip_middle(text: str, limit: int = limits.KEY_CHARS) -> str:
    """Cut a long key or URI in its middle: both of its ends tell where it belongs.

    Args:
        text: anything.
        limit: visible characters to keep.

    Returns:
        Visible text of at most `limit` characters, and a note inside it when it was cut.
    """
    if len(_fitting(text, limit)) == len(text):
        return visible(text)
    head = _fitting(text, limit * 3 // 5)
    tail = _fitting(text[::-1], limit - limit * 3 // 5)[::-1]
    return f"{visible(head)} … ({count(len(text) - len(head) - len(tail))} characters) … {visible(tail)}"


def _sign(sign: str) -> str:
    if unicodedata.category(sign) in _UNSEEN and sign not in _LEGIT_FORMAT:
        return f"[U+{ord(sign):04X}]"
    return sign


def _fitting(text: str, limit: int) -> str:
    """The longest beginning whose visible form has at most `limit` characters."""
    ends = accumulate(len(_sign(sign)) for sign in text[: limit + 1])
    return text[: sum(end <= limit for end in ends)]


def words(code: str) -> str:
    """A lower_snake_case word for readers: `keep_original` becomes `keep original`."""
    return clip(code.replace("_", " "), limits.WORD_CHARS)


def count(number: int) -> str:
    """A count with commas between thousands."""
    return f"{number:,}"


def percent(part: float, whole: float) -> str:
    """A share in percent; a part that is not the whole is never shown as 100 %, nor one that is not zero as 0 %."""
    if whole <= 0:
        return NOTHING
    share = 100 * part / whole
    if share == 100:
        return "100 %"
    if 0 < share < 0.1:
        return "< 0.1 %"
    if 99.9 < share < 100:
        return "> 99.9 %"
    return f"{share:.1f} %" if share < 10 or share > 99 else f"{share:.0f} %"


def size(number: int) -> str:
    """Bytes in decimal units, as shops and cloud bills count (1 MB is 1,000,000 bytes)."""
    value = float(number)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if abs(value) < 999.5:
            return f"{value:,.0f} {unit}" if unit == "bytes" or abs(value) >= 100 else f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:,.3g} PB" if value < 1000 else f"{value:,.0f} PB"


def duration(seconds: float | None) -> str:
    """A span of time in at most two units."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 59.95:
        return f"{seconds:.3g} s" if seconds < 9.95 else f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(seconds / 3600)
    return f"{count(hours // 24)} d {hours % 24} h"


def number(value: float | None) -> str:
    """A score or a rate with three significant digits."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value != 0 and (abs(value) < 1e-3 or abs(value) >= 1e6):
        return f"{value:.2e}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def fact(value: object) -> str:
    """A value of a setting or of a sample's facts."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) and len(repr(value)) <= 7 else number(value)
    if isinstance(value, (list, tuple)):
        return clip(", ".join(fact(entry) for entry in value)) if value else "none"
    return clip(str(value))


def moment(stamp: str) -> str:
    """An ISO 8601 time in UTC, to the minute, for readers: `2026-11-20T05:29:11Z` becomes `2026-11-20 05:29 UTC`."""
    if len(stamp) >= 16 and stamp[10] == "T" and (stamp.endswith(("Z", "+00:00"))):
        return visible(f"{stamp[:10]} {stamp[11:16]} UTC")
    return clip(stamp, 40)
