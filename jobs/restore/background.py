"""The stage that puts whole pictures through a network, before faces are looked for or before they are pasted."""

from __future__ import annotations

import errno
import threading

import numpy as np

from jobs.opencv import settle_opencv
from jobs.restore.background_settings import BackgroundSettings
from jobs.restore.examine import opened
from jobs.restore.first_alone import first_alone
from jobs.restore.recall import raster_of
from jobs.restore.settings import RestoreSettings
from jobs.restore.work import BackgroundWork, ImageWork
from operators.background.treat import Treated, size_at, treat
from operators.engines.errors import EngineError
from operators.images.encoders import jpeg, webp
from operators.images.raster import Raster
from operators.restorers.contract import Execution
from pipeline.errors import WorkerError
from pipeline.records import Item
from pipeline.stage import UnitContext

MAX_SIDES = {"jpeg": jpeg.MAX_SIDE, "webp": webp.MAX_SIDE}
"""Longest side that a format can have; the others have none that matters."""


class Background:
    """Makes the whole picture anew. One picture at a time goes through the network, whatever the number of threads.

    Args:
        settings: of the job.
        asked: its block `background`.
    """

    name = "background"

    def __init__(self, settings: RestoreSettings, asked: BackgroundSettings) -> None:
        self._settings = settings
        self._asked = asked
        self._operator = asked.operator()
        self._one_at_a_time = threading.Lock()

    def setup(self) -> None:
        """Load the network."""
        settle_opencv()
        with first_alone(self._asked.engines, repr(self._asked.whole)):
            self._operator.setup()

    def process(self, item: Item, context: UnitContext) -> None:
        """Set `background` of the item's `ImageWork`, which is begun where no stage has done so.

        Raises:
            WorkerError: the network cannot be executed any more, by no engine of this machine; or its disk is full.
        """
        work = item.payload = opened(item, context, self._settings.limits)
        info, own = work.info, self._operator.network.scale
        scale = float(own) if self._asked.treatment.scale is None else self._asked.treatment.scale
        size = size_at(info.width, info.height, scale)
        work.background = background = BackgroundWork(size, first=self._asked.first, reason=self._reason(work, size))
        if background.reason:
            return
        source = raster_of(item.record, work, context, self._settings.limits)
        treated, execution = self._treated(source)
        for event, times in execution.events.items():
            context.count(f"engine:{event}", times)
        work.executed("background", execution.engine)
        if np.array_equal(treated.raster.pixels, source.pixels):
            background.reason = "no_change"
            return
        background.raster, background.toned, background.space = treated.raster, treated.toned, treated.raster.space
        background.engine = execution.engine.get("used") or {}
        background.tiles = execution.engine.get("tiles") or {}

    def _reason(self, work: ImageWork, size: tuple[int, int]) -> str:
        """Why a picture is left as it is; empty when it is not."""
        if size[0] * size[1] > self._asked.max_pixels:
            return "too_large"
        wanted = self._settings.encode.format
        most = MAX_SIDES.get(work.info.format if wanted == "same" else wanted)
        return "format_limit" if most is not None and max(size) > most else ""

    def _treated(self, source: Raster) -> tuple[Treated, Execution]:
        with self._one_at_a_time:
            try:
                treated = treat(source, self._operator.enlarge, self._operator.network.scale, self._asked.treatment)
            except EngineError as error:
                raise WorkerError(f"the background's network cannot be executed: {error}") from error
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    raise
                raise WorkerError(str(error.strerror)) from error
            return treated, self._operator.execution()
