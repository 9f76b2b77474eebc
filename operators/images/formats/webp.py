"""WebP files: RIFF chunks and what they say (RFC 9649)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from operators.errors import OperatorError
from operators.images import exif as exif_tags
from operators.images.info import ImageInfo

_MAX_CHUNKS = 100_000


def count_frames(data: bytes, most: int) -> int:
    """Return the number of an animation's frames, counted up to one more than `most`; 1 for a still image.

    Args:
        data: the whole file.
        most: where counting may stop.
    """
    frames = (name for name, _, _ in _walk(data) if name == b"ANMF")
    return max(1, sum(1 for _ in islice(frames, most + 1)))


def chunks(data: bytes) -> dict[bytes, bytes]:
    """Return the payload of the first chunk of each name.

    Raises:
        OperatorError: `truncated` when the file is shorter than it states, `corrupt` when it has absurdly many.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise OperatorError("truncated", f"the WebP file has {len(data)} bytes but states {end}")
    found: dict[bytes, bytes] = {}
    for number, (name, start, length) in enumerate(_walk(data)):
        if number == _MAX_CHUNKS:
            raise OperatorError("corrupt", f"the WebP file has more than {_MAX_CHUNKS} chunks")
        if name not in found:
            found[name] = data[start : start + length]
    return found


def _walk(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and length of each chunk's payload."""
    end = min(8 + int.from_bytes(data[4:8], "little"), len(data))
    at = 12
    while at + 8 <= end:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], at + 8, length
        at += 8 + length + length % 2


def exif_of(found: dict[bytes, bytes]) -> bytes | None:
    """Return the EXIF block without the prefix that some writers add."""
    raw = found.get(b"EXIF")
    return raw[6:] if raw and raw.startswith(b"Exif\x00\x00") else raw


def probe(data: bytes) -> ImageInfo:
    """Read the header of a WebP file.

    Raises:
        OperatorError: `truncated`, `corrupt` or `multi_page`.
    """
    found = chunks(data)
    if b"ANIM" in found or b"ANMF" in found:
        raise OperatorError("multi_page", "this is an animated WebP; split it into single images first")
    lossless = b"VP8L" in found
    width, height, alpha = _lossless_size(found[b"VP8L"]) if lossless else _lossy_size(found.get(b"VP8 ", b""))
    extended = found.get(b"VP8X", b"")
    if len(extended) >= 10:
        alpha = bool(extended[0] & 0x10)
    exif = exif_of(found)
    return ImageInfo(
        format="webp",
        width=width,
        height=height,
        depth=8,
        space="rgb",
        alpha=alpha,
        orientation=exif_tags.orientation(exif),
        compression="vp8l" if lossless else "vp8",
        lossless=lossless,
        icc=b"ICCP" in found,
        dpi=exif_tags.dpi(exif),
    )


def _lossless_size(stream: bytes) -> tuple[int, int, bool]:
    if len(stream) < 5 or stream[0] != 0x2F:
        raise OperatorError("corrupt", "the WebP file's lossless stream has no valid header")
    bits = int.from_bytes(stream[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)


def _lossy_size(stream: bytes) -> tuple[int, int, bool]:
    if len(stream) < 10 or stream[3:6] != b"\x9d\x01\x2a":
        raise OperatorError("corrupt", "the WebP file has no valid image stream")
    return (
        int.from_bytes(stream[6:8], "little") & 0x3FFF,
        int.from_bytes(stream[8:10], "little") & 0x3FFF,
        False,
    )
