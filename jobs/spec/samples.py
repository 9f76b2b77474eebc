"""The block `samples` of a pairs job: what is cut out of each image. One model of settings for each kind."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from jobs.spec.common import Block


class FaceSearch(Block):
    """Settings of the search for faces."""

    min_confidence: float = Field(default=0.7, ge=0.0, le=1.0)
    """Least confidence of the detector, 0 to 1."""
    min_eye_distance: float = Field(default=16.0, gt=0.0, le=10_000.0)
    """Least distance between the eyes, in pixels of the source."""
    max_faces: int = Field(default=1000, ge=1)
    """Most faces of an image, the largest first."""
    quarter_turns: Literal["never", "when_unclear"] = "when_unclear"
    """Whether an image that shows no clear upright face is also looked at turned by 90, 180 and 270 degrees."""
    turned_confidence: float = Field(default=0.85, ge=0.0, le=1.0)
    """Least confidence of a face that is found in another turn, 0 to 1."""


class SamplesBlock(Block):
    """What all kinds of sample have."""

    detect: FaceSearch = Field(default_factory=FaceSearch)
    """How faces are looked for."""


class FaceSamples(SamplesBlock):
    """Each face, aligned to a template."""

    kind: Literal["faces"] = "faces"
    """Aligned faces."""
    template: Literal["ffhq", "gpen"] = "ffhq"
    """Where eyes, nose and mouth come to lie."""
    size: int = Field(default=512, ge=32, le=4096)
    """Side of the aligned square in pixels."""
    max_enlargement: float = Field(default=1.0, ge=0.1, le=16.0)
    """Pixels of the square for each pixel of the source above which a face counts as too small."""
    min_coverage: float = Field(default=0.8, ge=0.0, le=1.0)
    """Least part of the square that lies inside the image; the rest is continued by reflection."""


class ImageSamples(SamplesBlock):
    """Each image as a whole, upright."""

    kind: Literal["images"]
    """Whole images."""
    size: int | None = Field(default=None, ge=32, le=4096)
    """Side of the square that its middle is reduced to, in pixels; null keeps it as it is."""


class TileSamples(SamplesBlock):
    """Squares out of each image, in rows and columns."""

    kind: Literal["tiles"]
    """Squares out of each image."""
    size: int = Field(default=480, ge=32, le=4096)
    """Side of a square in pixels."""
    step: int = Field(default=240, ge=8, le=4096)
    """From one square to the next, in pixels; the last of a row or column lies at the image's edge."""


Samples = Annotated[FaceSamples | ImageSamples | TileSamples, Field(union_mode="left_to_right")]
DEFAULT_SAMPLES = "faces"
SAMPLES: dict[str, type[SamplesBlock]] = {"faces": FaceSamples, "images": ImageSamples, "tiles": TileSamples}
