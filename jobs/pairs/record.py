"""The record of a pair: from it alone, and the source, the pair can be made again, bit for bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.pairs.formats.contract import Side
from jobs.pairs.sample import Sample
from operators.degradations.problems import RecipeError
from operators.degradations.record import DrawnStep, from_record

SCHEMA = "facejobs-pair/1"


@dataclass(frozen=True)
class Origin:
    """What is the same for all pairs of a run.

    Attributes:
        recipe: its name.
        recipe_sha256: of its canonical data.
        seed: of the job.
        licence: what the pairs may be used for.
        versions: of what makes the pixels, on the machine that makes them.
    """

    recipe: str
    recipe_sha256: str
    seed: int
    licence: str | None
    versions: Mapping[str, str]


@dataclass(frozen=True)
class PairRecord:
    """A record as it was read.

    Attributes:
        key: of the pair.
        source: key, uri, offset, row, bytes, sha256 of the image it was made from.
        sample: what was cut out of it.
        steps: what was done to it.
        degraded: SHA-256 and size of the degraded picture; None on side B.
        target: of the target; None on side A.
        mask: of the mask; None where there is none.
        versions: of what made the pixels.
    """

    key: str
    source: Mapping[str, Any]
    sample: Sample
    steps: tuple[DrawnStep, ...]
    degraded: Mapping[str, Any] | None
    target: Mapping[str, Any] | None
    mask: Mapping[str, Any] | None
    versions: Mapping[str, str]


def pair_record(
    *,
    key: str,
    split: str,
    side: Side,
    source: Mapping[str, Any],
    sample: Mapping[str, Any],
    variant: int,
    steps: Sequence[DrawnStep],
    files: Mapping[str, Mapping[str, Any] | None],
    origin: Origin,
) -> dict[str, Any]:
    """A record as JSON values.

    Args:
        key: of the pair.
        split: it belongs to.
        side: `both`, or one side of what is not paired.
        source: key, uri, offset, row, bytes, sha256, format, width and height of the image.
        sample: `Sample.to_dict`, with its key and group.
        variant: from 0.
        steps: as drawn.
        files: `degraded`, `target` and `mask`, each as `described`, or None.
        origin: of all pairs of the run.
    """
    return {
        "schema": SCHEMA,
        "key": key,
        "split": split,
        "side": side,
        "source": dict(source),
        "sample": dict(sample),
        "recipe": {"name": origin.recipe, "sha256": origin.recipe_sha256},
        "seed": {"job": origin.seed, "key": sample["key"], "variant": variant},
        "steps": [step.to_record() for step in steps],
        **{name: files.get(name) for name in ("degraded", "target", "mask")},
        "licence": origin.licence,
        "versions": dict(origin.versions),
    }


def described(data: bytes, pixels: NDArray[np.uint8]) -> dict[str, Any]:
    """What a record says of a picture: hash of its file, width and height."""
    return {"sha256": hashlib.sha256(data).hexdigest(), "width": pixels.shape[1], "height": pixels.shape[0]}


def to_json(record: Mapping[str, Any]) -> bytes:
    """The record as it is written."""
    return json.dumps(record, ensure_ascii=False, indent=1).encode()


def read_record(data: bytes, name: str) -> PairRecord:
    """Read a record, of this or another machine.

    Args:
        data: JSON.
        name: what messages call it.

    Raises:
        CommandError: it is none, or its steps were drawn for degradations that this build does not have.
    """
    try:
        raw: Any = json.loads(data)
        if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
            found = raw.get("schema") if isinstance(raw, dict) else type(raw).__name__
            raise ValueError(f"found the schema {found!r}, expected {SCHEMA!r}")
        source = raw["source"]
        for field, form in (("key", str), ("uri", str), ("offset", int), ("row", int), ("bytes", int), ("sha256", str)):
            if not isinstance(source[field], form):
                raise TypeError(f"source.{field} is no {form.__name__}")
        return PairRecord(
            key=str(raw["key"]),
            source=source,
            sample=Sample.from_dict(raw["sample"]),
            steps=from_record(raw["steps"], f"{name}: steps"),
            degraded=raw["degraded"],
            target=raw["target"],
            mask=raw["mask"],
            versions=raw["versions"],
        )
    except RecipeError as error:
        raise CommandError(str(error), Exit.USAGE) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise CommandError(
            f"{name}: is no record of a pair ({said}); name the .json that was written with the pair, or the run "
            "and --key",
            Exit.USAGE,
        ) from error
