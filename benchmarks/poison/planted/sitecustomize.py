"""Puts faults into the decoder of every Python process that has this folder on its path; see `benchmarks/poison`.

A file that ends in one of these words does, when it is probed, what no sound file makes a decoder do.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

MODULE = "operators.images.probe"


def _segfault() -> None:
    ctypes.string_at(0)


def _endless() -> None:
    ctypes.PyDLL(None).sleep(100_000)  # with the interpreter held, as a loop in native code may hold it


def _memory() -> None:
    held = []
    while True:
        held.append(bytearray(os.urandom(1 << 20) * 32))


DEEDS: dict[bytes, Callable[[], None]] = {
    b"poison segfault": _segfault,
    b"poison endless": _endless,
    b"poison memory": _memory,
}


class _Poisoned(Loader):
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec)  # type: ignore[no-any-return]

    def exec_module(self, module: ModuleType) -> None:
        self._inner.exec_module(module)
        sound = module.probe

        def probe(data: bytes, *arguments: Any, **named: Any) -> Any:
            for ending, deed in DEEDS.items():
                if data.endswith(ending):
                    deed()
            return sound(data, *arguments, **named)

        module.probe = probe  # type: ignore[attr-defined]


class _Finder(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != MODULE:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Poisoned(spec.loader)
        return spec


sys.meta_path.insert(0, _Finder())
