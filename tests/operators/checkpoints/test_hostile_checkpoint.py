"""Files that are no checkpoints, cut short, or lie about themselves: each is refused by name."""

from __future__ import annotations

import pickle
import re
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import checkpoint_files as files
import pytest
import torch
from checkpoint_files import refusal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from operators.checkpoints import CheckpointError, read


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "empty", "fetch it again"),
        (b"<!DOCTYPE html><html><head><title>404 &middot; Page not found</title>", "web_page", "404"),
        (b"\n  <html lang=en>", "web_page", "web page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "web_page", "AccessDenied"),
        (b'{"error": "Repository not found"}', "web_page", "Repository not found"),
        (b"Entry not found", "web_page", "Entry not found"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 348632874\n",
            "git_lfs_pointer",
            "lfs pull",
        ),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "not_a_checkpoint", "HDF5"),
        (b"\x1f\x8b\x08" + bytes(64), "not_a_checkpoint", "gzip"),
        (b"\x7fELF" + bytes(64), "not_a_checkpoint", "program"),
        (bytes(64), "not_a_checkpoint", "00 00"),
        (b"PK\x05\x06" + bytes(18), "not_a_checkpoint", "empty zip"),
        (pickle.dumps({"w": [1, 2]}, 2), "not_a_checkpoint", "none of torch.save"),
    ],
)
def test_what_is_something_else_is_called_by_its_name(tmp_path: Path, content: bytes, code: str, words: str) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    assert words.lower() in refusal(path, code).lower()


def test_a_tar_a_folder_and_a_zip_of_photographs(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "w.tar", "w") as tar:
        tar.add(__file__, "x.py")
    assert "tar" in refusal(tmp_path / "w.tar", "not_a_checkpoint")
    assert "folder" in refusal(tmp_path, "not_a_checkpoint")
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as file:
        file.writestr("photo.jpg", b"x")
    assert "photo.jpg" in refusal(tmp_path / "w.zip", "not_a_checkpoint")


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_a_torchscript_archive_gets_advice(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)).save(str(path))
    assert "torch.jit.load" in refusal(path, "torchscript")


