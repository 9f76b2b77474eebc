"""What a survey writes down: one row for each sample that could be cut, and one for an image without any."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jobs.pairs.sample import Sample
from pipeline.records import Item, Record

CANDIDATES = pa.schema(
    [
        ("key", pa.string()),
        ("uri", pa.string()),
        ("version", pa.string()),
        ("bytes", pa.int64()),
        ("offset", pa.int64()),
        ("row", pa.int64()),
        ("metadata", pa.string()),
        ("sha256", pa.string()),
        ("perceptual_hash", pa.uint64()),
        ("format", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("sample", pa.string()),
        ("left_out", pa.string()),
        ("confidence", pa.float32()),
        ("sharpness", pa.float32()),
        ("enlargement", pa.float32()),
        ("feature", pa.binary()),
    ]
)
"""`sample` is JSON, null for an image without any; `left_out` says why a sample cannot be a target, or is empty;
`feature` is (128,) float32, little-endian, null where no face is or it is too blurred to say whose it is; width and
height are those of the upright image."""

TABLES = {"candidates": CANDIDATES}


@dataclass(frozen=True)
class Candidate:
    """A sample as the survey found it.

    Attributes:
        sample: where it lies; None for an image that holds none.
        left_out: why it cannot be a target: `no_face`, `too_small`, `not_covered`; empty where it can.
        sharpness: see `operators.scoring.sharpness`.
        enlargement: pixels of the sample for each pixel of the source.
        feature: (128,) float32 of length 1, who a face belongs to.
        face: for a sample without a face of its own, the detector's confidence in the image's largest face, so that an
            image of somebody whom nobody can name is told from one of nobody; None without any.
    """

    sample: Sample | None
    left_out: str = ""
    sharpness: float | None = None
    enlargement: float | None = None
    feature: NDArray[np.float32] | None = None
    face: float | None = None


@dataclass
class Surveyed:
    """One image on its way; a `pipeline.stage.Payload`.

    Attributes:
        sha256: of the file.
        size: of the file in bytes.
        perceptual_hash: of the upright image.
        format: of the file.
        width: upright.
        height: upright.
        candidates: what could be cut; at least one.
    """

    sha256: str
    size: int
    perceptual_hash: int
    format: str
    width: int
    height: int
    candidates: list[Candidate] = field(default_factory=list)

    @property
    def held_bytes(self) -> int:
        """Next to nothing: pixels are let go as soon as they are measured."""
        return 0

    def release(self) -> None:
        """There is nothing to let go of."""


def count(item: Item) -> dict[str, int]:
    """What an image adds to the survey's counts."""
    found: Surveyed = item.payload
    counts = {"images": 1, "candidates": 0}
    for candidate in found.candidates:
        name = f"left_out:{candidate.left_out}" if candidate.left_out else "candidates"
        counts[name] = counts.get(name, 0) + 1
    return counts


def rows(item: Item) -> dict[str, list[dict[str, object]]]:
    """An image's rows."""
    found: Surveyed = item.payload
    return {"candidates": [_row(item.record, found, candidate) for candidate in found.candidates]}


def _row(record: Record, found: Surveyed, candidate: Candidate) -> dict[str, Any]:
    feature, sample = candidate.feature, candidate.sample
    return {
        "key": record.key,
        "uri": record.uri,
        "version": record.version,
        "bytes": found.size,
        "offset": record.offset,
        "row": record.row,
        "metadata": json.dumps(dict(record.metadata), sort_keys=True) if record.metadata else None,
        "sha256": found.sha256,
        "perceptual_hash": found.perceptual_hash,
        "format": found.format,
        "width": found.width,
        "height": found.height,
        "sample": json.dumps(sample.to_dict()) if sample else None,
        "left_out": candidate.left_out,
        "confidence": sample.confidence if sample and sample.confidence is not None else candidate.face,
        "sharpness": candidate.sharpness,
        "enlargement": candidate.enlargement,
        "feature": feature.astype("<f4").tobytes() if feature is not None else None,
    }
