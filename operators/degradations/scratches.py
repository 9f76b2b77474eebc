"""Scratches, dust and the retoucher's marks."""

from __future__ import annotations

import math
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Plane, Size
from operators.degradations.fields import Points, bent, cloud, scale_of, share_of, softened, stroke
from operators.degradations.layers import clipped, laid, luma

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Width = Annotated[float, Field(ge=0.1, le=64.0)]
Canvas = NDArray[np.uint8]


class Scratches(Degradation):
    """Thin lines where the layer was scraped.

    A scratch in the emulsion of a print shows paper; in that of a negative it prints black, in its base it scatters
    light and prints white. Film that ran through a camera or projector has them along its way, nearly parallel
    (Kokaram, "Motion Picture Restoration", 1998). They fade in and out as pressure does.
    """

    count: Annotated[int, Field(ge=0, le=400)]
    """Scratches."""
    length: Annotated[float, Field(ge=0.005, le=2.0)] = 0.25
    """Median length, as a share of the shorter side; log-normal."""
    width: Width = 1.0
    """Median width, pixels at a shorter side of 1024."""
    angle: Annotated[float, Field(ge=-math.pi, le=math.pi)] = math.pi / 2.0
    """Way of the scratches against x, radians; upright by default."""
    spread: Annotated[float, Field(ge=0.0, le=math.pi)] = 0.3
    """Standard deviation of their ways, radians."""
    dark: Share = 0.1
    """Share of them that is dark."""
    opacity: Share = 0.75
    """Of the strongest."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The mask is the share of the lines; where it is 0 no bit changes."""
        height, width = size = (image.shape[0], image.shape[1])
        scale = scale_of(size)
        canvases: tuple[Canvas, Canvas] = (np.zeros(size, np.uint8), np.zeros(size, np.uint8))
        for _ in range(self.count):
            length = self.length * min(size) * math.exp(0.7 * generator.standard_normal())
            way = self.angle + self.spread * generator.standard_normal()
            middle = generator.random(2) * (width, height)
            start = middle - 0.5 * length * np.array([math.cos(way), math.sin(way)])
            path = bent(generator, start, way, length, 0.25, count=25)
            thickness = self.width * scale * math.exp(0.4 * generator.standard_normal())
            value = round(255 * self.opacity * (0.35 + 0.65 * generator.random()))
            _tapered(canvases[int(generator.random() < self.dark)], path, thickness, value)
        pressure = np.clip(0.7 + 0.7 * cloud(generator, size, 70.0 * scale, octaves=4, persistence=0.7), 0.0, 1.0)
        light, dark = (np.asarray(share_of(canvas) * pressure, dtype=np.float32) for canvas in canvases)
        result = laid(laid(image, (0.06, 0.06, 0.06), dark), (0.96, 0.95, 0.92), light)
        return Degraded(result, np.maximum(light, dark))


def _tapered(canvas: Canvas, path: Points, width: float, value: int) -> None:
    """A stroke that begins and ends gently, in pieces of two steps."""
    pieces = (len(path) - 1) // 2
    for piece in range(pieces):
        force = math.sqrt(math.sin(math.pi * (piece + 0.5) / pieces))
        stroke(canvas, path[2 * piece : 2 * piece + 3], width * force, round(value * force))


class Dust(Degradation):
    """Specks and fibres on a negative or on the scanner's glass.

    On a negative they hold the light back and print white; on a print or the glass they are dark, or grey where they
    are out of focus. Sizes are log-normal, as of airborne dust (Hinds, "Aerosol Technology", 1999).
    """

    specks: Annotated[int, Field(ge=0, le=4000)]
    """Specks."""
    fibres: Annotated[int, Field(ge=0, le=200)] = 0
    """Fibres and hairs."""
    radius: Annotated[float, Field(ge=0.2, le=64.0)] = 1.4
    """Median radius of a speck, pixels at a shorter side of 1024."""
    length: Annotated[float, Field(ge=2.0, le=1024.0)] = 60.0
    """Median length of a fibre, likewise."""
    dark: Share = 0.15
    """Share that is dark."""
    opacity: Share = 0.9
    """Of the strongest."""
    softness: Annotated[float, Field(ge=0.0, le=10.0)] = 0.6
    """Standard deviation of their blur, pixels at a shorter side of 1024."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The mask is the share of specks and fibres; where it is 0 no bit changes."""
        size = (image.shape[0], image.shape[1])
        scale = scale_of(size)
        canvases: tuple[Canvas, Canvas] = (np.zeros(size, np.uint8), np.zeros(size, np.uint8))
        for _ in range(self.specks):
            _speck(canvases[int(generator.random() < self.dark)], generator, self.radius * scale, self.opacity)
        for _ in range(self.fibres):
            canvas = canvases[int(generator.random() < self.dark)]
            start = generator.random(2) * (size[1], size[0])
            length = self.length * scale * math.exp(0.5 * generator.standard_normal())
            path = bent(generator, start, generator.uniform(-math.pi, math.pi), length, 3.0)
            value = round(255 * self.opacity * (0.4 + 0.6 * generator.random()))
            stroke(canvas, path, scale * generator.uniform(0.9, 1.8), value)
        light, dark = (softened(share_of(canvas), self.softness * scale) for canvas in canvases)
        result = laid(laid(image, (0.08, 0.08, 0.07), dark), (0.95, 0.95, 0.93), light)
        return Degraded(result, np.maximum(light, dark))


