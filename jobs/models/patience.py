"""What is tried again while a model is fetched, for how long, and how that is said."""

from __future__ import annotations

import logging

from tenacity import (
    RetryCallState,
    retry,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from jobs.models.addresses import said_of, shown
from pipeline.retries import is_transient

ATTEMPTS = 6
REACH_SECONDS = 20.0
"""After so long without an answer no further look at a file is begun. Clients have retries of their own: one look
at an S3 address that refuses connections takes as long again."""

_LOG = logging.getLogger(__name__)
_TRY_LATER = frozenset({408, 425, 429})


def may_pass(error: BaseException) -> bool:
    """Whether it may pass: what storage calls transient, without the refusals of a web server."""
    status = getattr(error, "status", None)
    if isinstance(status, int) and 400 <= status < 500 and status not in _TRY_LATER:
        return False
    return is_transient(error)


def _say(state: RetryCallState) -> None:
    """Say that something is tried again, so that nobody waits without knowing for what."""
    error = state.outcome.exception() if state.outcome is not None else None
    assert error is not None and state.next_action is not None
    _LOG.warning("%s: %s; trying again in %.1f s", shown(state.args[0].uri), said_of(error), state.next_action.sleep)


patient = retry(
    retry=retry_if_exception(may_pass),
    stop=stop_after_attempt(ATTEMPTS),
    wait=wait_random_exponential(multiplier=0.4, max=20.0),
    before_sleep=_say,
    reraise=True,
)
"""For what moves bytes: a function or method whose first argument is a `jobs.models.remote.Remote`."""

brief = retry(
    retry=retry_if_exception(may_pass),
    stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(REACH_SECONDS),
    wait=wait_random_exponential(multiplier=0.4, max=20.0),
    before_sleep=_say,
    reraise=True,
)
"""For a look at a file, likewise."""
