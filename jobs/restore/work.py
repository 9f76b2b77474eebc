"""What the stages of a restore job hang on a record: the image so far, and its faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Crop, Detection
from operators.gate import Decision
from operators.images.info import ImageInfo
from operators.images.raster import Raster
from operators.scoring.scores import FaceScores, ImageScores

NO_PIXELS = np.empty((0, 0, 3), np.float32)
FaceStatus = Literal["found", "restored", "flagged", "kept"]


@dataclass
class FaceWork:
    """One face on its way.

    Attributes:
        detection: where it is, in pixels of the image as stored.
        crop: what was cut out; None when the face is not to be restored.
        landmarks: (5, 2) float64 in crop pixels; None without a crop.
        hole: (S, S) bool, what the job's mask image wants made anew; None where the job has none.
        restored: (S', S', 3) float32 in [0, 1], what the restorer made of the crop.
        mask: (S, S) uint8, 255 where the restored crop takes the place of the original; None for the oval that follows
            from the landmarks.
        shape: what the mask follows: `landmarks`, `parsing`, `whole` or `hole`; empty for a face that was not restored.
        engine: what executed the restorer's network; empty when it has none.
        scores: before and after.
        decision: the gate's.
        status: `restored` was pasted, `flagged` was pasted although the gate failed it, `kept` is as it was.
        reason: why it was kept: `larger_than_model`, `gate`, `no_change`.
    """

    detection: Detection
    crop: Crop | None = None
    landmarks: NDArray[np.float64] | None = None
    hole: NDArray[np.bool_] | None = None
    restored: NDArray[np.float32] | None = None
    mask: NDArray[np.uint8] | None = None
    shape: str = ""
    engine: Mapping[str, Any] = field(default_factory=dict)
    scores: FaceScores | None = None
    decision: Decision | None = None
    status: FaceStatus = "found"
    reason: str = ""

    @property
    def held_bytes(self) -> int:
        """Memory of its pixels."""
        crop = self.crop.pixels if self.crop is not None else None
        return sum(held.nbytes for held in (crop, self.hole, self.restored, self.mask) if held is not None)


@dataclass
class ImageWork:
    """One image on its way; a `pipeline.stage.Payload`.

    Attributes:
        info: what its header says.
        sha256: of the source's bytes, hex.
        size: length of the source's bytes.
        faces: all that were found.
        engines: what executed networks for its faces, by network, each once with what was asked and passed over.
        colour: evidence that the whole picture has more than one tone, see `operators.faces.tone`; None where nobody
            asks.
        mask: address and SHA-256 of the mask image that says what is made anew; None where none was read.
        before: scores of the image as it came.
        after: scores of the image as it goes; the same as `before` when nothing changed.
        data: the source's bytes while they are held.
        raster: the decoded image while it is held.
        row: what the tables and the record say of it, once it is finished.
    """

    info: ImageInfo
    sha256: str
    size: int
    faces: list[FaceWork] = field(default_factory=list)
    engines: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    colour: float | None = None
    mask: Mapping[str, str] | None = None
    before: ImageScores | None = None
    after: ImageScores | None = None
    data: bytes | None = field(default=None, repr=False)
    raster: Raster | None = field(default=None, repr=False)
    row: dict[str, Any] = field(default_factory=dict)

    def executed(self, network: str, engine: Mapping[str, Any]) -> None:
        """Note what executed a network, once."""
        known = self.engines.setdefault(network, [])
        if engine and engine not in known:
            known.append(engine)

    @property
    def held_bytes(self) -> int:
        """Memory of bytes, pixels and crops."""
        held = len(self.data) if self.data is not None else 0
        held += self.raster.pixels.nbytes if self.raster is not None else 0
        return held + sum(face.held_bytes for face in self.faces)

    def release(self) -> None:
        """Drop what can be had again from the source (`jobs.restore.recall`).

        That is the file's bytes, the decoded pixels, and crops that have been restored; those that have not are what
        the restorer waits for.
        """
        self.data = None
        self.raster = None
        for face in self.faces:
            if face.crop is not None and face.restored is not None:
                face.crop = replace(face.crop, pixels=NO_PIXELS)
