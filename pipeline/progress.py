"""What a stage keeps of a unit on the way, so that an attempt that is cut off need not be done again from the start."""

from __future__ import annotations

from pipeline import layout
from pipeline.errors import StorageError
from pipeline.retries import is_storage
from pipeline.storage import Folder


class UnitProgress:
    """Bytes under keys, in the run's folder, for one unit; taken away when the unit is committed.

    Another attempt at the unit finds them, on whichever machine. Two attempts at once write the same under a key, as
    what is kept follows from the key and how far it has come.

    Args:
        run: the run's own folder.
        unit_id: the unit.
        keys: every key that was asked for is added to it.
    """

    def __init__(self, run: Folder, unit_id: str, keys: set[str]) -> None:
        self._run = run
        self._unit_id = unit_id
        self._keys = keys

    def load(self, key: str) -> bytes | None:
        """What was saved last under a key; None where nothing was. Raises StorageError."""
        self._keys.add(key)
        try:
            return self._run.read(self._name(key))
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._failed(key, error) from error

    def save(self, key: str, data: bytes) -> None:
        """Keep bytes under a key. Raises StorageError."""
        self._keys.add(key)
        try:
            self._run.write(self._name(key), data)
        except Exception as error:
            raise self._failed(key, error) from error

    def _name(self, key: str) -> str:
        return f"{layout.progress_of(self._unit_id)}/{key}"

    def _failed(self, key: str, error: Exception) -> Exception:
        if not is_storage(error):
            return error
        return StorageError(f"{self._run.uri}: progress {key[:12]} cannot be kept ({error})")


def drop_progress(run: Folder, unit_id: str, keys: set[str]) -> None:
    """Take away what was kept of a unit that is committed.

    Storage that fails leaves it to `gc`, as does another attempt that ended: the commit stands either way.
    """
    try:
        for key in sorted(keys):
            run.delete(f"{layout.progress_of(unit_id)}/{key}")
    except Exception as error:
        if not is_storage(error):
            raise
