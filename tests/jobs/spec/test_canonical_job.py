"""The identity of a job: what changes output counts, nothing else does, and differences are named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from jobs.spec import PairsJob, RestoreJob, Spec, loads
from jobs.spec.canonical import canonical, difference, digest
from jobs.spec.kinds import KINDS

BASE = "job: restore\nname: plates\nsource: {kind: files, uri: /in%s}\noutput: {uri: /out%s}\nrun: {%s}\n"


def job(source: str = "", output: str = "", run: str = "", more: str = "") -> RestoreJob:
    return loads(BASE % (source, output, run) + more, environment={"K": "v"})


PAIRS = "job: pairs\nname: plates\nsource: {kind: files, uri: /in%s}\noutput: {uri: /out%s}\nrun: {%s}\n"


def pairs(source: str = "", output: str = "", run: str = "", more: str = "degrade: {recipe: gfpgan}\n") -> PairsJob:
    if "degrade:" not in more:
        more += "degrade: {recipe: gfpgan}\n"
    return loads(PAIRS % (source, output, run) + more, environment={"K": "v"})


@pytest.mark.parametrize(
    "other",
    [
        job(run="runner: local, placement: staged, workers: 3, threads: 2, address: auto, samples: 1"),
        job(run="max_quarantined: 1%"),
        job(run="unit_records: 5, unit_bytes: 1 MB"),
        job(source=', storage_options: {key: "${K}"}', output=", storage_options: {secret: abc}"),
        job(output=", existing: replace"),
        loads((BASE % ("", "/elsewhere", "")).replace("plates", "other")),
        job(source="/../in"),
        job(more="restore: {strength: 1, options: {fidelity: 0}}\ndetect: {}\n"),
        job(more="models: {cache: /m, source: /s, artifacts: /a}\n", run="gpus_per_worker: 0.5"),
        job(more="score: {measures: [identity, confidence, niqe, noise, exposure, sharpness]}\n"),
    ],
)
def test_what_does_not_count(other: RestoreJob) -> None:
    assert digest(other) == digest(job())
    assert difference(canonical(job()), canonical(other)) == []


@pytest.mark.parametrize(
    ("other", "line"),
    [
        (job(more="restore: {strength: 0.5}\n"), "restore.strength: was 1.0, is now 0.5"),
        (job(more="restore: {options: {fidelity: 0.5}}\n"), "restore.options.fidelity: was 0.0, is now 0.5"),
        (job(more="detect: {max_faces: 3}\n"), "detect.max_faces: was 1000, is now 3"),
        (job(source="2"), 'source.uri: was "/in", is now "/in2"'),
        (job(source=", limits: {max_pixels: 5}"), "source.limits.max_pixels: was 1000000000, is now 5"),
        (job(source=', exclude: ["a", "b"]'), 'source.exclude: was [], is now ["a", "b"]'),
        (job(output=", format: png"), 'output.format: was "same", is now "png"'),
        (job(output=", mark: false"), "output.mark: was true, is now false"),
        (job(run="seed: 1"), "run.seed: was 0, is now 1"),
        (job(more="score: {gate: {on_fail: flag}}\n"), 'score.gate.on_fail: was "keep_original", is now "flag"'),
    ],
)
def test_what_counts(other: RestoreJob, line: str) -> None:
    assert digest(other) != digest(job())
    assert difference(canonical(job()), canonical(other)) == [line]


def inversion(options: str) -> RestoreJob:
    terms = "models: {accept_noncommercial: [mobilestylegan-ffhq]}\n"
    return job(more=f"restore: {{model: inversion, options: {{{options}}}}}\n{terms}")


def test_steps_and_edits_of_an_inversion_count_in_their_order(tmp_path: Path) -> None:
    one, other = tmp_path / "age.npy", tmp_path / "pose.npy"
    one.touch()
    other.touch()
    steps = ("{use: blur, sigma: 1}", "{use: grey}")
    edits = (f"{{file: {one}, strength: 1}}", f"{{file: {other}, strength: 2}}")
    for options, (first, second) in (("task: recipe, recipe", steps), ("edits", edits)):
        as_is, turned = inversion(f"{options}: [{first}, {second}]"), inversion(f"{options}: [{second}, {first}]")
        assert digest(as_is) != digest(turned)
        key = options.rpartition(" ")[2]
        assert any(f"options.{key}[0]." in line for line in difference(canonical(as_is), canonical(turned)))


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        ("engine: {strict: true}", []),
        ("engine: {precision: fp32}", ['restore.engine.precision: was "auto", is now "fp32"']),
        ("engine: {name: openvino}", ['restore.engine.name: was "auto", is now "openvino"']),
        ("engine: {batch: 4}", ["restore.engine.batch: was 8, is now 4"]),
        ("options: {fidelity: 0.5}", ["restore.options.fidelity: was 0.0, is now 0.5"]),
        ("mask: parsing", ['restore.mask: was "auto", is now "parsing"']),
    ],
)
def test_what_counts_of_a_generator(keys: str, lines: list[str]) -> None:
    one, other = (job(more=f"restore: {{model: gfpgan-1.4{more}}}\n") for more in ("", f", {keys}"))
    assert difference(canonical(one), canonical(other)) == lines


@pytest.mark.parametrize(
    "other",
    [
        pairs(run="runner: local, placement: fused, workers: 3, threads: 2, address: auto, samples: 1"),
        pairs(run="max_quarantined: 1%, isolate: false, record_seconds: 5, unit_seconds: 6, worker_memory: 8 GiB"),
        pairs(run="unit_records: 5, unit_bytes: 1 MB, gpus_per_worker: 0.5, grace_seconds: 1, stall_seconds: 20"),
        pairs(source=', storage_options: {key: "${K}"}', output=", storage_options: {secret: abc}"),
        pairs(output=", existing: replace"),
        pairs(output="/elsewhere"),
        pairs(more="samples: {kind: faces}\nfilter: {}\nsplit: {parts: {train: 1}}\n"),
    ],
)
def test_what_does_not_count_for_pairs(other: PairsJob) -> None:
    assert digest(other) == digest(pairs())
    assert difference(canonical(pairs()), canonical(other)) == []


@pytest.mark.parametrize(
    ("other", "line"),
    [
        (pairs(source="2"), 'source.uri: was "/in", is now "/in2"'),
        (pairs(more="samples: {size: 256}\n"), "samples.size: was 512, is now 256"),
        (pairs(more="samples: {detect: {max_faces: 1}}\n"), "samples.detect.max_faces: was 1000, is now 1"),
        (pairs(more="filter: {duplicates: exact}\n"), 'filter.duplicates: was "near", is now "exact"'),
        (pairs(more="degrade: {recipe: gfpgan, variants: 2}\n"), "degrade.variants: was null, is now 2"),
        (pairs(more="split: {parts: {train: 2}}\n"), "split.parts.train: was 1.0, is now 2.0"),
        (pairs(more="split: {by: source}\n"), 'split.by: was "auto", is now "source"'),
        (pairs(output=", format: lmdb"), 'output.format: was "webdataset", is now "lmdb"'),
        (pairs(output=", shard_pairs: 5"), "output.shard_pairs: was 1000, is now 5"),
        (pairs(output=", masks: false"), "output.masks: was true, is now false"),
        (pairs(output=", licence: CC0-1.0"), 'output.licence: was null, is now "CC0-1.0"'),
        (pairs(run="seed: 1"), "run.seed: was 0, is now 1"),
    ],
)
def test_what_counts_for_pairs(other: PairsJob, line: str) -> None:
    assert digest(other) != digest(pairs())
    assert difference(canonical(pairs()), canonical(other)) == [line]


def test_the_order_of_parts_means_nothing() -> None:
    one, other = (pairs(more=f"split: {{parts: {{{parts}}}}}\n") for parts in ("a: 1, b: 2", "b: 2, a: 1"))
    assert digest(one) == digest(other)


def test_another_kind_of_job_is_another_run() -> None:
    assert 'job: was "restore", is now "pairs"' in difference(canonical(job()), canonical(pairs()))


def test_units_count_where_they_become_shards() -> None:
    one, other = (job(output=", layout: webdataset", run=f"unit_records: {count}") for count in (5, 6))
    assert difference(canonical(one), canonical(other)) == ["run.unit_records: was 5, is now 6"]


def test_keys_that_come_and_go() -> None:
    parquet = loads("job: restore\nname: a\nsource: {kind: parquet, uri: /in}\noutput: {uri: /out}\n")
    lines = difference(canonical(job()), canonical(parquet))
    assert 'source.bytes_column: was not set, is now "image"' in lines
    assert "source.include: was [], is now not set" in lines
    assert difference({"a": [{"b": 1}]}, {"a": [{"b": 1}, {"b": 2}]}) == ["a[1].b: was not set, is now 2"]
    assert difference({"a": {}}, {"a": {"b": 1}}) == ["a: was {}, is now not set", "a.b: was not set, is now 1"]


@pytest.mark.parametrize("spec", [job(), pairs()], ids=["restore", "pairs"])
def test_it_is_json_in_a_fixed_order(spec: Spec) -> None:
    text = json.dumps(canonical(spec))
    assert json.loads(text) == canonical(spec)
    assert text == json.dumps(canonical(spec), sort_keys=True)


def test_blocks_at_their_defaults_may_be_left_out() -> None:
    text = json.dumps(canonical(job()))
    assert text == json.dumps(canonical(job(run="runner: ray", more="score: {}\n")))


def leaves(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner: Any = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from leaves(inner, (*path, name))
        else:
            yield ".".join((*path, name))


COUNTED = {
    "restore": {
        "output.layout",
        "output.format",
        "output.quality",
        "output.compression",
        "output.name",
        "output.mark",
        "run.seed",
    },
    "pairs": {"output.format", "output.shard_pairs", "output.masks", "output.licence", "run.seed"},
}


@pytest.mark.parametrize("spec", [job(), pairs()], ids=["restore", "pairs"])
def test_every_key_has_been_decided_on(spec: Spec) -> None:
    """A new key must be put into one of the two lists: here, or among its kind's indifferent keys."""
    kind = KINDS[spec.job]
    keys = {key for block, models in kind.blocks.items() for model in models for key in leaves(model, (block,))}
    indifferent = kind.indifferent(spec)
    whole = {"observe", "notify", "cluster", "selection"}  # blocks of which no key counts
    assert keys | {"name"} | whole >= indifferent
    assert {key for key in keys - indifferent if key.startswith(("run.", "output."))} == COUNTED[spec.job]
    assert keys & indifferent > {"source.storage_options", "output.storage_options"}
