"""The weights that networks begin as: files and models that the job file names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.models.files import CachedFiles
from jobs.models.resolve import ModelSettings, resolve
from jobs.spec import resolve_options
from jobs.spec.train import TrainJob
from jobs.spec.training.starts import is_file
from operators.checkpoints import CheckpointError, read
from operators.models.errors import ModelFileError
from operators.models.hashing import sha256_of

if TYPE_CHECKING:
    from torch import Tensor

    from operators.training.contract import Schedule
    from operators.training.schedules.contract import Entry, Given


@dataclass(frozen=True)
class Start:
    """What a network begins as.

    Attributes:
        text: file or model, as in the job file.
        path: of the file.
        sha256: of its content, a part of what the training is.
    """

    text: str
    path: Path
    sha256: str


def find_starts(job: TrainJob) -> dict[str, Start]:
    """The files that networks begin as, by the network's name.

    Raises:
        CommandError: a file is not there, or a model cannot be had or used; the message says what to do.
    """
    return {name: _found(job, name, text) for name, text in job.model.starts().items()}


def read_starts(starts: Mapping[str, Start]) -> dict[str, dict[str, Tensor]]:
    """Their weights, CPU tensors by the tensor's name, by the network's name.

    Raises:
        CommandError: a file is no checkpoint, or has changed since it was found.
    """
    return {name: _weights(name, start) for name, start in starts.items()}


def built(entry: Entry, given: Given, starts: Mapping[str, Start]) -> Schedule:
    """The schedule, with networks that fit the files that they begin as.

    Args:
        entry: of the table of schedules.
        given: what it is built from.
        starts: where the weights in `given` come from, for messages.

    Raises:
        CommandError: a file does not have the layout that `model` describes, or settings do not go together.
    """
    try:
        return entry.build(given)
    except ValueError as error:
        message = str(error).removeprefix("start: ")
        name = message.partition(":")[0]
        if name in starts:
            raise CommandError(
                f"model.start.{name}: {starts[name].text}: {message.removeprefix(f'{name}: ')}", Exit.BAD_JOB
            ) from error
        raise CommandError(message, Exit.BAD_JOB) from error


def _weights(name: str, start: Start) -> dict[str, Tensor]:
    try:
        return read(start.path)
    except (CheckpointError, OSError) as error:
        message = error.message if isinstance(error, CheckpointError) else f"{start.path}: {error.strerror}"
        raise CommandError(f"model.start.{name}: {message}", Exit.BAD_JOB) from error


def _found(job: TrainJob, name: str, text: str) -> Start:
    if is_file(text):
        path = Path(text)
        try:
            return Start(text, path, sha256_of(path))
        except OSError as error:
            raise CommandError(
                f"model.start.{name}: {text}: {error.strerror}; expected a file of weights, or a model's name",
                Exit.BAD_JOB,
            ) from error
    settings = _settings(job)
    try:
        model = resolve(text, settings)
        files = CachedFiles(settings.cache, settings.source, settings.options)
        return Start(text, files.path(text, model.sha256), model.sha256)
    except ModelFileError as error:
        raise CommandError(f"model.start.{name}: {error}", Exit.BAD_JOB) from error


def _settings(job: TrainJob) -> ModelSettings:
    models = job.models
    options: dict[str, Any] = resolve_options(models.storage_options)
    return ModelSettings(
        cache=Path(models.cache) if models.cache else None,
        source=models.source,
        options=options,
        accepted=models.accept_noncommercial,
    )
