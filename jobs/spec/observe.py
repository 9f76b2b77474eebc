"""The block `observe`: how a run is watched while it goes on. Nothing here changes what comes out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator

from jobs.spec.common import Block, Text

LISTEN = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s/:@\[\]]+)):(?P<port>[0-9]{1,5})")
MOST_PORT = 65_535


def listening(address: str) -> tuple[str, int]:
    """Host and port of an address such as `127.0.0.1:9464` or `[::1]:9464`.

    Raises:
        ValueError: says what is expected.
    """
    match = LISTEN.fullmatch(address)
    if match is None or not 1 <= int(match["port"]) <= MOST_PORT:
        raise ValueError(
            "expected 'host:port', such as '127.0.0.1:9464' for this machine alone or '0.0.0.0:9464' for all, with a "
            f"port from 1 to {MOST_PORT}"
        )
    return match["six"] or match["host"], int(match["port"])


def check_listen(address: str) -> str:
    """An address that can be listened at, as far as its form goes. Raises ValueError."""
    listening(address)
    return address


def check_prom(path: str) -> str:
    """A file that node_exporter's textfile collector reads. Raises ValueError."""
    if not path.endswith(".prom") or Path(path).stem in ("", ".prom"):
        raise ValueError("expected a file that ends in '.prom'; the textfile collector passes over all others")
    return path


def check_url(url: str) -> str:
    """The URL of an HTTP server. Raises ValueError."""
    try:
        parts = urlsplit(url)
        there = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        there = False
    if not there or parts.query or parts.fragment:
        raise ValueError("expected a URL such as 'http://host:9091', without '?' or '#'")
    return url


def check_textfile(text: str, uri: str) -> None:
    """Refuse what cannot be a file of this machine.

    Args:
        text: as in the job file.
        uri: made absolute.

    Raises:
        ValueError: a URL, a wildcard or a folder.
    """
    if "://" in uri or "::" in uri:
        raise ValueError("found a URL, expected a file of the machine itself, which node_exporter can read")
    if set("*?") & set(text):
        raise ValueError("found a wildcard, expected one file")
    if Path(uri).is_dir():
        raise ValueError("found a folder there, expected a file")


Listen = Annotated[Text, AfterValidator(check_listen)]
PromFile = Annotated[Text, AfterValidator(check_prom)]
Url = Annotated[Text, AfterValidator(check_url)]


class Observe(Block):
    """Metrics, traces and logs."""

    metrics: Listen | None = None
    """Where Prometheus reads metrics while the command runs, such as '127.0.0.1:9464'; null: nowhere."""
    textfile: PromFile | None = None
    """File (.prom) for the textfile collector of Prometheus' node_exporter, kept up to date and left at the end."""
    pushgateway: Url | None = None
    """URL of a Prometheus Pushgateway that is told the metrics at the end."""
    traces: Url | None = None
    """OTLP/HTTP endpoint for OpenTelemetry traces, such as 'http://localhost:4318'."""
    logs: Literal["text", "json"] = "text"
    """Messages on standard error: for people, or one JSON object a line."""
