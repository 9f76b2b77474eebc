"""docs/observability.md names every metric, every key of the block, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobs.observe.last import NIGHT
from jobs.observe.metrics import METRICS
from jobs.observe.numbers import ENDS, EVENTS
from jobs.spec import loads
from pipeline.runners.pools import PARTS

PAGE = (Path(__file__).parents[3] / "docs" / "observability.md").read_text("utf-8")


def rows() -> list[tuple[str, ...]]:
    return re.findall(r"^\| `(facejobs_\w+)` \| (\w+) \| (.*?) \| (.*) \|$", PAGE, flags=re.MULTILINE)


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    assert rows() == [
        (metric.full, metric.kind, ", ".join(f"`{label}`" for label in metric.labels), metric.help)
        for metric in METRICS
    ]


def test_no_other_metric_is_named() -> None:
    known = {metric.full for metric in METRICS}
    for name in re.findall(r"\bfacejobs_\w+", PAGE.replace("facejobs_gpu_*", "")):
        assert name in known


def test_the_values_of_labels_that_the_code_knows_are_named() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE[PAGE.index("What labels hold:") :]))
    assert {*ENDS, *EVENTS, *NIGHT, *PARTS.values()} <= named


def test_the_example_of_the_block_is_one_that_is_read() -> None:
    (block,) = re.findall(r"```yaml\n(observe:\n.*?)```", PAGE, flags=re.DOTALL)
    job = loads(f"job: restore\nname: x\nsource: {{kind: files, uri: in}}\noutput: {{uri: out}}\n{block}")
    assert set(job.observe.model_fields_set) == set(type(job.observe).model_fields)


@pytest.mark.parametrize("path", re.findall(r"\]\((\.\./[^)#]+)\)", PAGE))
def test_files_that_the_page_points_at_are_there(path: str) -> None:
    assert (Path(__file__).parents[3] / "docs" / path).exists()
