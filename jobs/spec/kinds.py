"""The table of all kinds of job, and which one a file is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.spec.kind import Kind
from jobs.spec.pairs_kind import PAIRS
from jobs.spec.problems import Finding, nearest
from jobs.spec.restore_kind import RESTORE
from jobs.spec.tag import none_of, not_one_of
from jobs.spec.train_kind import TRAIN

KINDS: dict[str, Kind[Any]] = {"restore": RESTORE, "pairs": PAIRS, "train": TRAIN}
KEY = "job"


def kind_of(data: Mapping[str, Any]) -> tuple[str, list[Finding]]:
    """Which kind of job a file is.

    Args:
        data: of the whole file.

    Returns:
        The kind; where the file does not say one, the one that it most looks like, so that its other problems can be
        said as well. And what is wrong with what it says.
    """
    names = list(KINDS)
    if KEY in data:
        value = data[KEY]
        if isinstance(value, str) and value in KINDS:
            return value, []
        return _likely(data, value), [Finding((KEY,), not_one_of(value, names))]
    misspelt = next((key for key in data if nearest(key, [KEY])), None)
    if misspelt is not None:
        # Said with the other unknown keys.
        return _likely(data, data[misspelt]), []
    return _likely(data, None), [Finding((KEY,), none_of(KEY, names), at_key=True)]


def _likely(data: Mapping[str, Any], value: Any) -> str:
    close = nearest(value, list(KINDS)) if isinstance(value, str) else None
    return close or max(KINDS, key=lambda name: len(data.keys() & KINDS[name].model.model_fields.keys()))
