"""How often which fault is injected, and which fault a request meets."""

from __future__ import annotations

import random
from collections import OrderedDict
from dataclasses import dataclass, fields
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

REMEMBERED = 50_000
"""Requests told apart by how often they came; the oldest are forgotten, so memory is bounded."""


@dataclass(frozen=True)
class Rates:
    """Shares of requests, 0 to 1; each request meets one fault at most, and a delay beside it.

    Attributes:
        internal_error: 500 InternalError, not passed on.
        slow_down: 503 SlowDown, not passed on.
        reset_before: the connection is reset and the request is not passed on.
        lost_reply: the request is executed, then the connection is reset.
        truncated: of GETs of an object: the body ends in its middle.
        conflict: of create-only puts: 409 ConditionalRequestConflict, not passed on.
        no_token: of listings: the page says that more follow and not where.
        same_token: of listings: the page goes on where it began; the first page, which has no beginning, is left alone.
        dropped_keys: of listings: every second key of the page is missing, its `KeyCount` is not changed.
        hidden_keys: of listings: likewise, and `KeyCount` fits, so that nothing tells.
        delayed: answered late.
        delay_seconds: by how much at most.
    """

    internal_error: float = 0.0
    slow_down: float = 0.0
    reset_before: float = 0.0
    lost_reply: float = 0.0
    truncated: float = 0.0
    conflict: float = 0.0
    no_token: float = 0.0
    same_token: float = 0.0
    dropped_keys: float = 0.0
    hidden_keys: float = 0.0
    delayed: float = 0.0
    delay_seconds: float = 0.5

    @staticmethod
    def parse(text: str) -> Rates:
        """From `internal_error=0.02,slow_down=0.01`.

        Raises:
            ValueError: a name is unknown, or a value is no share.
        """
        known = {one.name for one in fields(Rates)}
        given: dict[str, float] = {}
        for part in filter(None, (one.strip() for one in text.split(","))):
            name, _, value = part.partition("=")
            if name not in known:
                raise ValueError(f"{name!r}: no such fault; there are {', '.join(sorted(known))}")
            given[name] = float(value)
            if given[name] < 0 or (name != "delay_seconds" and given[name] > 1):
                raise ValueError(f"{part!r}: expected a share from 0 to 1")
        return Rates(**given)


@dataclass(frozen=True)
class Drawn:
    """What happens to one request: the fault's name, or an empty string; and the delay in seconds."""

    fault: str
    delay: float


class Dice:
    """Draws each request's fault from the seed, the request and how often it came, whatever the order of requests.

    The bucket, which tests name at random, takes no part.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._times: OrderedDict[bytes, int] = OrderedDict()

    def draw(self, rates: Rates, method: str, target: str, *, conditional: bool) -> Drawn:
        """What happens to a request.

        Args:
            rates: of faults.
            method: of HTTP.
            target: path and query as they were sent, the bucket being the path's first part.
            conditional: whether it has an `If-None-Match` header.
        """
        path, _, query = target.partition("?")
        key = path.lstrip("/").partition("/")[2]
        digest = sha256(f"{self._seed} {method} {key} {query}".encode()).digest()[:8]
        times = self._times.pop(digest, 0)
        self._times[digest] = times + 1
        if len(self._times) > REMEMBERED:
            self._times.popitem(last=False)
        dice = random.Random(digest + times.to_bytes(8, "big"))
        point = dice.random()
        delay = dice.random() * rates.delay_seconds if dice.random() < rates.delayed else 0.0
        for fault in possible(method, target, conditional=conditional):
            point -= getattr(rates, fault)
            if point < 0:
                return Drawn(fault, delay)
        return Drawn("", delay)


def is_listing(method: str, target: str) -> bool:
    """Whether a request is ListObjectsV2."""
    return method == "GET" and "list-type" in parse_qs(urlsplit(target).query)


def possible(method: str, target: str, *, conditional: bool) -> list[str]:
    """The faults that a request can meet."""
    faults = ["internal_error", "slow_down", "reset_before", "lost_reply"]
    if is_listing(method, target):
        faults += ["no_token", "dropped_keys", "hidden_keys"]
        if "continuation-token" in parse_qs(urlsplit(target).query):
            faults.append("same_token")
    elif method == "GET":
        faults.append("truncated")
    if conditional:
        faults.append("conflict")
    return faults
