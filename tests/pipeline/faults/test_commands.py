"""What a person sees of storage's troubles: exit codes and words of `facejobs run`."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

from jobs.exits import Exit
from jobs.main import app
from pipeline import layout, writer_lock
from pipeline.storage import Folder
from pipeline.writer_lock import Holder

pytestmark = [pytest.mark.s3, pytest.mark.usefixtures("quick")]


@pytest.fixture
def job(tmp_path: Path) -> Any:
    """Writes a job that reads three small pictures and writes to a folder in S3."""

    def write(output: Folder) -> Path:
        (tmp_path / "archive").mkdir(exist_ok=True)
        for number in range(3):
            pixels = np.random.default_rng(number).integers(90, 140, (48, 48, 3), dtype=np.uint8)
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, "PNG")
            (tmp_path / "archive" / f"{number}.png").write_bytes(buffer.getvalue())
        path = tmp_path / "job.yaml"
        path.write_text(
            yaml.safe_dump(
                {
                    "job": "restore",
                    "name": "faults",
                    "source": {"kind": "files", "uri": "archive"},
                    "restore": {"model": "classic"},
                    "output": {"uri": output.uri, "storage_options": dict(output.options)},
                    "run": {"runner": "local", "unit_records": 1, "samples": 0},
                }
            )
        )
        return path

    return write


def run(job: Path) -> tuple[int, str]:
    """Exit code, and both streams."""
    result = CliRunner().invoke(app, ["run", str(job)])
    return result.exit_code, result.output


def test_expired_credentials_end_with_6_and_the_same_command_continues(proxied, job) -> None:
    place = proxied()
    folder = place.folder()
    # From the second commit on: the first unit is done.
    place.proxy.change(expired="ExpiredToken", only="^PUT .*/commits/", sound=1)
    path = job(folder)
    code, said = run(path)
    assert code == Exit.STORAGE, said
    assert "the credentials have expired; renew them" in said
    assert "run the same command again to continue" in said
    assert "0 in quarantine" in said
    assert place.server.secret not in said
    assert "single-writer" not in said
    place.proxy.change(expired="")
    code, said = run(path)
    assert code == Exit.DONE, said
    assert "3 restored or copied, 0 in quarantine" in said


def test_credentials_that_are_wrong_from_the_start(proxied, job) -> None:
    place = proxied()
    folder = place.folder()
    code, said = run(job(replace(folder, options=folder.options | {"secret": "wrong"})))
    assert code == Exit.STORAGE
    assert "the credentials are not accepted" in said
    assert "run the same command again" in said


def test_single_writer_mode_is_said_and_a_second_driver_is_refused(
    proxied, job, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.credentials import Credentials

    monkeypatch.setattr(writer_lock, "PAUSE_SECONDS", 0.1)
    place = proxied()
    place.proxy.change(unconditional=Credentials(place.direct.key, place.direct.secret))
    folder = place.folder()
    path = job(folder)
    other = replace(Holder.me(), host="elsewhere", space="another boot")
    folder.write(layout.WRITER, json.dumps(asdict(other)).encode())
    code, said = run(path)
    assert code == Exit.CONFLICT, said
    assert f"process {other.pid} on elsewhere" in said
    assert folder.names() == [layout.WRITER], "nothing was planned"

    folder.delete(layout.WRITER)
    place.proxy.change(expired="ExpiredToken", only="^PUT .*/commits/", sound=1)
    assert run(path)[0] == Exit.STORAGE
    place.proxy.change(expired="", only="")
    assert not folder.exists(layout.WRITER)
    folder.write(layout.WRITER, json.dumps(asdict(other)).encode())
    code, said = run(path)
    assert code == Exit.CONFLICT, said

    folder.delete(layout.WRITER)
    code, said = run(path)
    assert code == Exit.DONE, said
    assert said.count("single-writer mode") == 1
    assert not folder.exists(layout.WRITER)

    probed = place.counts["unconditional"]
    code, said = run(path)
    assert code == Exit.DONE
    assert "nothing to do" in said
    assert "single-writer mode" not in said
    assert place.counts["unconditional"] == probed, "a finished run is not probed"
