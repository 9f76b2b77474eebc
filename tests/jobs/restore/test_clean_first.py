"""A job's `clean_first`: null is what goes with the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jobs.models.resolve import ResolvedModel, resolve
from jobs.restore.options.generator import generator_options
from jobs.restore.weights import Weights
from jobs.spec import RestoreJob, loads
from jobs.spec.canonical import canonical
from jobs.spec.generator import GeneratorSettings
from jobs.spec.restore import GeneratorRestore
from operators.engines.options import EngineOptions


def _options(model: ResolvedModel, **asked: Any) -> dict[str, Any]:
    restore = GeneratorRestore(model=model.name, options=GeneratorSettings(**asked))
    return generator_options(restore, Weights(restorer=model), EngineOptions())


@pytest.fixture(scope="module")
def compact() -> ResolvedModel:
    return resolve("compact")


def test_compact_has_half_of_it_unless_told_otherwise(compact: ResolvedModel) -> None:
    assert _options(compact)["clean_first"] == 0.5
    assert _options(compact, clean_first=0)["clean_first"] == 0.0
    assert _options(compact, clean_first=1)["clean_first"] == 1.0


def test_other_models_have_none_unless_told_to(compact: ResolvedModel) -> None:
    other = replace(compact, name="another")
    assert _options(other)["clean_first"] == 0.0
    assert _options(other, clean_first=0.25)["clean_first"] == 0.25


def test_other_tasks_are_not_asked(compact: ResolvedModel) -> None:
    other = replace(compact, name="filler", task="inpaint")
    assert "clean_first" not in _options(other)


def test_a_job_that_does_not_speak_of_it_is_the_job_that_it_was() -> None:
    def written(options: str) -> dict[str, Any]:
        restore = f"restore: {{model: gfpgan-1.4, options: {options}}}"
        job = loads(f"job: restore\nname: a\nsource: {{kind: files, uri: /i}}\noutput: {{uri: /o}}\n{restore}\n")
        assert isinstance(job, RestoreJob)
        found: dict[str, Any] = canonical(job)["restore"]["options"]
        return found

    assert "clean_first" not in written("{fidelity: 0.5}")
    assert written("{clean_first: null}") == written("{}")
    assert written("{clean_first: 0.5}")["clean_first"] == 0.5
