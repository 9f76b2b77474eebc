"""A file system that has as many small files as its path says, and nothing in them: a listing without a disk."""

from __future__ import annotations

from typing import Any

import fsspec
from fsspec.spec import AbstractFileSystem

URI = "listed://"
FOLDER_FILES = 1000


class ListedFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """`listed://1000000` is a folder of a thousand folders of a thousand JPEGs each, with sizes and etags."""

    protocol = "listed"
    cachable = False

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """Entries of a folder."""
        top, *below = self._strip_protocol(path).split("/")
        count = int(top)
        if not below:
            folders = -(-count // FOLDER_FILES)
            return [{"name": f"{top}/box-{n:06d}", "size": 0, "type": "directory"} for n in range(folders)]
        if len(below) > 1:
            raise FileNotFoundError(path)
        start = int(below[0].removeprefix("box-")) * FOLDER_FILES
        return [
            {
                "name": f"{top}/{below[0]}/print-{n:08d}.jpg",
                "size": 1_000_000 + n % 1000,
                "type": "file",
                "ETag": f'"{n:032x}"',
            }
            for n in range(start, min(start + FOLDER_FILES, count))
        ]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """The root and the folders are directories."""
        return {"name": self._strip_protocol(path), "size": 0, "type": "directory"}


def register() -> None:
    """Make the protocol known to fsspec."""
    fsspec.register_implementation("listed", ListedFileSystem, clobber=True)
