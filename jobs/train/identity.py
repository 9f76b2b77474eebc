"""What makes two trainings the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.spec.canonical import canonical
from jobs.spec.train import TrainJob
from jobs.train.starts import Start
from jobs.versions import facejobs_version

FINGERPRINT = "data"
"""Key of an identity: a hash of all that samples are made of."""


def identity_of(job: TrainJob, starts: Mapping[str, Start]) -> dict[str, Any]:
    """The canonical job, what its networks begin as, the code's version; all but the data, which has to be read."""
    return {
        "job": canonical(job),
        "starts": {name: start.sha256 for name, start in sorted(starts.items())},
        "facejobs": facejobs_version(),
    }


def with_data(identity: Mapping[str, Any], fingerprint: str) -> dict[str, Any]:
    """The whole of it."""
    return {**identity, FINGERPRINT: fingerprint}


def without_data(identity: Mapping[str, Any]) -> dict[str, Any]:
    """All but the data."""
    return {key: value for key, value in identity.items() if key != FINGERPRINT}
