"""What a right pairs job becomes."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from jobs.spec import JobFileError, PairsJob, RestoreJob, load, loads
from jobs.spec.job import JOBS
from jobs.spec.kinds import KINDS
from jobs.spec.samples import FaceSamples, ImageSamples, TileSamples

SMALLEST = "job: pairs\nname: x\nsource: {kind: files, uri: in/}\ndegrade: {recipe: gfpgan}\noutput: {uri: out/}\n"


def with_more(more: str) -> PairsJob:
    job = loads(SMALLEST + more)
    assert isinstance(job, PairsJob)
    return job


def test_only_five_keys_are_needed(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(SMALLEST)
    job = load(file)
    assert isinstance(job, PairsJob)
    assert (job.source.uri, job.output.uri) == (f"{tmp_path}/in/", f"{tmp_path}/out/")
    assert isinstance(job.samples, FaceSamples)
    assert (job.samples.size, job.degrade.variants, job.degrade.pairs) == (512, None, None)
    assert job.split.parts == {"train": 1.0}
    assert job == loads(SMALLEST, folder=tmp_path)


def test_the_key_job_decides_the_kind() -> None:
    assert isinstance(loads(SMALLEST), PairsJob)
    restore = loads("job: restore\nname: x\nsource: {kind: files, uri: in/}\noutput: {uri: out/}\n")
    assert isinstance(restore, RestoreJob)


def test_the_two_tables_of_kinds_agree() -> None:
    assert {name: kind.model for name, kind in KINDS.items()} == JOBS
    for kind in KINDS.values():
        assert {"job", "name", *kind.blocks} == set(kind.model.model_fields)
        assert set(kind.blocks) == set(kind.parts.__dataclass_fields__)
        assert {name for name, models in kind.blocks.items() if len(models) > 1} == set(kind.tags)


def test_each_kind_of_samples() -> None:
    images = with_more("samples: {kind: images}\n").samples
    assert isinstance(images, ImageSamples)
    assert images.size is None
    tiles = with_more("samples: {kind: tiles, size: 64, step: 100}\n").samples
    assert isinstance(tiles, TileSamples)
    assert (tiles.size, tiles.step) == (64, 100)
    faces = with_more("samples: {template: gpen, detect: {max_faces: 1}}\n").samples
    assert isinstance(faces, FaceSamples)
    assert (faces.template, faces.detect.max_faces) == ("gpen", 1)


@pytest.mark.parametrize(
    "more",
    [
        "filter: {min_confidence: 0.7}\n",
        "filter: {min_confidence: 0.9, duplicates: exact, distance: 2}\n",
        "filter: {duplicates: keep, distance: 2}\nsplit: {by: source}\n",
        "samples: {kind: images, detect: {max_faces: 1}}\nsplit: {by: identity, similarity: 0.4}\n",
        "samples: {kind: images}\nsplit: {by: identity}\nfilter: {min_confidence: 0.9}\n",
        "samples: {kind: tiles, detect: {min_confidence: 0.9}}\nsplit: {by: identity}\n",
        "samples: {detect: {max_faces: 1}}\nsplit: {by: source}\n",
        "split: {parts: {train: 9, val-2: 1, t_: 0.5}}\n",
        "run: {placement: fused, unit_records: 5}\n",
    ],
)
def test_combinations_that_can_be(more: str) -> None:
    with_more(more)


@pytest.mark.parametrize("source", ["manifest, uri: a.csv", "parquet, uri: in/", "webdataset, uri: 'in/*.tar'"])
def test_columns_of_sources_with_a_catalogue(source: str) -> None:
    job = loads(SMALLEST.replace("files, uri: in/", source) + "split: {by: column, column: person}\n")
    assert isinstance(job, PairsJob)
    assert job.split.column == "person"


@pytest.mark.parametrize("name", ["webdataset", "folders", "lmdb", "parquet", "aligned", "unpaired"])
def test_every_format(name: str) -> None:
    job = loads(SMALLEST.replace("uri: out/", f"uri: out/, format: {name}"))
    assert isinstance(job, PairsJob)
    assert job.output.format == name


def test_it_is_frozen_and_travels() -> None:
    job = with_more("split: {parts: {train: 0.5, val: 0.5}}\n")
    assert pickle.loads(pickle.dumps(job)) == job
    with pytest.raises(ValidationError):
        job.name = "other"


def test_a_missing_file_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(
        JobFileError, match="`facejobs init restore`, `facejobs init pairs` or `facejobs init train` writes an"
    ):
        load(tmp_path / "none.yaml")
