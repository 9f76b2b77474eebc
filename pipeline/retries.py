"""What is tried again when storage fails, and for how long."""

from __future__ import annotations

import errno

from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random_exponential

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

# Refusals that botocore raises with the same base class as its connection errors.
PERMANENT = frozenset({"NoCredentialsError", "PartialCredentialsError", "ParamValidationError", "ProfileNotFound"})


def is_transient(error: BaseException) -> bool:
    """Whether trying again may help: time-outs, resets, server errors and throttling, not refusals or absences."""
    if isinstance(error, FileNotFoundError | FileExistsError | PermissionError | IsADirectoryError):
        return False
    if isinstance(error, TimeoutError | ConnectionError):
        return True
    if isinstance(error, OSError) and error.errno in TRANSIENT_ERRNO:
        return True
    if type(error).__name__ in PERMANENT:
        return False
    return type(error).__module__.startswith(CLIENTS)


def is_storage(error: BaseException) -> bool:
    """Whether an exception came from storage at all, passing or not: the operating system, or a client library."""
    return isinstance(error, OSError) or type(error).__module__.startswith(CLIENTS)


def response_code(error: BaseException) -> str:
    """The S3 error code behind an exception that s3fs translated (`PreconditionFailed`, ...), or an empty string."""
    response = getattr(error.__cause__, "response", None) or getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


persistent = retry(
    retry=retry_if_exception(is_transient),
    stop=stop_after_attempt(6),
    wait=wait_random_exponential(multiplier=0.4, max=10.0),
    reraise=True,
)
