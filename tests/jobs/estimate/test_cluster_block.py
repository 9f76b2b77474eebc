"""The block `cluster`: what it may hold, and how it is refused."""

from __future__ import annotations

import pytest

from jobs.estimate.build import price_of
from jobs.spec import JobFileError, loads
from jobs.spec.canonical import canonical
from jobs.spec.cluster import Cluster

HEAD = "job: restore\nname: x\nsource: {kind: files, uri: /in}\noutput: {uri: /out}\n"


@pytest.mark.parametrize(
    ("block", "line", "key", "message"),
    [
        ("cluster: {nodes: [{name: gpu}]}\n", 5, "cluster.nodes[0].cpus", "missing"),
        ("cluster:\n  nodes:\n    - {cpus: 4}\n    - {cpu: 4}\n", 8, "cluster.nodes[1].cpu", "did you mean 'cpus'?"),
        ("cluster:\n  nodes: [{cpus: 0}]\n", 6, "cluster.nodes[0].cpus", "more than 0"),
        ("cluster:\n  nodes: [{cpus: 4, gpus: 0.5}]\n", 6, "cluster.nodes[0].gpus", "a whole number"),
        ("cluster:\n  nodes: [{cpus: 4, memory: much}]\n", 6, "cluster.nodes[0].memory", "a size such as '512 MiB'"),
        ("cluster:\n  nodes: {cpus: 4}\n", 6, "cluster.nodes", "a list"),
        ("cluster:\n  currency: 5\n", 6, "cluster.currency", "write '5' in quotes"),
        ("cluster:\n  storage_price: -1\n", 6, "cluster.storage_price", "at least 0"),
        ("cluster:\n  faces_per_second: '20'\n", 6, "cluster.faces_per_second", "write 20 without quotes"),
        ("cluster:\n  price: 3\n", 6, "cluster.price", "unknown key"),
        ("clustre: {}\n", 5, "clustre", "did you mean 'cluster'?"),
    ],
)
def test_wrong_blocks(block: str, line: int, key: str, message: str) -> None:
    with pytest.raises(JobFileError) as caught:
        loads(HEAD + block, "job.yaml")
    (problem,) = caught.value.problems
    text = str(problem)
    assert text.startswith(f"job.yaml:{line}:")
    assert f" {key}: " in text
    assert message in text


def test_it_changes_no_run() -> None:
    block = "cluster: {nodes: [{cpus: 4, count: 9, price_per_hour: 2}], currency: EUR, faces_per_second: 3}\n"
    assert canonical(loads(HEAD + block)) == canonical(loads(HEAD))


@pytest.mark.parametrize(
    ("nodes", "price"),
    [
        ([], None),
        ([{"cpus": 1}], None),
        ([{"cpus": 1, "price_per_hour": 0.5, "count": 4}], 2.0),
        ([{"cpus": 1, "price_per_hour": 0.5}, {"cpus": 1, "price_per_hour": 0}], 0.5),
        ([{"cpus": 1, "price_per_hour": 0.5}, {"cpus": 1}], None),
    ],
)
def test_the_price_of_all_machines(nodes: list[dict[str, float]], price: float | None) -> None:
    assert price_of(Cluster.model_validate({"nodes": nodes})) == price
