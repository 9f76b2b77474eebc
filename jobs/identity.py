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
    return [*_recipes(old["job"], new["job"]), *_without_recipes(old["job"], new["job"], job), *causes] or others


_RECIPE = "degrade.recipe."


def _recipes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """One line where two pairs jobs have recipes of different names: their steps have nothing in common then."""
    before, after = (str(job.get("degrade", {}).get("recipe", {}).get("recipe", "")) for job in (old, new))
    return [f"{_RECIPE[:-1]}: was {before}, is now {after}"] if before != after else []


def _without_recipes(old: Mapping[str, Any], new: Mapping[str, Any], lines: list[str]) -> list[str]:
    """Lines without those that the line of `_recipes` stands for."""
    return [line for line in lines if not line.startswith(_RECIPE)] if _recipes(old, new) else lines
