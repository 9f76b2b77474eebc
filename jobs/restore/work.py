"""What the stages of a restore job hang on a record: the image so far, and its faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Affine, Crop, Detection
from operators.faces.geometry import scaling
from operators.faces.within import Within
from operators.gate import Decision
from operators.images.info import ImageInfo
from operators.images.raster import Raster, Space
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
        hole: (S, S) bool, what of the crop is to be made anew; None where the job says nothing of it.
        within: source pixels that may be written, for a job that promises to leave all others as they are; None where
            there is no such promise, or nothing to be written.
        missing: share of the face's oval that is to be made anew; None where the job says nothing of it.
        restored: (S', S', 3) float32 in [0, 1], what the restorer made of the crop.
        mask: (S, S) uint8, 255 where the restored crop takes the place of the original; None for the oval that follows
            from the landmarks.
        shape: what the mask follows: `landmarks`, `parsing`, `whole` or `hole`; empty for a face that was not restored.
        engine: what executed the restorer's network; empty when it has none.
        scores: before and after.
        decision: the gate's.
        search: of a face that was searched for, how that ended; else empty.
        hidden: of a face that nobody may recognise, what is shown in its place and how it was found; else empty.
        status: `restored` was pasted, `flagged` was pasted although the gate failed it, `kept` is as it was.
        reason: why it was kept: `larger_than_model`, `gate`, `no_change`.
    """

    detection: Detection
    crop: Crop | None = None
    landmarks: NDArray[np.float64] | None = None
    hole: NDArray[np.bool_] | None = None
    within: Within | None = None
    missing: float | None = None
    restored: NDArray[np.float32] | None = None
    mask: NDArray[np.uint8] | None = None
    shape: str = ""
    engine: Mapping[str, Any] = field(default_factory=dict)
    scores: FaceScores | None = None
    decision: Decision | None = None
    search: dict[str, Any] = field(default_factory=dict)
    hidden: dict[str, Any] = field(default_factory=dict)
    status: FaceStatus = "found"
    reason: str = ""

    @property
    def held_bytes(self) -> int:
        """Memory of its pixels."""
        crop = self.crop.pixels if self.crop is not None else None
        bits = self.within.bits if self.within is not None else None
        return sum(held.nbytes for held in (crop, self.hole, bits, self.restored, self.mask) if held is not None)


@dataclass
class BackgroundWork:
    """What became of the whole picture.

    Attributes:
        size: width and height of the result.
        first: whether faces are found and restored in the result.
        reason: why the picture was left as it is: `too_large`, `format_limit`, `no_change`; empty where it was made.
        space: colour space of the result.
        toned: whether the picture's one tone was put back.
        engine: what executed the network.
        tiles: the tiles in which it did.
        raster: the result while it is held; faces are pasted into it.
    """

    size: tuple[int, int]
    first: bool
    reason: str = ""
    space: Space = "rgb"
    toned: bool = False
    engine: Mapping[str, Any] = field(default_factory=dict)
    tiles: Mapping[str, Any] = field(default_factory=dict)
    raster: Raster | None = field(default=None, repr=False)


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
        attributes: what the catalogue says of its faces, 0 to 1 by the attribute's name.
        checked: what a second look at a picture with hidden faces has found; None for others.
        background: what became of the whole picture; None where the job does nothing with it.
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
    attributes: Mapping[str, float] = field(default_factory=dict)
    checked: Mapping[str, Any] | None = None
    background: BackgroundWork | None = None
    before: ImageScores | None = None
    after: ImageScores | None = None
    data: bytes | None = field(default=None, repr=False)
    raster: Raster | None = field(default=None, repr=False)
    row: dict[str, Any] = field(default_factory=dict)

    @property
    def made(self) -> Raster | None:
        """What a network made of the whole picture, while it is held."""
        return None if self.background is None else self.background.raster

    @property
    def found_in(self) -> Raster | None:
        """The picture in which faces are found and restored, where that is not the source."""
        return self.made if self.background is not None and self.background.first else None

    @property
    def space(self) -> Space:
        """Colour space of the picture in which faces are found."""
        background = self.background
        return background.space if background and background.first and not background.reason else self.info.space

    @property
    def to_made(self) -> Affine:
        """Source pixels to those of the whole picture's result."""
        assert self.background is not None
        width, height = self.background.size
        return scaling(width / self.info.width, height / self.info.height)

    @property
    def to_found_in(self) -> Affine | None:
        """Source pixels to those in which faces are found; None where these are the source's."""
        return None if self.found_in is None else self.to_made

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
        held += self.made.pixels.nbytes if self.made is not None else 0
        return held + sum(face.held_bytes for face in self.faces)

    def release(self) -> None:
        """Drop what can be had again from the source (`jobs.restore.recall`).

        That is the file's bytes, the decoded pixels, and crops that have been restored; those that have not are what
        the restorer waits for. What a network made of the whole picture would take as long again, so it stays where
        faces are found in it.
        """
        if self.background is not None and not self.background.first:
            self.background.raster = None
        self.data = None
        self.raster = None
        for face in self.faces:
            if face.crop is not None and face.restored is not None:
                face.crop = replace(face.crop, pixels=NO_PIXELS)
