"""Settings of the restorer `completion`; free of torch, so that job files can be read without it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from operators.damage.kinds import KINDS, Kind
from operators.engines.options import EngineOptions
from operators.faces.templates import template_names

UNSAID_VALUE = 0.5
"""Value of an attribute of which neither the catalogue nor the job says anything: as likely as not."""

Seen = Literal["damage", "occlusion"]
"""What is looked for in a crop: damage of the photograph, or things in front of the face."""

EVEN = 0.5
"""Least probability of an occlusion, where nothing else is said."""
ANY_ENGINE = EngineOptions()
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class CompletionOptions:
    """What the restorer does with a face of which a part is missing.

    Attributes:
        model: name of the model file that completes faces.
        sha256: content hash that the file must have, in lower-case hex.
        template: alignment template that the model was trained on.
        size: side in pixels of the crops that the model takes, a power of two.
        names: of the model's attributes, in the order of its input; empty for a model without any.
        attributes: values by name, 0 to 1, for faces of which the catalogue says nothing.
        keep_tone: pictures of one tone stay so.
        engine: what executes the network.

    Raises:
        ValueError: a value is not one of these, or an attribute is none of the model's.
    """

    model: str
    sha256: str
    size: int
    template: str = "ffhq"
    names: tuple[str, ...] = ()
    attributes: Mapping[str, float] | None = None
    keep_tone: bool = True
    engine: EngineOptions = ANY_ENGINE

    def __post_init__(self) -> None:
        check_model(self.model, self.sha256)
        if self.template not in template_names():
            raise ValueError(f"template: {self.template!r} found, expected one of {', '.join(template_names())}")
        if not isinstance(self.size, int) or self.size < 4 or self.size & (self.size - 1):
            raise ValueError(f"size: {self.size!r} found, expected a power of two from 4")
        if not isinstance(self.keep_tone, bool):
            raise ValueError(f"keep_tone: {self.keep_tone!r} found, expected true or false")
        check_names(self.names)
        for name, value in (self.attributes or {}).items():
            check_attribute(name, value, self.names)


@dataclass(frozen=True)
class SeeingOptions:
    """How the missing parts of a crop are seen in the crop itself.

    Attributes:
        source: what is looked for.
        kinds: of damage, as `operators.damage.kinds` names them.
        certainty: least probability of a pixel, above 0, at most 1; None is what the detector has for each kind of
            damage, and `EVEN` for an occlusion.
        model: name of the model that sees occlusions; empty for damage.
        sha256: content hash that its file must have.
        classes: numbers of its classes that hide a face.
        grow: crop pixels around what was seen that are made anew too.
        specks: parts of fewer crop pixels are dropped, before growing.
        engine: what executes the network.

    Raises:
        ValueError: a value is not one of these.
    """

    source: Seen
    kinds: tuple[Kind, ...] = ()
    certainty: float | None = None
    model: str = ""
    sha256: str = ""
    classes: tuple[int, ...] = ()
    grow: float = 2.0
    specks: int = 0
    engine: EngineOptions = ANY_ENGINE

    def __post_init__(self) -> None:
        if self.source not in get_args(Seen):
            raise ValueError(f"source: {self.source!r} found, expected one of {', '.join(get_args(Seen))}")
        if self.certainty is not None and not 0.0 < self.certainty <= 1.0:
            raise ValueError(f"certainty: {self.certainty!r} found, expected a number above 0, at most 1, or None")
        if self.grow < 0.0 or self.specks < 0:
            raise ValueError(f"grow {self.grow!r} and specks {self.specks!r}: expected numbers from 0")
        if self.source == "damage" and (not self.kinds or not set(self.kinds) <= set(KINDS)):
            raise ValueError(f"kinds: {self.kinds!r} found, expected some of {', '.join(KINDS)}")
        if self.source == "occlusion":
            check_model(self.model, self.sha256)
            if not self.classes or any(number < 0 for number in self.classes):
                raise ValueError(f"classes: {self.classes!r} found, expected the numbers of classes that hide a face")


def check_model(model: object, sha256: object) -> None:
    """Refuse what is no name and no hash of a model file.

    Raises:
        ValueError: says so.
    """
    if not isinstance(model, str) or not model:
        raise ValueError(f"model: {model!r} found, expected the name of a model file")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError(f"sha256: {sha256!r} found, expected 64 lower-case hexadecimal digits")


def check_names(names: tuple[str, ...]) -> None:
    """Refuse names of attributes that are no words, or that stand twice.

    Raises:
        ValueError: says which.
    """
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"attribute {name!r}: expected a word of letters, digits, '-' and '_'")
        if names.count(name) > 1:
            raise ValueError(f"attribute {name!r} is named twice")


def check_attribute(name: str, value: object, names: tuple[str, ...]) -> None:
    """Refuse an attribute that the model does not have, and a value that none can have.

    Raises:
        ValueError: says what there is.
    """
    if name not in names:
        known = ", ".join(names) or "none"
        raise ValueError(f"attribute {name!r}: the model has no such attribute (known: {known})")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0.0 <= value <= 1.0:  # type: ignore[arg-type, operator]
        raise ValueError(f"attribute {name!r}: {value!r} found, expected a number from 0 to 1")
