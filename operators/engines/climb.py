"""Tries one engine after the other until one is prepared and has passed the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from operators.engines.contract import Engine, Network
from operators.engines.errors import EngineError, EngineMemoryError, EngineRefusedError, EngineUnavailableError
from operators.engines.gate import Verdict, check, check_reference
from operators.engines.ladder import Rung, ladder
from operators.engines.options import ArtifactStore, EngineOptions, Profile
from operators.engines.range_audit import Audit, audit
from operators.engines.reference import Reference, probes, reference
from operators.engines.table import BACKENDS

HALVED = "batch_halved"
FELL = "engine_fallback"
CPU_BUCKET = 1
"""A batch gains a CPU nothing (docs/engines.md), and alone in its batch a face depends on no other by construction."""
_PROBES: Mapping[str, int] = {"cpu": 2, "cuda": 5}
"""Probe faces of the gate: the fp32 reference of one takes a CPU seconds."""


@dataclass(frozen=True)
class Passed:
    """An attempt that did not lead to an engine, or led to one that failed later."""

    rung: Rung
    error: EngineError


@dataclass(frozen=True)
class Ready:
    """An engine that works.

    Attributes:
        rung: which attempt led to it.
        engine: prepared.
        bucket: batch size that the gate saw it run.
        verdict: what the gate measured.
    """

    rung: Rung
    engine: Engine
    bucket: int
    verdict: Verdict


class Climb:
    """The attempts that are left, and what became of the others.

    Attributes:
        device: on which all attempts are made.
        passed: attempts that led nowhere, in order.
        events: `batch_halved` and `engine_fallback`, counted; whoever reads them clears them.
    """

    def __init__(
        self,
        network: Network,
        options: EngineOptions,
        store: ArtifactStore | None,
        *,
        hold: bool = False,
        probe: Network | None = None,
    ) -> None:
        """Lay the attempts out; nothing is compiled yet.

        Args:
            network: what to execute.
            options: what is asked.
            store: for compiled engines and the gate's reference.
            hold: raise EngineMemoryError where a batch of one is too large, in place of going to the next engine.
            probe: the same network for smaller inputs, on which the gate looks at an engine; None for `network` itself.

        Raises:
            ValueError: engine, precision or device of `options` is not one there is.
        """
        self._network = network
        self._options = options
        self._store = store
        self._hold = hold
        self._probe = probe
        laid = ladder(options)
        self.device = laid.device
        self._kind = laid.device.partition(":")[0]
        self._rungs = list(laid.rungs)
        self.passed: list[Passed] = []
        self.events: Counter[str] = Counter()
        self._reference: Reference | None = None
        self._audit: Audit | None = None

    def next(self) -> Ready:
        """The first engine of those left that this machine has, that can be prepared, and that passes the gate.

        Returns:
            The engine.

        Raises:
            EngineUnavailableError: none is left, and all lacked something on this machine.
            EngineRefusedError: none is left, and the gate refused one; or the network itself is broken.
            EngineError: none is left. The message gives every reason.
        """
        while self._rungs:
            rung = self._rungs.pop(0)
            if rung.reason is not None:
                self.passed.append(Passed(rung, EngineUnavailableError(rung.reason)))
                continue
            missing = BACKENDS[rung.engine].available(self.device)
            if missing is not None:
                self.passed.append(Passed(rung, EngineUnavailableError(missing)))
                self._rungs = [other for other in self._rungs if other.engine != rung.engine]
                continue
            try:
                return self._prepared(rung)
            except EngineError as error:
                if self._hold and isinstance(error, EngineMemoryError):
                    raise
                self._give_up(rung, error)
        raise self._exhausted()

    def shrink(self, ready: Ready) -> Ready:
        """The same engine with half the batch, or the next engine when there is nothing to halve.

        Args:
            ready: an engine that ran out of memory.

        Returns:
            What to go on with.

        Raises:
            EngineMemoryError: there is nothing to halve, and the engine is to be held.
            EngineError: no engine is left.
        """
        while ready.bucket > 1:
            ready = replace(ready, bucket=ready.bucket // 2)
            self.events[HALVED] += 1
            try:
                if self._probe is not None:
                    return ready
                return replace(ready, verdict=self._gated(ready.engine, ready.rung, ready.bucket))
            except EngineMemoryError:
                continue
            except EngineError as error:
                return self.fall(ready, error)
        short = EngineMemoryError("not enough memory for a batch of one")
        if self._hold:
            with suppress(EngineError):
                ready.engine.close()
            raise short
        return self.fall(ready, short)

    def fall(self, ready: Ready, error: EngineError) -> Ready:
        """The next engine, after one failed while it was in use.

        Args:
            ready: the engine that failed.
            error: how.

        Returns:
            The next engine.

        Raises:
            EngineError: no engine is left; always with `strict`.
        """
        with suppress(EngineError):
            ready.engine.close()
        self.events[FELL] += 1
        self._give_up(ready.rung, type(error)(f"given up while in use: {error}"))
        return self.next()

    def back(self, ready: Ready) -> None:
        """Close an engine that is to be the first attempt again.

        Args:
            ready: the engine in use.
        """
        ready.engine.close()
        self._rungs.insert(0, ready.rung)
        self._reference = None

    def _give_up(self, rung: Rung, error: EngineError) -> None:
        self.passed.append(Passed(rung, error))
        if self._options.strict:
            self._rungs.clear()

    def _prepared(self, rung: Rung) -> Ready:
        """Prepare and gate one engine, for a smaller batch when memory runs out."""
        if rung.precision == "fp16":
            self._audited()
        profile = self._options.profile
        bucket = CPU_BUCKET if self._kind == "cpu" else profile.best
        while True:
            options = replace(self._options, profile=profile)
            engine = BACKENDS[rung.engine].build(rung.precision, self.device, options, self._store)
            try:
                seen = None if self._probe is None else self._probed(self._probe, rung, options, bucket)
                engine.prepare(self._network)
                return Ready(rung, engine, bucket, seen or self._gated(engine, rung, bucket))
            except EngineError as error:
                with suppress(EngineError):
                    engine.close()
                if not isinstance(error, EngineMemoryError) or bucket == 1:
                    raise
            bucket //= 2
            profile = Profile(1, bucket, bucket)
            self.events[HALVED] += 1

    def _audited(self) -> None:
        """Refuse fp16 before anything is compiled when the network's values leave its range."""
        if self._audit is None:
            looked_at = self._probe or self._network
            self._audit = audit(looked_at, probes(looked_at, 1))
        if not self._audit.safe:
            raise EngineRefusedError(f"range audit: {self._audit.reason}")

    def _probed(self, probe: Network, rung: Rung, options: EngineOptions, bucket: int) -> Verdict:
        """The gate's verdict on an engine of this kind that was prepared for the probe."""
        engine = BACKENDS[rung.engine].build(rung.precision, self.device, options, self._store)
        try:
            engine.prepare(probe)
            return self._gated(engine, rung, bucket)
        finally:
            with suppress(EngineError):
                engine.close()

    def _gated(self, engine: Engine, rung: Rung, bucket: int) -> Verdict:
        """The gate's verdict. Nothing is refused on the word of a stored reference: it is computed anew before that."""
        bitwise = self._kind == "cpu"
        found = self._reference or self._referred(self._store)
        try:
            return check(engine.run, found, bucket, rung.precision, bitwise)
        except EngineRefusedError:
            if not found.stored or self._store is None:
                raise
            self._store.discard(found.digest)
        return check(engine.run, self._referred(self._store), bucket, rung.precision, bitwise)

    def _referred(self, store: ArtifactStore | None) -> Reference:
        """The reference, kept for the attempts to come; a broken network ends them all."""
        looked_at = self._probe or self._network
        found = reference(looked_at, _PROBES[self._kind], self.device, self._options.threads, store)
        try:
            check_reference(found)
        except EngineRefusedError:
            self._rungs.clear()
            raise
        self._reference = found
        return found

    def _exhausted(self) -> EngineError:
        """The error that says why there is no engine."""
        asked = f"engine {self._options.engine}, precision {self._options.precision}, device {self._options.device}"
        reasons = "; ".join(f"{item.rung.engine} in {item.rung.precision}: {item.error}" for item in self.passed)
        kinds = {type(item.error) for item in self.passed}
        kind = EngineError
        if EngineRefusedError in kinds:
            kind = EngineRefusedError
        elif len(kinds) == 1:
            kind = kinds.pop()
        advice = "strict allows no other" if self._options.strict else "no other is left"
        return kind(f"no engine for {asked} ({advice}): {reasons}")
