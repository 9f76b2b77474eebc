"""Which derivatives another model, other settings or another version has made, and what a difference can reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.identity import differences
from jobs.restore.identity import settings_of

POLICIES: Mapping[str, frozenset[str]] = {
    "never": frozenset(),
    "model": frozenset({"model"}),
    "settings": frozenset({"model", "settings"}),
    "any": frozenset({"model", "settings", "version"}),
}
"""Which causes make a derivative outdated, by `selection.outdated`."""

FACES_ONLY = ("restore.", "restorer.", "score.gate.")
"""Keys that matter only where there is a face."""


@dataclass(frozen=True)
class Gap:
    """In what a run's settings differ from the job's.

    Attributes:
        causes: out of `model`, `settings` and `version`; empty for none.
        lines: each difference in words.
        faces_only: whether only images with a face can come out another way.
    """

    causes: frozenset[str]
    lines: tuple[str, ...]
    faces_only: bool


def gap(former: Mapping[str, Any], now: Mapping[str, Any], detectors: frozenset[str]) -> Gap:
    """Compare two identities, as far as they decide what becomes of a given image.

    Args:
        former: of the run that made a derivative.
        now: of the job.
        detectors: names of models that look at every image, whether it has faces or not.
    """
    old, new = _deciding(former), _deciding(now)
    # A model that sees shapes can be missing on one machine; what was made with it is not the worse for that.
    keys = [key for key in _differing(old, new) if not (key.startswith("models.") and key[7:] not in new["models"])]
    causes = frozenset(_cause(key) for key in keys)
    return Gap(
        causes=causes,
        lines=tuple(differences(old, new)) if keys else (),
        faces_only=all(_faces_only(key, detectors) for key in keys),
    )


def _deciding(identity: Mapping[str, Any]) -> dict[str, Any]:
    """What decides what becomes of an image, and under which name."""
    settings = settings_of(dict(identity))
    output = {**settings["job"]["output"], "name": identity["job"]["output"].get("name")}
    return {**settings, "job": {**settings["job"], "output": output}}


def _differing(old: Any, new: Any, path: str = "") -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            yield from _differing(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new:
        yield path


def _cause(key: str) -> str:
    if key == "facejobs":
        return "version"
    # What a restorer makes of the job's options follows from these, which are named themselves.
    of_a_model = key.startswith(("models.", "restorer.", "background.")) or key == "background"
    return "model" if of_a_model and ".parameters" not in key else "settings"


def _faces_only(key: str, detectors: frozenset[str]) -> bool:
    if key.startswith("models."):
        return key.removeprefix("models.") not in detectors
    return key.removeprefix("job.").startswith(FACES_ONLY)