def _speck(canvas: Canvas, generator: Generator, radius: float, opacity: float) -> None:
    """A small irregular polygon; below a pixel it gets paler instead of smaller."""
    height, width = canvas.shape
    radius *= math.exp(0.6 * generator.standard_normal())
    place = generator.random(2) * (width, height)
    angles = np.linspace(0.0, 2.0 * math.pi, 11, endpoint=False)
    radii = max(radius, 0.6) * generator.uniform(0.7, 1.3, 11)
    points = place + np.stack([np.cos(angles) * generator.uniform(0.6, 1.7), np.sin(angles)], axis=1) * radii[:, None]
    value = 255 * opacity * (0.4 + 0.6 * generator.random()) * min(1.0, (radius / 0.6) ** 2)
    cv2.fillPoly(canvas, [np.rint(points * 16).astype(np.int32)], round(value), cv2.LINE_AA, 4)


class Retouching(Degradation):
    """The retoucher's brush and pencil: blemishes covered with a tone that nearly matches.

    Spotting lays opaque dots on what disturbs; pencil on the negative softens shadows with fine strokes of one
    direction (R. Johnson, "A Complete Treatise on the Art of Retouching Photographic Negatives", 1898). What gives them
    away is that the tone is flat and without grain.
    """

    spots: Annotated[int, Field(ge=0, le=400)]
    """Dots of the brush."""
    hatches: Annotated[int, Field(ge=0, le=60)] = 0
    """Patches of pencil strokes."""
    radius: Annotated[float, Field(ge=0.5, le=128.0)] = 6.0
    """Median radius of a dot, pixels at a shorter side of 1024."""
    mismatch: Annotated[float, Field(ge=0.0, le=0.5)] = 0.05
    """Standard deviation of the tone's error, of the full range."""
    opacity: Share = 0.85
    """Of the paint."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The mask is the share of paint and pencil; where it is 0 no bit changes."""
        size = (image.shape[0], image.shape[1])
        scale = scale_of(size)
        flat = np.asarray(cv2.GaussianBlur(clipped(image), (0, 0), max(1.0, 9.0 * scale)), dtype=np.float32)
        result, mask = image, np.zeros(size, dtype=np.float32)
        for light in (False, True):
            canvas: Canvas = np.zeros(size, dtype=np.uint8)
            for _ in range((self.spots + int(light)) // 2):
                _speck(canvas, generator, self.radius * scale, self.opacity)
            share = softened(share_of(canvas), 0.7 * scale)
            error = np.float32(abs(self.mismatch * generator.standard_normal()) * (1.0 if light else -1.0))
            result, mask = laid(result, clipped(flat + error), share), np.maximum(mask, share)
        strokes: Canvas = np.zeros(size, dtype=np.uint8)
        for _ in range(self.hatches):
            _hatch(strokes, generator, scale)
        pencil: Plane = share_of(strokes) * np.float32(0.35 * self.opacity)
        paler = np.repeat(np.minimum(1.0, luma(flat) + 0.18)[:, :, None], 3, axis=2).astype(np.float32)
        return Degraded(laid(result, paler, pencil), np.maximum(mask, pencil))


def _hatch(canvas: Canvas, generator: Generator, scale: float) -> None:
    """Short strokes side by side."""
    height, width = canvas.shape
    place = generator.random(2) * (width, height)
    way = generator.uniform(-math.pi, math.pi)
    along = np.array([math.cos(way), math.sin(way)])
    across = np.array([-along[1], along[0]])
    for index in range(int(generator.integers(6, 18))):
        start = place + scale * (across * index * 4.0 + along * generator.normal(0.0, 4.0))
        path = bent(generator, start, way, scale * generator.uniform(14.0, 30.0), 0.3, count=8)
        stroke(canvas, path, max(0.5, 1.1 * scale), int(generator.integers(90, 220)))
