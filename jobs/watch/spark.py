"""A row of bars made of characters."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.-=+*#@"


def sparkline(values: Sequence[float], width: int, *, unicode: bool = True) -> str:
    """Bars from none to the largest value; the last `width` ones where there are more.

    Args:
        values: at least 0.
        width: characters at most.
        unicode: whether block characters can be shown.
    """
    shown = list(values[-width:]) if width > 0 else []
    top = max(shown, default=0.0)
    signs = BLOCKS if unicode else ASCII
    if not top:
        return signs[0] * len(shown)
    return "".join(signs[min(round(value / top * (len(signs) - 1)), len(signs) - 1)] for value in shown)
