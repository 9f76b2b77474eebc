"""The tasks of an inversion as degradations; free of torch until a step is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from operators.inversion.resampling import Resampler
    from operators.inversion.steps import Step

Task = Literal["reconstruct", "colorize", "super_resolve", "inpaint", "denoise", "recipe"]
TASKS: tuple[Task, ...] = ("reconstruct", "colorize", "super_resolve", "inpaint", "denoise", "recipe")

USES: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "grey": ("Grey", ()),
        "resize": ("Resize", ("factor", "resampler")),
        "mask": ("Mask", ()),
        "blur": ("Blur", ("sigma",)),
        "brightness": ("Brightness", ("factor",)),
        "contrast": ("Contrast", ("factor",)),
        "saturation": ("Saturation", ("factor",)),
        "haze": ("Haze", ("alpha",)),
        "colour-shift": ("ColourShift", ("red", "green", "blue")),
    }
)
"""Steps of a recipe by the name that a job file uses: their class in `steps`, and their parameters."""


def steps_of(
    task: Task, factor: float = 4.0, resampler: Resampler = "area", recipe: Sequence[Mapping[str, Any]] = ()
) -> tuple[Step, ...]:
    """What a task's pictures go through before they are compared.

    Args:
        task: `reconstruct` and `denoise` compare them as they are.
        factor: of `super_resolve`.
        resampler: of `super_resolve`.
        recipe: of `recipe`: mappings with `use`, a key of `USES`, and the step's parameters.

    Raises:
        ValueError: a step is unknown, lacks a parameter, or has one that it does not take or allow.
    """
    from operators.inversion import steps  # noqa: PLC0415 - imports torch

    if task == "colorize":
        return (steps.Grey(),)
    if task == "super_resolve":
        return (steps.Resize(factor, resampler),)
    if task == "inpaint":
        return (steps.Mask(),)
    return tuple(_step(index, step) for index, step in enumerate(recipe)) if task == "recipe" else ()


def needs_mask(task: Task, recipe: Sequence[Mapping[str, Any]] = ()) -> bool:
    """Whether a task hides what a mask marks."""
    return task == "inpaint" or (task == "recipe" and any(step.get("use") == "mask" for step in recipe))


def _step(index: int, step: Mapping[str, Any]) -> Step:
    from operators.inversion import steps  # noqa: PLC0415 - imports torch

    use = str(step.get("use"))
    if use not in USES:
        raise ValueError(f"step {index}: use {use!r} found, expected one of {', '.join(USES)}")
    name, takes = USES[use]
    given = {key: value for key, value in step.items() if key != "use"}
    for key in given:
        if key not in takes:
            raise ValueError(f"step {index} ({use}): {key!r} found, expected {' and '.join(takes) or 'no parameter'}")
    kind = getattr(steps, name)
    lacking = [
        item.name for item in dataclasses.fields(kind) if item.default is dataclasses.MISSING and item.name not in given
    ]
    if lacking:
        raise ValueError(f"step {index} ({use}): needs {' and '.join(lacking)}")
    made: Step = kind(**given)
    return made
