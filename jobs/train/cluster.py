"""A training over a Ray cluster: Ray Train starts the workers, this module hears of them and tells them to stop."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from jobs.spec.training.run import TrainRun
from jobs.train.task import Task
from jobs.train.worker import Result, work
from operators.training.loop import Row
from pipeline.errors import RunnerError
from pipeline.runners.pools import Room
from pipeline.runners.ray_cluster import cluster
from pipeline.signals import Stop

FAILURES = 3
"""How often workers are begun anew, from the newest checkpoint, after one was lost."""
EVERY_SECONDS = 0.5
"""Between two looks of the command and of the first worker at what the other has to say."""
FAR_SECONDS = 30.0
"""A worker that cannot reach the command's desk for so long is alone."""


class Desk:
    """Where the first worker and the command meet; an actor."""

    def __init__(self) -> None:
        self._stop = False
        self._done = -1
        self._row: Row | None = None
        self._texts: list[str] = []
        self._result: Result | None = None

    def ring(self) -> None:
        """The command: stop."""
        self._stop = True

    def rung(self) -> bool:
        """A worker: whether to stop."""
        return self._stop

    def tell(self, done: int, row: Row | None) -> None:
        """A worker: so many steps are done."""
        self._done, self._row = done, row if row is not None else self._row

    def say(self, text: str) -> None:
        """A worker: people should know."""
        self._texts.append(text)

    def ended(self, result: Result) -> None:
        """A worker: how it ended."""
        if self._result is None or self._result.state == "elsewhere":
            self._result = result

    def result(self) -> Result | None:
        """How it ended, if it has."""
        return self._result

    def news(self) -> tuple[int, Row | None, list[str]]:
        """The command: what is new."""
        texts, self._texts = self._texts, []
        return self._done, self._row, texts


class Far:
    """A worker's contact over the cluster (`jobs.train.contact`).

    Args:
        desk: handle of the actor.
    """

    def __init__(self, desk: Any) -> None:
        self._desk = desk
        self._asked = 0.0
        self._told = 0.0
        self._stop = False

    def stopping(self) -> bool:
        """See `Contact`."""
        import ray  # noqa: PLC0415

        if time.monotonic() - self._asked >= EVERY_SECONDS:
            self._asked = time.monotonic()
            self._stop = bool(ray.get(self._desk.rung.remote(), timeout=FAR_SECONDS))
        return self._stop

    def tell(self, done: int, row: Row | None) -> None:
        """See `Contact`."""
        if row is not None or time.monotonic() - self._told >= EVERY_SECONDS:
            self._told = time.monotonic()
            self._desk.tell.remote(done, row)

    def say(self, text: str) -> None:
        """See `Contact`."""
        self._desk.say.remote(text)


def on_cluster(task: Task, stop: Stop, tell: Callable[[int, Row | None], None], say: Callable[[str], None]) -> Result:
    """Train on the job's cluster.

    Args:
        task: the training; it travels to the workers through the cluster's memory, and nothing of it is written.
        stop: how far stopping has come.
        tell: told how far the training is.
        say: told what people should know.

    Raises:
        RunnerError: the cluster cannot hold the workers, cannot be joined, or workers die each time.
    """
    run = task.job.run
    with cluster(run.address, run.workers * _cpus(run) + 1) as room:
        import ray  # noqa: PLC0415

        gpus = _gpus(run, room)
        desk = ray.remote(num_cpus=0)(Desk).remote()
        fitting = _Fitting(task, desk, gpus)
        fitting.start()
        rung = False
        while fitting.is_alive():
            fitting.join(EVERY_SECONDS)
            if stop.signalled.is_set() and not rung:
                rung = True
                desk.ring.remote()
            _pass_on(desk, tell, say)
            stop.check()
        result: Result | None = ray.get(desk.result.remote(), timeout=FAR_SECONDS)
        _pass_on(desk, tell, say)
    if result is None:
        raise RunnerError(f"the workers of the training came to no end: {fitting.failed or 'Ray does not say why'}")
    return result


