"""Good checkpoints: every format gives back what was saved, mapped, and nothing is taken for weights that is none."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import checkpoint_files as files
import pytest
import torch
from safetensors.torch import save_file

from operators.checkpoints import CheckpointError, read

FORMATS: dict[str, dict[str, Any]] = {
    "zip": {},
    "zip, protocol 4": {"pickle_protocol": 4},
    "old": {"_use_new_zipfile_serialization": False},
    "old, protocol 5": {"_use_new_zipfile_serialization": False, "pickle_protocol": 5},
}


def same(found: dict[str, torch.Tensor], saved: OrderedDict[str, torch.Tensor]) -> None:
    assert list(found) == list(saved)
    for name, tensor in saved.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("wrapper", [None, "params_ema", "params", "g_ema", "state_dict"])
@pytest.mark.parametrize("form", FORMATS)
def test_what_torch_saves_comes_back_bit_for_bit(tmp_path: Path, form: str, wrapper: str | None) -> None:
    weights = files.weights()
    saved = weights if wrapper is None else {"epoch": 3, "note": "x", wrapper: weights, "optimizer": {"lr": 0.1}}
    torch.save(saved, tmp_path / "w.pth", **FORMATS[form])
    same(read(tmp_path / "w.pth"), weights)


def test_safetensors_come_back(tmp_path: Path) -> None:
    weights = OrderedDict((name, tensor.detach().contiguous().clone()) for name, tensor in files.weights().items())
    save_file(dict(weights), tmp_path / "w.pth")  # the ending does not matter
    found = read(tmp_path / "w.pth")
    same(OrderedDict((name, found[name]) for name in weights), weights)


def test_the_moving_average_is_taken_before_the_last_step(tmp_path: Path) -> None:
    torch.save({"params": {"w": torch.zeros(1)}, "params_ema": {"w": torch.ones(1)}}, tmp_path / "w.pth")
    assert read(tmp_path / "w.pth")["w"].item() == 1


def test_the_prefix_of_data_parallel_goes_only_if_all_have_it(tmp_path: Path) -> None:
    torch.save({"module.a": torch.zeros(1), "module.b": torch.zeros(1)}, tmp_path / "all.pth")
    torch.save({"module.a": torch.zeros(1), "b": torch.zeros(1)}, tmp_path / "some.pth")
    assert list(read(tmp_path / "all.pth")) == ["a", "b"]
    assert list(read(tmp_path / "some.pth")) == ["module.a", "b"]


@pytest.mark.parametrize("name", ["net_g:latest.pth", "..pth", "a b ü.pth", "x.y.z"])
def test_the_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    """torch names the zip's folder after the file."""
    torch.save({"w": torch.ones(2)}, tmp_path / name)
    assert list(read(tmp_path / name)) == ["w"]


def test_numbers_beside_the_weights_are_left_out(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(2), "epoch": 3, "version": "1.4"}, tmp_path / "w.pth")
    assert list(read(tmp_path / "w.pth")) == ["w"]


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        ([torch.ones(1)], "a list"),
        (torch.ones(1), "a single tensor"),
        ({"generator": {"w": torch.ones(1)}, "optimizer": {}}, "generator"),
        ({"w": torch.ones(1), "discriminator": {"w": torch.ones(1)}}, "discriminator"),
        ({0: torch.ones(1)}, "by number"),
        ({}, "nothing"),
    ],
)
def test_what_holds_no_weights_says_what_it_holds(tmp_path: Path, saved: Any, words: str) -> None:
    torch.save(saved, tmp_path / "w.pth")
    with pytest.raises(CheckpointError) as caught:
        read(tmp_path / "w.pth")
    assert caught.value.code == "no_weights"
    assert words in str(caught.value) and str(tmp_path / "w.pth") in str(caught.value)


@pytest.mark.parametrize("form", ["zip", "old"])
def test_writing_to_a_tensor_leaves_the_file_alone(tmp_path: Path, form: str) -> None:
    path = tmp_path / "w.pth"
    torch.save({"a": torch.ones(64), "b": torch.ones(3)}, path, **FORMATS[form])
    before = path.read_bytes()
    for tensor in read(path).values():
        tensor.zero_()
    assert path.read_bytes() == before
    assert read(path)["a"].sum() == 64


def test_weights_are_mapped_and_not_copied(tmp_path: Path) -> None:
    """A file twice as large as what the process may hold privately can still be read."""
    path = tmp_path / "w.pth"
    torch.save({f"w{number}": torch.full((1 << 20,), 1.0) for number in range(64)}, path)  # 256 MiB
    code = (
        "import sys, torch\n"
        "from operators.checkpoints import read\n"
        "read(sys.argv[1], finite=False)\n"
        "def private():\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    return int(next(line for line in lines if line.startswith('RssAnon')).split()[1])\n"
        "before = private()\n"
        "tensors = read(sys.argv[1])\n"
        "print(len(tensors), private() - before)\n"
    )
    out = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True).stdout
    count, grown = map(int, out.split())
    assert count == 64
    assert grown < 64 << 10  # KiB, where a copy would take 256 MiB


def test_naming_the_error_does_not_load_torch() -> None:
    code = "import sys, operators.checkpoints; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
