"""What toners and time do to the colours of a print."""

from __future__ import annotations

from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Size
from operators.degradations.fields import border_distance, cloud, scale_of, smoothstep
from operators.degradations.layers import along_rows, between, clipped, density, from_density, in_channels, luma

Share = Annotated[float, Field(ge=0.0, le=1.0)]

_TONERS = {"sepia": (0.78, 1.04, 1.26), "selenium": (0.94, 1.06, 1.00), "gold": (1.05, 1.00, 0.93)}
"""Densities for red, green and blue of the toned image, of those of the silver it replaces. Estimated from
descriptions and reproductions of toned prints, not measured."""


class Toning(Degradation):
    """A silver image turned into another substance, and grey into its colour.

    Sepia bleaches the silver and turns it into silver sulphide, brown and from the lights on; selenium turns the
    shadows into silver selenide first, cold purple-brown, and deepens them; gold goes blue (Adams, "The Print", 1983;
    Rudman, "The Photographer's Toning Book", 2003).
    """

    toner: Literal["sepia", "selenium", "gold"]
    """Which."""
    strength: Share = 1.0
    """How far it went."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Takes the luma of a colour image."""
        grey = density(clipped(luma(image)))
        if self.toner == "selenium":
            reached = smoothstep(0.25, 1.1, grey * np.float32(0.6 + self.strength))
        elif self.toner == "sepia":
            # Bleach reaches the lights first: partial toning leaves neutral blacks.
            reached = 1.0 - (1.0 - self.strength) * smoothstep(0.2, 1.6, grey)
        else:
            reached = np.ones_like(grey)
        amount = np.float32(self.strength) * reached
        planes = [grey * (1.0 + amount * (np.float32(factor) - np.float32(1.0))) for factor in _TONERS[self.toner]]
        return Degraded(from_density(np.asarray(cv2.merge(planes), dtype=np.float32)))


class Yellowing(Degradation):
    """Paper, sizing and albumen that turn yellow: a density that grows everywhere, most in the blue.

    Lignin and gelatin oxidise, faster towards the edges where air and acid mounts reach (Reilly, "Care and
    Identification of 19th-Century Photographic Prints", 1986).
    """

    strength: Annotated[float, Field(ge=0.0, le=1.5)]
    """Density that the blue gains in the middle of the picture."""
    edges: Annotated[float, Field(ge=0.0, le=3.0)] = 0.5
    """How much more it is at the border, as a share."""
    mottle: Annotated[float, Field(ge=0.0, le=1.0)] = 0.15
    """Standard deviation over the picture, as a share."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        size = (image.shape[0], image.shape[1])
        near = np.exp(border_distance(size) * np.float32(-8.0))
        field = 1.0 + self.edges * near + self.mottle * cloud(generator, size, 400.0 * scale_of(size))
        share = in_channels(np.maximum(field, 0.0)) * along_rows((0.08, 0.34, 1.0), size[1])
        return Degraded(from_density(density(clipped(image)) + np.float32(self.strength) * share))


class Fading(Degradation):
    """Dyes or silver that fade, each channel at its own rate, and stain that grows.

    A channel's density D becomes D (1 - loss) + stain. In the dark the cyan dye of chromogenic prints of the 1950s to
    1970s goes first and the picture turns red, in light the magenta; the whites get a yellow stain (Wilhelm and Brower,
    "The Permanence and Care of Color Photographs", 1993). Red shows the cyan dye, green the magenta, blue the yellow.
    """

    silver: Share = 0.0
    """Share of the density that all three channels have lost alike: a silver image that fades keeps its tone."""
    cyan: Share = 0.0
    """Share of its density that the cyan dye has lost."""
    magenta: Share = 0.0
    """Likewise magenta."""
    yellow: Share = 0.0
    """Likewise yellow."""
    stain: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Density that the whites gain in the blue."""
    unevenness: Share = 0.0
    """Standard deviation of the losses over the picture, as a share of them."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped to [0, 1]."""
        size = (image.shape[0], image.shape[1])
        dyes = np.array([self.cyan, self.magenta, self.yellow], dtype=np.float32)
        losses = along_rows(1.0 - (1.0 - np.float32(self.silver)) * (1.0 - dyes), size[1])
        if self.unevenness > 0.0:
            field = 1.0 + self.unevenness * cloud(generator, size, 700.0 * scale_of(size))
            losses = np.clip(losses * in_channels(np.asarray(field, np.float32)), 0.0, 1.0)
        stain = along_rows((0.08, 0.25, 1.0), size[1]) * np.float32(self.stain)
        # Densities above 2 are the print's deepest black, which a display's 0 stands for.
        densities = np.minimum(density(clipped(image)), np.float32(2.0))
        return Degraded(from_density(np.asarray(densities * (1.0 - losses) + stain, dtype=np.float32)))


class SilverMirroring(Degradation):
    """Silvering: a bluish metallic sheen in the shadows, from the edges inwards.

    Silver oxidised by air and bad mounts wanders to the surface and is reduced there to a mirror, which a scanner's
    lamp lights up (Hendriks, "Fundamentals of Photograph Conservation", 1991). It lies where there was most silver.
    """

    strength: Share
    """Share of the light that the sheen replaces at most."""
    reach: Annotated[float, Field(ge=0.01, le=2.0)] = 0.15
    """How far it reaches in, as a share of the shorter side."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The mask is the sheen's share; where it is 0 no bit changes."""
        size = (image.shape[0], image.shape[1])
        scale = scale_of(size)
        ragged = border_distance(size) / self.reach + 0.35 * cloud(generator, size, 220.0 * scale, octaves=4)
        near = smoothstep(1.3, 0.0, np.asarray(ragged, np.float32))
        dark = smoothstep(0.62, 0.08, luma(clipped(image)))
        speckle = 1.0 + 0.08 * cloud(generator, size, 5.0 * scale, octaves=2)
        share = np.clip(self.strength * near * dark * speckle, 0.0, 1.0).astype(np.float32)
        share[share < 0.01] = 0.0
        sheen = along_rows((0.60, 0.65, 0.72), size[1])
        lit = np.asarray(np.maximum(image, image * 0.35 + sheen * 0.65), dtype=np.float32)
        return Degraded(between(image, lit, share), share)
