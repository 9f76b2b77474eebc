"""Write a derivative: the pixels of a raster with everything its source says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from operators.errors import OperatorError
from operators.images.encoders.contract import Change, Encoded, EncodeOptions, Source
from operators.images.encoders.jp2 import encode_jp2
from operators.images.encoders.jpeg import encode_jpeg
from operators.images.encoders.png import encode_png
from operators.images.encoders.tiff import encode_tiff
from operators.images.encoders.webp import encode_webp
from operators.images.formats import jp2, tiff
from operators.images.info import Format
from operators.images.metadata import read_metadata
from operators.images.probe import PROBES
from operators.images.raster import Raster
from operators.images.resized import Resized, metadata_resized
from operators.images.sniff import sniff

__all__ = ["ENCODERS", "EXTENSIONS", "Change", "EncodeOptions", "Encoded", "encode", "target_extension"]

ENCODERS: dict[Format, Callable[[Raster, Source | None, EncodeOptions], tuple[bytes, list[str]]]] = {
    "jpeg": encode_jpeg,
    "png": encode_png,
    "tiff": encode_tiff,
    "webp": encode_webp,
    "jp2": encode_jp2,
}

# The first of each is the usual one.
EXTENSIONS: dict[Format, tuple[str, ...]] = {
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "png": (".png",),
    "tiff": (".tif", ".tiff"),
    "webp": (".webp",),
    "jp2": (".jp2", ".j2k", ".jpf", ".jpx"),
}


def encode(
    raster: Raster,
    source: bytes | None,
    options: EncodeOptions | None = None,
    changes: Sequence[Change] | None = None,
) -> Encoded:
    """Write a raster as a file. Same raster, source and options give the same bytes.

    TIFF, PNG and lossless WebP and JPEG 2000 give back every pixel as it is in the raster. JPEG written from a JPEG
    source without a `quality` gives back every pixel outside the changes as the source has it, or a note says why not.
    Pixels are written in stored
    orientation and the orientation tag says so. Previews inside the source's metadata are carried as they are and
    show the unrestored picture. The raster of a gray source may be RGB (`colour.to_rgb`): a gray ICC profile is then
    left out, and a JPEG gets components of colour. A raster of another size than its source is the same picture at
    another resolution, and the metadata that is carried says so (`resized`).

    Args:
        raster: what to write.
        source: the file whose metadata is carried, None for none.
        options: the defaults of `EncodeOptions` when None.
        changes: where the raster may differ from the source, for JPEG; None when that is not known, which writes
            the whole picture afresh.

    Raises:
        OperatorError: `unsupported_target` when the format cannot hold the raster; or as `probe` for the source.
    """
    chosen = options or EncodeOptions()
    origin = _read_source(source, changes, raster) if source is not None else None
    target = _target(origin, chosen)
    if raster.alpha and origin is not None and origin.info.format == "tiff" and target != "tiff":
        _refuse_multiplied(origin, target)
    data, notes = ENCODERS[target](raster, origin, chosen)
    is_raw = target == "jp2" and jp2.is_raw(data)
    if origin is not None and origin.widened and origin.info.icc:
        notes.append("not carried: the gray ICC profile, as the picture has colours now")
    return Encoded(data, ".j2k" if is_raw else EXTENSIONS[target][0], tuple(notes))


def target_extension(name: str, target: str) -> str:
    """Return the extension, with its dot, that a derivative of a file should have.

    Args:
        name: the source's name or key.
        target: a target format; `same` keeps the name's own extension, and so does the format it already says.

    Raises:
        ValueError: for a format that cannot be written.
    """
    own = PurePosixPath(name).suffix
    if target == "same":
        return own
    for known, extensions in EXTENSIONS.items():
        if known == target:
            return own if own.lower() in extensions else extensions[0]
    raise ValueError(f"target format {target!r}: expected same or one of {', '.join(EXTENSIONS)}")


def _read_source(data: bytes, changes: Sequence[Change] | None, raster: Raster) -> Source:
    # Without limits: whoever decoded the source has applied theirs.
    info = PROBES[sniff(data)](data)
    metadata, widened = read_metadata(data, info), info.space == "gray" and raster.space == "rgb"
    if (info.width, info.height) == (raster.width, raster.height):
        return Source(data, info, metadata, changes, widened)
    resized = Resized((info.width, info.height), (raster.width, raster.height))
    return Source(data, info, metadata_resized(metadata, resized), None, widened, resized)


def _target(source: Source | None, options: EncodeOptions) -> Format:
    if options.format != "same":
        return options.format
    if source is None:
        raise OperatorError("unsupported_target", "format 'same' needs a source; name a format")
    if source.info.format not in ENCODERS:
        raise OperatorError(
            "unsupported_target", f"{source.info.format} can be read but not written; set the format to png or tiff"
        )
    return source.info.format


def _refuse_multiplied(source: Source, target: Format) -> None:
    if tiff.has_associated_alpha(tiff.find_page(source.data).directory):
        raise OperatorError(
            "unsupported_target",
            f"the TIFF's colours are stored multiplied by the alpha band, which {target} does not know; write tiff",
        )
