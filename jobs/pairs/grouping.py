"""Which samples of a survey stay together: a person's, an image's, or what a catalogue says."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jobs.pairs.survey.table import Survey
from jobs.spec import PairsJob
from jobs.spec.samples import FaceSamples
from jobs.spec.split import kept_together
from operators.selection.groups import Links, groups, placeable, same_person, same_picture, same_value

Indices = NDArray[np.int64]


def grouped(job: PairsJob, survey: Survey, left_out: list[str]) -> tuple[Indices, Indices]:
    """Group the targets, and leave out those of which nobody knows whose they are.

    Args:
        job: what it keeps together.
        survey: of its source.
        left_out: for each row of the survey, why it is no target, or empty; takes `unknown_person`.

    Returns:
        (k,) int64 rows that are targets, in survey order, and the group of each, from 0.
    """
    target = np.array([not reason for reason in left_out], np.bool_)
    # Over all that was found: a copy that is left out may be what joins two others of its person.
    labels = groups(len(left_out), *_links(job, survey))
    if kept_together(job.split, job.samples) == "identity" and len(job.split.parts) > 1:
        assert survey.features is not None
        # Where no face was found there is nobody to be told apart.
        nobody = survey.table["confidence"].is_null().to_numpy()
        known = np.isfinite(survey.features[:, 0]) | (target & nobody)
        stays = placeable(labels, known)
        if isinstance(job.samples, FaceSamples):
            # Whoever stands beside somebody who is known is not known by that.
            stays &= known | _alone(survey.table)
        for row in np.flatnonzero(target & ~stays).tolist():
            left_out[row] = "unknown_person"
        target &= stays
    kept = np.flatnonzero(target).astype(np.int64)
    return kept, np.unique(labels[kept], return_inverse=True)[1].astype(np.int64).reshape(len(kept))


def _alone(table: pa.Table) -> NDArray[np.bool_]:
    """(n,): which samples are the only one of their image."""
    image = np.unique(np.array(table["key"].to_pylist(), dtype=object), return_inverse=True)[1].reshape(-1)
    return np.asarray(np.bincount(image)[image] == 1)


def _links(job: PairsJob, survey: Survey) -> list[Links]:
    """What must stay together, in rows of the survey."""
    table, together = survey.table, kept_together(job.split, job.samples)
    links = [same_value(table["key"].to_pylist()), same_value(table["sha256"].to_pylist())]
    if job.filter.duplicates != "exact" or together == "identity":
        hashes = table["perceptual_hash"].to_numpy().astype(np.uint64)
        links.append(same_picture(hashes, job.filter.distance))
    if together == "identity":
        assert survey.features is not None
        links.append(same_person(survey.features, job.split.similarity))
    if together == "column":
        assert job.split.column is not None
        links.append(same_value([said(text, job.split.column) for text in table["metadata"].to_pylist()]))
    return links


def said(metadata: str | None, column: str) -> str | None:
    """What a catalogue says in a column; None where it says nothing."""
    value = json.loads(metadata).get(column) if metadata else None
    return None if value in (None, "") else str(value)
