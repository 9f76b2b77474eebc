"""OpenTelemetry traces of a run: a span for the run, and below it one for each unit, built from receipts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.observe.numbers import About
from pipeline.driver import Outcome
from pipeline.parcel import Receipt

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

PATH = "/v1/traces"
"""Where an OTLP/HTTP endpoint takes traces (OpenTelemetry Protocol 1.x, OTLP/HTTP request)."""

FLUSH_SECONDS = 10.0
"""What is not taken so long after the end is lost: a command that has ended is not to hang."""

SEND_SECONDS = 5.0
NEEDED = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http.trace_exporter")

Say = Callable[[str], None]


def check_installed() -> None:
    """Refuse to trace without the packages for it.

    Raises:
        CommandError: names the extra.
    """
    for name in NEEDED:
        try:
            found = find_spec(name) is not None
        except ModuleNotFoundError:
            found = False
        if not found:
            raise CommandError(
                f"observe.traces: the package {name.split('.', maxsplit=1)[0]} with {name} is not installed; "
                "`pip install 'facejobs[traces]'`, or leave the key out",
                Exit.BAD_JOB,
            )


class Tracer:
    """Spans of one driven run.

    Args:
        provider: where they go.
        about: the run.
    """

    def __init__(self, provider: TracerProvider, about: About) -> None:
        self._tracer = provider.get_tracer("facejobs", about.version)
        attributes = {
            "facejobs.job": about.job_name,
            "facejobs.kind": about.kind,
            "facejobs.run": about.run,
            "facejobs.runner": about.runner,
            "facejobs.placement": about.placement,
        }
        self._run = self._tracer.start_span(f"run {about.kind}", attributes=attributes)

    def unit(self, receipt: Receipt) -> None:
        """A span for a unit that a worker is done with; what a commit says of an earlier command is none.

        It ends when the unit was committed and is as long as the unit was worked on. Between the workers of a staged
        placement a unit waits, so that it began earlier than its span shows.
        """
        if receipt.state in ("already", "released"):
            return
        end = _nanoseconds(receipt.finished)
        span = self._child(receipt, end - int(receipt.seconds * 1e9))
        if receipt.message:
            _failed(span, receipt.message)
        span.end(end)

    def end(self, outcome: Outcome | None) -> None:
        """The run was left; without an outcome, by an error."""
        self._run.set_attribute("facejobs.state", outcome.state if outcome else "error")
        if outcome is not None:
            self._run.set_attribute("facejobs.records.ok", outcome.tally.ok)
            self._run.set_attribute("facejobs.records.quarantined", outcome.tally.quarantined)
        if outcome is None or outcome.state not in ("complete", "time_up"):
            _failed(self._run, outcome.message if outcome else "the command raised an error")
        self._run.end()

    def _child(self, receipt: Receipt, start: int) -> Span:
        from opentelemetry.trace import set_span_in_context  # noqa: PLC0415

        attributes: dict[str, str | int | float] = {
            "facejobs.unit": receipt.unit_id,
            "facejobs.state": receipt.state,
            "facejobs.records": receipt.records,
            "facejobs.records.ok": receipt.ok,
            "facejobs.records.quarantined": receipt.records - receipt.ok,
            "facejobs.attempt": receipt.attempt,
            **{f"facejobs.stage.{stage}.seconds": seconds for stage, seconds in receipt.stages.items()},
        }
        context = set_span_in_context(self._run)
        return self._tracer.start_span("unit", context=context, start_time=start, attributes=attributes)


@contextmanager
def traced(endpoint: str, about: About, say: Say) -> Iterator[Tracer]:
    """A tracer whose spans go to an OTLP/HTTP endpoint; what is left of them is sent after the block.

    Args:
        endpoint: without a path, `/v1/traces` is added. Headers for it come from the environment, as OpenTelemetry
            has it (`OTEL_EXPORTER_OTLP_HEADERS`).
        about: the run.
        say: told, once, that spans were not taken.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    url = endpoint if urlsplit(endpoint).path.strip("/") else endpoint.rstrip("/") + PATH
    resource = Resource.create({"service.name": "facejobs", "service.version": about.version})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, timeout=SEND_SECONDS)))
    complaints = _Once(url, say)
    complaints.listen()
    try:
        yield Tracer(provider, about)
    finally:
        # A thread of its own: for an endpoint that does not answer, the library waits longer than it is told to.
        closing = threading.Thread(target=provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(FLUSH_SECONDS)
        if closing.is_alive():  # it may complain later still, and is not to do so on standard error
            complaints.once(f"not all spans were taken within {FLUSH_SECONDS:g} s")
        else:
            complaints.leave()


class _Once(logging.Handler):
    """Says the first thing that the library complains of, instead of a traceback on standard error."""

    def __init__(self, url: str, say: Say) -> None:
        super().__init__(logging.WARNING)
        self._url = url
        self._say = say
        self._said = False
        self._logger = logging.getLogger("opentelemetry")

    def listen(self) -> None:
        """From now on take what the library logs."""
        self._logger.addHandler(self)
        self._logger.propagate = False

    def leave(self) -> None:
        """Let the library's messages go where they went."""
        self._logger.propagate = True
        self._logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one on."""
        self.once(record.getMessage().splitlines()[0])

    def once(self, problem: str) -> None:
        """Say it, unless something was said before."""
        if not self._said:
            self._said = True
            self._say(f"observe.traces: {self._url}: {problem}")


def _nanoseconds(finished: str) -> int:
    """A receipt's time, or now where it has none, since 1970."""
    when = datetime.fromisoformat(finished) if finished else datetime.now(timezone.utc)
    return int(when.timestamp() * 1e9)


def _failed(span: Span, message: str) -> None:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

    span.set_status(Status(StatusCode.ERROR, message))
