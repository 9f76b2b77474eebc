"""What a source file says beside its pixels, in a form that any target format can take up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from operators.images import exif as exif_tags
from operators.images.formats import jp2, jpeg, photoshop, png, tiff, webp
from operators.images.formats.boxes import boxes
from operators.images.formats.tiff_directory import raw
from operators.images.formats.tiff_exif import exif_from_tiff
from operators.images.info import Format, ImageInfo
from operators.images.libvips import open_image

_DPI_PRECISION = 10_000


@dataclass(frozen=True)
class Metadata:
    """Descriptive data of one file.

    Attributes:
        exif: EXIF block (a TIFF stream, no prefix), None when absent.
        xmp: XMP packet.
        iptc: IPTC-IIM datasets.
        photoshop: Photoshop image resources, IPTC among them.
        comments: plain comments.
        dpi: resolution in pixels per inch.
        others: names of what this form has no place for.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    photoshop: bytes | None = None
    comments: tuple[bytes, ...] = ()
    dpi: tuple[float, float] | None = None
    others: tuple[str, ...] = ()


def read_metadata(data: bytes, info: ImageInfo) -> Metadata:
    """Read a file's descriptive data.

    Args:
        data: the whole file.
        info: what `probe` said of it.

    Raises:
        OperatorError: as the format's probe.
    """
    return _READERS[info.format](data, info)


def marked_exif(
    exif: bytes | None, orientation: int, mark: str | None, dpi: tuple[float, float] | None = None
) -> tuple[bytes | None, tuple[str, ...]]:
    """Return an EXIF block that states the orientation, the mark and a resolution, and notes on what went wrong.

    The mark goes to ProcessingSoftware (0x000B), after a value that is there already; Software stays the scanner's.
    A block that already says both is returned as it is.

    Args:
        exif: the source's block or None.
        orientation: EXIF value 1..8 of the pixels that will be written.
        mark: text or None.
        dpi: pixels per inch, for formats that have no other place for it; a resolution that is there already stays.
    """
    notes: tuple[str, ...] = ()
    if exif is not None and not exif_tags.is_readable(exif):
        exif, notes = None, ("the source's EXIF block is unreadable and was not carried",)
    tags: dict[int, exif_tags.Value] = {}
    if exif_tags.orientation(exif) != orientation:
        tags[exif_tags.ORIENTATION] = orientation
    if dpi is not None and exif_tags.dpi(exif) is None:
        x, y = (round(value * _DPI_PRECISION) for value in dpi)
        tags[exif_tags.X_RESOLUTION], tags[exif_tags.Y_RESOLUTION] = (x, _DPI_PRECISION), (y, _DPI_PRECISION)
        tags[exif_tags.RESOLUTION_UNIT] = 2
    if mark:
        earlier = exif_tags.text(exif, exif_tags.PROCESSING_SOFTWARE)
        tags[exif_tags.PROCESSING_SOFTWARE] = f"{earlier}; {mark}" if earlier else mark
    return (exif_tags.with_tags(exif, tags) if tags else exif), notes


def _from_jpeg(data: bytes, info: ImageInfo) -> Metadata:
    found = jpeg.segments(data)
    packets = jpeg.payloads(found, jpeg.APP1, jpeg.XMP_PREFIX)
    resources = b"".join(jpeg.payloads(found, jpeg.APP13, jpeg.PHOTOSHOP_PREFIX)) or None
    return Metadata(
        exif=jpeg.exif_of(found),
        xmp=packets[0] if packets else None,
        iptc=photoshop.iptc_of(resources) if resources else None,
        photoshop=resources,
        comments=tuple(s.payload for s in found if s.marker == jpeg.COM),
        dpi=info.dpi,
        others=("extended XMP",) if jpeg.payloads(found, jpeg.APP1, jpeg.EXTENDED_XMP_PREFIX) else (),
    )


def _from_png(data: bytes, info: ImageInfo) -> Metadata:
    found = png.chunks(data)
    xmp = png.xmp_of(data, found)
    texts = sum(chunk.name in (b"tEXt", b"zTXt", b"iTXt") for chunk in found) - int(xmp is not None)
    others = [f"{texts} PNG text entries"] if texts else []
    others += [f"PNG {c.name.decode('ascii', 'replace')}" for c in found if c.name in (b"gAMA", b"cHRM", b"cICP")]
    return Metadata(exif=png.payload(data, found, b"eXIf"), xmp=xmp, dpi=info.dpi, others=tuple(others))


def _from_tiff(data: bytes, info: ImageInfo) -> Metadata:
    directory = tiff.find_page(data).directory
    exif, others = exif_from_tiff(directory)
    return Metadata(
        exif=exif,
        xmp=raw(directory, tiff.XMP),
        iptc=raw(directory, tiff.IPTC),
        photoshop=raw(directory, tiff.PHOTOSHOP),
        dpi=info.dpi,
        others=others,
    )


def _from_webp(data: bytes, info: ImageInfo) -> Metadata:
    found = webp.chunks(data)
    return Metadata(exif=webp.exif_of(found), xmp=found.get(b"XMP "), dpi=info.dpi)


def _from_jp2(data: bytes, info: ImageInfo) -> Metadata:
    xml = sum(box.name == b"xml " for box in boxes(data)) if not jp2.is_raw(data) else 0
    return Metadata(
        exif=jp2.exif_of(data),
        xmp=jp2.uuid_of(data, jp2.XMP_UUID),
        iptc=jp2.uuid_of(data, jp2.IPTC_UUID),
        dpi=info.dpi,
        others=(f"{xml} JPEG 2000 XML boxes",) if xml else (),
    )


def _from_heif(data: bytes, _info: ImageInfo) -> Metadata:
    image = open_image(data, "heif", "error")
    fields = set(image.get_fields())
    exif = bytes(image.get("exif-data")) if "exif-data" in fields else None
    return Metadata(
        exif=exif[6:] if exif and exif.startswith(jpeg.EXIF_PREFIX) else exif,
        xmp=bytes(image.get("xmp-data")) if "xmp-data" in fields else None,
    )


_READERS: dict[Format, Callable[[bytes, ImageInfo], Metadata]] = {
    "jpeg": _from_jpeg,
    "png": _from_png,
    "tiff": _from_tiff,
    "webp": _from_webp,
    "heif": _from_heif,
    "jp2": _from_jp2,
}
