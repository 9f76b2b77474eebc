"""What is seen while a run goes on: a progress bar on a terminal, plain lines elsewhere, or lines of JSON."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from jobs.observe.lines import Caught, Field, JsonLines, Level, say_unit
from jobs.spec import Scrubber
from pipeline.parcel import Receipt
from pipeline.tally import Tally

LINE_SECONDS = 10.0


@dataclass(frozen=True)
class Words:
    """What a progress display calls things.

    Attributes:
        doing: what goes on.
        records: what is counted.
        count: of a run's counts the one that is shown as well; empty for none.
        counted: what that is called.
    """

    doing: str
    records: str
    count: str = ""
    counted: str = ""

    def more(self, tally: Tally) -> str:
        """The further count, with a comma before it."""
        return f", {tally.counts.get(self.count, 0)} {self.counted}" if self.count else ""


class Output:
    """Writes messages without secrets: results to standard output, the course of things to standard error."""

    def __init__(self, scrubber: Scrubber | None = None) -> None:
        self._scrubber = scrubber or Scrubber(())
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._json: JsonLines | None = None

    def use(self, scrubber: Scrubber) -> None:
        """Hide these secrets from now on."""
        self._scrubber = scrubber

    @property
    def scrubber(self) -> Scrubber:
        """What hides secrets."""
        return self._scrubber

    @contextmanager
    def structured(self, **about: str) -> Iterator[None]:
        """From now on write every message as a line of JSON that names all this.

        While the block runs, so is whatever else Python code writes to standard error. Messages stay JSON after it.
        """
        before = sys.stderr
        self._json = JsonLines(before, self._scrub)
        self._json.about(**about)
        caught = Caught(self._json.emit, before)
        sys.stderr = caught
        try:
            yield
        finally:
            caught.finish()
            sys.stderr = before

    def about(self, **fields: str) -> None:
        """What messages as JSON name from now on, such as the run."""
        if self._json is not None:
            self._json.about(**fields)

    def say(self, text: str) -> None:
        """A result, to standard output."""
        sys.stdout.write(self._scrubber.scrub(text) + "\n")
        sys.stdout.flush()

    def log(self, text: str, level: Level = "info", **fields: Field) -> None:
        """What is going on, to standard error; with the time where nobody watches.

        Args:
            text: the message.
            level: how bad it is, and
            fields: what it concerns; both for messages as JSON alone.
        """
        if self._json is not None:
            self._json.emit(level, text, fields)
            return
        text = self._scrubber.scrub(text)
        if not self._console.is_terminal:
            text = f"{datetime.now(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')} {text}"
        self._console.print(text, markup=False)

    def complain(self, text: str) -> None:
        """What a command ends with, to standard error, as it stands: `file:line:column` stays first in its line."""
        if self._json is not None:
            self._json.emit("error", text, {})
            return
        sys.stderr.write(self._scrubber.scrub(text) + "\n")
        sys.stderr.flush()

    def _scrub(self, text: str) -> str:
        return self._scrubber.scrub(text)  # the one of now: secrets are known once the job file is read

    @contextmanager
    def progress(self, records: int, words: Words) -> Iterator[Callable[[Tally, Receipt | None], None]]:
        """A callback that shows counts, of so many records, as units finish."""
        if self._console.is_terminal and self._json is None:
            yield from self._bar(records, words)
        else:
            yield self._lines(words)

    @contextmanager
    def steps(self, total: int, doing: str) -> Iterator[Callable[[int, str], None]]:
        """A callback that shows how many of so many steps are done, and a few words about them."""
        if self._console.is_terminal and self._json is None:
            yield from self._step_bar(total, doing)
        else:
            yield self._step_lines(total)

    def _step_bar(self, total: int, doing: str) -> Iterator[Callable[[int, str], None]]:
        columns = (
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console) as bar:
            tasks: list[TaskID] = []

            def show(done: int, words: str) -> None:
                if not tasks:  # what was done before this command is no measure of its speed
                    tasks.append(bar.add_task(doing, total=total, completed=done, words=words))
                bar.update(tasks[0], completed=done)
                if words:
                    bar.update(tasks[0], words=words)

            yield show

    def _step_lines(self, total: int) -> Callable[[int, str], None]:
        last, said = time.monotonic() - LINE_SECONDS, ""

        def show(done: int, words: str) -> None:
            nonlocal last, said
            said = words or said
            if time.monotonic() - last >= LINE_SECONDS or (done == total and words):
                last = time.monotonic()
                self.log(f"{done} of {total} steps{f': {said}' if said else ''}", step=done, steps=total)

        return show

    def _bar(self, records: int, words: Words) -> Iterator[Callable[[Tally, Receipt | None], None]]:
        columns = (
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[quarantined]} in quarantine{task.fields[more]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console) as bar:
            task = bar.add_task(words.doing, total=records, quarantined=0, more="")

            def show(now: Tally, receipt: Receipt | None) -> None:
                bar.update(task, completed=now.done, quarantined=now.quarantined, more=words.more(now))
                if receipt and receipt.message:
                    bar.console.print(self._scrubber.scrub(receipt.message), markup=False)

            yield show

    def _lines(self, words: Words) -> Callable[[Tally, Receipt | None], None]:
        last = time.monotonic() - LINE_SECONDS

        def show(now: Tally, receipt: Receipt | None) -> None:
            nonlocal last
            if receipt and self._json is not None:
                say_unit(receipt, self._json.emit)
            elif receipt and receipt.message:
                self.log(receipt.message)
            if time.monotonic() - last >= LINE_SECONDS:
                last = time.monotonic()
                self.log(
                    f"{now.done} of {now.records_planned} {words.records}, "
                    f"{now.units_committed} of {now.units_planned} units, "
                    f"{now.quarantined} in quarantine{words.more(now)}",
                    records=now.records_planned,
                    ok=now.ok,
                    quarantined=now.quarantined,
                )

        return show
