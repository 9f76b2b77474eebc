"""Looks into a file before it is believed to be a model: readable, finite, of an architecture that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from operators.models.attributes import attributes_in, named_attributes
from operators.models.checkpoint import UNSAID, Checkpoint, Restorer, Task
from operators.models.errors import ModelRefusedError


@dataclass(frozen=True)
class Role:
    """What an architecture is for, unless somebody says otherwise.

    Attributes:
        restorer: what restores faces with it.
        task: what that does.
        template: alignment.
        purpose: one line.
        terms: why its weights count as non-commercial where nobody says under which licence they are; empty where they
            do not.
    """

    restorer: Restorer | None
    task: Task | None
    template: str | None
    purpose: str
    terms: str = ""


_GPEN_TERMS = (
    "No licence was said, and the published weights of this architecture count as non-commercial: "
    "`facejobs models add FILE --name NAME --licence LICENCE` says otherwise."
)

_STYLEGAN2_TERMS = (
    "No licence was said, and the published weights of this architecture count as non-commercial (Nvidia Source Code "
    "License-NC): `facejobs models add FILE --name NAME --licence LICENCE` says otherwise."
)

ROLES: Mapping[str, Role] = MappingProxyType(
    {
        "gfpgan_clean": Role("gfpgan", "restore", "ffhq", "restores faces"),
        "gfpgan_v1": Role("gfpgan", "restore", "ffhq", "restores faces"),
        "gpen": Role("gpen", "restore", "gpen", "restores faces", _GPEN_TERMS),
        "parsenet": Role(None, None, "ffhq", "tells skin from hair and background"),
        "pggan": Role(None, None, None, "draws faces from random numbers"),
        "stylegan2": Role(None, None, None, "draws faces from random numbers", _STYLEGAN2_TERMS),
        "mobilestylegan": Role(None, None, "ffhq", "draws faces from random numbers", _STYLEGAN2_TERMS),
        "completion": Role(None, None, "ffhq", "makes missing parts of faces anew"),
        "rrdb": Role(None, None, None, "enlarges or cleans whole pictures"),
        "srresnet": Role(None, None, None, "enlarges whole pictures"),
        "msrresnet": Role(None, None, None, "enlarges whole pictures"),
        "pix2pix": Role(None, None, None, "translates whole pictures"),
        "cyclegan": Role(None, None, None, "translates whole pictures"),
        "transform": Role(None, None, None, "gives whole pictures a style"),
        "vgg16": Role(None, None, None, "sees what pictures have in common, for the terms of searches and training"),
    }
)
"""The architectures that this version runs."""

TASKS: Mapping[str, tuple[Task, ...]] = MappingProxyType(
    {"gfpgan": ("restore",), "gpen": ("restore", "colorize", "inpaint", "seg2face")}
)
"""What each restorer can do."""


@dataclass(frozen=True)
class Contents:
    """What is in a file of weights.

    Attributes:
        architecture: None where it is none that this version runs.
        arguments: of the architecture.
        size: side of the square that it takes, or makes where it takes none; None with the architecture.
        unknown: what the file holds instead of a known architecture.
        attributes: names that the file itself gives its attributes; empty where it gives none.
    """

    architecture: str | None
    arguments: Mapping[str, Any]
    size: int | None
    unknown: str = ""
    attributes: tuple[str, ...] = ()


def look_into(path: Path) -> Contents:
    """Read a file's weights and recognise what they are; takes seconds, since torch is loaded.

    Raises:
        operators.checkpoints.CheckpointError: it cannot be read safely, or its weights are not finite.
    """
    # torch and the networks take seconds to import, and most commands do not look into files.
    from operators.checkpoints import read  # noqa: PLC0415
    from operators.networks import recognise  # noqa: PLC0415
    from operators.networks.errors import UnknownArchitectureError  # noqa: PLC0415

    weights = read(path)
    try:
        found = recognise(weights)
    except UnknownArchitectureError as error:
        return Contents(None, {}, None, str(error))
    shape = found.input_shape if len(found.input_shape) == 3 else found.output_shape
    size = None if found.sizeless else shape[-1]
    return Contents(found.architecture, dict(found.arguments), size, attributes=attributes_in(path))


def check_against(contents: Contents, checkpoint: Checkpoint, place: str) -> None:
    """Refuse contents that are not what a checkpoint's entry says.

    Raises:
        ModelRefusedError: another architecture or size.
    """
    if contents.architecture is None:
        if checkpoint.runs:
            raise ModelRefusedError(
                f"{place}: expected the architecture {checkpoint.architecture} of {checkpoint.name}; {contents.unknown}"
            )
        return
    found = f"{contents.architecture}" + (f" at {contents.size} pixels" if contents.size else "")
    if contents.architecture != checkpoint.architecture or checkpoint.size not in (None, contents.size):
        wanted = f"{checkpoint.architecture}" + (f" at {checkpoint.size} pixels" if checkpoint.size else "")
        raise ModelRefusedError(
            f"{place}: the file holds {found}, but {checkpoint.name} is {wanted}; name the file that is meant, or "
            "add this one under a name of its own with --name"
        )


def described(draft: Checkpoint, contents: Contents, place: str) -> Checkpoint:
    """The description of a model that a user adds, completed by what is in it.

    Args:
        draft: what the user said; the architecture and what was left out (None) are filled in.
        contents: of the file.
        place: where the file is, for messages.

    Raises:
        ModelRefusedError: no architecture that this version runs, or what was said does not fit it.
    """
    if contents.architecture is None or contents.architecture not in ROLES:
        raise ModelRefusedError(f"{place}: {contents.unknown or 'this architecture has no use here'}")
    role = ROLES[contents.architecture]
    task = draft.task or role.task
    if draft.task is not None and draft.task not in TASKS.get(role.restorer or "", ()):
        able = " or ".join(TASKS.get(role.restorer or "", ())) or "no task"
        raise ModelRefusedError(f"{place}: the file holds {contents.architecture}, which does {able}, not {draft.task}")
    if draft.size not in (None, contents.size):
        own = f"{contents.size} pixels" if contents.size else "pictures of any size"
        raise ModelRefusedError(f"{place}: the file holds a network for {own}, not {draft.size}")
    attributes = named_attributes(draft.attributes or contents.attributes, contents.arguments, place)
    unlicensed = bool(role.terms) and draft.licence == UNSAID and not draft.noncommercial
    return replace(
        draft,
        noncommercial=draft.noncommercial or unlicensed,
        terms=role.terms if unlicensed else draft.terms,
        architecture=contents.architecture,
        restorer=role.restorer,
        task=task,
        template=draft.template or role.template,
        size=contents.size,
        purpose=draft.purpose or role.purpose,
        runs=True,
        attributes=attributes,
    )
