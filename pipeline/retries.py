"""What is tried again when storage fails, and for how long."""

from __future__ import annotations

import errno
from typing import Any

from tenacity import RetryCallState, retry, retry_if_exception, wait_random_exponential

from pipeline.errors import StorageError

PATIENCE_SECONDS = 120.0
"""No further try is begun so long after the first. Retries of `pipeline.s3` take the place of those of botocore and
s3fs, so that they are not multiplied: a request ends at most one time-out (30 s) after this."""

TRIES = 40
"""Tries at most, whatever the time: two minutes have room for about 25."""

LOCAL_TRIES = 6
"""Tries at what the operating system refuses (a bad sector, a busy file), or at bytes that are never whole: 6 s or so.
Nobody is going to mend that in two minutes, and it says nothing of the next file."""

TRANSIENT_ERRNO = frozenset(
    {
        errno.EIO,
        errno.EBUSY,
        errno.ETIMEDOUT,
        errno.ECONNRESET,
        errno.EAGAIN,
        errno.ESTALE,
        getattr(errno, "EREMOTEIO", errno.EIO),  # what s3fs makes of 500 InternalError; Linux only
    }
)

CLIENTS = ("aiohttp", "botocore", "aiobotocore", "urllib3", "requests", "s3fs", "gcsfs", "adlfs")

# Of botocore's own exceptions, those that may pass; by name, since the library is loaded only where S3 is used.
PASSING = frozenset(
    {
        "HTTPClientError",
        "ConnectionError",
        "IncompleteReadError",
        "ResponseParserError",
        "ChecksumError",
        "FlexibleChecksumError",
        "CredentialRetrievalError",  # the machine's own credential service did not answer
        "MetadataRetrievalError",
    }
)

# S3 error codes that may pass beside every 5xx but "not implemented" (S3 API reference, error responses).
PASSING_CODES = frozenset(
    {
        "BadDigest",
        "BandwidthLimitExceeded",
        "ConditionalRequestConflict",
        "IncompleteBody",
        "OperationAborted",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "XAmzContentSHA256Mismatch",
    }
)
PASSING_STATUS = frozenset({408, 409, 425, 429})
NEVER = frozenset({501, 505})


class UnsureBytesError(ConnectionError):
    """Fewer bytes came than there are, or an answer that contradicts itself: worth a few more tries."""


# What clients raise when a body ends before its length, or does not fit its checksum.
_BROKEN_BODIES = frozenset(
    {"ChecksumError", "ClientPayloadError", "FlexibleChecksumError", "IncompleteReadError", "ResponseStreamingError"}
)


def is_broken_body(error: BaseException) -> bool:
    """Whether an answer's body ended early or arrived otherwise than it was sent."""
    return any(one.__name__ in _BROKEN_BODIES for one in type(error).__mro__)


def is_unreachable(error: BaseException) -> bool:
    """Whether botocore got no connection at all: nobody there, no such host, no way through."""
    kind = type(error)
    return kind.__module__.startswith("botocore") and any(
        (one.__name__, one.__module__) == ("ConnectionError", "botocore.exceptions") for one in kind.__mro__
    )


def is_transient(error: BaseException) -> bool:
    """Whether trying again may help: time-outs, resets, server errors and throttling, not refusals or absences."""
    if isinstance(error, StorageError):
        return False
    if status := response_status(error):
        if status in NEVER:
            return False
        return status >= 500 or status in PASSING_STATUS or response_code(error) in PASSING_CODES
    if isinstance(error, FileNotFoundError | FileExistsError | PermissionError | IsADirectoryError):
        return False
    if isinstance(error, TimeoutError | ConnectionError):
        return True
    if isinstance(error, OSError) and error.errno in TRANSIENT_ERRNO:
        return True
    kind = type(error)
    if kind.__module__.startswith(("botocore", "aiobotocore")):
        return any(one.__name__ in PASSING for one in kind.__mro__)
    return kind.__module__.startswith(CLIENTS) or kind.__name__ == "FSTimeoutError"


def is_storage(error: BaseException) -> bool:
    """Whether an exception came from storage at all, passing or not: the operating system, or a client library."""
    return isinstance(error, OSError | StorageError) or type(error).__module__.startswith(CLIENTS)


def response_code(error: BaseException) -> str:
    """The S3 error code behind an exception that s3fs translated (`PreconditionFailed`, ...), or an empty string."""
    return str(_response(error).get("Error", {}).get("Code", ""))


def response_status(error: BaseException) -> int:
    """The HTTP status behind an exception that s3fs translated, or 0."""
    return int(_response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _response(error: BaseException) -> dict[str, Any]:
    response = getattr(error.__cause__, "response", None) or getattr(error, "response", None)
    return response if isinstance(response, dict) else {}


def worth_another_try(error: BaseException) -> bool:
    """Whether a whole operation may succeed from its beginning.

    An upload in parts whose end got through, but not the reply, is gone when its end is sent again: S3 knows no such
    upload any more. Made anew, it puts the same bytes.
    """
    return is_transient(error) or response_code(error) == "NoSuchUpload"


def enough(state: RetryCallState) -> bool:
    """When to give up; see `PATIENCE_SECONDS` and `LOCAL_TRIES`."""
    error = state.outcome.exception() if state.outcome is not None else None
    short = isinstance(error, UnsureBytesError) or (
        isinstance(error, OSError)
        and not isinstance(error, ConnectionError | TimeoutError)
        and not response_status(error)
    )
    tries = LOCAL_TRIES if short else TRIES
    return state.attempt_number >= tries or (state.seconds_since_start or 0.0) >= PATIENCE_SECONDS


backoff = wait_random_exponential(multiplier=0.4, max=10.0)
"""Random between 0 and a bound that doubles ("full jitter"), so that workers which storage slowed down do not all come
back at once (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015)."""

persistent = retry(retry=retry_if_exception(worth_another_try), stop=enough, wait=backoff, reraise=True)
