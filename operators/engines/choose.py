"""Runs a network on the best engine that works here, and says which one that is and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from operators.engines.climb import Climb, Ready
from operators.engines.contract import Network
from operators.engines.errors import EngineError, EngineMemoryError
from operators.engines.gate import Verdict
from operators.engines.options import ArtifactStore, EngineOptions
from operators.engines.overlap import Overlap


class Runner:
    """Executes one network on batches of any size; falls to the next engine when one fails. Not thread-safe.

    Every batch is run in pieces of one fixed size, the last one padded, so that a face's result does not depend on how
    many faces come with it.
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
        """Lay out what will be tried; nothing is compiled yet.

        Args:
            network: what to execute.
            options: what the job asks of the engine.
            store: where compiled engines and the gate's reference are kept; None makes them anew.
            hold: where memory does not suffice for a batch of one, `prepare` and `run` raise EngineMemoryError, and no
                other engine is tried: for callers that can make their inputs smaller.
            probe: the same network for smaller inputs, on which the gate looks at an engine where `network` itself
                would take too long.

        Raises:
            ValueError: engine, precision, device or profile of `options` is not one there is.
        """
        profile = options.profile
        if not 1 <= profile.least <= profile.best <= profile.most:
            raise ValueError(f"{profile}: expected 1 <= least <= best <= most")
        self._network = network
        self._options = options
        self._climb = Climb(network, options, store, hold=hold, probe=probe)
        self._ready: Ready | None = None

    def prepare(self) -> None:
        """Prepare the first engine that works and passes the parity gate; further calls do nothing.

        Raises:
            EngineUnavailableError: this machine lacks what was asked for, and `strict` allows nothing else.
            EngineRefusedError: the gate refused what was asked for, and `strict` allows nothing else; or the network
                itself is broken.
            EngineError: no engine is left; the message gives every reason.
        """
        self._engine()

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        """Execute.

        Args:
            batch: (N, *input_shape) floating point, N >= 1, on any device.

        Returns:
            (N, *output_shape) float32 on the CPU.

        Raises:
            ValueError: the batch has another shape.
            EngineError: as `prepare`; with `strict` also when the engine fails while it runs.
        """
        if tuple(batch.shape[1:]) != tuple(self._network.input_shape) or len(batch) == 0:
            expected = ", ".join(str(side) for side in self._network.input_shape)
            raise ValueError(f"batch of shape {tuple(batch.shape)}, expected (N, {expected}) with N of 1 or more")
        given = batch.detach().to("cpu", torch.float32).contiguous()
        outputs = torch.empty(len(given), *self._network.output_shape)
        done = 0
        while done < len(given):
            for piece in self._pieces(given[done:]):
                outputs[done : done + len(piece)] = piece
                done += len(piece)
        return outputs

    @property
    def description(self) -> Mapping[str, Any]:
        """What was asked for, what is used, and why others were passed over; JSON values, equal for equal machines.

        `used` is None before `prepare`. `exact` says whether a face has the same bits wherever it stands in the batch.
        """
        asked = self._options
        return {
            "asked": {
                "engine": asked.engine,
                "precision": asked.precision,
                "device": asked.device,
                "strict": asked.strict,
                "profile": [asked.profile.least, asked.profile.best, asked.profile.most],
            },
            "used": None if self._ready is None else _used(self._ready),
            "passed_over": [
                {"engine": item.rung.engine, "precision": item.rung.precision, "reason": str(item.error)}
                for item in self._climb.passed
            ],
        }

    @property
    def verdict(self) -> Verdict | None:
        """What the gate measured on the engine in use; None before `prepare`."""
        return None if self._ready is None else self._ready.verdict

    def events(self) -> Mapping[str, int]:
        """What happened since the last call, by name: `batch_halved`, `engine_fallback`."""
        happened = dict(self._climb.events)
        self._climb.events.clear()
        return happened

    def close(self) -> None:
        """Free the engine; the next `prepare` or `run` prepares it again."""
        if self._ready is not None:
            self._climb.back(self._ready)
            self._ready = None

    def _engine(self) -> Ready:
        """The engine in use; the first one when there is none yet."""
        if self._ready is None:
            self._ready = self._climb.next()
        return self._ready

    def _pieces(self, rest: torch.Tensor) -> Iterator[torch.Tensor]:
        """Outputs in order, until the end or until the engine has to be changed."""
        ready = self._engine()
        starts = range(0, len(rest), ready.bucket)
        batches = (_padded(rest[start : start + ready.bucket], ready.bucket) for start in starts)
        try:
            # On a GPU, one batch travels while another is computed.
            for start, outputs in zip(starts, Overlap(ready.engine.run, self._climb.device)(batches), strict=True):
                yield outputs[: len(rest) - start]
            return
        except EngineError as error:
            failure = error
        self._ready = None
        if isinstance(failure, EngineMemoryError):
            self._ready = self._climb.shrink(ready)
        else:
            self._ready = self._climb.fall(ready, failure)


def _padded(inputs: torch.Tensor, bucket: int) -> torch.Tensor:
    """The inputs and, behind them, the last one again until the bucket is full."""
    missing = bucket - len(inputs)
    return inputs if missing == 0 else torch.cat([inputs, inputs[-1:].expand(missing, *inputs.shape[1:])])


def _used(ready: Ready) -> dict[str, Any]:
    about = ready.engine.describe()
    return {
        "engine": about.engine,
        "version": about.version,
        "device": about.device,
        "precision": about.precision,
        "batch": ready.bucket,
        "exact": ready.verdict.exact,
        "details": dict(about.details),
    }
