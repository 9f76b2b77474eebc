"""Settings of the restorer `completion` as a job file writes them."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jobs.spec.common import Block, Text
from operators.damage.kinds import Kind

HoleSource = Literal["files", "alpha", "colour", "damage", "occlusion"]
HEX = re.compile(r"#[0-9a-fA-F]{6}")


def check_colour(text: str) -> str:
    """A colour as web pages write it, such as `#ff00ff`.

    Raises:
        ValueError: says what is expected.
    """
    if not HEX.fullmatch(text):
        raise ValueError("expected a colour such as '#ff00ff': red, green and blue, two hexadecimal digits each")
    return text.lower()


Colour = Annotated[str, AfterValidator(check_colour), Field(json_schema_extra={"pattern": f"^{HEX.pattern}$"})]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class CompletionSettings(Block):
    """What of a face is made anew, and by which network."""

    network: Text
    """Name of the model that completes faces."""
    holes: HoleSource = "files"
    """Where it is said what is missing: mask images, transparency, a key colour, damage or things that hide a face."""
    masks: Text | None = None
    """Holes from files: folder of mask images, white where the picture is made anew."""
    colour: Colour | None = None
    """Holes by colour: the colour painted on what is missing, such as '#ff00ff'."""
    tolerance: Share = 0.02
    """Holes by colour: most that red, green or blue may differ from it, 0 to 1."""
    damage: Annotated[tuple[Kind, ...], Field(strict=False)] = ("tear", "corner", "stamp")
    """Holes by damage: which kinds; half of what is found as a scratch at 512 pixels is none."""
    occlusion: Text | None = None
    """Holes by occlusion: name of the model that sees what hides a face."""
    classes: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False)] = ()
    """Holes by occlusion: numbers of its classes that hide a face."""
    certainty: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    """Holes by damage or occlusion: least probability of a pixel, above 0; null is the detector's own, or one half."""
    grow: float = Field(default=2.0, ge=0.0, le=64.0)
    """Pixels of the restorer's crop around a hole that are made anew with it."""
    specks: int = Field(default=0, ge=0, le=1_000_000)
    """Holes smaller than so many pixels of the restorer's crop are left alone."""
    keep_tone: bool = True
    """Whether a grey or sepia picture keeps its tone."""
    attributes: dict[Text, Share] = Field(default={})
    """What the new part is to look like: values of the network's attributes by name, 0 to 1."""
    catalogue: dict[Text, Text] = Field(default={})
    """Attributes that the catalogue knows: the column of each, by the attribute's name."""
