"""What an S3 store's refusal means for the person who runs a job, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pipeline.retries import response_code, response_status

_RENEW = "the credentials have expired; renew them"
_WRONG = "the credentials are not accepted; check key, secret and token in `storage_options`, or where they come from"
_NONE = "there are no whole credentials; set `key` and `secret` in `storage_options`, or AWS_ACCESS_KEY_ID and its like"
_DENIED = "access is denied to these credentials; let them list, read and, for an output, write and delete there"
_REGION = "the store is in another region; set `client_kwargs: {region_name: ...}` in `storage_options`"

ADVICE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"), _RENEW),
        **dict.fromkeys(
            (
                "AuthFailure",
                "InvalidAccessKeyId",
                "InvalidClientTokenId",
                "InvalidSecurity",
                "InvalidToken",
                "NotSignedUp",
                "SignatureDoesNotMatch",
                "UnrecognizedClientException",
            ),
            _WRONG,
        ),
        **dict.fromkeys(("AuthorizationHeaderMalformed", "IllegalLocationConstraintException"), _REGION),
        "RequestTimeTooSkewed": "this machine's clock differs from the store's, which voids its credentials; set it",
    }
)
"""S3 error codes (API reference, error responses) that no wait mends and that concern every object."""

_CLIENT_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError"), _RENEW),
        **dict.fromkeys(("NoCredentialsError", "PartialCredentialsError", "NoAuthTokenError"), _NONE),
        "ProfileNotFound": "there is no such profile; check `profile` in `storage_options`, or AWS_PROFILE",
        "NoRegionError": _REGION,
    }
)
"""Exceptions of botocore that say the same before anything is sent."""

MUTE = frozenset({400, 403})
"""Refusals which a HEAD request answers without a word: what has no body has no error code."""


def advice(error: BaseException) -> str:
    """What to do about a refusal that concerns the credentials; an empty string where it is none."""
    if type(error).__module__.startswith("botocore"):
        for one in type(error).__mro__:
            if one.__name__ in _CLIENT_ADVICE:
                return _CLIENT_ADVICE[one.__name__]
    code = response_code(error)
    if code in ADVICE:
        return ADVICE[code]
    # An object in cold storage is one record's trouble.
    return _DENIED if response_status(error) in {401, 403} and code != "InvalidObjectState" else ""


def said(error: BaseException) -> str:
    """An error in storage's own words, in brackets: its code and message, or the exception's name and text."""
    if code := response_code(error):
        return f"({code}: {getattr(error, 'strerror', None) or error})"
    return f"({type(error).__name__}: {error})"
