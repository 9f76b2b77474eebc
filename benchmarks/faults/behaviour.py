"""What the proxy does, as data that can be replaced while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from botocore.credentials import Credentials

from benchmarks.faults.rates import Rates


@dataclass(frozen=True)
class Behaviour:
    """What the proxy does.

    Attributes:
        rates: of faults.
        only: regular expression that a request's method and target must match to meet one, `^POST .*uploadId=`.
        most: faults after which there are no more; None for no limit.
        sound: so many requests that match `only` are left alone first.
        expired: an S3 error code such as `ExpiredToken` with which requests that match `only` are refused; empty for
            none.
        expired_status: the HTTP status that goes with it; AWS says 400 for ExpiredToken.
        expire_after: seconds after the start from which requests are refused so; None leaves that to `expired`.
        silent: requests are taken and never answered.
        unknown_condition: answer 501 NotImplemented to `If-None-Match`, as some stores do.
        unconditional: take `If-None-Match` away, so that the server is one without conditional put. The requests are
            signed anew, which needs the credentials.
    """

    rates: Rates = field(default_factory=Rates)
    only: str = ""
    most: int | None = None
    sound: int = 0
    expired: str = ""
    expired_status: int = 400
    expire_after: float | None = None
    silent: bool = False
    unknown_condition: bool = False
    unconditional: Credentials | None = field(default=None, repr=False)