class _Fitting(threading.Thread):
    """Ray Train's own call, which waits for the workers, in a thread: the main one hears signals.

    Attributes:
        failed: what Ray says of a failure; empty for none.
    """

    def __init__(self, task: Task, desk: Any, gpus: bool) -> None:
        super().__init__(name="ray-train", daemon=True)
        self._task = task
        self._desk = desk
        self._gpus = gpus
        self.failed = ""

    def run(self) -> None:
        """Fit; whatever goes wrong ends the training, and is said."""
        try:
            self._fit()
        except Exception as error:  # noqa: BLE001 - of many kinds
            lines = [line for line in str(error).strip().splitlines() if line.strip()]
            self.failed = f"{type(error).__name__}: {lines[-1] if lines else ''}"

    def _fit(self) -> None:
        import ray  # noqa: PLC0415
        from ray.train import FailureConfig, RunConfig, ScalingConfig  # noqa: PLC0415
        from ray.train.torch import TorchConfig, TorchTrainer  # noqa: PLC0415

        logging.getLogger("ray.train").setLevel(logging.CRITICAL)
        run = self._task.job.run
        workers = ScalingConfig(
            num_workers=run.workers, use_gpu=self._gpus, resources_per_worker=_resources(run, gpu=self._gpus)
        )
        with tempfile.TemporaryDirectory(prefix="facejobs-train-") as folder:
            TorchTrainer(
                _loop,
                train_loop_config={"task": [ray.put(self._task)], "desk": self._desk},
                torch_config=TorchConfig(backend="cpu:gloo,cuda:nccl" if self._gpus else "gloo"),
                scaling_config=workers,
                run_config=RunConfig(
                    storage_path=folder, name="training", failure_config=FailureConfig(max_failures=FAILURES)
                ),
            ).fit()


def _loop(config: dict[str, Any]) -> None:
    """What Ray Train calls in each worker."""
    import ray  # noqa: PLC0415
    import ray.train  # noqa: PLC0415
    import torch  # noqa: PLC0415
    from ray.train.torch import get_device  # noqa: PLC0415

    desk = config["desk"]
    before: Result | None = ray.get(desk.result.remote())
    if before is not None:
        return  # begun anew by Ray after an error that would only come again
    task: Task = ray.get(config["task"][0])
    device = get_device()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    context = ray.train.get_context()
    nodes = max(1, context.get_world_size() // max(1, context.get_local_world_size()))
    try:
        result = work(task, Far(desk), nodes)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        if not _of_others(error):
            ray.get(desk.ended.remote(Result("failed", message=f"a worker failed: {said}")))
            ray.get(desk.say.remote(traceback.format_exc()))
        raise
    if result.state != "elsewhere":
        ray.get(desk.ended.remote(result))


def _of_others(error: Exception) -> bool:
    """Whether an error only says that another worker, or the cluster, is gone: then workers are begun anew."""
    import ray  # noqa: PLC0415

    lost = ("connection closed", "connection reset", "broken pipe", "timed out", "socket", "nccl")
    return isinstance(error, ray.exceptions.RayError) or (
        isinstance(error, RuntimeError) and any(word in str(error).lower() for word in lost)
    )


def _pass_on(desk: Any, tell: Callable[[int, Row | None], None], say: Callable[[str], None]) -> None:
    import ray  # noqa: PLC0415

    with suppress(ray.exceptions.RayError):  # the cluster may be going down, which is said elsewhere
        done, row, texts = ray.get(desk.news.remote(), timeout=FAR_SECONDS)
        for text in texts:
            say(text)
        if done >= 0:
            tell(done, row)


def _cpus(run: TrainRun) -> int:
    """Of a worker: its own threads, and the processes that make its samples."""
    return run.threads + run.data_workers


def _resources(run: TrainRun, *, gpu: bool) -> dict[str, float]:
    return {"CPU": float(_cpus(run)), **({"GPU": 1.0} if gpu else {})}


def _gpus(run: TrainRun, room: Room) -> bool:
    """Whether workers get a GPU each.

    Raises:
        RunnerError: the cluster is too small.
    """
    needed = run.workers * _cpus(run)
    if room.cpus < needed:
        raise RunnerError(
            f"the training wants {run.workers} workers with {_cpus(run)} CPUs each (run.threads and run.data_workers), "
            f"and the cluster has {room.cpus:g}; lower run.workers, or add machines"
        )
    if run.device == "cuda" and room.gpus < run.workers:
        raise RunnerError(
            f"the training wants a GPU for each of {run.workers} workers, and the cluster has {room.gpus:g}; lower "
            "run.workers, or say run.device: auto"
        )
    return run.device != "cpu" and room.gpus >= run.workers
