"""The survey's stages: an image to candidates, and the note that it was seen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jobs.opencv import settle_opencv
from jobs.pairs.sample import Sample, Window, cut_sample
from jobs.pairs.survey.rows import Candidate, Surveyed
from jobs.pairs.survey.settings import SurveySettings
from jobs.per_thread import PerThread
from jobs.spec.samples import FaceSamples, ImageSamples, TileSamples
from operators.faces.align import align, coverage, cut
from operators.faces.detect import Detector
from operators.faces.face import Affine, Detection
from operators.faces.geometry import compose, magnification, scaling, transform, translation
from operators.images.decode import decode
from operators.images.info import ImageInfo
from operators.images.orientation import rotate_upright, stored_to_upright, upright_size
from operators.images.probe import probe
from operators.images.raster import Raster
from operators.images.reduce import Reduced, reduce_raster
from operators.scoring.identity import IdentityModel
from operators.scoring.planes import COMMON_SIDE, face_part, luma, resized
from operators.scoring.sharpness import sharpness
from operators.selection.groups import reliable
from operators.selection.perceptual_hash import perceptual_hash
from pipeline.errors import RecordError
from pipeline.records import Item
from pipeline.stage import UnitContext

FEATURE_SIDE = 256
"""Side of the aligned square in which people are told apart where none is cut for the samples."""
MOST_TILES = 100_000
"""Of one image, all of which are held in memory until its unit is committed, at about 2 KB each."""


class Look:
    """Decodes an image, and finds and measures what could be cut out of it."""

    name = "survey"

    def __init__(self, settings: SurveySettings) -> None:
        self._settings = settings
        self._detectors = PerThread(lambda: Detector(settings.detect))
        self._identity: IdentityModel | None = None

    def setup(self) -> None:
        """Load what tells people apart, where that is asked for."""
        settle_opencv()
        if self._settings.people:
            self._identity = IdentityModel()

    def process(self, item: Item, context: UnitContext) -> None:
        """Set the item's payload to a `Surveyed`."""
        data = context.read(item.record)
        info = probe(data, self._settings.limits)
        image = _Image(info, decode(data, self._settings.limits), self._detectors.get())
        width, height = upright_size(info.width, info.height, info.orientation)
        item.payload = Surveyed(
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            perceptual_hash=perceptual_hash(rotate_upright(image.view.pixels, info.orientation)),
            format=info.format,
            width=width,
            height=height,
            candidates=list(self._candidates(image, width, height)) or [Candidate(None, "no_face")],
        )

    def _candidates(self, image: _Image, width: int, height: int) -> Iterator[Candidate]:
        samples = self._settings.samples
        if isinstance(samples, FaceSamples):
            for index, found in enumerate(image.faces):
                yield self._face(image, samples, index, found)
        elif isinstance(samples, ImageSamples):
            yield self._whole(image, samples, width, height)
        else:
            yield from self._tiles(image, samples, width, height)

    def _face(self, image: _Image, samples: FaceSamples, index: int, found: Detection) -> Candidate:
        info, size = image.info, samples.size
        upright = stored_to_upright(info.width, info.height, info.orientation, found.turn)
        affine = align(found.landmarks, samples.template, size, upright)
        enlargement = magnification(affine)
        sample = Sample(
            kind="face",
            index=index,
            width=size,
            height=size,
            affine=tuple(tuple(float(value) for value in row) for row in affine),
            template=samples.template,
            landmarks=_points(found, affine),
            confidence=round(found.confidence, 5),
        )
        if enlargement > samples.max_enlargement:
            return Candidate(sample, "too_small", enlargement=enlargement)
        if coverage(affine, size, info.width, info.height) < samples.min_coverage:
            return Candidate(sample, "not_covered", enlargement=enlargement)
        crop = cut(image.raster, affine, size).pixels
        feature = self._feature(crop, found, affine) if size >= FEATURE_SIDE else self._who(image, found)
        return Candidate(sample, "", _face_sharpness(crop), enlargement, feature)

    def _whole(self, image: _Image, samples: ImageSamples, width: int, height: int) -> Candidate:
        side = min(width, height)
        if samples.size is None:
            window: Window = (0, 0, width, height)
            size = (width, height)
        else:
            left, top = (width - side) // 2, (height - side) // 2
            window, size = (left, top, left + side, top + side), (samples.size, samples.size)
        found = image.largest if self._settings.people else None
        sample = Sample("image", 0, *size, window=window)
        if found is not None:
            info = image.info
            scale = size[0] / (window[2] - window[0])
            upright = stored_to_upright(info.width, info.height, info.orientation)
            placed = compose(compose(upright, translation(-window[0], -window[1])), scaling(scale))
            sample = Sample(
                "image",
                0,
                *size,
                window=window,
                landmarks=_points(found, placed),
                confidence=round(found.confidence, 5),
            )
        if samples.size is not None and side < samples.size:
            return Candidate(sample, "too_small", enlargement=samples.size / side)
        sharp = _sharpness(cut_sample(image.raster, sample))
        enlargement = size[0] / (window[2] - window[0])
        return Candidate(sample, "", sharp, enlargement, self._person(image))

    def _tiles(self, image: _Image, samples: TileSamples, width: int, height: int) -> Iterator[Candidate]:
        if min(width, height) < samples.size:
            yield Candidate(None, "too_small", enlargement=samples.size / min(width, height))
            return
        rows, columns = _starts(height, samples.size, samples.step), _starts(width, samples.size, samples.step)
        if len(rows) * len(columns) > MOST_TILES:
            raise RecordError(
                "too_many_tiles",
                f"{width} x {height} pixels make {len(rows) * len(columns)} tiles of {samples.size} pixels with a step "
                f"of {samples.step}; at most {MOST_TILES} are cut out of one image: choose a larger samples.step",
            )
        feature = self._person(image)
        found = image.largest if self._settings.people else None
        face = round(found.confidence, 5) if found is not None else None
        places = [(left, top) for top in rows for left in columns]
        for index, (left, top) in enumerate(places):
            window = (left, top, left + samples.size, top + samples.size)
            sample = Sample("tile", index, samples.size, samples.size, window=window)
            yield Candidate(sample, "", _sharpness(cut_sample(image.raster, sample)), 1.0, feature, face)

    def _person(self, image: _Image) -> NDArray[np.float32] | None:
        """Who the largest face of an image belongs to."""
        found = image.largest if self._settings.people else None
        return self._who(image, found) if found is not None else None

    def _who(self, image: _Image, found: Detection) -> NDArray[np.float32] | None:
        """Who a face belongs to, seen at a size of its own."""
        if self._identity is None:
            return None
        info = image.info
        upright = stored_to_upright(info.width, info.height, info.orientation, found.turn)
        affine = align(found.landmarks, "ffhq", FEATURE_SIDE, upright)
        return self._feature(cut(image.raster, affine, FEATURE_SIDE).pixels, found, affine)

    def _feature(self, crop: NDArray[np.float32], found: Detection, affine: Affine) -> NDArray[np.float32] | None:
        """Who a face belongs to; None where it is not clear enough to say."""
        sharp = _face_sharpness(crop)
        clear = reliable(np.array([found.confidence]), np.array([np.nan if sharp is None else sharp]))
        if self._identity is None or not clear[0]:
            return None
        return self._identity.feature(crop, transform(found.landmarks, affine))


