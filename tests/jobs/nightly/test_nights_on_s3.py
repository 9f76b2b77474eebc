"""A collection in object storage, over the Ray runner too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import Collection, due, wall

if TYPE_CHECKING:
    from tests.conftest import S3Server


@pytest.mark.s3
@pytest.mark.parametrize("runner", ["local", pytest.param("ray", marks=pytest.mark.ray)])
def test_three_nights(collection: Collection, s3: S3Server, runner: str) -> None:
    bucket = s3.bucket(f"nights-{runner}").removeprefix("s3://")
    options, fs = s3.options, s3.fs
    run: dict[str, Any] = {"runner": runner, "unit_records": 4}
    if runner == "ray":
        run |= {"workers": 1, "isolate": True}
    collection.blocks = {
        "source": {"kind": "files", "uri": f"s3://{bucket}/source", "storage_options": options},
        "output": {"uri": f"s3://{bucket}/kept", "storage_options": options},
        "run": run,
    }
    for number in range(10):
        fs.pipe_file(f"{bucket}/source/wall-{number}.png", wall(number))

    def night() -> dict[str, Any]:
        result = collection.call("run", collection.job())
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(fs.cat_file(f"{bucket}/kept/_facejobs/last-night.json"))
        return found

    assert due(night()) == {"new": 10}
    fs.pipe_file(f"{bucket}/source/wall-3.png", wall(33))
    fs.pipe_file(f"{bucket}/source/wall-4.png", wall(4))  # the same bytes have the same etag
    fs.pipe_file(f"{bucket}/source/late.png", wall(44))
    fs.rm_file(f"{bucket}/source/wall-9.png")
    account = night()
    assert (due(account), account["deleted"]) == ({"new": 1, "changed": 1}, 1)
    assert night()["planned"] == 0
    assert collection.call("verify", collection.job()).exit_code == 0


@pytest.mark.s3
def test_an_idle_night_asks_for_one_listing(
    collection: Collection, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted where requests leave the process: what is looked for and not there must not become a listing."""
    from aiobotocore.client import AioBaseClient

    bucket = s3.bucket("idle").removeprefix("s3://")
    collection.blocks = {
        "source": {"kind": "files", "uri": f"s3://{bucket}/source", "storage_options": s3.options},
        "output": {"uri": f"s3://{bucket}/kept", "storage_options": s3.options},
    }
    for number in range(5):
        s3.fs.pipe_file(f"{bucket}/source/wall-{number}.png", wall(number))
    assert collection.call("run", collection.job()).exit_code == 0
    asked: list[tuple[str, str]] = []
    real = AioBaseClient._make_api_call

    async def counted(self: Any, operation: str, given: dict[str, Any]) -> Any:
        asked.append((operation, str(given.get("Prefix", ""))))
        return await real(self, operation, given)

    monkeypatch.setattr(AioBaseClient, "_make_api_call", counted)
    result = collection.call("run", collection.job())
    assert (result.exit_code, "nothing to do" in result.stdout) == (0, True)
    assert [prefix for operation, prefix in asked if operation.startswith("List")] == ["source/"]
    assert len(asked) < 30