@pytest.mark.parametrize("form", ["zip", "old", "safetensors"])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, form: str) -> None:
    path = tmp_path / "w.pth"
    if form == "safetensors":
        save_file({"a": torch.ones(100), "b": torch.ones(50)}, path)
    else:
        torch.save({"a": torch.ones(100), "b": torch.ones(50)}, path, _use_new_zipfile_serialization=form == "zip")
    whole = path.read_bytes()
    for length in {1, 2, 7, 9, 30, len(whole) // 3, len(whole) // 2, len(whole) - 200, len(whole) - 5, len(whole) - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError) as caught:
            read(path)
        assert caught.value.code in {"truncated", "malformed", "bad_header", "not_a_checkpoint"}, caught.value


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", pickle.dumps({}, 2), zipfile.ZIP_STORED)
        with file.open("archive/data/0", "w", force_zip64=True) as entry:
            for _ in range(64):
                entry.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    assert "67108864" in refusal(path, "compressed")


def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    path = files.archive(tmp_path / "w.pth", files.tensor_pickle(4, 0, (4,), (1,)), {"0": bytes(16), "1": bytes(16)})
    content = bytearray(path.read_bytes())
    records = [match.start() for match in re.finditer(b"PK\x01\x02", bytes(content))]
    content[records[2] + 42 : records[2] + 46] = content[records[1] + 42 : records[1] + 46]
    path.write_bytes(content)
    assert "overlap" in refusal(path, "malformed")


def test_sizes_larger_than_the_file_are_refused(tmp_path: Path) -> None:
    path = files.archive(tmp_path / "w.pth", files.tensor_pickle(1 << 28, 0, (1 << 28,), (1,)), {"0": bytes(16)})
    assert "1073741824 bytes of storage 0, which has 16 bytes" in refusal(path, "outside_storage")
    files.grow_first_entry(path, 1 << 30)
    assert "1073741824" in refusal(path, "truncated")


@pytest.mark.parametrize(
    ("offset", "size", "stride", "code"),
    [
        (0, (5,), (1,), "outside_storage"),
        (1, (4,), (1,), "outside_storage"),
        (0, (2, 2), (3, 1), "outside_storage"),
        (0, (1 << 20,), (0,), "outside_storage"),  # one value shown a million times
        (0, (1 << 40,), (1,), "outside_storage"),
        (-1, (4,), (1,), "malformed"),
        (0, (-4,), (1,), "malformed"),
        (0, (4,), (-1,), "malformed"),
        (0, (2, 2), (1,), "malformed"),
        (0, (1 << 60,), (1,), "malformed"),
        (0, (1,) * 9, (1,) * 9, "malformed"),
    ],
)
def test_windows_beyond_their_storage_are_refused(
    tmp_path: Path, offset: int, size: tuple[int, ...], stride: tuple[int, ...], code: str
) -> None:
    path = files.archive(tmp_path / "w.pth", files.tensor_pickle(4, offset, size, stride), {"0": bytes(16)})
    refusal(path, code)


def test_the_same_window_within_its_storage_is_read(tmp_path: Path) -> None:
    path = files.archive(
        tmp_path / "w.pth", files.tensor_pickle(4, 0, (2, 2), (2, 1)), {"0": struct.pack("4f", 1, 2, 3, 4)}
    )
    assert read(path)["w"].tolist() == [[1, 2], [3, 4]]


def test_many_names_for_one_storage_do_not_multiply(tmp_path: Path) -> None:
    shared = torch.ones(1 << 16)
    torch.save({f"w{number}": shared for number in range(50)}, tmp_path / "w.pth")
    assert "tensors of" in refusal(tmp_path / "w.pth", "too_large")


@pytest.mark.parametrize("climbing", ["../archive/x", "/etc/x", "archive/../../x", "archive\\..\\x", "C:/x"])
def test_names_that_climb_are_refused(tmp_path: Path, climbing: str) -> None:
    path = files.archive(tmp_path / "w.pth", files.tensor_pickle(4, 0, (4,), (1,)), {"0": bytes(16)}, (climbing,))
    assert "leads out" in refusal(path, "hostile")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    path = files.archive(tmp_path / "w.pth", pickle.dumps({}, 2), {}, ("archive/data.pkl",))
    assert "two entries" in refusal(path, "malformed")


def test_big_endian_weights_are_refused(tmp_path: Path) -> None:
    path = files.archive(tmp_path / "w.pth", files.tensor_pickle(4, 0, (4,), (1,)), {"0": bytes(16)})
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("archive/byteorder", b"big")
    assert "big-endian" in refusal(path, "unsupported")


@pytest.mark.parametrize("form", ["zip", "old", "safetensors"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, form: str, value: float) -> None:
    weights = {"good": torch.ones(5), "bad.weight": torch.ones(4, 3)}
    weights["bad.weight"][1] = value
    path = tmp_path / "w.pth"
    if form == "safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=form == "zip")
    message = refusal(path, "not_finite")
    assert "bad.weight" in message and "3 values" in message and "of 12" in message
    assert set(read(path, finite=False)) == {"good", "bad.weight"}


def test_weights_that_are_merely_large_are_read(tmp_path: Path) -> None:
    torch.save({"w": torch.full((1000,), 3e38), "h": torch.full((1000,), 6e4).half()}, tmp_path / "w.pth")
    assert set(read(tmp_path / "w.pth")) == {"w", "h"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: struct.pack("<Q", 1 << 40) + content[8:],
        lambda content: content[:8] + b"{" + b"\xff" * 20 + content[29:],
        lambda content: content.replace(b'"F32"', b'"F31"'),
        lambda content: content.replace(b"[0,400]", b"[0,900]"),
        lambda content: content[:-4],
        lambda content: content.replace(b"[100]", b"[999]"),
    ],
)
def test_a_safetensors_header_that_lies_is_refused(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.ones(100)}, path)
    good = path.read_bytes()
    bad = spoil(good)
    assert bad != good
    path.write_bytes(bad)
    with pytest.raises(CheckpointError) as caught:
        read(path)
    assert caught.value.code in {"bad_header", "not_a_checkpoint"}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(
    place=st.integers(0, 3000), change=st.binary(min_size=1, max_size=12), form=st.sampled_from(["zip", "old", "safe"])
)
def test_a_damaged_file_is_refused_or_read_and_never_crashes(
    tmp_path: Path, place: int, change: bytes, form: str
) -> None:
    path = tmp_path / "w.pth"
    torch.manual_seed(0)
    weights = {"conv.weight": torch.randn(4, 3), "conv.bias": torch.randn(4)}
    if form == "safe":
        save_file(weights, path)
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=form == "zip")
    content = bytearray(path.read_bytes())
    place %= len(content)
    content[place : place + len(change)] = change
    path.write_bytes(content)
    try:
        for tensor in read(path).values():
            tensor.sum()
    except CheckpointError as error:
        assert error.code and str(path) in error.message
