"""The format of torch.save before torch 1.6: pickles one after another, then the raw values of each storage.

In order: a magic number, the protocol version 1001, facts about the machine, the value, the list of storage keys; then
for each key eight bytes with the number of values, and the values (torch/serialization.py, `_legacy_save`).
"""

from __future__ import annotations

import mmap
from typing import Any

from operators.checkpoints.errors import RefusedError
from operators.checkpoints.limits import PICKLE_BYTES
from operators.checkpoints.machine import Pickle
from operators.checkpoints.pickles import read_pickle
from operators.checkpoints.stored import Span, Stored
from operators.checkpoints.values import StorageRef, TensorRef

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
COUNT_BYTES = 8
ITEM_BYTES = {"float64": 8, "int64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2, "int16": 2}
"""Of one value; of the other dtypes one byte."""


def read_legacy(content: mmap.mmap) -> Stored:
    """Take an old file of torch apart.

    Args:
        content: the file, mapped.

    Raises:
        RefusedError: it is not what torch wrote.
    """
    magic = _next(content, 0)
    if magic.value != MAGIC:
        raise RefusedError("not_a_checkpoint", "the file is a pickle, but none of torch.save")
    protocol = _next(content, magic.end)
    machine = _next(content, protocol.end)
    if protocol.value != PROTOCOL or not isinstance(machine.value, dict):
        raise RefusedError("unsupported", "the file is of a version of torch.save's old format that is not known")
    if machine.value.get("little_endian") is False:
        raise RefusedError("unsupported", "the weights are stored big-endian; save them again on a common machine")
    value = _next(content, machine.end)
    keys = _next(content, value.end)
    known = _storages(value.value)
    return Stored(value.value, _spans(content, keys, known))


def _next(content: mmap.mmap, at: int) -> Pickle:
    read = read_pickle(content[at : at + PICKLE_BYTES + 1], at)
    read.check()
    return read


def _spans(content: mmap.mmap, keys: Pickle, known: dict[str, StorageRef]) -> dict[str, Span]:
    """Where each storage lies: they follow one another in the order of the keys."""
    if not isinstance(keys.value, list) or not all(isinstance(key, str) for key in keys.value):
        raise RefusedError("malformed", "the list of storages is damaged; fetch the file again")
    spans: dict[str, Span] = {}
    at = keys.end
    for key in keys.value:
        if key not in known:
            raise RefusedError(
                "malformed", "the file lists a storage that no tensor refers to, so its size is not known"
            )
        length = known[key].count * ITEM_BYTES.get(known[key].dtype, 1)
        if int.from_bytes(content[at : at + COUNT_BYTES], "little") != known[
            key
        ].count or at + COUNT_BYTES + length > len(content):
            raise RefusedError(
                "truncated", "a storage has fewer values than the file says: it is cut short; fetch it again"
            )
        spans[key] = Span(at + COUNT_BYTES, length)
        at += COUNT_BYTES + length
    return spans


def _storages(value: Any) -> dict[str, StorageRef]:
    """All storages that the value refers to, by key."""
    found: dict[str, StorageRef] = {}
    seen: set[int] = set()
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, TensorRef):
            item = item.storage
        if isinstance(item, StorageRef):
            if found.setdefault(item.key, item) != item:
                raise RefusedError("malformed", "two tensors describe one storage differently")
        elif isinstance(item, dict | list | tuple) and id(item) not in seen:
            seen.add(id(item))
            todo.extend(item.values() if isinstance(item, dict) else item)
    return found
