"""Stores without create-only put that need no server: file systems in memory, registered with fsspec."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

import fsspec
from fsspec import AbstractFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from pipeline.storage import Folder


class Overwriting(MemoryFileSystem):
    """Takes `mode="create"` and overwrites whatever is there, as a store does that ignores the header."""

    protocol = "overwriting"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        super().pipe_file(path, value, **kwargs)


class Refusing(Overwriting):
    """Says that it knows no `mode="create"`."""

    protocol = "refusing"

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        if mode == "create":
            raise NotImplementedError("exclusive write is not supported")
        super().pipe_file(path, value, **kwargs)


class Spiteful(Overwriting):
    """Refuses the second put, having carried it out."""

    protocol = "spiteful"

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        there = self.exists(path)
        super().pipe_file(path, value, **kwargs)
        if mode == "create" and there:
            raise FileExistsError(path)


class LookingFirst(Overwriting):
    """Has fsspec's general way: it looks, and writes then."""

    protocol = "lookingfirst"
    pipe_file = AbstractFileSystem.pipe_file


def folder_in(kind: type[MemoryFileSystem]) -> Folder:
    """An empty folder in such a file system."""
    fsspec.register_implementation(kind.protocol, kind, clobber=True)
    return Folder(f"{kind.protocol}://{uuid.uuid4().hex}/out")
