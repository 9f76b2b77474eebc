"""The blocks in which two JPEG files differ, and one of them made of the other with those blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError
from operators.images.encoders.jpeg_coefficients import ONE_AT_A_TIME, Coefficients, CoefficientsError
from operators.images.formats import jpeg
from operators.images.probe import probe


@dataclass(frozen=True)
class JpegBlocks:
    """Blocks of a JPEG file.

    Attributes:
        chosen: per component (rows, columns) bool, which blocks.
        values: per component (n, 8, 8) int16, their quantised coefficients in the order of rows and columns.
    """

    chosen: tuple[NDArray[np.bool_], ...]
    values: tuple[NDArray[np.int16], ...]

    def packed(self) -> tuple[dict[str, Any], bytes]:
        """What `unpacked` takes."""
        shapes = [list(one.shape) for one in self.chosen]
        masks = b"".join(np.packbits(one).tobytes() for one in self.chosen)
        # Coefficient by coefficient over all blocks: zeros come together.
        values = b"".join(np.ascontiguousarray(one.reshape(-1, 64).T).astype("<i2").tobytes() for one in self.values)
        return {"shapes": shapes}, masks + values

    @staticmethod
    def unpacked(about: Mapping[str, Any], body: bytes) -> JpegBlocks:
        """Read what `packed` gave."""
        chosen, values, at = [], [], 0
        for rows, columns in about["shapes"]:
            size = -(-rows * columns // 8)
            bits = np.unpackbits(np.frombuffer(body[at : at + size], np.uint8), count=rows * columns)
            chosen.append(bits.reshape(rows, columns).astype(np.bool_))
            at += size
        for one in chosen:
            count = int(np.count_nonzero(one))
            flat = np.frombuffer(body[at : at + 128 * count], "<i2").reshape(64, count)
            values.append(np.ascontiguousarray(flat.T).astype(np.int16).reshape(count, 8, 8))
            at += 128 * count
        return JpegBlocks(tuple(chosen), tuple(values))


def blocks_between(source: bytes, derivative: bytes) -> JpegBlocks | None:
    """The source's blocks wherever the derivative has others.

    Args:
        source: a JPEG file.
        derivative: a file made of it.

    Returns:
        The blocks; None where the derivative is not the source with other blocks, or cannot be read so.
    """
    try:
        with ONE_AT_A_TIME:
            mine, theirs = (Coefficients(data, probe(data).compression) for data in (source, derivative))
    except (CoefficientsError, OperatorError, StopIteration):
        return None
    alike = mine.sampling == theirs.sampling and len(mine.planes) == len(theirs.planes)
    if not alike or any(a.shape != b.shape for a, b in zip(mine.planes, theirs.planes, strict=True)):
        return None
    if any(not np.array_equal(a, b) for a, b in zip(mine.tables, theirs.tables, strict=True)):
        return None
    chosen = tuple((a != b).any(axis=(2, 3)) for a, b in zip(mine.planes, theirs.planes, strict=True))
    return JpegBlocks(chosen, tuple(plane[each].copy() for plane, each in zip(mine.planes, chosen, strict=True)))


def with_blocks(derivative: bytes, blocks: JpegBlocks) -> bytes:
    """The derivative's file with other blocks; its metadata segments stay.

    Raises:
        ValueError: its blocks are laid out otherwise, or cannot be read or written.
    """
    try:
        with ONE_AT_A_TIME:
            coefficients = Coefficients(derivative, probe(derivative).compression)
            if [plane.shape[:2] for plane in coefficients.planes] != [one.shape for one in blocks.chosen]:
                raise ValueError("the JPEG's blocks are laid out otherwise than when it was sealed")
            for plane, chosen, values in zip(coefficients.planes, blocks.chosen, blocks.values, strict=True):
                plane[chosen] = values
            bare = coefficients.write()
    except CoefficientsError as error:
        raise ValueError(str(error)) from error
    kept = [one for one in jpeg.segments(derivative) if one.marker == jpeg.COM or 0xE0 <= one.marker <= 0xEF]
    head = b"".join(bytes([0xFF, s.marker]) + (len(s.payload) + 2).to_bytes(2, "big") + s.payload for s in kept)
    return bare[:2] + head + bare[2:]
