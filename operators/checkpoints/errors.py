"""What is said of a file that is not taken as a checkpoint."""

from __future__ import annotations

from pathlib import Path


class CheckpointError(RuntimeError):
    """A file that is refused as a checkpoint.

    Attributes:
        code: stable lower_snake_case word: `hostile`, `truncated`, `not_finite`, ...
        message: names the file, what was found, what was expected and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[CheckpointError], tuple[str, str]]:
        return (type(self), (self.code, self.message))


class RefusedError(Exception):
    """Inside this package: why a file is refused, before its name is known.

    Attributes:
        code: as in `CheckpointError`.
        reason: a sentence without the file's name.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason

    def of(self, path: Path) -> CheckpointError:
        """The error for whoever named the file."""
        return CheckpointError(self.code, f"{path}: {self.reason}")


def printable(text: str, limit: int = 80) -> str:
    """Text out of a file, safe to show: one line, no control characters, cut at `limit`."""
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: limit + 1])
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
