"""What driver and workers of a Ray run tell each other beside the units: stop beginning, and who is at work where."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

BEAT_SECONDS = 5.0
"""How often a worker that is at work says so."""

LOST_SECONDS = 3 * BEAT_SECONDS
"""A worker that has not said for so long that it is at a unit is at it no more: its process ended."""

ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class Places:
    """Where units are; of those that no worker has taken up yet a foreman knows nothing.

    Attributes:
        segments: by segment, how many units wait for it and how many are worked on in it.
        ended: units that have passed the last one.
    """

    segments: Mapping[int, tuple[int, int]]
    ended: int


class Foreman:
    """An actor that costs no CPU: holds the word to stop, when a worker was last known to work, and where units are.

    One that was started again knows where units are once a worker has taken them up again.
    """

    def __init__(self) -> None:
        self._drained = False
        self._last = time.monotonic()
        self._places: dict[str, tuple[int, float]] = {}  # by unit: the segment, and when it was last worked on there
        self._ended = 0

    def drain(self) -> None:
        """No unit is to be begun any more."""
        self._drained = True

    def drained(self) -> bool:
        """Whether that was said."""
        return self._drained

    def beat(self, segment: int = 0, unit_id: str = "") -> None:
        """A worker is at work: on this unit, from this segment on, or setting itself up."""
        self._last = time.monotonic()
        if unit_id:
            self._places[unit_id] = (segment, self._last)

    def passed(self, unit_id: str, following: int | None) -> None:
        """A worker has done its part of a unit, which goes on to this segment; None: it has come to its end."""
        if following is None:
            self._ended += self._places.pop(unit_id, None) is not None
        else:
            self._places[unit_id] = (following, -math.inf)

    def places(self) -> Places:
        """Where the units are that a worker has taken up."""
        counts: dict[int, tuple[int, int]] = {}
        working = time.monotonic() - LOST_SECONDS
        for segment, when in self._places.values():
            waiting, at_work = counts.get(segment, (0, 0))
            counts[segment] = (waiting, at_work + 1) if when >= working else (waiting + 1, at_work)
        return Places(counts, self._ended)

    def idle(self) -> float:
        """Seconds since a worker was last known to be at work."""
        return time.monotonic() - self._last


def hired() -> Any:
    """A foreman on the driver's own machine, which outlives every other as far as this run goes."""
    import ray  # noqa: PLC0415
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    return ray.remote(Foreman).options(num_cpus=0, max_restarts=-1, scheduling_strategy=here).remote()


def asked(reference: Any, otherwise: Any, seconds: float = ANSWER_SECONDS) -> Any:
    """What a foreman answers; `otherwise` when it does not within so long, since no run is to end for that."""
    import ray  # noqa: PLC0415

    try:
        return ray.get(reference, timeout=seconds)
    except (ray.exceptions.RayError, TimeoutError):
        return otherwise


class AtWork:
    """Tells the foreman, now and then, that this worker is at work: from a thread, while the block runs.

    Args:
        foreman: of the run.
        segment: the first one that the worker runs.
        unit_id: what it is at; empty while it sets itself up.
    """

    def __init__(self, foreman: Any, segment: int = 0, unit_id: str = "") -> None:
        self._foreman = foreman
        self._place = (segment, unit_id)
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._beats, name="beats", daemon=True)

    def __enter__(self) -> AtWork:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._thread.join()

    def _beats(self) -> None:
        while True:
            with suppress(Exception):  # the cluster may be going down
                self._foreman.beat.remote(*self._place)
            if self._left.wait(BEAT_SECONDS):
                return
