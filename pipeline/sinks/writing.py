"""What an error of a file system means when it is met while writing."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import RecordError, StorageError
from pipeline.retries import is_storage

CHUNK_BYTES = 2**20

# The name is taken by something of another kind, or is none that the file system can hold: the record's own trouble.
_NAME_ERRNO = frozenset({errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.EILSEQ})


@contextmanager
def writing_errors(name: str, where: str) -> Iterator[None]:
    """Raise RecordError for a name that cannot be written, StorageError for all else that storage does."""
    try:
        yield
    except OSError as error:
        said = f"{type(error).__name__}: {error}"
        if error.errno in _NAME_ERRNO:
            raise RecordError(
                "bad_name", f"{where}: {name!r} cannot be written ({said}); another output may need a part of the name"
            ) from error
        raise StorageError(f"{where}: {name!r} cannot be written ({said})") from error
    except Exception as error:
        if is_storage(error):
            raise StorageError(f"{where}: {name!r} cannot be written ({type(error).__name__}: {error})") from error
        raise


def sha256_of(path: Path) -> str:
    """SHA-256 (FIPS 180-4) of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
