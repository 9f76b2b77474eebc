"""What the scoring of a face or an image gives: plain numbers that go into records."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CropScores:
    """Measures of one aligned face; None where a measure is switched off or cannot be computed.

    Attributes:
        sharpness: `operators.scoring.sharpness` of the face at 512 px; higher is sharper.
        brightness: mean luma of the face, 0 to 1.
        contrast: standard deviation of the face's luma, 0 to 1.
        clipped_shadows: fraction of the face's pixels that are black.
        clipped_highlights: fraction of the face's pixels that are white.
        noise: sigma of the noise in 8-bit levels, at the crop's own pixels.
        niqe: `operators.scoring.niqe` of the whole crop at 512 px; lower is more natural.
        confidence: YuNet's confidence in the face, 0 to 1.
    """

    sharpness: float | None = None
    brightness: float | None = None
    contrast: float | None = None
    clipped_shadows: float | None = None
    clipped_highlights: float | None = None
    noise: float | None = None
    niqe: float | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class FaceScores:
    """One face before and after restoration.

    Attributes:
        before: measures of the crop that went into the restorer.
        after: the same of what came out.
        identity: cosine similarity of the two, -1 to 1, by SFace; None when switched off or not computable.
    """

    before: CropScores
    after: CropScores
    identity: float | None = None


@dataclass(frozen=True)
class ImageScores:
    """Measures of a whole image, taken on a reduced view; None where one is switched off or cannot be computed.

    Attributes:
        sharpness: as for a crop, with the view's longer side reduced to at most 1024 px.
        brightness: mean luma, 0 to 1.
        contrast: standard deviation of the luma, 0 to 1.
        clipped_shadows: fraction of black pixels.
        clipped_highlights: fraction of white pixels.
        noise: sigma of the noise in 8-bit levels, at the view's own pixels.
    """

    sharpness: float | None = None
    brightness: float | None = None
    contrast: float | None = None
    clipped_shadows: float | None = None
    clipped_highlights: float | None = None
    noise: float | None = None
