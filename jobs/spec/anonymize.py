"""Settings of the restorer `anonymize` as a job file writes them."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jobs.spec.common import Block, Text

Method = Literal["blur", "pixelate", "mean", "generated", "fill"]
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def check_passcode(text: str) -> str:
    """A reference to a variable and nothing else; a passcode itself is refused, and not repeated.

    Raises:
        ValueError: says what is expected.
    """
    if not _VARIABLE.fullmatch(text):
        raise ValueError("expected ${NAME}, a variable of the environment and nothing beside it; never a passcode")
    return text


def check_colour(text: str) -> str:
    """`auto` or `#rrggbb`.

    Raises:
        ValueError: says what is expected.
    """
    if text != "auto" and not _COLOUR.fullmatch(text):
        raise ValueError("expected auto, or six hexadecimal digits such as '#808080'")
    return text


class AnonymizeSettings(Block):
    """How faces are made unrecognisable."""

    method: Method = "pixelate"
    """What is shown in a face's place: soft or hard cells, a mean face, a face that a prior draws, or a colour."""
    cell: float = Field(default=0.6, ge=0.25, le=2.0)
    """Side of the cells of blur and pixelate, in distances between the eyes."""
    margin: float = Field(default=1.0, ge=1.0, le=1.4)
    """Factor of the oval that is covered: at 1 from above the hairline to below the chin, and both ears."""
    colour: Annotated[
        str, AfterValidator(check_colour), Field(json_schema_extra={"pattern": "^(auto|#[0-9a-fA-F]{6})$"})
    ] = "auto"
    """Of the method fill: '#rrggbb', or auto for the mean colour around the head."""
    prior: Text | None = None
    """Name of the model that draws the faces of the method generated."""
    passcode: (
        Annotated[str, AfterValidator(check_passcode), Field(json_schema_extra={"pattern": _VARIABLE.pattern})] | None
    ) = None
    """Variable of the environment, as ${NAME}, with the passcode that originals are sealed with; null seals nothing."""
    passcode_file: Text | None = None
    """Instead of it: a file whose first line is the passcode."""

    @property
    def seals(self) -> bool:
        """Whether the originals are sealed in the sidecars."""
        return self.passcode is not None or self.passcode_file is not None
