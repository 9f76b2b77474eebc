"""What the card of a trained model says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from jobs.spec.secrets import scrub_urls
from jobs.spec.train import TrainJob
from jobs.spec.training.data import FacesData
from jobs.train.artefacts.export import model_name
from jobs.train.artefacts.facts import CardFacts, MachineFacts
from jobs.train.curve import happenings_of, read_rows
from jobs.train.facts import held_out
from jobs.train.task import Task
from jobs.versions import facejobs_version, versions
from pipeline.ledger import now

PLACES = ("uri", "first", "second")
"""Keys of the block `data` that say where it is."""


def card_facts(task: Task, machine: MachineFacts, seconds: float) -> CardFacts:
    """Of a training that has come to its last step."""
    header, job = task.header, task.job
    measured = held_out(task.output)
    return CardFacts(
        name=model_name(header.name),
        model=header.model,
        summary=header.summary,
        created=now()[:10],
        facejobs_version=facejobs_version(),
        steps=header.steps,
        planned=header.steps,
        samples=header.steps * header.batch,
        seconds=seconds,
        settings=_published(header.job),
        data=replace(header.data, uri=_places(job)),
        machine=machine,
        licence=header.licence,
        held_out=measured[-1] if measured else None,
        parents=header.parents,
        attributes=task.gathered.attributes,
        template=template_of(job),
        happenings=happenings_of(read_rows(task.output)),
        versions=versions(),
    )


def template_of(job: TrainJob) -> str | None:
    """Alignment of the faces that a training sees; None where it sees no faces, or nobody says how they are aligned."""
    own: str | None = getattr(job.model, "template", None)
    if not isinstance(job.data, FacesData):
        return own
    return (job.data.cut.template or own or "ffhq") if job.data.align else own


def published(uri: str) -> str:
    """A place as a card may name it: of a folder on this machine the last name only."""
    return uri if "://" in uri and not uri.startswith("file://") else PurePath(uri).name


def _places(job: TrainJob) -> str:
    """Where the data are, as a card may name it."""
    places = (getattr(job.data, key, None) for key in PLACES)
    return " and ".join(published(scrub_urls(place)) for place in places if isinstance(place, str))


def _published(job: Any) -> dict[str, Any]:
    """The job as a card may print it."""
    copy: dict[str, Any] = json.loads(json.dumps(job))
    for block, keys in (("data", PLACES), ("output", ("uri",))):
        for key in keys:
            if isinstance(place := copy.get(block, {}).get(key), str):
                copy[block][key] = published(place)
    return copy
