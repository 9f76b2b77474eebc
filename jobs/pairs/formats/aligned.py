"""Pairs side by side in one picture, as pix2pix reads them (https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.pairs.formats.contract import About, PairFiles
from jobs.pairs.making import png
from pipeline.errors import RecordError
from pipeline.records import Artifact, Output
from pipeline.run import Run


@dataclass(frozen=True)
class AlignedFormat:
    """`{split}/NAME.png`, the degraded picture (A) left of the target (B), and `records/{split}/NAME.json`.

    The reader cuts the picture in the middle. Masks have no place in it.
    """

    name: str = "aligned"
    paired: bool = True
    same_size: bool = True

    def artifacts(self, pair: PairFiles) -> Sequence[Artifact]:
        """The picture and the record.

        Raises:
            RecordError: `size_mismatch`: the sides differ in size.
        """
        if pair.degraded is None or pair.target is None:
            raise ValueError(f"pair {pair.name}: only side {pair.side} is there, and this format keeps both together")
        return [
            Artifact(f"{pair.split}/{pair.name}.png", "image", side_by_side(pair.degraded, pair.target)),
            Artifact(f"records/{pair.split}/{pair.name}.json", "record", pair.record),
        ]

    def container(self) -> None:
        """Objects stand for themselves."""
        return

    def close(self, run: Run, about: About) -> Sequence[Output]:
        """Nothing: the reader lists the folder."""
        return ()

    def sweep(self, run: Run) -> None:
        """Nothing was written that is not wanted."""


def side_by_side(degraded: bytes, target: bytes) -> bytes:
    """One PNG of two, the first one left.

    Raises:
        RecordError: `size_mismatch`.
    """
    left, right = decoded(degraded), decoded(target)
    if left.shape != right.shape:
        raise RecordError(
            "size_mismatch",
            f"the degraded picture has {_size(left)} pixels and the target {_size(right)}; output.format aligned puts "
            "them side by side and needs one size: end the recipe with a step `resize` with `of: original`",
        )
    return png(np.hstack((left, right)))


def halves(data: bytes) -> tuple[bytes, bytes]:
    """The two PNGs that `side_by_side` was given, for what it has made with the same OpenCV."""
    both = decoded(data)
    middle = both.shape[1] // 2
    return png(np.ascontiguousarray(both[:, :middle])), png(np.ascontiguousarray(both[:, middle:]))


def decoded(data: bytes) -> NDArray[np.uint8]:
    """A PNG's pixels, (h, w, 3) uint8, RGB. Raises ValueError for what is none."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if pixels is None:
        raise ValueError("OpenCV cannot read the PNG")
    return np.ascontiguousarray(np.asarray(pixels, np.uint8)[..., ::-1])


def _size(pixels: NDArray[np.uint8]) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"
