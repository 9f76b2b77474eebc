"""What of a notification's URL must not be shown: where a message goes to is often all that it takes to send one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

SEPARATORS = re.compile(r"[/?&#,;]+")
TOKEN = re.compile(r"(?=.*\d)(?=.*[A-Za-z])\S{8,}|(?=.*[a-z])(?=.*[A-Z])\S{8,}|\S{20,}")
"""What is likely drawn at random and no word: letters and digits, both cases, or very long."""
HOST = re.compile(r"(?:(?:[a-z0-9-]+\.)+[a-z]{2,}|[0-9.]+|localhost)(?::[0-9]{1,5})?", re.IGNORECASE)


def secrets_of_url(url: str) -> Iterator[str]:
    """Parts of an Apprise URL that are as good as a password, as they stand and unquoted (RFC 3986 section 2.1).

    Args:
        url: variables filled in, such as `mailto://user:password@host` or `slack://TokenA/TokenB/TokenC`.

    Yields:
        The whole, the user's password, what looks drawn at random, and the values at keys after `?`.
    """
    yield url
    for part in _parts(url.partition("://")[2]):
        yield part
        if unquote(part) != part:
            yield unquote(part)


def _parts(rest: str) -> Iterator[str]:
    place, _, query = rest.partition("?")
    userinfo, _, path = place.rpartition("@")
    if password := userinfo.partition(":")[2]:
        yield password
    for piece in SEPARATORS.split(f"{userinfo}/{path}"):
        if TOKEN.fullmatch(piece) and not HOST.fullmatch(piece):
            yield piece
    for pair in query.split("&"):
        value = pair.partition("=")[2]
        if TOKEN.fullmatch(value) and not HOST.fullmatch(unquote(value).rpartition("@")[2]):
            yield value
