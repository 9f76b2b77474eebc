"""All bad images by name, the same from one seed; and the healthy ones that lie between them."""

from __future__ import annotations

from functools import cache

from damage import flipped, not_images, truncated
from forged_boxes import forged_heifs, forged_jp2s
from forged_jpeg import forged_jpegs
from forged_png import forged_pngs, forged_webps, others
from forged_tiff import forged_tiffs
from healthy import healthy

SEED = 20261125

# What ends the process that decodes it, or keeps it for ever; such files would be held apart here, by name.
DEADLY: frozenset[str] = frozenset()


@cache
def bad_images(seed: int = SEED) -> dict[str, bytes]:
    """Name to bytes, in the order of names."""
    parts = (
        truncated(),
        flipped(seed),
        not_images(seed),
        forged_jpegs(),
        forged_pngs(),
        forged_webps(),
        forged_tiffs(),
        forged_jp2s(),
        forged_heifs(),
        others(),
    )
    files = {name: data for part in parts for name, data in part.items()}
    assert len(files) == sum(map(len, parts)), "two bad images have one name"
    return dict(sorted(files.items()))


@cache
def good_images() -> dict[str, bytes]:
    """Healthy images under names that sort between the bad ones."""
    between = ("flip", "forged/jp2", "forged/png", "forged/tiff-s", "none/h")
    spread = {
        f"{start}-healthy-{name.replace('/', '-')}": data for start in between for name, data in healthy().items()
    }
    return {**healthy(), **dict(list(spread.items())[::7])}
