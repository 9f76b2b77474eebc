"""What is kept of a training: weights, their card, and an entry for the table of models."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import yaml
from torch import Tensor, nn

from jobs.train.artefacts.card import card
from jobs.train.artefacts.facts import CardFacts
from jobs.train.artefacts.kept import KeptModel, added
from jobs.train.artefacts.weights import file_of, weights_of
from operators.models.attributes import KEY
from operators.models.card import NAME
from operators.models.checkpoint import UNSAID, Checkpoint
from operators.models.examine import ROLES, TASKS, Contents, described
from operators.networks import Recognised, recognise

CARD = "README.md"
ENTRIES = "models.yaml"

_HEAD = """\
# What `facejobs models add` says of these files, as the table of published models has it. The commands add them.
"""


@dataclass(frozen=True)
class _Exported:
    """A network on its way into a file."""

    model: KeptModel
    weights: Mapping[str, Tensor]


def model_name(job: str) -> str:
    """A name that the cache of models takes, from a job's name.

    Args:
        job: up to 100 of A-Z a-z 0-9 . _ -.

    Returns:
        In small letters, without signs before the first letter or digit, and cut after 64.
    """
    return re.sub(r"^[^a-z0-9]+", "", re.sub(r"[^a-z0-9._-]", "-", job.lower()))[:64] or "trained"


def exported(networks: Mapping[str, nn.Module], about: CardFacts, half: bool) -> dict[str, bytes]:
    """Everything that goes into the folder `model/`.

    One network becomes `<name>.safetensors`, several become `<name>-<role>.safetensors`, models of the same names.

    Args:
        networks: by role, as a schedule exports them; `operators.networks.from_state_dict` knows each.
        about: what is known of the training.
        half: float16 in place of float32; tensors with values beyond its range stay as they are.

    Returns:
        Content by file name: weights, `README.md`, and `models.yaml` with an entry for each file, with its hash. The
        same networks and facts give the same bytes.

    Raises:
        ValueError: there is no network, a name is none that `facejobs models add` takes, or weights are not finite.
        operators.networks.UnknownArchitectureError: a network is none that facejobs knows.
        operators.models.errors.ModelRefusedError: what is said of one does not fit it.
    """
    if not networks:
        raise ValueError("a training that is to be exported has no network to keep")
    alone = len(networks) == 1
    found = [
        _looked_at(_named(about.name, role, alone), role, module, about, half) for role, module in networks.items()
    ]
    text = card(about, [each.model for each in found]).encode()
    digest = hashlib.sha256(text).hexdigest()
    files = {each.model.checkpoint.file: _file(each, about, digest) for each in found}
    entries = [_filled(each.model.checkpoint, files[each.model.checkpoint.file]) for each in found]
    return {**files, CARD: text, ENTRIES: _entries(entries)}


def _named(name: str, role: str, alone: bool) -> str:
    full = name if alone else f"{name}-{role.lower().replace('_', '-')}"
    if not NAME.fullmatch(full):
        raise ValueError(f"{full!r} is no name of a model: expected up to 64 of a-z 0-9 . _ -, a letter or digit first")
    return full


def _looked_at(name: str, role: str, module: nn.Module, about: CardFacts, half: bool) -> _Exported:
    weights = weights_of(module, half)
    found = recognise(weights)
    numbers = sum(tensor.numel() for tensor in weights.values() if tensor.is_floating_point())
    checkpoint = described(_draft(name, found, about), _contents(found, about), f"{role} of {about.name}")
    return _Exported(KeptModel(role, checkpoint, numbers, half), weights)


def _draft(name: str, found: Recognised, about: CardFacts) -> Checkpoint:
    """What the training knows of a network, and its file does not."""
    known = ROLES.get(found.architecture)
    bound = [parent for parent in about.parents if parent.noncommercial]
    terms = ""
    if bound:
        names = ", ".join(parent.name for parent in bound)
        terms = f"It was trained from {names}, whose terms allow no commercial use."
    return Checkpoint(
        name=name,
        file=f"{name}.safetensors",
        sources=(),
        bytes=None,
        sha256=None,
        licence=about.licence or UNSAID,
        noncommercial=bool(bound),
        terms=terms,
        architecture="",
        restorer=None,
        task=about.task if about.task in TASKS.get((known and known.restorer) or "", ()) else None,
        template=about.template if known and known.template else None,
        size=None,
        purpose="",
        runs=True,
    )


def _contents(found: Recognised, about: CardFacts) -> Contents:
    shape = found.input_shape if len(found.input_shape) == 3 else found.output_shape
    attributes = about.attributes if found.arguments.get("attributes") else ()
    return Contents(found.architecture, found.arguments, None if found.sizeless else shape[-1], attributes=attributes)


def _file(each: _Exported, about: CardFacts, digest: str) -> bytes:
    checkpoint = each.model.checkpoint
    metadata = {
        "format": "pt",
        "name": checkpoint.name,
        "kind": about.model,
        "role": each.model.role,
        "steps": str(about.steps),
        "licence": checkpoint.licence,
        "facejobs": about.facejobs_version,
        "card_sha256": digest,
    }
    if checkpoint.attributes:
        metadata[KEY] = ",".join(checkpoint.attributes)
    return file_of(each.weights, metadata)


def _filled(checkpoint: Checkpoint, data: bytes) -> Checkpoint:
    return replace(checkpoint, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def _entries(entries: Sequence[Checkpoint]) -> bytes:
    lists = [
        {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(entry).items()}
        for entry in entries
    ]
    commands = [f"{added(entry)} --sha256 {entry.sha256}" for entry in entries]
    found: dict[str, Any] = {"models": lists, "commands": commands}
    return (_HEAD + yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=4096)).encode()
