"""What is sealed of a picture: enough to give back every pixel to the bit, and no more than is needed.

Three forms, of which the smallest is taken that has been tried and found to give the picture back:

- `pixels`: the changed windows, all bands, where the derivative keeps every other pixel (formats without loss);
- `coefficients`: the changed DCT blocks, where the derivative is the source's JPEG with other blocks;
- `file`: the source's file, where the derivative holds other pixels everywhere, or where it is the smallest.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError
from operators.faces.resample import Window
from operators.images.decode import decode
from operators.images.encode import EncodeOptions, encode
from operators.images.probe import probe
from operators.images.raster import Pixels, Raster
from operators.sealing.errors import TamperedError
from operators.sealing.jpeg import JpegBlocks, blocks_between, with_blocks

Form = Literal["pixels", "coefficients", "file"]
_LEVEL = 6


@dataclass(frozen=True)
class Content:
    """What gives a picture back.

    Attributes:
        form: which of the three.
        format: of the source's file.
        pixels_sha256: `pixels_digest` of the original.
        parts: of `pixels`, each window with its pixels; of `coefficients`, the blocks; of `file`, its bytes.
    """

    form: Form
    format: str
    pixels_sha256: str
    parts: Sequence[tuple[Window, Pixels]] | JpegBlocks | bytes

    def packed(self) -> bytes:
        """As bytes, compressed without loss."""
        about, body = _packed_parts(self.parts)
        about |= {"form": self.form, "format": self.format, "pixels_sha256": self.pixels_sha256}
        head = json.dumps(about, sort_keys=True).encode()
        return zlib.compress(len(head).to_bytes(4, "big") + head + body, _LEVEL)

    @staticmethod
    def unpacked(data: bytes) -> Content:
        """Read what `packed` gave; it came out of a seal, so that it is what was written."""
        whole = zlib.decompress(data)
        size = int.from_bytes(whole[:4], "big")
        about, body = json.loads(whole[4 : 4 + size]), whole[4 + size :]
        parts: Sequence[tuple[Window, Pixels]] | JpegBlocks | bytes = body
        if about["form"] == "pixels":
            parts = list(_windows(about, body))
        elif about["form"] == "coefficients":
            parts = JpegBlocks.unpacked(about["blocks"], body)
        return Content(about["form"], about["format"], about["pixels_sha256"], parts)


def pixels_digest(raster: Raster) -> str:
    """SHA-256 of a picture's pixels with their depth, bands and size, hex."""
    pixels = np.ascontiguousarray(raster.pixels)
    digest = hashlib.sha256(f"{raster.space} {raster.alpha} {pixels.dtype.itemsize} {pixels.shape}".encode())
    digest.update(pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).data)
    return digest.hexdigest()


def content_of(
    source: bytes, original_sha256: str, before: Sequence[tuple[Window, Pixels]], derivative: bytes
) -> Content:
    """Choose what to seal.

    Args:
        source: the original file.
        original_sha256: `pixels_digest` of what it decodes to.
        before: every window in which pixels were changed, with the pixels as they were.
        derivative: the file that was made of it.

    Returns:
        The smallest form that gives the original's pixels back from the derivative; it was tried.
    """
    info = probe(source)
    whole = Content("file", info.format, original_sha256, source)
    found = [whole, Content("pixels", info.format, original_sha256, before)]
    if info.format == "jpeg" and (blocks := blocks_between(source, derivative)) is not None:
        found[1] = Content("coefficients", info.format, original_sha256, blocks)
    for one in sorted(found, key=lambda content: len(content.packed())):
        if one is whole or _works(one, derivative):
            return one
    return whole


def put_back(content: Content, derivative: bytes) -> bytes:
    """Make the original picture of a derivative.

    Args:
        content: what was sealed.
        derivative: the file that it was sealed with.

    Returns:
        The source's own file where that was sealed; else the derivative's file with the original pixels in it.

    Raises:
        TamperedError: the pixels that come out are not those of the original.
    """
    data = _made(content, derivative)
    if pixels_digest(decode(data)) != content.pixels_sha256:
        raise TamperedError("the picture that comes out is not the original, bit for bit")
    return data


def _made(content: Content, derivative: bytes) -> bytes:
    if isinstance(content.parts, bytes):
        return content.parts
    if isinstance(content.parts, JpegBlocks):
        return with_blocks(derivative, content.parts)
    raster = decode(derivative)
    for (left, top, right, bottom), pixels in content.parts:
        raster.pixels[top:bottom, left:right] = pixels
    return encode(raster, derivative, EncodeOptions()).data


def _works(content: Content, derivative: bytes) -> bool:
    try:
        put_back(content, derivative)
    except (TamperedError, OperatorError, ValueError):  # another depth, another colour space, a lossy format
        return False
    return True


def _packed_parts(parts: Sequence[tuple[Window, Pixels]] | JpegBlocks | bytes) -> tuple[dict[str, Any], bytes]:
    if isinstance(parts, bytes):
        return {}, parts
    if isinstance(parts, JpegBlocks):
        about, body = parts.packed()
        return {"blocks": about}, body
    windows = [[int(side) for side in window] for window, _ in parts]
    bands = parts[0][1].shape[2] if parts else 0
    depth = parts[0][1].dtype.itemsize if parts else 1
    return {"windows": windows, "bands": bands, "bytes": depth}, b"".join(_filtered(pixels) for _, pixels in parts)


def _windows(about: Mapping[str, Any], body: bytes) -> Iterator[tuple[Window, Pixels]]:
    bands, depth, at = about["bands"], about["bytes"], 0
    for left, top, right, bottom in about["windows"]:
        size = (right - left) * (bottom - top) * bands * depth
        yield (left, top, right, bottom), _unfiltered(body[at : at + size], (bottom - top, right - left, bands), depth)
        at += size


def _filtered(pixels: Pixels) -> bytes:
    """Differences along rows, their bytes apart by significance: what zlib makes something of."""
    values = pixels.astype(pixels.dtype.newbyteorder("<"))
    values[:, 1:] -= pixels[:, :-1]
    flat = values.reshape(-1).view(np.uint8).reshape(-1, pixels.dtype.itemsize)
    return np.ascontiguousarray(flat.T).tobytes()


def _unfiltered(data: bytes, shape: tuple[int, int, int], depth: int) -> Pixels:
    flat: NDArray[np.uint8] = np.frombuffer(data, np.uint8).reshape(depth, -1)
    values = np.ascontiguousarray(flat.T).view("<u2" if depth == 2 else "u1").reshape(shape)
    return np.cumsum(values, axis=1, dtype=np.uint16) if depth == 2 else np.cumsum(values, axis=1, dtype=np.uint8)
