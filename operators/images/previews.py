"""Metadata without pictures: blocks that may hold a preview of the picture, and what is left of them without it.

A picture in which faces were hidden must not carry a small one in which they were not. What is not known to hold none
is left out. Texts, dates, places, rights and colour profiles stay.
"""

from __future__ import annotations

import io
import re
from typing import Any

import tifftools

from operators.errors import OperatorError
from operators.images.formats.tiff_directory import STRUCTURAL, Directory, read_directories
from operators.images.formats.tiff_exif import EXIF_DIRECTORY, LAYERS, MAKER_NOTE

_SUB_DIRECTORIES = frozenset([EXIF_DIRECTORY, 34853, 40965])
"""EXIF, GPS and interoperability: the directories below the first that hold no pictures."""
_LARGEST = 4096
"""Bytes of a tag whose type says nothing of what it holds."""
_OPAQUE = frozenset([1, 6, 7])
_NAMED = frozenset([700, 33723, 34377, 34675])
"""XMP, IPTC, Photoshop's resources and the colour profile: cleaned by themselves, or no picture."""
_SPARE = 64
"""Bytes by which a block may be longer than its tags need; more may be what an earlier directory pointed to."""

# Eight or more lines, or one long one, of what base64 is made of; XMP breaks lines by entities as well.
_BASE64 = re.compile(
    rb"(?<![A-Za-z0-9+/=])(?:(?:[A-Za-z0-9+/=]{40,}(?:\s|&#x?[0-9A-Fa-f]{1,6};)+){7,}[A-Za-z0-9+/=]*|[A-Za-z0-9+/=]{320,})"
)
_PICTURE = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF.{4}WEBP", re.DOTALL)
"""What JPEG, PNG and WebP files begin with."""

_RESOURCE = b"8BIM"
_IPTC, _ICC = 0x0404, 0x040F
_PLAIN_RESOURCES = frozenset([0x03ED, 0x040B, 0x0421, 0x0425, _ICC])
"""Resolution, URL, version, caption digest, colour profile."""
_IPTC_PREVIEWS = frozenset([200, 201, 202])
_APPLICATION_RECORD = 2
_DESCRIBING_RECORDS = frozenset([1, 2, 3])


def shows_picture(data: bytes) -> bool:
    """Whether a comment or a tag of some maker's own has a picture in it, as it is or in base 64."""
    return bool(_PICTURE.search(data) or _BASE64.search(data))


def without_exif_pictures(exif: bytes | None) -> bytes | None:
    """An EXIF block without its thumbnail, maker note and other opaque data; as it is where it has none of them.

    Args:
        exif: a TIFF stream, no prefix; None gives None.

    Returns:
        The block; None where it cannot be read.
    """
    if exif is None:
        return None
    try:
        directories = read_directories(exif, "EXIF")
        cleaned = [directory_without_pictures(directories[0])]
        out = io.BytesIO()
        tifftools.write_tiff(cleaned, out, bigEndian=directories[0]["bigEndian"], bigtiff=False)
    except (OperatorError, tifftools.TifftoolsError, KeyError, ValueError, TypeError, IndexError, OSError):
        return None
    rebuilt = out.getvalue()
    same = len(directories) == 1 and cleaned[0]["tags"] == directories[0]["tags"]
    return exif if same and len(exif) <= len(rebuilt) + _SPARE else rebuilt


def directory_without_pictures(directory: Directory, *, structure: bool = False) -> dict[str, Any]:
    """A directory of tags without those that may hold a picture.

    Args:
        directory: as `read_directories` gives it.
        structure: whether the tags stay that say how its own picture is stored, as of a TIFF file's page.
    """
    tags: dict[int, dict[str, Any]] = {}
    for tag, entry in directory["tags"].items():
        if "ifds" in entry:
            if tag in _SUB_DIRECTORIES:
                chains = [[directory_without_pictures(inner) for inner in chain[:1]] for chain in entry["ifds"]]
                tags[tag] = {**entry, "ifds": chains}
        elif tag in STRUCTURAL:
            if structure:
                tags[tag] = entry
        elif "data" in entry and tag not in (MAKER_NOTE, LAYERS) and not _opaque(tag, entry):
            tags[tag] = _cleaned(tag, entry)
    return {**directory, "tags": tags}


def _opaque(tag: int, entry: dict[str, Any]) -> bool:
    """Whether a value may be a picture: it is large and of no type that tells, or it has one in it."""
    if tag in _NAMED:
        return False
    data = entry["data"]
    if entry.get("datatype") in _OPAQUE and len(data) > _LARGEST:
        return True
    if isinstance(data, str):
        return shows_picture(data.encode(errors="surrogateescape"))
    if isinstance(data, list) and not all(isinstance(one, int) and 0 <= one < 256 for one in data):
        return False
    return shows_picture(bytes(data))


def _cleaned(tag: int, entry: dict[str, Any]) -> dict[str, Any]:
    data = entry["data"]
    if tag not in _NAMED or not isinstance(data, bytes | list):
        return entry
    if isinstance(data, list) and any(not isinstance(one, int) or not 0 <= one < 256 for one in data):
        return entry  # IPTC mistyped as LONG; it is written anew from its bytes
    known = {700: without_xmp_pictures, 33723: without_iptc_pictures, 34377: without_photoshop_pictures}
    clean = known.get(tag)
    result = clean(bytes(data)) if clean is not None else bytes(data)
    return entry if result == bytes(data) else {"datatype": 7, "data": result}


def without_xmp_pictures(xmp: bytes) -> bytes:
    """An XMP packet whose values in base64, of some 300 bytes or more, are empty: thumbnails, depth maps, pictures."""
    return _BASE64.sub(b"", xmp)


def without_iptc_pictures(iptc: bytes) -> bytes:
    """IPTC datasets (IIM 4.2) without previews and object data; what comes after something unreadable is left out."""
    kept, at = [], 0
    while at + 5 <= len(iptc) and iptc[at] == 0x1C:
        record, dataset = iptc[at + 1], iptc[at + 2]
        length = int.from_bytes(iptc[at + 3 : at + 5], "big")
        end = at + 5 + length
        if length & 0x8000 or end > len(iptc):
            break
        preview = record == _APPLICATION_RECORD and dataset in _IPTC_PREVIEWS
        if record in _DESCRIBING_RECORDS and not preview:
            kept.append(iptc[at:end])
        at = end
    rest = iptc[at:]
    return b"".join(kept) + (rest if not rest.strip(b"\0") and len(rest) < 4 else b"")


def without_photoshop_pictures(resources: bytes) -> bytes:
    """Photoshop's image resources: IPTC, resolution, colour profile and version; thumbnails and all others go."""
    kept, at = [], 0
    while resources[at : at + 4] == _RESOURCE and at + 12 <= len(resources):
        identity = int.from_bytes(resources[at + 4 : at + 6], "big")
        size_at = at + 6 + (resources[at + 6] + 2) // 2 * 2
        start = size_at + 4
        size = int.from_bytes(resources[size_at:start], "big")
        end = start + size + size % 2
        if identity == _IPTC:
            found = resources[start : start + size]
            iptc = without_iptc_pictures(found)
            head = resources[at:size_at] + len(iptc).to_bytes(4, "big")
            kept.append(resources[at:end] if iptc == found else head + iptc + bytes(len(iptc) % 2))
        elif identity in _PLAIN_RESOURCES and (size <= _LARGEST or identity == _ICC):
            kept.append(resources[at:end])
        at = end
    return b"".join(kept)
