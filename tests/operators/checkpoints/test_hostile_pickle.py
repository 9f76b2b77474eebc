"""Pickles that want to execute something, or to exhaust the machine: refused by name, and never executed."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import runpy
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import checkpoint_files as files
import pytest
import torch
from checkpoint_files import Malice, refusal

from operators.checkpoints import CheckpointError, read
from operators.checkpoints.limits import PICKLE_STEPS


def mines(folder: Path) -> dict[str, tuple[Any, str]]:
    """Objects that do something to `folder` when they are unpickled, with what a refusal has to name."""
    touch = f"touch {folder / 'executed'}"
    return {
        "system": (Malice(os.system, touch), "posix.system"),
        "eval": (Malice(eval, f"open({str(folder / 'executed')!r}, 'w')"), "builtins.eval"),
        "popen": (Malice(subprocess.Popen, ["/bin/sh", "-c", touch]), "subprocess.Popen"),
        "hub": (Malice(torch.hub.load, "someone/something", "model"), "torch.hub.load"),
        "load": (Malice(torch.load, str(folder / "other.pth")), "torch.serialization.load"),
        "getattr": (Malice(getattr, Malice(__import__, "os"), "system"), "builtins.getattr"),
        "run": (Malice(runpy.run_path, str(folder / "x.py")), "runpy.run_path"),
        "module": (torch.nn.Linear(2, 2), "torch.nn.modules.linear.Linear"),
        "class": (Malice(io.FileIO, str(folder / "executed"), "w"), "_io.FileIO"),
        "partial": ({"params_ema": {"w": torch.ones(1)}, "extra": Malice(builtins.exec, touch)}, "builtins.exec"),
    }


@pytest.mark.parametrize("form", ["zip", "old", "pickle"])
@pytest.mark.parametrize("kind", sorted(mines(Path("x"))))
def test_what_wants_to_execute_is_refused_by_name(tmp_path: Path, kind: str, form: str) -> None:
    mine, name = mines(tmp_path)[kind]
    path = tmp_path / "GFPGANv1.4.pth"
    if form == "pickle":
        path.write_bytes(pickle.dumps(mine, 2))
    else:
        torch.save(mine, path, _use_new_zipfile_serialization=form == "zip")
    message = refusal(path, "hostile")
    assert name in message
    assert not (tmp_path / "executed").exists()


def test_the_call_is_shown_with_its_arguments(tmp_path: Path) -> None:
    path = files.archive(tmp_path / "w.pth", pickle.dumps(Malice(os.system, "rm -rf ~\x1b[2J"), 2))
    message = refusal(path, "hostile")
    assert "posix.system('rm -rf ~\\x1b[2J')" in message
    assert "\x1b" not in message


@pytest.mark.parametrize(
    "stream",
    [
        b"cos\nsystem\n(S'true'\ntR.",  # protocol 0
        b"(S'true'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'true'\no.",  # OBJ
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",  # STACK_GLOBAL
        b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x04true\x85R.",  # the names out of the memo
        b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85\x81.",  # NEWOBJ
        b"\x80\x02ccollections\nOrderedDict.__init__.__globals__\n)R.",  # dotted, out of something harmless
        b"\x80\x02cos\nsystem\nq\x000ccollections\nOrderedDict\n)Rh\x00X\x04\x00\x00\x00true\x85R.",  # kept for later
        b"\x80\x02cos\nsystem\n.garbage",
        b"\x80\x02cos\nsystem\n\xff",  # breaks off behind it
    ],
)
def test_every_way_to_name_a_function_is_seen(tmp_path: Path, stream: bytes) -> None:
    for make in (files.archive, files.legacy):
        message = refusal(make(tmp_path / "w.pth", stream), "hostile")
        assert "os.system" in message or "OrderedDict.__init__" in message
    (tmp_path / "w.pth").write_bytes(stream)
    assert "would import" in refusal(tmp_path / "w.pth", "hostile")


def test_extension_codes_are_refused(tmp_path: Path) -> None:
    message = refusal(files.archive(tmp_path / "w.pth", b"\x80\x02\x82\x01)R."), "unsupported")
    assert "EXT1" in message


@pytest.mark.parametrize("other", ["archive/more.pkl", "other/data.pkl", "readme.txt"])
def test_a_second_pickle_or_a_stranger_in_the_zip_is_refused(tmp_path: Path, other: str) -> None:
    path = files.archive(tmp_path / "w.pth", files.tensor_pickle(4, 0, (4,), (1,)), {"0": bytes(16)}, (other,))
    refusal(path, "malformed")


@pytest.mark.parametrize("kind", ["list", "tuple", "itself"])
def test_containers_too_deep_are_refused(tmp_path: Path, kind: str) -> None:
    streams = {
        "list": b"\x80\x02" + b"]" * 5000 + b"a" * 4999 + b".",
        "tuple": b"\x80\x02)" + b"\x85" * 200_000 + b".",
        "itself": b"\x80\x02]q\x00h\x00a.",
    }
    path = files.archive(tmp_path / "w.pth", streams[kind])
    refusal(path, "no_weights" if kind == "itself" else "too_deep")


@pytest.mark.parametrize(
    "stream",
    [
        b"N" * (PICKLE_STEPS + 5),
        # A large list, copied into a size again and again.
        b"]q\x00(" + b"K\x01" * 100_000 + b"e0ctorch\nSize\nq\x010" + b"h\x01h\x00\x85R0" * 100_000 + b"h\x00.",
        # One long text, looked up as a name again and again.
        b"X\x00\x00\x40\x00" + b"a" * 0x400000 + b"q\x000" + b"h\x00h\x00\x930" * 200_000 + b"N.",
        # Keys that are all one hash value.
        b"}(" + b"".join(pickle.dumps(number * ((1 << 61) - 1), 2)[2:-1] + b"N" for number in range(1, 60_000)) + b"u.",
        b"\x8b" + struct.pack("<i", 1 << 20) + bytes(1 << 20) + b".",
        b"N\x72\xff\xff\xff\xff.",  # a memo of four thousand million places
        b"\x8e" + struct.pack("<Q", 1 << 60) + b"x.",
    ],
)
def test_streams_that_cost_time_or_memory_are_cheap(tmp_path: Path, stream: bytes) -> None:
    path = files.archive(tmp_path / "w.pth", b"\x80\x04" + stream)
    begun = time.process_time()
    with pytest.raises(CheckpointError):
        read(path)
    assert time.process_time() - begun < 60  # each of them would take hours, or all memory, if it were believed
