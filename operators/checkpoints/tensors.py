"""Tensors on a mapped file: described in its pickle, checked here, copied nowhere."""

from __future__ import annotations

import mmap
from collections.abc import Mapping

import torch

from operators.checkpoints.errors import RefusedError, printable
from operators.checkpoints.limits import EXPANSION, TENSORS
from operators.checkpoints.stored import Span
from operators.checkpoints.values import StorageRef, TensorRef


def make_tensors(
    described: Mapping[str, TensorRef], spans: Mapping[str, Span], content: mmap.mmap
) -> dict[str, torch.Tensor]:
    """The tensors that are described, as windows on the mapped file.

    Args:
        described: by name.
        spans: where the storages lie.
        content: the file, mapped copy-on-write, so that a tensor that is written to does not change the file.

    Returns:
        Tensors by name, of the dtypes that the file has, on the CPU.

    Raises:
        RefusedError: a window reaches out of its storage, or a storage out of its place.
    """
    if len(described) > TENSORS:
        raise RefusedError("too_large", f"the file describes {len(described)} tensors, at most {TENSORS} are read")
    storages: dict[StorageRef, torch.Tensor] = {}
    made: dict[str, torch.Tensor] = {}
    total = 0
    for name, tensor in described.items():
        tensor.check(name)
        storage = storages.get(tensor.storage)
        if storage is None:
            storage = storages[tensor.storage] = _storage(name, tensor.storage, spans, content)
        made[name] = storage.as_strided(tensor.size, tensor.stride, tensor.offset)
        total += tensor.count * storage.itemsize
    if total > EXPANSION * len(content):
        raise RefusedError("too_large", f"{len(content)} bytes of file describe tensors of {total} bytes")
    return made


def _storage(name: str, wanted: StorageRef, spans: Mapping[str, Span], content: mmap.mmap) -> torch.Tensor:
    """One storage as a vector."""
    dtype: torch.dtype = getattr(torch, wanted.dtype)
    span = spans.get(wanted.key)
    length = wanted.count * dtype.itemsize
    if span is None or length > span.length:
        found = "is not in the file" if span is None else f"has {span.length} bytes"
        raise RefusedError(
            "outside_storage",
            f"tensor {printable(name)} needs {length} bytes of storage {printable(wanted.key)}, which {found}; "
            "the file is damaged or made up",
        )
    if not length:
        return torch.empty(0, dtype=dtype)
    if span.start % dtype.itemsize:
        # Only the old format leaves values unaligned, which vector instructions do not all bear: these are copied.
        return torch.frombuffer(bytearray(content[span.start : span.start + length]), dtype=dtype)
    return torch.frombuffer(content, dtype=dtype, count=wanted.count, offset=span.start)
