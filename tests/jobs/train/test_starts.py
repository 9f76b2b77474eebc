"""The weights that networks begin as: found by path or name, hashed, read, and compared with the model."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.models.pull import unsaid
from jobs.spec import TrainJob, loads
from jobs.spec.train_settings import filled
from jobs.train.starts import built, find_starts, read_starts
from operators.models.cache import Cache
from operators.training.schedules.contract import Given
from operators.training.schedules.table import SCHEDULES

SMALL = {"kind": "transform", "size": 32, "channels": 4, "blocks": 1, "style_size": 32}
ENTRY = SCHEDULES["transform"]


def job(folder: Path, start: Any, **model: Any) -> TrainJob:
    (folder / "style.png").touch()
    written = {
        "job": "train",
        "name": "x",
        "data": {"kind": "pictures", "uri": "in/", "style": "style.png"},
        "model": SMALL | {"start": start} | model,
        "models": {"cache": "cache/"},
        "output": {"uri": "out/"},
    }
    found = loads(yaml.safe_dump(written), folder=folder)
    assert isinstance(found, TrainJob)
    return found


def given(found: TrainJob, starts: dict[str, dict[str, torch.Tensor]]) -> Given:
    return Given(
        filled(ENTRY.network, found.model),
        filled(ENTRY.objective, found.objective),
        filled(ENTRY.schedule, found.schedule),
        seed=1,
        starts=starts,
        pictures={"style": torch.zeros(40, 40, 3, dtype=torch.uint8).numpy()},
    )


@pytest.fixture
def weights(tmp_path: Path) -> dict[str, torch.Tensor]:
    """Of a network as `SMALL` has it, in `tmp_path / "net.safetensors"`."""
    found = job(tmp_path, {})
    state = dict(ENTRY.build(given(found, {})).networks["generator"].state_dict())
    save_file({name: one.contiguous() for name, one in state.items()}, tmp_path / "net.safetensors")
    return state


def test_a_file(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    found = job(tmp_path, "net.safetensors")
    starts = find_starts(found)
    assert set(starts) == {"generator"}
    content = (tmp_path / "net.safetensors").read_bytes()
    assert starts["generator"].sha256 == hashlib.sha256(content).hexdigest()
    read = read_starts(starts)
    schedule = built(ENTRY, given(found, read), starts)
    begun = schedule.networks["generator"].state_dict()
    assert all(torch.equal(begun[name], weights[name]) for name in weights)


def test_a_model_of_the_cache(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    cache = Cache(tmp_path / "cache")
    with cache.lock("mine"):
        cache.add(tmp_path / "net.safetensors", "mine", draft=unsaid("mine"))
    starts = find_starts(job(tmp_path, {"generator": "mine"}))
    assert starts["generator"].sha256 == hashlib.sha256((tmp_path / "net.safetensors").read_bytes()).hexdigest()
    assert torch.equal(*(one["conv1.conv2d.weight"] for one in (read_starts(starts)["generator"], weights)))


@pytest.mark.parametrize(("key", "value"), [("channels", 8), ("blocks", 2), ("large", 7)])
def test_a_file_of_another_layout(key: str, value: int, tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    assert weights
    found = job(tmp_path, "net.safetensors", **{key: value})
    starts = find_starts(found)
    with pytest.raises(CommandError) as caught:
        built(ENTRY, given(found, read_starts(starts)), starts)
    assert caught.value.code == Exit.BAD_JOB
    assert caught.value.message.startswith(f"model.start.generator: {tmp_path}/net.safetensors: ")


def test_files_that_cannot_be_had(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    assert weights
    found = job(tmp_path, "net.safetensors")
    starts = find_starts(found)
    (tmp_path / "net.safetensors").write_bytes(b"no weights")
    with pytest.raises(CommandError, match=r"model\.start\.generator: .*net\.safetensors"):
        read_starts(starts)
    (tmp_path / "net.safetensors").unlink()
    with pytest.raises(CommandError, match="No such file"):
        find_starts(found)
    with pytest.raises(CommandError, match=r"model\.start\.generator: .*parsenet"):
        find_starts(job(tmp_path, "parsenet"))
