"""Spots and stains: dyes in the paper."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Plane, Size
from operators.degradations.fields import cloud, scale_of, smoothstep
from operators.degradations.layers import dyed

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Pixels = Annotated[float, Field(ge=0.5, le=1024.0)]

_RUST = (0.16, 0.40, 0.80)
_TEA = (0.10, 0.26, 0.62)


class Foxing(Degradation):
    """Rust-brown spots with a darker core.

    Fungi and traces of iron in paper and mount (Meynell and Newsam 1978, "Foxing, a fungal infection of paper", Nature
    274). Their sizes are log-normal, many small beside a few large; they come in groups.
    """

    count: Annotated[int, Field(ge=0, le=600)]
    """Spots."""
    radius: Pixels = 7.0
    """Median radius, pixels at a shorter side of 1024."""
    strength: Annotated[float, Field(ge=0.0, le=2.0)] = 0.5
    """Darkness of the spots: 1 is a density of 0.8 in the blue."""
    grouping: Share = 0.6
    """Share of the spots that lie in groups."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The mask is 1 in the core of a full spot; where it is 0 no bit changes."""
        height, width = size = (image.shape[0], image.shape[1])
        share = np.zeros(size, dtype=np.float32)
        ragged = cloud(generator, size, 14.0 * scale_of(size), octaves=3)
        groups = generator.random((max(1, self.count // 18), 2))
        for _ in range(self.count):
            place = generator.random(2)
            if generator.random() < self.grouping:
                place = groups[generator.integers(len(groups))] + 0.07 * generator.standard_normal(2)
            radius = self.radius * scale_of(size) * math.exp(0.65 * generator.standard_normal())
            depth = 0.25 + 0.75 * generator.random()
            _spot(share, ragged, (place[0] * width, place[1] * height), max(0.7, radius), depth)
        return Degraded(dyed(image, [self.strength * part for part in _RUST], share), share)


def _spot(share: Plane, ragged: Plane, place: tuple[float, float], radius: float, depth: float) -> None:
    """Add one spot: a soft ragged disc and a core."""
    reach = math.ceil(1.8 * radius)
    left, top = (max(0, math.floor(part) - reach) for part in place)
    right, bottom = math.floor(place[0]) + reach + 1, math.floor(place[1]) + reach + 1
    window = share[top : max(0, bottom), left : max(0, right)]
    if window.size == 0:
        return
    y, x = np.ogrid[top : top + window.shape[0], left : left + window.shape[1]]
    distance = np.sqrt((x - place[0]) ** 2 + (y - place[1]) ** 2) / radius
    edge = np.asarray(distance + 0.22 * ragged[top:bottom, left:right], dtype=np.float32)
    body = 0.65 * smoothstep(1.15, 0.25, edge) + 0.35 * smoothstep(0.5, 0.1, edge)
    np.maximum(window, np.float32(depth) * body, out=window)


class Stain(Degradation):
    """A liquid that ran into the paper and dried: a pale body within a dark tide line.

    What is dissolved wanders with the water to the rim, where it evaporates first, and stays there (Deegan et al. 1997,
    "Capillary flow as the cause of ring stains", Nature 389).
    """

    x: Annotated[float, Field(ge=-0.5, le=1.5)]
    """Centre, as a share of the width."""
    y: Annotated[float, Field(ge=-0.5, le=1.5)]
    """Centre, as a share of the height."""
    radius: Annotated[float, Field(ge=0.01, le=2.0)] = 0.3
    """As a share of the shorter side."""
    strength: Annotated[float, Field(ge=0.0, le=2.0)] = 0.4
    """Darkness of the body: 1 is a density of 0.62 in the blue."""
    rim: Annotated[float, Field(ge=0.0, le=3.0)] = 0.8
    """Darkness that the tide line adds, of the body's."""
    tides: Annotated[int, Field(ge=1, le=5)] = 2
    """How often it dried, each time a little further in."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The mask is 1 at the darkest of the tide line; where it is 0 no bit changes."""
        height, width = size = (image.shape[0], image.shape[1])
        side, scale = min(size), scale_of(size)
        y, x = np.ogrid[:height, :width]
        distance = np.hypot(x - self.x * width, y - self.y * height) / (self.radius * side)
        outline = 0.11 * cloud(generator, size, 0.9 * self.radius * side, octaves=5, persistence=0.45)
        front = np.asarray(distance + outline, dtype=np.float32)
        wash = np.maximum(0.0, 1.0 + 0.35 * cloud(generator, size, 120.0 * scale))
        width_of_rim = max(1.5 * scale, 0.6) / (self.radius * side)
        share = np.zeros(size, dtype=np.float32)
        for tide in range(self.tides):
            at = 1.0 - 0.17 * tide * (0.5 + generator.random())
            weight = 1.0 if tide == 0 else 0.45
            inside = smoothstep(at + width_of_rim, at - width_of_rim, front)
            body = inside * np.float32(0.55) * wash
            # Sharp outside, where the water stopped; fading inwards.
            line = inside * np.exp(-np.maximum(0.0, at - front) / np.float32(7.0 * width_of_rim))
            share = share + np.float32(weight) * np.asarray(body + self.rim * line, dtype=np.float32)
        share = np.asarray(share / np.float32(1.0 + self.rim), dtype=np.float32)
        share[share < 0.004] = 0.0
        densities = [self.strength * (1.0 + self.rim) * part for part in _TEA]
        return Degraded(dyed(image, densities, share), np.minimum(share, np.float32(1.0)))
