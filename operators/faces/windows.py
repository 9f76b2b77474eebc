"""Windows of pixels: left, top, right, bottom, half-open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from operators.faces.resample import Window


def area(window: Window) -> int:
    """Return the number of pixels."""
    return (window[2] - window[0]) * (window[3] - window[1])


def intersection(a: Window, b: Window) -> Window | None:
    """Return what two windows share, None when they share nothing."""
    left, top, right, bottom = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


def union(windows: Sequence[Window]) -> Window:
    """Return the smallest window that holds all of at least one."""
    lefts, tops, rights, bottoms = zip(*windows, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def overlapping(order: Sequence[int], windows: Sequence[Window]) -> list[list[int]]:
    """Group windows that overlap, directly or through others.

    Args:
        order: indices of the windows to group.
        windows: all of them.

    Returns:
        groups of indices, each in the given order.
    """
    groups: list[list[int]] = []
    for index in order:
        touching = [group for group in groups if any(intersection(windows[index], windows[one]) for one in group)]
        merged = [one for group in touching for one in group] + [index]
        groups = [group for group in groups if group not in touching] + [merged]
    rank = {index: place for place, index in enumerate(order)}
    return [sorted(group, key=rank.__getitem__) for group in groups]


def strips(window: Window, pixels: int) -> Iterator[Window]:
    """Cut a window into strips of whole rows, of about as many pixels as given, from top to bottom."""
    left, top, right, bottom = window
    rows = max(pixels // max(right - left, 1), 1)
    for start in range(top, bottom, rows):
        yield left, start, right, min(start + rows, bottom)
