"""The block `observe`: what it takes, and what is said of what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.spec import JobFileError, loads
from jobs.spec.observe import listening

HEAD = "job: restore\nname: plates\nsource: {kind: files, uri: in}\noutput: {uri: out}\n"

WRONG = [
    ("metrics: 9464", "expected text; write '9464' in quotes"),
    ("metrics: '9464'", "expected 'host:port', such as '127.0.0.1:9464'"),
    ("metrics: ':9464'", "'0.0.0.0:9464' for all"),
    ("metrics: 'localhost:0'", "a port from 1 to 65535"),
    ("metrics: 'localhost:65536'", "a port from 1 to 65535"),
    ("metrics: 'http://localhost:9464'", "expected 'host:port'"),
    ("metrics: '::1:9464'", "expected 'host:port'"),
    ("textfile: /var/lib/metrics/facejobs.txt", "expected a file that ends in '.prom'"),
    ("textfile: metrics/.prom", "expected a file that ends in '.prom'"),
    ("textfile: s3://bucket/facejobs.prom", "found a URL, expected a file of the machine itself"),
    ("textfile: 'metrics/*.prom'", "found a wildcard, expected one file"),
    ("textfile: folder.prom", "found a folder there, expected a file"),
    ("pushgateway: pushgateway:9091", "expected a URL such as 'http://host:9091'"),
    ("pushgateway: 'http://'", "expected a URL"),
    ("pushgateway: 'http://host:99999'", "expected a URL"),
    ("pushgateway: 'http://host:9091/?job=x'", "without '?' or '#'"),
    ("traces: grpc://localhost:4317", "expected a URL such as 'http://host:9091'"),
    ("traces: 'http://host/${TOKEN}'", "found '${'"),
    ("logs: yaml", "expected 'text' or 'json'"),
]


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong_values_are_refused_where_they_stand(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "folder.prom").mkdir()
    with pytest.raises(JobFileError) as refused:
        loads(f"{HEAD}observe:\n  {line}\n", folder=tmp_path)
    (problem,) = refused.value.problems
    assert message in problem.message
    assert problem.line == 6


@pytest.mark.parametrize("key", ["pushgateway", "traces"])
def test_a_password_in_a_url_that_is_refused_is_not_repeated(key: str) -> None:
    with pytest.raises(JobFileError) as refused:
        loads(f"{HEAD}observe: {{{key}: 'ftp://user:hidden@host/'}}\n")
    assert "hidden" not in str(refused.value)


def test_a_relative_file_is_one_beside_the_job_file(tmp_path: Path) -> None:
    job = loads(HEAD + "observe: {textfile: metrics/plates.prom}\n", folder=tmp_path)
    assert job.observe.textfile == f"{tmp_path}/metrics/plates.prom"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("[::1]:80", ("::1", 80)),
        ("node-3.cluster:65535", ("node-3.cluster", 65535)),
    ],
)
def test_addresses(address: str, expected: tuple[str, int]) -> None:
    assert listening(address) == expected
