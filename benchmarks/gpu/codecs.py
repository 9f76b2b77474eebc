"""JPEG by whichever library is there."""

from __future__ import annotations

import importlib
import importlib.util
import io
from typing import Protocol

import numpy as np

from benchmarks.gpu.scans import Pixels

QUALITY = 92


class Codec(Protocol):
    """Reads and writes files.

    Attributes:
        compresses: whether it does the work that a picture's codec does.
    """

    compresses: bool

    def read(self, data: bytes) -> Pixels:
        """A file's bytes as (H, W, 3) uint8 RGB."""
        ...

    def write(self, pixels: Pixels) -> bytes:
        """(H, W, 3) uint8 RGB as a file's bytes."""
        ...


def codec() -> Codec:
    """The first that is installed."""
    if importlib.util.find_spec("PIL") is not None:
        return _Pillow()
    return _Torchvision() if importlib.util.find_spec("torchvision") is not None else _Numpy()


class _Pillow:
    compresses = True

    def __init__(self) -> None:
        self._image = importlib.import_module("PIL.Image")

    def read(self, data: bytes) -> Pixels:
        return np.array(self._image.open(io.BytesIO(data)).convert("RGB"))

    def write(self, pixels: Pixels) -> bytes:
        file = io.BytesIO()
        self._image.fromarray(pixels).save(file, "JPEG", quality=QUALITY)
        return file.getvalue()


class _Torchvision:
    compresses = True

    def __init__(self) -> None:
        self._torch = importlib.import_module("torch")
        self._io = importlib.import_module("torchvision.io")

    def read(self, data: bytes) -> Pixels:
        found = self._io.decode_jpeg(self._torch.frombuffer(bytearray(data), dtype=self._torch.uint8))
        return np.ascontiguousarray(found.permute(1, 2, 0).numpy())

    def write(self, pixels: Pixels) -> bytes:
        planes = self._torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
        return bytes(self._io.encode_jpeg(planes, quality=QUALITY).numpy())


class _Numpy:
    compresses = False

    def read(self, data: bytes) -> Pixels:
        found: Pixels = np.load(io.BytesIO(data))
        return found

    def write(self, pixels: Pixels) -> bytes:
        file = io.BytesIO()
        np.save(file, pixels)
        return file.getvalue()
