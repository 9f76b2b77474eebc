"""Settings of completion: what each source of holes needs, and what it has no use for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.spec import JobFileError, loads
from jobs.spec.canonical import canonical
from jobs.spec.completion import CompletionSettings
from jobs.spec.completion_checks import NEEDED, OF_SOURCE
from jobs.spec.restore import CompletionRestore
from operators.damage.kinds import KINDS

GOOD: dict[str, dict[str, Any]] = {
    "files": {"masks": "masks"},
    "alpha": {},
    "colour": {"colour": "#FF00ff"},
    "damage": {"damage": ["tear"], "certainty": 0.4},
    "occlusion": {"occlusion": "parsenet", "classes": [3]},
}


def text(options: dict[str, Any], **restore: Any) -> str:
    """A job whose models are elsewhere, so that no name is unknown."""
    job = {
        "job": "restore",
        "name": "x",
        "source": {"kind": "files", "uri": "/in"},
        "output": {"uri": "/out"},
        "models": {"source": "/models"},
        "restore": {"model": "completion", "options": {"network": "mine", **options}, **restore},
    }
    return yaml.safe_dump(job)


def said(options: dict[str, Any], **restore: Any) -> list[tuple[str, str]]:
    with pytest.raises(JobFileError) as caught:
        loads(text(options, **restore))
    return [(problem.path, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize("source", list(GOOD))
def test_each_source_with_what_it_needs(source: str) -> None:
    job = loads(text({"holes": source, **GOOD[source]}), folder=Path("/jobs"))
    assert isinstance(job.restore, CompletionRestore)
    assert job.restore.options.holes == source
    named = {"network": "mine"} | ({"occlusion": "parsenet"} if source == "occlusion" else {})
    assert job.restore.models() == named
    if source == "files":
        assert job.restore.options.masks == "/jobs/masks"
    if source == "colour":
        assert job.restore.options.colour == "#ff00ff"


@pytest.mark.parametrize("source", list(NEEDED))
def test_what_is_needed_is_asked_for(source: str) -> None:
    empty = {"damage": []} if source == "damage" else {}
    if not NEEDED[source]:  # type: ignore[index]
        loads(text({"holes": source}))
        return
    found = said({"holes": source, **empty})
    assert [path for path, _ in found] == [f"restore.options.{key}" for key, _ in NEEDED[source]]  # type: ignore[index]
    assert all("missing" in message for _, message in found)


@pytest.mark.parametrize("key", list(OF_SOURCE))
def test_keys_of_another_source_are_refused(key: str) -> None:
    value = next((options[key] for options in GOOD.values() if key in options), 0.1)
    other = next(source for source in GOOD if source not in OF_SOURCE[key])
    ((path, message),) = said({"holes": other, **GOOD[other], key: value})
    assert path == f"restore.options.{key}"
    assert f"has no effect with holes: {other}" in message


@pytest.mark.parametrize(
    ("options", "path", "part"),
    [
        ({"holes": "colour", "colour": "magenta"}, "restore.options.colour", "'#ff00ff'"),
        ({"holes": "alpha", "attributes": {"smiling": 2}}, "restore.options.attributes.smiling", "1"),
        ({"holes": "damage", "damage": ["hole"]}, "restore.options.damage[0]", "'tear'"),
        ({"holes": "damage", "damage": ["tear", "tear"]}, "restore.options.damage[1]", "in the list already"),
        ({"holes": "occlusion", "occlusion": "p", "classes": [3, 3]}, "restore.options.classes[1]", "in the list"),
        ({"holes": "damage", "certainty": 0}, "restore.options.certainty", "0"),
    ],
)
def test_values_that_cannot_be(options: dict[str, Any], path: str, part: str) -> None:
    ((found, message),) = said(options)
    assert found == path
    assert part in message


def test_nothing_else_is_pasted() -> None:
    ((path, message),) = said({"holes": "alpha"}, mask="landmarks")
    assert path == "restore.mask"
    assert "pastes what it makes anew" in message


def test_a_network_is_needed() -> None:
    job = yaml.safe_load(text({}))
    del job["restore"]["options"]
    with pytest.raises(JobFileError) as caught:
        loads(yaml.safe_dump(job))
    assert "restore.options" in str(caught.value)


def test_what_decides_pixels_makes_another_run() -> None:
    base = canonical(loads(text({"holes": "alpha"})))
    for options in ({"grow": 1}, {"specks": 4}, {"attributes": {"smiling": 1}}, {"catalogue": {"smiling": "mood"}}):
        assert canonical(loads(text({"holes": "alpha", **options}))) != base
    one, two = ({"holes": "damage", "damage": kinds} for kinds in (["tear", "scratch"], ["scratch", "tear"]))
    assert canonical(loads(text(one))) == canonical(loads(text(two)))


def test_the_kinds_of_damage_are_the_detectors() -> None:
    every = CompletionSettings(network="x", holes="damage", damage=KINDS)
    assert every.damage == KINDS
