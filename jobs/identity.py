"""What tells one run from another: hashes of identities, and in which points two of them differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from jobs.spec.canonical import difference


def digest(identity: Mapping[str, Any]) -> str:
    """SHA-256 of an identity, hex."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two identities, one line a key; keys of the job file without a prefix.

    Parameters of the restorer follow from the job and the model, so they are named only where neither differs.
    """
    rest = [{key: value for key, value in identity.items() if key != "job"} for identity in (old, new)]
    job, others = difference(old["job"], new["job"]), difference(*rest)
    causes = [line for line in others if not line.startswith("restorer.parameters.")]
    return [*job, *causes] or others
