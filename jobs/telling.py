"""What follows a command that drives a job, on every way out: its summary is written, and people are told."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial

from jobs.console import Output
from jobs.ended import Ended
from jobs.ending import STOPPED
from jobs.exits import Exit
from jobs.notify.addressees import Addressee, addressees
from jobs.notify.send import Message, send
from jobs.spec import Spec, resolve_options
from jobs.spec.notify_checks import summary_options
from jobs.summary.bounded import within
from jobs.summary.collect import noteworthy, of_end, of_error
from jobs.summary.data import Command, Summary
from jobs.summary.headline import title, tone
from jobs.summary.page import as_mail
from jobs.summary.patience import HASTY, USUAL, Patience
from jobs.summary.text import as_text
from jobs.summary.write import write_summary
from jobs.versions import facejobs_version
from pipeline.layout import SUMMARY
from pipeline.storage import Folder


@dataclass(frozen=True)
class Given:
    """A command as it was given.

    Attributes:
        words: `run` or `retry`, with its options.
        file: the job file, as it was named.
    """

    words: tuple[str, ...]
    file: str


def telling(job: Spec, given: Given, work: Callable[[], Ended], out: Output) -> Exit:
    """Do the work of a command; then write its summary and tell people, whatever it ended with.

    Nothing that goes wrong afterwards changes the exit code: it is said. All of it is bounded in time, and shortly so
    after a signal.

    Args:
        job: the job.
        given: the command.
        work: plans and drives the run.
        out: hides the job's secrets already.

    Returns:
        The exit code of the work.

    Raises:
        CommandError: a URL of `notify` cannot be used, which is said before anything is done.
        BaseException: whatever the work raises, once people were told.
    """
    clock = _Clock()
    to: list[Addressee] = []
    try:
        to = addressees(job)
        ended = work()
    except (Exception, *STOPPED) as error:
        patience = HASTY if isinstance(error, STOPPED) else USUAL
        make = partial(of_error, job, clock.stop(given), error, out.scrubber)
        _after(make, None, job, to, patience, out)
        raise
    patience = HASTY if ended.exit == Exit.INTERRUPTED else USUAL
    folder = ended.run.folder if ended.run is not None else None
    _after(partial(of_end, job, clock.stop(given), ended, patience, out.scrubber), folder, job, to, patience, out)
    return ended.exit


def told(summary: Summary, to: list[Addressee], patience: Patience, out: Output) -> bool:
    """Send a summary to everybody, and say who was told and who could not be.

    Returns:
        Whether everybody was.
    """
    message = Message(title(summary), as_text(summary), as_mail(summary), tone(summary))
    failed = send(message, to, patience.sending)
    for name, why in failed.items():
        out.log(f"{name} could not be told: {why}", "warning")
    reached = [one.name for one in to if one.name not in failed]
    if reached:
        out.log(f"told: {', '.join(reached)}")
    return not failed


def _after(
    make: Callable[[], Summary],
    folder: Folder | None,
    job: Spec,
    to: list[Addressee],
    patience: Patience,
    out: Output,
) -> None:
    try:
        summary = make()
        # A run that was complete already keeps the summary of the command that worked on it.
        if folder is not None and summary.worked and summary.state != "storage":
            _write(summary, folder, patience, out)
        if job.notify.summary is not None:
            _write(summary, _place(job, job.notify.summary), patience, out)
        if to and noteworthy(summary, job.notify.when):
            told(summary, to, patience, out)
    except STOPPED:
        out.log("told to stop: the summary was not written and sent to its end", "warning")
    except Exception as error:  # noqa: BLE001  the command's own end matters more
        out.log(f"no summary: {type(error).__name__}: {error}", "warning")


def _place(job: Spec, uri: str) -> Folder:
    return Folder(uri, resolve_options(summary_options(uri, job.output)))


def _write(summary: Summary, folder: Folder, patience: Patience, out: Output) -> None:
    try:
        within(patience.writing, lambda: write_summary(summary, folder))
    except Exception as error:  # noqa: BLE001  another place may take it
        out.log(f"{folder.uri}/{SUMMARY}.html: not written: {type(error).__name__}: {error}", "warning")
        return
    out.say(f"summary: {folder.uri.rstrip('/')}/{SUMMARY}.html")


class _Clock:
    """When the command began."""

    def __init__(self) -> None:
        self._since = datetime.now(timezone.utc)
        self._ticks = time.monotonic()

    def stop(self, given: Given) -> Command:
        """The command as it was given, up to now."""
        return Command(
            words=given.words,
            file=given.file,
            host=socket.gethostname(),
            version=facejobs_version(),
            started=self._since.isoformat(timespec="seconds"),
            finished=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            seconds=time.monotonic() - self._ticks,
        )
