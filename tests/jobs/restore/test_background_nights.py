"""A collection that is kept up night by night: another network for whole pictures reaches every picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Bench
from .small_backgrounds import add_enlarger

EAGER = {"name": "eager", "precision": "fp32"}


@pytest.fixture
def collection(tmp_path: Path, files: dict[str, bytes]) -> Bench:
    bench = Bench(tmp_path, {key: files[key] for key in ("box2/miniature.png", "box2/wall.png")})
    bench.write()
    add_enlarger(tmp_path / "models" / "cache", "small-x2")
    add_enlarger(tmp_path / "models" / "cache", "other-x2", seed=1)
    return bench


def night(bench: Bench, model: str | None, **blocks: Any) -> dict[str, bytes]:
    background = {"background": {"model": model, "tile": 96, "engine": EAGER}} if model is not None else {}
    job = bench.job(
        "kept",
        restore={"model": "none"},
        models={"cache": str(bench.root / "models" / "cache")},
        score={"measures": []},
        selection={"outdated": "model"},
        **background,
        **blocks,
    )
    result = bench.call("run", job)
    assert result.exit_code == 0, result.output
    return bench.outputs("kept")


def models(outputs: dict[str, bytes]) -> dict[str, str | None]:
    found = {name: json.loads(data) for name, data in outputs.items() if name.endswith(".json")}
    return {record["key"]: record.get("background", {}).get("model") for record in found.values()}


def test_every_picture_is_due_when_the_network_is_another(collection: Bench) -> None:
    plain = night(collection, None)
    assert set(models(plain).values()) == {None}
    first = night(collection, "small-x2")
    assert models(first) == {"box2/miniature.png": "small-x2", "box2/wall.png": "small-x2"}
    again = night(collection, "small-x2")
    assert again == first
    second = night(collection, "other-x2")
    assert models(second) == {"box2/miniature.png": "other-x2", "box2/wall.png": "other-x2"}
    assert all(second[key] != first[key] for key in ("box2/miniature.png", "box2/wall.png"))
