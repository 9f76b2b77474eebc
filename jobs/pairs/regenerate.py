"""Makes a pair again from its record and its source's bytes, and says whether it is the same to the bit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.pairs.making import make_pair, png
from jobs.pairs.record import PairRecord
from jobs.pairs.sample import cut_sample
from operators.images.decode import decode
from operators.images.limits import Limits
from operators.images.raster import Raster

GENEROUS = Limits(max_pixels=2**40, max_side=2**31, min_side=1, max_ratio=float("inf"), max_frames=10**9)
"""Whatever the job allowed: a source's hash says that it is the file that the pair was made of."""

SIDES: Mapping[str, str] = {"degraded": "lq", "target": "gt", "mask": "mask"}
"""What a record calls a side, and what its file is called."""


class OtherSourceError(ValueError):
    """The bytes are not those that the pair was made of."""


@dataclass(frozen=True)
class MadeFiles:
    """A pair that was made again.

    Attributes:
        key: of the pair.
        files: PNG by side, of the sides that the record has.
        differing: sides whose bytes are not the record's.
    """

    key: str
    files: Mapping[str, bytes]
    differing: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether all is as the record says, bit for bit."""
        return not self.differing

    def named(self) -> dict[str, bytes]:
        """File name to bytes."""
        return {f"{self.key}.{SIDES[side]}.png": data for side, data in self.files.items()}


def regenerate(record: PairRecord, data: bytes) -> MadeFiles:
    """Make a pair again.

    Args:
        record: of the pair.
        data: the bytes of its source.

    Raises:
        OtherSourceError: they have another SHA-256 than the record names.
        OperatorError: they cannot be decoded by this build.
        RecipeError, ValueError: the record's steps or sample do not fit its source.
    """
    check_source(record, len(data), hashlib.sha256(data).hexdigest())
    return made_of(record, target_of(record, decoded(data)))


def check_source(record: PairRecord, size: int, found: str) -> None:
    """Compare a source's size in bytes and SHA-256 with a record. Raises OtherSourceError where it is another."""
    expected = record.source["sha256"]
    if found != expected:
        raise OtherSourceError(
            f"{record.source['uri']}: found {size:,} bytes with the SHA-256 {found}, expected "
            f"{record.source['bytes']:,} with {expected}: it is not the file that {record.key} was made of; name that "
            "one with --source"
        )


def decoded(data: bytes) -> Raster:
    """A source's pixels, whatever its size."""
    return decode(data, GENEROUS)


def target_of(record: PairRecord, raster: Raster) -> NDArray[np.uint8]:
    """The sample's pixels, which all its variants share: (h, w, 3) uint8 RGB."""
    return cut_sample(raster, record.sample)


def made_of(record: PairRecord, sample: NDArray[np.uint8]) -> MadeFiles:
    """Degrade a sample as the record says and compare the files.

    Args:
        record: of the pair.
        sample: (h, w, 3) uint8 RGB, from `target_of`.
    """
    pair = make_pair(sample, record.steps)
    pixels = {"degraded": pair.degraded, "target": pair.target, "mask": pair.whole_mask}
    expected = {"degraded": record.degraded, "target": record.target, "mask": record.mask}
    files: dict[str, bytes] = {}
    differing = []
    for side, about in expected.items():
        if about is None:  # a format that keeps one side only, or no masks
            continue
        files[side] = png(pixels[side])
        if hashlib.sha256(files[side]).hexdigest() != about["sha256"]:
            differing.append(side)
    return MadeFiles(record.key, files, tuple(differing))


def other_versions(record: PairRecord, here: Mapping[str, str]) -> list[str]:
    """Libraries of other versions than made the pair, a phrase each.

    Args:
        record: of the pair.
        here: name to version, as `jobs.versions.pixel_versions` gives it.
    """
    return [
        f"{name} {here.get(name, 'not installed')} here, {version} in the record"
        for name, version in record.versions.items()
        if here.get(name, "") != version
    ]
