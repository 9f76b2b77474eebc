"""What stands in a checkpoint's pickle, as plain data: storages, tensors by description, and names it would import."""

from __future__ import annotations

from dataclasses import dataclass

from operators.checkpoints.errors import RefusedError, printable
from operators.checkpoints.limits import DIMENSIONS


@dataclass(frozen=True)
class Name:
    """Something that unpickling would import: a class or a function. Never looked up here."""

    module: str
    name: str

    def __str__(self) -> str:
        return printable(f"{self.module[:200]}.{self.name[:200]}")


@dataclass(frozen=True)
class StorageRef:
    """A block of raw values elsewhere in the file.

    Attributes:
        key: its name in the file.
        dtype: of its values, such as `float32`.
        count: of values that it is said to hold.
    """

    key: str
    dtype: str
    count: int


@dataclass(frozen=True)
class TensorRef:
    """A tensor by description: a window on a storage, in values as `torch.as_strided` takes it."""

    storage: StorageRef
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def count(self) -> int:
        """Values of the tensor."""
        count = 1
        for side in self.size:
            count *= side
        return count

    def check(self, name: str) -> None:
        """Refuse a window that reaches out of its storage, or that shows more values than the storage has.

        Args:
            name: of the tensor, for the message.

        Raises:
            RefusedError: as said.
        """
        reach = self.offset + sum((side - 1) * step for side, step in zip(self.size, self.stride, strict=True)) + 1
        if self.count and (reach > self.storage.count or self.count > self.storage.count):
            raise RefusedError(
                "outside_storage",
                f"tensor {printable(name)} of shape {list(self.size)}, strides {list(self.stride)} from {self.offset} "
                f"does not fit its storage of {self.storage.count} values; the file is damaged or made up",
            )


STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
"""Storage classes of torch and the dtype of their values."""


def storage_of(identity: object) -> StorageRef:
    """The storage that a persistent id describes: ("storage", class, key, device, count), in old files a view behind.

    Raises:
        RefusedError: it is anything else.
    """
    match identity:
        case (
            "storage",
            Name(module="torch", name=kind),
            str(key),
            str(),
            int(count),
        ) if kind in STORAGES and count >= 0:
            return StorageRef(key, STORAGES[kind], count)
        case ("storage", Name(module="torch", name=kind), str(key), str(), int(count), None) if kind in STORAGES:
            return storage_of(("storage", Name("torch", kind), key, "cpu", count))
        case ("storage", Name() as kind, *_):
            raise RefusedError("unsupported", f"the file holds values of {kind}, expected plain numbers")
    raise RefusedError("malformed", "the file refers to a storage in a way that torch.save does not")


def tensor_of(arguments: tuple[object, ...]) -> TensorRef:
    """The tensor that `torch._utils._rebuild_tensor` or `_rebuild_tensor_v2` would make.

    Args:
        arguments: storage, offset, size, stride, and what else there is, which does not matter for the values.

    Raises:
        RefusedError: they are not what torch writes.
    """
    match arguments[:4]:
        case (StorageRef() as storage, int(offset), tuple(size), tuple(stride)):
            numbers = (offset, *size, *stride)
            if (
                len(size) == len(stride) <= DIMENSIONS
                and all(isinstance(number, int) and 0 <= number < 1 << 48 for number in numbers)
            ):  # fmt: skip
                return TensorRef(storage, offset, size, stride)
    raise RefusedError("malformed", "a tensor is described by offsets, sizes or strides that no tensor has")
