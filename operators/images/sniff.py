"""Which format a file is, from its first bytes and never from its name."""

from __future__ import annotations

from operators.errors import OperatorError
from operators.images.info import Format

SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
)

# Images that are recognised only to be refused by their own name.
FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"8BPS", "Photoshop document"),
    (b"%PDF", "PDF"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"FORM", "IFF or DjVu"),
    (b"AT&TFORM", "DjVu"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"IIU\x00", "Panasonic raw"),
    (b"IIRO", "Olympus raw"),
    (b"FUJIFILM", "Fujifilm raw"),
)

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis", b"miaf")
_SHOWN = 16


def sniff(data: bytes) -> Format:
    """Name the format of a file.

    Args:
        data: the whole file, or at least its first 64 bytes.

    Raises:
        OperatorError: `empty_file`, `not_an_image` (with a look at the first bytes) or `unsupported_format`.
    """
    if not data:
        raise OperatorError("empty_file", "the file has 0 bytes; fetch it again from where it came")
    for signature, name in SIGNATURES:
        if data.startswith(signature):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp" and any(data[i : i + 4] in _HEIF_BRANDS for i in range(8, 64, 4)):
        return "heif"
    for signature, label in FOREIGN:
        if data.startswith(signature):
            raise OperatorError("unsupported_format", f"this looks like {label}; convert it to TIFF, PNG or JPEG first")
    raise OperatorError("not_an_image", f"no known image format: {_describe(data)}")


def _describe(data: bytes) -> str:
    head = data[:_SHOWN]
    if not any(data[:512]):
        return f"the file starts with zero bytes ({len(data)} bytes in all), as an interrupted copy does"
    try:
        text = data[:512].decode("utf-8", errors="strict" if len(data) < 512 else "ignore")
    except UnicodeDecodeError:
        text = ""
    if text and all(c.isprintable() or c in "\r\n\t" for c in text):
        return f"the file is text and starts with {text[:40]!r}"
    return f"the file starts with the bytes {head.hex(' ')}"
