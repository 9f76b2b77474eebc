"""docs/operations.md: a section for every alert, a policy that allows what is done and no more, a repair that works."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from benchmarks.s3_server import S3Server
from jobs.exits import Exit
from jobs.summary.data import Command, Summary
from jobs.summary.plain import plain
from pipeline.s3 import PatientS3
from tests.jobs.small_job import SmallJob

from .kube import ROOT

DOCS = ROOT / "docs"
PAGE = (DOCS / "operations.md").read_text("utf-8")
ALERTS = ROOT / "deploy" / "monitoring" / "alerts.yaml"
BUCKET = re.compile(r"arn:aws:s3:::(\w+)(/\*)?")
ACTIONS = {
    "list_objects_v2": "s3:ListBucket",
    "head_bucket": "s3:ListBucket",
    "head_object": "s3:GetObject",
    "get_object": "s3:GetObject",
    "put_object": "s3:PutObject",
    "create_multipart_upload": "s3:PutObject",
    "upload_part": "s3:PutObject",
    "complete_multipart_upload": "s3:PutObject",
    "abort_multipart_upload": "s3:AbortMultipartUpload",
    "delete_object": "s3:DeleteObject",
    "delete_objects": "s3:DeleteObject",
}
"""What IAM wants for a request (Amazon S3, "Required permissions for Amazon S3 API operations")."""


def sections() -> dict[str, str]:
    parts = re.split(r"^### (.+)$", PAGE.split("\n## Alerts\n", 1)[1], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_alert_has_a_section_and_every_section_an_alert() -> None:
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    names = [rule["alert"] for group in groups for rule in group["rules"]]
    assert sorted(sections()) == sorted(names)


@pytest.mark.parametrize("name", sections())
def test_a_section_says_what_it_means_how_to_look_and_what_to_do(name: str) -> None:
    text = sections()[name]
    assert re.findall(r"^\*\*(.+?)\*\*", text, flags=re.MULTILINE) == ["What it means.", "How to look.", "What to do."]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def policy() -> dict[str, set[str]]:
    """Place (`SOURCE` or `OUTPUT`) to the actions that the page allows there."""
    (text,) = (block for block in blocks("json") if "Statement" in block)
    allowed: dict[str, set[str]] = defaultdict(set)
    for statement in json.loads(text)["Statement"]:
        assert statement["Effect"] == "Allow"
        for resource in statement["Resource"]:
            match = BUCKET.fullmatch(resource)
            assert match is not None
            on_objects = {action for action in statement["Action"] if action != "s3:ListBucket"}
            assert bool(match[2]) == bool(on_objects) == (len(on_objects) == len(statement["Action"]))
            allowed[match[1]] |= set(statement["Action"])
    return allowed


@pytest.mark.s3
def test_the_policy_allows_what_is_asked_and_no_more(
    tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, set[str]] = defaultdict(set)
    once = PatientS3._call_once

    async def noted(self: PatientS3, method: str, *given: Any, **kwargs: Any) -> Any:
        asked[str(kwargs["Bucket"])].add(ACTIONS[method])
        return await once(self, method, *given, **kwargs)

    source, output = s3.bucket("operations-source"), s3.bucket("operations-output")
    job = SmallJob(tmp_path)
    job.fill()
    for path in (tmp_path / "in").iterdir():
        s3.fs.put_file(str(path), f"{source}/{path.name}")
    options = {"storage_options": s3.options}
    job.write(source={"uri": source, **options}, output={"uri": output, **options})
    monkeypatch.setattr(PatientS3, "_call_once", noted)
    for command, code in (("run", Exit.QUARANTINED), ("run", Exit.QUARANTINED), ("retry", Exit.QUARANTINED)):
        result = job.call(command)
        assert result.exit_code == code, result.output
    for command in ("verify", "gc", "status", "report"):
        assert job.call(command).exit_code == Exit.DONE
    allowed = policy()
    assert asked[source.removeprefix("s3://")] == allowed["SOURCE"]
    # A large object is sent in parts, and those of an upload that fails are taken back: not with pictures this small.
    assert asked[output.removeprefix("s3://")] == allowed["OUTPUT"] - {"s3:AbortMultipartUpload"}
    assert allowed["MODELS"] == allowed["SOURCE"]


def test_a_unit_is_done_again_as_the_page_says(tmp_path: Path) -> None:
    (script,) = (block for block in blocks("sh") if "regexp_extract" in block)
    query = re.search(r'-c "(.*?)"', script, flags=re.DOTALL)
    assert query is not None
    pattern = re.search(r"regexp_extract\(filename, ('.+?'), 1\)", query[1])
    assert pattern is not None
    named = f"select regexp_extract('tables/outputs/000-00000001-a1b2c3d4-a1.parquet', {pattern[1]}, 1)"
    assert duckdb.sql(named).fetchall() == [("a1b2c3d4",)]  # and not the unit's number, though an `a` follows it
    job = SmallJob(tmp_path)
    job.fill()
    job.write()
    job.call("run")
    before = (tmp_path / "out/2.png").read_bytes()
    (tmp_path / "out/2.png").unlink()
    assert job.call("verify").exit_code == Exit.MISMATCH
    text = query[1].replace("$run", str(job.run_folder)).replace("box1/plate-07.tif", "2.png")
    units = [unit for (unit,) in duckdb.sql(text).fetchall()]
    assert len(units) == 1
    for commit in (job.run_folder / "commits").glob(f"{units[0]}*.json"):
        commit.unlink()
    assert job.call("run").exit_code == Exit.QUARANTINED
    assert job.call("verify").exit_code == Exit.DONE
    assert (tmp_path / "out/2.png").read_bytes() == before


def test_the_keys_of_the_summary_are_those_of_the_page() -> None:
    table = PAGE.split("| key of `summary.json` | what |", 1)[1].split("\n\n", 1)[0]
    named = {key for row in table.splitlines()[2:] for key in re.findall(r"`(\w+)`", row.split("|")[1])}
    command = Command(("run",), "job.yaml", "host", "0.1.0", "", "", 0.0)
    assert named == set(plain(Summary("prints", "restore", command, Exit.DONE, "complete")))


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", PAGE):
        place, _, anchor = target.partition("#")
        path = (DOCS / place).resolve() if place else DOCS / "operations.md"
        assert path.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), flags=re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
            assert anchor in slugs, target
