"""S3 with one patience: every request, whoever makes it, is tried again here and nowhere else.

botocore and s3fs both try again by themselves, and their counts multiply: six tries of five of five are 150, which at a
server that accepts and never answers is most of an hour; and what s3fs does at `SlowDown` has no jitter. Here botocore
makes one try, s3fs tries bodies that end early again and nothing else, and this file goes on until `PATIENCE_SECONDS`.
What is left then, or refused for good, is a StorageError, which nobody tries again.
"""

from __future__ import annotations

import logging
from typing import Any

from fsspec.asyn import sync_wrapper
from s3fs import S3FileSystem
from s3fs.errors import translate_boto_error
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from pipeline.errors import StorageError
from pipeline.refusals import MUTE, advice, said
from pipeline.retries import (
    PATIENCE_SECONDS,
    TRIES,
    backoff,
    is_transient,
    is_unreachable,
    response_code,
    response_status,
)

_LOG = logging.getLogger(__name__)

SAID_EVERY = 10
"""At the fifth try, and every ten tries after, it is said that there are any: the first ones take a few seconds."""

FIRST_SECONDS = 20.0
"""Patience with an endpoint that no connection has reached yet: it is more likely to be misspelled than down."""


class PatientS3(S3FileSystem):  # type: ignore[misc]  # s3fs has no types
    """`s3fs.S3FileSystem` with bounded patience, and errors that say what to do.

    Options are those of s3fs. `config_kwargs` (botocore's Config) wins over what is set here: `connect_timeout`,
    `read_timeout`, `retries`; tries that botocore is told to make multiply with those made here.
    """

    connect_timeout = 10
    """Seconds until a connection counts as not to be had; s3fs takes it from the class."""
    read_timeout = 30
    """Seconds without a byte after which an answer counts as lost, likewise. Sending is not counted."""
    retries = 3
    """Tries of s3fs at a body, 0.1 s to 0.3 s apart, likewise."""
    patience = PATIENCE_SECONDS
    first_patience = FIRST_SECONDS

    _reached = False

    def __init__(self, *args: Any, config_kwargs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        config = {"retries": {"mode": "standard", "total_max_attempts": 1}, **(config_kwargs or {})}
        super().__init__(*args, config_kwargs=config, **kwargs)

    async def _call_s3(self, method: str, *akwarglist: Any, **kwargs: Any) -> Any:
        """One request of the S3 API, tried again while that may help.

        Raises:
            StorageError: the store did not answer in time, or refuses these credentials.
            OSError: anything else that the store says of this object; FileNotFoundError and FileExistsError among it.
        """
        place = f"s3://{kwargs.get('Bucket', '')}/{kwargs.get('Key', kwargs.get('Prefix', ''))}"
        retrying = AsyncRetrying(
            retry=retry_if_exception(is_transient),
            stop=self._enough,
            wait=backoff,
            before_sleep=lambda state: _say(place, state),
            reraise=True,
        )
        try:
            answer: Any = await retrying(self._call_once, method, *akwarglist, **kwargs)
        except Exception as error:
            reason = await self._reason(error, method, kwargs)
            if todo := advice(reason):
                raise StorageError(f"{place}: {todo} {said(reason)}") from reason
            if is_transient(error):
                raise StorageError(
                    f"{place}: storage does not answer as it should, however often it is asked {said(error)}; check "
                    "the endpoint and the network, or wait until the store is well"
                ) from error
            if reason is error:
                raise
            raise reason  # noqa: B904 - it has its own cause, which callers look at
        self._reached = True
        return answer

    call_s3 = sync_wrapper(_call_s3)  # that of s3fs goes to its own method

    async def _call_once(self, method: str, *akwarglist: Any, **kwargs: Any) -> Any:
        """One request, tried once; errors as s3fs translates them."""
        await self.set_session()
        call = getattr(await self.get_s3(kwargs.get("Bucket")), method)
        try:
            return await call(**self._get_s3_method_kwargs(call, *akwarglist, **kwargs))
        except Exception as error:
            translated = translate_boto_error(error)
            if translated is error:
                raise
            raise translated  # noqa: B904 - its cause is set already

    def _enough(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome is not None else None
        if error is not None and response_status(error):
            self._reached = True
        misspelled = not self._reached and error is not None and is_unreachable(error)
        seconds = min(self.patience, self.first_patience) if misspelled else self.patience
        return state.attempt_number >= TRIES or (state.seconds_since_start or 0.0) >= seconds

    async def _reason(self, error: Exception, method: str, kwargs: dict[str, Any]) -> Exception:
        """The error itself, or what a request whose answer has a body says where a HEAD request was refused mutely."""
        if method != "head_object" or response_status(error) not in MUTE or not response_code(error).isdigit():
            return error
        try:
            answer = await self._call_once("get_object", Bucket=kwargs["Bucket"], Key=kwargs["Key"], Range="bytes=0-0")
        except OSError as told:
            return error if is_transient(told) else told
        answer["Body"].close()
        return error


def _say(place: str, state: RetryCallState) -> None:
    """Say what is waited for, once it has lasted."""
    if state.attempt_number % SAID_EVERY != SAID_EVERY // 2 or state.outcome is None or state.next_action is None:
        return
    error = state.outcome.exception()
    assert error is not None
    _LOG.warning("%s: %s; trying again in %.1f s", place, said(error), state.next_action.sleep)
