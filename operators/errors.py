"""The one error that operators raise for input they cannot work on."""

from __future__ import annotations


class OperatorError(Exception):
    """An image or a face that cannot be processed.

    The flow turns it into a quarantine row, so `code` is a stable lower_snake_case word that users filter by
    (`truncated`, `multi_page`, `too_large`, ...) and `message` says what was found, what was expected and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[OperatorError], tuple[str, str]]:
        return (type(self), (self.code, self.message))
