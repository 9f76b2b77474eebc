"""Descriptive tags between TIFF directories and EXIF blocks, which are TIFF streams themselves."""

from __future__ import annotations

import io
from typing import Any

import tifftools

from operators.images.formats.tiff_directory import STRUCTURAL, Directory

# Pixels in other clothes: Photoshop's layers, which it would open in place of the restored image.
LAYERS = 37724
# Kept apart from EXIF, each has its own place in every format.
SEPARATE = frozenset([700, 33723, 34377, 34675])
MAKER_NOTE = 37500
EXIF_DIRECTORY = 34665

_LARGEST = 60_000


def descriptive_tags(directory: Directory) -> dict[int, dict[str, Any]]:
    """Return the tags that describe the picture, unreadable ones left out."""
    return {
        tag: entry
        for tag, entry in directory["tags"].items()
        if tag not in STRUCTURAL and tag != LAYERS and ("ifds" in entry or "data" in entry)
    }


def has_maker_note(directory: Directory) -> bool:
    """Whether the EXIF directory holds a maker note."""
    chains = directory["tags"].get(EXIF_DIRECTORY, {}).get("ifds", [])
    return any(MAKER_NOTE in inner["tags"] for chain in chains for inner in chain)


def exif_from_tiff(directory: Directory) -> tuple[bytes | None, tuple[str, ...]]:
    """Make an EXIF block from a TIFF file's descriptive tags.

    Returns:
        The block, None when there is nothing to say; and the names of what could not go in.
    """
    left_out = [f"TIFF tag {LAYERS} (Photoshop layers)"] if LAYERS in directory["tags"] else []
    tags: dict[int, dict[str, Any]] = {}
    for tag, entry in descriptive_tags(directory).items():
        if tag in SEPARATE:
            continue
        size = len(entry["data"]) if "data" in entry else 0
        if size > _LARGEST:
            left_out.append(f"TIFF tag {tag} ({size} values)")
        else:
            tags[tag] = entry
    if has_maker_note(directory):
        left_out.append("offsets inside the camera's maker note")
    if not tags:
        return None, tuple(left_out)
    out = io.BytesIO()
    source = {"tags": tags, "path_or_fobj": directory["path_or_fobj"], "size": directory["size"]}
    tifftools.write_tiff([source], out, bigEndian=directory["bigEndian"], bigtiff=False)
    return out.getvalue(), tuple(left_out)
