"""What cannot be among the settings of the restorer `completion`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Protocol

from jobs.spec.completion import CompletionSettings, HoleSource
from jobs.spec.model_names import ModelNames
from jobs.spec.problems import Finding, listed
from jobs.spec.restore import CompletionRestore

OF_SOURCE: Mapping[str, tuple[HoleSource, ...]] = MappingProxyType(
    {
        "masks": ("files",),
        "colour": ("colour",),
        "tolerance": ("colour",),
        "damage": ("damage",),
        "occlusion": ("occlusion",),
        "classes": ("occlusion",),
        "certainty": ("damage", "occlusion"),
    }
)
"""Keys that some sources of holes have and others do not."""

NEEDED: Mapping[HoleSource, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "files": (("masks", "a folder of mask images"),),
        "alpha": (),
        "colour": (("colour", "the colour that is painted on what is missing, such as '#ff00ff'"),),
        "damage": (("damage", "a kind of damage or more"),),
        "occlusion": (
            ("occlusion", "the name of the model that sees what hides a face"),
            ("classes", "the numbers of its classes that hide a face"),
        ),
    }
)
"""Keys that a source of holes cannot do without, and what they hold."""


def check_completion(restore: CompletionRestore, names: ModelNames) -> Iterator[Finding]:
    """Keys of another source of holes, keys that are missing, a shape that nothing is pasted in, and wrong models."""
    settings, place = restore.options, ("restore", "options")
    for key in sorted(settings.model_fields_set & OF_SOURCE.keys()):
        if settings.holes not in OF_SOURCE[key]:
            message = f"has no effect with holes: {settings.holes}; it is for holes: {' or '.join(OF_SOURCE[key])}"
            yield Finding((*place, key), f"{message}; remove it", at_key=True)
    for key, what in NEEDED[settings.holes]:
        if not getattr(settings, key):
            yield Finding((*place, key), f"missing; with holes: {settings.holes} it is {what}")
    yield from _twice(settings, place)
    if restore.mask != "auto":
        yield Finding(
            ("restore", "mask"), "has no effect with model: completion, which pastes what it makes anew; remove it"
        )
    known = {key: found for key, name in restore.models().items() if (found := names.checkpoint(name)) is not None}
    for key, message in wrong_models(settings, known):
        yield Finding(("restore", *key.split(".", 2)), message, at_key=True)


def _twice(settings: CompletionSettings, place: tuple[str, ...]) -> Iterator[Finding]:
    for key, values in (("damage", settings.damage), ("classes", settings.classes)):
        for index, value in enumerate(values):
            if value in values[:index]:
                yield Finding((*place, key, index), f"{value!r} stands in the list already")


class KnownModel(Protocol):
    """What is known of a model: a checkpoint, or one that was found for a job."""

    @property
    def architecture(self) -> str:
        """As `operators.networks.recognise` names it."""
        ...

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of what it can be asked for."""
        ...


def wrong_models(settings: CompletionSettings, models: Mapping[str, KnownModel]) -> Iterator[tuple[str, str]]:
    """Models that do something else, and attributes that the network does not have.

    Args:
        settings: of the job.
        models: those that are known, by the key of the settings that names each.

    Yields:
        the key below `restore` and what to say of it.
    """
    for key, architecture in (("network", "completion"), ("occlusion", "parsenet")):
        model = models.get(key)
        if model is not None and model.architecture != architecture:
            name = getattr(settings, key)
            message = f"'{name}' is a network {model.architecture}, and {architecture} is needed here; name another"
            yield f"options.{key}", message
            return
    network = models.get("network")
    if network is None:
        return
    known = listed(network.attributes) if network.attributes else "none"
    for key, given in (("attributes", settings.attributes), ("catalogue", settings.catalogue)):
        for name in sorted(given.keys() - set(network.attributes)):
            message = f"'{settings.network}' has no attribute '{name}'; it has {known}"
            yield f"options.{key}.{name}", message
