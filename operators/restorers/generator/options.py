"""Settings of the restorers with weights; free of torch, so that job files can be read without it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

from operators.engines.options import EngineOptions
from operators.faces.templates import template_names

Task = Literal["restore", "colorize", "inpaint", "seg2face"]

ANY_ENGINE = EngineOptions()
"""The fastest that the machine has."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SMALLEST, _LARGEST = 8, 4096


@dataclass(frozen=True)
class GfpganOptions:
    """What the GFPGAN restorer does with a face.

    Attributes:
        model: name of the model file, such as `gfpgan-1.4`; the restorer goes by it.
        sha256: content hash that the file must have, in lower-case hex.
        template: alignment template that the model was trained on.
        size: side in pixels of the crops that the model takes, a power of two.
        fidelity: share of the face as it came in the result: 0 is the generator's, 1 the input exactly.
        sft_strength: share of the spatial feature transform, by which the face as it came guides the generator's
            features (section 3.4 of the paper): 1 as published, 0 leaves it only the latent code.
        clean_first: share of what the classic restorer would take away (grain, JPEG artefacts, white defects) that is
            taken away before the network sees the face, 0 to 1.
        keep_tone: pictures of one tone stay so.
        engine: what executes the network.

    Raises:
        ValueError: a value is not one of these.
    """

    model: str
    sha256: str
    template: str = "ffhq"
    size: int = 512
    fidelity: float = 0.0
    sft_strength: float = 1.0
    clean_first: float = 0.0
    keep_tone: bool = True
    engine: EngineOptions = ANY_ENGINE

    def __post_init__(self) -> None:
        _check_model(self.model, self.sha256, self.template, self.size)
        _check_use(self.fidelity, self.keep_tone, self.engine)
        _check_share("sft_strength", self.sft_strength)
        _check_share("clean_first", self.clean_first)


@dataclass(frozen=True)
class GpenOptions:
    """What the GPEN restorer does with a face.

    Attributes:
        model: name of the model file, such as `gpen-bfr-512`; the restorer goes by it.
        sha256: content hash that the file must have, in lower-case hex.
        template: alignment template that the model was trained on.
        size: side in pixels of the crops that the model takes, a power of two.
        task: what the model was trained for: `restore`; `colorize` gives a grey face colours; `inpaint` makes the
            masked parts of a face anew; `seg2face` makes a face of a segmentation map.
        fidelity: share of the face as it came in the result: 0 is the generator's, 1 the input exactly. 0 for
            `seg2face`, whose input is no face.
        clean_first: share of what the classic restorer would take away (grain, JPEG artefacts, white defects) that is
            taken away before the network sees the face, 0 to 1; 0 for other tasks than `restore`.
        keep_tone: pictures of one tone stay so; with `colorize`, the face keeps its luma and takes only colours.
        engine: what executes the network.

    Raises:
        ValueError: a value is not one of these.
    """

    model: str
    sha256: str
    template: str = "gpen"
    size: int = 512
    task: Task = "restore"
    fidelity: float = 0.0
    clean_first: float = 0.0
    keep_tone: bool = True
    engine: EngineOptions = ANY_ENGINE

    def __post_init__(self) -> None:
        _check_model(self.model, self.sha256, self.template, self.size)
        _check_use(self.fidelity, self.keep_tone, self.engine)
        if self.task not in get_args(Task):
            raise ValueError(f"task: {self.task!r} found, expected one of {', '.join(get_args(Task))}")
        _check_share("clean_first", self.clean_first)
        if self.clean_first > 0 and self.task != "restore":
            raise ValueError(f"clean_first: {self.clean_first:g} found with task {self.task}: expected 0")
        if self.task == "seg2face" and self.fidelity > 0:
            raise ValueError(
                f"fidelity: {self.fidelity:g} found with task seg2face, whose input is no face: expected 0"
            )


def _check_model(model: object, sha256: object, template: object, size: object) -> None:
    if not isinstance(model, str) or not model:
        raise ValueError(f"model: {model!r} found, expected the name of a model file")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError(f"sha256: {sha256!r} found, expected 64 lower-case hexadecimal digits")
    if template not in template_names():
        raise ValueError(f"template: {template!r} found, expected one of {', '.join(template_names())}")
    whole = isinstance(size, int) and not isinstance(size, bool)
    if not whole or not _SMALLEST <= size <= _LARGEST or size & (size - 1):  # type: ignore[operator]
        raise ValueError(f"size: {size!r} found, expected a power of two from {_SMALLEST} to {_LARGEST}")


def _check_use(fidelity: object, keep_tone: object, engine: object) -> None:
    _check_share("fidelity", fidelity)
    if not isinstance(keep_tone, bool):
        raise ValueError(f"keep_tone: {keep_tone!r} found, expected true or false")
    if not isinstance(engine, EngineOptions):
        raise ValueError(f"engine: {engine!r} found, expected EngineOptions")


def _check_share(name: str, value: object) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or not 0.0 <= value <= 1.0
    ):
        raise ValueError(f"{name}: {value!r} found, expected a number from 0 to 1")
