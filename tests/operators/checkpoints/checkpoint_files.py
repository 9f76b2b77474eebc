"""Checkpoint files, good and bad, made on the spot."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from operators.checkpoints import CheckpointError, read


def weights() -> OrderedDict[str, torch.Tensor]:
    """Tensors of many kinds: whole, views, transposed, of every dtype, empty, of no dimension."""
    torch.manual_seed(7)
    base = torch.randn(6, 5)
    return OrderedDict(
        {
            "conv.weight": torch.randn(4, 3, 3, 3),
            "conv.bias": torch.nn.Parameter(torch.randn(4)),
            "view": base[2:, 1:3],
            "turned": base.t(),
            "half": torch.randn(5).half(),
            "bfloat": torch.randn(5).bfloat16(),
            "double": torch.randn(3, dtype=torch.float64),
            "steps": torch.tensor(12),
            "mask": torch.tensor([True, False]),
            "bytes": torch.arange(7, dtype=torch.uint8),
            "nothing": torch.empty(0, 3),
        }
    )


class Malice:
    """What unpickling calls a function for."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def archive(path: Path, pickled: bytes, data: Mapping[str, bytes] | None = None, names: tuple[str, ...] = ()) -> Path:
    """A zip laid out as torch lays it out, with this pickle."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", pickled)
        for key, content in (data or {}).items():
            file.writestr(f"archive/data/{key}", content)
        for name in names:
            file.writestr(name, b"x")
    return path


def legacy(path: Path, pickled: bytes, rest: bytes = b"") -> Path:
    """The old format of torch, with this pickle."""
    head = [pickle.dumps(item, 2) for item in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    path.write_bytes(b"".join((*head, pickled, pickle.dumps([], 2), rest)))
    return path


def tensor_pickle(count: int, offset: int, size: tuple[int, ...], stride: tuple[int, ...], name: str = "w") -> bytes:
    """A pickle of one float32 tensor on a storage `0` of so many values, with numbers of any truth."""

    class Storage:
        pass

    class Pickler(pickle.Pickler):
        def persistent_id(self, found: Any) -> Any:
            return ("storage", torch.FloatStorage, "0", "cpu", count) if isinstance(found, Storage) else None

    stream = io.BytesIO()
    rebuilt = Malice(torch._utils._rebuild_tensor_v2, Storage(), offset, size, stride, False, OrderedDict())
    Pickler(stream, 2).dump({name: rebuilt})
    return stream.getvalue()


def grow_first_entry(path: Path, to: int) -> None:
    """Have the zip's directory say that the last entry is so large."""
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x01\x02")
    struct.pack_into("<LL", content, at + 20, to, to)
    path.write_bytes(content)


def refusal(path: Path, code: str) -> str:
    """What is said of a refused file; its code, its name and that the error can travel are seen to."""
    with pytest.raises(CheckpointError) as caught:
        read(path)
    assert caught.value.code == code, caught.value.message
    assert caught.value.message.startswith(f"{path}: ")
    assert pickle.loads(pickle.dumps(caught.value)).message == caught.value.message
    return caught.value.message
