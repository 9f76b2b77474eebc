"""The three ways on which metrics leave the process: a port, a file, a Pushgateway."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import unquote, urlsplit, urlunsplit

from prometheus_client import CollectorRegistry, pushadd_to_gateway, start_http_server, write_to_textfile
from prometheus_client.exposition import basic_auth_handler, default_handler

from jobs.spec.observe import listening

RENEW_SECONDS = 15.0
"""How often the text file is written: Prometheus reads node_exporter about as often."""

PUSH_SECONDS = 10.0
"""A Pushgateway that takes longer is passed over: a command that has ended is not to hang."""

Say = Callable[[str], None]


@contextmanager
def served(address: str, registry: CollectorRegistry, say: Say) -> Iterator[None]:
    """Metrics at an address while the block runs.

    An address that cannot be listened at is said and passed over: a night that nobody sees is better than none.

    Args:
        address: see `jobs.spec.observe.listening`.
        registry: of the metrics.
        say: told what is wrong.
    """
    host, port = listening(address)
    try:
        server, thread = start_http_server(port, host, registry)
    except (OSError, UnicodeError) as error:  # the latter for what can be no host's name
        say(
            f"observe.metrics: nothing can be served at {address} ({error}); the run goes on without. If another run "
            "has the port, give each job its own, or use observe.textfile"
        )
        yield
        return
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def kept_up(path: Path, registry: CollectorRegistry, say: Say, seconds: float = RENEW_SECONDS) -> Iterator[None]:
    """A text file of the metrics, written at once, now and then while the block runs, and once more after it.

    Args:
        path: the file; another one beside it takes its place, so that nobody reads half of it.
        registry: of the metrics.
        say: told what is wrong, once.
        seconds: between two writes.
    """
    left = threading.Event()
    failed = False

    def write() -> None:
        nonlocal failed
        try:
            write_to_textfile(str(path), registry)
        except OSError as error:
            if not failed:
                failed = True
                say(f"observe.textfile: {path} cannot be written ({error.strerror or error}); the run goes on without")

    def renew() -> None:
        while not left.wait(seconds):
            write()

    write()
    thread = threading.Thread(target=renew, name="textfile", daemon=True)
    thread.start()
    try:
        yield
    finally:
        left.set()
        thread.join()
        write()


def push(gateway: str, job_name: str, registry: CollectorRegistry, say: Say) -> None:
    """Tell a Pushgateway the metrics as they are now; what it has of this job by other names stays.

    Args:
        gateway: its URL; a user and password in it go as basic authentication (RFC 7617).
        job_name: the group that the metrics are kept under.
        registry: of the metrics.
        say: told what is wrong.
    """
    parts = urlsplit(gateway)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    user, password = unquote(parts.username or ""), unquote(parts.password or "")

    def authorised(
        url: str, method: str, timeout: float | None, headers: list[tuple[str, str]], data: bytes
    ) -> Callable[[], None]:
        return basic_auth_handler(url, method, timeout, headers, data, user, password)

    handler = authorised if user else default_handler
    try:
        pushadd_to_gateway(bare, job_name, registry, timeout=PUSH_SECONDS, handler=handler)
    except (OSError, URLError) as error:
        say(f"observe.pushgateway: {bare} did not take the metrics ({error})")
