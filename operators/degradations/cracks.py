"""Emulsion that breaks, paper that is folded, torn or lost."""

from __future__ import annotations

import math
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Plane, Size
from operators.degradations.fields import Points, cloud, scale_of, share_of, smoothstep, softened, stroke, wandering
from operators.degradations.layers import laid

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Width = Annotated[float, Field(ge=0.1, le=64.0)]
Angle = Annotated[float, Field(ge=-math.pi, le=math.pi)]

_FIBRE = (0.90, 0.87, 0.80)
_SHADOW = (0.07, 0.06, 0.05)


class Cracks(Degradation):
    """A net of cracks: emulsion or albumen that dried, shrank or was bent until it broke.

    Shrinkage cracks part a layer into cells whose walls are nearest to two nuclei alike, as in a Voronoi diagram; a
    bent print cracks across the bend, hence the stretch (Hendriks 1991; Reilly 1986). The paper shows through, and one
    side of each crack stands up and casts a shadow on the scanner.
    """

    cell: Annotated[float, Field(ge=6.0, le=1024.0)] = 90.0
    """Width of a cell, pixels at a shorter side of 1024."""
    width: Width = 1.2
    """Of a crack, pixels at a shorter side of 1024."""
    coverage: Share = 0.5
    """Share of the picture that has cracks."""
    stretch: Annotated[float, Field(ge=1.0, le=10.0)] = 2.0
    """How much longer cells are along `angle` than across."""
    angle: Angle = 0.3
    """Way of the longer cracks against x, radians."""
    opacity: Share = 0.8
    """Of the paper that shows."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The mask is the share of crack and shadow; where it is 0 no bit changes."""
        size = (image.shape[0], image.shape[1])
        scale = scale_of(size)
        walls = self._walls(generator, size, max(4.0, self.cell * scale))
        where = cloud(generator, size, 420.0 * scale, octaves=4)
        level = float(np.quantile(where, 1.0 - self.coverage)) if self.coverage > 0.0 else math.inf
        depth = smoothstep(level - 0.25, level + 0.35, where) if math.isfinite(level) else np.zeros(size, np.float32)
        broken = smoothstep(-1.1, -0.1, cloud(generator, size, 1.5 * self.cell * scale, octaves=3))
        width = self.width * scale * np.asarray(0.35 + depth, np.float32)
        # An antialiased line: full within half its width, gone a pixel further out; thin ones are pale.
        line = np.clip(width / 2.0 + 0.5 - walls, 0.0, 1.0) * np.minimum(1.0, width)
        share = np.asarray(self.opacity * line * depth * broken, dtype=np.float32)
        share[share < 0.02] = 0.0
        shadow = _cast(share, max(1, round(self.width * scale)), 0.45)
        result = laid(laid(image, _SHADOW, shadow), _FIBRE, share)
        return Degraded(result, np.maximum(share, shadow))

    def _walls(self, generator: Generator, size: Size, cell: float) -> Plane:
        """Distance to the nearest wall between cells, pixels."""
        height, width = size
        count = max(4, round(height * width * 1.4 / (cell * cell)))
        nuclei = generator.random((count, 2)) * (width + 2 * cell, height + 2 * cell) - cell
        across = (-math.sin(self.angle), math.cos(self.angle))
        # Cells are nearest nuclei in a plane that is squeezed along the angle; waves make walls crooked.
        waves = [0.05 * cell * cloud(generator, size, 0.7 * cell, octaves=4, persistence=0.6) for _ in range(2)]
        y, x = np.mgrid[:height, :width].astype(np.float32)
        x, y = x + waves[0], y + waves[1]
        along = math.cos(self.angle), math.sin(self.angle)
        squeezed = [(px * along[0] + py * along[1]) / self.stretch for px, py in ((x, y), nuclei.T)]
        upright = [px * across[0] + py * across[1] for px, py in ((x, y), nuclei.T)]
        labels = _nearest(squeezed, upright, cell / math.sqrt(self.stretch))
        edges = np.zeros(size, dtype=np.uint8)
        edges[:, 1:] |= labels[:, 1:] != labels[:, :-1]
        edges[1:] |= labels[1:] != labels[:-1]
        distance = cv2.distanceTransform(1 - edges, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        return np.asarray(distance, dtype=np.float32)


def _nearest(along: list[NDArray[np.float32]], across: list[NDArray[np.float32]], cell: float) -> NDArray[np.int32]:
    """Number of the nucleus nearest to each pixel, through a distance transform on a grid of the squeezed plane."""
    low = np.array([min(part.min() for part in along), min(part.min() for part in across)]) - 1.0
    high = np.array([max(part.max() for part in along), max(part.max() for part in across)]) + 1.0
    fine = max(0.25, cell / 64.0)
    columns, rows = (int(extent) + 2 for extent in (high - low) / fine)
    grid = np.ones((rows, columns), dtype=np.uint8)
    grid[((across[1] - low[1]) / fine).astype(np.intp), ((along[1] - low[0]) / fine).astype(np.intp)] = 0
    labels = cv2.distanceTransformWithLabels(grid, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)[1]
    return np.asarray(
        labels[((across[0] - low[1]) / fine).astype(np.intp), ((along[0] - low[0]) / fine).astype(np.intp)], np.int32
    )


class Fold(Degradation):
    """A crease from border to border: emulsion broken along a line, and both sides bent.

    The layer breaks where the paper was folded and lets the fibres show; the slopes beside it turn towards the
    scanner's lamp and away from it.
    """

    angle: Angle
    """Of the crease against x, radians."""
    offset: Annotated[float, Field(ge=-0.75, le=0.75)] = 0.0
    """Distance of the crease from the centre, as a share of the shorter side."""
    width: Width = 2.5
    """Of the broken emulsion, pixels at a shorter side of 1024."""
    bend: Annotated[float, Field(ge=1.0, le=256.0)] = 24.0
    """Width of each bent side, likewise."""
    shade: Share = 0.18
    """How much lighter and darker the sides are."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The mask is the share of paper and shade; where it is 0 no bit changes."""
        height, width = size = (image.shape[0], image.shape[1])
        scale = scale_of(size)
        y, x = np.mgrid[:height, :width].astype(np.float32)
        normal = (-math.sin(self.angle), math.cos(self.angle))
        signed = (x - width / 2.0) * normal[0] + (y - height / 2.0) * normal[1] - self.offset * min(size)
        signed = signed + 2.0 * scale * cloud(generator, size, 260.0 * scale, octaves=5, persistence=0.55)
        ragged = cloud(generator, size, 48.0 * scale, octaves=5, persistence=0.85)
        half = self.width * scale * np.maximum(0.0, 0.42 + 0.38 * ragged)
        fibre = 0.88 + 0.10 * cloud(generator, size, 3.0 * scale, octaves=2)
        share = np.clip((half + 0.5 - np.abs(signed)), 0.0, 1.0) * np.clip(2.0 * half, 0.0, 1.0)
        share = np.asarray(share * np.clip(fibre, 0.0, 1.0), dtype=np.float32)
        share[share < 0.02] = 0.0
        slope = np.asarray(self.shade * np.exp(-np.abs(signed) / np.float32(self.bend * scale)), dtype=np.float32)
        slope[slope < 0.01] = 0.0
        dark, light = np.where(signed > 0, slope, 0.0), np.where(signed <= 0, slope * 0.6, 0.0)
        result = laid(laid(image, (0.05, 0.05, 0.05), dark.astype(np.float32)), (0.95,) * 3, light.astype(np.float32))
        return Degraded(laid(result, _FIBRE, share), np.maximum(share, dark + light).astype(np.float32))


class Tear(Degradation):
    """A tear from the border inwards: the layers part at different places, and the white core of the paper shows.

    Torn paper is fractal (its roughness exponent is near 0.6; Kertesz, Horvath and Weber 1993); a Brownian path,
    of exponent 0.5, is smoothed a little for it.
    """

    start: Share
    """Where on the border it begins, as a share of the way round from the top left, clockwise."""
    angle: Annotated[float, Field(ge=-1.4, le=1.4)] = 0.2
    """Of its way in, against the perpendicular to that border, radians."""
    length: Annotated[float, Field(ge=0.01, le=1.5)] = 0.3
    """As a share of the shorter side."""
    width: Width = 7.0
    """Of the core that shows, pixels at a shorter side of 1024, at the border; it narrows to the end."""
    wander: Annotated[float, Field(ge=0.0, le=0.5)] = 0.06
    """How far it strays from straight, as a share of its length."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The mask is the share of core and shadow; where it is 0 no bit changes."""
        size = (image.shape[0], image.shape[1])
        scale = scale_of(size)
        begin, inward = _on_border(self.start, size)
        way = inward + self.angle
        end = begin + self.length * min(size) * np.array([math.cos(way), math.sin(way)])
        count = max(8, round(self.length * min(size) / 3.0))
        path = wandering(generator, begin, end, self.wander, count)
        canvas = np.zeros(size, dtype=np.uint8)
        # The core shows on one side of the way, where the upper layer went with the other piece.
        rough = np.abs(1.0 + 0.9 * np.cumsum(generator.standard_normal(count)) / math.sqrt(count))
        rough = rough * generator.uniform(0.75, 1.25, count)
        taper = np.sqrt(np.linspace(1.0, 0.0, count))
        half = self.width * scale * rough * taper / 2.0
        side = np.array([-math.sin(way), math.cos(way)])
        outline = np.concatenate([path + 1.7 * side * half[:, None], (path - 0.3 * side * half[:, None])[::-1]])
        cv2.fillPoly(canvas, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        stroke(canvas, path, max(0.8, 1.2 * scale))
        share = share_of(canvas)
        shadow = _cast(share, max(1, round(2.0 * scale)), 0.6)
        fibres = np.clip(0.90 + 0.05 * cloud(generator, size, 4.0 * scale, octaves=3), 0.0, 1.0)
        core = np.asarray(fibres[:, :, None] * np.array([1.0, 0.98, 0.94]), dtype=np.float32)
        return Degraded(laid(laid(image, _SHADOW, shadow), core, share), np.maximum(share, shadow))


class MissingCorner(Degradation):
    """A corner that is gone: its torn edge, and what lies under the print."""

    corner: Annotated[int, Field(ge=0, le=3)]
    """0 top left, 1 top right, 2 bottom right, 3 bottom left."""
    size: Annotated[float, Field(ge=0.005, le=0.8)] = 0.12
    """Length of the missing piece along the border, as a share of the shorter side."""
    slant: Annotated[float, Field(ge=0.2, le=5.0)] = 1.0
    """Its height over its width."""
    under: Share = 0.06
    """Grey value of what lies under it: the scanner's lid or the mount."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The mask is 1 where the print is gone; where it is 0 no bit changes."""
        height, width = size = (image.shape[0], image.shape[1])
        scale, length = scale_of(size), self.size * min(size)
        y, x = np.ogrid[:height, :width]
        x = x if self.corner in (0, 3) else width - 1 - x
        y = y if self.corner in (0, 1) else height - 1 - y
        rough = cloud(generator, size, 0.5 * length + 4.0, octaves=6, persistence=0.55)
        line = np.asarray(x + y / self.slant + 0.10 * length * rough - length, dtype=np.float32)
        gone = np.clip(0.5 - line, 0.0, 1.0).astype(np.float32)
        ragged = np.maximum(0.0, 1.0 + 0.7 * cloud(generator, size, 22.0 * scale, octaves=4, persistence=0.6))
        core = np.clip(5.0 * scale * ragged + 0.5 - line, 0.0, 1.0).astype(np.float32)
        result = laid(laid(image, _FIBRE, core), (self.under,) * 3, gone)
        return Degraded(result, np.maximum(core, gone))


def _cast(share: Plane, distance: int, strength: float) -> Plane:
    """The shadow that something standing up casts to the lower right, where it does not cover it itself."""
    moved = np.zeros_like(share)
    moved[distance:, distance:] = share[:-distance, :-distance]
    shadow = softened(moved, 0.5 * distance) * (1.0 - share) * np.float32(strength)
    return np.asarray(np.where(shadow < 0.01, 0.0, shadow), dtype=np.float32)


def _on_border(share: float, size: Size) -> tuple[Points, float]:
    """A point of the border, and the direction from it into the picture."""
    height, width = float(size[0] - 1), float(size[1] - 1)
    way = (share % 1.0) * 2.0 * (height + width)
    if way < width:
        return np.array([way, 0.0]), math.pi / 2.0
    if way < width + height:
        return np.array([width, way - width]), math.pi
    if way < 2.0 * width + height:
        return np.array([2.0 * width + height - way, height]), -math.pi / 2.0
    return np.array([0.0, 2.0 * (width + height) - way]), 0.0
