"""The doors through which a command, and each run that it drives, are observed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from jobs.ended import Ended
from jobs.ending import exit_of
from jobs.exits import Exit
from jobs.observe.gpu import Gpus
from jobs.observe.last import LastRun, former
from jobs.observe.numbers import About, Numbers
from jobs.observe.traces import Tracer, check_installed, traced
from jobs.observe.ways import kept_up, push, served
from jobs.spec import Sourced, Spec
from jobs.versions import facejobs_version
from pipeline.driver import Outcome
from pipeline.parcel import Receipt
from pipeline.run import Run
from pipeline.runners.contract import Runner
from pipeline.tally import Tally

if TYPE_CHECKING:
    from jobs.console import Output


class Watch(Collector):
    """Observes one command: holds what is known of it, and hands it out when asked.

    What goes wrong in here is said once, and then nothing is observed any more: it never ends a run.

    Args:
        job: the job.
        out: told what goes wrong.
    """

    def __init__(self, job: Spec, out: Output) -> None:
        self.job = job
        self.out = out
        self.registry = CollectorRegistry(auto_describe=False)
        self._broken = False
        self._numbers: Numbers | None = None
        self._common = (job.name, job.job)
        self._started = time.time()
        about, textfile = job.observe, job.observe.textfile
        self._gpus = Gpus() if about.metrics or textfile or about.pushgateway else None
        self._last = LastRun(former(Path(textfile), self._common) if textfile else {})
        self.registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """All metrics as they are now."""
        metrics: list[Metric] = []
        self.guarded(lambda: metrics.extend(self._families()))
        yield from metrics

    def guarded(self, step: Callable[[], None]) -> None:
        """A step of observing; one that fails is the last one."""
        if self._broken:
            return
        try:
            step()
        except Exception as error:  # noqa: BLE001 - whatever it is, the run is worth more than what is seen of it
            self._broken = True
            self.say(f"observing has failed and stops, the run goes on: {type(error).__name__}: {error}")

    def say(self, text: str) -> None:
        """What is wrong with observing."""
        self.out.log(text, "warning")

    def begin(self, numbers: Numbers) -> None:
        """From now on these are the numbers."""
        self._numbers = numbers

    def ended(self, code: Exit, ended: Ended | None) -> None:
        """The command has come to its end."""
        self.guarded(lambda: self._last.ended(code, self._started, time.time(), ended))

    def push(self) -> None:
        """Tell a Pushgateway, if the job names one."""
        if gateway := self.job.observe.pushgateway:
            self.guarded(lambda: push(gateway, self.job.name, self.registry, self.say))

    def close(self) -> None:
        """Let go of what was held."""
        if self._gpus is not None:
            self._gpus.close()

    def _families(self) -> Iterator[Metric]:
        if self._numbers is not None:
            yield from self._numbers.families()
        if self._gpus is not None:
            yield from self._gpus.families(self._common)
        yield from self._last.families(self._common)


class Observed:
    """One driven run, observed.

    Args:
        watch: of the command.
        numbers: of the run.
        tracer: of the run; None where nobody wants traces.
    """

    def __init__(self, watch: Watch, numbers: Numbers, tracer: Tracer | None) -> None:
        self._watch = watch
        self._numbers = numbers
        self._tracer = tracer
        self._outcome: Outcome | None = None

    def unit(self, tally: Tally, receipt: Receipt | None) -> None:
        """Take note of the run's counts, and of a unit that a worker is done with."""
        self._watch.guarded(lambda: self._unit(tally, receipt))

    def end(self, outcome: Outcome) -> None:
        """Take note of how driving the run has ended."""
        self._outcome = outcome
        self.unit(outcome.tally, None)

    def close(self) -> None:
        """The run was left, with an outcome or without."""
        self._numbers.close()
        if self._tracer is not None:
            tracer = self._tracer
            self._watch.guarded(lambda: tracer.end(self._outcome))

    def _unit(self, tally: Tally, receipt: Receipt | None) -> None:
        self._numbers.add(tally, receipt)
        if self._tracer is not None and receipt is not None:
            self._tracer.unit(receipt)


_CURRENT: ContextVar[Watch | None] = ContextVar("facejobs_watch", default=None)


@contextmanager
def watched(job: Spec, out: Output) -> Iterator[Callable[[Ended], Ended]]:
    """Observe a whole command as the job's block `observe` says.

    From here on messages are JSON where the job says so, the port is open and the text file is kept up to date; both
    also see how the command ends, even where it raises an error or finds nothing to do.

    Args:
        job: the job.
        out: whose messages it writes.

    Yields:
        what is to be told how the command ended; it gives that back.

    Raises:
        CommandError: traces are wanted, and the packages for them are not installed.
    """
    about = job.observe
    with ExitStack() as stack:
        if about.logs == "json":
            stack.enter_context(out.structured(job=job.name))
        if about.traces:
            check_installed()
        watch = Watch(job, out)
        stack.callback(watch.close)
        stack.callback(watch.push)
        if about.textfile:
            stack.enter_context(kept_up(Path(about.textfile), watch.registry, watch.say))
        if about.metrics:
            stack.enter_context(served(about.metrics, watch.registry, watch.say))
        token = _CURRENT.set(watch)
        stack.callback(_CURRENT.reset, token)
        told: list[Ended] = []

        def tell(ended: Ended) -> Ended:
            told.append(ended)
            return ended

        try:
            yield tell
        except BaseException as error:
            watch.ended(exit_of(error)[0], None)
            raise
        watch.ended(told[-1].exit if told else Exit.FAILED, told[-1] if told else None)


@contextmanager
def observing(job: Sourced, run: Run, runner: Runner, out: Output) -> Iterator[Observed]:
    """Have a run observed while it is driven: by the command's own watch, or by one for this run alone.

    Args:
        job: the job.
        run: the run.
        runner: asked where units are.
        out: whose messages name the run from now on.
    """
    out.about(run=run.header.run_id)
    with ExitStack() as stack:
        watch = _CURRENT.get()
        if watch is None:
            stack.enter_context(watched(job, out))
            watch = _CURRENT.get()
            assert watch is not None
        about = About(
            job_name=job.name,
            kind=run.header.kind,
            run=run.header.run_id,
            version=facejobs_version(),
            runner=job.run.runner,
            placement=job.run.placement,
        )
        numbers = Numbers(about, runner.signs)
        watch.begin(numbers)
        observed = Observed(watch, numbers, _tracer(job, about, watch, stack))
        try:
            yield observed
        finally:
            observed.close()


def _tracer(job: Spec, about: About, watch: Watch, stack: ExitStack) -> Tracer | None:
    """A tracer while the stack stands; None where the job wants none, or it cannot be had."""
    if not job.observe.traces:
        return None
    try:
        return stack.enter_context(traced(job.observe.traces, about, watch.say))
    except Exception as error:  # noqa: BLE001 - packages that do not fit each other, or whatever it is
        watch.say(f"observe.traces: no traces, the run goes on without: {type(error).__name__}: {error}")
        return None
