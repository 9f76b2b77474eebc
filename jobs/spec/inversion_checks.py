"""What cannot be among the settings of the restorer `inversion`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from jobs.spec.inversion import InversionSettings
from jobs.spec.model_names import ModelNames
from jobs.spec.problems import Finding, KeyPath, listed
from jobs.spec.restore import InversionRestore
from jobs.spec.uris import SCHEME
from operators.inversion.tasks import USES, needs_mask

PRIORS = ("pggan", "stylegan2", "mobilestylegan")
"""Architectures that are priors, as `operators.inversion.priors.choose` has them, whose import would bring torch."""
OF_TASK: Mapping[str, str] = {"factor": "super_resolve", "resampler": "super_resolve", "recipe": "recipe"}
_OPTIONAL = {"resize": ("resampler",), "colour-shift": ("red", "green", "blue")}


def check_inversion(restore: InversionRestore, names: ModelNames) -> Iterator[Finding]:
    """Keys of another task, keys that are missing, steps with the wrong keys, and models that are no priors."""
    settings, place = restore.options, ("restore", "options")
    for key in sorted(settings.model_fields_set & OF_TASK.keys()):
        if settings.task != OF_TASK[key]:
            message = f"has no effect with task: {settings.task}; it is for task: {OF_TASK[key]}; remove it"
            yield Finding((*place, key), message, at_key=True)
    yield from _masks(settings, place)
    if settings.task == "recipe" and not settings.recipe:
        yield Finding((*place, "recipe"), "missing; with task: recipe it is what happened to the face, step by step")
    for index, step in enumerate(plain_recipe(settings)):
        yield from _step(step, (*place, "recipe", index))
    if settings.noise is None and "noise_level" in settings.model_fields_set:
        yield Finding(
            (*place, "noise_level"), "has no effect without noise; remove it, or say which noise", at_key=True
        )
    if settings.noise in ("gaussian", "salt-and-pepper") and settings.noise_level > 1.0:
        message = f"found {settings.noise_level:g} with {settings.noise} noise, expected a number above 0, at most 1"
        yield Finding((*place, "noise_level"), message)
    if settings.sphere and settings.space in ("w", "w+"):
        yield Finding((*place, "sphere"), f"found with space: {settings.space}; it is for the space z: remove one")
    if settings.task == "inpaint" and restore.mask != "auto":
        message = "has no effect with task: inpaint, which pastes what it makes anew; remove it"
        yield Finding(("restore", "mask"), message)
    yield from _engine(restore)
    known = {key: found for key, name in restore.models().items() if (found := names.checkpoint(name)) is not None}
    for key, message in wrong_priors(settings, known):
        yield Finding(("restore", *key.split(".", 2)), message)


def check_boundary_file(_text: str, uri: str) -> None:
    """Refuse what is no file of the machine itself.

    Args:
        _text: as in the job file.
        uri: made absolute.

    Raises:
        ValueError: a URL, a folder, or nothing.
    """
    if SCHEME.match(uri):
        raise ValueError("found a URL, expected a file of the machine that starts the run")
    if not Path(uri).is_file():
        raise ValueError(f"found no file there ({uri}), expected a boundary vector, .npy or .safetensors")


class KnownModel(Protocol):
    """What is known of a model: a checkpoint, or one that was found for a job."""

    @property
    def architecture(self) -> str:
        """As `operators.networks.recognise` names it."""
        ...


def wrong_priors(settings: InversionSettings, models: Mapping[str, KnownModel]) -> Iterator[tuple[str, str]]:
    """Models that do something else than the settings want of them.

    Args:
        settings: of the job.
        models: those that are known, by the key of the settings that names each.

    Yields:
        the key below `restore` and what to say of it.
    """
    prior, features = models.get("prior"), models.get("features")
    if prior is not None and prior.architecture not in PRIORS:
        message = f"'{settings.prior}' is a network {prior.architecture}, and no prior; priors are {listed(PRIORS)}"
        yield "options.prior", message
    if prior is not None and prior.architecture == "pggan" and settings.space in ("w", "w+"):
        yield "options.space", f"found '{settings.space}', but '{settings.prior}', a pggan, has codes in z only"
    if prior is not None and prior.architecture == "pggan" and settings.truncation != 1.0:
        message = f"found {settings.truncation:g}, but '{settings.prior}', a pggan, has no w to be truncated: remove it"
        yield "options.truncation", message
    if features is not None and features.architecture != "vgg16":
        message = f"'{settings.features}' is a network {features.architecture}, and vgg16 is needed here; name another"
        yield "options.features", message


def plain_recipe(settings: InversionSettings) -> list[dict[str, Any]]:
    """The steps of a recipe with the keys that were given, as `operators.inversion.tasks` takes them."""
    return [step.model_dump(exclude_none=True) for step in settings.recipe]


def _masks(settings: InversionSettings, place: KeyPath) -> Iterator[Finding]:
    wanted = needs_mask(settings.task, plain_recipe(settings))
    if wanted and settings.masks is None:
        what = f"missing; with task: {settings.task} it is a folder of mask images, white where the face is made anew"
        yield Finding((*place, "masks"), what)
    if not wanted and settings.masks is not None:
        message = f"has no effect with task: {settings.task}; it is for inpaint, or a recipe with a mask: remove it"
        yield Finding((*place, "masks"), message, at_key=True)


def _step(step: dict[str, Any], place: KeyPath) -> Iterator[Finding]:
    use = step["use"]
    takes = USES[use][1]
    for key in step.keys() - {"use"}:
        if key not in takes:
            yield Finding(
                (*place, key),
                f"is nothing of {use}, which takes {listed(takes) if takes else 'no other key'}: remove it",
            )
    for key in takes:
        if key not in step and key not in _OPTIONAL.get(use, ()):
            yield Finding((*place, key), f"missing; {use} needs it")
    if use == "resize" and "factor" in step and step["factor"] < 1.0:
        yield Finding((*place, "factor"), f"found {step['factor']:g}, expected a number from 1 to 256: resize shrinks")
    if use in ("brightness", "contrast", "saturation") and step.get("factor", 0.0) > 10.0:
        yield Finding((*place, "factor"), f"found {step['factor']:g}, expected a number from 0 to 10")


def _engine(restore: InversionRestore) -> Iterator[Finding]:
    if restore.engine.name != "auto":
        message = f"found '{restore.engine.name}', but a search needs gradients, which torch alone computes: remove it"
        yield Finding(("restore", "engine", "name"), message)
    if restore.engine.precision not in ("auto", "fp32"):
        message = f"found '{restore.engine.precision}', but a search computes in fp32: remove it"
        yield Finding(("restore", "engine", "precision"), message)
