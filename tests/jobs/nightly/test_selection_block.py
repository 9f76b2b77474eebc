"""The block `selection` of a job file: what it takes and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.spec import JobFileError, RestoreJob, loads
from jobs.spec.canonical import canonical

START = "job: restore\nname: a\nsource: {kind: files, uri: in}\noutput: {uri: out}\n"


def job(selection: str, start: str = START) -> RestoreJob:
    found = loads(f"{start}selection: {selection}\n", folder=Path("/nowhere"))
    assert isinstance(found, RestoreJob)
    return found


def test_without_it_a_job_is_one_run() -> None:
    plain = loads(START, folder=Path("/nowhere"))
    assert isinstance(plain, RestoreJob)
    assert plain.selection is None
    assert job("{}").selection is not None


def test_it_makes_no_other_run() -> None:
    assert canonical(job("{new: false, budget: {records: 3}}")) == canonical(loads(START, folder=Path("/nowhere")))


@pytest.mark.parametrize(
    ("selection", "key", "said"),
    [
        ("", "selection", "found nothing"),
        ("{outdated: sometimes}", "selection.outdated", "never"),
        ("{below: {sharpnes: 0.1}}", "selection.below", "did you mean 'sharpness'"),
        ("{below: {niqe: 3}}", "selection.below", "identity, sharpness, confidence"),
        ("{above: {niqe: 3}, outdated: never}", "selection.above", "selection.outdated is never"),
        ("{where: 'widht > 3'}", "selection.where", "widht"),
        ("{where: 'true; drop table catalogue'}", "selection.where", "SQL"),
        ("{failed: {tries: 0}}", "selection.failed.tries", "1"),
        ("{deleted: {most: 1.5}}", "selection.deleted.most", "1"),
        ("{budget: {hours: 0}}", "selection.budget.hours", "0"),
        ("{budget: {record: 3}}", "selection.budget.record", "did you mean 'records'"),
    ],
)
def test_what_is_refused(selection: str, key: str, said: str) -> None:
    with pytest.raises(JobFileError) as caught:
        job(selection)
    problem = next(problem for problem in caught.value.problems if problem.path == key)
    assert said in problem.message
    assert problem.line == 5


@pytest.mark.parametrize(
    ("output", "key"), [("layout: webdataset", "output.layout"), ("existing: replace", "output.existing")]
)
def test_outputs_that_cannot_grow(output: str, key: str) -> None:
    with pytest.raises(JobFileError, match=key):
        job("{}", START.replace("uri: out", f"uri: out, {output}"))


def test_pairs_have_none() -> None:
    pairs = START.replace("restore", "pairs") + "degrade: {recipe: gfpgan}\n"
    with pytest.raises(JobFileError, match="selection"):
        loads(f"{pairs}selection: {{}}\n", folder=Path("/nowhere"))
