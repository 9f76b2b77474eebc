"""A RUN on the command line that is a training: its job file, or the URI of its output."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.places import output_of
from jobs.spec import Scrubber, load, secrets_of
from jobs.spec.train import TrainJob
from jobs.train import layout
from jobs.train.header import Header, read_header
from pipeline.errors import NoSuchRunError
from pipeline.storage import Folder


@dataclass(frozen=True)
class Training:
    """A training, and how it was named.

    Attributes:
        output: where it is.
        header: what it is.
        scrubber: takes the job's secrets out of texts.
    """

    output: Folder
    header: Header
    scrubber: Scrubber


def training_at(place: str, *, job_file: bool) -> Training | None:
    """Find a training; None where the place is a job of another kind, or an output without a training.

    Args:
        place: path of a job file, or the URI of an output.
        job_file: which of the two it is.

    Raises:
        JobFileError: the job file is wrong.
        NoSuchRunError: it is a train job's, and its output holds no training.
        LedgerError: what is there is damaged.
        StorageError: storage unreachable or refusing.
    """
    if not job_file:
        output = Folder(place)
        found = read_header(output)
        return Training(output, found, Scrubber(())) if found is not None else None
    job = load(place)
    if not isinstance(job, TrainJob):
        return None
    output = output_of(job)
    found = read_header(output)
    if found is None:
        raise NoSuchRunError(f"{output.uri}: no training there ({layout.HEADER} is missing); `facejobs run` begins it")
    return Training(output, found, Scrubber(secrets_of(job)))
