"""How a train job finds its training in its output, or begins one there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from jobs.identity import differences
from jobs.models.resolve import ModelSettings, resolve
from jobs.spec.secrets import scrub_urls
from jobs.spec.train import TrainJob
from jobs.spec.training.starts import is_file
from jobs.train import layout
from jobs.train.artefacts.facts import DataFacts, Parent
from jobs.train.data import Gathered
from jobs.train.header import End, Header, read_end, read_header
from jobs.train.identity import FINGERPRINT, with_data, without_data
from jobs.train.starts import Start
from jobs.versions import facejobs_version
from operators.training.schedules.table import SCHEDULES
from pipeline.checkpoints import Checkpoints
from pipeline.errors import RunConflictError
from pipeline.layout import HOME
from pipeline.ledger import now
from pipeline.run import current_run
from pipeline.storage import Folder

_NAMED = 20
"""Pictures that could not be used are named, up to so many."""


@dataclass(frozen=True)
class There:
    """The job's own training in an output.

    Attributes:
        header: what it is.
        end: how it ended; None where it has not.
    """

    header: Header
    end: End | None


def known(output: Folder, job: TrainJob, identity: Mapping[str, Any]) -> There | None:
    """The job's own training, if its output holds it; the data are not looked at.

    Args:
        output: the job's.
        job: the job.
        identity: of it, without its data.

    Raises:
        RunConflictError: the output holds something else, and the job does not say that it may be replaced.
        LedgerError: what is there is damaged.
    """
    header = read_header(output)
    end = read_end(output) if header is not None else None
    begun = end is not None or (header is not None and _has_checkpoints(output))
    if header is not None and begun and without_data(header.identity) == identity:
        return There(header, end)
    _refuse_run(output)
    if job.output.existing == "replace" or (header is not None and not begun):
        return None  # where no checkpoint was ever written there is nothing to lose
    if header is not None:
        raise RunConflictError(_differs(output, header, identity))
    if foreign := next((name for name, _ in output.walk() if not name.startswith(f"{HOME}/")), ""):
        raise RunConflictError(
            f"{output.uri}: is not empty (there is {foreign}) and no training of this job has written there. Name an "
            "empty folder, or say output.existing: replace (files of the same names are overwritten)"
        )
    return None


def _has_checkpoints(output: Folder) -> bool:
    return bool(Checkpoints(output.child(layout.CHECKPOINTS)).numbers())


def check_data(output: Folder, header: Header, fingerprint: str) -> None:
    """Raise RunConflictError if the data are not those that the training was begun with."""
    if header.identity[FINGERPRINT] != fingerprint:
        raise RunConflictError(
            f"{output.uri}: the training that was begun there on {header.created} saw other data than are now at "
            f"{header.data.uri}: pictures, lists or tables have changed since. Put them back, or name another "
            "output.uri and begin from what this one has come to, with model.start"
        )


def begin(
    output: Folder,
    job: TrainJob,
    identity: Mapping[str, Any],
    gathered: Gathered,
    starts: Mapping[str, Start],
) -> Header:
    """Write down a new training; one that was there is removed first.

    Args:
        output: the job's, held by this process.
        job: the job.
        identity: of it, without its data.
        gathered: its data.
        starts: what its networks begin as.
    """
    header = new_header(job, identity, gathered, starts)
    if read_header(output) is not None:
        clear(output)  # else what lies there is none of a training's: only files of the same names are overwritten
    output.write(layout.HEADER, header.written())
    return header


def new_header(job: TrainJob, identity: Mapping[str, Any], gathered: Gathered, starts: Mapping[str, Start]) -> Header:
    """What a training is that begins now."""
    return Header(
        name=job.name,
        model=job.model.kind,
        identity=with_data(identity, gathered.fingerprint),
        steps=job.schedule.steps,
        batch=job.schedule.batch,
        summary=SCHEDULES[job.model.kind].summary,
        created=now(),
        facejobs=facejobs_version(),
        data=data_facts(job, gathered),
        parents=tuple(_parent(job, role, start) for role, start in sorted(starts.items())),
        licence=job.output.licence or "",
    )


def clear(output: Folder) -> None:
    """Remove a training: first what says that it is finished, last what says that it is there."""
    output.delete(layout.END)
    for folder in layout.FOLDERS:
        for name in output.names(folder):
            output.delete(name)
    output.delete(layout.REPORT)
    output.delete(layout.HEADER)


def data_facts(job: TrainJob, gathered: Gathered) -> DataFacts:
    """What the training sees, for people."""
    data = job.data
    places = [str(getattr(data, key)) for key in ("uri", "first", "second") if getattr(data, key, None)]
    recipes: Mapping[str, Any] = getattr(data, "recipes", None) or {}
    skipped = (f"{name}: {why}" for why, names in gathered.left_out.items() for name in names)
    return DataFacts(
        kind=data.kind,
        uri=" and ".join(scrub_urls(place) for place in places),
        fingerprint=gathered.fingerprint,
        pictures=gathered.samples.count,
        held_out=gathered.held_out.count if gathered.held_out is not None else 0,
        recipes={name: float(one["weight"] if isinstance(one, Mapping) else one) for name, one in recipes.items()},
        description=getattr(data, "description", None) or "",
        licence=getattr(data, "licence", None) or "",
        notes=gathered.notes,
        skipped=sum(len(names) for names in gathered.left_out.values()),
        first_skipped=tuple(islice(skipped, _NAMED)),
    )


def _parent(job: TrainJob, role: str, start: Start) -> Parent:
    if is_file(start.text):
        return Parent(role, start.path.name, start.sha256)
    cache = Path(job.models.cache) if job.models.cache else None
    settings = ModelSettings(cache, accepted=job.models.accept_noncommercial)
    model = resolve(start.text, settings)
    return Parent(role, start.text, start.sha256, model.licence, model.noncommercial)


def _refuse_run(output: Folder) -> None:
    run = current_run(output)
    if run is not None:
        raise RunConflictError(
            f"{output.uri}: holds the results of run {run.header.run_id} of {run.header.created}, a {run.header.kind} "
            "job. A training needs an output of its own; name another output.uri"
        )


def _differs(output: Folder, header: Header, identity: Mapping[str, Any]) -> str:
    lines = differences(without_data(header.identity), identity)
    return (
        f"{output.uri}: holds the training {header.name} that was begun on {header.created}, which differs from this "
        f"job in {len(lines)} point{'s' if len(lines) != 1 else ''}: {'; '.join(lines[:8])}. Name another output.uri, "
        "or say output.existing: replace (it is removed, with its checkpoints)"
    )
