"""A short text file of the user's, read with a bound."""

from __future__ import annotations

from pathlib import Path

from jobs.spec.problems import Mark

MAX_BYTES = 256 * 1024


class UnreadableError(Exception):
    """A file that cannot be read as text.

    Attributes:
        message: what was found, what was expected, what to do.
        mark: the place; None where the file as a whole is meant.
    """

    def __init__(self, message: str, mark: Mark | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.mark = mark


def read_text(path: str, what: str, when_missing: str) -> str:
    """Text of a file in UTF-8, with or without a byte order mark.

    Args:
        path: the file.
        what: it should be, for messages: `a job file`.
        when_missing: what to do where there is no such file, for messages.

    Raises:
        UnreadableError: no such file, a folder, more than 256 KiB, not UTF-8.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UnreadableError(f"no such file; {when_missing}") from None
    except IsADirectoryError:
        raise UnreadableError(f"found a folder, expected {what}") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a possible file name"
        raise UnreadableError(f"cannot be read: {reason}") from None
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"found more than {MAX_BYTES // 1024} KiB, expected a short YAML file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        start = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[start : error.start].decode("utf-8", "replace")) + 1
        message = f"found the byte 0x{data[error.start]:02X}, which is not UTF-8; save the file as UTF-8 text"
        raise UnreadableError(message, Mark(line, column)) from None
