"""What driver and workers of a Ray run tell each other beside the units: stop beginning, and who is at work."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any

BEAT_SECONDS = 5.0
"""How often a worker that is at work says so."""

ANSWER_SECONDS = 10.0


class Foreman:
    """An actor that costs no CPU: holds the word to stop, and when a worker was last known to work."""

    def __init__(self) -> None:
        self._drained = False
        self._last = time.monotonic()

    def drain(self) -> None:
        """No unit is to be begun any more."""
        self._drained = True

    def drained(self) -> bool:
        """Whether that was said."""
        return self._drained

    def beat(self) -> None:
        """A worker is at work."""
        self._last = time.monotonic()

    def idle(self) -> float:
        """Seconds since a worker was last known to be at work."""
        return time.monotonic() - self._last


def hired() -> Any:
    """A foreman on the driver's own machine, which outlives every other as far as this run goes."""
    import ray  # noqa: PLC0415
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    return ray.remote(Foreman).options(num_cpus=0, max_restarts=-1, scheduling_strategy=here).remote()


def asked(reference: Any, otherwise: Any) -> Any:
    """What a foreman answers; `otherwise` when it does not, since no run is to end for that."""
    import ray  # noqa: PLC0415

    try:
        return ray.get(reference, timeout=ANSWER_SECONDS)
    except (ray.exceptions.RayError, TimeoutError):
        return otherwise


class AtWork:
    """Tells the foreman, now and then, that this worker is at work: from a thread, while the block runs."""

    def __init__(self, foreman: Any) -> None:
        self._foreman = foreman
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
                self._foreman.beat.remote()
            if self._left.wait(BEAT_SECONDS):
                return
