"""CMYK to sRGB and back through ICC profiles (ICC.1:2022, Little CMS by way of libvips)."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from operators.images.libvips import from_array, vips

# Relative colorimetric: colours inside both gamuts keep their appearance exactly, paper white becomes white.
INTENT = "relative"

_FIELD = "icc-profile-data"


def cmyk_to_srgb(image: Any, icc: bytes | None, depth: int) -> Any:
    """Convert an opened CMYK image, streaming.

    Args:
        image: libvips image of four bands, 0 = no ink.
        icc: the embedded profile; without a usable one libvips' built-in CMYK profile stands in.
        depth: bits a sample of the result, 8 or 16.
    """
    return _tagged(image, cmyk_profile(icc)).icc_transform("srgb", embedded=True, intent=INTENT, depth=depth)


def srgb_to_cmyk(image: Any, icc: bytes | None, depth: int) -> Any:
    """Convert an sRGB image to the CMYK of a profile; arguments as in `cmyk_to_srgb`."""
    lab = image.icc_import(input_profile="srgb", intent=INTENT, pcs="lab")
    return _tagged(lab, cmyk_profile(icc)).icc_export(intent=INTENT, pcs="lab", depth=depth)


@functools.lru_cache(maxsize=4)
def cmyk_profile(icc: bytes | None) -> bytes:
    """Return the embedded profile when it converts CMYK both ways, libvips' built-in one otherwise."""
    if icc is not None and icc[16:20] == b"CMYK" and _works(icc):
        return icc
    return bytes(vips().Image.profile_load("cmyk"))


def _works(icc: bytes) -> bool:
    probe = from_array(np.full((1, 1, 4), 64, np.uint8), "cmyk")
    lib = vips()
    try:
        lab = _tagged(probe, icc).icc_import(embedded=True, intent=INTENT, pcs="lab")
        _tagged(lab, icc).icc_export(intent=INTENT, pcs="lab", depth=8).numpy()
    except lib.Error:
        return False
    return True


def _tagged(image: Any, icc: bytes) -> Any:
    copy = image.copy()
    copy.set_type(vips().GValue.blob_type, _FIELD, icc)
    return copy
