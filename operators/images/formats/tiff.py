"""TIFF files: which page is the image and what its tags say (TIFF 6.0, BigTIFF)."""

from __future__ import annotations

from dataclasses import dataclass

from operators.errors import OperatorError
from operators.images.formats.tiff_directory import (
    STRUCTURAL,
    Directory,
    number,
    numbers,
    rational,
    raw,
    read_directories,
    unread_tags,
)
from operators.images.info import ImageInfo
from operators.images.raster import COLOUR_BANDS, Space

NEW_SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 255, 256, 257, 258, 259, 262
ORIENTATION, SAMPLES, ROWS_PER_STRIP, PREDICTOR, TILE_WIDTH, TILE_HEIGHT = 274, 277, 278, 317, 322, 323
STRIP_OFFSETS, STRIP_BYTES, TILE_OFFSETS, TILE_BYTES = 273, 279, 324, 325
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
SUB_DIRECTORIES, INK_SET, EXTRA_SAMPLES, SAMPLE_FORMAT = 330, 332, 338, 339
XMP, IPTC, PHOTOSHOP, ICC = 700, 33723, 34377, 34675

COMPRESSIONS = {
    1: "none",
    2: "ccitt rle",
    3: "ccitt g3",
    4: "ccitt g4",
    5: "lzw",
    6: "old jpeg",
    7: "jpeg",
    8: "deflate",
    32773: "packbits",
    32946: "deflate",
    34712: "jpeg2000",
    34925: "lzma",
    50000: "zstd",
    50001: "webp",
}
LOSSLESS = frozenset({"none", "lzw", "deflate", "packbits", "lzma", "zstd"})

_PHOTOMETRIC_NAMES = {
    4: "a transparency mask",
    8: "CIE L*a*b*",
    9: "ICC L*a*b*",
    10: "ITU L*a*b*",
    32803: "camera raw (colour filter array)",
    32844: "LogL",
    32845: "LogLuv",
    34892: "linear camera raw",
}
_SAMPLE_NAMES = {2: "signed integer", 3: "floating point", 4: "untyped", 5: "complex integer", 6: "complex"}
_CM_PER_INCH = 2.54
# Sides of tiles are multiples of 16 (TIFF 6.0, section 15); small images often come in one tile of a usual size.
_TILE_STEP, _USUAL_TILE = 16, 2048


@dataclass(frozen=True)
class Page:
    """The one full image of a TIFF file.

    Attributes:
        directory: its tags, as tifftools describes them.
        index: its place among the main directories.
        pages: number of main directories.
    """

    directory: Directory
    index: int
    pages: int


def find_page(data: bytes) -> Page:
    """Return the only page that is a full image; reduced copies and masks are passed over.

    Raises:
        OperatorError: `truncated`, `corrupt`, `multi_page` or `unsupported_format`.
    """
    directories = read_directories(data)
    full = [
        i
        for i, directory in enumerate(directories)
        if not number(directory, NEW_SUBFILE, 0) & 0b101 and number(directory, OLD_SUBFILE, 1) != 2
    ]
    if not full:
        raise OperatorError(
            "unsupported_format",
            "the TIFF file's main pages are all reduced copies, as in DNG and other camera raw; develop it first",
        )
    if len(full) > 1:
        raise OperatorError(
            "multi_page", f"the TIFF file holds {len(full)} full pages; split it into single-page files first"
        )
    return Page(directories[full[0]], full[0], len(directories))


def probe(data: bytes) -> ImageInfo:
    """Read the tags of a TIFF file.

    Raises:
        OperatorError: `truncated`, `corrupt`, `multi_page`, `unsupported_colour` or `unsupported_format`.
    """
    page = find_page(data)
    directory = page.directory
    width, height = number(directory, WIDTH, 0), number(directory, HEIGHT, 0)
    if width < 1 or height < 1:
        raise OperatorError("corrupt", f"the TIFF file states {width} x {height} pixels")
    _check_tile(directory, max(width, height))
    unread = unread_tags(directory)
    if STRUCTURAL.intersection(unread):
        raise OperatorError("truncated", f"values of the TIFF tags {unread} lie beyond the file's {len(data)} bytes")
    _check_extents(directory, len(data))
    bits = _bits(directory)
    space, alpha, notes = _colour(directory, bits)
    if unread:
        notes.append(f"the TIFF tags {unread} are damaged and not carried")
    if page.pages > 1:
        notes.append(f"{page.pages - 1} reduced or mask pages of the TIFF are not carried")
    if SUB_DIRECTORIES in directory["tags"]:
        notes.append("reduced copies in the TIFF's sub-directories are not carried")
    scheme = number(directory, COMPRESSION, 1)
    compression = COMPRESSIONS.get(scheme, str(scheme))
    orientation = number(directory, ORIENTATION, 1)
    return ImageInfo(
        format="tiff",
        width=width,
        height=height,
        depth=16 if bits == 16 else 8,
        space=space,
        alpha=alpha,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        pages=page.pages,
        compression=compression,
        lossless=compression in LOSSLESS,
        icc=ICC in directory["tags"],
        dpi=_dpi(directory),
        notes=tuple(notes),
    )