class Note:
    """Says of each image that it was seen; a survey has no outputs but its table."""

    name = "note"

    def setup(self) -> None:
        """There is nothing to load."""

    def process(self, item: Item, context: UnitContext) -> None:
        """Put nothing."""
        context.put(item.record, [])


class _Image:
    """An image with its reduced view and its faces, found when they are asked for."""

    def __init__(self, info: ImageInfo, raster: Raster, detector: Detector) -> None:
        self.info = info
        self.raster = raster
        self._detector = detector
        self.view: Reduced = reduce_raster(raster, detector.needed_scale(info.width, info.height))

    @cached_property
    def faces(self) -> list[Detection]:
        """The largest first."""
        full: Callable[[], Raster] = lambda: self.raster  # noqa: E731
        scale = (self.view.scale_x, self.view.scale_y)
        return self._detector.find(full, self.view.pixels, scale, self.info.orientation)

    @property
    def largest(self) -> Detection | None:
        """The largest face; None where there is none."""
        return self.faces[0] if self.faces else None


def _points(found: Detection, affine: Affine) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(x), 3), round(float(y), 3)) for x, y in transform(found.landmarks, affine))


def _face_sharpness(crop: NDArray[np.float32]) -> float | None:
    """As `operators.scoring.scorer` measures it, whatever the crop's side."""
    return sharpness(face_part(np.clip(resized(luma(crop), COMMON_SIDE), 0.0, 1.0)))


def _sharpness(pixels: NDArray[np.uint8]) -> float | None:
    return sharpness(luma(pixels.astype(np.float32) / np.float32(255.0)))


def _starts(length: int, size: int, step: int) -> list[int]:
    """Where squares begin along one side; the last one ends at the image's edge."""
    starts = list(range(0, length - size + 1, step))
    return starts if starts[-1] == length - size else [*starts, length - size]
