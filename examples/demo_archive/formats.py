"""Pictures as the bytes of image files, with the metadata that a scanner or a camera would have written."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pyvips
import tifftools
from numpy.typing import NDArray
from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin, TiffTags

from demo_archive.portrait import Picture

TIFF_HORIZONTAL_PREDICTOR = 2
ORIENTATION_ROTATE_90_CLOCKWISE = 6
INCH = 2


@dataclass(frozen=True)
class Description:
    """What a file says of itself.

    Attributes:
        title: one line about the picture.
        artist: who took or scanned it.
        taken: `YYYY:MM:DD HH:MM:SS`, as TIFF 6.0 and EXIF write it.
        dpi: scanning resolution in pixels an inch.
    """

    title: str
    artist: str
    taken: str
    dpi: int = 300


def to_bytes8(picture: Picture) -> NDArray[np.uint8]:
    """[0, 1] to 0..255, rounded."""
    return np.round(picture * 255).astype(np.uint8)


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def srgb_profile() -> bytes:
    """The sRGB profile built into libvips (CC0, 480 bytes)."""
    return bytes(pyvips.Image.profile_load("srgb"))


def cmyk_profile() -> bytes:
    """The CMYK profile built into libvips (by Graeme W. Gill, released into the public domain, 962 kB)."""
    return bytes(pyvips.Image.profile_load("cmyk"))


def _tiff_tags(about: Description) -> TiffImagePlugin.ImageFileDirectory_v2:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[TiffImagePlugin.IMAGEDESCRIPTION] = about.title
    tags[TiffImagePlugin.DATE_TIME] = about.taken
    tags[TiffImagePlugin.ARTIST] = about.artist
    tags[TiffImagePlugin.PREDICTOR] = TIFF_HORIZONTAL_PREDICTOR
    tags.tagtype[TiffImagePlugin.PREDICTOR] = TiffTags.SHORT
    return tags


def _saved_tiff(image: Image.Image, about: Description, compression: str, **options: object) -> bytes:
    """TIFF whose bytes are the same each time.

    libtiff puts a byte of whatever was in memory after data of odd length (seen with Pillow 12.3, on Python 3.10).
    tifftools copies strips and tags into a layout of its own, which has no such bytes.
    """
    tags = _tiff_tags(about)
    dpi = (about.dpi, about.dpi)
    written = _saved(image, "TIFF", compression=compression, tiffinfo=tags, dpi=dpi, **options)
    packed = io.BytesIO()
    tifftools.write_tiff(tifftools.read_tiff(io.BytesIO(written)), packed)
    return packed.getvalue()


def grey16_tiff(picture: Picture, about: Description) -> bytes:
    """16-bit grey TIFF, Deflate with the horizontal predictor; (H, W) in."""
    image = Image.fromarray(np.round(picture * 65535).astype(np.uint16))
    return _saved_tiff(image, about, "tiff_adobe_deflate")


def grey8_tiff(picture: Picture, about: Description) -> bytes:
    """8-bit grey TIFF, LZW; (H, W) in."""
    return _saved_tiff(Image.fromarray(to_bytes8(picture)), about, "tiff_lzw")


def cmyk_tiff(picture: Picture, about: Description) -> bytes:
    """CMYK TIFF, LZW, separated through libvips' built-in profile, which is embedded; (H, W, 3) in."""
    rgb = pyvips.Image.new_from_array(to_bytes8(picture), interpretation="srgb")
    inks = rgb.icc_transform("cmyk", input_profile="srgb", intent="relative").numpy()
    image = Image.frombytes("CMYK", (inks.shape[1], inks.shape[0]), np.ascontiguousarray(inks).tobytes())
    return _saved_tiff(image, about, "tiff_lzw", icc_profile=cmyk_profile())


def _exif(about: Description, orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = about.title
    exif[ExifTags.Base.Make] = "Demo Museum"
    exif[ExifTags.Base.Model] = "Copy stand 2"
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.DateTime] = about.taken
    exif[ExifTags.Base.Artist] = about.artist
    exif[ExifTags.Base.XResolution] = exif[ExifTags.Base.YResolution] = float(about.dpi)
    exif[ExifTags.Base.ResolutionUnit] = INCH
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.ExifVersion] = b"0232"
    details[ExifTags.Base.DateTimeOriginal] = about.taken
    return exif


def _xmp(about: Description) -> bytes:
    """A minimal XMP packet (ISO 16684-1) with the title in Dublin Core."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{about.title}</rdf:li></rdf:Alt></dc:title>'
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def jpeg(picture: Picture, about: Description, quality: int = 88) -> bytes:
    """Upright JPEG with EXIF, XMP and sRGB profile; (H, W) or (H, W, 3) in."""
    image = Image.fromarray(to_bytes8(picture))
    # The sRGB profile describes three channels; a grey JPEG goes without.
    profile = srgb_profile() if image.mode == "RGB" else None
    options = {"exif": _exif(about, 1), "xmp": _xmp(about), "dpi": (about.dpi, about.dpi)}
    return _saved(image, "JPEG", quality=quality, icc_profile=profile, **options)


def sideways_jpeg(picture: Picture, about: Description, quality: int = 88) -> bytes:
    """JPEG stored a quarter turn counter-clockwise, with the EXIF orientation 6 that tells viewers to turn it back."""
    image = Image.fromarray(np.ascontiguousarray(np.rot90(to_bytes8(picture))))
    options = {"exif": _exif(about, ORIENTATION_ROTATE_90_CLOCKWISE), "dpi": (about.dpi, about.dpi)}
    return _saved(image, "JPEG", quality=quality, icc_profile=srgb_profile(), **options)


def blocky_jpeg(picture: Picture, about: Description) -> bytes:
    """A JPEG that was saved at quality 14 and, later, at 70: small file, visible blocks; no colour profile."""
    first = _saved(Image.fromarray(to_bytes8(picture)), "JPEG", quality=14)
    with Image.open(io.BytesIO(first)) as image:
        return _saved(image, "JPEG", quality=70, exif=_exif(about, 1))


def alpha_png(picture: Picture, alpha: Picture, about: Description) -> bytes:
    """RGBA PNG with resolution and text; (H, W, 3) and opacity (H, W) in."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", about.title)
    text.add_text("Author", about.artist)
    image = Image.fromarray(np.dstack([to_bytes8(picture), to_bytes8(alpha)]))
    return _saved(image, "PNG", pnginfo=text, dpi=(about.dpi, about.dpi), icc_profile=srgb_profile())


def jpeg2000(picture: Picture, rate: int = 12) -> bytes:
    """JPEG 2000 file (JP2), irreversible transform, `rate` times smaller than raw; (H, W, 3) in."""
    image = Image.fromarray(to_bytes8(picture))
    return _saved(image, "JPEG2000", irreversible=True, quality_mode="rates", quality_layers=[rate])
