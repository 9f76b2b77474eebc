"""A real S3 server behind a proxy that injects faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.retries import backoff
from pipeline.s3 import PatientS3
from pipeline.storage import Folder

ROOT = Path(__file__).parents[3]


@dataclass
class Proxied:
    """The server as it is seen through the proxy.

    Attributes:
        server: `S3Server`, its endpoint being the proxy's.
        direct: the server itself.
        proxy: `benchmarks.faults.proxy.FaultProxy`.
    """

    server: Any
    direct: Any
    proxy: Any

    @property
    def counts(self) -> Counter[str]:
        return self.proxy.counts

    def rates(self, **rates: float) -> None:
        """From now on these faults, and no others."""
        from benchmarks.faults.rates import Rates

        self.proxy.change(rates=Rates(**rates))

    def folder(self, name: str = "faults", **options: Any) -> Folder:
        """An empty folder in a bucket of its own, made without the proxy."""
        return Folder(self.direct.bucket(name) + "/out", self.server.options | options)

    def behind(self, folder: Folder) -> Folder:
        """The same folder without the proxy."""
        return Folder(folder.uri, self.direct.options)


@pytest.fixture
def proxied(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Proxied]]:
    """Starts a proxy: rates of faults by their names, or `seed`."""
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks.faults.proxy import FaultProxy

    with ExitStack() as stack:

        def start(seed: int = 1, **rates: float) -> Proxied:
            proxy = stack.enter_context(FaultProxy(s3.endpoint, seed=seed))
            proxied = Proxied(replace(s3, endpoint=proxy.endpoint), s3, proxy)
            proxied.rates(**rates)
            return proxied

        yield start


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardly any waiting between tries; as many of them as ever."""
    monkeypatch.setattr(backoff, "multiplier", 0.01)
    monkeypatch.setattr(backoff, "max", 0.05)


@pytest.fixture
def impatient(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience of half a second in place of two minutes."""
    monkeypatch.setattr("pipeline.retries.PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(PatientS3, "patience", 0.5)
    monkeypatch.setattr(PatientS3, "first_patience", 0.3)
