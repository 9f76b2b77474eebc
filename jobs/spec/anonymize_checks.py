"""What a job that makes faces unrecognisable takes as its defaults, and what it cannot have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from pydantic import BaseModel

from jobs.spec.background import Background
from jobs.spec.detect import Detect
from jobs.spec.inversion_checks import PRIORS
from jobs.spec.model_names import ModelNames
from jobs.spec.overlap import inside
from jobs.spec.problems import Finding, listed
from jobs.spec.restore import AnonymizeRestore
from jobs.spec.score import Gate, Score

MAX_IDENTITY = 0.3
"""Default of `score.gate.max_identity`."""
HIGHEST_IDENTITY = 0.45
"""The highest similarity among 16,000 pairs of different people; above it a threshold would let people through."""

_DETECT = {"min_confidence": 0.5, "min_eye_distance": 6.0, "turned_confidence": 0.75}
_GATE = {
    "min_identity": None,
    "max_confidence_drop": None,
    "min_sharpness_ratio": None,
    "max_niqe_rise": None,
    "max_brightness_shift": None,
    "max_identity": MAX_IDENTITY,
    "on_fail": "quarantine",
}
AnyBlock = TypeVar("AnyBlock", bound=BaseModel)


def with_defaults(
    restore: AnonymizeRestore, detect: Detect | None, score: Score | None
) -> tuple[AnonymizeRestore, Detect | None, Score | None]:
    """Blocks with what is else than in a job that restores, wherever the job file is silent.

    More faces are found, faces of every size are covered, and the gate wants no likeness.
    """
    restore = _filled(restore, {"oversize": "reduce"})
    detect = detect if detect is None else _filled(detect, _DETECT)
    if score is not None:
        score = score.model_copy(update={"gate": _filled(score.gate, _GATE)})
    return restore, detect, score


def _filled(block: AnyBlock, defaults: Mapping[str, object]) -> AnyBlock:
    missing = {key: value for key, value in defaults.items() if key not in block.model_fields_set}
    # Its set of given keys stays: what the job file did not say is not found fault with.
    given = set(block.model_fields_set)
    filled = block.model_copy(update=missing)
    filled.__pydantic_fields_set__.clear()
    filled.__pydantic_fields_set__.update(given)
    return filled


def check_passcode_place(restore: AnonymizeRestore, output: str) -> Iterator[Finding]:
    """A passcode that would be published with the pictures; `output` is where those go."""
    file = restore.options.passcode_file
    if file is not None and inside(file, output):
        message = "lies in the output, beside the pictures that it opens; put it where nobody else reads"
        yield Finding(("restore", "options", "passcode_file"), message)


def check_anonymize(
    restore: AnonymizeRestore, detect: Detect | None, score: Score | None, background: Background | None = None
) -> Iterator[Finding]:
    """Keys by which a face could be left as it was, and keys without effect."""
    yield from _check_options(restore)
    if background is not None:
        message = "is not for model: anonymize, whose pictures change where faces are and nowhere else; remove it"
        yield Finding(("background",), message, at_key=True)
    for key, allowed in (("oversize", "reduce"), ("mask", "auto"), ("strength", 1.0)):
        if getattr(restore, key) != allowed:
            message = f"would leave faces to be seen with model: anonymize, which takes {allowed} only; remove it"
            yield Finding(("restore", key), message, at_key=True)
    if "max_reduction" in restore.model_fields_set:
        message = "has no effect with model: anonymize, which covers faces of any size; remove it"
        yield Finding(("restore", "max_reduction"), message, at_key=True)
    if "engine" in restore.model_fields_set:
        message = "has no effect with model: anonymize, which draws faces on the CPU; remove it"
        yield Finding(("restore", "engine"), message, at_key=True)
    if detect is not None and detect.aligned:
        message = "found true; model: anonymize looks for the faces itself, so that none beside it is missed: remove it"
        yield Finding(("detect", "aligned"), message, at_key=True)
    if score is not None:
        yield from _check_gate(score.gate)
        if "identity" not in score.measures:
            message = "lacks 'identity', without which nobody knows whether a face can still be recognised; add it"
            yield Finding(("score", "measures"), message, at_key=True)


def check_prior(restore: AnonymizeRestore, names: ModelNames) -> Iterator[Finding]:
    """A model that is known, and draws no faces."""
    prior = restore.options.prior
    known = names.checkpoint(prior) if prior is not None else None
    if known is not None and known.architecture not in PRIORS:
        message = f"found '{prior}', a {known.architecture}, which draws no faces; expected a model of {listed(PRIORS)}"
        yield Finding(("restore", "options", "prior"), message)


def _check_options(restore: AnonymizeRestore) -> Iterator[Finding]:
    options = restore.options
    given, path = options.model_fields_set, ("restore", "options")
    if (options.method == "generated") != (options.prior is not None):
        message = (
            "missing; the method generated needs the name of a model that draws faces"
            if options.prior is None
            else f"has no effect with method: {options.method}; it is for generated: remove it"
        )
        yield Finding((*path, "prior"), message, at_key=True)
    if "colour" in given and options.method != "fill":
        yield Finding((*path, "colour"), f"has no effect with method: {options.method}; it is for fill", at_key=True)
    if options.passcode is not None and options.passcode_file is not None:
        yield Finding((*path, "passcode_file"), "found beside passcode; keep one of the two", at_key=True)


def _check_gate(gate: Gate) -> Iterator[Finding]:
    path = ("score", "gate")
    if gate.min_identity is not None:
        message = "found with model: anonymize, whose faces must not be recognised; set max_identity and remove this"
        yield Finding((*path, "min_identity"), message, at_key=True)
    if gate.max_identity is None or gate.max_identity > HIGHEST_IDENTITY:
        found = "null" if gate.max_identity is None else f"{gate.max_identity:g}"
        message = f"found {found}; with model: anonymize expected a number up to {HIGHEST_IDENTITY:g}"
        yield Finding((*path, "max_identity"), message, at_key=True)
    if gate.on_fail == "keep_original":
        message = "found keep_original, which would show the face; with model: anonymize write quarantine or flag"
        yield Finding((*path, "on_fail"), message, at_key=True)


def check_likeness(score: Score) -> Iterator[Finding]:
    """A threshold of another kind of restorer."""
    if score.gate.max_identity is not None:
        message = "is for model: anonymize; a restored face should be like the original: remove it"
        yield Finding(("score", "gate", "max_identity"), message, at_key=True)