def icc_of(directory: Directory) -> bytes | None:
    """Return the embedded profile, None when absent."""
    return raw(directory, ICC)


def has_associated_alpha(directory: Directory) -> bool:
    """Whether the colours are stored multiplied by the opacity."""
    return numbers(directory, EXTRA_SAMPLES)[:1] == (1,)


def _bits(directory: Directory) -> int:
    depths = set(numbers(directory, BITS, (1,)))
    if len(depths) != 1:
        raise OperatorError("unsupported_colour", f"the TIFF's bands have different depths: {sorted(depths)} bits")
    bits = depths.pop()
    kind = number(directory, SAMPLE_FORMAT, 1)
    if kind != 1:
        raise OperatorError(
            "unsupported_colour",
            f"the TIFF holds {bits}-bit {_SAMPLE_NAMES.get(kind, str(kind))} samples; "
            "8- and 16-bit unsigned integers are supported",
        )
    if bits == 1:
        raise OperatorError("unsupported_colour", "the TIFF is 1-bit black and white; convert it to 8-bit gray first")
    if bits not in (2, 4, 8, 16):
        raise OperatorError("unsupported_colour", f"the TIFF has {bits} bits a sample; 8 and 16 are supported")
    return bits


def _colour(directory: Directory, bits: int) -> tuple[Space, bool, list[str]]:
    photometric = number(directory, PHOTOMETRIC, 1)
    samples = number(directory, SAMPLES, 1)
    notes: list[str] = []
    if photometric in (0, 1):
        space: Space = "gray"
    elif photometric in (2, 6):
        space = "rgb"
    elif photometric == 5:
        space = "cmyk"
        if number(directory, INK_SET, 1) != 1:
            raise OperatorError("unsupported_colour", "the TIFF holds inks other than CMYK; convert it first")
    elif photometric == 3 and samples == 1:
        return "rgb", False, ["palette expanded: the derivative is RGB"]
    else:
        name = _PHOTOMETRIC_NAMES.get(photometric, f"photometric interpretation {photometric}")
        raise OperatorError("unsupported_colour", f"the TIFF's colours are {name}; convert it to RGB or gray first")
    extra = samples - COLOUR_BANDS[space]
    if extra not in (0, 1):
        raise OperatorError(
            "unsupported_colour",
            f"the TIFF has {samples} bands for {space}; {COLOUR_BANDS[space]} and one alpha band are supported",
        )
    if bits < 8 and space != "gray":
        raise OperatorError("unsupported_colour", f"the TIFF has {bits}-bit {space}; 8 and 16 bits are supported")
    if bits < 8:
        notes.append(f"{bits}-bit gray expanded to 8 bits")
    if photometric == 0:
        notes.append("white-is-zero gray turned to the usual black-is-zero")
    return space, extra == 1, notes


def _check_tile(directory: Directory, side: int) -> None:
    """Refuse tiles that are much larger than the image: a decoder holds one whole, whatever the image's size."""
    tile = number(directory, TILE_WIDTH, 0), number(directory, TILE_HEIGHT, 0)
    if max(tile) > max(side + _TILE_STEP, _USUAL_TILE):
        raise OperatorError("corrupt", f"the TIFF states tiles of {tile[0]} x {tile[1]} pixels, larger than its image")


def _check_extents(directory: Directory, size: int) -> None:
    pairs = ((STRIP_OFFSETS, STRIP_BYTES), (TILE_OFFSETS, TILE_BYTES))
    for offsets_tag, bytes_tag in pairs:
        offsets, lengths = numbers(directory, offsets_tag), numbers(directory, bytes_tag)
        for offset, length in zip(offsets, lengths, strict=False):
            if offset + length > size:
                raise OperatorError(
                    "truncated", f"the TIFF file has {size} bytes, but its image data reaches to {offset + length}"
                )
    if not any(numbers(directory, tag) for tag, _ in pairs):
        raise OperatorError("truncated", "the TIFF file's list of strips or tiles is missing or lies beyond its end")


def _dpi(directory: Directory) -> tuple[float, float] | None:
    unit = number(directory, RESOLUTION_UNIT, 2)
    x, y = rational(directory, X_RESOLUTION), rational(directory, Y_RESOLUTION)
    if unit not in (2, 3) or not x or not y:
        return None
    scale = _CM_PER_INCH if unit == 3 else 1.0
    return x * scale, y * scale
